/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * listed: the records that an adapter lists, packed, until the feed has compared them with the
 * ledger. Some 50 bytes a record, in the order in which they came; a record may be in it twice.
 */
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"

struct hf_listed {
	uint8_t *bytes; /* owned: address, primary, length of the name, name, again and again */
	size_t len, size;
	size_t pos; /* of the reading */
};

/* 0, or -ENOMEM: then it is as it was. */
int hf_listed_add(struct hf_listed *l, const struct hf_record *record);
/* The next one of the reading; false: that was all. */
bool hf_listed_next(struct hf_listed *l, struct hf_record *ret_record);
/* Empties it. An empty one is all zeros. */
void hf_listed_done(struct hf_listed *l);
