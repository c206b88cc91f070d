/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dial: one handle for each address of a host, the next started a while after the last or at once
 * when that failed; the first that is done wins, and the others are given up.
 */
#include "bridge/stream/wire/address.h"
#include "bridge/stream/client/http.h"

struct hf_clock;
struct hf_dial; /* opaque */

/*
 * Told once. `winner` (the receiver's; end it with hf_http_handle_free()) came by
 * addresses->at[which]; or it is NULL, and `problem` (lent) tells why. The race is gone.
 */
typedef void (*hf_dial_cb)(
    void *arg, struct hf_http_handle *winner, size_t which, const struct hf_problem *problem);

struct hf_dial_config {
	struct hf_http *http; /* borrowed, as all below; outlives the race */
	const struct hf_clock *clock;
	const struct hf_target *target;
	const struct hf_addresses *addresses; /* none: as libcurl or the proxy resolves */
	const char *path;                     /* of a request; NULL: only connect */
	const char *body;                     /* NULL: GET */
	bool fresh;                           /* by no connection that was kept ... */
	bool last;                            /* ... and its own is not kept either */
};

/* The callback never comes from within. End it before its time with hf_dial_free(). */
int hf_dial_new(
    const struct hf_dial_config *config, hf_dial_cb cb, void *arg, struct hf_dial **ret_race);
void hf_dial_free(struct hf_dial *r); /* NULL is fine */
