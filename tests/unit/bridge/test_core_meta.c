/*
 * What the zone is given beside the names, as a reader sees it.
 */
#include <check.h>
#include <string.h>

#include "base/clock.h"
#include "config/config.h"
#include "tests/unit/bridge/core_kit.h"
#include "zone/answer.h"

Suite *core_meta_suite(void);

static struct core_kit k;

static void setup(void)
{
	core_kit_init(&k);
}

static void teardown(void)
{
	core_kit_done(&k);
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

	core_kit_sources(&k, "  - { name: dead, url: 'https://d.example', token-file: /nowhere, suffix: coder }\n"
			     "  - { name: main, url: 'https://c.example', token-file: /nowhere, suffix: coder }\n");
	core_kit_open(&k);
	core_kit_snapshot(&k, 3);
	for (size_t i = 0; i < N_NEGATIVE; i++) {
		ck_assert_int_eq(ede_of(negative[i].name, negative[i].type, &rcode), negative[i].when_one_is_dead);
		ck_assert_uint_eq(rcode, negative[i].rcode);
	}
	core_kit_sources(&k, "  - { name: main, url: 'https://c.example', token-file: /nowhere, suffix: coder }\n");
	core_kit_snapshot(&k, 3);
	for (size_t i = 0; i < N_NEGATIVE; i++) {
		ck_assert_int_eq(ede_of(negative[i].name, negative[i].type, &rcode), HF_EDE_NONE);
		ck_assert_uint_eq(rcode, negative[i].rcode);
	}
	ck_assert_int_eq(ede_of("main.w1.me.coder", HF_TYPE_AAAA, &rcode), HF_EDE_NONE);
	ck_assert_uint_eq(core_kit_published(&k), 9);
}
END_TEST

/* Its suffix is asked of the server, which was never reached: it has no names, and says nothing of others' either. */
START_TEST(a_source_whose_suffix_is_not_known_makes_nothing_stale)
{
	uint8_t rcode;

	core_kit_sources(&k, "  - { name: new, url: 'https://d.example', token-file: /nowhere }\n"
			     "  - { name: main, url: 'https://c.example', token-file: /nowhere, suffix: coder }\n");
	core_kit_open(&k);
	core_kit_snapshot(&k, 3);
	for (size_t i = 0; i < N_NEGATIVE; i++)
		ck_assert_int_eq(ede_of(negative[i].name, negative[i].type, &rcode), HF_EDE_NONE);
}
END_TEST

Suite *core_meta_suite(void)
{
	Suite *s = suite_create("core_meta");
	TCase *tc = tcase_create("holes");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_source_that_was_taken_out_makes_nothing_stale);
	tcase_add_test(tc, a_source_whose_suffix_is_not_known_makes_nothing_stale);
	suite_add_tcase(s, tc);
	return s;
}
