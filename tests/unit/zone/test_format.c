/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "zone/format.h"

Suite *format_suite(void);

#define PREFIX 0xfd, 0x60, 0x62, 0x7a, 0xa4, 0x2b
static const uint8_t addrs[2][16] = {
	{ PREFIX, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 },
	{ PREFIX, 0xa, 1, 2, 3, 4, 5, 6, 7, 8, 9 },
};
static const uint8_t wire[] = "\4main\3dev\5coder";

/* --- values --- */

/*
 * Every value is written and read from memory of exactly its length, so that a sanitizer sees one
 * byte too far.
 */
static int put_and_get(
    const struct hf_fmt_value *value, struct hf_fmt_value *ret_value, uint8_t **ret_bytes)
{
	uint8_t out[HF_FMT_VALUE_MAX];
	int len = hf_fmt_value_put(value, out, sizeof(out));

	ck_assert_int_gt(len, 0);
	*ret_bytes = malloc((size_t)len);
	memcpy(*ret_bytes, out, (size_t)len);
	ck_assert_int_eq(hf_fmt_value_get(*ret_bytes, (size_t)len, ret_value), 0);
	return len;
}

static const struct hf_fmt_value values[] = {
	{ .kind = HF_FMT_GONE },
	{ .kind = HF_FMT_EMPTY },
	{ .kind = HF_FMT_EMPTY, .children = UINT32_MAX },
	{ .kind = HF_FMT_ADDRS,
	    .flags = HF_REC_HELD | HF_REC_RESTORED,
	    .source = 63,
	    .owner = 65534,
	    .first_seen_s = 0xdeadbeef,
	    .addrs = addrs,
	    .n_addrs = 1 },
	{ .kind = HF_FMT_ADDRS,
	    .flags = HF_REC_PRIMARY,
	    .children = 7,
	    .addrs = addrs,
	    .n_addrs = 2 },
	{ .kind = HF_FMT_PTR, .ptr = wire, .ptr_len = sizeof(wire) },
};

START_TEST(value_comes_back_as_it_was_put)
{
	const struct hf_fmt_value *want = &values[_i];
	struct hf_fmt_value got;
	uint8_t *bytes;

	put_and_get(want, &got, &bytes);
	ck_assert_uint_eq(got.kind, want->kind);
	ck_assert_uint_eq(got.flags, want->flags);
	ck_assert_uint_eq(got.source, want->source);
	ck_assert_uint_eq(got.owner, want->owner);
	ck_assert_uint_eq(got.first_seen_s, want->first_seen_s);
	ck_assert_uint_eq(got.children, want->children);
	ck_assert_uint_eq(got.n_addrs, want->n_addrs);
	ck_assert(!want->n_addrs || !memcmp(got.addrs, want->addrs, 16 * want->n_addrs));
	ck_assert_uint_eq(got.ptr_len, want->ptr_len);
	ck_assert(!want->ptr_len || !memcmp(got.ptr, want->ptr, want->ptr_len));
	free(bytes);
}
END_TEST

START_TEST(value_cut_or_prolonged_anywhere_is_refused)
{
	struct hf_fmt_value got;
	uint8_t *bytes, longer[HF_FMT_VALUE_MAX + 1];
	int len = put_and_get(&values[_i], &got, &bytes);

	for (int cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut ? (size_t)cut : 1);

		memcpy(part, bytes, (size_t)cut);
		/* Two addresses without the second are one address; nothing else may pass. */
		if (!(values[_i].n_addrs == 2 && cut == len - 16))
			ck_assert_int_eq(hf_fmt_value_get(part, (size_t)cut, &got), HF_EFORMAT);
		free(part);
	}
	memcpy(longer, bytes, (size_t)len);
	longer[len] = 0;
	ck_assert_int_eq(hf_fmt_value_get(longer, (size_t)len + 1, &got), HF_EFORMAT);
	free(bytes);
}
END_TEST

START_TEST(value_that_does_not_fit_is_refused)
{
	uint8_t out[HF_FMT_VALUE_MAX];
	struct hf_fmt_value got;
	uint8_t *bytes;
	int len = put_and_get(&values[_i], &got, &bytes);

	for (int size = 0; size < len; size++)
		ck_assert_int_eq(hf_fmt_value_put(&values[_i], out, (size_t)size), HF_ELIMIT);
	free(bytes);
}
END_TEST

#define ONE_ADDR PREFIX, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9

static const struct {
	const char *what;
	uint8_t bytes[48];
	size_t len;
} bad_values[] = {
	{ "unknown kind", { 4 }, 1 },
	{ "no address", { 1, 0, 0, 0, 0, 0, 0, 0, 0 }, 9 },
	{ "address outside of the /48", { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0x80 }, 25 },
	{ "unknown flag", { 1, 0x10, 0, 0, 0, 0, 0, 0, 0, ONE_ADDR }, 25 },
	{ "source over the limit", { 1, 0, 64, 0, 0, 0, 0, 0, 0, ONE_ADDR }, 25 },
	{ "children that are none", { 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ONE_ADDR }, 29 },
	{ "PTR to a cut name", { 3, 4, 'm', 'a', 'i', 'n' }, 6 },
	{ "PTR to upper case", { 3, 1, 'A', 0 }, 4 },
	{ "PTR with a compression pointer", { 3, 0xc0, 0 }, 3 },
	{ "PTR to nothing", { 3 }, 1 },
	{ "two names", { 3, 1, 'a', 0, 0 }, 5 },
};

START_TEST(value_of_another_form_is_refused)
{
	struct hf_fmt_value got;

	ck_assert_msg(
	    hf_fmt_value_get(bad_values[_i].bytes, bad_values[_i].len, &got) == HF_EFORMAT, "%s",
	    bad_values[_i].what);
}
END_TEST

START_TEST(most_addresses_fit_and_one_more_does_not)
{
	uint8_t many[HF_REC_ADDRS_MAX + 1][16], out[HF_FMT_VALUE_MAX + 16];
	struct hf_fmt_value v = { .kind = HF_FMT_ADDRS, .children = 1 }, got;
	int len;

	for (size_t i = 0; i <= HF_REC_ADDRS_MAX; i++)
		memcpy(many[i], addrs[0], 16);
	v.addrs = (const uint8_t(*)[16])many;
	v.n_addrs = HF_REC_ADDRS_MAX;
	len = hf_fmt_value_put(&v, out, HF_FMT_VALUE_MAX);
	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(hf_fmt_value_get(out, (size_t)len, &got), 0);
	v.n_addrs++;
	len = hf_fmt_value_put(&v, out, sizeof(out));
	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(hf_fmt_value_get(out, (size_t)len, &got), HF_EFORMAT);
}
END_TEST

START_TEST(keys_of_ptr_and_meta_are_no_names)
{
	uint8_t key[HF_FMT_PTR_KEY_LEN];
	struct hf_name name;

	hf_fmt_ptr_key(addrs[0], key);
	ck_assert_uint_eq(key[0], 0xfe);
	ck_assert(!memcmp(key + 1, addrs[0] + 6, 10));
	ck_assert_int_eq(hf_name_from_wire(key, sizeof(key), &name), HF_EFORMAT);
	ck_assert_int_eq(
	    hf_name_from_wire(hf_fmt_meta_key, HF_FMT_META_KEY_LEN, &name), HF_EFORMAT);
}
END_TEST

/* --- meta --- */

static void make_meta(struct hf_zone_meta *m, size_t n_sources)
{
	memset(m, 0, sizeof(*m));
	m->ttl_s = 30;
	m->not_ready = HF_NOT_READY_NXDOMAIN;
	m->provenance = HF_PROVENANCE_ON;
	m->ready = true;
	m->n_sources = n_sources;
	for (size_t i = 0; i < n_sources; i++) {
		snprintf(m->sources[i].name, sizeof(m->sources[i].name), "source %zu", i);
		ck_assert_int_eq(hf_name_parse("a.coder", &m->sources[i].suffix), 0);
		m->sources[i].fresh_ms = 60000 + (uint32_t)i;
		m->sources[i].snapshot_ms = 600000;
	}
}

START_TEST(meta_comes_back_as_it_was_put)
{
	static const size_t counts[] = { 0, 1, HF_ZONE_SOURCES_MAX };
	uint8_t out[HF_FMT_META_MAX], again[HF_FMT_META_MAX];
	struct hf_zone_meta want, got;
	uint64_t n_names = 0;
	int len;

	make_meta(&want, counts[_i]);
	if (want.n_sources)
		want.sources[0].suffix.len = 0; /* not known yet */
	len = hf_fmt_meta_put(&want, 1ull << 40, out, sizeof(out));
	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(hf_fmt_meta_get(out, (size_t)len, &got, &n_names), 0);
	ck_assert_uint_eq(n_names, 1ull << 40);
	ck_assert_int_eq(got.not_ready, HF_NOT_READY_NXDOMAIN);
	ck_assert_int_eq(got.provenance, HF_PROVENANCE_ON);
	ck_assert(got.ready && got.ttl_s == 30 && got.n_sources == want.n_sources);
	for (size_t i = 0; i < want.n_sources; i++) {
		ck_assert_str_eq(got.sources[i].name, want.sources[i].name);
		ck_assert_uint_eq(got.sources[i].fresh_ms, want.sources[i].fresh_ms);
		ck_assert_uint_eq(got.sources[i].suffix.len, want.sources[i].suffix.len);
	}
	ck_assert_int_eq(hf_fmt_meta_put(&got, n_names, again, sizeof(again)), len);
	ck_assert(!memcmp(out, again, (size_t)len));
	for (int cut = 0; cut < len; cut++)
		ck_assert_int_eq(hf_fmt_meta_get(out, (size_t)cut, &got, &n_names), HF_EFORMAT);
	ck_assert_int_eq(hf_fmt_meta_put(&want, 0, again, (size_t)len - 1), HF_ELIMIT);
}
END_TEST

enum { TTL_0, TTL_31, POLICY, PROVENANCE, SOURCES, ROOT, UPPER, CONTROL, UNENDED, N_BAD_METAS };

START_TEST(meta_that_no_reader_would_take_is_not_put)
{
	static struct hf_zone_meta m;
	static uint8_t out[HF_FMT_META_MAX];

	make_meta(&m, 2);
	switch (_i) {
	case TTL_0:
		m.ttl_s = 0;
		break;
	case TTL_31:
		m.ttl_s = 31;
		break;
	case POLICY:
		m.not_ready = (enum hf_not_ready)2;
		break;
	case PROVENANCE:
		m.provenance = (enum hf_provenance)3;
		break;
	case SOURCES:
		m.n_sources = HF_ZONE_SOURCES_MAX + 1;
		break;
	case ROOT:
		m.sources[1].suffix = (struct hf_name){ .len = 1 };
		break;
	case UPPER:
		m.sources[1].suffix.wire[1] = 'A';
		break;
	case CONTROL:
		m.sources[1].name[0] = '\n';
		break;
	case UNENDED:
		memset(m.sources[1].name, 'x', sizeof(m.sources[1].name));
		break;
	}
	ck_assert_int_eq(hf_fmt_meta_put(&m, 0, out, sizeof(out)), HF_EREFUSED);
}
END_TEST

/* Byte by byte: what is still a meta says the same when it is written again. */
START_TEST(meta_with_a_changed_byte_is_refused_or_another_meta)
{
	uint8_t out[HF_FMT_META_MAX], again[HF_FMT_META_MAX];
	static struct hf_zone_meta m;
	uint64_t n_names;
	int len;

	make_meta(&m, 2);
	len = hf_fmt_meta_put(&m, 9, out, sizeof(out));
	for (int i = 0; i < len; i++) {
		uint8_t was = out[i];

		for (unsigned v = 0; v < 256; v++) {
			out[i] = (uint8_t)v;
			if (hf_fmt_meta_get(out, (size_t)len, &m, &n_names))
				continue;
			ck_assert_int_eq(hf_fmt_meta_put(&m, n_names, again, sizeof(again)), len);
			ck_assert(!memcmp(out, again, (size_t)len));
		}
		out[i] = was;
	}
}
END_TEST

/* --- current --- */

static const struct hf_fmt_current a_current = {
	.epoch = { 0x01, 0x23, 0xfe },
	.generation = UINT64_MAX,
	.base = { .name = "base-18446744073709551615.cdb",
	    .size = 4000000000,
	    .hash = { 1, 2, 3 } },
	.delta = { .name = "delta-7-0.cdb", .size = 2048, .hash = { 0xff } },
};

START_TEST(current_comes_back_as_it_was_put)
{
	struct hf_fmt_current want = a_current, got;
	char out[HF_FMT_CURRENT_MAX];
	int len;

	if (_i)
		memset(&want.delta, 0, sizeof(want.delta));
	len = hf_fmt_current_put(&want, out, sizeof(out));
	ck_assert_int_gt(len, 0);
	ck_assert(!memcmp(out, "holdfast-zone 1\nepoch 0123fe", 28));
	ck_assert_int_eq(hf_fmt_current_get(out, (size_t)len, &got), 0);
	ck_assert(!memcmp(got.epoch, want.epoch, sizeof(want.epoch)));
	ck_assert(got.generation == want.generation);
	ck_assert_str_eq(got.base.name, want.base.name);
	ck_assert_str_eq(got.delta.name, want.delta.name);
	ck_assert(got.base.size == want.base.size && got.delta.size == want.delta.size);
	ck_assert(!memcmp(got.base.hash, want.base.hash, sizeof(want.base.hash)));
	for (int size = 0; size < len; size++)
		ck_assert_int_eq(hf_fmt_current_put(&want, out, (size_t)size), HF_ELIMIT);
}
END_TEST

START_TEST(current_with_any_changed_or_missing_byte_is_refused)
{
	struct hf_fmt_current got;
	char out[HF_FMT_CURRENT_MAX];
	int len = hf_fmt_current_put(&a_current, out, sizeof(out));

	for (int i = 0; i < len; i++) {
		ck_assert_int_lt(hf_fmt_current_get(out, (size_t)i, &got), 0);
		for (unsigned bit = 0; bit < 8; bit++) {
			out[i] ^= (char)(1 << bit);
			ck_assert_int_lt(hf_fmt_current_get(out, (size_t)len, &got), 0);
			out[i] ^= (char)(1 << bit);
		}
	}
	ck_assert_int_eq(hf_fmt_current_get(out, (size_t)len, &got), 0);
}
END_TEST

/* A text with a right checksum that somebody wrote by hand. */
static int get_text(const char *fields)
{
	char text[HF_FMT_CURRENT_MAX];
	uint8_t hash[HF_FMT_HASH_LEN];
	struct hf_fmt_current got;
	int len = snprintf(text, sizeof(text), "%s", fields);

	hf_fmt_hash(text, (size_t)len, hash);
	len += snprintf(text + len, sizeof(text) - (size_t)len, "end ");
	for (size_t i = 0; i < sizeof(hash); i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%02x", hash[i]);
	len += snprintf(text + len, sizeof(text) - (size_t)len, "\n");
	return hf_fmt_current_get(text, (size_t)len, &got);
}

#define HEX "00112233445566778899aabbccddeeff"
#define HEAD "holdfast-zone 1\nepoch " HEX "\ngeneration 5\n"

static const struct {
	const char *text;
	int want;
} texts[] = {
	{ HEAD "base base-1.cdb 9 " HEX "\ndelta - 0 -\n", 0 },
	{ "holdfast-zone 2\nwhat may come\n", HF_ESCHEMA },
	{ "holdfast-zone 1x\n", HF_EFORMAT },
	{ "holdfast-zone 01\n", HF_EFORMAT },
	{ "something else\n", HF_EFORMAT },
	{ "", HF_EFORMAT },
	{ HEAD, HF_EFORMAT },
	{ HEAD "base - 0 -\ndelta - 0 -\n", HF_EFORMAT },
	{ HEAD "base base-1.cdb 9 " HEX "\n", HF_EFORMAT },
	{ HEAD "base base-1.cdb 9 " HEX "\ndelta - 1 -\n", HF_EFORMAT },
	{ HEAD "base base-1.cdb 9 " HEX "\ndelta - 0 -\nmore\n", HF_EFORMAT },
	{ HEAD "base base-1.cdb  9 " HEX "\ndelta - 0 -\n", HF_EFORMAT },
	{ HEAD "base base-1.cdb 09 " HEX "\ndelta - 0 -\n", HF_EFORMAT },
	{ HEAD "base base-1.cdb 18446744073709551616 " HEX "\ndelta - 0 -\n", HF_EFORMAT },
	{ HEAD "base ../base-1.cdb 9 " HEX "\ndelta - 0 -\n", HF_EFORMAT },
	{ HEAD "base .base-1.cdb 9 " HEX "\ndelta - 0 -\n", HF_EFORMAT },
	{ HEAD "base pulse 9 " HEX "\ndelta - 0 -\n", HF_EFORMAT },
	{ HEAD "base base-1.cdb 9 " HEX "\ndelta base-1.cdb 9 " HEX "\n", HF_EFORMAT },
	{ HEAD "delta - 0 -\nbase base-1.cdb 9 " HEX "\n", HF_EFORMAT },
	{ "holdfast-zone 1\nepoch 0011\ngeneration 5\nbase base-1.cdb 9 " HEX "\ndelta - 0 -\n",
	    HF_EFORMAT },
	{ "holdfast-zone 1\nepoch " HEX "\ngeneration -5\nbase base-1.cdb 9 " HEX "\ndelta - 0 -\n",
	    HF_EFORMAT },
};

START_TEST(current_by_hand_is_taken_only_in_its_one_form)
{
	ck_assert_msg(get_text(texts[_i].text) == texts[_i].want, "%s", texts[_i].text);
}
END_TEST

static const struct {
	const char *name;
	enum hf_fmt_file_kind kind;
	uint64_t n, m;
} file_names[] = {
	{ "base-0.cdb", HF_FMT_FILE_BASE, 0, 0 },
	{ "base-18446744073709551615.cdb", HF_FMT_FILE_BASE, UINT64_MAX, 0 },
	{ "delta-3-44.cdb", HF_FMT_FILE_DELTA, 3, 44 },
	{ "base-18446744073709551616.cdb", HF_FMT_FILE_OTHER, 0, 0 },
	{ "base-01.cdb", HF_FMT_FILE_OTHER, 0, 0 },
	{ "base-.cdb", HF_FMT_FILE_OTHER, 0, 0 },
	{ "base-1.cdbx", HF_FMT_FILE_OTHER, 0, 0 },
	{ "base-1", HF_FMT_FILE_OTHER, 0, 0 },
	{ "delta-1.cdb", HF_FMT_FILE_OTHER, 0, 0 },
	{ "delta-1-.cdb", HF_FMT_FILE_OTHER, 0, 0 },
	{ ".base-1.cdb.tmp", HF_FMT_FILE_OTHER, 0, 0 },
	{ "current", HF_FMT_FILE_OTHER, 0, 0 },
	{ "", HF_FMT_FILE_OTHER, 0, 0 },
};

START_TEST(file_names_are_told_apart)
{
	uint64_t n = 0, m = 0;

	ck_assert_int_eq(hf_fmt_file_kind(file_names[_i].name, &n, &m), file_names[_i].kind);
	ck_assert(n == file_names[_i].n && m == file_names[_i].m);
}
END_TEST

#define N(a) (sizeof(a) / sizeof((a)[0]))

Suite *format_suite(void)
{
	Suite *s = suite_create("format");
	TCase *tc = tcase_create("values");

	tcase_add_loop_test(tc, value_comes_back_as_it_was_put, 0, N(values));
	tcase_add_loop_test(tc, value_cut_or_prolonged_anywhere_is_refused, 0, N(values));
	tcase_add_loop_test(tc, value_that_does_not_fit_is_refused, 0, N(values));
	tcase_add_loop_test(tc, value_of_another_form_is_refused, 0, N(bad_values));
	tcase_add_test(tc, most_addresses_fit_and_one_more_does_not);
	tcase_add_test(tc, keys_of_ptr_and_meta_are_no_names);
	suite_add_tcase(s, tc);
	tc = tcase_create("meta");
	tcase_add_loop_test(tc, meta_comes_back_as_it_was_put, 0, 3);
	tcase_add_loop_test(tc, meta_that_no_reader_would_take_is_not_put, 0, N_BAD_METAS);
	tcase_add_test(tc, meta_with_a_changed_byte_is_refused_or_another_meta);
	suite_add_tcase(s, tc);
	tc = tcase_create("current");
	tcase_add_loop_test(tc, current_comes_back_as_it_was_put, 0, 2);
	tcase_add_test(tc, current_with_any_changed_or_missing_byte_is_refused);
	tcase_add_loop_test(tc, current_by_hand_is_taken_only_in_its_one_form, 0, N(texts));
	tcase_add_loop_test(tc, file_names_are_told_apart, 0, N(file_names));
	suite_add_tcase(s, tc);
	return s;
}
