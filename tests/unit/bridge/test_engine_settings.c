/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the zone is given beside the names, as a reader sees it.
 */
#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config.h"
#include "tests/unit/bridge/engine_kit.h"
#include "zone/answer.h"
#include "zone/pulse.h"

Suite *engine_settings_suite(void);

static struct engine_kit k;

static void setup(void)
{
	engine_kit_init(&k);
}

static void teardown(void)
{
	engine_kit_done(&k);
}

/* What a reader that begins now says of a name; the rcode may be had, too. */
static int ede_of(const char *text, uint16_t type, uint8_t *ret_rcode)
{
	struct hf_name name;
	struct hf_question q = { &name, type, HF_CLASS_IN, true };
	struct hf_zone_reader *reader;
	struct hf_zone *zone;
	struct hf_answer a;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	ck_assert_int_eq(hf_zone_open(k.config->zone, &k.clock.clock, &zone), 0);
	ck_assert_int_eq(hf_zone_reader_new(zone, &reader), 0);
	ck_assert_int_eq(hf_zone_reader_load(reader), 0);
	hf_answer(reader, &q, &a);
	ck_assert(a.ours);
	*ret_rcode = a.rcode;
	hf_zone_reader_free(reader);
	hf_zone_close(zone);
	return a.ede;
}

static const struct {
	const char *name;
	uint16_t type;
	uint8_t rcode;
	int when_one_is_dead;
} negative[] = {
	{ "nope.coder", HF_TYPE_AAAA, HF_RCODE_NXDOMAIN, HF_EDE_STALE_NXDOMAIN },
	{ "me.coder", HF_TYPE_AAAA, HF_RCODE_NOERROR, HF_EDE_STALE },
	{ "coder", HF_TYPE_SOA, HF_RCODE_NOERROR, HF_EDE_STALE },
	{ "coder", HF_TYPE_AAAA, HF_RCODE_NOERROR, HF_EDE_STALE },
	{ "_holdfast.coder", HF_TYPE_TXT, HF_RCODE_NOERROR, HF_EDE_STALE },
	{ "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa", HF_TYPE_SOA, HF_RCODE_NOERROR, HF_EDE_STALE },
};

enum { N_NEGATIVE = sizeof(negative) / sizeof(negative[0]) };

/* Fault 13: the number that it had shall not count as a source that is never heard of. */
START_TEST(a_source_that_was_taken_out_makes_nothing_stale)
{
	uint8_t rcode;

	engine_kit_sources(&k,
	    "  - { name: dead, url: 'https://d.example', token-file: /nowhere, suffix: coder }\n"
	    "  - { name: main, url: 'https://c.example', token-file: /nowhere, suffix: coder }\n");
	engine_kit_open(&k);
	engine_kit_snapshot(&k, 3);
	for (size_t i = 0; i < N_NEGATIVE; i++) {
		ck_assert_int_eq(ede_of(negative[i].name, negative[i].type, &rcode),
		    negative[i].when_one_is_dead);
		ck_assert_uint_eq(rcode, negative[i].rcode);
	}
	engine_kit_sources(&k,
	    "  - { name: main, url: 'https://c.example', token-file: /nowhere, suffix: coder }\n");
	engine_kit_snapshot(&k, 3);
	for (size_t i = 0; i < N_NEGATIVE; i++) {
		ck_assert_int_eq(ede_of(negative[i].name, negative[i].type, &rcode), HF_EDE_NONE);
		ck_assert_uint_eq(rcode, negative[i].rcode);
	}
	ck_assert_int_eq(ede_of("main.w1.me.coder", HF_TYPE_AAAA, &rcode), HF_EDE_NONE);
	ck_assert_uint_eq(engine_kit_published(&k), 9);
}
END_TEST

/*
 * Its suffix is asked of the server, which was never reached: it has no names, and says nothing of
 * others' either.
 */
START_TEST(a_source_whose_suffix_is_not_known_makes_nothing_stale)
{
	uint8_t rcode;

	engine_kit_sources(&k,
	    "  - { name: new, url: 'https://d.example', token-file: /nowhere }\n"
	    "  - { name: main, url: 'https://c.example', token-file: /nowhere, suffix: coder }\n");
	engine_kit_open(&k);
	engine_kit_snapshot(&k, 3);
	for (size_t i = 0; i < N_NEGATIVE; i++)
		ck_assert_int_eq(ede_of(negative[i].name, negative[i].type, &rcode), HF_EDE_NONE);
}
END_TEST

/* --- whose slot in the pulse it is --- */

static struct hf_pulse_stamp owner_stamp(uint16_t slot)
{
	struct hf_pulse *pulse;
	struct hf_pulse_stamp stamp;
	int dirfd = open(k.config->zone, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_eq(hf_pulse_new(&pulse), 0);
	ck_assert_int_eq(hf_pulse_load(pulse, dirfd), 0);
	stamp = hf_pulse_get_owner(pulse, slot);
	hf_pulse_free(pulse);
	close(dirfd);
	return stamp;
}

static uint32_t slot_of(const struct hf_uuid *owner)
{
	uint32_t source, rid;

	ck_assert(hf_state_find(hf_engine_state(k.engine), "main", owner, &source, &rid));
	return rid;
}

static const struct hf_uuid alice = { { 9, [15] = 1 } }, bob = { { 9, [15] = 2 } };

/* alice goes, and bob gets her number. */
static void replace_alice(void)
{
	const struct hf_identity who = { .user = bob, .user_name = "bob" };
	struct hf_judgement j;

	ck_assert_uint_eq(slot_of(&alice), 0);
	ck_assert(owner_stamp(0).known);
	/* She has no workspaces, and is gone as soon as the others are settled. */
	engine_kit_snapshot(&k, 0);
	ck_assert_int_eq(hf_engine_identify(k.engine, "main", &who, &j), 0);
	ck_assert_int_eq(hf_engine_owners_settled(k.engine, "main"), 0);
	ck_assert_uint_eq(slot_of(&alice), UINT32_MAX);
	engine_kit_settle(&k); /* a number is free when the store has forgotten it */
	ck_assert_int_eq(hf_engine_owner_set(k.engine, "main", &bob, "bob"), 0);
	ck_assert_uint_eq(slot_of(&bob), 0);
}

START_TEST(a_new_owner_does_not_inherit_when_another_was_confirmed)
{
	engine_kit_open(&k);
	engine_kit_snapshot(&k, 0);
	replace_alice();
	ck_assert(!owner_stamp(0).known);
	/* One that is set again keeps what it has. */
	hf_engine_contact(k.engine, "main");
	engine_kit_settle(&k);
	ck_assert_int_eq(hf_engine_owner_set(k.engine, "main", &bob, "bob"), 0);
	ck_assert(!owner_stamp(0).known);
}
END_TEST

START_TEST(an_owner_that_is_set_again_keeps_its_stamp)
{
	int64_t at;

	engine_kit_open(&k);
	engine_kit_snapshot(&k, 2);
	at = owner_stamp(0).boot_ms;
	ck_assert(owner_stamp(0).known);
	hf_fake_clock_add(&k.clock, 5000);
	engine_kit_stop(&k);
	engine_kit_open(&k); /* sets her */
	ck_assert(owner_stamp(0).known);
	ck_assert_int_eq(owner_stamp(0).boot_ms, at);
}
END_TEST

/* A new store numbers its owners anew; what the pulse has is of the one before. */
START_TEST(a_new_store_inherits_no_owners_stamp)
{
	engine_kit_open(&k);
	engine_kit_snapshot(&k, 2);
	ck_assert(owner_stamp(0).known);
	engine_kit_stop(&k);
	ck_assert_int_eq(unlink(engine_kit_file(&k, "")), 0);
	engine_kit_open(&k);
	ck_assert_uint_eq(slot_of(&alice), 0);
	ck_assert(!owner_stamp(0).known);
	engine_kit_snapshot(&k, 2);
	ck_assert(owner_stamp(0).known);
}
END_TEST

/* The copy knows alice under the number that bob has by now. */
START_TEST(a_copy_inherits_no_owners_stamp)
{
	struct hf_store_stats stats;

	engine_kit_open(&k);
	engine_kit_snapshot(&k, 0);
	ck_assert_int_eq(hf_store_copy_begin(hf_engine_store(k.engine)), 0);
	do {
		usleep(1000);
		hf_store_get_stats(hf_engine_store(k.engine), &stats);
	} while (stats.copying);
	replace_alice();
	ck_assert_int_eq(hf_engine_update(k.engine, "main",
			     &(struct hf_update){ .kind = HF_UPDATE_SNAPSHOT, .owner = bob },
			     &(struct hf_judgement){ 0 }),
	    0);
	engine_kit_settle(&k);
	ck_assert(owner_stamp(0).known);
	engine_kit_stop(&k);
	engine_kit_damage(&k);
	ck_assert_int_eq(engine_kit_try_open(&k), 0);
	ck_assert_uint_eq(slot_of(&alice), 0);
	ck_assert(!owner_stamp(0).known);
}
END_TEST

Suite *engine_settings_suite(void)
{
	Suite *s = suite_create("engine_settings");
	TCase *tc = tcase_create("holes");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_source_that_was_taken_out_makes_nothing_stale);
	tcase_add_test(tc, a_source_whose_suffix_is_not_known_makes_nothing_stale);
	suite_add_tcase(s, tc);
	tc = tcase_create("slots");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_new_owner_does_not_inherit_when_another_was_confirmed);
	tcase_add_test(tc, an_owner_that_is_set_again_keeps_its_stamp);
	tcase_add_test(tc, a_new_store_inherits_no_owners_stamp);
	tcase_add_test(tc, a_copy_inherits_no_owners_stamp);
	suite_add_tcase(s, tc);
	return s;
}
