/* SPDX-License-Identifier: Apache-2.0 */
#include <cdb.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "zone/cdb_view.h"

Suite *cdb_view_suite(void);

enum { RECORDS = 2000, TOC = 2048 };

static uint8_t *bytes; /* of just that size, so that a sanitizer sees the first read beyond */
static size_t n_bytes;
static struct hf_cdb_view view;

static unsigned key_of(unsigned i, char out[static 32])
{
	return (unsigned)snprintf(out, 32, "%u.%.*s", i, (int)(i % 17), "aaaaaaaaaaaaaaaaa");
}

/* By tinycdb, as the writer has it. Every tenth key is there twice. */
static void setup(void)
{
	char path[] = "/tmp/hf-view-XXXXXX", key[32];
	int fd = mkstemp(path);
	struct cdb_make m;

	ck_assert_int_ge(fd, 0);
	unlink(path);
	cdb_make_start(&m, fd);
	for (unsigned i = 0; i < RECORDS; i++) {
		unsigned len = key_of(i, key);

		ck_assert_int_eq(cdb_make_add(&m, key, len, &i, sizeof(i)), 0);
		if (i % 10 == 0)
			ck_assert_int_eq(cdb_make_add(&m, key, len, "again", 5), 0);
	}
	ck_assert_int_eq(cdb_make_finish(&m), 0);
	n_bytes = (size_t)lseek(fd, 0, SEEK_END);
	bytes = malloc(n_bytes);
	ck_assert_int_eq(pread(fd, bytes, n_bytes, 0), (ssize_t)n_bytes);
	close(fd);
	ck_assert_int_eq(hf_cdb_view_init(&view, bytes, n_bytes), 0);
}

static void teardown(void)
{
	free(bytes);
}

static int find(const void *key, size_t len, const uint8_t **ret_value, size_t *ret_len)
{
	return hf_cdb_view_find(&view, hf_cdb_view_hash(key, len), key, len, ret_value, ret_len);
}

/* The bytes, the way tinycdb looks at them: private memory and no descriptor. */
static struct cdb tinycdb(void)
{
	return (struct cdb){ .cdb_fd = -1,
		.cdb_mem = bytes,
		.cdb_fsize = (unsigned)n_bytes,
		.cdb_dend = cdb_unpack(bytes) };
}

START_TEST(finds_what_tinycdb_finds)
{
	for (unsigned i = 0; i < 2 * RECORDS; i++) {
		struct cdb c = tinycdb();
		const uint8_t *value = NULL;
		size_t n = 0;
		char key[32];
		unsigned len = key_of(i, key);

		ck_assert_uint_eq(hf_cdb_view_hash((const uint8_t *)key, len), cdb_hash(key, len));
		ck_assert_int_eq(find(key, len, &value, &n), cdb_find(&c, key, len));
		ck_assert_int_eq(value != NULL, i < RECORDS);
		if (value)
			ck_assert_ptr_eq(value, cdb_getdata(&c));
		if (value)
			ck_assert_uint_eq(n, cdb_datalen(&c));
	}
}
END_TEST

START_TEST(walks_over_all_records_in_their_order)
{
	struct hf_cdb_view_record r;
	size_t at = 0;
	char key[32];
	int rc;

	for (unsigned i = 0; i < RECORDS; i++) {
		for (int twice = 0; twice < (i % 10 ? 1 : 2); twice++) {
			ck_assert_int_eq(hf_cdb_view_next(&view, &at, &r), 1);
			ck_assert_uint_eq(r.key_len, key_of(i, key));
			ck_assert_int_eq(memcmp(r.key, key, r.key_len), 0);
			ck_assert_uint_eq(r.value_len, twice ? 5 : sizeof(i));
		}
	}
	rc = hf_cdb_view_next(&view, &at, &r);
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(hf_cdb_view_next(&view, &at, &r), 0);
}
END_TEST

START_TEST(an_empty_view_holds_nothing)
{
	struct hf_cdb_view_record r;
	const uint8_t *value;
	size_t n, at = 0;

	view = (struct hf_cdb_view){ NULL, 0 };
	ck_assert_int_eq(find("x", 1, &value, &n), 0);
	ck_assert_int_eq(hf_cdb_view_next(&view, &at, &r), 0);
	ck_assert_ptr_null(hf_cdb_view_warm_slot(&view, 5381).at);
	ck_assert_int_eq(hf_cdb_view_init(&view, bytes, TOC - 1), HF_EFORMAT);
}
END_TEST

/* The record of key 0 and what leads to it. */
static uint8_t *toc_of_first(void)
{
	char key[32];
	unsigned len = key_of(0, key);

	return bytes + hf_cdb_view_hash((const uint8_t *)key, len) % 256 * 8;
}

static void table_beyond_the_end(void)
{
	cdb_pack((unsigned)n_bytes - 7, toc_of_first());
}

static void table_too_long(void)
{
	cdb_pack(UINT32_MAX, toc_of_first() + 4);
}

static void key_too_long(void)
{
	cdb_pack(UINT32_MAX, bytes + TOC);
}

static void value_too_long(void)
{
	cdb_pack(UINT32_MAX - 2, bytes + TOC + 4);
}

/* Every slot of the table leads to that place. */
static void slots_lead_to(unsigned pos)
{
	uint8_t *toc = toc_of_first();

	for (unsigned i = 0; i < cdb_unpack(toc + 4); i++)
		cdb_pack(pos, bytes + cdb_unpack(toc) + (size_t)i * 8 + 4);
}

static void record_in_the_head(void)
{
	slots_lead_to(8);
}

static void record_beyond_the_end(void)
{
	slots_lead_to((unsigned)n_bytes - 7);
}

static const struct {
	void (*harm)(void);
} harms[] = { { table_beyond_the_end }, { table_too_long }, { key_too_long }, { value_too_long },
	{ record_in_the_head }, { record_beyond_the_end } };

START_TEST(what_cannot_be_is_told)
{
	const uint8_t *value;
	char key[32];
	size_t n;

	harms[_i].harm();
	ck_assert_int_eq(find(key, key_of(0, key), &value, &n), HF_EFORMAT);
}
END_TEST

START_TEST(a_full_table_without_the_key_ends)
{
	uint8_t *toc = toc_of_first();
	const uint8_t *value;
	char key[32];
	size_t n;

	for (unsigned i = 0; i < cdb_unpack(toc + 4); i++)
		cdb_pack(TOC, bytes + cdb_unpack(toc) + (size_t)i * 8 + 4);
	bytes[TOC + 8] ^= 1;
	ck_assert_int_eq(find(key, key_of(0, key), &value, &n), 0);
}
END_TEST

/* Whatever is in it: it ends, and nothing beyond is read (which a sanitizer sees). */
START_TEST(any_damage_is_survived)
{
	unsigned seed = (unsigned)_i + 1;
	struct hf_cdb_view_record r;
	const uint8_t *value;
	size_t n, at = 0, steps = 0;
	char key[32];

	for (int i = 0; i < 300; i++) {
		/* The places that lead to others are hit as often as all the rest. */
		size_t place = (size_t)rand_r(&seed) % (i % 2 ? n_bytes : TOC + 64);

		bytes[place] = (uint8_t)rand_r(&seed);
	}
	for (unsigned i = 0; i < RECORDS; i++) {
		unsigned len = key_of(i, key);
		uint32_t hash = hf_cdb_view_hash((const uint8_t *)key, len);
		int rc = find(key, len, &value, &n);

		ck_assert(rc == 1 || rc == 0 || rc == HF_EFORMAT);
		hf_cdb_view_warm_record(&view, hash, hf_cdb_view_warm_slot(&view, hash));
		if (rc == 1)
			ck_assert(value >= bytes + TOC && value + n <= bytes + n_bytes);
	}
	while (hf_cdb_view_next(&view, &at, &r) == 1)
		ck_assert_uint_lt(steps++, n_bytes);
}
END_TEST

Suite *cdb_view_suite(void)
{
	Suite *s = suite_create("cdb_view");
	TCase *tc = tcase_create("view");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, finds_what_tinycdb_finds);
	tcase_add_test(tc, walks_over_all_records_in_their_order);
	tcase_add_test(tc, an_empty_view_holds_nothing);
	tcase_add_loop_test(tc, what_cannot_be_is_told, 0, sizeof(harms) / sizeof(harms[0]));
	tcase_add_test(tc, a_full_table_without_the_key_ends);
	tcase_add_loop_test(tc, any_damage_is_survived, 0, 100);
	suite_add_tcase(s, tc);
	return s;
}
