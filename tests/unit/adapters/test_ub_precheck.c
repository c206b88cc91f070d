/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "tests/unit/adapters/kit_unbound.h"

#define A7 "fd60:627a:a42b::7"
#define A8 "fd60:627a:a42b::8"
#define OTHER "2001:db8::1"
#define PTR7 "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"

enum { LONG = HF_UB_LISTING_MAX + 4096, ROW_LINES = 3 };

static struct kit_unbound k;

/*
 * What unbound has at x.coder when A7 is put there or taken; then the fate and what it has, for one
 * that removes all of a name and for one that removes single records.
 */
static const struct precheck_row {
	const char *before[ROW_LINES];
	bool take;
	struct {
		char fate;
		const char *has[ROW_LINES]; /* and nothing else at x.coder */
	} after[2];
} rows[] = {
	{ { NULL }, false, { { 'd', { "AAAA " A7 } }, { 'd', { "AAAA " A7 } } } },
	{ { NULL }, true, { { 'd', { NULL } }, { 'd', { NULL } } } },
	{ { "30 AAAA " A7 }, false, { { 'd', { "AAAA " A7 } }, { 'd', { "AAAA " A7 } } } },
	{ { "30 AAAA " A7 }, true, { { 'd', { NULL } }, { 'd', { NULL } } } },
	/* Ours of another time: replaced; another address is not taken. */
	{ { "30 AAAA " A8 }, false, { { 'd', { "AAAA " A7 } }, { 'd', { "AAAA " A7 } } } },
	{ { "30 AAAA " A8 }, true, { { 'd', { "AAAA " A8 } }, { 'd', { "AAAA " A8 } } } },
	{ { "30 AAAA " A7, "30 AAAA " A8 }, true,
	    { { 'd', { "AAAA " A8 } }, { 'd', { "AAAA " A8 } } } },
	{ { "60 AAAA " A7 }, false, { { 'd', { "AAAA " A7 } }, { 'd', { "AAAA " A7 } } } },
	/* Others' address. */
	{ { "30 AAAA " OTHER }, false, { { 'c', { "AAAA " OTHER } }, { 'c', { "AAAA " OTHER } } } },
	{ { "30 AAAA " OTHER }, true, { { 'd', { "AAAA " OTHER } }, { 'd', { "AAAA " OTHER } } } },
	{ { "30 AAAA " A7, "30 AAAA " OTHER }, true,
	    { { 'c', { "AAAA " A7, "AAAA " OTHER } }, { 'd', { "AAAA " OTHER } } } },
	/* Others' records of another type. */
	{ { "30 TXT hello" }, false,
	    { { 'c', { "TXT hello" } }, { 'd', { "AAAA " A7, "TXT hello" } } } },
	{ { "30 TXT hello" }, true, { { 'd', { "TXT hello" } }, { 'd', { "TXT hello" } } } },
	{ { "30 AAAA " A7, "30 TXT hello" }, true,
	    { { 'c', { "AAAA " A7, "TXT hello" } }, { 'd', { "TXT hello" } } } },
	{ { "30 AAAA " A8, "30 A 192.0.2.1" }, false,
	    { { 'c', { "AAAA " A8, "A 192.0.2.1" } }, { 'd', { "AAAA " A7, "A 192.0.2.1" } } } },
	/* An alias of others hides what is beside it. */
	{ { "30 CNAME host.example" }, false,
	    { { 'c', { "CNAME host.example" } }, { 'c', { "CNAME host.example" } } } },
	{ { "30 CNAME host.example" }, true,
	    { { 'c', { "CNAME host.example" } }, { 'd', { "CNAME host.example" } } } },
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

/* An unbound that has these lines already, each after `owner`. */
static void open_with(bool records, bool is_long, const char *owner, const char *const lines[])
{
	char line[UB_DATA_TEXT_MAX];

	kit_unbound_open_peer(&k, records, false);
	k.peer.data.more = is_long ? LONG : 0;
	ub_data_zone_set(&k.peer.data, "coder", "transparent");
	for (size_t i = 0; i < ROW_LINES && lines[i]; i++) {
		snprintf(line, sizeof(line), "%s %s", owner, lines[i]);
		ub_data_add(&k.peer.data, line);
	}
}

static void check_has(const char *owner, const char *const has[])
{
	char line[UB_DATA_TEXT_MAX];
	size_t n = 0, there = 0;

	for (; n < ROW_LINES && has[n]; n++) {
		snprintf(line, sizeof(line), "%s %s", owner, has[n]);
		ck_assert_msg(ub_data_has(&k.peer.data, line), "%s is not there", line);
	}
	for (size_t i = 0; i < k.peer.data.n; i++)
		there += strcmp(k.peer.data.records[i].owner, owner) == 0 &&
			 *k.peer.data.records[i].type;
	ck_assert_uint_eq(there, n);
}

/* By the listing, and where that is too long by questions. */
START_TEST(what_others_have_stays_and_what_is_ours_goes)
{
	const struct precheck_row *row = &rows[_i / 4];
	bool records = _i & 1, is_long = _i & 2;
	struct hf_change c = row->take ? kit_unbound_take("x.coder", A7, false)
				       : kit_unbound_put("x.coder", A7, false);

	open_with(records, is_long, "x.coder", row->before);
	ck_assert_int_eq(kit_unbound_apply(&k, &c, 1), 0);
	ck_assert_int_eq(k.fates[0], row->after[records].fate);
	check_has("x.coder", row->after[records].has);
	for (size_t i = 0; i < k.peer.data.n; i++)
		if (strcmp(k.peer.data.records[i].owner, "x.coder") == 0 &&
		    strcmp(k.peer.data.records[i].data, A7) == 0)
			ck_assert_uint_eq(k.peer.data.records[i].ttl_s, 30);
	kit_unbound_close(&k);
}
END_TEST

/* What the address points to, before and after. */
static const struct {
	const char *before[ROW_LINES];
	bool take;
	const char *has[ROW_LINES];
} pointers[] = {
	{ { NULL }, false, { "PTR x.coder" } },
	{ { "30 PTR x.coder" }, false, { "PTR x.coder" } },
	{ { "60 PTR x.coder" }, false, { "PTR x.coder" } },
	{ { "30 PTR web.coder" }, false, { "PTR x.coder" } }, /* of another time */
	{ { "30 PTR host.example" }, false, { "PTR host.example" } },
	{ { "30 PTR x.coder" }, true, { NULL } },
	{ { "30 PTR web.coder" }, true, { "PTR web.coder" } },
	{ { "30 PTR host.example" }, true, { "PTR host.example" } },
	{ { "30 PTR x.coder", "30 PTR host.example" }, true,
	    { "PTR x.coder", "PTR host.example" } },
};

START_TEST(a_pointer_of_others_stays)
{
	struct hf_change c = pointers[_i / 4].take ? kit_unbound_take("x.coder", A7, true)
						   : kit_unbound_put("x.coder", A7, true);

	open_with(_i & 1, _i & 2, PTR7, pointers[_i / 4].before);
	ub_data_add(&k.peer.data, "x.coder 30 AAAA " A7);
	ck_assert_int_eq(kit_unbound_apply(&k, &c, 1), 0);
	ck_assert_str_eq(k.fates, "d");
	check_has(PTR7, pointers[_i / 4].has);
	kit_unbound_close(&k);
}
END_TEST

/* The name is theirs, too, and stays; what points to it is ours. */
START_TEST(a_pointer_to_a_name_that_stays_goes)
{
	static const char *const lines[ROW_LINES] = { "30 AAAA " A7, "30 TXT hello" };
	struct hf_change c = kit_unbound_take("x.coder", A7, true);

	open_with(false, _i, "x.coder", lines);
	ub_data_add(&k.peer.data, PTR7 " 30 PTR x.coder");
	ck_assert_int_eq(kit_unbound_apply(&k, &c, 1), 0);
	ck_assert_str_eq(k.fates, "c");
	ck_assert(ub_data_has(&k.peer.data, "x.coder AAAA " A7));
	ck_assert(!ub_data_has(&k.peer.data, PTR7));
	kit_unbound_close(&k);
}
END_TEST

static const struct {
	const char *name, *addr;
} unfit[] = {
	{ "host.example", A7 },
	{ "coder", A7 }, /* the suffix itself */
	{ "notcoder", A7 },
	{ "_holdfast-canary.coder", A7 },
	{ "_holdfast.coder", A7 },
	{ "x.coder", OTHER },
	{ "x.coder", "::1" },
};

START_TEST(what_is_not_ours_is_never_sent)
{
	struct hf_change two[] = { kit_unbound_put(unfit[_i].name, unfit[_i].addr, true),
		kit_unbound_put("web.coder", A8, false) };

	kit_unbound_open_peer(&k, false, false);
	ck_assert_int_eq(kit_unbound_apply(&k, NULL, 0), 0);
	ck_assert_int_eq(kit_unbound_apply(&k, two, 2), 0);
	ck_assert_str_eq(k.fates, "ud");
	ck_assert_str_eq(k.peer.log, "local_datas; coder 30 SOA; web.coder 30 AAAA " A8 "\n");
	two[0].op = HF_CHANGE_TAKE;
	ck_assert_int_eq(kit_unbound_apply(&k, two, 1), 0);
	ck_assert_str_eq(k.fates, "u");
	ck_assert_ptr_null(strstr(k.peer.log, "remove"));
	kit_unbound_close(&k);
}
END_TEST

Suite *ub_precheck_suite(void);
Suite *ub_precheck_suite(void)
{
	Suite *s = suite_create("ub_precheck");
	TCase *c = tcase_create("ub_precheck");

	tcase_add_loop_test(c, what_others_have_stays_and_what_is_ours_goes, 0, 4 * N_ROWS);
	tcase_add_loop_test(
	    c, a_pointer_of_others_stays, 0, 4 * sizeof(pointers) / sizeof(pointers[0]));
	tcase_add_loop_test(c, a_pointer_to_a_name_that_stays_goes, 0, 2);
	tcase_add_loop_test(c, what_is_not_ours_is_never_sent, 0, sizeof(unfit) / sizeof(unfit[0]));
	suite_add_tcase(s, c);
	return s;
}
