/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/adapter_job.h"

#include <errno.h>
#include <string.h>

#include <check.h>
#include <event2/event.h>

enum { JOB_A = 1, JOB_B };

Suite *adapter_job_suite(void);

static struct event_base *base;
static struct hf_adapter_job job;
static unsigned n_steps, n_idle;
static char some_adapter;

static struct hf_adapter *adapter(void)
{
	return (struct hf_adapter *)(void *)&some_adapter;
}

static void run(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static void on_idle(struct hf_adapter *a)
{
	ck_assert_ptr_eq(a, adapter());
	if (n_idle++ < 2)
		hf_adapter_job_start(&job, JOB_B);
}

static void count_step(struct hf_adapter *a)
{
	ck_assert_ptr_eq(a, adapter());
	n_steps++;
}

static void setup(void)
{
	base = event_base_new();
	n_steps = n_idle = 0;
	ck_assert_int_eq(hf_adapter_job_init(&job, base, adapter(), on_idle), 0);
}

static void teardown(void)
{
	hf_adapter_job_done(&job);
	event_base_free(base);
}

START_TEST(a_step_comes_when_all_is_back_and_from_the_loop)
{
	hf_adapter_job_start(&job, JOB_A);
	hf_adapter_job_step(&job, count_step);
	hf_adapter_job_wait(&job);
	hf_adapter_job_arrived(&job); /* at once, before the other one has begun */
	hf_adapter_job_wait(&job);
	hf_adapter_job_arrived(&job);
	run();
	ck_assert_uint_eq(n_steps, 0);
	hf_adapter_job_arrived(&job);
	ck_assert_uint_eq(n_steps, 0);
	run();
	ck_assert_uint_eq(n_steps, 1);
	run();
	ck_assert_uint_eq(n_steps, 1);
}
END_TEST

START_TEST(a_step_of_nothing_comes_too)
{
	hf_adapter_job_start(&job, JOB_A);
	hf_adapter_job_step(&job, count_step);
	hf_adapter_job_arrived(&job);
	ck_assert_uint_eq(n_steps, 0);
	run();
	ck_assert_uint_eq(n_steps, 1);
}
END_TEST

START_TEST(the_first_trouble_of_a_job_is_kept)
{
	char text[2 * HF_ADAPTER_TEXT_MAX];

	hf_adapter_job_start(&job, JOB_A);
	ck_assert_int_eq(job.code, 0);
	hf_adapter_job_fail(&job, -EIO, "it is %s", "broken");
	hf_adapter_job_fail(&job, -ENOMEM, "something else");
	ck_assert_int_eq(job.code, -EIO);
	ck_assert_str_eq(job.text, "it is broken");
	hf_adapter_job_end(&job);
	hf_adapter_job_start(&job, JOB_B);
	ck_assert_int_eq(job.code, 0);
	ck_assert_str_eq(job.text, "");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	hf_adapter_job_fail(&job, -EIO, "%s", text);
	ck_assert_uint_eq(strlen(job.text), HF_ADAPTER_TEXT_MAX - 1);
}
END_TEST

START_TEST(there_is_one_job_at_a_time)
{
	ck_assert(!hf_adapter_job_is_under_way(&job));
	hf_adapter_job_next(&job);
	ck_assert_uint_eq(n_idle, 1);
	ck_assert(hf_adapter_job_is_under_way(&job));
	ck_assert_int_eq(job.kind, JOB_B);
	hf_adapter_job_next(&job);
	ck_assert_uint_eq(n_idle, 1);
	hf_adapter_job_end(&job);
	ck_assert(!hf_adapter_job_is_under_way(&job));
	hf_adapter_job_next(&job);
	ck_assert_uint_eq(n_idle, 2);
}
END_TEST

START_TEST(nothing_comes_after_the_end)
{
	hf_adapter_job_start(&job, JOB_A);
	hf_adapter_job_step(&job, count_step);
	hf_adapter_job_arrived(&job);
	hf_adapter_job_done(&job);
	run();
	hf_adapter_job_next(&job);
	ck_assert_uint_eq(n_steps + n_idle, 0);
}
END_TEST

Suite *adapter_job_suite(void)
{
	Suite *s = suite_create("adapter_job");
	TCase *tc = tcase_create("job");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_step_comes_when_all_is_back_and_from_the_loop);
	tcase_add_test(tc, a_step_of_nothing_comes_too);
	tcase_add_test(tc, the_first_trouble_of_a_job_is_kept);
	tcase_add_test(tc, there_is_one_job_at_a_time);
	tcase_add_test(tc, nothing_comes_after_the_end);
	suite_add_tcase(s, tc);
	return s;
}
