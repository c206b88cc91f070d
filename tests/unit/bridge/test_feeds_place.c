/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "bridge/feeding/feeds_private.h"

Suite *feeds_place_suite(void);

static struct hf_config_adapter of(enum hf_adapter_kind kind, char *path)
{
	static char name[] = "x";
	struct hf_config_adapter c = { .name = name, .kind = kind };

	if (kind == HF_ADAPTER_UNBOUND)
		c.unbound.control = path;
	else if (kind == HF_ADAPTER_DNSMASQ)
		c.dnsmasq.hostsdir = path;
	else if (kind == HF_ADAPTER_HOSTS)
		c.hosts.path = path;
	return c;
}

static struct hf_config_adapter hook_of(size_t n)
{
	static char program[] = "/bin/x", one[] = "one", two[] = "two";
	static char *words[] = { program, one, two };
	struct hf_config_adapter c = of(HF_ADAPTER_HOOK, NULL);

	c.hook.command.at = words;
	c.hook.command.n = n;
	return c;
}

START_TEST(a_place_has_a_text_of_its_own)
{
	char path[] = "/etc/hosts", text[HF_TEXT_MAX];
	struct hf_config_adapter hosts = of(HF_ADAPTER_HOSTS, path),
				 unbound = of(HF_ADAPTER_UNBOUND, path), hook = hook_of(2);

	hf_feeds_place_text(&hosts, text);
	ck_assert_str_eq(text, "hosts /etc/hosts");
	hf_feeds_place_text(&unbound, text);
	ck_assert_str_eq(text, "unbound /etc/hosts");
	hook.hook.command.n = 1;
	hf_feeds_place_text(&hook, text);
	ck_assert_str_eq(text, "hook /bin/x");
	hook.hook.command.n = 2; /* which may be a secret */
	hf_feeds_place_text(&hook, text);
	ck_assert_int_eq(strncmp(text, "hook /bin/x ", 12), 0);
	ck_assert_ptr_null(strstr(text, "one"));
}
END_TEST

START_TEST(long_paths_have_different_texts)
{
	char path[1000], other[1000], text[HF_TEXT_MAX], other_text[HF_TEXT_MAX];
	struct hf_config_adapter c = of(HF_ADAPTER_HOSTS, path), d = of(HF_ADAPTER_HOSTS, other);

	for (size_t len = 1; len < sizeof(path) - 1; len++) {
		memset(path, 'a', len);
		path[0] = '/';
		path[len] = '\0';
		memcpy(other, path, len + 1);
		other[len / 2] = 'b';
		hf_feeds_place_text(&c, text);
		hf_feeds_place_text(&d, other_text);
		ck_assert_str_ne(text, other_text);
		ck_assert_int_eq(strncmp(text, "hosts ", 6), 0);
		ck_assert_uint_lt(strlen(text), sizeof(text));
	}
}
END_TEST

START_TEST(a_place_is_its_path_however_it_is_written)
{
	char folder[] = "/tmp/hf-place-XXXXXX", file[64], link[64], more[64];
	struct hf_config_adapter a = of(HF_ADAPTER_HOSTS, file), b = of(HF_ADAPTER_HOSTS, link),
				 c = of(HF_ADAPTER_HOSTS, more), d = of(HF_ADAPTER_DNSMASQ, file);
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/file", folder);
	snprintf(link, sizeof(link), "%s/link", folder);
	snprintf(more, sizeof(more), "%s/more", folder);
	ck_assert_int_eq(symlink(file, link), 0);
	/* What is not there is nobody's link. */
	ck_assert(hf_feeds_place_is_same(&a, &a));
	ck_assert(!hf_feeds_place_is_same(&a, &b));
	f = fopen(file, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	ck_assert(hf_feeds_place_is_same(&a, &b));
	ck_assert(!hf_feeds_place_is_same(&a, &c));
	ck_assert(!hf_feeds_place_is_same(&a, &d));
	ck_assert(hf_feeds_place_is_shared(&b, &d));
	ck_assert(!hf_feeds_place_is_shared(&a, &b));
	unlink(file);
	unlink(link);
	rmdir(folder);
}
END_TEST

START_TEST(a_folder_is_not_fed_as_a_file_is)
{
	char path[] = "/d";
	struct hf_config_adapter a = of(HF_ADAPTER_DNSMASQ, path), b = a;

	b.dnsmasq.hostsdir = NULL;
	b.dnsmasq.hosts_file = path;
	ck_assert(!hf_feeds_place_is_same(&a, &b));
	ck_assert(hf_feeds_place_is_same(&b, &b));
}
END_TEST

START_TEST(a_hook_is_known_by_what_it_runs)
{
	char other[] = "y";
	struct hf_config_adapter a = hook_of(2), b = hook_of(2), c = hook_of(3);

	b.name = other;
	ck_assert(hf_feeds_place_is_same(&a, &b));
	ck_assert(!hf_feeds_place_is_same(&a, &c));
	ck_assert(!hf_feeds_place_is_shared(&a, &b));
	b.hook.form = HF_HOOK_JSON;
	ck_assert(!hf_feeds_place_is_same(&a, &b));
}
END_TEST

START_TEST(a_name_and_what_happens_at_the_end_change_nothing)
{
	char path[] = "/etc/hosts", other[] = "y";
	struct hf_config_adapter a = of(HF_ADAPTER_HOSTS, path), b = a;

	b.name = other;
	b.teardown = HF_TEARDOWN_CLEAN;
	ck_assert(hf_feeds_place_is_unchanged(&a, &b));
	b.hosts.max_names = 7;
	ck_assert(!hf_feeds_place_is_unchanged(&a, &b));
	b = a;
	b.verify_interval_ms = 7;
	ck_assert(!hf_feeds_place_is_unchanged(&a, &b));
}
END_TEST

Suite *feeds_place_suite(void)
{
	Suite *s = suite_create("feeds_place");
	TCase *tc = tcase_create("place");

	tcase_add_test(tc, a_place_has_a_text_of_its_own);
	tcase_add_test(tc, long_paths_have_different_texts);
	tcase_add_test(tc, a_place_is_its_path_however_it_is_written);
	tcase_add_test(tc, a_folder_is_not_fed_as_a_file_is);
	tcase_add_test(tc, a_hook_is_known_by_what_it_runs);
	tcase_add_test(tc, a_name_and_what_happens_at_the_end_change_nothing);
	suite_add_tcase(s, tc);
	return s;
}
