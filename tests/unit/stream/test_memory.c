/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out at the n-th allocation, for each n: the operation fails, with the reason,
 * and nothing is lost or used after it was freed (which the sanitizers see). The linker puts the
 * three functions below before the real ones (meson.build: --wrap); libraries that we link to have
 * theirs.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/stream/kit_server.h"

Suite *memory_suite(void);

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static long left = -1; /* allocations until one fails; negative: none does */

static bool fails(void)
{
	return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

enum { FRAMES = 6, NEVER = 1000 };

/* A session with everything in it: records in pieces, a pause, refused records, many names. */
static void make_frames(struct bytes frames[FRAMES])
{
	static const char *const wires[FRAMES] = { "",
		"*3(0a{0a{$a} 12{'alpha'}} 12{0a{$b} 12{'main'} 1a{$a}}) 0a{12{'odd'}}",
		"0a{0a{$a} 12{x300:61}} 1a{0a{$c} 12{'gone'}} 22{0a{$d}}",
		"*20(0a{0a{$a} 12{x200:62}} 12{0a{$b} 12{'b'} 1a{$a}})", "0a{0a{$e} 12{'kept'}}",
		"" };

	bytes_add(&frames[0], server_head, strlen(server_head));
	for (int i = 1; i < FRAMES; i++)
		server_message(&frames[i], 1, (uint64_t)i, wires[i]);
}

/* Returns the number of updates; with a trouble of its own when it broke off. */
static int run(const struct bytes frames[FRAMES], enum hf_stream_fault *ret_trouble)
{
	static const struct hf_uuid owner = { .b = { 1 } };
	static const struct hf_stream_limits limits = HF_STREAM_LIMITS_DEFAULT;
	const struct hf_stack_config config = { .limits = &limits, .random = server_random };
	const struct hf_upgrade_request request = { .host = "h", .prefix = "", .token = "t" };
	struct hf_stack *s = NULL;
	struct hf_stack_event e;
	uint32_t call = 0;
	int n = 0;

	*ret_trouble = HF_STREAM_FAULT_NONE;
	if (hf_stack_new(&config, &request, &s)) {
		*ret_trouble = HF_STREAM_FAULT_MEMORY;
		return 0;
	}
	for (int i = 0; i < FRAMES && !*ret_trouble; i++) {
		hf_stack_pause(s, call, i == 4);
		hf_stack_input(s, 0, frames[i].at, frames[i].len);
		while (hf_stack_next(s, &e)) {
			if (e.what == STACK_OPEN && hf_stack_call(s, &owner, &call))
				*ret_trouble = HF_STREAM_FAULT_MEMORY;
			if (e.what == STACK_UPDATE) {
				hf_update_free(e.update);
				n++;
			}
			if (e.what == STACK_ENDED)
				*ret_trouble = e.trouble;
		}
	}
	hf_stack_free(s);
	return n;
}

START_TEST(allocation_that_fails_ends_the_connection_alone)
{
	struct bytes frames[FRAMES] = { 0 };
	enum hf_stream_fault trouble = HF_STREAM_FAULT_MEMORY;
	int n, failed = 0, updates;

	make_frames(frames);
	for (n = 0; n < NEVER; n++) {
		left = n;
		updates = run(frames, &trouble);
		if (left >= 0)
			break; /* it needed no more than n */
		left = -1;
		failed += trouble == HF_STREAM_FAULT_MEMORY;
		/* Two are not needed: to shorten an array, and to keep the text of a refusal. */
		ck_assert_msg(trouble == HF_STREAM_FAULT_MEMORY || updates == FRAMES - 1,
		    "allocation %d: %s", n, hf_stream_fault_name(trouble));
	}
	left = -1;
	ck_assert_int_eq(updates, FRAMES - 1);
	ck_assert_int_eq(trouble, HF_STREAM_FAULT_NONE);
	ck_assert_int_gt(failed, 20);
	for (int i = 0; i < FRAMES; i++)
		bytes_done(&frames[i]);
}
END_TEST

Suite *memory_suite(void)
{
	Suite *s = suite_create("memory");
	TCase *tc = tcase_create("memory");

	tcase_add_test(tc, allocation_that_fails_ends_the_connection_alone);
	suite_add_tcase(s, tc);
	return s;
}
