/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feed/peer_kit.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct hf_adapter {
	int none;
};

static const char adapter_name[] = "fake";
static struct peer *current; /* the adapter's functions have no argument of ours */
static struct hf_adapter adapter;

struct hf_record peer_record(const char *name, uint8_t addr, bool primary)
{
	struct hf_record r = { .primary = primary };

	ck_assert_int_eq(hf_name_parse(name, &r.name), 0);
	memcpy(r.addr, hf_addr_prefix, 6);
	r.addr[15] = addr;
	return r;
}

static int take_state(const struct hf_owned *row, void *arg)
{
	struct hf_owned *want = arg;

	if (!memcmp(row->addr, want->addr, sizeof(want->addr)))
		want->state = row->state;
	return 0;
}

uint8_t peer_row(struct peer *p, const char *name, uint8_t addr)
{
	struct hf_record r = peer_record(name, addr, false);
	struct hf_owned row = { .state = ROW_NONE };

	memcpy(row.addr, r.addr, sizeof(row.addr));
	ck_assert_int_ge(
	    hf_store_owned_name(p->fx.store, adapter_name, &r.name, take_state, &row), 0);
	return row.state;
}

static void peer_zones(
    struct hf_adapter *a, const struct hf_name *suffixes, size_t n, uint32_t ttl_s)
{
	char text[HF_NAME_TEXT_MAX];

	ck_assert_uint_le(n, PEER_ZONES_MAX);
	for (size_t i = 0; i < n; i++)
		snprintf(current->zones[i], sizeof(current->zones[i]), "%.39s",
		    hf_name_text(&suffixes[i], text));
	current->n_told = n;
	current->ttl_s = ttl_s;
	current->n_zones++;
}

static void peer_apply(struct hf_adapter *a, const struct hf_batch *batch)
{
	char text[HF_NAME_TEXT_MAX];

	ck_assert_ptr_null(current->batch);
	current->batch = batch;
	current->n_applies++;
	if (batch->n)
		current->row_at_apply = peer_row(current,
		    hf_name_text(&batch->at[0].record.name, text), batch->at[0].record.addr[15]);
}

static void peer_complete(struct hf_adapter *a, uint64_t generation)
{
	current->n_completes++;
}

static void peer_list(struct hf_adapter *a)
{
	current->n_lists++;
}

static void peer_verify(struct hf_adapter *a, struct hf_expect *expect, size_t n)
{
	current->expect = expect;
	current->n_expect = n;
	current->n_verifies++;
}

void peer_init(struct peer *p)
{
	memset(p, 0, sizeof(*p));
	fixture_init(&p->fx);
	fixture_open(&p->fx);
	p->type = (struct hf_adapter_type){
		.name = adapter_name,
		.zones = peer_zones,
		.apply = peer_apply,
		.complete = peer_complete,
		.list = peer_list,
		.verify = peer_verify,
	};
	p->peer = (struct hf_feed_peer){
		.type = &p->type,
		.adapter = &adapter,
		.store = p->fx.store,
		.clock = &p->fx.clock.clock,
		.who = "adapter 'fake'",
	};
	current = p;
}

void peer_done(struct peer *p)
{
	fixture_done(&p->fx);
}

/* --- names in the store --- */

/* The name is a row that came out of a zone: of those the store makes names as they are. */
static void commit_name(struct peer *p, struct hf_name_change *change)
{
	struct hf_source_row source = {
		.name = "main", .url = "https://x", .withdrawn = change->flags & HF_REC_WITHDRAWN
	};
	const struct hf_row_change row = { .kind = HF_ROW_SOURCE, .row.source = &source };
	struct hf_restored_row restored = { .name = change->name,
		.primary = change->flags & HF_REC_PRIMARY,
		.flags = change->flags & (HF_REC_HELD | HF_REC_WITHDRAWN) };
	const struct hf_changeset set = { .rows = &row,
		.n_rows = 1,
		.names = change,
		.n_names = 1,
		.restored = &restored,
		.n_restored = !change->removed,
		.restored_gone = &change->name,
		.n_restored_gone = change->removed,
		.wall_s = FIXTURE_WALL_S };

	ck_assert_int_eq(hf_name_parse("coder", &source.suffix), 0);
	memcpy(restored.addr, change->addr, sizeof(restored.addr));
	ck_assert_int_eq(hf_store_apply(p->fx.store, &set), 0);
}

static struct hf_name_change peer_change(const char *name, uint8_t addr, uint8_t flags)
{
	const struct hf_record r = peer_record(name, addr, false);
	struct hf_name_change change = { .name = r.name,
		.what = HF_WHAT_ADDED,
		.why = HF_WHY_SNAPSHOT,
		.flags = flags,
		.owner = UINT32_MAX,
		.agent = UINT32_MAX };

	memcpy(change.addr, r.addr, sizeof(change.addr));
	return change;
}

void peer_commit(struct peer *p, const char *name, uint8_t addr, uint8_t flags)
{
	struct hf_name_change change = peer_change(name, addr, flags);

	commit_name(p, &change);
}

void peer_remove(struct peer *p, const char *name, uint8_t addr, uint8_t flags)
{
	struct hf_name_change change = peer_change(name, addr, flags);

	change.removed = true;
	commit_name(p, &change);
}

/* --- parts --- */

void parts_init(struct parts *s, struct peer *p)
{
	struct hf_name suffix;
	bool ttl;

	memset(s, 0, sizeof(*s));
	hf_outbox_init(&s->outbox, &p->peer, adapter_name, PARTS_FLOOR_MS, PARTS_SKIPPED_MS);
	ck_assert_int_ge(hf_ledger_load(&s->outbox.ledger), 0);
	s->zones.peer = s->questions.peer = s->warnings.peer = &p->peer;
	s->zones.ledger = &s->outbox.ledger;
	ck_assert_int_eq(hf_name_parse("coder", &suffix), 0);
	hf_feed_zones_set(&s->zones, &suffix, 1, 30, &ttl);
	hf_feed_zones_tell(&s->zones);
	ck_assert_int_eq(hf_ledger_flush(&s->outbox.ledger), 0);
}

void parts_done(struct parts *s)
{
	hf_outbox_done(&s->outbox);
}

void parts_own(struct parts *s, const char *name, uint8_t addr, uint8_t state)
{
	const struct hf_record r = peer_record(name, addr, false);

	ck_assert_int_eq(hf_ledger_set(&s->outbox.ledger, &r.name, r.addr, ROW_NONE, state), 0);
	ck_assert_int_eq(hf_ledger_flush(&s->outbox.ledger), 0);
}

const char *parts_lot(struct parts *s)
{
	char name[HF_NAME_TEXT_MAX];
	size_t len = 0;

	s->lot[0] = '\0';
	for (size_t i = 0; s->questions.asking != ASK_NOTHING && i < s->questions.n; i++) {
		const struct hf_expect *e = &s->questions.at[i];

		len += (size_t)snprintf(s->lot + len, sizeof(s->lot) - len, "%s%.30s %u%s;",
		    e->absent ? "!" : "", hf_name_text(&e->record.name, name), e->record.addr[15],
		    e->record.primary ? "*" : "");
		ck_assert_uint_lt(len, sizeof(s->lot));
	}
	return s->lot;
}

void parts_answer(struct parts *s, enum hf_is is)
{
	for (size_t i = 0; i < s->questions.n; i++)
		s->questions.at[i].is = is;
	parts_answered(s);
}

void parts_answer_one(struct parts *s, const char *name, enum hf_is is)
{
	struct hf_name wanted;

	ck_assert_int_eq(hf_name_parse(name, &wanted), 0);
	for (size_t i = 0; i < s->questions.n; i++) {
		if (!hf_name_equal(&s->questions.at[i].record.name, &wanted))
			continue;
		s->questions.at[i].is = is;
		return;
	}
	ck_abort_msg("%s is not asked for", name);
}

void parts_answered(struct parts *s)
{
	ck_assert_int_ne(hf_questions_answered(&s->questions), ASK_NOTHING);
}
