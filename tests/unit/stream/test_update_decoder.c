/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every row is one message in the notation of kit_bytes.h, what reading it gives, and how many
 * records of each list come out. Each is read whole, and again split in two at every byte, with
 * equal results.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/update_decoder.h"
#include "bridge/stream/wire/tailnet.pb-c.h"
#include "tests/unit/prng.h"
#include "tests/unit/stream/kit_bytes.h"

Suite *update_decoder_suite(void);

static struct hf_stream_limits limits = HF_STREAM_LIMITS_DEFAULT;
static struct hf_budget budget;
static struct hf_arena arena;
static struct hf_update_decoder messages;
static const struct hf_uuid owner = { .b = { 7 } };

static void setup(void)
{
	limits = (struct hf_stream_limits)HF_STREAM_LIMITS_DEFAULT;
	budget = (struct hf_budget){ .max = limits.results };
	ck_assert_int_eq(hf_arena_init(&arena, hf_update_decoder_arena_size(&limits)), 0);
	ck_assert_int_eq(hf_update_decoder_init(&messages, &limits, &budget, &arena, &owner), 0);
}

static void teardown(void)
{
	hf_update_decoder_done(&messages);
	hf_arena_done(&arena);
	ck_assert_uint_eq(budget.used, 0);
}

/* Restarts after a fault, as a new connection would. */
static void restart(void)
{
	teardown();
	setup();
}

/* Reads a message in two pieces, the second from `split` on, each in memory of its own. */
static int read_message(
    enum hf_update_kind kind, const struct bytes *b, size_t split, struct hf_update **ret_update)
{
	size_t sizes[2] = { split, b->len - split };
	const uint8_t *from = b->at;
	int rc = hf_update_decoder_begin(&messages, kind);

	for (int i = 0; i < 2 && !rc; from += sizes[i++]) {
		uint8_t *exact = malloc(sizes[i] ? sizes[i] : 1);

		ck_assert_ptr_nonnull(exact);
		memcpy(exact, from, sizes[i]);
		rc = hf_update_decoder_feed(&messages, exact, sizes[i]);
		free(exact);
	}
	return rc ? rc : hf_update_decoder_end(&messages, ret_update);
}

enum { SNAP = HF_UPDATE_SNAPSHOT, DIFF = HF_UPDATE_DIFF, BOTH };

struct row {
	const char *name;
	const char *wire;
	int kind;
	enum hf_stream_fault trouble; /* or the refusal */
	size_t uw, ua, dw, da;
	uint64_t refused;
};

#define W_A "0a{0a{$a} 12{'alpha'} 18 03}"
#define W_B "0a{0a{$b} 12{'beta'}}"
#define A_M "12{0a{$m} 12{'main'} 1a{$a}}"
#define A_N "12{0a{$n} 12{'main'} 1a{$b}}"

static const struct row accepted[] = {
	{ "nothing at all", "", BOTH, 0, 0, 0, 0, 0, 0 },
	{ "two workspaces and their agents", W_A W_B A_M A_N, BOTH, 0, 2, 2, 0, 0, 0 },
	{ "agents before their workspaces", A_M A_N W_B W_A, BOTH, 0, 2, 2, 0, 0, 0 },
	{ "all four lists", W_A A_M "1a{0a{$c}} 22{0a{$d} 1a{$c}}", DIFF, 0, 1, 1, 1, 1, 0 },
	{ "a deleted agent without a workspace", "22{0a{$d}}", DIFF, 0, 0, 0, 0, 1, 0 },
	{ "delete and upsert of one id", "12{0a{$m} 12{'new'} 1a{$a}} 22{0a{$m} 12{'old'} 1a{$a}}",
	    DIFF, 0, 0, 1, 0, 1, 0 },
	{ "the same id twice is for others to judge", W_A W_A A_M A_M, BOTH, 0, 2, 2, 0, 0, 0 },
	{ "an empty name", "0a{0a{$a} 12{}} 0a{0a{$b}}", BOTH, 0, 2, 0, 0, 0, 0 },
	{ "an unknown status", "0a{0a{$a} 18 e7 07}", BOTH, 0, 1, 0, 0, 0, 0 },
	{ "a negative status", "0a{0a{$a} 18 ff ff ff ff ff ff ff ff ff 01}", BOTH, 0, 1, 0, 0, 0,
	    0 },
	{ "fields of a record out of order", "0a{18 03 12{'x'} 0a{$a}}", BOTH, 0, 1, 0, 0, 0, 0 },
	{ "unknown fields of every wire type", "28 05 29 x8:aa 2a{'skip me'} 2d x4:bb" W_A "2a{}",
	    BOTH, 0, 1, 0, 0, 0, 0 },
	{ "unknown fields of every wire type in a record",
	    "0a{0a{$a} 28 05 29 x8:aa 2a{'skip me'} 2d x4:bb 2a{}}", BOTH, 0, 1, 0, 0, 0, 0 },
	{ "an unknown field, packed and unpacked", "4a{01 02 03} 48 01 48 02" W_A, BOTH, 0, 1, 0, 0,
	    0, 0 },
	{ "the largest field number", "fa ff ff ff 0f {'x'}" W_A, BOTH, 0, 1, 0, 0, 0, 0 },
	{ "a large unknown field", "2a{x100000:2a}" W_A, BOTH, 0, 1, 0, 0, 0, 0 },
	{ "a length that is not minimal", "0a 94 80 00 0a{$a} 12{}", BOTH, 0, 1, 0, 0, 0, 0 },
	{ "the largest varint", "28 ff ff ff ff ff ff ff ff ff 01" W_A, BOTH, 0, 1, 0, 0, 0, 0 },
	{ "a record as large as the limit", "0a{0a{$a} 12{x4075:61}}", BOTH, 0, 1, 0, 0, 0, 0 },
};

START_TEST(message_is_read)
{
	const struct row *r = &accepted[_i / 2];
	struct bytes b = { 0 };

	if (r->kind != BOTH && r->kind != _i % 2)
		return;
	bytes_parse(&b, r->wire);
	for (size_t split = 0; split <= b.len; split += b.len > 5000 ? 97 : 1) {
		struct hf_update *u = NULL;
		int rc = read_message(_i % 2, &b, split, &u);

		ck_assert_msg(rc == 0, "%s, split at %zu: %s", r->name, split,
		    hf_stream_fault_name(messages.trouble ? messages.trouble : messages.refused));
		ck_assert_int_eq(u->kind, _i % 2);
		ck_assert_mem_eq(u->owner.b, owner.b, 16);
		ck_assert_uint_eq(u->n_upserted_workspaces, r->uw);
		ck_assert_uint_eq(u->n_upserted_agents, r->ua);
		ck_assert_uint_eq(u->n_deleted_workspaces, r->dw);
		ck_assert_uint_eq(u->n_deleted_agents, r->da);
		ck_assert_uint_eq(u->refused_total, r->refused);
		hf_update_free(u);
		ck_assert_uint_eq(budget.used, 0);
	}
	bytes_done(&b);
}
END_TEST

/* Kept records are counted too: the rest of the message counts as if the odd one were not there. */
static const struct row odd[] = {
	{ "no id", W_A "0a{12{'x'}}", SNAP, 0, 1, 0, 0, 0, 1 },
	{ "an empty record", "0a{}" W_A "12{}", SNAP, 0, 1, 0, 0, 0, 2 },
	{ "an id of 0 bytes", "0a{0a{}}" W_A, SNAP, 0, 1, 0, 0, 0, 1 },
	{ "an id of 15 bytes", "0a{0a{x15:61}}" W_A, SNAP, 0, 1, 0, 0, 0, 1 },
	{ "an id of 17 bytes", "0a{0a{x17:61}}" W_A, SNAP, 0, 1, 0, 0, 0, 1 },
	{ "an id of 10^6 bytes", "0a{0a{x1000000:61}}" W_A, SNAP, 0, 1, 0, 0, 0, 1 },
	{ "an agent id of 15 bytes", "12{0a{x15:61} 1a{$a}}" A_M, SNAP, 0, 0, 1, 0, 0, 1 },
	{ "a workspace id of 15 bytes", "12{0a{$a} 1a{x15:61}}" A_M, SNAP, 0, 0, 1, 0, 0, 1 },
	{ "an agent without a workspace", "12{0a{$a}}" A_M, SNAP, 0, 0, 1, 0, 0, 1 },
	{ "an id of zeros", "0a{0a{$0}}" W_A, BOTH, 0, 1, 0, 0, 0, 1 },
	{ "an agent id of zeros", "12{0a{$0} 1a{$a}}" W_A, BOTH, 0, 1, 0, 0, 0, 1 },
	{ "a workspace id of zeros", "12{0a{$a} 1a{$0}}" W_A, BOTH, 0, 1, 0, 0, 0, 1 },
	{ "a deleted id of zeros", "1a{0a{$0}} 22{0a{$0}}" W_A, DIFF, 0, 1, 0, 0, 0, 2 },
	{ "a record over the limit", "0a{0a{$a} 12{x4076:61}}" W_A, BOTH, 0, 1, 0, 0, 0, 1 },
	{ "a record far over the limit", "0a{0a{$a} 12{x300000:61}}" W_A, BOTH, 0, 1, 0, 0, 0, 1 },
	{ "a record over the limit, id last", "12{12{x5000:61} 0a{$a}}" W_A, BOTH, 0, 1, 0, 0, 0,
	    1 },
	/* last wins */
	{ "a good id, then a bad one", "0a{0a{$a} 0a{'short'}}" W_A, SNAP, 0, 1, 0, 0, 0, 1 },
};

START_TEST(odd_record_is_refused_alone)
{
	const struct row *r = &odd[_i / 2];
	struct bytes b = { 0 };

	if (r->kind != BOTH && r->kind != _i % 2)
		return;
	bytes_parse(&b, r->wire);
	for (size_t split = 0; split <= b.len; split += b.len > 1000 ? b.len / 50 : 1) {
		struct hf_update *u = NULL;

		ck_assert_msg(read_message(_i % 2, &b, split, &u) == 0, "%s", r->name);
		ck_assert_uint_eq(u->n_upserted_workspaces, r->uw);
		ck_assert_uint_eq(u->n_upserted_agents, r->ua);
		ck_assert_uint_eq(u->n_deleted_workspaces + u->n_deleted_agents, 0);
		ck_assert_uint_eq(u->refused_total, r->refused);
		ck_assert_uint_eq(u->n_refused, r->refused);
		ck_assert_str_ne(u->refused[0].reason, "");
		hf_update_free(u);
	}
	bytes_done(&b);
}
END_TEST

static const struct row refused[] = {
	{ "an id of 15 bytes in a diff", W_A "0a{0a{x15:61} 12{'od\\d'}}" W_B, DIFF,
	    HF_STREAM_FAULT_UPDATE_RECORD, 0, 0, 0, 0, 0 },
	{ "no id in a diff", "0a{}", DIFF, HF_STREAM_FAULT_UPDATE_RECORD, 0, 0, 0, 0, 0 },
	{ "an id of 17 bytes in a diff", "12{0a{x17:61} 1a{$a}}", DIFF,
	    HF_STREAM_FAULT_UPDATE_RECORD, 0, 0, 0, 0, 0 },
	{ "a workspace id of 15 bytes in a diff", "12{0a{$a} 1a{x15:61}}", DIFF,
	    HF_STREAM_FAULT_UPDATE_RECORD, 0, 0, 0, 0, 0 },
	{ "a deleted id of 15 bytes", "1a{0a{x15:61}}", DIFF, HF_STREAM_FAULT_UPDATE_RECORD, 0, 0,
	    0, 0, 0 },
	{ "a deleted agent with a workspace id of 3 bytes", "22{0a{$a} 1a{'abc'}}", DIFF,
	    HF_STREAM_FAULT_UPDATE_RECORD, 0, 0, 0, 0, 0 },
	{ "an id of 10^6 bytes in a diff", "0a{0a{x1000000:61}}" W_A "0a{0a{x5000:61}}", DIFF,
	    HF_STREAM_FAULT_UPDATE_RECORD, 0, 0, 0, 0, 0 },
	{ "a snapshot that deletes a workspace", W_A "1a{0a{$b}}" W_B, SNAP,
	    HF_STREAM_FAULT_UPDATE_DELETES, 0, 0, 0, 0, 0 },
	{ "a snapshot that deletes an agent", "22{0a{$b} 1a{$a}}" W_A, SNAP,
	    HF_STREAM_FAULT_UPDATE_DELETES, 0, 0, 0, 0, 0 },
	{ "a snapshot that deletes nothing twice", "1a{} 22{}", SNAP,
	    HF_STREAM_FAULT_UPDATE_DELETES, 0, 0, 0, 0, 0 },
};

START_TEST(message_is_refused_and_the_next_is_read)
{
	const struct row *r = &refused[_i];
	struct bytes b = { 0 }, good = { 0 };

	bytes_parse(&b, r->wire);
	bytes_parse(&good, W_A);
	for (size_t split = 0; split <= b.len; split += b.len > 1000 ? b.len / 50 : 1) {
		struct hf_update *u = NULL;

		ck_assert_int_eq(read_message(r->kind, &b, split, &u), HF_EREFUSED);
		ck_assert_ptr_null(u);
		ck_assert_str_eq(
		    hf_stream_fault_name(messages.refused), hf_stream_fault_name(r->trouble));
		ck_assert_str_ne(messages.detail, "");
		ck_assert_int_eq(messages.trouble, HF_STREAM_FAULT_NONE);
		ck_assert_uint_eq(budget.used, 0);
		ck_assert_int_eq(read_message(r->kind, &good, 0, &u), 0);
		ck_assert_uint_eq(u->n_upserted_workspaces, 1);
		hf_update_free(u);
	}
	bytes_done(&b);
	bytes_done(&good);
}
END_TEST

START_TEST(refusal_says_what_and_is_printable)
{
	struct bytes b = { 0 };
	struct hf_update *u;

	bytes_parse(&b, "12{0a{'short'} 12{'a' 00 0a 'b'}}");
	ck_assert_int_eq(read_message(HF_UPDATE_DIFF, &b, 0, &u), HF_EREFUSED);
	ck_assert_str_eq(messages.detail, "agent 'a\\x00\\x0ab': id of 5 bytes");
	ck_assert_int_eq(read_message(HF_UPDATE_SNAPSHOT, &b, 0, &u), 0);
	ck_assert_str_eq(u->refused[0].what, "agent");
	ck_assert_str_eq(u->refused[0].reason, "id of 5 bytes");
	ck_assert_str_eq(u->refused[0].name, "a\\x00\\x0ab");
	hf_update_free(u);
	bytes_done(&b);
}
END_TEST

static const struct row broken[] = {
	{ "wire type 3 (group)", W_A "2b", BOTH, HF_STREAM_FAULT_PB_WIRE, 0, 0, 0, 0, 0 },
	{ "wire type 4 (end of group)", "2c", BOTH, HF_STREAM_FAULT_PB_WIRE, 0, 0, 0, 0, 0 },
	{ "wire type 6", "2e", BOTH, HF_STREAM_FAULT_PB_WIRE, 0, 0, 0, 0, 0 },
	{ "wire type 7", "2f", BOTH, HF_STREAM_FAULT_PB_WIRE, 0, 0, 0, 0, 0 },
	{ "a record as a varint", "08 01", BOTH, HF_STREAM_FAULT_PB_WIRE, 0, 0, 0, 0, 0 },
	{ "a record as 32 bits", "15 x4:00", BOTH, HF_STREAM_FAULT_PB_WIRE, 0, 0, 0, 0, 0 },
	{ "a record as 64 bits", "19 x8:00", BOTH, HF_STREAM_FAULT_PB_WIRE, 0, 0, 0, 0, 0 },
	{ "field 0", "02 00", BOTH, HF_STREAM_FAULT_PB_TAG, 0, 0, 0, 0, 0 },
	{ "field 0 in two bytes", "82 00 00", BOTH, HF_STREAM_FAULT_PB_TAG, 0, 0, 0, 0, 0 },
	{ "field 2^29", "82 80 80 80 10 00", BOTH, HF_STREAM_FAULT_PB_TAG, 0, 0, 0, 0, 0 },
	{ "a tag of 6 bytes", "8a 80 80 80 80 00 00", BOTH, HF_STREAM_FAULT_PB_TAG, 0, 0, 0, 0, 0 },
	{ "a length of 11 bytes", "0a x10:80 00", BOTH, HF_STREAM_FAULT_PB_LENGTH, 0, 0, 0, 0, 0 },
	{ "a varint of 11 bytes", "28 x10:80 00", BOTH, HF_STREAM_FAULT_PB_LENGTH, 0, 0, 0, 0, 0 },
	{ "a varint over 64 bits", "28 x9:ff 02", BOTH, HF_STREAM_FAULT_PB_LENGTH, 0, 0, 0, 0, 0 },
	{ "a length of 2^63", "0a x9:80 01", BOTH, HF_STREAM_FAULT_PB_LENGTH, 0, 0, 0, 0, 0 },
	{ "an unknown field over the message limit", "2a 81 80 80 20", BOTH,
	    HF_STREAM_FAULT_PB_LENGTH, 0, 0, 0, 0, 0 },
	{ "truncated in a tag", "8a", BOTH, HF_STREAM_FAULT_PB_TRUNCATED, 0, 0, 0, 0, 0 },
	{ "truncated before a length", "0a", BOTH, HF_STREAM_FAULT_PB_TRUNCATED, 0, 0, 0, 0, 0 },
	{ "truncated in a length", "0a 80", BOTH, HF_STREAM_FAULT_PB_TRUNCATED, 0, 0, 0, 0, 0 },
	{ "truncated in a record", W_A "0a 14 0a{$b}", BOTH, HF_STREAM_FAULT_PB_TRUNCATED, 0, 0, 0,
	    0, 0 },
	{ "truncated in a large record", "0a 90 4e 0a{$b}", BOTH, HF_STREAM_FAULT_PB_TRUNCATED, 0,
	    0, 0, 0, 0 },
	{ "truncated in an unknown field", "2a 05 61", BOTH, HF_STREAM_FAULT_PB_TRUNCATED, 0, 0, 0,
	    0, 0 },
	{ "truncated in 64 bits", "29 61", BOTH, HF_STREAM_FAULT_PB_TRUNCATED, 0, 0, 0, 0, 0 },
	{ "a group in a record", "0a{0a{$a} 2b 2c}", BOTH, HF_STREAM_FAULT_PB_RECORD, 0, 0, 0, 0,
	    0 },
	{ "wire type 6 in a record", "0a{0a{$a} 2e}", BOTH, HF_STREAM_FAULT_PB_RECORD, 0, 0, 0, 0,
	    0 },
	{ "wire type 7 in a record", "12{0a{$a} 2f}", BOTH, HF_STREAM_FAULT_PB_RECORD, 0, 0, 0, 0,
	    0 },
	{ "field 0 in a record", "0a{0a{$a} 02 00}", BOTH, HF_STREAM_FAULT_PB_RECORD, 0, 0, 0, 0,
	    0 },
	{ "field 0 in two bytes in a record", "0a{0a{$a} 82 00 00}", BOTH,
	    HF_STREAM_FAULT_PB_RECORD, 0, 0, 0, 0, 0 },
	{ "field 2^29 in a record", "0a{0a{$a} 82 80 80 80 10 00}", BOTH, HF_STREAM_FAULT_PB_RECORD,
	    0, 0, 0, 0, 0 },
	{ "an id as a varint", "0a{08 01}", BOTH, HF_STREAM_FAULT_PB_RECORD, 0, 0, 0, 0, 0 },
	{ "a status as bytes", "0a{0a{$a} 1a{03}}", BOTH, HF_STREAM_FAULT_PB_RECORD, 0, 0, 0, 0,
	    0 },
	{ "a name past the end of its record", "0a{0a{$a} 12 05 'x'}", BOTH,
	    HF_STREAM_FAULT_PB_RECORD, 0, 0, 0, 0, 0 },
	{ "a varint of 11 bytes in a record", "0a{0a{$a} 18 x10:80 00}", BOTH,
	    HF_STREAM_FAULT_PB_RECORD, 0, 0, 0, 0, 0 },
	{ "a record truncated in an id", "0a{0a 10 x15:61}", BOTH, HF_STREAM_FAULT_PB_RECORD, 0, 0,
	    0, 0, 0 },
};

START_TEST(broken_encoding_ends_it)
{
	const struct row *r = &broken[_i / 2];
	struct bytes b = { 0 };

	bytes_parse(&b, r->wire);
	for (size_t split = 0; split <= b.len; split++) {
		struct hf_update *u = NULL;
		int rc = read_message(_i % 2, &b, split, &u);

		ck_assert_msg(messages.trouble == r->trouble, "%s, split at %zu: %s", r->name,
		    split, hf_stream_fault_name(messages.trouble));
		ck_assert_int_eq(rc, HF_EFORMAT);
		ck_assert_ptr_null(u);
		/* Nothing more comes out of it. */
		ck_assert_int_eq(hf_update_decoder_begin(&messages, HF_UPDATE_DIFF), HF_EFORMAT);
		ck_assert_int_eq(hf_update_decoder_feed(&messages, b.at, b.len), HF_EFORMAT);
		ck_assert_int_eq(hf_update_decoder_end(&messages, &u), HF_EFORMAT);
		ck_assert_ptr_null(u);
		restart();
	}
	bytes_done(&b);
}
END_TEST

START_TEST(every_truncation_is_noticed)
{
	struct bytes b = { 0 };
	size_t ends[5] = { 0 }, n_ends = 1;

	for (int i = 0; i < 4; i++) {
		bytes_parse(&b, (const char *[]){ W_A, W_B, A_M, "2a{'abc'}" }[i]);
		ends[n_ends++] = b.len;
	}
	for (size_t len = 0, at = 0; len <= b.len; len++) {
		struct bytes cut = { .at = b.at, .len = len };
		struct hf_update *u = NULL;
		int rc = read_message(HF_UPDATE_SNAPSHOT, &cut, len / 2, &u);

		ck_assert_int_eq(rc, len == ends[at] ? 0 : HF_EFORMAT);
		at += len == ends[at];
		hf_update_free(u);
		restart();
	}
	bytes_done(&b);
}
END_TEST

START_TEST(values_come_out_as_they_were)
{
	struct bytes b = { 0 };
	struct hf_update *u;

	/* Singular fields twice: the last one counts. Names may hold any byte. */
	bytes_parse(&b,
	    "0a{0a{$z} 12{'no'} 18 01 0a{$a} 12{'x' 00 ff 'evil'} 18 04}12{0a{$m} 12{'agent'} 1a{$z} 1a{$a}} 12{0a{$n} 12{'agent'} 1a{$a}}0a{0a{$b}} 22{0a{$o} 12{'gone'} 1a{$c}} 1a{0a{$c} 12{'away'} 18 0a}");
	ck_assert_int_eq(read_message(HF_UPDATE_DIFF, &b, 0, &u), 0);
	ck_assert_uint_eq(u->n_upserted_workspaces, 2);
	ck_assert_uint_eq(u->upserted_workspaces[0].id.b[15], 'a');
	ck_assert_int_eq(u->upserted_workspaces[0].status, 4);
	ck_assert_uint_eq(u->upserted_workspaces[0].name.len, 7);
	ck_assert_mem_eq(u->upserted_workspaces[0].name.at,
	    "x\0\xff"
	    "evil",
	    7);
	ck_assert_uint_eq(u->upserted_workspaces[1].id.b[0], 'b');
	ck_assert_uint_eq(u->upserted_workspaces[1].name.len, 0);
	ck_assert_ptr_nonnull(u->upserted_workspaces[1].name.at);
	ck_assert_uint_eq(u->n_upserted_agents, 2);
	ck_assert_uint_eq(u->upserted_agents[0].workspace.b[0], 'a');
	ck_assert_uint_eq(u->upserted_agents[1].id.b[0], 'n');
	ck_assert_mem_eq(u->upserted_agents[1].name.at, "agent", 5);
	/* One name, kept once. */
	ck_assert_ptr_eq(u->upserted_agents[0].name.at, u->upserted_agents[1].name.at);
	ck_assert_uint_eq(u->deleted_agents[0].id.b[0], 'o');
	ck_assert_uint_eq(u->deleted_workspaces[0].id.b[0], 'c');
	ck_assert_mem_eq(u->deleted_workspaces[0].name.at, "away", 4);
	hf_update_free(u);
	bytes_done(&b);
}
END_TEST

START_TEST(nesting_in_unknown_fields_is_passed_over)
{
	struct bytes b = { 0 }, nest = { 0 };
	struct hf_update *u;

	for (int i = 0; i < 1000; i++) {
		struct bytes next = { 0 };

		bytes_u8(&next, 0x2a);
		bytes_varint(&next, nest.len);
		bytes_add(&next, nest.at, nest.len);
		bytes_done(&nest);
		nest = next;
	}
	bytes_add(&b, nest.at, nest.len);
	bytes_u8(&b, 0x0a);
	bytes_varint(&b, nest.len + 18);
	bytes_parse(&b, "0a{$a}");
	bytes_add(&b, nest.at, nest.len);
	ck_assert_int_eq(read_message(HF_UPDATE_SNAPSHOT, &b, b.len / 2, &u), 0);
	ck_assert_uint_eq(u->n_upserted_workspaces, 1);
	hf_update_free(u);
	bytes_done(&b);
	bytes_done(&nest);
}
END_TEST

/* What costs protobuf-c most: a record of nothing but tiny unknown fields must fit the arena. */
START_TEST(worst_record_fits_the_arena)
{
	struct bytes b = { 0 };
	struct hf_update *u;

	limits.record = 512u << (2 * _i);
	hf_update_decoder_done(&messages);
	hf_arena_done(&arena);
	ck_assert_int_eq(hf_arena_init(&arena, hf_update_decoder_arena_size(&limits)), 0);
	ck_assert_int_eq(hf_update_decoder_init(&messages, &limits, &budget, &arena, &owner), 0);
	bytes_u8(&b, 0x0a);
	bytes_varint(&b, limits.record);
	bytes_parse(&b, "0a{$a}");
	for (size_t i = 18; i < limits.record; i += 2)
		bytes_parse(&b, i % 4 ? "28 01" : "2a 00");
	ck_assert_int_eq(read_message(HF_UPDATE_SNAPSHOT, &b, 0, &u), 0);
	ck_assert_uint_eq(u->n_upserted_workspaces, 1);
	hf_update_free(u);
	bytes_done(&b);
}
END_TEST

START_TEST(results_stay_within_their_budget)
{
	struct bytes b = { 0 };
	struct hf_update *u = NULL;
	int rc;

	budget.max = 1u << 20;
	for (int i = 0; i < 100000; i++)
		bytes_parse(&b, "0a{0a{$a}}");
	rc = read_message(HF_UPDATE_SNAPSHOT, &b, 0, &u);
	ck_assert_int_eq(rc, HF_ELIMIT);
	ck_assert_int_eq(messages.trouble, HF_STREAM_FAULT_RESULTS);
	ck_assert_uint_eq(budget.used, 0);
	bytes_done(&b);
}
END_TEST

START_TEST(names_count_too)
{
	struct bytes b = { 0 };
	struct hf_update *u = NULL;

	budget.max = 1u << 20;
	/* Two names in turn, since one and the same would be kept once. */
	for (int i = 0; i < 300; i++)
		bytes_parse(&b, i % 2 ? "0a{0a{$a} 12{x4000:61}}" : "0a{0a{$a} 12{x4000:62}}");
	ck_assert_int_eq(read_message(HF_UPDATE_SNAPSHOT, &b, 0, &u), HF_ELIMIT);
	ck_assert_int_eq(messages.trouble, HF_STREAM_FAULT_RESULTS);
	bytes_done(&b);
}
END_TEST

START_TEST(budget_is_used_to_its_end)
{
	struct bytes b = { 0 };
	struct hf_update *u = NULL;
	size_t n = 20000;

	budget.max = sizeof(*u) + n * sizeof(struct hf_update_workspace);
	for (size_t i = 0; i < n; i++)
		bytes_parse(&b, "0a{0a{$a}}");
	ck_assert_int_eq(read_message(HF_UPDATE_SNAPSHOT, &b, 0, &u), 0);
	ck_assert_uint_eq(u->n_upserted_workspaces, n);
	hf_update_free(u);
	bytes_done(&b);
}
END_TEST

START_TEST(many_refused_are_counted_and_few_kept)
{
	struct bytes b = { 0 };
	struct hf_update *u = NULL;

	for (int i = 0; i < 100000; i++)
		bytes_parse(&b, "0a{12{x200:0a}}");
	ck_assert_int_eq(read_message(HF_UPDATE_SNAPSHOT, &b, 0, &u), 0);
	ck_assert_uint_eq(u->refused_total, 100000);
	ck_assert_uint_le(u->n_refused, 16);
	ck_assert_uint_lt(strlen(u->refused[0].name), sizeof(u->refused[0].name));
	hf_update_free(u);
	bytes_done(&b);
}
END_TEST

START_TEST(message_that_was_not_ended_is_forgotten)
{
	struct bytes b = { 0 };
	struct hf_update *u;

	bytes_parse(&b, W_A A_M "0a 20 0a");
	ck_assert_int_eq(hf_update_decoder_begin(&messages, HF_UPDATE_SNAPSHOT), 0);
	ck_assert_int_eq(hf_update_decoder_feed(&messages, b.at, b.len), 0);
	b.len = 0;
	bytes_parse(&b, W_B);
	ck_assert_int_eq(read_message(HF_UPDATE_SNAPSHOT, &b, 3, &u), 0);
	ck_assert_uint_eq(u->n_upserted_workspaces, 1);
	ck_assert_uint_eq(u->n_upserted_agents, 0);
	hf_update_free(u);
	bytes_done(&b);
}
END_TEST

/* What protobuf-c packs must come out again, and just as its own unpacking of the whole says. */
START_TEST(random_messages_equal_protobuf_c_on_the_whole)
{
	struct prng p = { .state = 11 + (uint64_t)_i };

	for (int round = 0; round < 50; round++) {
		size_t n = prng_below(&p, 40);
		Tailnet__Workspace ws[40], *pws[40];
		Tailnet__WorkspaceUpdate msg = TAILNET__WORKSPACE_UPDATE__INIT;
		uint8_t ids[40][16], names[40][600];
		struct bytes b = { 0 };
		struct hf_update *u = NULL;

		for (size_t i = 0; i < n; i++) {
			tailnet__workspace__init(&ws[i]);
			for (int j = 0; j < 16; j++)
				ids[i][j] = (uint8_t)(prng_next(&p) | 1);
			ws[i].id = (ProtobufCBinaryData){ 16, ids[i] };
			ws[i].name = (ProtobufCBinaryData){ prng_below(&p, 600), names[i] };
			for (size_t j = 0; j < ws[i].name.len; j++)
				names[i][j] = (uint8_t)prng_next(&p);
			ws[i].status = (int32_t)prng_next(&p);
			pws[i] = &ws[i];
		}
		msg.n_upserted_workspaces = n;
		msg.upserted_workspaces = pws;
		b.room = b.len = tailnet__workspace_update__get_packed_size(&msg);
		b.at = malloc(b.len + 1);
		tailnet__workspace_update__pack(&msg, b.at);
		ck_assert_int_eq(
		    read_message(HF_UPDATE_SNAPSHOT, &b, prng_below(&p, b.len + 1), &u), 0);
		ck_assert_uint_eq(u->n_upserted_workspaces, n);
		for (size_t i = 0; i < n; i++) {
			ck_assert_mem_eq(u->upserted_workspaces[i].id.b, ids[i], 16);
			ck_assert_int_eq(u->upserted_workspaces[i].status, ws[i].status);
			ck_assert_uint_eq(u->upserted_workspaces[i].name.len, ws[i].name.len);
			ck_assert(
			    !memcmp(u->upserted_workspaces[i].name.at, names[i], ws[i].name.len));
		}
		hf_update_free(u);
		bytes_done(&b);
	}
}
END_TEST

#define N(rows) ((int)(sizeof(rows) / sizeof(rows[0])))

Suite *update_decoder_suite(void)
{
	Suite *s = suite_create("update_decoder");
	TCase *tc = tcase_create("messages");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, message_is_read, 0, 2 * N(accepted));
	tcase_add_loop_test(tc, odd_record_is_refused_alone, 0, 2 * N(odd));
	tcase_add_loop_test(tc, message_is_refused_and_the_next_is_read, 0, N(refused));
	tcase_add_test(tc, refusal_says_what_and_is_printable);
	tcase_add_loop_test(tc, broken_encoding_ends_it, 0, 2 * N(broken));
	tcase_add_test(tc, every_truncation_is_noticed);
	tcase_add_test(tc, values_come_out_as_they_were);
	tcase_add_test(tc, nesting_in_unknown_fields_is_passed_over);
	tcase_add_loop_test(tc, worst_record_fits_the_arena, 0, 4);
	tcase_add_test(tc, results_stay_within_their_budget);
	tcase_add_test(tc, names_count_too);
	tcase_add_test(tc, budget_is_used_to_its_end);
	tcase_add_test(tc, many_refused_are_counted_and_few_kept);
	tcase_add_test(tc, message_that_was_not_ended_is_forgotten);
	tcase_add_loop_test(tc, random_messages_equal_protobuf_c_on_the_whole, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}
