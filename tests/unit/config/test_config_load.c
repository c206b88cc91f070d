/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "bridge/stream/wire/limits.h"
#include "tests/unit/config/config_kit.h"

Suite *config_load_suite(void);

/* Loads; the first line of what is told, "" if it was taken. Static. */
static const char *load(const char *path, int *ret_rc)
{
	static char text[1400];
	struct hf_config_errors e;
	struct hf_config *c = NULL;

	*ret_rc = hf_config_load(path, 0, &c, &e);
	*text = '\0';
	if (e.n)
		hf_config_error_text(&e, 0, text, sizeof(text));
	ck_assert_int_eq(*ret_rc == 0, c != NULL);
	ck_assert_int_eq(*ret_rc == 0, e.n == 0);
	hf_config_free(c);
	return text;
}

static const struct {
	unsigned mode;
	unsigned folder;
	const char *want; /* after the path */
} rows[] = {
	{ 0644, 0755, "" },
	{ 0600, 0700, "" },
	{ 0666, 0755, ": refused: others may write it (mode 0666); chmod go-w it" },
	{ 0664, 0755, ": refused: others may write it (mode 0664); chmod go-w it" },
	{ 0644, 0777, ": refused: others may write its folder" },
	{ 0644, 01777, "" },
};

START_TEST(a_file_that_others_may_write_is_refused)
{
	const char *path = temp_file("holdfast.yaml", "ttl: 5\n", rows[_i].mode);
	char folder[300];
	const char *said;
	int rc;

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	ck_assert_int_eq(chmod(folder, rows[_i].folder), 0);
	said = load(path, &rc);
	ck_assert_int_eq(rc, rows[_i].want[0] ? HF_EUNSAFE : 0);
	if (rows[_i].want[0]) {
		ck_assert_int_eq(strncmp(said, path, strlen(path)), 0);
		said += strlen(path);
	}
	ck_assert_int_eq(strncmp(said, rows[_i].want, strlen(rows[_i].want)), 0);
}
END_TEST

START_TEST(a_file_of_another_user_is_refused)
{
	const char *path = temp_file("holdfast.yaml", "ttl: 5\n", 0644);
	int rc;

	if (geteuid() != 0)
		return; /* only root can give a file away */
	ck_assert_int_eq(chown(path, 12345, 12345), 0);
	ck_assert_ptr_nonnull(strstr(load(path, &rc), "it belongs to user 12345"));
	ck_assert_int_eq(rc, HF_EUNSAFE);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_said_to_be_so)
{
	int rc;

	ck_assert_str_eq(load("/nonexistent/x.yaml", &rc),
	    "/nonexistent/x.yaml: cannot be read: No such file or directory");
	ck_assert_int_eq(rc, -2);
	ck_assert_ptr_nonnull(strstr(load("/", &rc), "no regular file"));
}
END_TEST

START_TEST(a_file_of_more_than_a_mebibyte_is_refused)
{
	char *text = calloc(1, HF_CONFIG_BYTES_MAX + 10);
	const char *path;
	int rc;

	ck_assert_ptr_nonnull(text);
	memset(text, '#', HF_CONFIG_BYTES_MAX + 9);
	path = temp_file("x.yaml", text, 0644);
	ck_assert_ptr_nonnull(strstr(load(path, &rc), ": larger than 1048576 bytes"));
	ck_assert_int_eq(rc, HF_ECONFIG);
	free(text);
}
END_TEST

START_TEST(a_minimal_file_has_all_defaults)
{
	struct hf_config *c =
	    config_of("sources:\n  - url: https://coder.example.com\n    token-file: /t\n");
	const struct hf_config_source *s = &c->sources.at[0];

	ck_assert_str_eq(c->store, "/var/lib/holdfast/store.db");
	ck_assert_str_eq(c->zone, "/var/lib/holdfast/zone");
	ck_assert_str_eq(c->control, "/run/holdfast/control.sock");
	ck_assert_ptr_null(c->control_group);
	ck_assert_int_eq(c->ttl_s, 30);
	ck_assert_int_eq(c->provenance, HF_PROVENANCE_LOOPBACK);
	ck_assert_int_eq(c->not_ready, HF_NOT_READY_SERVFAIL);
	ck_assert_uint_eq(c->sources.n, 1);
	ck_assert_str_eq(s->name, "main");
	ck_assert_str_eq(s->url, "https://coder.example.com");
	ck_assert_uint_eq(s->owners.n, 1);
	ck_assert_str_eq(s->owners.at[0], "me");
	ck_assert_uint_eq(s->suffix.len, 0);
	ck_assert(!s->sentinel);
	ck_assert_int_eq(s->snapshot_interval_ms, 600000);
	ck_assert_int_eq(s->fresh_window_ms, 60000);
	ck_assert_int_eq(s->max_message, 64 << 20);
	ck_assert_int_eq(s->retry.floor_ms, 50);
	ck_assert_int_eq(s->retry.cap_ms, 10000);
	ck_assert_int_eq(s->retry.permanent_ms, 300000);
	ck_assert_int_eq(s->retry.unauthorised_ms, 60000);
	ck_assert_int_eq(c->hold.policy, HF_CONFIG_HOLD_FOREVER);
	ck_assert_int_eq(c->guard.max_removal, 50);
	ck_assert_int_eq(c->guard.min_workspaces, 3);
	ck_assert_int_eq(c->guard.grace_ms, 600000);
	ck_assert_uint_eq(c->dns.listen.n, 2);
	ck_assert_int_eq(c->dns.threads, 1);
	ck_assert_int_eq(c->log.level, HF_LOG_INFO);
	hf_config_free(c);
}
END_TEST

START_TEST(the_limits_of_the_stream_are_those_that_it_has_by_itself)
{
	static const struct hf_stream_limits own = HF_STREAM_LIMITS_DEFAULT;
	struct hf_config *c = config_of("");
	const struct hf_config_limits *l = &c->sources.at[0].limits;

	ck_assert_uint_eq((size_t)c->sources.at[0].max_message, own.message);
	ck_assert_uint_eq((size_t)l->record, own.record);
	ck_assert_uint_eq((size_t)l->results, own.results);
	ck_assert_uint_eq((size_t)l->drpc_frame, own.drpc_frame);
	ck_assert_uint_eq((size_t)l->drpc_frames, own.drpc_frames);
	ck_assert_uint_eq((size_t)l->ws_frame, own.ws_frame);
	ck_assert_uint_eq((size_t)l->head, own.head);
	ck_assert_uint_eq((size_t)l->head_fields, own.head_fields);
	ck_assert_uint_eq((size_t)l->pongs, own.pongs);
	ck_assert_uint_eq((size_t)l->control, own.control);
	ck_assert_uint_eq((size_t)l->control_span_ms, own.control_span_ms);
	ck_assert_uint_eq((size_t)l->unsent, own.unsent);
	/* Streams are ours to open: as many as there may be owners. */
	ck_assert_int_ge(l->streams, 10000);
	hf_config_free(c);
}
END_TEST

static const char *const empty[] = { "", "{}\n", "---\n", "# nothing\n" };

START_TEST(an_empty_file_is_one_source_of_the_environment)
{
	struct hf_config *c = config_of(empty[_i]);

	ck_assert_uint_eq(c->sources.n, 1);
	ck_assert_ptr_null(c->sources.at[0].url);
	ck_assert_ptr_eq(hf_config_source(c, "main"), &c->sources.at[0]);
	ck_assert_ptr_null(hf_config_source(c, "other"));
	hf_config_free(c);
	hf_config_free(NULL);
}
END_TEST

START_TEST(a_refused_file_gives_nothing)
{
	struct hf_config *c = (struct hf_config *)&c;
	struct hf_config_errors e;

	ck_assert_int_eq(hf_config_parse("t", "ttl: 0\n", 7, 0, &c, &e), HF_ECONFIG);
	ck_assert_ptr_eq(c, &c);
}
END_TEST

/* Of a file with errors: what is left, and what was dropped. */
static const struct {
	const char *text;
	size_t n_errors;
	const char *control; /* NULL: the default */
	size_t n_sources, n_adapters;
	long long ttl_s;
} salvaged[] = {
	{ "control: /a.sock\nttl: 20\n", 0, "/a.sock", 1, 0, 20 },
	{ "ttl: 0\ncontrol: /a.sock\n", 1, "/a.sock", 1, 0, 30 },
	{ "contrl: /b\ncontrol: /a.sock\nttl: x\n", 2, "/a.sock", 1, 0, 30 },
	{ "control: /a.sock\nsources: [{ name: a }, { name: b, frsh: 1 }]\nttl: 20\n", 1, "/a.sock",
	    1, 0, 20 },
	{ "control: /a.sock\nadapters: [{ type: dnsmasq, ask: 127.0.0.1@53 }]\n", 1, "/a.sock", 1,
	    0, 30 },
	{ "control: /a.sock\nadapters: [{ type: hook, command: [/h] }, { type: hoook }]\n", 1,
	    "/a.sock", 1, 0, 30 },
	/* No YAML: what stands before counts. */
	{ "control: /a.sock\nttl: 20\nsources:\n\t- name: a\n", 1, "/a.sock", 1, 0, 20 },
	{ "control: /a.sock\nsources: [{ name: a }\nttl: 20\n", 1, "/a.sock", 1, 0, 30 },
	{ "\tcontrol: /a.sock\n", 1, NULL, 1, 0, 30 },
	{ "ttl: [\ncontrol: /a.sock\n", 1, NULL, 1, 0, 30 },
	{ "just words\n", 1, NULL, 1, 0, 30 },
};

START_TEST(what_is_left_of_a_file_with_errors_is_usable)
{
	const char *path = temp_file("holdfast.yaml", salvaged[_i].text, 0600);
	struct hf_config *c = NULL;
	struct hf_config_errors e;

	ck_assert_int_eq(hf_config_salvage(path, &c, &e), salvaged[_i].n_errors ? HF_ECONFIG : 0);
	ck_assert_uint_eq(e.n, salvaged[_i].n_errors);
	ck_assert_str_eq(
	    c->control, salvaged[_i].control ? salvaged[_i].control : "/run/holdfast/control.sock");
	ck_assert_uint_eq(c->sources.n, salvaged[_i].n_sources);
	ck_assert_uint_eq(c->adapters.n, salvaged[_i].n_adapters);
	ck_assert_int_eq(c->ttl_s, salvaged[_i].ttl_s);
	hf_config_free(c);
}
END_TEST

static const struct {
	const char *file; /* NULL: there is none */
	unsigned mode;
	int rc;
} untaken[] = { { NULL, 0, -ENOENT }, { "control: /a.sock\n", 0666, HF_EUNSAFE } };

START_TEST(of_a_file_that_is_not_safe_or_not_there_nothing_is_taken)
{
	const char *path = untaken[_i].file
			       ? temp_file("holdfast.yaml", untaken[_i].file, untaken[_i].mode)
			       : "/nowhere/holdfast.yaml";
	struct hf_config *c = NULL;
	struct hf_config_errors e;

	ck_assert_int_eq(hf_config_salvage(path, &c, &e), untaken[_i].rc);
	ck_assert_uint_eq(e.n, 1);
	ck_assert_str_eq(c->control, "/run/holdfast/control.sock");
	hf_config_free(c);
}
END_TEST

START_TEST(whether_listen_is_in_the_file_is_known)
{
	struct hf_config *c = NULL;
	struct hf_config_errors e;
	const char *given = "dns: { listen: [127.0.0.1@5453] }\n", *not = "dns: { threads: 2 }\n";

	ck_assert_int_eq(hf_config_parse("t", given, strlen(given), 0, &c, &e), 0);
	ck_assert(c->dns.listen_given);
	hf_config_free(c);
	ck_assert_int_eq(hf_config_parse("t", not, strlen(not ), 0, &c, &e), 0);
	ck_assert(!c->dns.listen_given);
	hf_config_free(c);
}
END_TEST

Suite *config_load_suite(void)
{
	Suite *s = suite_create("config_load");
	TCase *tc = tcase_create("load");

	tcase_add_loop_test(tc, a_file_that_others_may_write_is_refused, 0, N(rows));
	tcase_add_test(tc, a_file_of_another_user_is_refused);
	tcase_add_test(tc, a_file_that_is_not_there_is_said_to_be_so);
	tcase_add_test(tc, a_file_of_more_than_a_mebibyte_is_refused);
	tcase_add_test(tc, a_minimal_file_has_all_defaults);
	tcase_add_test(tc, the_limits_of_the_stream_are_those_that_it_has_by_itself);
	tcase_add_loop_test(tc, an_empty_file_is_one_source_of_the_environment, 0, N(empty));
	tcase_add_test(tc, a_refused_file_gives_nothing);
	tcase_add_loop_test(tc, what_is_left_of_a_file_with_errors_is_usable, 0, N(salvaged));
	tcase_add_loop_test(
	    tc, of_a_file_that_is_not_safe_or_not_there_nothing_is_taken, 0, N(untaken));
	tcase_add_test(tc, whether_listen_is_in_the_file_is_known);
	suite_add_tcase(s, tc);
	return s;
}
