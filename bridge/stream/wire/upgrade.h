/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * upgrade: the HTTP/1.1 request that turns a connection into a websocket, and the answer to it. The
 * parser takes the answer in any pieces and leaves what follows its head.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "bridge/stream/wire/limits.h"
#include "bridge/stream/wire/stream_fault.h"

#define HF_UPGRADE_PATH "/api/v2/tailnet?version=2.3"

enum { HF_UPGRADE_NONCE = 16, HF_UPGRADE_KEY_TEXT = 25, HF_UPGRADE_ACCEPT_TEXT = 29 };

struct hf_upgrade_header {
	const char *name;
	const char *value;
};

/* All borrowed for the call only. The token goes into the request and nowhere else. */
struct hf_upgrade_request {
	const char *host;   /* "coder.example.com", with the port where it is not the usual one */
	const char *prefix; /* the path of the server's URL, "" or "/coder"; no slash at its end */
	const char *token;
	const struct hf_upgrade_header *headers; /* the operator's own */
	size_t n_headers;
};

/*
 * Writes the request. 0; -EINVAL when a part of it has bytes that could forge a line, or a header
 * is one that only we may set; HF_ELIMIT when there is no room.
 */
int hf_upgrade_write(
    const struct hf_upgrade_request *r, const uint8_t nonce[HF_UPGRADE_NONCE], struct hf_wr *w);

struct hf_upgrade {
	const struct hf_stream_limits *limits; /* borrowed; outlives it */
	char accept[HF_UPGRADE_ACCEPT_TEXT];   /* what the server must answer */
	enum { UPGRADE_STATUS, UPGRADE_FIELDS, UPGRADE_BODY, UPGRADE_OPEN } at;
	char *line; /* owned */
	size_t n_line;
	size_t room;
	size_t n_head; /* bytes of all heads */
	unsigned n_fields;
	bool http_10;
	bool upgrade, connection, accepted, extension, length;
	uint64_t left; /* of the body, when `length` */
	/* For people, and for what to do next. All printable. */
	int status; /* 0: no answer yet */
	char location[256];
	char retry_after[64];
	char content_type[64];
	char body[1024]; /* its beginning, as it came, NUL-terminated */
	size_t n_body;
	enum hf_stream_fault trouble; /* stays */
};

void hf_upgrade_init(struct hf_upgrade *u, const struct hf_stream_limits *limits,
    const uint8_t nonce[HF_UPGRADE_NONCE]);
void hf_upgrade_done(struct hf_upgrade *u); /* fine on a zeroed struct */

/*
 * Takes bytes of the answer from `in`. 1: the websocket is open, and what is left in `in` are its
 * first bytes. 0: more is needed. HF_EREFUSED with HF_STREAM_FAULT_HTTP_STATUS: another status, see
 * `status` and what follows it. Or another negative code (u->trouble).
 */
int hf_upgrade_feed(struct hf_upgrade *u, struct hf_rd *in);
/* No more bytes will come, or nobody waits for them any longer. The code of u->trouble. */
int hf_upgrade_eof(struct hf_upgrade *u);
