/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * inquiry: the questions before a stream, one after the other: who is the server, who are we, whose
 * workspaces are to be followed and may they be read, which suffix, and until when is the token
 * good. What a server does not tell is unknown, and no error.
 */
#include "bridge/stream/wire/address.h"
#include "bridge/stream/client/http.h"
#include "bridge/stream/wire/server_info.h"

struct hf_clock;
struct hf_inquiry; /* opaque */

/*
 * Told once: `told` (the receiver's; end it with hf_server_info_free()) and the index of the
 * address that answered, or `problem` (lent). The ask is gone.
 */
typedef void (*hf_inquiry_cb)(
    void *arg, struct hf_server_info *told, size_t which, const struct hf_problem *problem);

struct hf_inquiry_config {
	struct hf_http *http; /* borrowed, as all below; outlives it */
	const struct hf_clock *clock;
	const struct hf_target *target;
	const struct hf_addresses *addresses;
	const struct hf_owner_info
	    *all; /* of an earlier answer, to be taken for "all"; NULL: ask */
	size_t n_all;
	bool partial; /* an owner of whom REST has an error is left out; else that is the end */
};

/* The callback never comes from within. End it before its time with hf_inquiry_free(). */
int hf_inquiry_new(const struct hf_inquiry_config *config, hf_inquiry_cb cb, void *arg,
    struct hf_inquiry **ret_ask);
void hf_inquiry_free(struct hf_inquiry *a); /* NULL is fine */
