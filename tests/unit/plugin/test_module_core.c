/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "plugin/counters.h"
#include "plugin/unbound/module_location.h"
#include "plugin/unbound/module_core.h"
#include "tests/support/zone_build.h"
#include "zone/answer.h"

Suite *module_core_suite(void);

static struct hf_zone_build build;
static struct hf_fake_clock now;
static struct hf_module_location place;
static struct hf_module_core *plug;
static char news[HF_MODULE_CORE_NEWS_MAX];

static void publish(uint32_t k)
{
	hf_zone_build_base(&build);
	hf_zone_build_name(&build, "main.dev.me.coder", k, 0);
	hf_zone_build_end(&build);
	hf_zone_build_publish(&build);
}

static void setup(void)
{
	hf_fake_clock_init(&now, 1000000, 1700000000000);
	hf_zone_build_open(&build);
	memset(&place, 0, sizeof(place));
	snprintf(place.zone, sizeof(place.zone), "%s", build.dir);
	ck_assert_int_eq(hf_module_core_new(&place, &now.clock, &plug), 0);
}

static void teardown(void)
{
	hf_module_core_free(plug);
	hf_zone_build_close(&build);
}

static const struct hf_answer *ask_of(
    struct hf_module_core *p, const char *text, uint16_t type, bool loopback)
{
	struct hf_module_core_question q = {
		.type = type, .class = HF_CLASS_IN, .from_loopback = loopback
	};
	struct hf_name name;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	q.name = name.wire;
	q.name_len = name.len;
	return hf_module_core_ask(p, &q);
}

static const struct hf_answer *ask(const char *text)
{
	return ask_of(plug, text, HF_TYPE_AAAA, true);
}

START_TEST(the_first_question_is_answered)
{
	const struct hf_answer *a;
	uint8_t addr[16];

	publish(7);
	a = ask("main.dev.me.coder");
	ck_assert_ptr_nonnull(a);
	ck_assert(a->has_answer);
	hf_zone_build_addr(7, addr);
	ck_assert_mem_eq(a->answer.rdata, addr, 16);
}
END_TEST

static const char *const foreign[] = { "example.com", "coder.example.com", "xcoder", "com" };

START_TEST(what_is_not_ours_is_passed_on)
{
	publish(7);
	ck_assert_ptr_null(ask(foreign[_i]));
}
END_TEST

START_TEST(another_class_is_passed_on)
{
	struct hf_module_core_question q = { (const uint8_t *)"\005coder", 7, HF_TYPE_SOA, 3,
		true };

	publish(7);
	ck_assert_ptr_null(hf_module_core_ask(plug, &q));
	q.class = HF_CLASS_IN;
	ck_assert_ptr_nonnull(hf_module_core_ask(plug, &q));
}
END_TEST

START_TEST(a_name_that_is_none_is_passed_on)
{
	static const uint8_t names[][4] = { { 0xc0, 12 }, { 3, 'a', 'b', 'c' }, { 64, 0 } };

	publish(7);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct hf_module_core_question q = { names[i], 4, HF_TYPE_AAAA, HF_CLASS_IN, true };

		ck_assert_ptr_null(hf_module_core_ask(plug, &q));
	}
}
END_TEST

START_TEST(without_a_zone_all_is_passed_on)
{
	ck_assert_ptr_null(ask("main.dev.me.coder"));
	publish(7);
	now.boot += 1100; /* a folder that is not there is looked for once a second */
	ck_assert_ptr_nonnull(ask("main.dev.me.coder"));
}
END_TEST

START_TEST(without_a_zone_a_suffix_that_was_told_is_not_ready)
{
	const struct hf_answer *a;

	hf_module_core_free(plug);
	ck_assert_int_eq(hf_name_parse("other", &place.suffixes[0]), 0);
	ck_assert_int_eq(hf_name_parse("coder", &place.suffixes[1]), 0);
	place.n_suffixes = 2;
	ck_assert_int_eq(hf_module_core_new(&place, &now.clock, &plug), 0);
	a = ask("main.dev.me.coder");
	ck_assert_ptr_nonnull(a);
	ck_assert_uint_eq(a->rcode, HF_RCODE_SERVFAIL);
	ck_assert_int_eq(a->ede, HF_EDE_NOT_READY);
	ck_assert_ptr_null(ask("example.com"));
	publish(7);
	now.boot += 1100;
	a = ask("main.dev.me.coder");
	ck_assert_uint_eq(a->rcode, HF_RCODE_NOERROR);
	ck_assert_ptr_null(ask("x.other")); /* now the zone says what is ours */
}
END_TEST

/* The number that the counters' record shows of `key`. */
static long counter(const char *key)
{
	const struct hf_answer *a = ask_of(plug, "_holdfast-counters.coder", HF_TYPE_TXT, true);
	char text[HF_COUNTERS_TXT_MAX + 1];
	const char *at;

	ck_assert_ptr_nonnull(a);
	ck_assert(a->has_answer);
	memcpy(text, a->answer.rdata, a->answer.rdlen);
	text[a->answer.rdlen] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "name=unbound"));
	at = strstr(text, key);
	ck_assert_ptr_nonnull(at);
	return strtol(at + strlen(key) + 1, NULL, 10);
}

static void *ask_twice(void *arg)
{
	(void)arg;
	ask("main.dev.me.coder");
	ask("nobody.coder");
	ask("example.com");
	return NULL;
}

START_TEST(counters_are_the_sum_of_all_threads)
{
	pthread_t threads[5];

	publish(7);
	for (size_t i = 0; i < 5; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_twice, NULL), 0);
	for (size_t i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(counter("answers"), 10);
	ck_assert_int_eq(counter("negative"), 5);
	ck_assert_int_eq(counter("refused"), 0); /* what is passed on is not counted */
	ck_assert_uint_eq(
	    ask_of(plug, "_holdfast-counters.coder", HF_TYPE_TXT, false)->rcode, HF_RCODE_NXDOMAIN);
}
END_TEST

/* As many as unbound could ever have, each for a moment. */
START_TEST(more_threads_than_seats_are_answered_too)
{
	publish(7);
	for (size_t i = 0; i < 300; i++) {
		pthread_t thread;

		ck_assert_int_eq(pthread_create(&thread, NULL, ask_twice, NULL), 0);
		pthread_join(thread, NULL);
	}
	ck_assert_int_eq(counter("answers"), 600);
}
END_TEST

/*
 * A thread outlives the plug, as unbound's first thread does at a reload, and takes its seat in the
 * next.
 */
START_TEST(a_new_plug_has_new_seats)
{
	publish(7);
	ck_assert_ptr_nonnull(ask("main.dev.me.coder"));
	hf_module_core_free(plug);
	ck_assert_int_eq(hf_module_core_new(&place, &now.clock, &plug), 0);
	ck_assert_ptr_nonnull(ask("main.dev.me.coder"));
	ck_assert_int_eq(counter("answers"), 1);
}
END_TEST

START_TEST(a_child_process_answers)
{
	int status;
	pid_t child;

	publish(7);
	child = fork();
	if (!child)
		_exit(ask("main.dev.me.coder") ? 0 : 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(news_are_told_once)
{
	ask("coder");
	ck_assert_int_eq(hf_module_core_news(plug, 1, news), HF_MODULE_CORE_TROUBLE);
	ck_assert_ptr_nonnull(strstr(news, build.dir));
	ck_assert_ptr_nonnull(strstr(news, "passed on"));
	ck_assert_int_eq(hf_module_core_news(plug, 1, news), HF_MODULE_CORE_NOTHING);
	ck_assert_int_eq(hf_module_core_news(plug, 2, news), HF_MODULE_CORE_NOTHING);
	publish(7);
	now.boot += 1100;
	ask("coder");
	/* not yet another second */
	ck_assert_int_eq(hf_module_core_news(plug, 2, news), HF_MODULE_CORE_NOTHING);
	ck_assert_int_eq(hf_module_core_news(plug, 3, news), HF_MODULE_CORE_GOOD);
	ck_assert_ptr_nonnull(strstr(news, "answers out of"));
	ck_assert_int_eq(hf_module_core_news(plug, 4, news), HF_MODULE_CORE_NOTHING);
}
END_TEST

START_TEST(trouble_with_a_picture_at_hand_says_that_it_stays)
{
	publish(7);
	ask("coder");
	ck_assert_int_eq(hf_module_core_news(plug, 1, news), HF_MODULE_CORE_GOOD);
	hf_zone_build_clear(&build);
	now.boot += 1100;
	ck_assert_ptr_nonnull(ask("main.dev.me.coder"));
	ck_assert_int_eq(hf_module_core_news(plug, 2, news), HF_MODULE_CORE_TROUBLE);
	ck_assert_ptr_nonnull(strstr(news, "stays"));
	ck_assert_ptr_null(strstr(news, "passed on"));
}
END_TEST

enum { ASKERS = 4, LIVES = 2 };
static atomic_bool enough;
static atomic_uint bad;

static void *ask_on(void *arg)
{
	(void)arg;
	while (!atomic_load(&enough)) {
		const struct hf_answer *a = ask("main.dev.me.coder");
		char text[HF_MODULE_CORE_NEWS_MAX];

		if (!a || !a->has_answer || a->answer.n != 1)
			atomic_fetch_add(&bad, 1);
		hf_module_core_news(plug, (int64_t)(uintptr_t)a, text);
	}
	return NULL;
}

START_TEST(threads_ask_while_zones_change)
{
	for (uint32_t life = 0; life < LIVES; life++) {
		pthread_t threads[ASKERS];

		publish(1);
		atomic_store(&enough, false);
		hf_module_core_free(plug);
		ck_assert_int_eq(hf_module_core_new(&place, &hf_clock_system, &plug), 0);
		for (size_t i = 0; i < ASKERS; i++)
			ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_on, NULL), 0);
		for (uint32_t k = 1; k < 20; k++) {
			publish(k);
			usleep(11000);
		}
		atomic_store(&enough, true);
		for (size_t i = 0; i < ASKERS; i++)
			pthread_join(threads[i], NULL);
	}
	ck_assert_uint_eq(atomic_load(&bad), 0);
}
END_TEST

Suite *module_core_suite(void)
{
	Suite *s = suite_create("module_core");
	TCase *tc = tcase_create("plug");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_first_question_is_answered);
	tcase_add_loop_test(
	    tc, what_is_not_ours_is_passed_on, 0, sizeof(foreign) / sizeof(foreign[0]));
	tcase_add_test(tc, another_class_is_passed_on);
	tcase_add_test(tc, a_name_that_is_none_is_passed_on);
	tcase_add_test(tc, without_a_zone_all_is_passed_on);
	tcase_add_test(tc, without_a_zone_a_suffix_that_was_told_is_not_ready);
	tcase_add_test(tc, counters_are_the_sum_of_all_threads);
	tcase_add_test(tc, more_threads_than_seats_are_answered_too);
	tcase_add_test(tc, a_new_plug_has_new_seats);
	tcase_add_test(tc, a_child_process_answers);
	tcase_add_test(tc, news_are_told_once);
	tcase_add_test(tc, trouble_with_a_picture_at_hand_says_that_it_stays);
	tcase_add_test(tc, threads_ask_while_zones_change);
	suite_add_tcase(s, tc);
	return s;
}
