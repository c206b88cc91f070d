/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message that is too large for one turn of the loop: taken up in slices, and as whole as any
 * other, whatever happens between two of them.
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/state/objects.h"
#include "config/config.h"
#include "tests/unit/bridge/engine_kit.h"

Suite *engine_update_suite(void);

enum { LARGE = 6000, SMALL = 5 };

static struct engine_kit k;
static unsigned released;

static void setup(void)
{
	engine_kit_init(&k);
	engine_kit_open(&k);
	engine_kit_snapshot(&k, SMALL);
	released = 0;
}

static void teardown(void)
{
	engine_kit_done(&k);
}

static size_t n_names(void)
{
	return hf_state_n_names(hf_engine_state(k.engine));
}

static uint64_t generation(void)
{
	return hf_store_generation(hf_engine_store(k.engine));
}

static void release(struct hf_update *update)
{
	ck_assert_uint_eq(update->n_upserted_workspaces, LARGE);
	free(update);
	released++;
}

/* One of the caller's own, which release() ends. */
static struct hf_update *message(unsigned n)
{
	struct hf_update *u = malloc(sizeof(*u));

	ck_assert_ptr_nonnull(u);
	*u = *engine_kit_message(n);
	return u;
}

static void begin(void)
{
	struct hf_judgement j;

	ck_assert_int_eq(hf_engine_update_begin(k.engine, "main", message(LARGE), release, &j), 1);
	ck_assert(hf_engine_updating(k.engine));
	ck_assert(hf_engine_busy(k.engine));
}

/* To the end of the message, which is not the end of its way to the disk. */
static unsigned finish(void)
{
	unsigned n = 0;

	for (; hf_engine_updating(k.engine); n++)
		ck_assert_int_eq(hf_engine_work(k.engine), 0);
	ck_assert_uint_eq(released, 1);
	return n;
}

START_TEST(a_small_message_is_judged_at_once_and_stays_the_callers)
{
	struct hf_update *u = message(SMALL + 1);
	struct hf_judgement j;

	ck_assert_int_eq(hf_engine_update_begin(k.engine, "main", u, release, &j), 0);
	ck_assert_int_eq(j.verdict, HF_VERDICT_ACCEPTED);
	ck_assert(!hf_engine_busy(k.engine));
	ck_assert_uint_eq(released, 0);
	ck_assert_uint_eq(n_names(), 3 * (SMALL + 1));
	ck_assert_int_eq(hf_engine_outcome(k.engine, "main", &j), -ENOENT);
	free(u);
}
END_TEST

START_TEST(a_large_message_is_taken_up_in_slices_and_then_told)
{
	uint64_t before = generation();
	struct hf_judgement j;

	begin();
	ck_assert_int_eq(hf_engine_outcome(k.engine, "main", &j), 1);
	ck_assert_uint_ge(finish(), 4);
	/* Nothing of it is on the disk before its end. */
	ck_assert_uint_eq(generation(), before);
	ck_assert_uint_eq(n_names(), 3 * LARGE);
	ck_assert(!hf_engine_busy(k.engine));
	ck_assert_int_eq(hf_engine_outcome(k.engine, "nobody", &j), -ENOENT);
	ck_assert_int_eq(hf_engine_outcome(k.engine, "main", &j), 0);
	ck_assert_int_eq(j.verdict, HF_VERDICT_ACCEPTED);
	ck_assert_int_eq(hf_engine_outcome(k.engine, "main", &j), -ENOENT);
	for (int i = 0; i < 1000 && engine_kit_published(&k) != 3 * LARGE; i++)
		engine_kit_settle(&k);
	ck_assert_uint_eq(engine_kit_published(&k), 3 * LARGE);
}
END_TEST

START_TEST(between_two_slices_nothing_else_changes_the_model)
{
	const struct hf_identity bob = { .user = { { 9, [15] = 2 } }, .user_name = "bob" };
	const struct hf_uuid owner = { { 9, [15] = 1 } };
	struct hf_update *another = message(SMALL);
	struct hf_judgement j;

	begin();
	do {
		ck_assert_int_eq(hf_engine_configure(k.engine, k.config), -EBUSY);
		ck_assert_int_eq(hf_engine_identify(k.engine, "main", &bob, &j), -EBUSY);
		ck_assert_int_eq(hf_engine_owner_set(k.engine, "main", &owner, "bob"), -EBUSY);
		ck_assert_int_eq(hf_engine_owner_missing(k.engine, "main", "bob"), -EBUSY);
		ck_assert_int_eq(hf_engine_owners_settled(k.engine, "main"), -EBUSY);
		ck_assert_int_eq(
		    hf_engine_workspace_owner(k.engine, "main", &owner, &owner), -EBUSY);
		hf_engine_owner_readable(k.engine, "main", &owner, READABLE_NO, 1);
		ck_assert_int_eq(engine_kit_try_snapshot(&k, 1), -EBUSY);
		ck_assert_int_eq(
		    hf_engine_update_begin(k.engine, "main", another, release, &j), -EBUSY);
		ck_assert_int_eq(
		    hf_engine_decide(k.engine, "main", NULL, NULL, HF_DECISION_ACCEPT), -EBUSY);
		hf_engine_work(k.engine);
	} while (hf_engine_updating(k.engine));
	free(another);
	ck_assert_uint_eq(n_names(), 3 * LARGE);
	ck_assert_int_eq(hf_engine_configure(k.engine, k.config), 0);
}
END_TEST

START_TEST(a_crash_between_two_slices_leaves_what_was)
{
	int status;
	pid_t pid;

	engine_kit_stop(&k);
	pid = fork();
	if (pid == 0) {
		engine_kit_open(&k);
		begin();
		hf_engine_work(k.engine);
		if (hf_engine_updating(k.engine))
			raise(SIGKILL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	ck_assert_uint_eq(engine_kit_published(&k), 3 * SMALL);
	engine_kit_open(&k);
	ck_assert_uint_eq(n_names(), 3 * SMALL);
	ck_assert_uint_eq(engine_kit_published(&k), 3 * SMALL);
}
END_TEST

/* It was received whole, and is not received again before the next start. */
START_TEST(an_end_between_two_slices_takes_all_of_it_up)
{
	begin();
	engine_kit_stop(&k);
	ck_assert_uint_eq(released, 1);
	engine_kit_open(&k);
	ck_assert_uint_eq(n_names(), 3 * LARGE);
}
END_TEST

static int is_fresh(const struct hf_source_view *view, void *arg)
{
	*(bool *)arg = view->fresh;
	return 0;
}

static bool fresh(void)
{
	bool is = false;

	hf_state_each_source(hf_engine_state(k.engine), hf_engine_now(k.engine), is_fresh, &is);
	return is;
}

START_TEST(a_stream_that_ends_meanwhile_loses_nothing_of_it)
{
	struct hf_judgement j;

	begin();
	hf_engine_away(k.engine, "main");
	finish();
	ck_assert_uint_eq(n_names(), 3 * LARGE);
	ck_assert(!fresh());
	/* Nobody has asked for its outcome, and it is not the next one's. */
	begin();
	ck_assert_int_eq(hf_engine_outcome(k.engine, "main", &j), 1);
	released = 0;
	hf_engine_contact(k.engine, "main");
	finish();
	ck_assert(fresh());
	ck_assert_int_eq(hf_engine_outcome(k.engine, "main", &j), 0);
}
END_TEST

START_TEST(memory_that_runs_out_in_it_ends_it_and_the_store_stays)
{
	struct hf_judgement j;
	uint64_t lives = hf_engine_lives(k.engine);

	begin();
	((struct hf_state *)hf_engine_state(k.engine))->failed = true;
	hf_engine_work(k.engine);
	ck_assert(!hf_engine_updating(k.engine));
	ck_assert_uint_eq(released, 1);
	ck_assert_int_eq(hf_engine_outcome(k.engine, "main", &j), -ENOMEM);
	engine_kit_settle(&k);
	ck_assert_uint_eq(hf_engine_lives(k.engine), lives + 1);
	ck_assert_uint_eq(n_names(), 3 * SMALL);
	ck_assert_uint_eq(engine_kit_published(&k), 3 * SMALL);
}
END_TEST

Suite *engine_update_suite(void)
{
	Suite *s = suite_create("engine_update");
	TCase *tc = tcase_create("slices");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_small_message_is_judged_at_once_and_stays_the_callers);
	tcase_add_test(tc, a_large_message_is_taken_up_in_slices_and_then_told);
	tcase_add_test(tc, between_two_slices_nothing_else_changes_the_model);
	tcase_add_test(tc, a_crash_between_two_slices_leaves_what_was);
	tcase_add_test(tc, an_end_between_two_slices_takes_all_of_it_up);
	tcase_add_test(tc, a_stream_that_ends_meanwhile_loses_nothing_of_it);
	tcase_add_test(tc, memory_that_runs_out_in_it_ends_it_and_the_store_stays);
	suite_add_tcase(s, tc);
	return s;
}
