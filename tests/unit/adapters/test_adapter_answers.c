/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/adapter_answers.h"

#include <errno.h>

#include <check.h>

#include "tests/unit/adapters/kit_host.h"

Suite *adapter_answers_suite(void);

static struct kit_host kit;
static struct hf_adapter_answers answers;
static unsigned n_parts;

/* A listing in three parts, of which each is a turn. */
static void list_part(struct hf_adapter *a)
{
	bool last = ++n_parts == 3;

	if (!last)
		hf_adapter_answers_due(&answers, HF_ANSWER_LIST);
	kit.host.listed(kit.host.arg, NULL, last ? 0 : 1, 0, "");
}

static const hf_adapter_step gives[HF_ANSWERS] = { [HF_ANSWER_LIST] = list_part };

static void setup(void)
{
	kit_host_open(&kit);
	n_parts = 0;
	ck_assert_int_eq(
	    hf_adapter_answers_init(&answers, kit.host.base, NULL, &kit.host, gives), 0);
}

static void teardown(void)
{
	hf_adapter_answers_done(&answers);
	kit_host_close(&kit);
}

START_TEST(an_answer_comes_once_and_from_the_loop)
{
	hf_adapter_answers_verified(&answers, -EIO, "no answer");
	hf_adapter_answers_verified(&answers, -EIO, "no answer at all");
	ck_assert_str_eq(kit.told, "");
	kit_host_run(&kit);
	kit_host_run(&kit);
	ck_assert_str_eq(kit.told, "verified -5 no answer at all\n");
}
END_TEST

START_TEST(what_is_due_comes_in_its_order)
{
	hf_adapter_answers_examined(&answers);
	hf_adapter_answers_verified(&answers, 0, "");
	hf_adapter_answers_due(&answers, HF_ANSWER_LIST);
	hf_adapter_answers_lost(&answers, "restarted");
	for (int i = 0; i < 10; i++)
		kit_host_run(&kit);
	ck_assert_str_eq(kit.told,
	    "lost restarted\nlisted 1 0\nlisted 1 0\nlisted 0 0\nverified 0 \nexamined\n");
}
END_TEST

static unsigned n_turns;

static void on_turn_between(evutil_socket_t fd, short what, void *arg)
{
	n_turns++;
}

static void note_turns(void *arg)
{
	*(unsigned *)arg = n_turns;
}

/* Others of the loop come between two of them. */
START_TEST(one_is_given_a_turn)
{
	struct event *other = event_new(kit.host.base, -1, EV_PERSIST, on_turn_between, NULL);

	unsigned before_last = 0;

	n_turns = 0;
	kit.then = note_turns;
	kit.arg = &before_last;
	hf_adapter_answers_lost(&answers, "x");
	event_active(other, EV_TIMEOUT, 0);
	hf_adapter_answers_examined(&answers);
	kit_host_run(&kit);
	ck_assert_str_eq(kit.told, "lost x\nexamined\n");
	ck_assert_uint_eq(before_last, 1);
	event_free(other);
}
END_TEST

static void end_all(void *arg)
{
	hf_adapter_answers_done(&answers);
}

START_TEST(nothing_comes_after_one_in_which_the_adapter_ended)
{
	kit.then = end_all;
	hf_adapter_answers_lost(&answers, "x");
	hf_adapter_answers_verified(&answers, 0, "");
	hf_adapter_answers_examined(&answers);
	for (int i = 0; i < 5; i++)
		kit_host_run(&kit);
	ck_assert_str_eq(kit.told, "lost x\n");
}
END_TEST

START_TEST(nothing_comes_after_the_end)
{
	hf_adapter_answers_examined(&answers);
	hf_adapter_answers_done(&answers);
	kit_host_run(&kit);
	ck_assert_str_eq(kit.told, "");
}
END_TEST

Suite *adapter_answers_suite(void)
{
	Suite *s = suite_create("adapter_answers");
	TCase *tc = tcase_create("answers");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_answer_comes_once_and_from_the_loop);
	tcase_add_test(tc, what_is_due_comes_in_its_order);
	tcase_add_test(tc, one_is_given_a_turn);
	tcase_add_test(tc, nothing_comes_after_one_in_which_the_adapter_ended);
	tcase_add_test(tc, nothing_comes_after_the_end);
	suite_add_tcase(s, tc);
	return s;
}
