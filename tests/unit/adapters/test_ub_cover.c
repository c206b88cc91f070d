/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/adapters/kit_unbound.h"

#define ADDR "fd60:627a:a42b::7"
#define REVERSE "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"

enum { LONG = HF_UB_LISTING_MAX + 4096, MIDDLE = HF_UB_LISTING_QUICK + 4096 };

static struct kit_unbound k;
static char too_long[LONG + 1];

static int apply_one(struct hf_change c)
{
	return kit_unbound_apply(&k, &c, 1);
}

static int put(const char *name)
{
	return apply_one(kit_unbound_put(name, ADDR, true));
}

/* What unbound lists, as it writes it, and the types of both zones while they are filled. */
static const struct {
	size_t more;
	const char *auth_zones, *forwards, *stubs;
	const char *type, *reverse;
} rows[] = {
	/* All that it has is known, and what is not in it yet may be answered otherwise. */
	{ 0, NULL, NULL, NULL, "transparent", "transparent" },
	{ LONG, NULL, NULL, NULL, "static", "static" },
	{ LONG, "coder.\tserial 5\n", NULL, NULL, "transparent", "static" },
	{ LONG, "me.coder.\tserial 5\n", NULL, NULL, "transparent", "static" },
	{ LONG, "example.\tserial 5\n", NULL, NULL, "static", "static" },
	{ LONG, "notcoder.\tserial 5\nCODER.\tserial 5\n", NULL, NULL, "transparent", "static" },
	{ LONG, REVERSE ".\tserial 5\n", NULL, NULL, "static", "transparent" },
	{ LONG, too_long, NULL, NULL, "transparent", "transparent" },
	/* The root is around all, and says nothing of ours. */
	{ LONG, NULL, ". IN forward 192.0.2.1\n", NULL, "static", "static" },
	{ LONG, NULL, "coder. IN forward 192.0.2.1\n", NULL, "transparent", "static" },
	{ LONG, NULL, "d.f.ip6.arpa. IN forward 192.0.2.1\n", NULL, "static", "transparent" },
	{ LONG, NULL, NULL, ". IN stub prime 192.0.2.1\nx.me.coder. IN stub noprime 192.0.2.1\n",
	    "transparent", "static" },
};

START_TEST(a_zone_is_transparent_where_something_below_it_answers)
{
	memset(too_long, '\n', LONG);
	kit_unbound_open_peer(&k, false, true);
	k.peer.data.more = rows[_i].more;
	k.peer.auth_zones = rows[_i].auth_zones;
	k.peer.forwards = rows[_i].forwards;
	k.peer.stubs = rows[_i].stubs;
	ck_assert_int_eq(put("dev.coder"), 0);
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, "coder"), rows[_i].type);
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, REVERSE), rows[_i].reverse);
	/* The other listings are asked for where that of all data is too long. */
	ck_assert_int_eq(!!strstr(k.peer.log, "list_stubs\n"), rows[_i].more > 0);
	ck_assert(ub_data_has(&k.peer.data, "dev.coder AAAA " ADDR));
	kit_unbound_close(&k);
}
END_TEST

static const char *const listings[] = { "list_local_data", "list_auth_zones", "list_forwards",
	"list_stubs" };

/* It has taken the command, and does not answer in time. */
START_TEST(a_listing_that_does_not_come_ends_the_batch)
{
	kit_unbound_open_peer(&k, false, true);
	k.config.unbound.timeout_ms = 100;
	kit_unbound_restart(&k);
	k.peer.data.more = LONG;
	ub_peer_when(&k.peer, listings[_i], UB_PEER_HANGS, NULL);
	ck_assert_int_eq(put("dev.coder"), -ETIMEDOUT);
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, "coder"), "");
	kit_unbound_close(&k);
}
END_TEST

/* It has no local data, or went away: what it is asked then shows which. */
START_TEST(a_listing_that_says_nothing_is_asked_about)
{
	kit_unbound_open_peer(&k, false, true);
	ub_data_zone_set(&k.peer.data, "coder", "transparent");
	ub_data_add(&k.peer.data, "dev.coder 30 AAAA 2001:db8::1");
	ub_peer_when(&k.peer, "list_local_data", UB_PEER_CUTS, NULL);
	ck_assert_int_eq(put("dev.coder"), 0);
	ck_assert_ptr_nonnull(strstr(k.peer.log, "list_stubs\n"));
	ck_assert_str_eq(k.fates, "c");
	kit_unbound_close(&k);
}
END_TEST

/* It is known what unbound had when the fill began: what we wrote since has to be asked for. */
START_TEST(what_was_written_is_asked_for)
{
	kit_unbound_open_peer(&k, false, false);
	ck_assert_int_eq(put("dev.coder"), 0);
	ck_assert_ptr_nonnull(k.a->session.known);
	ub_data_add(&k.peer.data, "dev.coder 30 AAAA 2001:db8::1");
	ck_assert_int_eq(put("dev.coder"), 0);
	ck_assert_str_eq(k.fates, "c");
	kit_unbound_close(&k);
}
END_TEST

START_TEST(what_is_known_is_forgotten_when_the_zone_is_whole)
{
	kit_unbound_open_peer(&k, false, false);
	ck_assert_int_eq(put("dev.coder"), 0);
	kit_unbound_complete(&k);
	ck_assert_ptr_null(k.a->session.known);
	ub_data_add(&k.peer.data, "web.coder 30 AAAA 2001:db8::1");
	ck_assert_int_eq(put("web.coder"), 0);
	ck_assert_str_eq(k.fates, "c");
	kit_unbound_close(&k);
}
END_TEST

static void open_whole(void)
{
	kit_unbound_open_peer(&k, false, false);
	ck_assert_int_eq(put("dev.coder"), 0);
	ck_assert_int_eq(put("web.coder"), 0);
	kit_unbound_complete(&k);
}

START_TEST(a_removal_is_preceded_by_the_listing_and_an_addition_is_not)
{
	open_whole();
	ck_assert_int_eq(put("new.coder"), 0);
	ck_assert_ptr_null(strstr(k.peer.log, "list_"));
	ck_assert_int_eq(apply_one(kit_unbound_take("dev.coder", ADDR, false)), 0);
	ck_assert_int_eq(strncmp(k.peer.log, "list_local_data\nlocal_datas_remove; dev", 39), 0);
	ck_assert_ptr_null(k.a->session.known); /* it is of that batch alone */
	ck_assert_int_eq(apply_one(kit_unbound_take("web.coder", ADDR, false)), 0);
	ck_assert_int_eq(strncmp(k.peer.log, "list_local_data\n", 16), 0);
	kit_unbound_close(&k);
}
END_TEST

/* During a listing unbound answers nobody: a long one is begun once, until unbound is another. */
START_TEST(a_listing_that_is_too_long_is_not_asked_for_again)
{
	open_whole();
	k.peer.data.more = MIDDLE;
	ck_assert_int_eq(apply_one(kit_unbound_take("dev.coder", ADDR, false)), 0);
	ck_assert_ptr_nonnull(strstr(k.peer.log, "list_local_data\n"));
	ck_assert(!ub_data_has(&k.peer.data, "dev.coder"));
	ck_assert_int_eq(apply_one(kit_unbound_take("web.coder", ADDR, false)), 0);
	ck_assert_ptr_null(strstr(k.peer.log, "list_"));
	ck_assert(!ub_data_has(&k.peer.data, "web.coder"));
	k.peer.data.more = 0;
	ub_peer_reload(&k.peer);
	ck_assert_int_ne(put("dev.coder"), 0);
	ck_assert_int_eq(put("dev.coder"), 0);
	kit_unbound_complete(&k);
	ck_assert_int_eq(apply_one(kit_unbound_take("dev.coder", ADDR, false)), 0);
	ck_assert_ptr_nonnull(strstr(k.peer.log, "list_local_data\n"));
	kit_unbound_close(&k);
}
END_TEST

/* Others' records at the name, of a type that nobody asks for: only the listing shows them. */
START_TEST(the_listing_shows_what_questions_do_not)
{
	open_whole();
	ub_data_add(&k.peer.data, "dev.coder 30 TYPE65400 x");
	ck_assert_int_eq(apply_one(kit_unbound_take("dev.coder", ADDR, false)), 0);
	ck_assert_str_eq(k.fates, "c");
	ck_assert(ub_data_has(&k.peer.data, "dev.coder TYPE65400"));
	kit_unbound_close(&k);
}
END_TEST

Suite *ub_cover_suite(void);
Suite *ub_cover_suite(void)
{
	Suite *s = suite_create("ub_cover");
	TCase *c = tcase_create("ub_cover");

	tcase_add_loop_test(c, a_zone_is_transparent_where_something_below_it_answers, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(c, a_listing_that_does_not_come_ends_the_batch, 0, 4);
	tcase_add_test(c, a_listing_that_says_nothing_is_asked_about);
	tcase_add_test(c, what_was_written_is_asked_for);
	tcase_add_test(c, what_is_known_is_forgotten_when_the_zone_is_whole);
	tcase_add_test(c, a_removal_is_preceded_by_the_listing_and_an_addition_is_not);
	tcase_add_test(c, a_listing_that_is_too_long_is_not_asked_for_again);
	tcase_add_test(c, the_listing_shows_what_questions_do_not);
	suite_add_tcase(s, c);
	return s;
}
