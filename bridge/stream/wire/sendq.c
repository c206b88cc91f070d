/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/sendq.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { FIRST_ROOM = 512 };

void hf_sendq_init(struct hf_sendq *q, size_t max)
{
	*q = (struct hf_sendq){ .max = max };
}

void hf_sendq_done(struct hf_sendq *q)
{
	free(q->out.bytes);
	free(q->fill.bytes);
	*q = (struct hf_sendq){ 0 };
}

static int sendq_make_room(struct hf_sendq_half *h, size_t len)
{
	size_t room = h->room ? h->room : FIRST_ROOM;
	uint8_t *grown;

	while (room - h->len < len)
		room *= 2; /* the limit of the queue keeps it small */
	if (room == h->room)
		return 0;
	grown = realloc(h->bytes, room);
	if (!grown)
		return -ENOMEM;
	h->bytes = grown;
	h->room = room;
	return 0;
}

int hf_sendq_add(struct hf_sendq *q, const void *bytes, size_t len)
{
	int rc;

	if (len > q->max - hf_sendq_len(q))
		return HF_ELIMIT;
	if (!len)
		return 0;
	rc = sendq_make_room(&q->fill, len);
	if (rc)
		return rc;
	memcpy(q->fill.bytes + q->fill.len, bytes, len);
	q->fill.len += len;
	return 0;
}

size_t hf_sendq_len(const struct hf_sendq *q)
{
	return q->out.len - q->sent + q->fill.len;
}

size_t hf_sendq_peek(struct hf_sendq *q, const uint8_t **ret_bytes)
{
	if (q->sent == q->out.len) {
		struct hf_sendq_half empty = q->out;

		empty.len = 0;
		q->out = q->fill;
		q->fill = empty;
		q->sent = 0;
	}
	if (!q->out.len)
		return 0;
	*ret_bytes = q->out.bytes + q->sent;
	return q->out.len - q->sent;
}

void hf_sendq_sent(struct hf_sendq *q, size_t n)
{
	assert(n <= q->out.len - q->sent);
	q->sent += n;
}
