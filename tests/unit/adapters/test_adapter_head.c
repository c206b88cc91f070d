/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/adapter_head.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/adapters/kit_host.h"

enum { WARN_ONE };

Suite *adapter_head_suite(void);

static const struct hf_adapter_type type = { .name = "some" };
static const char *const codes[] = { [WARN_ONE] = "one" };

static void give_list(struct hf_adapter *a)
{
	a->host->listed(a->host->arg, NULL, 0, 0, "");
}

static void begin_job(struct hf_adapter *a)
{
	hf_adapter_job_start(&a->job, 1);
}

static const struct hf_adapter_parts parts = { .type = &type,
	.answers = { [HF_ANSWER_LIST] = give_list },
	.idle = begin_job,
	.warnings = codes };

static struct kit_host kit;
static struct hf_adapter *a;

static void setup(void)
{
	const struct hf_config_adapter *config = (void *)&kit;

	kit_host_open(&kit);
	a = calloc(1, sizeof(*a));
	ck_assert_int_eq(hf_adapter_init(a, &parts, config, &kit.host), 0);
	ck_assert_ptr_eq(a->config, config);
	ck_assert_ptr_eq(a->host, &kit.host);
	ck_assert_str_eq(a->type->name, "some");
}

static void teardown(void)
{
	hf_adapter_done(a);
	free(a);
	kit_host_close(&kit);
}

START_TEST(its_parts_are_bound_to_it)
{
	hf_adapter_warnings_set(&a->warnings, WARN_ONE, "x");
	hf_adapter_answers_due(&a->answers, HF_ANSWER_LIST);
	hf_adapter_job_next(&a->job);
	ck_assert(hf_adapter_job_is_under_way(&a->job));
	kit_host_run(&kit);
	ck_assert_str_eq(kit.told, "warn one x\nlisted 0 0\n");
}
END_TEST

START_TEST(zones_are_kept_and_no_more_than_fit)
{
	struct hf_name *names = calloc(2 * HF_ADAPTER_SUFFIXES_MAX, sizeof(*names));
	char text[20];

	for (int i = 0; i < 2 * HF_ADAPTER_SUFFIXES_MAX; i++) {
		snprintf(text, sizeof(text), "s%d.example", i);
		ck_assert_int_eq(hf_name_parse(text, &names[i]), 0);
	}
	hf_adapter_keep_zones(a, names, 2, 30);
	ck_assert_uint_eq(a->n_suffixes, 2);
	ck_assert(hf_name_equal(&a->suffixes[1], &names[1]));
	ck_assert_uint_eq(a->ttl_s, 30);
	hf_adapter_keep_zones(a, names, 2 * HF_ADAPTER_SUFFIXES_MAX, 30);
	ck_assert_uint_eq(a->n_suffixes, HF_ADAPTER_SUFFIXES_MAX);
	hf_adapter_keep_zones(a, NULL, 0, 60);
	ck_assert_uint_eq(a->n_suffixes, 0);
	ck_assert_uint_eq(a->ttl_s, 60);
	free(names);
}
END_TEST

Suite *adapter_head_suite(void)
{
	Suite *s = suite_create("adapter_head");
	TCase *tc = tcase_create("head");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, its_parts_are_bound_to_it);
	tcase_add_test(tc, zones_are_kept_and_no_more_than_fit);
	suite_add_tcase(s, tc);
	return s;
}
