/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expect: what must be true. A wrong expectation tells what was expected and what is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tests/scenario/message.h"
#include "tests/scenario/verbs.h"

static bool same_text(struct world *w, const char *what, const char *is, const char *expected)
{
	return !strcmp(is, expected) ||
	       world_fail(w, "%s: expected '%s', but it is '%s'", what, expected, is);
}

/* --- numbers --- */

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

static int add_workspaces(
    const struct hf_source_view *source, const struct hf_owner_view *owner, void *arg)
{
	*(unsigned long long *)arg += owner->workspaces;
	return 0;
}

static int add_agents(
    const struct hf_source_view *source, const struct hf_owner_view *owner, void *arg)
{
	*(unsigned long long *)arg += owner->agents;
	return 0;
}

static int add_dispute(const struct hf_dispute_view *dispute, void *arg)
{
	++*(unsigned long long *)arg;
	return 0;
}

static int add_kept(const struct hf_hold_view *hold, void *arg)
{
	*(unsigned long long *)arg += hold->row->rejected ? hold->workspaces : 0;
	return 0;
}

static int add_change(const struct hf_name_change *change, uint64_t generation, void *arg)
{
	++*(unsigned long long *)arg;
	return 0;
}

static bool number(struct world *w, const char *what, unsigned long long *ret_is)
{
	const struct hf_state *s = hf_engine_state(w->engine);
	struct hf_when now = hf_engine_now(w->engine);
	struct hf_store *store = hf_engine_store(w->engine);
	struct hf_store_stats stats;

	if (!strcmp(what, "held"))
		hf_state_each_hold(s, add_held, ret_is);
	else if (!strcmp(what, "holds"))
		hf_state_each_hold(s, add_hold, ret_is);
	else if (!strcmp(what, "refused"))
		hf_state_each_refused(s, add_refused, ret_is);
	else if (!strcmp(what, "workspaces"))
		hf_state_each_owner(s, now, add_workspaces, ret_is);
	else if (!strcmp(what, "agents"))
		hf_state_each_owner(s, now, add_agents, ret_is);
	else if (!strcmp(what, "kept"))
		hf_state_each_hold_view(s, now, add_kept, ret_is);
	else if (!strcmp(what, "disputed"))
		hf_state_each_dispute(s, add_dispute, ret_is);
	else if (!strcmp(what, "changed"))
		return hf_store_names_since(store, w->mark.generation, add_change, ret_is) == 0 ||
		       world_fail(w, "the changes since the mark are not known any more");
	else {
		hf_store_get_stats(store, &stats);
		*ret_is = stats.commits - w->mark.commits;
	}
	return true;
}

static bool expect_number(struct world *w, const struct words *a)
{
	unsigned long long want = strtoull(words_at(a, 2), NULL, 10), is = 0;
	const char *what = words_at(a, 1);

	if (!strcmp(what, "names")) {
		if (!world_count(w, &is))
			return false;
	} else if (!verbs_need_core(w) || !number(w, what, &is)) {
		return false;
	}
	return is == want || world_fail(w, "%s: expected %llu, but there are %llu", what, want, is);
}

/* --- the store as a whole --- */

bool do_mark(struct world *w, const struct words *a)
{
	struct hf_store_stats stats;

	fseek(w->log, 0, SEEK_END);
	w->mark.log = ftell(w->log);
	if (!w->engine)
		return true;
	hf_store_get_stats(hf_engine_store(w->engine), &stats);
	w->mark.commits = stats.commits;
	w->mark.generation = hf_store_generation(hf_engine_store(w->engine));
	memcpy(w->mark.epoch, hf_store_epoch(hf_engine_store(w->engine)), sizeof(w->mark.epoch));
	return true;
}

static bool expect_epoch(struct world *w, const struct words *a)
{
	bool same;

	if (!verbs_need_core(w))
		return false;
	same = !memcmp(w->mark.epoch, hf_store_epoch(hf_engine_store(w->engine)), 16);
	return same_text(w, "the epoch", same ? "same" : "new", words_at(a, 2));
}

static bool expect_generation(struct world *w, const struct words *a)
{
	uint64_t is;

	if (!verbs_need_core(w))
		return false;
	is = hf_store_generation(hf_engine_store(w->engine));
	return same_text(w, "the generation",
	    is == w->mark.generation  ? "same"
	    : is > w->mark.generation ? "higher"
				      : "lower",
	    words_at(a, 2));
}

static bool expect_store(struct world *w, const struct words *a)
{
	const char *reason;
	int64_t since_s;

	if (!verbs_need_core(w))
		return false;
	return same_text(w, "the store",
	    hf_store_state_name(hf_store_get_state(hf_engine_store(w->engine), &reason, &since_s)),
	    words_at(a, 2));
}

static int first_line(const struct hf_history_line *line, void *arg)
{
	snprintf(arg, 128, "%s %s", line->what, line->reason);
	return 1;
}

/* The newest line of a name's history: what happened, and why. */
static bool expect_history(struct world *w, const struct words *a)
{
	char is[128] = "nothing", want[128];

	if (!verbs_need_core(w))
		return false;
	hf_store_history(hf_engine_store(w->engine), words_at(a, 2), 1, first_line, is);
	snprintf(want, sizeof(want), "%s %s", words_at(a, 3), words_at(a, 4));
	return same_text(w, words_at(a, 2), is, want);
}

/* --- the guard --- */

static bool expect_wants(struct world *w, const struct words *a)
{
	struct hf_uuid owner = message_id(verbs_user(w, words_at(a, 3)));

	if (!verbs_need_core(w))
		return false;
	return same_text(w, "a new snapshot is wanted",
	    hf_state_wants_snapshot(
		hf_engine_state(w->engine), words_at(a, 2), &owner, hf_engine_now(w->engine))
		? "yes"
		: "no",
	    words_at(a, 4));
}

static bool expect_wants_connection(struct world *w, const struct words *a)
{
	if (!verbs_need_core(w))
		return false;
	return same_text(w, "a new connection is wanted",
	    hf_state_wants_connection(
		hf_engine_state(w->engine), words_at(a, 2), hf_engine_now(w->engine))
		? "yes"
		: "no",
	    words_at(a, 3));
}

struct waits {
	const char *source, *owner; /* "-": of the source as a whole */
	char is[128];
};

static int note_waits(const struct hf_hold_view *hold, void *arg)
{
	struct waits *q = arg;
	size_t len = 0;

	if (strcmp(hold->source->name, q->source) ||
	    strcmp(hold->owner ? hold->owner->name : "-", q->owner) || hold->row->rejected)
		return 0;
	snprintf(q->is, sizeof(q->is), "nothing");
	for (unsigned bit = 1; bit <= HF_WAITS_SNAPSHOT; bit <<= 1)
		if (hold->waits & bit)
			len += (size_t)snprintf(q->is + len, sizeof(q->is) - len, "%s%s",
			    len ? "," : "", hf_state_waits_name((enum hf_waits)bit));
	return 1;
}

/* For what the removal of an owner's workspaces waits. */
static bool expect_waits(struct world *w, const struct words *a)
{
	struct waits q = { words_at(a, 2), words_at(a, 3), "no hold" };

	if (!verbs_need_core(w))
		return false;
	hf_state_each_hold_view(
	    hf_engine_state(w->engine), hf_engine_now(w->engine), note_waits, &q);
	return same_text(w, "it waits for", q.is, words_at(a, 4));
}

/* The workspace that REST is to be asked about. */
static bool expect_whose(struct world *w, const struct words *a)
{
	struct hf_uuid id;
	char is[16] = "none";

	if (!verbs_need_core(w))
		return false;
	if (hf_engine_disputed(w->engine, words_at(a, 2), &id))
		snprintf(is, sizeof(is), "%u", id.b[14] * 256u + id.b[15]);
	return same_text(w, "REST is to be asked about", is, words_at(a, 3));
}

static bool expect_asks(struct world *w, const struct words *a)
{
	return same_text(w, "the last message led to the wish for a snapshot",
	    w->asked ? "yes" : "no", words_at(a, 2));
}

/* --- the log --- */

static bool log_has(struct world *w, const char *text)
{
	char line[8192];
	bool found = false;

	fseek(w->log, w->mark.log, SEEK_SET);
	while (!found && fgets(line, sizeof(line), w->log))
		found = strstr(line, text);
	return found;
}

/* Since the last mark. The words with one space between them. */
static bool expect_log(struct world *w, const struct words *a)
{
	bool no = !strcmp(words_at(a, 1), "no-log");
	char text[512] = "";
	size_t len = 0;

	for (size_t i = 2; i < a->n && len < sizeof(text); i++)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, "%s%s", i > 2 ? " " : "", a->at[i]);
	return log_has(w, text) != no ||
	       world_fail(w, "expected %s line of the log with '%s'", no ? "no" : "a", text);
}

/* --- records --- */

struct sought {
	struct hf_name name;
	struct hf_record_view record;
	bool found;
};

static int seek_record(const struct hf_record_view *record, void *arg)
{
	struct sought *s = arg;

	if (!hf_name_equal(&record->name, &s->name))
		return 0;
	s->record = *record;
	s->found = true;
	return 1;
}

static bool find_record(struct world *w, const char *name, struct sought *ret)
{
	ret->found = false;
	if (!verbs_need_core(w))
		return false;
	if (hf_name_parse(name, &ret->name))
		return world_fail(w, "'%s' is no name", name);
	hf_state_each_record(
	    hf_engine_state(w->engine), hf_engine_now(w->engine), seek_record, ret);
	return ret->found || world_fail(w, "expected a record of %s, but there is none", name);
}

/* So long ago, by the wall clock, to a second. */
static bool expect_seen(struct world *w, const struct words *a)
{
	struct sought s;
	int64_t ms, is;

	if (!words_span(words_at(a, 3), &ms))
		return world_fail(w, "expect seen NAME 2h");
	if (!find_record(w, words_at(a, 2), &s))
		return false;
	is = w->clock.wall / 1000 - s.record.first_seen_s;
	return (is >= ms / 1000 && is <= ms / 1000 + 1) ||
	       world_fail(w, "%s: expected to be first seen %lld s ago, but it is %lld s",
		   words_at(a, 2), (long long)ms / 1000, (long long)is);
}

static const char *state_of(const struct hf_record_view *r)
{
	if (r->flags & HF_REC_WITHDRAWN)
		return "withdrawn";
	if (r->flags & HF_REC_HELD)
		return "held";
	if (r->flags & HF_REC_RESTORED)
		return "restored";
	return "kept";
}

/* --- answers --- */

static const char *rcode_text(uint8_t rcode)
{
	switch (rcode) {
	case HF_RCODE_NOERROR:
		return "empty";
	case HF_RCODE_NXDOMAIN:
		return "none";
	case HF_RCODE_SERVFAIL:
		return "servfail";
	default:
		return "of another rcode";
	}
}

/* Its PTR, for an agent's address. */
static bool expect_ptr(struct world *w, const struct words *a)
{
	struct hf_uuid id = message_agent_id((unsigned)strtoul(words_at(a, 2), NULL, 10));
	char text[HF_NAME_TEXT_MAX], is[HF_NAME_TEXT_MAX] = "none";
	struct hf_answer answer;
	struct hf_name name;
	uint8_t addr[16];

	hf_addr_of_agent(&id, addr);
	hf_ptr_name(addr, &name);
	if (!world_ask(w, hf_name_text(&name, text), HF_TYPE_PTR, &answer))
		return false;
	if (answer.has_answer && answer.answer.rdlen <= sizeof(name.wire)) {
		memcpy(name.wire, answer.answer.rdata, answer.answer.rdlen);
		name.len = (uint8_t)answer.answer.rdlen;
		hf_name_text(&name, is);
		is[strcspn(is, " ")] = '\0';
	}
	return same_text(w, "the PTR", is, words_at(a, 3));
}

static bool expect_address(struct world *w, const struct words *a, const struct hf_answer *answer)
{
	struct hf_uuid id = message_agent_id((unsigned)strtoul(words_at(a, 2), NULL, 10));
	const char *fresh = answer->ede == HF_EDE_STALE ? "stale" : "live", *want = words_at(a, 3);
	char is[HF_ADDR_TEXT_MAX], expected[HF_ADDR_TEXT_MAX];
	struct sought s;
	uint8_t addr[16];

	hf_addr_of_agent(&id, addr);
	hf_addr_text(addr, expected);
	if (!answer->ours || !answer->has_answer)
		return world_fail(w, "%s: expected %s, but it is %s", words_at(a, 1), expected,
		    answer->ours ? rcode_text(answer->rcode) : "foreign");
	if (answer->answer.n != 1 || memcmp(answer->answer.rdata, addr, sizeof(addr)))
		return world_fail(w, "%s: expected %s, but it is %s%s", words_at(a, 1), expected,
		    hf_addr_text(answer->answer.rdata, is), answer->answer.n > 1 ? ", ..." : "");
	if (!strcmp(want, "held") || !strcmp(want, "restored"))
		return find_record(w, words_at(a, 1), &s) &&
		       same_text(w, words_at(a, 1), state_of(&s.record), want) &&
		       same_text(w, words_at(a, 1), fresh, "stale");
	return !*want || same_text(w, words_at(a, 1), fresh, want);
}

static bool expect_answer(struct world *w, const struct words *a)
{
	static const char *const no_address[] = { "none", "empty", "servfail", "foreign" };
	const char *want = words_at(a, 2), *is;
	bool withdrawn = !strcmp(want, "withdrawn");
	struct hf_answer answer;
	struct sought s;

	if (!world_ask(w, words_at(a, 1), HF_TYPE_AAAA, &answer))
		return false;
	is = answer.has_answer ? "an address" : !answer.ours ? "foreign" : rcode_text(answer.rcode);
	for (size_t i = 0; i < sizeof(no_address) / sizeof(no_address[0]); i++)
		if (!strcmp(want, no_address[i]))
			return same_text(w, words_at(a, 1), is, want);
	if (withdrawn)
		return same_text(w, words_at(a, 1), is, "none") &&
		       find_record(w, words_at(a, 1), &s) &&
		       same_text(w, words_at(a, 1), state_of(&s.record), want);
	return expect_address(w, a, &answer);
}

bool do_expect(struct world *w, const struct words *a)
{
	static const struct {
		const char *what;
		bool (*check)(struct world *w, const struct words *a);
	} table[] = {
		{ "names", expect_number },
		{ "held", expect_number },
		{ "holds", expect_number },
		{ "kept", expect_number },
		{ "disputed", expect_number },
		{ "refused", expect_number },
		{ "workspaces", expect_number },
		{ "agents", expect_number },
		{ "commits", expect_number },
		{ "changed", expect_number },
		{ "epoch", expect_epoch },
		{ "generation", expect_generation },
		{ "store", expect_store },
		{ "history", expect_history },
		{ "wants", expect_wants },
		{ "wants-connection", expect_wants_connection },
		{ "waits", expect_waits },
		{ "whose", expect_whose },
		{ "asks", expect_asks },
		{ "log", expect_log },
		{ "no-log", expect_log },
		{ "seen", expect_seen },
		{ "ptr", expect_ptr },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(words_at(a, 1), table[i].what))
			return table[i].check(w, a);
	return expect_answer(w, a);
}
