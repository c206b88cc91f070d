/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * type: how a value of each kind is written: text to value and back. One const struct a type;
 * config/type_*.c hold them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct hf_key;

enum { HF_EXPECT_MAX = 256 };

struct hf_type {
	const char *noun; /* "a duration", for "'x' is not a duration" */
	size_t size;
	/*
	 * Text to value; `ret` is zeroed and written only on success. HF_EFORMAT: not of this form;
	 * HF_ELIMIT: out of range; HF_EREFUSED and a static text in *ret_why: of this form, but it
	 * cannot be used; -ENOMEM.
	 */
	int (*parse)(const struct hf_key *key, const char *text, void *ret, const char **ret_why);
	/* The value as parse would take it; unquoted. */
	void (*print)(const struct hf_key *key, const void *value, FILE *out);
	/* What is expected: "1 to 30 (seconds)". */
	void (*expect)(const struct hf_key *key, char out[static HF_EXPECT_MAX]);
	bool (*is_set)(const void *value);
	void (*done)(void *value); /* NULL: nothing to free */
};

extern const struct hf_type hf_type_flag;     /* bool */
extern const struct hf_type hf_type_int;      /* int64_t, min to max, unit */
extern const struct hf_type hf_type_duration; /* int64_t, milliseconds */
extern const struct hf_type hf_type_size;     /* int64_t, bytes */
extern const struct hf_type hf_type_percent;  /* int64_t */
extern const struct hf_type hf_type_enum;     /* an enum, index into words */

extern const struct hf_type hf_type_string; /* char *, not empty */
extern const struct hf_type hf_type_path;   /* char *, absolute */
extern const struct hf_type hf_type_socket; /* char *, absolute, fits into a sockaddr_un */
extern const struct hf_type hf_type_label;  /* char *, letters, digits, '-', '_' */
extern const struct hf_type hf_type_group;  /* char *, of the system */
extern const struct hf_type hf_type_url;    /* char *, http or https */
extern const struct hf_type hf_type_proxy;  /* char *, URL of a proxy */
extern const struct hf_type hf_type_owner;  /* char *, me, all, user name or id */
extern const struct hf_type hf_type_header; /* char *, "Name: value" */
extern const struct hf_type hf_type_suffix; /* struct hf_name, len 0 for "auto" */

extern const struct hf_type hf_type_endpoint; /* struct hf_endpoint */
extern const struct hf_type hf_type_prefix;   /* struct hf_prefix */

/* For types whose value is a char *. */
int hf_type_text_copy(const char *text, void *ret);
void hf_type_text_print(const struct hf_key *key, const void *value, FILE *out);
bool hf_type_text_is_set(const void *value);
void hf_type_text_done(void *value);
