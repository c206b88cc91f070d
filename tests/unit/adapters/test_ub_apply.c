/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/adapters/kit_unbound.h"

#define A7 "fd60:627a:a42b::7"
#define A8 "fd60:627a:a42b::8"
#define A9 "fd60:627a:a42b::9"
#define ZEROS "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
#define PTR7 "7." ZEROS "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"
#define PTR8 "8." ZEROS "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"
#define PTR9 "9." ZEROS "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"
#define HEAD "local_datas; coder 30 SOA; "

static struct kit_unbound k;

static int apply_one(struct hf_change c)
{
	return kit_unbound_apply(&k, &c, 1);
}

/* dev.coder at A7 with its pointer. */
static void open_filled(bool records)
{
	kit_unbound_open_peer(&k, records, false);
	ck_assert_int_eq(apply_one(kit_unbound_put("dev.coder", A7, true)), 0);
	ck_assert_str_eq(k.fates, "d");
}

static void open_old(void)
{
	open_filled(false);
}

static void open_new(void)
{
	open_filled(true);
}

static void close_kit(void)
{
	kit_unbound_close(&k);
}

static const char *phases_of(const char *log)
{
	const char *at = strstr(log, "list_local_data\n");

	return at ? at + strlen("list_local_data\n") : log;
}

START_TEST(an_address_comes_before_what_points_to_it)
{
	ck_assert_int_eq(apply_one(kit_unbound_put("web.coder", A8, true)), 0);
	ck_assert_str_eq(k.peer.log, HEAD "web.coder 30 AAAA " A8 "\n"
					  "local_datas; " PTR8 " 30 PTR web.coder\n");
}
END_TEST

START_TEST(a_name_goes_before_what_points_to_it)
{
	ck_assert_int_eq(apply_one(kit_unbound_take("dev.coder", A7, true)), 0);
	ck_assert_str_eq(phases_of(k.peer.log), "local_datas_remove; dev.coder\n"
						"local_datas_remove; " PTR7 "\n");
	ck_assert(!ub_data_has(&k.peer.data, "dev.coder"));
	ck_assert(!ub_data_has(&k.peer.data, PTR7));
}
END_TEST

/* Where single records can be removed the name is never away. */
START_TEST(a_new_address_comes_before_the_old_one_goes)
{
	ck_assert_int_eq(apply_one(kit_unbound_move("dev.coder", A8, A7)), 0);
	ck_assert_str_eq(phases_of(k.peer.log), HEAD "dev.coder 30 AAAA " A8 "\n"
						     "local_datas_remove; dev.coder 1 AAAA " A7 "\n"
						     "local_datas; " PTR8 " 30 PTR dev.coder\n"
						     "local_datas_remove; " PTR7 "\n");
	ck_assert(ub_data_has(&k.peer.data, "dev.coder AAAA " A8));
	ck_assert(!ub_data_has(&k.peer.data, "dev.coder AAAA " A7));
}
END_TEST

/* Where they cannot the name is away for one command, and alone in it. */
START_TEST(a_name_is_swapped_by_itself)
{
	struct hf_change two[] = { kit_unbound_move("dev.coder", A8, A7),
		kit_unbound_move("web.coder", A7, A9) };

	ck_assert_int_eq(apply_one(kit_unbound_put("web.coder", A9, true)), 0);
	ck_assert_int_eq(kit_unbound_apply(&k, two, 2), 0);
	ck_assert_str_eq(phases_of(k.peer.log),
	    "local_datas_remove; dev.coder\n" HEAD "dev.coder 30 AAAA " A8 "\n"
	    "local_datas_remove; web.coder\n" HEAD "web.coder 30 AAAA " A7 "\n"
	    "local_datas; " PTR8 " 30 PTR dev.coder\n"
	    "local_datas_remove; " PTR7 "\n"
	    "local_datas; " PTR7 " 30 PTR web.coder\n"
	    "local_datas_remove; " PTR9 "\n");
}
END_TEST

/* Nobody waits for a name that is new until others are gone. */
START_TEST(what_is_added_comes_before_what_goes)
{
	struct hf_change two[] = { kit_unbound_take("dev.coder", A7, false),
		kit_unbound_put("web.coder", A8, false) };
	const char *added, *gone;

	ck_assert_int_eq(kit_unbound_apply(&k, two, 2), 0);
	added = strstr(k.peer.log, "web.coder 30 AAAA " A8);
	gone = strstr(k.peer.log, "local_datas_remove; dev.coder\n");
	ck_assert_ptr_nonnull(added);
	ck_assert_ptr_nonnull(gone);
	ck_assert(added < gone);
}
END_TEST

/* A name goes, and its address is another's from now on: the pointer is that one's. */
START_TEST(a_pointer_that_the_batch_sets_is_not_taken)
{
	struct hf_change two[] = { kit_unbound_take("dev.coder", A7, true),
		kit_unbound_put("web.coder", A7, true) };

	ck_assert_int_eq(kit_unbound_apply(&k, two, 2), 0);
	ck_assert_str_eq(k.fates, "dd");
	ck_assert(ub_data_has(&k.peer.data, PTR7 " PTR web.coder"));
	ck_assert(!ub_data_has(&k.peer.data, PTR7 " PTR dev.coder"));
}
END_TEST

START_TEST(a_batch_that_is_applied_again_changes_nothing)
{
	struct ub_data was;

	ck_assert_int_eq(apply_one(kit_unbound_put("web.coder", A8, true)), 0);
	was = k.peer.data;
	ck_assert_int_eq(apply_one(kit_unbound_put("web.coder", A8, true)), 0);
	ck_assert_int_eq(apply_one(kit_unbound_take("gone.coder", A9, true)), 0);
	ck_assert_str_eq(k.fates, "d");
	ck_assert_ptr_null(strstr(k.peer.log, "remove"));
	ck_assert_mem_eq(&was, &k.peer.data, sizeof(was));
}
END_TEST

/* In a whole zone what is answered is there. */
START_TEST(in_a_whole_zone_what_is_there_is_not_written_again)
{
	kit_unbound_complete(&k);
	ck_assert_int_eq(k.a->zones[0].state, HF_UBZONE_WHOLE);
	ck_assert_int_eq(apply_one(kit_unbound_put("dev.coder", A7, true)), 0);
	ck_assert_str_eq(k.peer.log, "");
	ck_assert_str_eq(k.fates, "d");
}
END_TEST

/* --- refusals --- */

static const char *const names[] = { "a.coder", "b.coder", "c.coder", "d.coder" };

START_TEST(a_line_that_is_refused_harms_no_other)
{
	struct hf_change four[4];

	for (int i = 0; i < 4; i++)
		four[i] = kit_unbound_put(names[i], A8, false);
	k.peer.refuses = names[_i];
	ck_assert_int_eq(kit_unbound_apply(&k, four, 4), 0);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(k.fates[i], i == _i ? 'u' : 'd');
		ck_assert_int_eq(ub_data_has(&k.peer.data, names[i]), i != _i);
	}
	k.peer.refuses = NULL;
	ck_assert_int_eq(apply_one(four[_i]), 0); /* it is tried again as any other */
	ck_assert_str_eq(k.fates, "d");
}
END_TEST

/* Of a name that does not fit nothing points to it, either. */
START_TEST(what_is_refused_gets_no_pointer)
{
	struct hf_change two[] = { kit_unbound_put("a.coder", A8, true),
		kit_unbound_put("b.coder", A9, true) };

	k.peer.refuses = "a.coder 30 AAAA";
	ck_assert_int_eq(kit_unbound_apply(&k, two, 2), 0);
	ck_assert_str_eq(k.fates, "ud");
	ck_assert(!ub_data_has(&k.peer.data, PTR8));
	ck_assert(ub_data_has(&k.peer.data, PTR9 " PTR b.coder"));
}
END_TEST

/*
 * A removal that is refused ends the batch: the feed halves it until that one is alone, and sets it
 * aside. What went before it is gone, and going again is harmless.
 */
START_TEST(a_removal_that_is_refused_is_found_by_halving)
{
	struct hf_change four[4];
	char fate[4] = { 0 };

	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(apply_one(kit_unbound_put(names[i], A8, false)), 0);
		four[i] = kit_unbound_take(names[i], A8, false);
	}
	k.peer.refuses = names[_i];
	ck_assert_int_eq(kit_unbound_apply(&k, four, 4), HF_EREFUSED);
	ck_assert_str_eq(k.fates, "");
	ck_assert_ptr_nonnull(strstr(k.text, "unbound says: error cannot parse name"));
	for (int i = 0; i < 4; i += 2)
		if (kit_unbound_apply(&k, four + i, 2) == 0)
			memset(fate + i, 'd', 2);
	for (int i = _i & 2; i < (_i & 2) + 2; i++)
		fate[i] = apply_one(four[i]) ? 'f' : 'd';
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(fate[i], i == _i ? 'f' : 'd');
		ck_assert_int_eq(ub_data_has(&k.peer.data, names[i]), i == _i);
	}
}
END_TEST

/* --- others and accidents between the looks and the command --- */

/* Others have removed the record between the look and the command: unbound complains of it. */
START_TEST(a_record_that_went_meanwhile_is_gone_too)
{
	ub_peer_when(&k.peer, "local_datas_remove", UB_PEER_SAYS,
	    "error rr dev.coder 1 AAAA " A7 " not found in rrset\n"
	    "error for input line: dev.coder 1 AAAA " A7 "\nremoved 0 datas\n");
	ck_assert_int_eq(apply_one(kit_unbound_move("dev.coder", A8, A7)), 0);
	ck_assert_str_eq(k.fates, "d");
}
END_TEST

/* Each command of a batch that has one of each kind. */
START_TEST(a_connection_that_is_cut_on_the_way_leaves_a_batch_to_be_applied_again)
{
	struct hf_change four[] = { kit_unbound_put("new.coder", A9, true),
		kit_unbound_move("dev.coder", A8, A7), kit_unbound_take("old.coder", A8, true) };
	enum ub_peer_act act = _i % 2 ? UB_PEER_DIES : UB_PEER_CUTS;

	ck_assert_int_eq(apply_one(kit_unbound_put("old.coder", A8, true)), 0);
	ub_peer_when(&k.peer, "local_datas", act, NULL);
	k.peer.when.skip = (unsigned)_i / 2;
	ck_assert_int_eq(kit_unbound_apply(&k, four, 3), HF_ECLOSED);
	ck_assert_ptr_null(k.peer.when.at);
	ck_assert_str_eq(k.fates, "");
	ck_assert_int_eq(kit_unbound_apply(&k, four, 3), 0);
	ck_assert_str_eq(k.fates, "ddd");
	ck_assert(ub_data_has(&k.peer.data, "new.coder AAAA " A9));
	ck_assert(ub_data_has(&k.peer.data, "dev.coder AAAA " A8));
	ck_assert(ub_data_has(&k.peer.data, PTR8 " PTR dev.coder"));
	ck_assert(ub_data_has(&k.peer.data, PTR9 " PTR new.coder"));
	ck_assert(!ub_data_has(&k.peer.data, "dev.coder AAAA " A7));
	ck_assert(!ub_data_has(&k.peer.data, "old.coder"));
	ck_assert(!ub_data_has(&k.peer.data, PTR7));
}
END_TEST

START_TEST(a_reload_between_the_halves_of_a_swap_makes_no_zone_of_a_name)
{
	ub_peer_when(&k.peer, "local_datas\n", UB_PEER_RELOADS, NULL);
	ck_assert_int_eq(apply_one(kit_unbound_move("dev.coder", A8, A7)), 0);
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, "coder"), "transparent");
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, "dev.coder"), "");
	ck_assert_int_eq(kit_unbound_apply(&k, NULL, 0), HF_ENOTREADY);
	ck_assert_ptr_nonnull(strstr(k.host.told, "lost "));
}
END_TEST

/* The same of the pointers, where their zone is ours. */
START_TEST(a_reload_before_a_pointer_makes_no_zone_of_an_address)
{
	kit_unbound_open_peer(&k, false, true);
	ck_assert_int_eq(kit_unbound_apply(&k, NULL, 0), 0);
	ub_peer_when(&k.peer, "local_datas", UB_PEER_RELOADS, NULL);
	k.peer.when.skip = 1;
	ck_assert_int_eq(apply_one(kit_unbound_put("dev.coder", A7, true)), 0);
	ck_assert_str_eq(
	    ub_data_zone_type(&k.peer.data, "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"), "transparent");
	ck_assert_uint_eq(k.peer.data.n_zones, 2); /* that, and localhost */
	kit_unbound_close(&k);
}
END_TEST

static void add_old(Suite *s)
{
	TCase *c = tcase_create("old");

	tcase_add_checked_fixture(c, open_old, close_kit);
	tcase_add_test(c, an_address_comes_before_what_points_to_it);
	tcase_add_test(c, a_name_goes_before_what_points_to_it);
	tcase_add_test(c, a_name_is_swapped_by_itself);
	tcase_add_test(c, what_is_added_comes_before_what_goes);
	tcase_add_test(c, a_pointer_that_the_batch_sets_is_not_taken);
	tcase_add_test(c, a_batch_that_is_applied_again_changes_nothing);
	tcase_add_test(c, in_a_whole_zone_what_is_there_is_not_written_again);
	tcase_add_loop_test(c, a_line_that_is_refused_harms_no_other, 0, 4);
	tcase_add_test(c, what_is_refused_gets_no_pointer);
	tcase_add_loop_test(c, a_removal_that_is_refused_is_found_by_halving, 0, 4);
	tcase_add_loop_test(
	    c, a_connection_that_is_cut_on_the_way_leaves_a_batch_to_be_applied_again, 0, 16);
	tcase_add_test(c, a_reload_between_the_halves_of_a_swap_makes_no_zone_of_a_name);
	suite_add_tcase(s, c);
}

static void add_new(Suite *s)
{
	TCase *c = tcase_create("new");

	tcase_add_checked_fixture(c, open_new, close_kit);
	tcase_add_test(c, an_address_comes_before_what_points_to_it);
	tcase_add_test(c, a_name_goes_before_what_points_to_it);
	tcase_add_test(c, a_new_address_comes_before_the_old_one_goes);
	tcase_add_test(c, a_pointer_that_the_batch_sets_is_not_taken);
	tcase_add_test(c, a_batch_that_is_applied_again_changes_nothing);
	tcase_add_loop_test(c, a_line_that_is_refused_harms_no_other, 0, 4);
	tcase_add_test(c, a_record_that_went_meanwhile_is_gone_too);
	tcase_add_loop_test(
	    c, a_connection_that_is_cut_on_the_way_leaves_a_batch_to_be_applied_again, 0, 16);
	suite_add_tcase(s, c);
}

Suite *ub_apply_suite(void);
Suite *ub_apply_suite(void)
{
	Suite *s = suite_create("ub_apply");
	TCase *own = tcase_create("own");

	add_old(s);
	add_new(s);
	tcase_add_test(own, a_reload_before_a_pointer_makes_no_zone_of_an_address);
	suite_add_tcase(s, own);
	return s;
}
