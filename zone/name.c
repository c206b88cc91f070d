/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/name.h"

#include <string.h>

#include "base/error.h"

/*
 * What names are made of, in lower case; 0 is no such byte. By hand and not by ctype.h: a locale
 * has no say in it. A table, since each label of each name of each agent is looked at.
 */
/* clang-format off */
static const uint8_t name_bytes[256] = {
	['-'] = '-', ['_'] = '_', ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3',
	['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
	['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f',
	['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l',
	['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r',
	['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x',
	['y'] = 'y', ['z'] = 'z', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd',
	['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j',
	['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p',
	['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v',
	['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z',
};
/* clang-format on */

static uint8_t name_fold(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

bool hf_label_ok(const char *text, size_t len)
{
	if (len < 1 || len > HF_LABEL_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!name_bytes[(uint8_t)text[i]])
			return false;
	return true;
}

bool hf_label_is_lower(const char *text, size_t len)
{
	uint8_t bad = 0;

	if (len < 1 || len > HF_LABEL_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)text[i];

		bad |= (uint8_t)!c | (name_bytes[c] ^ c);
	}
	return !bad;
}

bool hf_label_put(const char *text, size_t len, uint8_t *out)
{
	bool ok = true;

	if (len < 1 || len > HF_LABEL_MAX)
		return false;
	*out++ = (uint8_t)len;
	for (size_t i = 0; i < len; i++) {
		out[i] = name_bytes[(uint8_t)text[i]];
		ok = ok && out[i];
	}
	return ok;
}

static void set_root(struct hf_name *name)
{
	name->len = 1;
	name->wire[0] = 0;
}

int hf_name_parse(const char *text, struct hf_name *ret_name)
{
	struct hf_name name;
	size_t at = 0;

	if (!strcmp(text, ".")) {
		set_root(ret_name);
		return 0;
	}
	do {
		size_t len = strcspn(text, ".");

		/* One byte stays for the root. */
		if (len > HF_LABEL_MAX || at + 1 + len + 1 > HF_NAME_MAX ||
		    !hf_label_put(text, len, name.wire + at))
			return HF_ENAME;
		at += 1 + len;
		text += len;
		if (*text == '.')
			text++;
	} while (*text);
	name.wire[at++] = 0;
	name.len = (uint8_t)at;
	*ret_name = name;
	return 0;
}

/* The length of a whole name of plain labels, its root included; 0 if it is none. */
static size_t wire_len(const uint8_t *wire, size_t len)
{
	size_t at = 0;

	for (;;) {
		size_t label = at < len ? wire[at] : HF_LABEL_MAX + 1;

		if (label == 0)
			return at + 1;
		/* Also what begins a compression pointer is more than a label can have. */
		if (label > HF_LABEL_MAX || label > len - at - 1 ||
		    at + 1 + label + 1 > HF_NAME_MAX)
			return 0;
		at += 1 + label;
	}
}

/* name_fold() of eight bytes at once; bytes over 127 stay as they are. */
static uint64_t name_fold8(uint64_t v)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t low = v & each * 0x7f;
	uint64_t from_a = low + each * (0x80 - 'A'); /* the high bit: 'A' or more */
	uint64_t past_z = low + each * (0x7f - 'Z');
	uint64_t upper = from_a & ~past_z & ~v & each * 0x80;

	return v | upper >> 2; /* 0x80 to 0x20 */
}

int hf_name_from_wire(const uint8_t *wire, size_t len, struct hf_name *ret_name)
{
	size_t n = wire_len(wire, len), i = 0;
	uint64_t v;

	if (!n)
		return HF_EFORMAT;
	/* Lengths go along: they are under 'A'. */
	for (; i + sizeof(v) <= n; i += sizeof(v)) {
		memcpy(&v, wire + i, sizeof(v));
		v = name_fold8(v);
		memcpy(ret_name->wire + i, &v, sizeof(v));
	}
	for (; i < n; i++)
		ret_name->wire[i] = name_fold(wire[i]);
	ret_name->len = (uint8_t)n;
	return (int)n;
}

int hf_name_prepend(struct hf_name *name, const char *label, size_t len)
{
	if (!hf_label_ok(label, len) || 1 + len + name->len > HF_NAME_MAX)
		return HF_ENAME;
	memmove(name->wire + 1 + len, name->wire, name->len);
	name->wire[0] = (uint8_t)len;
	for (size_t i = 0; i < len; i++)
		name->wire[1 + i] = name_bytes[(uint8_t)label[i]];
	name->len = (uint8_t)(name->len + 1 + len);
	return 0;
}

char *hf_name_text(const struct hf_name *name, char out[static HF_NAME_TEXT_MAX])
{
	char *to = out;

	for (const uint8_t *label = name->wire; *label; label += 1 + *label) {
		if (to > out)
			*to++ = '.';
		for (size_t i = 1; i <= *label; i++) {
			uint8_t c = label[i];

			if (name_bytes[c]) {
				*to++ = (char)c;
				continue;
			}
			*to++ = '\\';
			*to++ = (char)('0' + c / 100);
			*to++ = (char)('0' + c / 10 % 10);
			*to++ = (char)('0' + c % 10);
		}
	}
	if (to == out)
		*to++ = '.';
	*to = '\0';
	return out;
}

bool hf_name_equal(const struct hf_name *a, const struct hf_name *b)
{
	return a->len == b->len && !memcmp(a->wire, b->wire, a->len);
}

bool hf_name_is_under(const struct hf_name *name, const struct hf_name *under)
{
	size_t at = 0;

	/* Label by label: the same bytes may also lie across the end of a label. */
	while (name->len - at > under->len)
		at += 1 + (size_t)name->wire[at];
	return name->len - at == under->len && !memcmp(name->wire + at, under->wire, under->len);
}

unsigned hf_name_labels(const struct hf_name *name)
{
	unsigned n = 0;

	for (const uint8_t *label = name->wire; *label; label += 1 + *label)
		n++;
	return n;
}

const uint8_t *hf_name_parent(const struct hf_name *name, size_t *ret_len)
{
	size_t first = 1 + (size_t)name->wire[0];

	if (first == 1)
		return NULL;
	*ret_len = name->len - first;
	return name->wire + first;
}

bool hf_name_get_parent(const struct hf_name *name, struct hf_name *ret_parent)
{
	size_t len;
	const uint8_t *wire = hf_name_parent(name, &len);

	if (!wire)
		return false;
	/* By way of memmove: the parent may take the place of its child. */
	memmove(ret_parent->wire, wire, len);
	ret_parent->len = (uint8_t)len;
	return true;
}
