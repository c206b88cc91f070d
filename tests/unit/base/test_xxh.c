/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/xxh.h"

Suite *xxh_suite(void);

/*
 * Bytes within a struct, as ids and keys are, just written: a compiler must not read them before
 * that.
 */
struct key {
	uint8_t b[16];
};

__attribute__((noinline)) static uint64_t key_hash(const struct key *key)
{
	return XXH3_64bits_withSeed(key->b, sizeof(key->b), 5);
}

START_TEST(bytes_that_were_just_written_are_what_is_hashed)
{
	struct key first = { { 9 } }, second;

	memset(&second, 0xff, sizeof(second));
	(void)key_hash(&second);
	memset(&second, 0, sizeof(second));
	second.b[0] = 9;
	ck_assert(key_hash(&first) == key_hash(&second));
	second = first;
	second.b[15] = 1;
	first.b[15] = 1;
	ck_assert(key_hash(&first) == key_hash(&second));
	ck_assert(key_hash(&first) == UINT64_C(0xac418b0f7be71bad));
}
END_TEST

/*
 * What files of other machines and other versions hold: each way by which XXH3 takes its input. Of
 * the bytes 0, 1, 2, ...
 */
static const struct {
	size_t len;
	uint64_t want64, want128_high;
} rows[] = {
	{ 0, UINT64_C(0x2d06800538d394c2), UINT64_C(0x99aa06d3014798d8) },
	{ 1, UINT64_C(0xc44bdff4074eecdb), UINT64_C(0xa6cd5e9392000f6a) },
	{ 3, UINT64_C(0x5f4299fc161c9cbb), UINT64_C(0xe3b55f57945a17cf) },
	{ 4, UINT64_C(0x60dab036a58211f2), UINT64_C(0xeb70bf5fc779e9e6) },
	{ 8, UINT64_C(0x3a1c2d7c85af88f8), UINT64_C(0xe1e4432a62217fe4) },
	{ 9, UINT64_C(0xe9612598145bb9dc), UINT64_C(0x16c769d83e4aebce) },
	{ 16, UINT64_C(0x8355e3a6f61770db), UINT64_C(0x72950631827607e2) },
	{ 17, UINT64_C(0x9ef341a99de37328), UINT64_C(0x685bc458b37d057f) },
	{ 128, UINT64_C(0x85c6174c7ff4c46b), UINT64_C(0x14792fc3af88dc6c) },
	{ 129, UINT64_C(0xec7642b431ba3e5a), UINT64_C(0xdd5e74ac6b45f54e) },
	{ 240, UINT64_C(0x375a384d957fe865), UINT64_C(0x65b5be86da5540e7) },
	{ 241, UINT64_C(0x02e8cd95421c6d02), UINT64_C(0x1da1cb61bcb8a2a1) },
	{ 2000, UINT64_C(0x26af7994e0e20830), UINT64_C(0xa13bfe33eb398cbd) },
};

START_TEST(hashes_are_those_of_every_other_machine)
{
	uint8_t bytes[2000];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	ck_assert(XXH3_64bits(bytes, rows[_i].len) == rows[_i].want64);
	ck_assert(XXH3_128bits(bytes, rows[_i].len).high64 == rows[_i].want128_high);
}
END_TEST

Suite *xxh_suite(void)
{
	Suite *s = suite_create("xxh");
	TCase *tc = tcase_create("inline");

	tcase_add_test(tc, bytes_that_were_just_written_are_what_is_hashed);
	tcase_add_loop_test(
	    tc, hashes_are_those_of_every_other_machine, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(s, tc);
	return s;
}
