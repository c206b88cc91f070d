/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * request_server: a listener whose clients send one request, get one answer, and are closed: what
 * the control socket and the health listener share. It bounds what clients cost, whoever they are:
 *
 * - There are at most `clients_max`. For one more, the longest silent one of the user who has most
 *   of them is closed.
 * - Each has `span_ms` from its first byte to our last.
 * - So many are accepted in a moment and no more; without descriptors none is accepted for a
 *   moment. One descriptor is kept in reserve, so that a request is answered also when the process
 *   has none left.
 *
 * Everything runs on the loop. A client is valid until its gone().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct event_base;
struct evbuffer;
struct hf_clock;
struct hf_request_server_client; /* opaque */
struct hf_request_server;        /* opaque */

struct hf_request_server_opts {
	const char *name;             /* for the log; a static text */
	const struct hf_clock *clock; /* borrowed */
	unsigned clients_max;
	uint32_t span_ms;
	/* One is there; it may be answered at once. May be NULL. */
	void (*came)(void *arg, struct hf_request_server_client *cl);
	/*
	 * Bytes came, some 16 KiB at most; `in` has all that was not taken out of it. Answer what
	 * has too many.
	 */
	void (*read)(void *arg, struct hf_request_server_client *cl, struct evbuffer *in);
	/*
	 * The time of one that is held is over: answer it. Its answer has another second. May be
	 * NULL.
	 */
	void (*late)(void *arg, struct hf_request_server_client *cl);
	/* It is freed when this returns. May be NULL. */
	void (*gone)(void *arg, struct hf_request_server_client *cl);
	void *arg; /* of all of these; outlives the server */
};

/* Takes over `fd`, a listening socket that does not block, also where it fails. 0 or -ENOMEM. */
int hf_request_server_new(struct event_base *base, const struct hf_request_server_opts *opts,
    int fd, struct hf_request_server **ret_server);
void hf_request_server_free(struct hf_request_server *s); /* NULL is fine */

/* No more is read; it is closed when all is written, or its time is over. */
void hf_request_server_client_answer(
    struct hf_request_server_client *cl, const void *bytes, size_t len);
/*
 * It waits for us, and nothing is read until it is answered. `firm`: it is not closed for its
 * silence.
 */
void hf_request_server_client_hold(struct hf_request_server_client *cl, bool firm);
void hf_request_server_client_close(struct hf_request_server_client *cl);
int hf_request_server_client_fd(const struct hf_request_server_client *cl);

/* The caller's own. */
void hf_request_server_client_set(struct hf_request_server_client *cl, void *data);
void *hf_request_server_client_get(const struct hf_request_server_client *cl);
