/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>
#include <sys/stat.h>

#include "adapters/unbound/ub_start_private.h"
#include "tests/unit/adapters/kit_unbound.h"

#define SOA_DATA "SOA holdfast.invalid. nobody.invalid. 1 60 60 2419200 30"
#define HEAD(zone) "local-zone: \"" zone ".\" static\nlocal-data: \"" zone ". 30 " SOA_DATA "\"\n"
#define NAME "local-data: \"dev.coder. 30 AAAA fd60:627a:a42b::7\"\n"
#define ZONE_SOA(zone) zone ". 30 IN " SOA_DATA "\n"

static struct kit_unbound k;
static char found[4096];

/* All of them, the last one first. */
static const char *all_found(void)
{
	char text[HF_NAME_TEXT_MAX];
	struct hf_name zone;
	size_t len = 0;

	found[0] = '\0';
	while (hf_ub_start_former_get(k.a->start_file, &zone)) {
		hf_ub_start_former_drop(k.a->start_file);
		len += (size_t)snprintf(
		    found + len, sizeof(found) - len, "%s;", hf_name_text(&zone, text));
	}
	return found;
}

static const char *find(void)
{
	hf_ub_start_former_find(k.a->start_file);
	return all_found();
}

START_TEST(an_include_tells_what_is_in_its_head)
{
	kit_unbound_open(&k, NULL, NULL, HF_START_INCLUDE);
	ck_assert_str_eq(find(), "");
	kit_unbound_write(&k, "start",
	    "server:\n" HEAD("coder") HEAD("gone.example") HEAD("gone.example") HEAD("two.example")
		NAME HEAD("late.example"));
	kit_unbound_write(&k, "start.old", "server:\n" HEAD("old.example"));
	ck_assert_str_eq(find(), "two.example;gone.example;");
	ck_assert_str_eq(all_found(), "");
	kit_unbound_close(&k);
}
END_TEST

START_TEST(a_zone_file_tells_its_own_zone_if_it_has_names)
{
	kit_unbound_open(&k, NULL, NULL, HF_START_ZONEFILE);
	kit_unbound_write(
	    &k, "start.gone.example", ZONE_SOA("gone.example") "a.gone.example. 30 IN AAAA ::1\n");
	kit_unbound_write(&k, "start.empty.example", ZONE_SOA("empty.example"));
	kit_unbound_write(
	    &k, "start.wrong.example", ZONE_SOA("else.example") "a.else.example. 30 IN AAAA ::1\n");
	kit_unbound_write(
	    &k, "started.gone.example", ZONE_SOA("x.example") "a.x. 30 IN AAAA ::1\n");
	ck_assert_str_eq(find(), "gone.example;");
	kit_unbound_write(&k, "start", ZONE_SOA("bare.example") "a.bare.example. 30 IN AAAA ::1\n");
	kit_unbound_write(&k, "start.gone.example", "");
	ck_assert_str_eq(find(), "bare.example;");
	kit_unbound_close(&k);
}
END_TEST

/* Whoever can write there is not to choose what goes out of a resolver. */
START_TEST(what_can_be_no_suffix_of_ours_is_none)
{
	char path[2 * TMPDIR_MAX];

	kit_unbound_open(&k, NULL, NULL, HF_START_INCLUDE);
	kit_unbound_write(&k, "start",
	    "server:\n" HEAD("com") HEAD("") HEAD("in-addr.arpa") HEAD("a b") HEAD(
		"local") "local-data: \"theirs.example. 30 SOA ns.example. me.example. 1 2 3 4 5\"\n");
	ck_assert_str_eq(find(), "");
	ck_assert_int_eq(remove(k.path), 0);
	snprintf(path, sizeof(path), "%s/start", k.dir.path);
	kit_unbound_write(&k, "else", HEAD("gone.example"));
	ck_assert_int_eq(symlink("else", path), 0);
	ck_assert_str_eq(find(), "");
	kit_unbound_close(&k);
}
END_TEST

/* unbound has read it before, perhaps; also if this life has written it. */
START_TEST(a_file_that_was_replaced_tells_what_was_in_it)
{
	struct hf_ub_start_out out = { .name = "start" };
	struct hf_ub_start_file *f;
	const char *base;

	kit_unbound_open(&k, NULL, NULL, HF_START_INCLUDE);
	f = k.a->start_file;
	kit_unbound_write(&k, "start", "server:\n" HEAD("gone.example"));
	ck_assert_int_eq(hf_ub_start_folder_open(f, &base), 0);
	ck_assert_int_eq(stat(k.path, &out.st), 0);
	if (_i)
		hf_ub_start_note_seen(f, &out);
	hf_ub_start_former_keep(f, "start");
	ck_assert_uint_eq(f->n_former, _i ? 0 : 1);
	hf_ub_start_outs_close(f);
	kit_unbound_write(&k, "start", "server:\n" HEAD("coder"));
	ck_assert_str_eq(find(), "gone.example;");
	ck_assert_str_eq(find(), "");
	kit_unbound_close(&k);
}
END_TEST

START_TEST(one_that_leaves_or_came_back_is_none)
{
	struct hf_name both[2] = { kit_unbound_name("coder"), kit_unbound_name("gone.example") };

	kit_unbound_open(&k, NULL, NULL, HF_START_INCLUDE);
	kit_unbound_write(&k, "start", "server:\n" HEAD("gone.example"));
	hf_ub_adapter_type.zones(k.base, both, 2, 30);
	ck_assert_str_eq(find(), "");
	hf_ub_adapter_type.zones(k.base, both, 1, 30);
	ck_assert_str_eq(find(), "");
	k.a->n_leaving = 0;
	ck_assert_str_eq(find(), "gone.example;");
	kit_unbound_close(&k);
}
END_TEST

Suite *ub_start_former_suite(void);
Suite *ub_start_former_suite(void)
{
	Suite *s = suite_create("ub_start_former");
	TCase *c = tcase_create("ub_start_former");

	tcase_add_test(c, an_include_tells_what_is_in_its_head);
	tcase_add_test(c, a_zone_file_tells_its_own_zone_if_it_has_names);
	tcase_add_test(c, what_can_be_no_suffix_of_ours_is_none);
	tcase_add_loop_test(c, a_file_that_was_replaced_tells_what_was_in_it, 0, 2);
	tcase_add_test(c, one_that_leaves_or_came_back_is_none);
	suite_add_tcase(s, c);
	return s;
}
