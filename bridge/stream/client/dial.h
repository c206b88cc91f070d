/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dial: one handle for each address of a host, the next started a while after the last or at once
 * when that failed; the first that is done wins, and the others are given up.
 */
#include "bridge/stream/wire/address.h"
#include "bridge/stream/client/http.h"

struct hf_clock;
struct hf_race; /* opaque */

/*
 * Told once. `winner` (the receiver's; end it with hf_handle_free()) came by addresses->at[which];
 * or it is NULL, and `problem` (lent) tells why. The race is gone.
 */
typedef void (*hf_race_cb)(
    void *arg, struct hf_handle *winner, size_t which, const struct hf_problem *problem);

struct hf_race_config {
	struct hf_http *http; /* borrowed, as all below; outlives the race */
	const struct hf_clock *clock;
	const struct hf_target *target;
	const struct hf_addresses *addresses; /* none: as libcurl or the proxy resolves */
	const char *path;                     /* of a request; NULL: only connect */
	const char *body;                     /* NULL: GET */
	bool fresh;                           /* by no connection that was kept ... */
	bool last;                            /* ... and its own is not kept either */
};

/* The callback never comes from within. End it before its time with hf_race_free(). */
int hf_race_new(
    const struct hf_race_config *config, hf_race_cb cb, void *arg, struct hf_race **ret_race);
void hf_race_free(struct hf_race *r); /* NULL is fine */
