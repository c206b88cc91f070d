/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/listed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ADDR_LEN = 16, LISTED_HEAD = ADDR_LEN + 2 };

int hf_listed_add(struct hf_listed *l, const struct hf_record *record)
{
	size_t need = LISTED_HEAD + record->name.len;
	size_t size = l->size ? l->size * 2 : 4096;
	uint8_t *bytes;

	if (l->size - l->len < need) {
		bytes = realloc(l->bytes, size);
		if (!bytes)
			return -ENOMEM;
		l->bytes = bytes;
		l->size = size;
	}
	bytes = l->bytes + l->len;
	memcpy(bytes, record->addr, ADDR_LEN);
	bytes[ADDR_LEN] = record->primary;
	bytes[ADDR_LEN + 1] = record->name.len;
	memcpy(bytes + LISTED_HEAD, record->name.wire, record->name.len);
	l->len += need;
	return 0;
}

bool hf_listed_next(struct hf_listed *l, struct hf_record *ret_record)
{
	const uint8_t *at = l->bytes + l->pos;

	if (l->pos == l->len)
		return false;
	memcpy(ret_record->addr, at, ADDR_LEN);
	ret_record->primary = at[ADDR_LEN];
	ret_record->name.len = at[ADDR_LEN + 1];
	memcpy(ret_record->name.wire, at + LISTED_HEAD, ret_record->name.len);
	l->pos += LISTED_HEAD + ret_record->name.len;
	return true;
}

void hf_listed_done(struct hf_listed *l)
{
	free(l->bytes);
	*l = (struct hf_listed){ 0 };
}
