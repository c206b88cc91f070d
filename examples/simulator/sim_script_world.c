/* SPDX-License-Identifier: Apache-2.0 */
/* The commands about users, workspaces and rights. */
#include "examples/simulator/sim_script_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/simulator/sim_records.h"

static int run_user(const struct sim_line *l)
{
	struct sim_world *w = &l->server->world;
	uint8_t id[SIM_ID];
	uint64_t n = 1;

	for (const struct sim_user *u = w->users; u; u = u->next)
		n++;
	if (hf_sim_line_number(l, 1, n, &n))
		return -EINVAL;
	hf_sim_world_id((uint32_t)n, id);
	if (hf_sim_world_user(w, hf_sim_line_word(l, 0)) || hf_sim_world_user_by_id(w, id) ||
	    n > SIM_NUMBER_MAX)
		return hf_sim_line_say(l, -EEXIST, "there is a user of that name or number");
	return hf_sim_world_user_add(w, hf_sim_line_word(l, 0), (uint32_t)n);
}

static int run_rename(const struct sim_line *l)
{
	struct sim_user *u = hf_sim_line_named(l, 0);

	return u ? hf_sim_world_set(&u->name, hf_sim_line_word(l, 1)) : -ENOENT;
}

/* Deleted, and another of the same name is there. */
static int run_remake(const struct sim_line *l)
{
	struct sim_user *u = hf_sim_line_named(l, 0);
	struct sim_world *w = &l->server->world;
	uint8_t id[SIM_ID];
	uint64_t n;
	char *name;
	int rc;

	if (!u || hf_sim_line_number(l, 1, 0, &n) || !n || n > SIM_NUMBER_MAX)
		return u ? hf_sim_line_say(l, -EINVAL, "'%s' is no number", hf_sim_line_word(l, 1))
			 : -ENOENT;
	hf_sim_world_id((uint32_t)n, id);
	if (hf_sim_world_user_by_id(w, id))
		return hf_sim_line_say(l, -EEXIST, "there is a user of that number");
	if (u == hf_sim_world_user(w, "me"))
		return hf_sim_line_say(l, -EINVAL, "the token is that user's");
	name = strdup(u->name);
	if (!name)
		return -ENOMEM;
	hf_sim_world_user_del(w, u);
	rc = hf_sim_world_user_add(w, name, (uint32_t)n);
	free(name);
	return rc;
}

static int run_forget(const struct sim_line *l)
{
	struct sim_user *u = hf_sim_line_named(l, 0);

	if (!u)
		return -ENOENT;
	hf_sim_world_user_del(&l->server->world, u);
	return 0;
}

static int set_readable(const struct sim_line *l, bool readable)
{
	struct sim_user *u = hf_sim_line_named(l, 0);

	if (!u)
		return -ENOENT;
	u->unreadable = !readable;
	return 0;
}

static int run_readable(const struct sim_line *l)
{
	return set_readable(l, true);
}

static int run_unreadable(const struct sim_line *l)
{
	return set_readable(l, false);
}

static int words_wrong(const struct sim_line *l, int rc)
{
	return rc == -EINVAL ? hf_sim_line_say(l, rc, "not of the form 1=workspace:7=agent,8=agent")
			     : rc;
}

static int run_snapshot(const struct sim_line *l)
{
	struct sim_user *u = hf_sim_line_named(l, 0);

	if (!u)
		return -ENOENT;
	return words_wrong(
	    l, hf_sim_records_snapshot(&l->server->world, u, l->words + 1, l->n_words - 1));
}

static int run_change(const struct sim_line *l, bool told)
{
	struct sim_user *u = hf_sim_line_named(l, 0);
	struct sim_message message;
	int rc;

	if (!u)
		return -ENOENT;
	rc = hf_sim_message_init(&message);
	if (!rc)
		rc = hf_sim_records_diff(
		    &l->server->world, u, l->words + 1, l->n_words - 1, &message);
	if (!rc && told)
		hf_sim_server_update(l->server, u->id, &message);
	hf_sim_message_done(&message);
	return words_wrong(l, rc);
}

static int run_diff(const struct sim_line *l)
{
	return run_change(l, true);
}

static int run_lose(const struct sim_line *l)
{
	return run_change(l, false);
}

static int run_deny(const struct sim_line *l)
{
	static const char *const hows[] = { "off", "close", "error", "reset" };
	struct sim_user *u = hf_sim_line_named(l, 0);

	if (!u)
		return -ENOENT;
	for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
		if (strcmp(hf_sim_line_word(l, 1), hows[i]))
			continue;
		u->deny = (enum sim_deny)i;
		return 0;
	}
	return hf_sim_line_say(
	    l, -EINVAL, "'%s' is none of close, error, reset, off", hf_sim_line_word(l, 1));
}

static int run_late(const struct sim_line *l)
{
	struct sim_user *u = hf_sim_line_named(l, 0);
	uint32_t ms;

	if (!u || hf_sim_line_duration(l, 1, &ms))
		return u ? -EINVAL : -ENOENT;
	u->late_ms = ms;
	return 0;
}

/* --- who may see what --- */

static int run_me(const struct sim_line *l)
{
	struct sim_user *u = hf_sim_line_named(l, 0);

	if (!u)
		return -ENOENT;
	l->server->world.me = u;
	return 0;
}

static int run_roles(const struct sim_line *l)
{
	struct sim_user *u = hf_sim_line_named(l, 0);
	int rc = u ? hf_sim_world_roles_set(u, l->words + 1, l->n_words - 1) : -ENOENT;

	return rc == -EINVAL
		   ? hf_sim_line_say(l, rc, "not of the form owner, or 2/organization-admin")
		   : rc;
}

static int line_org(const struct sim_line *l, size_t i, unsigned *ret_org)
{
	uint64_t n;

	if (hf_sim_line_number(l, i, 0, &n))
		return -EINVAL;
	*ret_org = (unsigned)n;
	return n && n <= SIM_ORG_MAX
		   ? 0
		   : hf_sim_line_say(l, -EINVAL, "'%s' is no organisation", hf_sim_line_word(l, i));
}

static int run_orgs(const struct sim_line *l)
{
	struct sim_user *u = hf_sim_line_named(l, 0);
	uint64_t bits = 0;
	unsigned n;

	if (!u)
		return -ENOENT;
	for (size_t i = 1; i < l->n_words; i++) {
		if (line_org(l, i, &n))
			return -EINVAL;
		bits |= SIM_ORG_BIT(n);
	}
	u->orgs = bits;
	return 0;
}

/* The workspaces "2" or "5..9", which must all be there. */
static int line_range(const struct sim_line *l, size_t i, uint32_t *ret_first, uint32_t *ret_last)
{
	unsigned first = 0, last = 0;
	int end = 0, n = sscanf(hf_sim_line_word(l, i), "%u%n..%u%n", &first, &end, &last, &end);

	if (n < 2)
		last = first;
	if (n < 1 || hf_sim_line_word(l, i)[end])
		return hf_sim_line_say(l, -EINVAL, "'%s' is no number, and not of the form 5..9",
		    hf_sim_line_word(l, i));
	for (unsigned at = first; at <= last; at++) {
		if (!hf_sim_world_workspace(&l->server->world, at))
			return hf_sim_line_say(l, -ENOENT, "there is no workspace %u", at);
	}
	*ret_first = first;
	*ret_last = last;
	return 0;
}

static int each_workspace(const struct sim_line *l, size_t i, bool place, unsigned value)
{
	uint32_t first, last;

	for (size_t at = i; at < l->n_words; at++) {
		if (line_range(l, at, &first, &last))
			return -EINVAL;
	}
	for (; i < l->n_words; i++) {
		line_range(l, i, &first, &last);
		for (uint32_t n = first; n <= last; n++) {
			struct sim_workspace *ws = hf_sim_world_workspace(&l->server->world, n);

			if (place)
				ws->org = value;
			else
				ws->status = (enum sim_status)value;
		}
	}
	return 0;
}

static int run_place(const struct sim_line *l)
{
	unsigned n;

	return line_org(l, 0, &n) ? -EINVAL : each_workspace(l, 1, true, n);
}

static int run_stopped(const struct sim_line *l)
{
	return each_workspace(l, 0, false, SIM_STOPPED);
}

static int run_running(const struct sim_line *l)
{
	return each_workspace(l, 0, false, SIM_RUNNING);
}

/* Lists a workspace in another user's streams, too; or no longer. */
static int run_sharing(const struct sim_line *l, bool shared)
{
	struct sim_user *u = hf_sim_line_named(l, 1);
	struct sim_message message;
	uint32_t n, last;
	int rc;

	if (!u || line_range(l, 0, &n, &last) || n != last)
		return u ? hf_sim_line_say(
			       l, -EINVAL, "'%s' is no workspace", hf_sim_line_word(l, 0))
			 : -ENOENT;
	rc = hf_sim_message_init(&message);
	if (!rc)
		rc = hf_sim_records_workspace(&l->server->world, n, !shared, &message);
	if (!rc)
		rc = hf_sim_world_share(&l->server->world, n, u, shared);
	if (!rc)
		hf_sim_server_update(l->server, u->id, &message);
	hf_sim_message_done(&message);
	return rc;
}

static int run_share(const struct sim_line *l)
{
	return run_sharing(l, true);
}

static int run_unshare(const struct sim_line *l)
{
	return run_sharing(l, false);
}

const struct sim_command hf_sim_world_commands[] = {
	{ "user", 1, run_user, "NAME [NUMBER]", "a user; the first is the token's own" },
	{ "snapshot", 1, run_snapshot, "NAME WORD...",
	    "all that the user has from now on; the next stream begins with it" },
	{ "diff", 2, run_diff, "NAME WORD...", "a change, told to the user's streams" },
	{ "lose", 2, run_lose, "NAME WORD...",
	    "a change that no stream is told: an event that got lost, a workspace renamed" },
	{ "stopped", 1, run_stopped, "NUMBER...",
	    "workspaces (2 or 5..9) that are stopped, when they are told next; `running` ends it" },
	{ "running", 1, run_running, "NUMBER...", "" },
	{ "share", 2, run_share, "NUMBER NAME",
	    "that user's streams list the workspace, too, and are told; `unshare` ends it" },
	{ "unshare", 2, run_unshare, "NUMBER NAME", "" },
	{ "deny", 2, run_deny, "NAME close|error|reset|off",
	    "new streams of that user end at once, that way" },
	{ "late", 2, run_late, "NAME TIME",
	    "new streams of that user begin so late, 1h for never; off: at once" },
	{ "me", 1, run_me, "NAME", "the token is that user's from now on" },
	{ "roles", 1, run_roles, "NAME [ROLE...]",
	    "what the user is: owner, template-admin, auditor, ...; in organisation 2: 2/organization-admin" },
	{ "orgs", 1, run_orgs, "NAME [N...]", "the organisations of a user; 1 at the start" },
	{ "place", 2, run_place, "N NUMBER...",
	    "workspaces (2 or 5..9) belong to organisation N; to 1 at the start" },
	{ "rename", 2, run_rename, "NAME NEW", "a user gets another name" },
	{ "forget", 1, run_forget, "NAME", "there is no such user any more" },
	{ "remake", 2, run_remake, "NAME NUMBER",
	    "the user was deleted, and there is another of the same name" },
	{ "unreadable", 1, run_unreadable, "NAME",
	    "the token may not read that user's workspaces, whatever the roles; `readable` ends it" },
	{ "readable", 1, run_readable, "NAME", "" },
	{ NULL, 0, NULL, NULL, NULL },
};
