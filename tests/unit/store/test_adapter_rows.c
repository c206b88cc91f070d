/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/store/store_kit.h"
#include "tests/unit/store/kit_world.h"

Suite *adapter_rows_suite(void);

static struct fixture fx;

static void setup(void)
{
	fixture_init(&fx);
	fixture_open(&fx);
}

static void teardown(void)
{
	fixture_done(&fx);
}

static struct hf_owned owned(const char *name, uint8_t addr, uint8_t state)
{
	struct hf_owned o = { .addr = { [15] = addr }, .state = state, .generation = 7 };

	ck_assert_int_eq(hf_name_parse(name, &o.name), 0);
	return o;
}

static int receipt(const char *adapter, uint64_t generation, const struct hf_owned *set,
    size_t n_set, const struct hf_owned *gone, size_t n_gone)
{
	struct hf_receipt_rows r = {
		.adapter = adapter,
		.cursor = { .epoch = { 1, 2, 3 }, .generation = generation },
		.set = set,
		.n_set = n_set,
		.gone = gone,
		.n_gone = n_gone,
	};

	return hf_store_receipt(fx.store, &r);
}

struct list {
	size_t n;
	char text[20][100];
};

static int take_owned(const struct hf_owned *o, void *arg)
{
	struct list *l = arg;
	char name[HF_NAME_TEXT_MAX];

	snprintf(l->text[l->n++], 100, "%.60s %u %u %u", hf_name_text(&o->name, name), o->addr[15],
	    o->state, (unsigned)o->generation);
	return l->n == 20;
}

static int take_text(const char *text, void *arg)
{
	struct list *l = arg;

	snprintf(l->text[l->n++], 100, "%s", text);
	return 0;
}

static int stop(const struct hf_owned *o, void *arg)
{
	return 42;
}

static int stop_text(const char *text, void *arg)
{
	return 43;
}

START_TEST(a_receipt_is_kept_with_its_cursor)
{
	struct hf_owned set[2] = { owned("b.coder", 1, 1), owned("a.coder", 2, 2) };
	static const uint8_t epoch[16] = { 1, 2, 3 };
	struct hf_cursor cursor = { .generation = 99 };
	struct list l = { 0 };

	ck_assert_int_eq(hf_store_cursor_get(fx.store, "unbound", &cursor), 0);
	ck_assert_uint_eq(cursor.generation, 99); /* nothing is written where there is none */
	ck_assert_int_eq(receipt("unbound", 5, set, 2, NULL, 0), 0);
	for (int start = 0; start < 2; start++) {
		ck_assert_int_eq(hf_store_cursor_get(fx.store, "unbound", &cursor), 1);
		ck_assert_uint_eq(cursor.generation, 5);
		ck_assert_mem_eq(cursor.epoch, epoch, 16);
		l.n = 0;
		ck_assert_int_eq(hf_store_owned_all(fx.store, "unbound", take_owned, &l), 0);
		ck_assert_uint_eq(l.n, 2);
		ck_assert_str_eq(l.text[0], "a.coder 2 2 7");
		ck_assert_str_eq(l.text[1], "b.coder 1 1 7");
		fixture_close(&fx);
		fixture_open(&fx);
	}
	ck_assert_uint_eq(hf_store_generation(fx.store), 0); /* it is no change of the model */
}
END_TEST

START_TEST(gone_goes_by_name_and_address_before_set_is_written)
{
	struct hf_owned first[2] = { owned("a.coder", 1, 1), owned("a.coder", 2, 1) };
	struct hf_owned gone[2] = { owned("a.coder", 1, 0), owned("never.coder", 1, 0) };
	struct hf_owned both = owned("a.coder", 2, 0), again = owned("a.coder", 2, 3);
	struct list l = { 0 };

	ck_assert_int_eq(receipt("hook", 1, first, 2, NULL, 0), 0);
	ck_assert_int_eq(receipt("hook", 2, NULL, 0, gone, 2), 0);
	ck_assert_int_eq(hf_store_owned_all(fx.store, "hook", take_owned, &l), 0);
	ck_assert_uint_eq(l.n, 1);
	ck_assert_str_eq(l.text[0], "a.coder 2 1 7");
	ck_assert_int_eq(receipt("hook", 3, &again, 1, &both, 1), 0);
	l.n = 0;
	ck_assert_int_eq(hf_store_owned_all(fx.store, "hook", take_owned, &l), 0);
	ck_assert_uint_eq(l.n, 1);
	ck_assert_str_eq(l.text[0], "a.coder 2 3 7");
}
END_TEST

START_TEST(what_is_owned_is_told_by_name_in_slices_and_counted)
{
	struct hf_owned set[5] = { owned("c.coder", 1, 1), owned("a.coder", 2, 2),
		owned("a.coder", 1, 130), owned("a-b.coder", 9, 1), owned("b.coder", 3, 1) };
	static const char *const order[] = { "a-b.coder 9 1 7", "a.coder 1 130 7", "a.coder 2 2 7",
		"b.coder 3 1 7", "c.coder 1 1 7" };
	struct hf_owned other = owned("a.coder", 7, 1), last;
	uint64_t counts[256];
	struct list l = { 0 };

	ck_assert_int_eq(receipt("one", 1, set, 5, NULL, 0), 0);
	ck_assert_int_eq(receipt("two", 1, &other, 1, NULL, 0), 0);
	ck_assert_int_eq(hf_store_owned_name(fx.store, "one", &set[1].name, take_owned, &l), 0);
	ck_assert_uint_eq(l.n, 2);
	ck_assert_str_eq(l.text[0], order[1]);
	ck_assert_str_eq(l.text[1], order[2]);
	for (size_t max = 1; max < 7; max++) {
		size_t n = 0;

		do {
			l.n = 0;
			ck_assert_int_eq(hf_store_owned_after(fx.store, "one", n ? &last : NULL,
					     max, take_owned, &l),
			    0);
			for (size_t i = 0; i < l.n; i++, n++) {
				char name[20];
				unsigned addr, state, generation;

				ck_assert_str_eq(l.text[i], order[n]);
				ck_assert_int_eq(sscanf(order[n], "%19s %u %u %u", name, &addr,
						     &state, &generation),
				    4);
				last = owned(name, (uint8_t)addr, (uint8_t)state);
			}
		} while (l.n == max);
		ck_assert_uint_eq(n, 5);
	}
	l.n = 0;
	ck_assert_int_eq(hf_store_owned_state(fx.store, "one", 130, take_owned, &l), 0);
	ck_assert_uint_eq(l.n, 1);
	ck_assert_str_eq(l.text[0], order[1]);
	ck_assert_int_eq(hf_store_owned_count(fx.store, "one", counts), 0);
	ck_assert_uint_eq(counts[1], 3);
	ck_assert_uint_eq(counts[2], 1);
	ck_assert_uint_eq(counts[130], 1);
	ck_assert_int_eq(hf_store_owned_count(fx.store, "never", counts), 0);
	ck_assert_uint_eq(counts[1], 0);
}
END_TEST

START_TEST(adapters_know_nothing_of_each_other)
{
	struct hf_owned a = owned("a.coder", 1, 1), b = owned("b.coder", 1, 1);
	struct hf_cursor cursor;
	struct list l = { 0 };

	ck_assert_int_eq(receipt("one", 1, &a, 1, NULL, 0), 0);
	ck_assert_int_eq(receipt("two", 2, &b, 1, NULL, 0), 0);
	ck_assert_int_eq(hf_store_adapters(fx.store, take_text, &l), 0);
	ck_assert_uint_eq(l.n, 2);
	ck_assert_str_eq(l.text[0], "one");
	ck_assert_str_eq(l.text[1], "two");
	ck_assert_int_eq(hf_store_adapter_forget(fx.store, "one"), 0);
	ck_assert_int_eq(hf_store_adapter_forget(fx.store, "one"), 0);
	ck_assert_int_eq(hf_store_adapter_forget(fx.store, "never"), 0);
	ck_assert_int_eq(hf_store_cursor_get(fx.store, "one", &cursor), 0);
	ck_assert_int_eq(hf_store_cursor_get(fx.store, "two", &cursor), 1);
	l.n = 0;
	ck_assert_int_eq(hf_store_owned_all(fx.store, "one", take_owned, &l), 0);
	ck_assert_uint_eq(l.n, 0);
	ck_assert_int_eq(hf_store_owned_all(fx.store, "two", take_owned, &l), 0);
	ck_assert_uint_eq(l.n, 1);
	/* A number that was used again brings nothing back. */
	ck_assert_int_eq(receipt("three", 2, NULL, 0, NULL, 0), 0);
	l.n = 0;
	ck_assert_int_eq(hf_store_owned_all(fx.store, "three", take_owned, &l), 0);
	ck_assert_uint_eq(l.n, 0);
}
END_TEST

START_TEST(an_adapter_goes_on_under_another_name)
{
	struct hf_owned a = owned("a.coder", 1, 1), b = owned("b.coder", 1, 1);
	char name[HF_TEXT_MAX + 1];
	struct hf_cursor cursor;
	struct list l = { 0 };

	ck_assert_int_eq(receipt("one", 7, &a, 1, NULL, 0), 0);
	ck_assert_int_eq(receipt("two", 2, &b, 1, NULL, 0), 0);
	ck_assert_int_eq(hf_store_adapter_rename(fx.store, "one", "two"), 0);
	ck_assert_int_eq(hf_store_adapter_rename(fx.store, "never", "three"), 0);
	ck_assert_int_eq(hf_store_adapter_rename(fx.store, "two", "two"), 0);
	fixture_close(&fx);
	fixture_open(&fx);
	ck_assert_int_eq(hf_store_cursor_get(fx.store, "one", &cursor), 0);
	ck_assert_int_eq(hf_store_cursor_get(fx.store, "two", &cursor), 1);
	ck_assert_uint_eq(cursor.generation, 7);
	ck_assert_int_eq(hf_store_adapters(fx.store, take_text, &l), 0);
	ck_assert_uint_eq(l.n, 1);
	l.n = 0;
	ck_assert_int_eq(hf_store_owned_all(fx.store, "two", take_owned, &l), 0);
	ck_assert_uint_eq(l.n, 1); /* of the one that had the name before nothing is left */
	ck_assert_int_eq(memcmp(l.text[0], "a.coder ", 8), 0);
	memset(name, 'a', sizeof(name));
	name[HF_TEXT_MAX] = '\0';
	ck_assert_int_eq(hf_store_adapter_rename(fx.store, "two", name), -EINVAL);
	ck_assert_int_eq(hf_store_adapter_rename(fx.store, "two", ""), -EINVAL);
}
END_TEST

START_TEST(what_a_callback_says_ends_the_telling)
{
	struct hf_owned a = owned("a.coder", 1, 1);
	const char *address = "192.0.2.1";

	ck_assert_int_eq(receipt("one", 1, &a, 1, NULL, 0), 0);
	ck_assert_int_eq(hf_store_addresses_set(fx.store, "main", &address, 1), 0);
	ck_assert_int_eq(hf_store_owned_all(fx.store, "one", stop, NULL), 42);
	ck_assert_int_eq(hf_store_adapters(fx.store, stop_text, NULL), 43);
	ck_assert_int_eq(hf_store_addresses(fx.store, "main", stop_text, NULL), 43);
	/* And holds nothing up. */
	ck_assert_int_eq(receipt("one", 2, &a, 1, NULL, 0), 0);
}
END_TEST

START_TEST(what_could_not_be_read_back_is_refused_whole)
{
	char name[HF_TEXT_MAX + 1];
	struct hf_owned set[2] = { owned("a.coder", 1, 1), { .generation = 1 } };
	struct hf_cursor cursor;

	memset(name, 'a', sizeof(name));
	name[HF_TEXT_MAX] = '\0';
	ck_assert_int_eq(receipt(name, 1, NULL, 0, NULL, 0), -EINVAL);
	ck_assert_int_eq(receipt("", 1, NULL, 0, NULL, 0), -EINVAL);
	ck_assert_int_eq(receipt("one", (uint64_t)INT64_MAX + 1, NULL, 0, NULL, 0), -EINVAL);
	ck_assert_int_eq(receipt("one", 1, set, 2, NULL, 0), -EINVAL); /* the second has no name */
	ck_assert_int_eq(hf_store_cursor_get(fx.store, "one", &cursor), 0);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
	name[HF_TEXT_MAX - 1] = '\0';
	ck_assert_int_eq(receipt(name, 1, set, 1, NULL, 0), 0);
	ck_assert_int_eq(hf_store_cursor_get(fx.store, name, &cursor), 1);
}
END_TEST

START_TEST(addresses_are_kept_in_their_order_and_replaced_whole)
{
	const char *three[] = { "2001:db8::7", "192.0.2.1", "192.0.2.2" },
		   *one[] = { "198.51.100.3" };
	struct list l = { 0 };

	ck_assert_int_eq(hf_store_addresses_set(fx.store, "main", three, 3), 0);
	ck_assert_int_eq(hf_store_addresses_set(fx.store, "other", one, 1), 0);
	fixture_close(&fx);
	fixture_open(&fx);
	ck_assert_int_eq(hf_store_addresses(fx.store, "main", take_text, &l), 0);
	ck_assert_uint_eq(l.n, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(l.text[i], three[i]);
	ck_assert_int_eq(hf_store_addresses_set(fx.store, "main", one, 1), 0);
	l.n = 0;
	ck_assert_int_eq(hf_store_addresses(fx.store, "main", take_text, &l), 0);
	ck_assert_uint_eq(l.n, 1);
	ck_assert_int_eq(hf_store_addresses_set(fx.store, "main", NULL, 0), 0);
	l.n = 0;
	ck_assert_int_eq(hf_store_addresses(fx.store, "main", take_text, &l), 0);
	ck_assert_int_eq(hf_store_addresses(fx.store, "never", take_text, &l), 0);
	ck_assert_uint_eq(l.n, 0);
}
END_TEST

START_TEST(addresses_have_limits)
{
	const char *many[HF_STORE_ADDRESSES_MAX + 1];
	char text[HF_STORE_ADDRESS_TEXT_MAX + 1], name[HF_LABEL_MAX + 2];
	const char *address = text;

	for (size_t i = 0; i <= HF_STORE_ADDRESSES_MAX; i++)
		many[i] = "::1";
	memset(text, '1', sizeof(text));
	text[HF_STORE_ADDRESS_TEXT_MAX] = '\0';
	memset(name, 'n', sizeof(name));
	name[HF_LABEL_MAX + 1] = '\0';
	ck_assert_int_eq(
	    hf_store_addresses_set(fx.store, "main", many, HF_STORE_ADDRESSES_MAX + 1), -EINVAL);
	ck_assert_int_eq(hf_store_addresses_set(fx.store, "main", many, HF_STORE_ADDRESSES_MAX), 0);
	ck_assert_int_eq(hf_store_addresses_set(fx.store, "main", &address, 1), -EINVAL);
	ck_assert_int_eq(hf_store_addresses_set(fx.store, name, many, 1), -EINVAL);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
}
END_TEST

START_TEST(damage_in_what_is_read_late_is_noticed)
{
	struct hf_owned a = owned("findme.coder", 1, 1);
	const char *address = "192.0.2.77";
	struct hf_cursor cursor;
	struct list l = { 0 };
	off_t at;

	ck_assert_int_eq(receipt("adapterfindme", 1, &a, 1, NULL, 0), 0);
	ck_assert_int_eq(hf_store_addresses_set(fx.store, "main", &address, 1), 0);
	fixture_close(&fx);
	at = fixture_find(&fx, "",
	    _i == 0   ? "findme.coder"
	    : _i == 1 ? address
		      : "adapterfindme",
	    _i == 0   ? 12
	    : _i == 1 ? 10
		      : 13);
	ck_assert_int_ge(at, 0);
	fixture_flip(&fx, "", at + 9, 1);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
	if (_i == 0)
		ck_assert_int_eq(
		    hf_store_owned_all(fx.store, "adapterfindme", take_owned, &l), HF_EDAMAGED);
	else if (_i == 1)
		ck_assert_int_eq(hf_store_addresses(fx.store, "main", take_text, &l), HF_EDAMAGED);
	else
		ck_assert_int_eq(hf_store_adapters(fx.store, take_text, &l), HF_EDAMAGED);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_RECOVERING);
	ck_assert_int_eq(receipt("one", 1, &a, 1, NULL, 0), HF_EDAMAGED);
	hf_store_cursor_get(fx.store, "one", &cursor);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_RECOVERING);
}
END_TEST

START_TEST(nothing_else_is_written_between_the_steps_of_a_changeset)
{
	struct hf_owned a = owned("a.coder", 1, 1);
	const char *address = "::1";
	struct world_changes *changes = calloc(1, sizeof(*changes));
	struct world w;

	world_init(&w, 1);
	world_all(&w, FIXTURE_WALL_S, changes);
	ck_assert_int_eq(receipt("one", 1, &a, 1, NULL, 0), 0);
	ck_assert_int_eq(hf_store_begin(fx.store, &changes->set), 0);
	ck_assert_int_eq(hf_store_step(fx.store, 0), 1);
	ck_assert_int_eq(receipt("one", 2, &a, 1, NULL, 0), -EBUSY);
	ck_assert_int_eq(hf_store_addresses_set(fx.store, "main", &address, 1), -EBUSY);
	ck_assert_int_eq(hf_store_adapter_forget(fx.store, "one"), -EBUSY);
	ck_assert_int_eq(hf_store_adapter_rename(fx.store, "one", "two"), -EBUSY);
	ck_assert_int_eq(hf_store_set_ready(fx.store), -EBUSY);
	ck_assert_int_eq(hf_store_begin(fx.store, &changes->set), -EBUSY);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
	hf_store_abort(fx.store);
	ck_assert_int_eq(receipt("one", 2, &a, 1, NULL, 0), 0);
	free(changes);
}
END_TEST

Suite *adapter_rows_suite(void)
{
	Suite *s = suite_create("adapter_rows");
	TCase *tc = tcase_create("adapters");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_receipt_is_kept_with_its_cursor);
	tcase_add_test(tc, gone_goes_by_name_and_address_before_set_is_written);
	tcase_add_test(tc, what_is_owned_is_told_by_name_in_slices_and_counted);
	tcase_add_test(tc, adapters_know_nothing_of_each_other);
	tcase_add_test(tc, an_adapter_goes_on_under_another_name);
	tcase_add_test(tc, what_a_callback_says_ends_the_telling);
	tcase_add_test(tc, what_could_not_be_read_back_is_refused_whole);
	tcase_add_test(tc, addresses_are_kept_in_their_order_and_replaced_whole);
	tcase_add_test(tc, addresses_have_limits);
	tcase_add_loop_test(tc, damage_in_what_is_read_late_is_noticed, 0, 3);
	tcase_add_test(tc, nothing_else_is_written_between_the_steps_of_a_changeset);
	suite_add_tcase(s, tc);
	return s;
}
