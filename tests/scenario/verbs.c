/*
 * The language: a word, its arguments, what it does to the world. README.md tells it to people.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/scenario/message.h"
#include "tests/scenario/world.h"

enum { WORDS = 2000 };

struct words {
	char *at[WORDS];
	size_t n;
};

static const char *word(const struct words *a, size_t i)
{
	return i < a->n ? a->at[i] : "";
}

/* The value of "key=value" among the words, NULL if it is not there. */
static const char *option(const struct words *a, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < a->n; i++)
		if (!strncmp(a->at[i], key, len) && a->at[i][len] == '=')
			return a->at[i] + len + 1;
	return NULL;
}

static bool span(const char *text, int64_t *ret_ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
		{ "d", 86400000 }, { "y", 365 * 86400000LL } };
	char *end;
	int64_t n = strtoll(text, &end, 10);

	for (size_t i = 0; end != text && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		*ret_ms = n * units[i].ms;
		return true;
	}
	return false;
}

/* The user's number, from 1: the same name is the same user in every source. */
static unsigned user(struct world *w, const char *name)
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

static bool need_core(struct world *w)
{
	return w->core || world_fail(w, "the bridge is not running");
}

static bool told(struct world *w, int rc)
{
	if (rc < 0)
		return world_fail(w, "%s", hf_strerror(rc));
	world_settle(w);
	return true;
}

/* --- configuration and life --- */

static bool do_source(struct world *w, const struct words *a)
{
	if (w->n_sources == WORLD_SOURCES || a->n < 3)
		return world_fail(w, "source NAME SUFFIX");
	snprintf(w->sources[w->n_sources].name, sizeof(w->sources[0].name), "%s", a->at[1]);
	snprintf(w->sources[w->n_sources++].suffix, sizeof(w->sources[0].suffix), "%s", a->at[2]);
	return true;
}

static bool do_source_key(struct world *w, const struct words *a)
{
	for (size_t i = 0; i < w->n_sources; i++) {
		size_t at = strlen(w->sources[i].keys);

		if (strcmp(w->sources[i].name, word(a, 1)))
			continue;
		snprintf(w->sources[i].keys + at, sizeof(w->sources[i].keys) - at, ", %s: %s",
		    word(a, 2), word(a, 3));
		return true;
	}
	return world_fail(w, "there is no source '%s'", word(a, 1));
}

static bool do_drop(struct world *w, const struct words *a)
{
	for (size_t i = 0; i < w->n_sources; i++) {
		if (strcmp(w->sources[i].name, word(a, 1)))
			continue;
		memmove(&w->sources[i], &w->sources[i + 1],
		    (--w->n_sources - i) * sizeof(w->sources[0]));
		return true;
	}
	return world_fail(w, "there is no source '%s'", word(a, 1));
}

static bool do_set(struct world *w, const struct words *a)
{
	size_t i = 0;

	if (a->n < 3)
		return world_fail(w, "set KEY VALUE");
	while (i < w->n_keys && strcmp(w->keys[i].key, a->at[1]))
		i++;
	if (i == WORLD_KEYS)
		return world_fail(w, "too many keys");
	w->n_keys += i == w->n_keys;
	snprintf(w->keys[i].key, sizeof(w->keys[i].key), "%s", a->at[1]);
	snprintf(w->keys[i].value, sizeof(w->keys[i].value), "%s", a->at[2]);
	return true;
}

static bool do_start(struct world *w, const struct words *a)
{
	return world_start(w);
}

static bool do_reload(struct world *w, const struct words *a)
{
	if (!need_core(w) || !world_reload(w))
		return false;
	world_settle(w);
	return true;
}

static bool do_stop(struct world *w, const struct words *a)
{
	hf_core_free(w->core);
	w->core = NULL;
	memset(w->in_contact, 0, sizeof(w->in_contact));
	return true;
}

static bool do_mark(struct world *w, const struct words *a)
{
	struct hf_store_stats stats;

	if (!need_core(w))
		return false;
	hf_store_get_stats(hf_core_store(w->core), &stats);
	w->last_commits = stats.commits;
	return true;
}

static bool do_restart(struct world *w, const struct words *a)
{
	return do_stop(w, a) && world_start(w);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static bool do_lose(struct world *w, const struct words *a)
{
	char path[400];

	if (w->core && strcmp(word(a, 1), "zone"))
		return world_fail(w, "stop the bridge first");
	if (!strcmp(word(a, 1), "zone")) {
		snprintf(path, sizeof(path), "%s/zone", w->dir);
		nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
		return true;
	}
	for (const char *const *end =
		 (const char *const[]){ "", "-wal", "-shm", ".copy", ".recovery", NULL };
	     *end; end++) {
		snprintf(path, sizeof(path), "%s/store.db%s", w->dir, *end);
		unlink(path);
	}
	return true;
}

static bool do_damage(struct world *w, const struct words *a)
{
	static const char junk[4096] = "this is no page of a database";
	char path[400];
	FILE *f;
	long size;

	if (w->core)
		return world_fail(w, "stop the bridge first");
	snprintf(path, sizeof(path), "%s/%s", w->dir,
	    strcmp(word(a, 1), "copy") ? "store.db" : "store.db.copy");
	f = fopen(path, "r+");
	if (!f)
		return world_fail(w, "there is no '%s'", path);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	/* The header stays: it still looks like a store. */
	for (long at = 4096; at < size; at += (long)sizeof(junk)) {
		fseek(f, at, SEEK_SET);
		fwrite(junk, 1, sizeof(junk), f);
	}
	fclose(f);
	return true;
}

/* --- the server and REST --- */

static bool do_login(struct world *w, const struct words *a)
{
	unsigned n = user(w, word(a, 2));
	struct hf_identity id = { .user = message_id(n),
		.user_name = word(a, 2),
		.deployment_id = option(a, "deployment"),
		.suffix = option(a, "suffix") };
	struct hf_judgement j;
	int rc;

	if (!need_core(w))
		return false;
	rc = hf_core_identify(w->core, word(a, 1), &id, &j);
	if (!rc && j.verdict == HF_VERDICT_ACCEPTED) {
		rc = hf_core_owner_set(w->core, word(a, 1), &id.user, word(a, 2));
		hf_core_owner_readable(w->core, word(a, 1), &id.user, true);
	}
	return told(w, rc);
}

static bool do_owner(struct world *w, const struct words *a)
{
	struct hf_uuid id = message_id(user(w, word(a, 2)));
	const char *renamed = option(a, "renamed");

	if (!need_core(w))
		return false;
	hf_core_owner_readable(w->core, word(a, 1), &id, true);
	return told(w, hf_core_owner_set(w->core, word(a, 1), &id, renamed ? renamed : word(a, 2)));
}

static bool do_forget(struct world *w, const struct words *a)
{
	struct hf_uuid id = message_id(user(w, word(a, 2)));

	return need_core(w) && told(w, hf_core_owner_del(w->core, word(a, 1), &id));
}

static bool do_readable(struct world *w, const struct words *a)
{
	struct hf_uuid id = message_id(user(w, word(a, 2)));

	if (!need_core(w))
		return false;
	hf_core_owner_readable(w->core, word(a, 1), &id, !strcmp(word(a, 0), "readable"));
	return true;
}

static void set_contact(struct world *w, const char *source, bool contact)
{
	for (size_t i = 0; i < w->n_sources; i++)
		if (!strcmp(w->sources[i].name, source))
			w->in_contact[i] = contact;
}

static bool do_message(struct world *w, const struct words *a)
{
	bool diff = !strncmp(word(a, 0), "diff", 4), want = !strchr(word(a, 0), '!');
	struct hf_judgement j;
	struct message *m;
	int rc;

	if (!need_core(w) || a->n < 3)
		return world_fail(w, "%s SOURCE USER RECORDS", word(a, 0));
	m = message_parse(
	    diff ? HF_UPDATE_DIFF : HF_UPDATE_SNAPSHOT, user(w, a->at[2]), a->at + 3, a->n - 3);
	if (!m)
		return world_fail(w, "a record is not of the form 1=name:2=agent,3=agent");
	rc = hf_core_update(w->core, a->at[1], message_update(m), &j);
	message_free(m);
	if (rc)
		return world_fail(w, "%s", hf_strerror(rc));
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
	if (!need_core(w))
		return false;
	set_contact(w, word(a, 1), true);
	hf_core_contact(w->core, word(a, 1));
	world_settle(w);
	return true;
}

static bool do_away(struct world *w, const struct words *a)
{
	if (!need_core(w))
		return false;
	set_contact(w, word(a, 1), false);
	hf_core_away(w->core, word(a, 1));
	world_settle(w);
	return true;
}

/* --- time --- */

static bool do_after(struct world *w, const struct words *a)
{
	int64_t ms;

	if (!span(word(a, 1), &ms))
		return world_fail(w, "after 10m: a number and ms, s, m, h, d or y");
	world_after(w, ms);
	return true;
}

static bool do_sleep(struct world *w, const struct words *a)
{
	int64_t ms;

	if (!span(word(a, 1), &ms))
		return world_fail(w, "sleep 8h");
	hf_fake_clock_add(&w->clock, ms);
	world_settle(w);
	return true;
}

static bool do_wall(struct world *w, const struct words *a)
{
	int64_t ms;

	if (!span(word(a, 1), &ms))
		return world_fail(w, "wall +40d");
	w->clock.wall += ms;
	world_settle(w);
	return true;
}

/* --- the operator --- */

static bool do_decide(struct world *w, const struct words *a)
{
	const char *what = a->n > 2 ? a->at[2] : NULL;
	int rc;

	if (!need_core(w))
		return false;
	rc = hf_core_decide(w->core, word(a, 1), NULL, what,
	    strcmp(word(a, 0), "accept") ? HF_DECISION_REJECT : HF_DECISION_ACCEPT);
	if (!rc)
		return world_fail(w, "nothing was held");
	return told(w, rc);
}

/* --- what must be true --- */

static int add_held(const struct hf_hold_row *hold, const struct hf_source_row *source,
    const struct hf_owner_row *owner, uint32_t workspaces, void *arg)
{
	*(unsigned long long *)arg += workspaces;
	return 0;
}

static int add_hold(const struct hf_hold_row *hold, const struct hf_source_row *source,
    const struct hf_owner_row *owner, uint32_t workspaces, void *arg)
{
	++*(unsigned long long *)arg;
	return 0;
}

static int add_refused(const struct hf_refused_view *refused, void *arg)
{
	++*(unsigned long long *)arg;
	return 0;
}

static bool expect_number(struct world *w, const struct words *a)
{
	unsigned long long want = strtoull(word(a, 2), NULL, 10), is = 0;
	const char *what = word(a, 1);

	if (!strcmp(what, "names")) {
		if (!world_count(w, &is))
			return false;
	} else if (!need_core(w)) {
		return false;
	} else if (!strcmp(what, "held")) {
		hf_state_each_hold(hf_core_state(w->core), add_held, &is);
	} else if (!strcmp(what, "holds")) {
		hf_state_each_hold(hf_core_state(w->core), add_hold, &is);
	} else if (!strcmp(what, "refused")) {
		hf_state_each_refused(hf_core_state(w->core), add_refused, &is);
	} else {
		struct hf_store_stats stats;

		hf_store_get_stats(hf_core_store(w->core), &stats);
		is = stats.commits - w->last_commits;
	}
	return is == want || world_fail(w, "%s: %llu, expected %llu", what, is, want);
}

static bool expect_answer(struct world *w, const struct words *a, const struct hf_answer *answer)
{
	struct hf_uuid id = message_agent_id((unsigned)strtoul(word(a, 2), NULL, 10));
	const char *fresh = answer->ede == HF_EDE_STALE ? "stale" : "live";
	char is[HF_ADDR_TEXT_MAX];
	uint8_t addr[16];

	hf_addr_of_agent(&id, addr);
	if (!answer->has_answer)
		return world_fail(w, "%s has no address (rcode %u)", word(a, 1), answer->rcode);
	if (answer->answer.n != 1 || memcmp(answer->answer.rdata, addr, sizeof(addr)))
		return world_fail(
		    w, "%s is %s", word(a, 1), hf_addr_text(answer->answer.rdata, is));
	if (a->n > 3 && strcmp(a->at[3], fresh))
		return world_fail(w, "%s is %s", word(a, 1), fresh);
	return true;
}

static bool do_expect(struct world *w, const struct words *a)
{
	static const char *const numbers[] = { "names", "held", "holds", "refused", "commits" };
	struct hf_answer answer;
	const char *want = word(a, 2);

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!strcmp(word(a, 1), numbers[i]))
			return expect_number(w, a);
	if (!world_ask(w, word(a, 1), &answer))
		return false;
	if (!strcmp(want, "none"))
		return (!answer.has_answer && answer.rcode == HF_RCODE_NXDOMAIN) ||
		       world_fail(w, "%s is there (rcode %u)", word(a, 1), answer.rcode);
	if (!strcmp(want, "empty"))
		return (!answer.has_answer && answer.rcode == HF_RCODE_NOERROR) ||
		       world_fail(w, "%s: rcode %u, %s address", word(a, 1), answer.rcode,
			   answer.has_answer ? "an" : "no");
	if (!strcmp(want, "servfail"))
		return answer.rcode == HF_RCODE_SERVFAIL || world_fail(w, "rcode %u", answer.rcode);
	return expect_answer(w, a, &answer);
}

/* --- the table --- */

static const struct {
	const char *name;
	bool (*run)(struct world *w, const struct words *a);
} verbs[] = {
	{ "source", do_source },
	{ "source-key", do_source_key },
	{ "drop", do_drop },
	{ "set", do_set },
	{ "mark", do_mark },
	{ "start", do_start },
	{ "stop", do_stop },
	{ "restart", do_restart },
	{ "reload", do_reload },
	{ "lose", do_lose },
	{ "damage", do_damage },
	{ "login", do_login },
	{ "owner", do_owner },
	{ "forget", do_forget },
	{ "readable", do_readable },
	{ "unreadable", do_readable },
	{ "snapshot", do_message },
	{ "snapshot!", do_message },
	{ "diff", do_message },
	{ "diff!", do_message },
	{ "contact", do_contact },
	{ "away", do_away },
	{ "after", do_after },
	{ "sleep", do_sleep },
	{ "wall", do_wall },
	{ "accept", do_decide },
	{ "reject", do_decide },
	{ "expect", do_expect },
};

bool world_line(struct world *w, char *line)
{
	struct words a = { .n = 0 };
	char *rest = NULL;

	line[strcspn(line, "#\n")] = '\0';
	for (char *t = strtok_r(line, " \t", &rest); t && a.n < WORDS;
	     t = strtok_r(NULL, " \t", &rest))
		a.at[a.n++] = t;
	if (!a.n)
		return true;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].name, a.at[0]))
			return verbs[i].run(w, &a);
	return world_fail(w, "there is no word '%s'", a.at[0]);
}
