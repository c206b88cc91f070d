/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "base/error.h"
#include "bridge/stream/client/owner_stream.h"

Suite *owner_stream_suite(void);

/* A link that writes down what it is told, as "+1 ~1 >1 -1": call, pause, resume, cancel. */
struct fake {
	char log[200];
	uint32_t next;
	int fails;
};

static int fake_call(void *arg, const struct hf_uuid *owner, uint32_t *ret_call)
{
	struct fake *f = arg;

	if (f->fails)
		return f->fails;
	f->next += f->next ? 2 : 1;
	*ret_call = f->next;
	snprintf(f->log + strlen(f->log), sizeof(f->log) - strlen(f->log), "+%u ", f->next);
	return 0;
}

static void fake_pause(void *arg, uint32_t call, bool paused)
{
	struct fake *f = arg;

	snprintf(f->log + strlen(f->log), sizeof(f->log) - strlen(f->log), "%c%u ",
	    paused ? '~' : '>', call);
}

static void fake_cancel(void *arg, uint32_t call)
{
	struct fake *f = arg;

	snprintf(f->log + strlen(f->log), sizeof(f->log) - strlen(f->log), "-%u ", call);
}

static const struct hf_call_ops ops = { fake_call, fake_pause, fake_cancel };

/* o: open, a: accepted, e: the opening one ends, l: the live one ends, g: give up, s: stop */
static const struct {
	const char *steps;
	const char *log;
	uint32_t live, opening;
} rows[] = {
	{ "o", "+1 ", 0, 1 },
	{ "oa", "+1 ", 1, 0 },
	{ "oe", "+1 ", 0, 0 },
	{ "oao", "+1 +3 ~1 ", 1, 3 },
	{ "oaoa", "+1 +3 ~1 -1 ", 3, 0 },
	{ "oaoe", "+1 +3 ~1 >1 ", 1, 0 },
	{ "oaog", "+1 +3 ~1 -3 >1 ", 1, 0 },
	{ "oaol", "+1 +3 ~1 ", 0, 3 },
	{ "oaola", "+1 +3 ~1 ", 3, 0 },
	{ "oaole", "+1 +3 ~1 ", 0, 0 },
	{ "oaoaoa", "+1 +3 ~1 -1 +5 ~3 -3 ", 5, 0 },
	{ "oal", "+1 ", 0, 0 },
	{ "oag", "+1 ", 1, 0 },
	{ "oaos", "+1 +3 ~1 -3 -1 ", 0, 0 },
};

static void step(struct hf_owner_stream *f, char what, struct fake *fake)
{
	switch (what) {
	case 'o':
		ck_assert_int_eq(hf_owner_stream_open(f, &ops, fake), 0);
		break;
	case 'a':
		hf_owner_stream_accepted(f, &ops, fake);
		break;
	case 'e':
		hf_owner_stream_ended(f, f->opening, &ops, fake);
		break;
	case 'l':
		hf_owner_stream_ended(f, f->live, &ops, fake);
		break;
	case 'g':
		hf_owner_stream_give_up(f, &ops, fake);
		break;
	case 's':
		hf_owner_stream_stop(f, &ops, fake);
		break;
	}
}

START_TEST(the_overlap_rule)
{
	struct hf_owner_stream f = { .wanted = true };
	struct fake fake = { .next = 0 };

	for (const char *c = rows[_i].steps; *c; c++)
		step(&f, *c, &fake);
	ck_assert_str_eq(fake.log, rows[_i].log);
	ck_assert_uint_eq(f.live, rows[_i].live);
	ck_assert_uint_eq(f.opening, rows[_i].opening);
}
END_TEST

START_TEST(a_call_that_cannot_be_made_changes_nothing)
{
	struct hf_owner_stream f = { .wanted = true };
	struct fake fake = { .next = 0 };

	step(&f, 'o', &fake);
	step(&f, 'a', &fake);
	f.wanted = true;
	fake.fails = HF_ECLOSED;
	ck_assert_int_eq(hf_owner_stream_open(&f, &ops, &fake), HF_ECLOSED);
	ck_assert_str_eq(fake.log, "+1 ");
	ck_assert_uint_eq(f.live, 1);
	ck_assert_uint_eq(f.opening, 0);
	ck_assert(f.wanted);
}
END_TEST

START_TEST(a_call_is_known_by_its_number)
{
	struct hf_owner_stream f = { .live = 1, .opening = 3 }, none = { .live = 0 };

	ck_assert_int_eq(hf_owner_stream_is(&f, 1), CALL_IS_LIVE);
	ck_assert_int_eq(hf_owner_stream_is(&f, 3), CALL_IS_OPENING);
	ck_assert_int_eq(hf_owner_stream_is(&f, 5), CALL_IS_NONE);
	ck_assert_int_eq(hf_owner_stream_is(&none, 0), CALL_IS_NONE);
}
END_TEST

Suite *owner_stream_suite(void)
{
	Suite *s = suite_create("owner_stream");
	TCase *tc = tcase_create("calls");

	tcase_add_loop_test(tc, the_overlap_rule, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, a_call_that_cannot_be_made_changes_nothing);
	tcase_add_test(tc, a_call_is_known_by_its_number);
	suite_add_tcase(s, tc);
	return s;
}
