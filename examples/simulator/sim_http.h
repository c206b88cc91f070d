/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sim_http: requests of HTTP/1.1 and answers to them; as much of it as Coder's clients use.
 */
#include <stdbool.h>
#include <stddef.h>

struct evbuffer;

enum { SIM_TOKEN_MAX = 512 };

/* Zero it before first use; end it with hf_sim_request_done(). */
struct sim_request {
	char method[16];
	char path[512];  /* without the query */
	char query[512]; /* "" where there is none */
	char token[SIM_TOKEN_MAX];
	char websocket_key[64];
	bool upgrade; /* to a websocket */
	bool keep;    /* the connection stays open */
	char *body;   /* owned; NUL-terminated; NULL where there is none */
	size_t body_len;
	bool head_done;
	unsigned n_lines;
};

/* Takes bytes of `in`. 1: the request is whole; 0: more is needed; -EINVAL: this is no request. */
int hf_sim_request_read(struct sim_request *r, struct evbuffer *in);
void hf_sim_request_done(struct sim_request *r); /* and zeroes it */
/* The value of `name` in a query, as a number; `otherwise` where it has none. */
unsigned hf_sim_request_number(const struct sim_request *r, const char *name, unsigned otherwise);

/* Adds an answer. `headers` are whole lines, or "". `type` is that of the body. */
void hf_sim_http_answer(struct evbuffer *out, const struct sim_request *r, int status,
    const char *headers, const char *type, const char *body);
