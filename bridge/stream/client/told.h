/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * told: what the server told last over REST, and what is kept of it from one question to the next:
 * the listing of all users, the rights that the open connection has, what was warned of.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "bridge/stream/client/client_settings.h"
#include "bridge/stream/wire/server_info.h"

/* Part of its client. */
struct hf_told {
	const struct hf_clock *clock; /* borrowed, as the next */
	const struct hf_stream_settings *settings;
	struct hf_server_info *info; /* owned: of this connection or the last; NULL: nothing yet */
	bool waits;                  /* to be handed on */
	unsigned warned;             /* of the token's end: 1: 7 days, 2: 1 day, 3: over */
	struct hf_fault owner_fault; /* some owner cannot be followed */
	struct hf_owner_info *all;   /* owned: the last listing of all users ... */
	size_t n_all;
	int64_t all_ms;             /* ... and when it was made */
	char rights[HF_RIGHTS_MAX]; /* of the connection, as REST said before it */
};

void hf_told_done(struct hf_told *t);

/* Takes what came; it waits to be handed on. */
void hf_told_take(struct hf_told *t, struct hf_server_info *info);
/* Warns of the token's end, once for each threshold, and again for another token. */
void hf_told_warn_of_expiry(struct hf_told *t);
/* How many owners are followed at most. */
size_t hf_told_owners_max(const struct hf_told *t);
/* Keeps the listing of all users; cuts the owners to owners_max(). */
void hf_told_keep(struct hf_told *t);
/* Tells once, not at each snapshot, that the list of owners is not whole. */
void hf_told_tell_missing(struct hf_told *t);
/* The listing of all users, if it is still good; else NULL and 0. */
const struct hf_owner_info *hf_told_listing(struct hf_told *t, size_t *ret_n);
/* A connection is made with the rights of now. */
void hf_told_note_rights(struct hf_told *t);
/*
 * Are the rights others than those of the connection? The server keeps those that it began with:
 * what was granted since comes by a new one only. What REST did not tell this time says nothing.
 */
bool hf_told_rights_changed(const struct hf_told *t);
