/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * verbs: the words of the language that are not in one file with the table: each does what
 * README.md tells and remembers in w->error why it returns false.
 */
#include "tests/scenario/words.h"
#include "tests/scenario/world.h"

/* life.c: configuration, the bridge, its files, time */
bool do_source(struct world *w, const struct words *a);
bool do_source_key(struct world *w, const struct words *a);
bool do_drop(struct world *w, const struct words *a);
bool do_rename_source(struct world *w, const struct words *a);
bool do_set(struct world *w, const struct words *a);
bool do_unset(struct world *w, const struct words *a);
bool do_start(struct world *w, const struct words *a);
bool do_reload(struct world *w, const struct words *a);
bool do_stop(struct world *w, const struct words *a);
bool do_kill(struct world *w, const struct words *a);
bool do_restart(struct world *w, const struct words *a);
bool do_reboot(struct world *w, const struct words *a);
bool do_lose(struct world *w, const struct words *a);
bool do_damage(struct world *w, const struct words *a);
bool do_after(struct world *w, const struct words *a);
bool do_sleep(struct world *w, const struct words *a);
bool do_wall(struct world *w, const struct words *a);
bool do_at_once(struct world *w, const struct words *a);
bool do_settle(struct world *w, const struct words *a);
bool do_synced(struct world *w, const struct words *a);

/* server.c: what REST says, and when the connection was opened */
bool do_login(struct world *w, const struct words *a); /* `ask` too */
bool do_connect(struct world *w, const struct words *a);
bool do_owner(struct world *w, const struct words *a); /* `owner!` too */
bool do_forget(struct world *w, const struct words *a);
bool do_readable(struct world *w, const struct words *a); /* `unreadable`, `unknown` too */
bool do_missing(struct world *w, const struct words *a);
bool do_settled(struct world *w, const struct words *a);
bool do_belongs(struct world *w, const struct words *a);

/* expect.c */
bool do_mark(struct world *w, const struct words *a);
bool do_expect(struct world *w, const struct words *a);

/* The user's number, from 1: the same name is the same user in every source. 0: too many. */
unsigned verbs_user(struct world *w, const char *name);
bool verbs_need_core(struct world *w);
/* What a call of the engine returned: time goes on, or w->error says why not. */
bool verbs_done(struct world *w, int rc);
