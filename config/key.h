/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * key: what one row of a table of keys says, and the walks over such a table. A table describes a
 * struct: where each value lies in it, how it is written, what it may be and what it means. Parser,
 * checks, --check -v, diff, sample file and manual page all work from it, so that a key is added by
 * one row (and one field) only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct hf_config_errors;
struct hf_key;
struct hf_node;
struct hf_type;

enum hf_key_kind {
	HF_KEY_VALUE,   /* one value of `type` */
	HF_KEY_VALUES,  /* { T *at; size_t n; }: a list, or one value without the brackets */
	HF_KEY_MAP,     /* a struct of its own, described by `keys` */
	HF_KEY_ENTRIES, /* { struct *at; size_t n; }: a list of maps */
};

enum {
	HF_KEY_REQUIRED = 1,
	HF_KEY_SECRET = 2,    /* may hold a secret: its value is told in no error and no diff */
	HF_KEY_RESTART = 4,   /* read at start only */
	HF_KEY_IDENTITY = 8,  /* entries of its list are told apart by it: unique */
	HF_KEY_VARIANT = 16,  /* its word decides which further keys the map has; required */
	HF_KEY_NONEMPTY = 32, /* VALUES, ENTRIES: at least one, where the key is written */
	HF_KEY_UNTOLD = 64,  /* what is not of its form may be a stray secret: not told in errors */
	HF_KEY_SAMPLE = 128, /* switched on in the sample file */
	HF_KEY_AS_VARIANT =
	    256, /* text; where it is not written it is the word of the variant key */
};

enum { HF_LIST_MAX = 256 };

struct hf_keys {
	const struct hf_key *at;
	size_t n;
};

/*
 * The further keys of a map whose HF_KEY_VARIANT key has the value `word`; offsets are the map's.
 */
struct hf_variant {
	const char *word;
	struct hf_keys keys;
};

struct hf_key {
	const char *name;
	enum hf_key_kind kind;
	unsigned flags;
	const struct hf_type *type; /* VALUE, VALUES */
	size_t offset;              /* within the struct of the map */
	int64_t min;                /* numbers: their range, in ms, bytes, percent, ... */
	int64_t max;
	unsigned n_max;           /* VALUES, ENTRIES: how many at most; 0: HF_LIST_MAX */
	const char *unit;         /* of a plain number */
	const char *const *words; /* enum: NULL-terminated, value is the index */
	const char *def;          /* default as it would be written, lists as "[a, b]"; or NULL */
	const char *without;      /* no default: what holds instead, for the help */
	const char *example;      /* for the sample where there is no default */
	const char *help;
	struct hf_keys keys;               /* MAP, ENTRIES */
	const struct hf_variant *variants; /* MAP, ENTRIES: ends with a NULL word */
	size_t size;                       /* MAP, ENTRIES: of the struct */
};

/* How VALUES and ENTRIES lie in memory. */
struct hf_list {
	void *at;
	size_t n;
};

#define HF_KEYS(array)                                                                             \
	{                                                                                          \
		(array), sizeof(array) / sizeof((array)[0])                                        \
	}

/* Read and write the list of a key without looking at it through another type. */
struct hf_list hf_key_list_get(const void *field);
void hf_key_list_set(void *field, struct hf_list list);

/* The key of that name, or NULL. */
const struct hf_key *hf_keys_find(const struct hf_keys *keys, const char *name);
/* The keys that the variant key of `base` adds; NULL if there are none. */
const struct hf_keys *hf_keys_variant(const struct hf_key *map, const void *base);
/* The key that carries `flag`, or NULL. */
const struct hf_key *hf_keys_flagged(const struct hf_keys *keys, unsigned flag);

/* Fill a zeroed field with its default. 0 or -ENOMEM; another code if the table itself is wrong. */
int hf_key_default(const struct hf_key *key, void *field);
/* The same for every key, those of a variant apart. */
int hf_keys_defaults(const struct hf_keys *keys, void *base);
/* Free what is in the field and zero it. */
void hf_key_done(const struct hf_key *key, void *field);
/* The same for every key of a map; the struct itself stays. */
void hf_keys_done(const struct hf_key *map, void *base);

/* The bytes of one element of VALUES or ENTRIES. */
size_t hf_key_size(const struct hf_key *key);
/* Put a zeroed element behind the last; NULL without memory. Lent until the next one is put. */
void *hf_key_append(const struct hf_key *key, void *field);

/*
 * What is written for the field: "30", "[a, \"b c\"]"; quoted where YAML needs it. free() it; NULL
 * without memory.
 */
char *hf_key_text(const struct hf_key *key, const void *field);
/* Whether there is anything to write. */
bool hf_key_is_set(const struct hf_key *key, const void *field);
/* The same without quotes, of VALUE only, also for one element of VALUES. */
char *hf_key_plain(const struct hf_key *key, const void *value);

/*
 * Read `node` (NULL: nothing was written) into a zeroed struct, defaults first. All that is wrong
 * is added to `errors`; what could not be read keeps its default. 0 or -ENOMEM. End it with
 * hf_keys_done() in any case.
 */
int hf_keys_read(const struct hf_key *map, const struct hf_node *node, void *base,
    struct hf_config_errors *errors);

/* As YAML, in the table's order. */
void hf_keys_print(const struct hf_key *map, const void *base, FILE *out);

struct hf_config_change;
/* As hf_config_diff(). */
int hf_keys_diff(const struct hf_key *map, const void *before, const void *after,
    void (*cb)(const struct hf_config_change *change, void *arg), void *arg);
