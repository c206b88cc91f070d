/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "plugin/unbound/module_location.h"
#include "tests/unit/tmpdir.h"

Suite *module_location_suite(void);

static struct tmpdir dir;
static struct hf_module_location place;
static char why[HF_MODULE_LOCATION_WHY_MAX], so[TMPDIR_MAX + 40];

static void setup(void)
{
	tmpdir_make(&dir);
	snprintf(so, sizeof(so), "%s/holdfast_unbound.so", dir.path);
}

static void teardown(void)
{
	tmpdir_remove(&dir);
}

static void write_beside(const char *name, const char *text)
{
	int fd = openat(dir.fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

START_TEST(without_anything_it_is_where_the_bridge_puts_it)
{
	ck_assert_int_eq(hf_module_location_find(so, NULL, &place, why), 0);
	ck_assert_str_eq(place.zone, "/var/lib/holdfast/zone");
	ck_assert_uint_eq(place.n_suffixes, 0);
	ck_assert_str_eq(why, "");
	ck_assert_int_eq(hf_module_location_find("", "", &place, why), 0);
	ck_assert_str_eq(place.zone, "/var/lib/holdfast/zone");
}
END_TEST

START_TEST(the_file_beside_the_module_says_where)
{
	char text[HF_NAME_TEXT_MAX];

	write_beside("holdfast_unbound.conf",
	    "# where\n\n zone:\t/srv/a zone \r\nsuffix: Coder\nsuffix: x.example.org.\nnot-ready: nxdomain");
	ck_assert_int_eq(hf_module_location_find(so, NULL, &place, why), 0);
	ck_assert_str_eq(place.zone, "/srv/a zone");
	ck_assert_uint_eq(place.n_suffixes, 2);
	ck_assert_str_eq(hf_name_text(&place.suffixes[0], text), "coder");
	ck_assert_str_eq(hf_name_text(&place.suffixes[1], text), "x.example.org");
	ck_assert_int_eq(place.not_ready, HF_NOT_READY_NXDOMAIN);
}
END_TEST

START_TEST(the_environment_counts_more_than_the_file)
{
	write_beside("holdfast_unbound.conf", "zone: /srv/zone\nsuffix: coder\n");
	ck_assert_int_eq(hf_module_location_find(so, "/srv/other", &place, why), 0);
	ck_assert_str_eq(place.zone, "/srv/other");
	ck_assert_uint_eq(place.n_suffixes, 1);
}
END_TEST

START_TEST(a_wrong_environment_is_told_and_left_out)
{
	ck_assert_int_eq(hf_module_location_find(so, "relative", &place, why), HF_ECONFIG);
	ck_assert_str_eq(place.zone, "/var/lib/holdfast/zone");
	ck_assert_str_eq(why, "HOLDFAST_ZONE: 'relative': it is no absolute path of a folder");
}
END_TEST

START_TEST(a_file_that_is_none_is_told)
{
	ck_assert_int_eq(mkdirat(dir.fd, "holdfast_unbound.conf", 0700), 0);
	ck_assert_int_lt(hf_module_location_find(so, NULL, &place, why), 0);
	ck_assert_ptr_nonnull(strstr(why, "holdfast_unbound.conf: "));
	ck_assert_str_eq(place.zone, "/var/lib/holdfast/zone");
}
END_TEST

static const struct {
	const char *text, *why;
} wrong[] = {
	{ "zone: relative", "f:1: 'zone: relative': it is no absolute path of a folder" },
	{ "zone:", "f:1: 'zone:': it is no absolute path of a folder" },
	{ "\nzones: /x", "f:2: 'zones: /x': it is not one of zone: suffix: not-ready:" },
	{ "#\n#\nzone /x\n", "f:3: 'zone /x': it is not one of zone: suffix: not-ready:" },
	{ "not-ready: maybe", "f:1: 'not-ready: maybe': it is neither servfail nor nxdomain" },
	{ "suffix: .", NULL },
	{ "suffix: local", NULL },
	{ "suffix: com", NULL },
	{ "suffix: a_very..odd", NULL },
	{ "suffix: a\nsuffix: b\nsuffix: c\nsuffix: d\nsuffix: e\nsuffix: f\nsuffix: g\nsuffix: h\n"
	  "suffix: ours-i\nsuffix: ours-j\nsuffix: ours-k\nsuffix: ours-l\nsuffix: ours-m\nsuffix: ours-n\nsuffix: ours-o\n"
	  "suffix: ours-p\nsuffix: ours-q\n",
	    "f:17: 'suffix: ours-q': it is one suffix too many" },
};

/* And what is right beside it is in force. */
START_TEST(a_wrong_line_is_told_and_left_out)
{
	char text[1024];

	memset(&place, 0, sizeof(place));
	snprintf(text, sizeof(text), "%s\nzone: /right\n", wrong[_i].text);
	ck_assert_int_lt(hf_module_location_read("f", text, &place, why), 0);
	if (wrong[_i].why)
		ck_assert_str_eq(why, wrong[_i].why);
	ck_assert_str_eq(place.zone, "/right");
}
END_TEST

START_TEST(no_line_is_too_long)
{
	static char text[3 * PATH_MAX];

	memset(&place, 0, sizeof(place));
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "zone: /", 7);
	ck_assert_int_eq(hf_module_location_read("f", text, &place, why), HF_ECONFIG);
	ck_assert_str_eq(place.zone, "");
	text[PATH_MAX + 20] = '\0';
	ck_assert_int_eq(hf_module_location_read("f", text, &place, why), HF_ECONFIG);
	ck_assert_str_eq(place.zone, "");
	text[7 + PATH_MAX - 2] = '\0'; /* the longest that fits */
	ck_assert_int_eq(hf_module_location_read("f", text, &place, why), 0);
	ck_assert_uint_eq(strlen(place.zone), PATH_MAX - 1);
}
END_TEST

Suite *module_location_suite(void)
{
	Suite *s = suite_create("module_location");
	TCase *tc = tcase_create("place");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, without_anything_it_is_where_the_bridge_puts_it);
	tcase_add_test(tc, the_file_beside_the_module_says_where);
	tcase_add_test(tc, the_environment_counts_more_than_the_file);
	tcase_add_test(tc, a_wrong_environment_is_told_and_left_out);
	tcase_add_test(tc, a_file_that_is_none_is_told);
	tcase_add_loop_test(
	    tc, a_wrong_line_is_told_and_left_out, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(tc, no_line_is_too_long);
	suite_add_tcase(s, tc);
	return s;
}
