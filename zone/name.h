/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * name: a DNS name in canonical form: wire format, lower case, root byte included, checked.
 * A struct hf_name that a function of this header filled is always well formed; nothing else
 * may fill one. Plain values: copy at will, nothing to free.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HF_NAME_MAX = 255, HF_LABEL_MAX = 63, HF_NAME_TEXT_MAX = 1024 };

struct hf_name {
	uint8_t len; /* of wire, 1 (the root) to 255 */
	uint8_t wire[HF_NAME_MAX];
};

/*
 * A label that Holdfast publishes: 1 to 63 of letters, digits, '-', '_'. Upper case is fine (it is
 * folded). `text` need not end with NUL and may hold any byte.
 */
bool hf_label_ok(const char *text, size_t len);
/* The same, and in lower case already. */
bool hf_label_is_lower(const char *text, size_t len);
/*
 * Writes its length and the folded label, 1 + len bytes, to `out`; false if it is none (`out` is
 * spoilt then).
 */
bool hf_label_put(const char *text, size_t len, uint8_t *out);

/*
 * From text ("main.dev.me.coder", final dot optional): labels as hf_label_ok() has them.
 * For names of ours only, no escapes. Returns 0 or HF_ENAME.
 */
int hf_name_parse(const char *text, struct hf_name *ret_name);

/*
 * From the uncompressed wire form of a query: any byte within a label, folded to lower case.
 * Returns the number of bytes read or HF_EFORMAT (compression pointer, overlong, cut).
 */
int hf_name_from_wire(const uint8_t *wire, size_t len, struct hf_name *ret_name);

/* Put one label before `name` in place. Returns 0 or HF_ENAME (bad label, longer than 255). */
int hf_name_prepend(struct hf_name *name, const char *label, size_t len);

/* Without the final dot ("." for the root), bytes no label of ours has as \DDD. Returns out. */
char *hf_name_text(const struct hf_name *name, char out[static HF_NAME_TEXT_MAX]);

bool hf_name_equal(const struct hf_name *a, const struct hf_name *b);
/* True if `name` is `under` or below it, by whole labels. */
bool hf_name_is_under(const struct hf_name *name, const struct hf_name *under);
/* Labels without the root: "a.b" has 2. */
unsigned hf_name_labels(const struct hf_name *name);
/* Without the first label, lent from within `name`: wire bytes and length. NULL at the root. */
const uint8_t *hf_name_parent(const struct hf_name *name, size_t *ret_len);
/* The same as a value of its own. Returns false at the root. */
bool hf_name_get_parent(const struct hf_name *name, struct hf_name *ret_parent);

enum hf_suffix_origin {
	HF_SUFFIX_TYPED, /* the operator wrote it */
	/* a server named it: a single label, no public TLD and none that people use at home */
	HF_SUFFIX_ASKED,
};

/*
 * Whether `text` can be a suffix that we serve, and its name. Refused always: the root, "arpa" and
 * below (but home.arpa), "local", "localhost", "invalid", "onion", a public TLD alone.
 * Returns 0 or HF_ESUFFIX; ret_why (may be NULL) is then a static text that says why.
 */
int hf_suffix_check(
    const char *text, enum hf_suffix_origin origin, struct hf_name *ret_name, const char **ret_why);
