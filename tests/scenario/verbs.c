/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language: a word, its arguments, what it does to the world. README.md tells it to people.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "tests/scenario/message.h"
#include "tests/scenario/verbs.h"

unsigned verbs_user(struct world *w, const char *name)
{
	size_t i = 0;

	while (i < w->n_owners && strcmp(w->owners[i], name))
		i++;
	if (i == WORLD_OWNERS)
		return 0;
	if (i == w->n_owners)
		snprintf(w->owners[w->n_owners++], sizeof(w->owners[0]), "%s", name);
	return (unsigned)i + 1;
}

bool verbs_need_core(struct world *w)
{
	return w->engine || world_fail(w, "the bridge is not running");
}

bool verbs_done(struct world *w, int rc)
{
	if (rc < 0)
		return world_fail(w, "%s", hf_strerror(rc));
	world_settle(w);
	return true;
}

/* --- messages --- */

static void set_contact(struct world *w, const char *source, bool contact)
{
	for (size_t i = 0; i < w->n_sources; i++)
		if (!strcmp(w->sources[i].name, source))
			w->in_contact[i] = contact;
}

static bool do_message(struct world *w, const struct words *a)
{
	bool diff = !strncmp(words_at(a, 0), "diff", 4), want = !strchr(words_at(a, 0), '!');
	struct world_source *source;
	struct hf_judgement j;
	struct message *m;
	int rc;

	if (!verbs_need_core(w) || a->n < 3)
		return world_fail(w, "%s SOURCE USER RECORDS", words_at(a, 0));
	source = world_source(w, a->at[1]);
	if (!source)
		return false;
	m = message_parse(diff ? HF_UPDATE_DIFF : HF_UPDATE_SNAPSHOT, verbs_user(w, a->at[2]),
	    source->connected_ms, a->at + 3, a->n - 3);
	if (!m)
		return world_fail(w, "a record is not of the form 1=name:2=agent,3=agent");
	rc = hf_engine_update(w->engine, a->at[1], message_update(m), &j);
	message_free(m);
	/* Of an owner that nobody follows. */
	if (rc && (want || rc != -ENOENT))
		return world_fail(w, "%s", hf_strerror(rc));
	if (rc)
		return true;
	w->asked = j.want_snapshot;
	if ((j.verdict == HF_VERDICT_ACCEPTED) != want)
		return world_fail(
		    w, "it was %s (%s)", want ? "refused" : "accepted", j.reason ? j.reason : "");
	if (want)
		set_contact(w, a->at[1], true);
	world_settle(w);
	return true;
}

static bool do_contact(struct world *w, const struct words *a)
{
	if (!verbs_need_core(w))
		return false;
	set_contact(w, words_at(a, 1), true);
	hf_engine_contact(w->engine, words_at(a, 1));
	world_settle(w);
	return true;
}

static bool do_away(struct world *w, const struct words *a)
{
	if (!verbs_need_core(w))
		return false;
	set_contact(w, words_at(a, 1), false);
	hf_engine_away(w->engine, words_at(a, 1));
	world_settle(w);
	return true;
}

/* --- the operator --- */

/*
 * "accept main", "accept main suffix", "accept main owner=bob removal", with ! where nothing is
 * held
 */
static bool do_decide(struct world *w, const struct words *a)
{
	const char *owner = words_option(a, "owner"), *what = NULL;
	struct hf_uuid id = message_id(owner ? verbs_user(w, owner) : 0);
	bool accept = !strncmp(words_at(a, 0), "accept", 6), want = !strchr(words_at(a, 0), '!');
	int rc;

	if (!verbs_need_core(w))
		return false;
	for (size_t i = 2; i < a->n; i++)
		if (!strchr(a->at[i], '='))
			what = a->at[i];
	rc = hf_engine_decide(w->engine, words_at(a, 1), owner ? &id : NULL, what,
	    accept ? HF_DECISION_ACCEPT : HF_DECISION_REJECT);
	if (rc >= 0 && (rc > 0) != want)
		return world_fail(w, want ? "nothing was held" : "%d were held", rc);
	return verbs_done(w, rc);
}

/* --- the table --- */

static const struct {
	const char *name;
	bool (*run)(struct world *w, const struct words *a);
} verbs[] = {
	{ "source", do_source },
	{ "source-key", do_source_key },
	{ "drop", do_drop },
	{ "rename-source", do_rename_source },
	{ "set", do_set },
	{ "unset", do_unset },
	{ "mark", do_mark },
	{ "start", do_start },
	{ "stop", do_stop },
	{ "kill", do_kill },
	{ "restart", do_restart },
	{ "reboot", do_reboot },
	{ "reload", do_reload },
	{ "lose", do_lose },
	{ "damage", do_damage },
	{ "login", do_login },
	{ "ask", do_login },
	{ "connect", do_connect },
	{ "owner", do_owner },
	{ "owner!", do_owner },
	{ "forget", do_forget },
	{ "readable", do_readable },
	{ "unreadable", do_readable },
	{ "unknown", do_readable },
	{ "missing", do_missing },
	{ "missing!", do_missing },
	{ "settled", do_settled },
	{ "settled!", do_settled },
	{ "belongs", do_belongs },
	{ "snapshot", do_message },
	{ "snapshot!", do_message },
	{ "diff", do_message },
	{ "diff!", do_message },
	{ "contact", do_contact },
	{ "away", do_away },
	{ "after", do_after },
	{ "at-once", do_at_once },
	{ "settle", do_settle },
	{ "sleep", do_sleep },
	{ "wall", do_wall },
	{ "synced", do_synced },
	{ "accept", do_decide },
	{ "accept!", do_decide },
	{ "reject", do_decide },
	{ "reject!", do_decide },
	{ "expect", do_expect },
};

bool world_line(struct world *w, char *line)
{
	struct words a;

	words_split(line, &a);
	if (!a.n)
		return true;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].name, a.at[0]))
			return verbs[i].run(w, &a);
	return world_fail(w, "there is no word '%s'", a.at[0]);
}
