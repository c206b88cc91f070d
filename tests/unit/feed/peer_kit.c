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
