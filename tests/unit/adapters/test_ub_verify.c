/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "tests/unit/adapters/kit_unbound.h"

enum { NXDOMAIN = 3, AA = 0x0400 };

static const uint8_t ours[16] = { 0xfd, 0x60, 0x62, 0x7a, 0xa4, 0x2b, [15] = 7 };
static const uint8_t other[16] = { 0xfd, 0x60, 0x62, 0x7a, 0xa4, 0x2b, [15] = 8 };
static const uint8_t theirs[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
static const uint8_t dev[] = "\x03"
			     "dev"
			     "\x05"
			     "coder"; /* ends with its zero */
static const uint8_t web[] = "\x03"
			     "web"
			     "\x05"
			     "coder";
static const uint8_t far[] = "\x01"
			     "x"
			     "\x07"
			     "example";

/* What the server says: up to two addresses, and where the address points to. */
static const struct {
	const uint8_t *addrs[2];
	const uint8_t *target;
	size_t target_len;
	bool absent, primary;
	enum hf_is is;
} rows[] = {
	{ .addrs = { ours }, .is = HF_IS_SO }, { .addrs = { other }, .is = HF_IS_NOT_SO },
	{ .addrs = { ours, other }, .is = HF_IS_NOT_SO },
	{ .addrs = { theirs }, .is = HF_IS_FOREIGN },
	{ .addrs = { ours, theirs }, .is = HF_IS_FOREIGN }, { .is = HF_IS_NOT_SO },
	{ .absent = true, .is = HF_IS_SO },
	{ .addrs = { ours }, .absent = true, .is = HF_IS_NOT_SO },
	{ .addrs = { other }, .absent = true, .is = HF_IS_SO },
	{ { ours }, dev, sizeof(dev), false, true, HF_IS_SO },
	{ { ours }, web, sizeof(web), false, true, HF_IS_NOT_SO },
	{ { ours }, NULL, 0, false, true, HF_IS_NOT_SO },
	{ { ours }, far, sizeof(far), false, true, HF_IS_SO }, /* others' PTR is theirs to keep */
};

static struct kit_unbound k;

static unsigned type_of(const struct resolver_question *q)
{
	size_t at = 12;

	while (q->packet[at])
		at += 1u + q->packet[at];
	return q->packet[at + 2];
}

static size_t answer(
    const struct resolver_question *q, uint8_t out[static RESOLVER_PACKET_MAX], void *arg)
{
	int i = *(int *)arg;
	size_t len = resolver_answer(q, AA, out);

	if (type_of(q) == HF_TYPE_PTR)
		return rows[i].target ? resolver_add(out, len, HF_TYPE_PTR, 30, rows[i].target,
					    rows[i].target_len)
				      : len;
	for (int n = 0; n < 2; n++)
		if (rows[i].addrs[n])
			len = resolver_add(out, len, HF_TYPE_AAAA, 30, rows[i].addrs[n], 16);
	if (!rows[i].addrs[0])
		out[3] |= NXDOMAIN;
	return len;
}

static struct hf_expect expect_of(int i)
{
	struct hf_expect e = { .record.name = kit_unbound_name("dev.coder"),
		.record.primary = rows[i].primary,
		.absent = rows[i].absent };

	memcpy(e.record.addr, ours, sizeof(ours));
	return e;
}

START_TEST(each_name_is_as_it_was_answered)
{
	struct hf_expect e = expect_of(_i);

	kit_unbound_open(&k, answer, &_i, HF_START_INCLUDE);
	hf_ub_adapter_type.verify(k.base, &e, 1);
	ck_assert_str_eq(k.host.told, ""); /* never from within the call */
	kit_unbound_wait(&k);
	ck_assert_str_eq(k.host.told, "verified 0 \n");
	ck_assert_int_eq(e.is, rows[_i].is);
	kit_unbound_close(&k);
}
END_TEST

START_TEST(one_that_nobody_answers_is_not_known)
{
	struct hf_expect e = expect_of(0);

	kit_unbound_open(&k, answer, &_i, HF_START_INCLUDE);
	resolver_close(&k.server);
	hf_ub_adapter_type.verify(k.base, &e, 1);
	kit_unbound_wait(&k);
	ck_assert_ptr_nonnull(strstr(k.host.told, "does not answer DNS"));
	ck_assert_int_eq(e.is, HF_IS_UNKNOWN);
	resolver_open(&k.server, k.host.host.base, answer, &_i);
	kit_unbound_close(&k);
}
END_TEST

START_TEST(nothing_is_asked_and_answered_all_the_same)
{
	kit_unbound_open(&k, answer, &_i, HF_START_INCLUDE);
	hf_ub_adapter_type.verify(k.base, NULL, 0);
	kit_unbound_wait(&k);
	ck_assert_str_eq(k.host.told, "verified 0 \n");
	kit_unbound_close(&k);
}
END_TEST

Suite *ub_verify_suite(void);
Suite *ub_verify_suite(void)
{
	Suite *s = suite_create("ub_verify");
	TCase *c = tcase_create("ub_verify");

	tcase_add_loop_test(c, each_name_is_as_it_was_answered, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(c, one_that_nobody_answers_is_not_known);
	tcase_add_test(c, nothing_is_asked_and_answered_all_the_same);
	suite_add_tcase(s, c);
	return s;
}
