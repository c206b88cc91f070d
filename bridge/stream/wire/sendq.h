/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sendq: bytes that wait to be sent, up to a limit. What hf_sendq_peek() lends stays where it is
 * until all of it was sent, as a TLS write that must be tried again demands; what is added
 * meanwhile goes to a second buffer.
 */
#include <stddef.h>
#include <stdint.h>

struct hf_sendq_half {
	uint8_t *bytes; /* owned */
	size_t len;
	size_t room;
};

struct hf_sendq {
	struct hf_sendq_half out;  /* being sent */
	struct hf_sendq_half fill; /* being filled */
	size_t sent;               /* of `out` */
	size_t max;
};

void hf_sendq_init(struct hf_sendq *q, size_t max);
void hf_sendq_done(struct hf_sendq *q); /* fine on a zeroed struct */

/* 0, HF_ELIMIT (nothing was added) or -ENOMEM. */
int hf_sendq_add(struct hf_sendq *q, const void *bytes, size_t len);
size_t hf_sendq_len(const struct hf_sendq *q);

/* The bytes to send next, lent until they were all sent; their number, or 0. */
size_t hf_sendq_peek(struct hf_sendq *q, const uint8_t **ret_bytes);
/* The first n bytes of what was lent have gone. */
void hf_sendq_sent(struct hf_sendq *q, size_t n);
