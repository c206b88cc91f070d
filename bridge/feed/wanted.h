/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * wanted: names with what they are to be, packed and in the order of their text, as the store
 * tells what is owned. Some 60 bytes a name. It is filled in any order and then read, any number of
 * times; no step of it takes long.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/name.h"

struct hf_wanted; /* opaque */

enum {
	HF_ITEM_PRIMARY = 1, /* the PTR of the address points to this name */
	HF_ITEM_ABSENT = 2,  /* the name is to be gone */
	HF_ITEM_AGAIN = 4,   /* put it also where it is believed to be there */
	HF_ITEM_ONE = 8,     /* with ABSENT: with this address, whatever else it has */
};

/* Lent by the picture. */
struct hf_item {
	const char *text; /* as hf_name_text() has it */
	const uint8_t *addr;
	uint8_t flags;
};

int hf_wanted_new(struct hf_wanted **ret_picture);
void hf_wanted_free(struct hf_wanted *p); /* NULL is fine */

/* Of a name that was added twice the last one counts. 0 or -ENOMEM. */
int hf_wanted_add(
    struct hf_wanted *p, const struct hf_name *name, const uint8_t addr[16], uint8_t flags);
/* All are in. 0 or -ENOMEM. */
int hf_wanted_seal(struct hf_wanted *p);
size_t hf_wanted_n(const struct hf_wanted *p); /* as added */

/* To the first one. */
void hf_wanted_rewind(struct hf_wanted *p);
/* The one that it stands at; false: there are no more. */
bool hf_wanted_at(struct hf_wanted *p, struct hf_item *ret_item);
void hf_wanted_next(struct hf_wanted *p);
