/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/prng.h"
#include "zone/name.h"

Suite *name_suite(void);

#define N(a) (sizeof(a) / sizeof((a)[0]))

enum { ROUNDS = 500, SEEDS = 4 };

static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

/* What every struct hf_name must be, looked at without the code that makes it. */
static void check_form(const struct hf_name *name)
{
	size_t at = 0;

	while (at < name->len && name->wire[at]) {
		ck_assert_uint_le(name->wire[at], HF_LABEL_MAX);
		for (size_t i = at + 1; i <= at + name->wire[at]; i++)
			ck_assert(name->wire[i] < 'A' || name->wire[i] > 'Z');
		at += 1 + (size_t)name->wire[at];
	}
	ck_assert_uint_eq(at + 1, name->len);
}

static struct hf_name parsed(const char *text)
{
	struct hf_name name;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	return name;
}

/* Labels of 1 to 63 characters until `max` octets of wire form are full or chance ends it. */
static void random_text(struct prng *p, size_t max, char out[static HF_NAME_TEXT_MAX])
{
	size_t at = 0, wire = 1;

	while (wire + 2 <= max && (at == 0 || prng_below(p, 8))) {
		size_t room = max - wire - 1;
		size_t len = 1 + prng_below(p, room < HF_LABEL_MAX ? room : HF_LABEL_MAX);

		if (at)
			out[at++] = '.';
		prng_text(p, name_bytes, sizeof(name_bytes) - 1, out + at, len);
		at += len;
		wire += 1 + len;
	}
}

static void lower(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text + 'a' - 'A');
}

/* --- labels --- */

static const struct {
	const char *text;
	size_t len;
	bool ok;
} labels[] = {
	{ "a", 1, true },
	{ "Main-2_x", 8, true },
	{ "-x", 2, true },
	{ "x-", 2, true },
	{ "_", 1, true },
	{ "xn--bcher-kva", 13, true },
	{ "0", 1, true },
	{ "", 0, false },
	{ "a.b", 3, false },
	{ "a b", 3, false },
	{ "*", 1, false },
	{ "a\0b", 3, false },
	{ "a\n", 2, false },
	{ "\"", 1, false },
	{ ";", 1, false },
	{ "\\", 1, false },
	{ "\\097", 4, false },
	{ "b\xc3\xbc"
	  "cher",
	    7, false },
	{ "@", 1, false },
	{ "[", 1, false },
	{ "`", 1, false },
	{ "{", 1, false },
	{ "/", 1, false },
	{ ":", 1, false },
	{ "\x7f", 1, false },
	{ "\xff", 1, false },
	/* What lies behind the length is none of it. */
	{ "ab.c", 2, true },
};

START_TEST(labels_are_letters_digits_dash_and_underscore)
{
	ck_assert_int_eq(hf_label_ok(labels[_i].text, labels[_i].len), labels[_i].ok);
}
END_TEST

START_TEST(of_all_bytes_64_can_be_in_a_label)
{
	unsigned n = 0;

	for (int c = 0; c < 256; c++) {
		char text = (char)c;
		bool ok = hf_label_ok(&text, 1);

		ck_assert_int_eq(ok, c && strchr(name_bytes, c));
		n += ok;
	}
	ck_assert_uint_eq(n, 64);
}
END_TEST

START_TEST(a_label_has_at_most_63_octets)
{
	char text[65];

	memset(text, 'x', sizeof(text));
	ck_assert(hf_label_ok(text, 63));
	ck_assert(!hf_label_ok(text, 64));
	ck_assert(!hf_label_ok(text, SIZE_MAX));
}
END_TEST

/* Each of the three ways to look at a label says the same of it. */
static void check_label(const char *text, size_t len)
{
	uint8_t out[1 + HF_LABEL_MAX + 1], *end = out + sizeof(out) - 1;
	bool ok = hf_label_ok(text, len), upper = false;

	*end = 0x5a;
	ck_assert_int_eq(hf_label_put(text, len, out), ok);
	ck_assert_uint_eq(*end, 0x5a);
	for (size_t i = 0; ok && i < len; i++) {
		bool is_upper = text[i] >= 'A' && text[i] <= 'Z';

		ck_assert_uint_eq(out[1 + i], (uint8_t)text[i] + (is_upper ? 'a' - 'A' : 0));
		upper = upper || is_upper;
	}
	ck_assert(!ok || out[0] == len);
	ck_assert_int_eq(hf_label_is_lower(text, len), ok && !upper);
}

START_TEST(a_label_is_the_same_whoever_looks_at_it)
{
	char text[HF_LABEL_MAX + 1];

	memset(text, 'x', sizeof(text));
	for (size_t len = 0; len <= sizeof(text); len++)
		check_label(text, len);
	check_label(text, SIZE_MAX);
	for (int c = 0; c < 256; c++)
		for (size_t at = 0; at < HF_LABEL_MAX; at += HF_LABEL_MAX / 2) {
			memset(text, 'x', sizeof(text));
			text[at] = (char)c;
			check_label(text, at + 1);
			check_label(text, HF_LABEL_MAX);
		}
}
END_TEST

/* --- text --- */

static const struct {
	const char *text;
	const char *want; /* NULL: refused */
} texts[] = {
	{ "coder", "coder" },
	{ "Main.Dev.ME.Coder", "main.dev.me.coder" },
	{ "coder.", "coder" },
	{ "a.b.", "a.b" },
	{ ".", "." },
	{ "_holdfast-counters.coder", "_holdfast-counters.coder" },
	{ "", NULL },
	{ "..", NULL },
	{ ".coder", NULL },
	{ "a..b", NULL },
	{ "a.b..", NULL },
	{ "*.coder", NULL },
	{ "a b.coder", NULL },
	{ " coder", NULL },
	{ "coder\n", NULL },
	{ "co\\100er", NULL },
	{ "co\\der", NULL },
	{ "\xc3\xa4.coder", NULL },
	{ "a\x01.coder", NULL },
};

START_TEST(text_is_read_folded_or_refused)
{
	struct hf_name name = { .len = 77 };
	char out[HF_NAME_TEXT_MAX];
	int rc = hf_name_parse(texts[_i].text, &name);

	if (!texts[_i].want) {
		ck_assert_int_eq(rc, HF_ENAME);
		ck_assert_uint_eq(name.len, 77); /* written on success only */
		return;
	}
	ck_assert_int_eq(rc, 0);
	check_form(&name);
	ck_assert_str_eq(hf_name_text(&name, out), texts[_i].want);
}
END_TEST

/* "x" * 63, three times, and a last label of n: 1 + 3 * 64 + 1 + n octets. */
static void long_text(size_t n, char out[static HF_NAME_TEXT_MAX])
{
	memset(out, 'x', 3 * 64 + n);
	out[63] = out[127] = out[191] = '.';
	out[3 * 64 + n] = '\0';
}

START_TEST(a_name_has_at_most_255_octets)
{
	char text[HF_NAME_TEXT_MAX];
	struct hf_name name;

	long_text(61, text);
	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	ck_assert_uint_eq(name.len, 255);
	check_form(&name);
	ck_assert_int_eq(hf_name_parse(strcat(text, "."), &name), 0);
	long_text(62, text);
	ck_assert_int_eq(hf_name_parse(text, &name), HF_ENAME);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(hf_name_parse(text, &name), HF_ENAME);
}
END_TEST

START_TEST(text_comes_back_as_it_was_but_lower_case)
{
	struct prng p = { (uint64_t)_i };

	for (int i = 0; i < ROUNDS; i++) {
		char text[HF_NAME_TEXT_MAX], out[HF_NAME_TEXT_MAX];
		struct hf_name name;

		random_text(&p, HF_NAME_MAX, text);
		ck_assert_int_eq(hf_name_parse(text, &name), 0);
		check_form(&name);
		lower(text);
		ck_assert_str_eq(hf_name_text(&name, out), text);
	}
}
END_TEST

START_TEST(one_hostile_byte_anywhere_refuses_the_text)
{
	struct prng p = { (uint64_t)_i };

	for (int i = 0; i < ROUNDS; i++) {
		char text[HF_NAME_TEXT_MAX];
		struct hf_name name;
		char bad;

		random_text(&p, 60, text);
		do {
			bad = (char)(1 + prng_below(&p, 255));
		} while (bad == '.' || strchr(name_bytes, bad));
		text[prng_below(&p, strlen(text))] = bad;
		ck_assert_int_eq(hf_name_parse(text, &name), HF_ENAME);
	}
}
END_TEST

/* --- wire --- */

#define W(s) s, sizeof(s) - 1

static const struct {
	const char *wire;
	size_t len;
	int want; /* octets read, or a code */
	const char *text;
} wires[] = {
	{ W("\0"), 1, "." },
	{ W("\5coder\0"), 7, "coder" },
	{ W("\3DEV\5CoDeR\0"), 11, "dev.coder" },
	/* What follows the name is not read. */
	{ W("\5coder\0\0\34\0\1"), 7, "coder" },
	{ W("\1.\0"), 3, "\\046" },
	{ W("\3a\0b\1\\\0"), 7, "a\\000b.\\092" },
	{ W("\1*\2\xff\xc3\0"), 6, "\\042.\\255\\195" },
	{ W("\4[@`{\0"), 6, "\\091\\064\\096\\123" },
	{ "", 0, HF_EFORMAT, NULL },
	{ W("\5code"), HF_EFORMAT, NULL },
	{ W("\5coder"), HF_EFORMAT, NULL },
	{ W("\1"), HF_EFORMAT, NULL },
	{ W("\xc0\x0c"), HF_EFORMAT, NULL },
	{ W("\5coder\xc0\0\0"), HF_EFORMAT, NULL },
	{ W("\x40xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\0"), HF_EFORMAT,
	    NULL },
	{ W("\x80\0\0"), HF_EFORMAT, NULL },
};

START_TEST(wire_form_is_read_folded_or_refused)
{
	struct hf_name name = { .len = 77 };
	char out[HF_NAME_TEXT_MAX];
	int rc = hf_name_from_wire((const uint8_t *)wires[_i].wire, wires[_i].len, &name);

	ck_assert_int_eq(rc, wires[_i].want);
	if (rc < 0) {
		ck_assert_uint_eq(name.len, 77);
		return;
	}
	ck_assert_int_eq(rc, name.len);
	check_form(&name);
	ck_assert_str_eq(hf_name_text(&name, out), wires[_i].text);
}
END_TEST

START_TEST(wire_form_has_at_most_255_octets)
{
	uint8_t wire[300] = { 0 };
	struct hf_name name;
	char out[HF_NAME_TEXT_MAX];

	for (size_t i = 0; i < 127; i++)
		wire[2 * i] = 1;
	ck_assert_int_eq(hf_name_from_wire(wire, 255, &name), 255);
	ck_assert_uint_eq(hf_name_labels(&name), 127);
	ck_assert_uint_eq(strlen(hf_name_text(&name, out)), 127 * 4 + 126);
	wire[2 * 127] = 1;
	ck_assert_int_eq(hf_name_from_wire(wire, sizeof(wire), &name), HF_EFORMAT);
	/* 64 + 64 + 64 + 62 + 1 octets, the longest text: every byte escaped. */
	memset(wire, 0, sizeof(wire));
	wire[0] = wire[64] = wire[128] = 63;
	wire[192] = 61;
	ck_assert_int_eq(hf_name_from_wire(wire, sizeof(wire), &name), 255);
	ck_assert_uint_eq(strlen(hf_name_text(&name, out)), 250 * 4 + 3);
	wire[192] = 62;
	ck_assert_int_eq(hf_name_from_wire(wire, sizeof(wire), &name), HF_EFORMAT);
}
END_TEST

START_TEST(wire_form_cut_anywhere_is_refused)
{
	const char whole[] = "\4main\3dev\2me\5coder";
	struct hf_name name;

	for (size_t len = 0; len < sizeof(whole); len++)
		ck_assert_int_eq(hf_name_from_wire((const uint8_t *)whole, len, &name), HF_EFORMAT);
	ck_assert_int_eq(
	    hf_name_from_wire((const uint8_t *)whole, sizeof(whole), &name), sizeof(whole));
}
END_TEST

START_TEST(wire_and_text_give_the_same_name)
{
	struct prng p = { (uint64_t)_i };

	for (int i = 0; i < ROUNDS; i++) {
		char text[HF_NAME_TEXT_MAX];
		struct hf_name a, b;

		random_text(&p, HF_NAME_MAX, text);
		a = parsed(text);
		/* A query asks in whatever case it likes. */
		for (size_t k = 0; k < a.len; k++)
			if (a.wire[k] >= 'a' && prng_below(&p, 2))
				a.wire[k] = (uint8_t)(a.wire[k] - 'a' + 'A');
		ck_assert_int_eq(hf_name_from_wire(a.wire, a.len, &b), a.len);
		a = parsed(text);
		ck_assert(hf_name_equal(&a, &b));
	}
}
END_TEST

START_TEST(random_bytes_give_a_well_formed_name_or_none)
{
	struct prng p = { (uint64_t)_i };
	int n_ok = 0;

	for (int i = 0; i < ROUNDS; i++) {
		uint8_t bytes[300];
		char out[HF_NAME_TEXT_MAX];
		struct hf_name name, again;
		int rc;

		prng_bytes(&p, bytes, sizeof(bytes));
		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] %= prng_below(&p, 4) ? 256 - bytes[k] % 2 : 12;
		bytes[0] %= 12;
		rc = hf_name_from_wire(bytes, sizeof(bytes), &name);
		if (rc < 0)
			continue;
		n_ok++;
		check_form(&name);
		ck_assert_int_eq(hf_name_from_wire(name.wire, name.len, &again), name.len);
		ck_assert(hf_name_equal(&name, &again));
		/* Where the text can be read, it is this name and no other. */
		if (!hf_name_parse(hf_name_text(&name, out), &again))
			ck_assert(hf_name_equal(&name, &again));
	}
	ck_assert_int_gt(n_ok, ROUNDS / 100);
}
END_TEST

/* --- relations --- */

START_TEST(prepend_puts_a_label_before)
{
	struct hf_name name = parsed("coder"), want = parsed("dev.me.coder");

	ck_assert_int_eq(hf_name_prepend(&name, "ME", 2), 0);
	ck_assert_int_eq(hf_name_prepend(&name, "Dev.", 3), 0);
	ck_assert(hf_name_equal(&name, &want));
}
END_TEST

START_TEST(prepend_that_fails_changes_nothing)
{
	char text[HF_NAME_TEXT_MAX];
	struct hf_name name, before;

	long_text(59, text);
	name = before = parsed(text); /* 253 octets: one label of one octet more */
	ck_assert_int_eq(hf_name_prepend(&name, "ab", 2), HF_ENAME);
	ck_assert_int_eq(hf_name_prepend(&name, "", 0), HF_ENAME);
	ck_assert_int_eq(hf_name_prepend(&name, "*", 1), HF_ENAME);
	ck_assert_int_eq(hf_name_prepend(&name, text, 64), HF_ENAME);
	ck_assert_int_eq(hf_name_prepend(&name, text, SIZE_MAX), HF_ENAME);
	ck_assert(hf_name_equal(&name, &before));
	ck_assert_int_eq(hf_name_prepend(&name, "a", 1), 0);
	ck_assert_uint_eq(name.len, 255);
	check_form(&name);
}
END_TEST

START_TEST(parent_undoes_prepend)
{
	struct prng p = { (uint64_t)_i };

	for (int i = 0; i < ROUNDS; i++) {
		char text[HF_NAME_TEXT_MAX], label[64];
		size_t len = 1 + prng_below(&p, HF_LABEL_MAX), parent_len;
		struct hf_name name, child, parent;
		const uint8_t *wire;

		random_text(&p, HF_NAME_MAX - 64, text);
		name = child = parsed(text);
		prng_text(&p, name_bytes, sizeof(name_bytes) - 1, label, len);
		ck_assert_int_eq(hf_name_prepend(&child, label, len), 0);
		check_form(&child);
		ck_assert_uint_eq(hf_name_labels(&child), hf_name_labels(&name) + 1);
		ck_assert(hf_name_is_under(&child, &name));
		ck_assert(!hf_name_is_under(&name, &child));
		wire = hf_name_parent(&child, &parent_len);
		ck_assert_ptr_eq(wire, child.wire + 1 + len);
		ck_assert_uint_eq(parent_len, name.len);
		ck_assert(hf_name_get_parent(&child, &parent));
		ck_assert(hf_name_equal(&parent, &name));
		ck_assert(hf_name_get_parent(&child, &child)); /* in place */
		ck_assert(hf_name_equal(&child, &name));
	}
}
END_TEST

START_TEST(the_root_has_no_parent_and_all_are_under_it)
{
	struct hf_name root = parsed("."), name = parsed("a.b"), parent = { .len = 77 };
	size_t len = 77;

	ck_assert_ptr_null(hf_name_parent(&root, &len));
	ck_assert(!hf_name_get_parent(&root, &parent));
	ck_assert_uint_eq(len, 77);
	ck_assert_uint_eq(parent.len, 77);
	ck_assert_uint_eq(hf_name_labels(&root), 0);
	ck_assert_uint_eq(hf_name_labels(&name), 2);
	ck_assert(hf_name_is_under(&name, &root));
	ck_assert(hf_name_is_under(&root, &root));
	ck_assert(!hf_name_is_under(&root, &name));
	ck_assert(hf_name_get_parent(&name, &parent));
	ck_assert(hf_name_get_parent(&parent, &parent));
	ck_assert(hf_name_equal(&parent, &root));
}
END_TEST

static const struct {
	const char *name;
	const char *under;
	bool want;
} unders[] = {
	{ "coder", "coder", true },
	{ "a.coder", "coder", true },
	{ "A.b.CODER", "Coder", true },
	{ "xcoder", "coder", false },
	{ "a.xcoder", "coder", false },
	{ "coder.x", "coder", false },
	{ "coder", "a.coder", false },
	{ "b.coder", "a.coder", false },
	{ "coder2", "coder", false },
	{ "a.b.c", "b.c", true },
	{ "a.b.c", "a.b", false },
};

START_TEST(under_goes_by_whole_labels)
{
	struct hf_name name = parsed(unders[_i].name), under = parsed(unders[_i].under);

	ck_assert_int_eq(hf_name_is_under(&name, &under), unders[_i].want);
}
END_TEST

START_TEST(under_is_not_fooled_by_bytes_that_look_like_labels)
{
	/* One label whose last bytes are the wire form of "coder". */
	static const uint8_t hostile[] = "\10xx\5coder";
	struct hf_name name, coder = parsed("coder");

	ck_assert_int_eq(hf_name_from_wire(hostile, sizeof(hostile), &name), sizeof(hostile));
	ck_assert_uint_eq(hf_name_labels(&name), 1);
	ck_assert(!hf_name_is_under(&name, &coder));
}
END_TEST

START_TEST(under_is_what_climbing_up_finds)
{
	struct prng p = { (uint64_t)_i };
	int n_under = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct hf_name name = parsed("."), under = parsed("."), up;
		bool want;

		/* Few and short labels, so that both cases come up often. */
		for (size_t n = prng_below(&p, 6); n; n--)
			hf_name_prepend(&name, &"aba"[prng_below(&p, 2)], 1 + prng_below(&p, 2));
		for (size_t n = prng_below(&p, 4); n; n--)
			hf_name_prepend(&under, &"aba"[prng_below(&p, 2)], 1 + prng_below(&p, 2));
		up = name;
		do {
			want = hf_name_equal(&up, &under);
		} while (!want && hf_name_get_parent(&up, &up));
		ck_assert_int_eq(hf_name_is_under(&name, &under), want);
		n_under += want;
	}
	ck_assert_int_gt(n_under, ROUNDS / 20);
	ck_assert_int_lt(n_under, ROUNDS - ROUNDS / 20);
}
END_TEST

START_TEST(equal_looks_at_length_and_bytes)
{
	struct hf_name a = parsed("a.b"), b = parsed("A.B."), c = parsed("a.c"), d = parsed("a.bb");

	memset(b.wire + b.len, 0xaa, sizeof(b.wire) - b.len); /* behind the name is nothing */
	ck_assert(hf_name_equal(&a, &b));
	ck_assert(!hf_name_equal(&a, &c));
	ck_assert(!hf_name_equal(&a, &d));
}
END_TEST

/* At each place, since several are folded at once. */
START_TEST(each_byte_is_folded_as_ascii_is)
{
	uint8_t wire[24] = { 21 };
	struct hf_name name;

	for (unsigned byte = 0; byte < 256; byte++) {
		for (size_t at = 1; at <= 21; at++) {
			memset(wire + 1, 'Q', 21);
			wire[at] = (uint8_t)byte;
			ck_assert_int_eq(hf_name_from_wire(wire, sizeof(wire), &name), 23);
			for (size_t i = 1; i <= 21; i++)
				ck_assert_uint_eq(name.wire[i],
				    wire[i] >= 'A' && wire[i] <= 'Z' ? wire[i] + 32 : wire[i]);
			ck_assert_uint_eq(name.wire[0], 21);
			ck_assert_uint_eq(name.wire[22], 0);
		}
	}
}
END_TEST

static TCase *text_case(void)
{
	TCase *tc = tcase_create("text");

	tcase_add_loop_test(tc, labels_are_letters_digits_dash_and_underscore, 0, N(labels));
	tcase_add_test(tc, of_all_bytes_64_can_be_in_a_label);
	tcase_add_test(tc, a_label_has_at_most_63_octets);
	tcase_add_test(tc, a_label_is_the_same_whoever_looks_at_it);
	tcase_add_loop_test(tc, text_is_read_folded_or_refused, 0, N(texts));
	tcase_add_test(tc, a_name_has_at_most_255_octets);
	tcase_add_loop_test(tc, text_comes_back_as_it_was_but_lower_case, 0, SEEDS);
	tcase_add_loop_test(tc, one_hostile_byte_anywhere_refuses_the_text, 0, SEEDS);
	return tc;
}

static TCase *wire_case(void)
{
	TCase *tc = tcase_create("wire");

	tcase_add_loop_test(tc, wire_form_is_read_folded_or_refused, 0, N(wires));
	tcase_add_test(tc, wire_form_has_at_most_255_octets);
	tcase_add_test(tc, each_byte_is_folded_as_ascii_is);
	tcase_add_test(tc, wire_form_cut_anywhere_is_refused);
	tcase_add_loop_test(tc, wire_and_text_give_the_same_name, 0, SEEDS);
	tcase_add_loop_test(tc, random_bytes_give_a_well_formed_name_or_none, 0, SEEDS);
	return tc;
}

static TCase *relations_case(void)
{
	TCase *tc = tcase_create("relations");

	tcase_add_test(tc, prepend_puts_a_label_before);
	tcase_add_test(tc, prepend_that_fails_changes_nothing);
	tcase_add_loop_test(tc, parent_undoes_prepend, 0, SEEDS);
	tcase_add_test(tc, the_root_has_no_parent_and_all_are_under_it);
	tcase_add_loop_test(tc, under_goes_by_whole_labels, 0, N(unders));
	tcase_add_test(tc, under_is_not_fooled_by_bytes_that_look_like_labels);
	tcase_add_loop_test(tc, under_is_what_climbing_up_finds, 0, SEEDS);
	tcase_add_test(tc, equal_looks_at_length_and_bytes);
	return tc;
}

Suite *name_suite(void)
{
	Suite *s = suite_create("name");

	suite_add_tcase(s, text_case());
	suite_add_tcase(s, wire_case());
	suite_add_tcase(s, relations_case());
	return s;
}
