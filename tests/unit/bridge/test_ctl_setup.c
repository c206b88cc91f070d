/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/ctl/setup/setup_fill.h"
#include "bridge/ctl/setup/setup.h"
#include "bridge/ctl/setup/setup_templates.h"
#include "config/config.h"

Suite *ctl_setup_suite(void);

#define REVERSE "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"

static struct hf_setup_words words(size_t n_suffixes, const char *addr)
{
	static const char *const names[] = { "coder", "dev.example.net" };
	struct hf_setup_words w = { .n_suffixes = n_suffixes,
		.dns_port = 5453,
		.loopback = !strcmp(addr, "127.0.0.1"),
		.zone = "/zone",
		.module = "/lib/m.so" };

	snprintf(w.dns_addr, sizeof(w.dns_addr), "%s", addr);
	for (size_t i = 0; i < n_suffixes; i++)
		ck_assert_int_eq(hf_name_parse(names[i], &w.suffixes[i]), 0);
	return w;
}

static const struct {
	const char *text, *addr;
	size_t n;
	const char *want;
} rows[] = {
	{ "a @dns@ @dns-addr@ @dns-port@ @dns-hostport@\n", "127.0.0.1", 1,
	    "a 127.0.0.1@5453 127.0.0.1 5453 127.0.0.1:5453\n" },
	{ "@dns-hostport@ @dns@\n", "2001:db8::1", 1, "[2001:db8::1]:5453 2001:db8::1@5453\n" },
	{ "@zone@ @module@ @module-conf@ @reverse@\n", "127.0.0.1", 1,
	    "/zone /lib/m.so /lib/m.conf " REVERSE "\n" },
	{ "# why\n\nzone @suffix@\n\tx\n\nend\n", "127.0.0.1", 2,
	    "# why\n\nzone coder\n\tx\n\nzone dev.example.net\n\tx\n\nend\n" },
	{ "zone @ours@\n\n", "127.0.0.1", 1, "zone coder\n\nzone " REVERSE "\n\n" },
	{ "list {\n@*@\t@ours@\n}\n", "127.0.0.1", 2,
	    "list {\n\tcoder\n\tdev.example.net\n\t" REVERSE "\n}\n" },
	{ "@*@@suffix@ @suffix@;\n", "127.0.0.1", 1, "coder coder;\n" },
	{ "@?loopback@here\nthere\n", "127.0.0.1", 1, "here\nthere\n" },
	{ "@?loopback@here\nthere\n", "192.0.2.1", 1, "there\n" },
	{ "# @file /etc/x@\n", "127.0.0.1", 1, "# ==> /etc/x\n" },
	{ "a@b.c @{PROC} @\tSOA\n", "127.0.0.1", 1, "a@b.c @{PROC} @\tSOA\n" },
	{ "no end", "127.0.0.1", 1, "no end" },
	{ "@reversed@\n", "127.0.0.1", 1, NULL },
	{ "@dn@\n", "127.0.0.1", 1, NULL },
};

static char *fill(const char *text, const struct hf_setup_words *w, int *ret_rc)
{
	char *said = NULL;
	size_t len;
	FILE *out = open_memstream(&said, &len);

	*ret_rc = hf_setup_fill(text, w, out);
	fclose(out);
	return said;
}

START_TEST(a_template_is_filled_in)
{
	struct hf_setup_words w = words(rows[_i].n, rows[_i].addr);
	int rc;
	char *said = fill(rows[_i].text, &w, &rc);

	ck_assert_int_eq(rc, rows[_i].want ? 0 : -EINVAL);
	if (rows[_i].want)
		ck_assert_str_eq(said, rows[_i].want);
	free(said);
}
END_TEST

START_TEST(every_kind_has_a_template_whose_words_are_known_and_that_names_all_of_ours)
{
	struct hf_setup_words w = words(2, "127.0.0.1");

	for (const struct hf_setup_kind *k = hf_setup_kinds; k->name; k++) {
		const struct hf_setup_template *t = hf_setup_templates;
		char *said;
		int rc;

		if (!k->template)
			continue;
		while (t->name && strcmp(t->name, k->template))
			t++;
		ck_assert_msg(t->name != NULL, "%s", k->name);
		said = fill(t->text, &w, &rc);
		ck_assert_msg(!rc && strstr(said, "coder") && strstr(said, "dev.example.net") &&
				  strstr(said, REVERSE) && strstr(said, "5453"),
		    "%s", k->name);
		free(said);
	}
}
END_TEST

static const struct {
	const char *listen, *addr;
	bool loopback;
} listens[] = {
	{ "0.0.0.0@53", "127.0.0.1", true },
	{ "127.0.0.5@53", "127.0.0.5", true },
	{ "192.0.2.1@53", "192.0.2.1", false },
	{ "::@53", "::1", true },
	{ "2001:db8::1@53", "2001:db8::1", false },
};

static struct hf_config *config_of(const char *text)
{
	struct hf_config_errors errors;
	struct hf_config *c = NULL;

	ck_assert_int_eq(hf_config_parse("test", text, strlen(text), 0, &c, &errors), 0);
	return c;
}

START_TEST(the_address_is_one_that_reaches_holdfast_dns)
{
	struct hf_setup_words w;
	char text[200];
	struct hf_config *c;

	snprintf(text, sizeof(text),
	    "dns: { listen: ['%s'] }\nsources: [{ name: a, suffix: coder }]\n", listens[_i].listen);
	c = config_of(text);
	ck_assert_int_eq(hf_setup_words_get(c, NULL, &w, stderr), 0);
	ck_assert_str_eq(w.dns_addr, listens[_i].addr);
	ck_assert_int_eq(w.dns_port, 53);
	ck_assert_int_eq(w.loopback, listens[_i].loopback);
	hf_config_free(c);
}
END_TEST

START_TEST(suffixes_are_those_of_the_status_and_of_the_configuration_each_once)
{
	struct hf_config *c = config_of("sources: [{ name: a, suffix: coder }, { name: b }]\n");
	json_t *status = json_pack("{s:[{s:s}, {s:s}, {s:n}, {s:s}]}", "sources", "suffix", "Coder",
	    "suffix", "lab", "suffix", "suffix", "bad name\nserver:");
	struct hf_setup_words w;

	ck_assert_int_eq(hf_setup_words_get(c, status, &w, stderr), 0);
	ck_assert_uint_eq(w.n_suffixes, 2);
	json_decref(status);
	hf_config_free(c);
}
END_TEST

START_TEST(a_suffix_that_the_server_tells_is_filled_in_for_adapters)
{
	struct hf_config *c = config_of("sources: [{ name: a, suffix: lab }, { name: b }]\n");
	json_t *status = json_pack("{s:[{s:s, s:s}, {s:s, s:s}]}", "sources", "name", "a", "suffix",
	    "other", "name", "b", "suffix", "coder");
	char text[HF_NAME_TEXT_MAX];

	hf_setup_fill_suffixes(c, status);
	ck_assert_str_eq(hf_name_text(&c->sources.at[0].suffix, text), "lab");
	ck_assert_str_eq(hf_name_text(&c->sources.at[1].suffix, text), "coder");
	json_decref(status);
	hf_config_free(c);
}
END_TEST

START_TEST(without_any_suffix_there_is_a_reason_and_no_lines)
{
	struct hf_config *c = config_of("sources: [{ name: b }]\n");
	struct hf_setup_words w;
	char said[300] = "";
	FILE *err = fmemopen(said, sizeof(said), "w");

	ck_assert_int_eq(hf_setup_words_get(c, NULL, &w, err), -EINVAL);
	fclose(err);
	ck_assert(strstr(said, "no suffix is known"));
	hf_config_free(c);
}
END_TEST

START_TEST(json_has_each_file_with_its_path)
{
	struct hf_config *c = config_of("sources: [{ name: a, suffix: coder }]\n");
	struct hf_setup_words w = words(1, "127.0.0.1");
	char *said = NULL;
	size_t len;
	FILE *out = open_memstream(&said, &len);
	json_t *all, *files;

	ck_assert_int_eq(hf_setup_print(c, &w, "bind", NULL, true, out, stderr), 0);
	fclose(out);
	all = json_loads(said, 0, NULL);
	files = json_object_get(all, "files");
	ck_assert_str_eq(json_string_value(json_object_get(all, "form")), "forward");
	ck_assert_uint_eq(json_array_size(files), 3);
	for (size_t i = 0; i < 3; i++) {
		json_t *file = json_array_get(files, i);

		ck_assert_int_eq(json_string_value(json_object_get(file, "path"))[0], '/');
		ck_assert(!strstr(json_string_value(json_object_get(file, "text")), "==>"));
	}
	json_decref(all);
	free(said);
	hf_config_free(c);
}
END_TEST

static const struct {
	const char *resolver, *version;
	int rc;
	const char *has, *says; /* NULL: nothing in particular */
} versions[] = {
	{ "powerdns-recursor", "4", 0, "forward-zones+=coder=127.0.0.1:5453", NULL },
	{ "powerdns-recursor", "4.9.1", 0, "addNTA", NULL },
	{ "powerdns-recursor", "5", 0, "zone: 'coder'", NULL },
	{ "powerdns-recursor", "5.2", 0, "negative_trustanchors", NULL },
	{ "powerdns-recursor", "17", 0, "negative_trustanchors", NULL },
	{ "powerdns-recursor", "3", -EINVAL, NULL, "expected 4 or later" },
	{ "powerdns-recursor", "x", -EINVAL, NULL, "expected 4 or later" },
	{ "powerdns-recursor", "5x", -EINVAL, NULL, "expected 4 or later" },
	{ "knot-resolver", "5.7", 0, "policy.STUB", NULL },
	{ "knot-resolver", "6", 0, "forward:", NULL },
	{ "dnsmasq-forward", "2.93", 0, "trust-anchor=coder\n", NULL },
	{ "dnsmasq-forward", "2.90", 0, "server=/coder/", NULL },
	{ "dnsmasq", "3", 0, "trust-anchor=coder\n", NULL },
	{ "dnsmasq", "1.9", -EINVAL, NULL, "expected 2 or later" },
	{ "systemd-resolved", "252", 0, "resolved.conf.d/holdfast.conf", NULL },
	{ "systemd-resolved", "257.13", 0, "Domains=~coder", NULL },
	{ "systemd-resolved", "258", 0, "dns-delegate.d/holdfast.dns-delegate", NULL },
	{ "systemd-resolved", "262.1", 0, "Domains=coder", NULL },
	{ "systemd-resolved", "245", -EINVAL, NULL, "expected 246 or later" },
	{ "bind", "9", -EINVAL, NULL, "the same for all versions" },
};

START_TEST(lines_are_those_of_the_version)
{
	struct hf_config *c = config_of("sources: [{ name: a, suffix: coder }]\n");
	struct hf_setup_words w = words(1, "127.0.0.1");
	char *text = NULL, *told = NULL;
	size_t len, told_len;
	FILE *out = open_memstream(&text, &len), *err = open_memstream(&told, &told_len);

	ck_assert_int_eq(
	    hf_setup_print(c, &w, versions[_i].resolver, versions[_i].version, false, out, err),
	    versions[_i].rc);
	fclose(out);
	fclose(err);
	if (versions[_i].has)
		ck_assert_msg(strstr(text, versions[_i].has) != NULL, "%s", text);
	if (versions[_i].says)
		ck_assert_msg(strstr(told, versions[_i].says) != NULL, "%s", told);
	free(text);
	free(told);
	hf_config_free(c);
}
END_TEST

Suite *ctl_setup_suite(void)
{
	Suite *s = suite_create("ctl_setup");
	TCase *tc = tcase_create("setup");

	tcase_add_loop_test(tc, a_template_is_filled_in, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(
	    tc, every_kind_has_a_template_whose_words_are_known_and_that_names_all_of_ours);
	tcase_add_loop_test(tc, the_address_is_one_that_reaches_holdfast_dns, 0,
	    sizeof(listens) / sizeof(listens[0]));
	tcase_add_test(tc, suffixes_are_those_of_the_status_and_of_the_configuration_each_once);
	tcase_add_test(tc, a_suffix_that_the_server_tells_is_filled_in_for_adapters);
	tcase_add_test(tc, without_any_suffix_there_is_a_reason_and_no_lines);
	tcase_add_test(tc, json_has_each_file_with_its_path);
	tcase_add_loop_test(
	    tc, lines_are_those_of_the_version, 0, sizeof(versions) / sizeof(versions[0]));
	suite_add_tcase(s, tc);
	return s;
}
