/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tcp_conn: one TCP connection: bytes in, questions cut out of them, answers out. It knows the
 * socket and the responder, no list and no clock.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "plugin/dns/responder.h"
#include "plugin/wire_query.h"
#include "zone/record.h"

enum {
	HF_TCP_QUERY_MAX = 4096, /* a longer one ends the connection */
	/* The largest answer there is: all the addresses that a name can have. */
	HF_TCP_REPLY_MAX = 1024 + 28 * HF_REC_ADDRS_MAX,
	HF_TCP_OUT_MAX = 4 * HF_TCP_REPLY_MAX,
};

struct hf_conn {
	TAILQ_ENTRY(hf_conn) link; /* the owner's: by when they last made progress */
	int fd;                    /* owned */
	struct hf_peer peer;
	uint8_t client[17];  /* who is counted as one: family, address or network */
	int64_t deadline_ms; /* the owner's */
	uint32_t events;     /* what epoll watches for; the owner's */
	bool ended;          /* the client sends no more */
	size_t in_len;
	size_t out_at;
	size_t out_len;
	uint8_t in[2 + HF_TCP_QUERY_MAX];
	uint8_t out[HF_TCP_OUT_MAX];
};

/*
 * NULL if there is no memory; `fd` is then the caller's still. End it with hf_conn_free(), which
 * closes it.
 */
struct hf_conn *hf_conn_new(int fd, const struct sockaddr *from);
void hf_conn_free(struct hf_conn *c); /* NULL is fine */

enum hf_conn_result {
	HF_CONN_CLOSE,    /* over, or broken */
	HF_CONN_WAITS,    /* nothing whole came or went */
	HF_CONN_PROGRESS, /* a question was answered, or all answers are gone */
};

/* Reads, answers and writes what can be without waiting; a bounded amount. */
enum hf_conn_result hf_conn_work(struct hf_conn *c, struct hf_responder *r);

/* What it waits for next: EPOLLIN, EPOLLOUT. */
uint32_t hf_conn_wants(const struct hf_conn *c);
