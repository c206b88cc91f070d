/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * way: how one attempt reaches a server. It has the URL, the token, the proxy, the headers and the
 * addresses, and does one step after the other: looks the name up, runs the header command, asks
 * REST, dials. It lives as long as the attempt and the connection that came of it, which asks REST
 * by it again; with it the token is wiped. It has no state of the client and judges no failure.
 */
#include <stdbool.h>
#include <stddef.h>

#include "bridge/stream/client/client.h"
#include "bridge/stream/client/http.h"
#include "bridge/stream/wire/address.h"
#include "bridge/stream/wire/server_info.h"

struct hf_way; /* opaque */

/*
 * All are set, and come through the loop, never from within a call below. The way may be freed in
 * each but the first.
 */
struct hf_way_reports {
	/* The last listing of all users, if it is still good; NULL and 0: it is asked for. */
	const struct hf_owner_info *(*listing)(void *arg, size_t *ret_n);
	/* The step that was under way failed, and none follows. */
	void (*failed)(void *arg, const struct hf_problem *problem);
	/* REST answered; `told` is the receiver's, who ends it with hf_server_info_free(). */
	void (*told)(void *arg, struct hf_server_info *told);
	/* A connection is there; `handle` is the receiver's. */
	void (*dialled)(void *arg, struct hf_http_handle *handle);
};

struct hf_way_config {
	struct hf_http *http; /* borrowed, as all below; outlives the way */
	const struct hf_clock *clock;
	const struct hf_stream_settings *settings;
	const struct hf_client_ops *ops; /* token() */
	void *ops_arg;
	const struct hf_addresses *good; /* dialled if the name does not resolve */
	const struct hf_way_reports *reports;
	void *arg;
};

/*
 * Begins: reads URL and token and takes the first step; told() or failed() follows. Returns 0, or
 * -1 and *ret_problem; then there is no way. The caller owns *ret_way; end it with hf_way_free().
 */
int hf_way_new(
    const struct hf_way_config *config, struct hf_way **ret_way, struct hf_problem *ret_problem);
void hf_way_free(struct hf_way *w); /* NULL is fine */

/* After told(): dials; dialled() or failed() follows. Returns 0, or -1 and *ret_problem. */
int hf_way_dial(struct hf_way *w, struct hf_problem *ret_problem);
/*
 * With a connection open: runs the header command and asks REST again, whole or not at all.
 * Returns 0, or -ENOMEM. Not while is_asking().
 */
int hf_way_ask_again(struct hf_way *w);
/* A question or its header command is under way. */
bool hf_way_is_asking(const struct hf_way *w);

/* Lent until the way is freed. The first address is the one that answered last. */
const struct hf_target *hf_way_target(const struct hf_way *w);
const struct hf_addresses *hf_way_addresses(const struct hf_way *w);
