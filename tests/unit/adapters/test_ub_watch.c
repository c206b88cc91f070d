/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "tests/unit/adapters/kit_unbound.h"

#define CANARY "f0123456789abcdef"

static struct kit_unbound k;

/* *arg: the text of the canary, as a TXT record has it; NULL: there is none. */
static size_t answer(
    const struct resolver_question *q, uint8_t out[static RESOLVER_PACKET_MAX], void *arg)
{
	const char *text = *(const char **)arg;
	uint8_t data[64];
	size_t len = resolver_answer(q, 0x0400, out);

	if (!text) {
		out[3] |= HF_RCODE_NXDOMAIN;
		return len;
	}
	data[0] = (uint8_t)strlen(text);
	memcpy(data + 1, text, data[0]);
	return resolver_add(out, len, HF_TYPE_TXT, 30, data, data[0] + 1u);
}

static void watch_once(enum hf_ub_zone_state state, bool in_job)
{
	struct hf_ub_zone *zone = &k.a->zones[0];

	zone->state = state;
	snprintf(zone->canary, sizeof(zone->canary), CANARY);
	hf_ub_watch_ask(k.a);
	if (in_job)
		k.a->watch.seq++; /* a job has begun since */
	while (k.a->watch.left)
		event_base_loop(k.host.host.base, EVLOOP_ONCE);
	kit_host_run(&k.host);
}

static const struct {
	const char *said;
	enum hf_ub_zone_state state;
	bool in_job, lost;
} rows[] = {
	{ CANARY, HF_UBZONE_FILLING, false, false }, { NULL, HF_UBZONE_FILLING, false, true },
	{ "f0123456789abcdee", HF_UBZONE_WHOLE, false, true }, /* somebody else has filled it */
	{ NULL, HF_UBZONE_NEW, false, false },                 /* nothing is known of it yet */
	{ NULL, HF_UBZONE_WHOLE, true, false },                /* an answer to an earlier watch */
};

START_TEST(a_canary_that_is_gone_is_a_loss)
{
	const char *said = rows[_i].said;

	kit_unbound_open(&k, answer, &said, HF_START_INCLUDE);
	watch_once(rows[_i].state, rows[_i].in_job);
	ck_assert_int_eq(strncmp(k.host.told, "lost ", 5) == 0, rows[_i].lost);
	if (rows[_i].lost)
		ck_assert_int_eq(k.a->zones[0].state, HF_UBZONE_NEW);
	ck_assert_uint_eq(k.a->watch.silent, 0);
	kit_unbound_close(&k);
}
END_TEST

START_TEST(silence_is_counted_and_ends)
{
	const char *said = CANARY;

	kit_unbound_open(&k, answer, &said, HF_START_INCLUDE);
	k.a->watch.silent = 2;
	watch_once(HF_UBZONE_WHOLE, false);
	ck_assert_uint_eq(k.a->watch.silent, 0);
	resolver_close(&k.server);
	watch_once(HF_UBZONE_WHOLE, false);
	ck_assert_uint_eq(k.a->watch.silent, 1);
	ck_assert_str_eq(k.host.told, ""); /* that alone is no loss */
	resolver_open(&k.server, k.host.host.base, answer, &said);
	kit_unbound_close(&k);
}
END_TEST

Suite *ub_watch_suite(void);
Suite *ub_watch_suite(void)
{
	Suite *s = suite_create("ub_watch");
	TCase *c = tcase_create("ub_watch");

	tcase_add_loop_test(c, a_canary_that_is_gone_is_a_loss, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(c, silence_is_counted_and_ends);
	suite_add_tcase(s, c);
	return s;
}
