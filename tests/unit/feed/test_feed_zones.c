/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "bridge/feed/feed_zones.h"
#include "tests/unit/feed/peer_kit.h"

Suite *feed_zones_suite(void);

static struct peer p;
static struct hf_ledger ledger;
static struct hf_feed_zones z;

static void begin_life(void)
{
	memset(&z, 0, sizeof(z));
	z.peer = &p.peer;
	z.ledger = &ledger;
	hf_ledger_init(&ledger, p.fx.store, &p.fx.clock.clock, "fake");
	ck_assert_int_ge(hf_ledger_load(&ledger), 0);
	ck_assert_int_eq(hf_feed_zones_load(&z), 0);
}

static void end_life(void)
{
	ck_assert_int_eq(hf_ledger_flush(&ledger), 0);
	hf_ledger_done(&ledger);
}

static void setup(void)
{
	peer_init(&p);
	begin_life();
}

static void teardown(void)
{
	end_life();
	peer_done(&p);
}

/* One or two of them. */
static bool set(const char *a, const char *b, uint32_t ttl_s, bool *ret_ttl)
{
	struct hf_name names[2];

	ck_assert_int_eq(hf_name_parse(a, &names[0]), 0);
	if (b)
		ck_assert_int_eq(hf_name_parse(b, &names[1]), 0);
	return hf_feed_zones_set(&z, names, b ? 2 : 1, ttl_s, ret_ttl);
}

static bool has(const char *name)
{
	struct hf_name n;

	ck_assert_int_eq(hf_name_parse(name, &n), 0);
	return hf_feed_zones_have(&z, &n);
}

static void own(const char *name, uint8_t before, uint8_t state)
{
	const struct hf_record r = peer_record(name, 1, false);

	if (state)
		ck_assert_int_eq(hf_ledger_set(&ledger, &r.name, r.addr, before, state), 0);
	else
		ck_assert_int_eq(hf_ledger_gone(&ledger, &r.name, r.addr, before), 0);
	ck_assert_int_eq(hf_ledger_flush(&ledger), 0);
}

START_TEST(the_adapter_is_told_once_for_each_change)
{
	bool ttl;

	ck_assert(set("coder", NULL, 30, &ttl) && !ttl);
	hf_feed_zones_tell(&z);
	hf_feed_zones_tell(&z);
	ck_assert_uint_eq(p.n_zones, 1);
	ck_assert_uint_eq(p.n_told, 1);
	ck_assert_str_eq(p.zones[0], "coder");
	ck_assert_uint_eq(p.ttl_s, 30);
	ck_assert(!set("coder", NULL, 30, &ttl) && !ttl);
	hf_feed_zones_tell(&z);
	ck_assert_uint_eq(p.n_zones, 1);
}
END_TEST

START_TEST(another_ttl_is_told_and_said)
{
	bool ttl;

	set("coder", NULL, 30, &ttl);
	ck_assert(set("coder", NULL, 20, &ttl));
	ck_assert(!ttl); /* the adapter had heard of none yet */
	hf_feed_zones_tell(&z);
	ck_assert(set("coder", NULL, 5, &ttl) && ttl);
	hf_feed_zones_tell(&z);
	ck_assert_uint_eq(p.ttl_s, 5);
}
END_TEST

START_TEST(a_name_is_below_one_of_them_by_whole_labels)
{
	bool ttl;

	set("coder", "dev.example", 30, &ttl);
	ck_assert(has("a.coder") && has("coder") && has("x.y.dev.example"));
	ck_assert(!has("acoder") && !has("example") && !has("coder.example"));
}
END_TEST

START_TEST(a_former_one_is_told_until_nothing_is_below_it)
{
	bool ttl;

	set("coder", NULL, 30, &ttl);
	hf_feed_zones_tell(&z);
	own("a.coder", ROW_NONE, ROW_PUT);
	set("dev", NULL, 30, &ttl);
	ck_assert(z.leave && has("a.coder") && has("a.dev"));
	hf_feed_zones_tell(&z);
	ck_assert_uint_eq(p.n_told, 2);
	ck_assert(!hf_feed_zones_leave(&z) && !z.leave);
	own("a.coder", ROW_PUT, ROW_NONE);
	hf_feed_zones_passed(&z);
	ck_assert(z.leave && hf_feed_zones_leave(&z));
	ck_assert_uint_eq(p.n_told, 1);
	ck_assert_str_eq(p.zones[0], "dev");
	ck_assert(!has("a.coder"));
	hf_feed_zones_passed(&z);
	ck_assert(!z.leave);
}
END_TEST

/* What others go on to answer does not keep it. */
START_TEST(a_name_that_is_stuck_keeps_no_suffix)
{
	bool ttl;

	set("coder", NULL, 30, &ttl);
	hf_feed_zones_tell(&z);
	own("a.coder", ROW_NONE, ROW_STUCK);
	set("dev", NULL, 30, &ttl);
	ck_assert(hf_feed_zones_leave(&z));
}
END_TEST

START_TEST(one_that_left_while_nobody_looked_is_known_in_the_next_life)
{
	bool ttl;

	set("coder", "dev", 30, &ttl);
	hf_feed_zones_tell(&z);
	end_life();
	begin_life();
	set("dev", NULL, 30, &ttl);
	ck_assert(has("a.coder"));
	hf_feed_zones_tell(&z);
	ck_assert_uint_eq(p.n_told, 2);
	hf_feed_zones_passed(&z);
	ck_assert(hf_feed_zones_leave(&z));
	end_life();
	begin_life();
	ck_assert(!has("a.coder"));
}
END_TEST

START_TEST(one_that_comes_back_has_not_left)
{
	bool ttl;

	set("coder", NULL, 30, &ttl);
	set("dev", NULL, 30, &ttl);
	set("coder", "dev", 30, &ttl);
	ck_assert_uint_eq(z.n_old, 0);
	ck_assert(!z.leave);
	hf_feed_zones_tell(&z);
	ck_assert_uint_eq(p.n_told, 2);
}
END_TEST

/* A file of before has brought it back. */
START_TEST(one_that_is_there_again_is_a_former_one_until_it_is_empty)
{
	struct hf_name gone, coder;
	bool ttl;

	ck_assert_int_eq(hf_name_parse("gone", &gone), 0);
	ck_assert_int_eq(hf_name_parse("coder", &coder), 0);
	set("coder", NULL, 30, &ttl);
	hf_feed_zones_tell(&z);
	hf_feed_zones_former(&z, &coder);
	ck_assert_uint_eq(z.n_old, 0);
	hf_feed_zones_former(&z, &gone);
	hf_feed_zones_former(&z, &gone);
	ck_assert_uint_eq(p.n_told, 2);
	ck_assert(has("a.gone") && z.leave);
	end_life();
	begin_life();
	set("coder", NULL, 30, &ttl);
	ck_assert(has("a.gone"));
	hf_feed_zones_passed(&z);
	ck_assert(hf_feed_zones_leave(&z));
	ck_assert(!has("a.gone"));
	end_life();
	begin_life();
	ck_assert(!has("a.gone"));
}
END_TEST

Suite *feed_zones_suite(void)
{
	Suite *s = suite_create("feed_zones");
	TCase *tc = tcase_create("feed_zones");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_adapter_is_told_once_for_each_change);
	tcase_add_test(tc, another_ttl_is_told_and_said);
	tcase_add_test(tc, a_name_is_below_one_of_them_by_whole_labels);
	tcase_add_test(tc, a_former_one_is_told_until_nothing_is_below_it);
	tcase_add_test(tc, a_name_that_is_stuck_keeps_no_suffix);
	tcase_add_test(tc, one_that_left_while_nobody_looked_is_known_in_the_next_life);
	tcase_add_test(tc, one_that_comes_back_has_not_left);
	tcase_add_test(tc, one_that_is_there_again_is_a_former_one_until_it_is_empty);
	suite_add_tcase(s, tc);
	return s;
}
