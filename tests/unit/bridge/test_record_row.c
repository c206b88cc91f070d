/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/front/record_row.h"

Suite *record_row_suite(void);

static const struct hf_record_row row = { .name = "main.dev.me.coder",
	.data = "fd60:627a:a42b::7",
	.ttl_s = 30,
	.source = "main",
	.owner = "alice",
	.workspace = "",
	.state = "held",
	.first_seen_s = 1000000000 };

static char *written(enum hf_record_form form, const struct hf_record_row *r)
{
	char *text = NULL;
	size_t len = 0;
	struct hf_record_writer w = { .out = open_memstream(&text, &len), .form = form };

	hf_record_row_write(&w, r);
	fclose(w.out);
	return text;
}

static const struct {
	enum hf_record_form form;
	const char *want;
} rows[] = {
	{ HF_RECORD_JSON,
	    "{\"name\":\"main.dev.me.coder\",\"type\":\"AAAA\",\"data\":\"fd60:627a:a42b::7\",\"ttl\":30,\"source\":\"main\",\"owner\":\"alice\",\"workspace\":null,\"agent\":null,"
	    "\"agent_id\":null,\"state\":\"held\",\"first_seen\":\"2001-09-09T01:46:40Z\",\"last_confirmed\":null}" },
	{ HF_RECORD_TEXT,
	    "main.dev.me.coder                        fd60:627a:a42b::7                       held" },
	{ HF_RECORD_HOSTS, "fd60:627a:a42b::7 main.dev.me.coder" },
	{ HF_RECORD_ZONE, "main.dev.me.coder. 30 IN AAAA fd60:627a:a42b::7" },
};

START_TEST(a_row_has_the_form_that_is_wanted)
{
	char *text = written(rows[_i].form, &row);
	enum hf_record_form form;

	ck_assert_str_eq(text, rows[_i].want);
	free(text);
	ck_assert(hf_record_row_form_parse(hf_record_row_form_name(rows[_i].form), &form));
	ck_assert_int_eq(form, rows[_i].form);
}
END_TEST

/* Names are checked long before; still no byte may end a text early. */
START_TEST(any_byte_of_a_text_stays_within_it)
{
	char odd[257];
	struct hf_record_row r = row;
	char *text;
	json_t *object;
	const char *agent;

	for (int i = 1; i < 256; i++)
		odd[i - 1] = (char)i;
	odd[255] = '\0';
	r.agent = odd;
	text = written(HF_RECORD_JSON, &r);
	object = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(object);
	agent = json_string_value(json_object_get(object, "agent"));
	ck_assert_int_eq(strncmp(agent, odd, 127), 0);
	ck_assert_ptr_null(strchr(text, '\n'));
	json_decref(object);
	free(text);
}
END_TEST

START_TEST(times_that_change_are_written_as_they_are)
{
	char *text = NULL;
	size_t len = 0;
	struct hf_record_writer w = { .out = open_memstream(&text, &len), .form = HF_RECORD_JSON };
	struct hf_record_row r = row;

	for (int i = 0; i < 3; i++) {
		r.confirmed_s = i == 1 ? 0 : 1000000000 + i;
		hf_record_row_write(&w, &r);
	}
	fclose(w.out);
	ck_assert(strstr(text, "\"last_confirmed\":\"2001-09-09T01:46:40Z\"}{"));
	ck_assert(strstr(text, "\"last_confirmed\":null}{"));
	ck_assert(strstr(text, "\"last_confirmed\":\"2001-09-09T01:46:42Z\"}"));
	free(text);
}
END_TEST

static const struct {
	const char *pattern, *suffix, *state;
	bool stale, answered, want;
	const char *data;
} filters[] = {
	{ NULL, NULL, "live", false, false, true, "fd60:627a:a42b::7" },
	{ NULL, NULL, "live", false, false, false, "fd60:627a:a42b::8" },
	{ NULL, NULL, "live", false, false, true, "" },
	{ "", NULL, "live", false, false, true, NULL },
	{ NULL, NULL, "live", true, false, false, NULL },
	{ NULL, NULL, "stale", true, false, true, NULL },
	{ NULL, NULL, "withdrawn", false, true, false, NULL },
	{ NULL, NULL, "withdrawn", false, false, true, NULL },
	{ "MAIN.*.coder", NULL, "live", false, false, true, NULL },
	{ "other.*", NULL, "live", false, false, false, NULL },
	{ NULL, "coder", "live", false, false, true, NULL },
	{ NULL, "oder", "live", false, false, false, NULL },
	{ NULL, "lab", "live", false, false, false, NULL },
};

START_TEST(a_filter_takes_what_it_says)
{
	struct hf_name wire, suffix;
	struct hf_record_row r = row;
	struct hf_record_filter f = { .pattern = filters[_i].pattern,
		.stale = filters[_i].stale,
		.suffix = filters[_i].suffix ? &suffix : NULL,
		.answered = filters[_i].answered,
		.data = filters[_i].data };

	ck_assert_int_eq(hf_name_parse(row.name, &wire), 0);
	if (filters[_i].suffix)
		ck_assert_int_eq(hf_name_parse(filters[_i].suffix, &suffix), 0);
	r.state = filters[_i].state;
	ck_assert_int_eq(hf_record_row_wanted(&f, &r, &wire), filters[_i].want);
}
END_TEST

Suite *record_row_suite(void)
{
	Suite *s = suite_create("record_row");
	TCase *tc = tcase_create("row");

	tcase_add_loop_test(
	    tc, a_row_has_the_form_that_is_wanted, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, any_byte_of_a_text_stays_within_it);
	tcase_add_test(tc, times_that_change_are_written_as_they_are);
	tcase_add_loop_test(
	    tc, a_filter_takes_what_it_says, 0, sizeof(filters) / sizeof(filters[0]));
	suite_add_tcase(s, tc);
	return s;
}
