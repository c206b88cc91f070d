/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_curl: libcurl's functions as far as the client needs them, without a network. The test sees
 * each transfer that is under way and says how it ends; libcurl's own time limits are kept. An open
 * connection is two queues of bytes.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/stream/kit_bytes.h"

enum { CURL_CONNECTIONS_MAX = 64 };

/* An open connection, as its server sees it. */
struct curl_connection {
	bool used;         /* the client has it */
	struct bytes sent; /* by the client, and not taken by the test */
	struct bytes to;   /* for the client */
	size_t read;       /* of `to`, by the client */
	bool ended;        /* after `to` nothing comes */
	CURLcode broken;   /* after `to` this comes */
	bool full;         /* the client can send no more */
	void *server;      /* the test's */
};

/* A transfer that is under way. */
struct curl_transfer {
	CURL *easy;
	const char *url;
	bool post, connects, fresh;
	int64_t since_ms;
};

size_t curl_transfers(void);
struct curl_transfer curl_transfer_at(size_t i);
/* Ends one. `type` and `after` (Retry-After) may be NULL. */
void curl_answer(CURL *easy, long status, const char *type, const char *after, const char *body);
void curl_fail(CURL *easy, CURLcode result, const char *error);
struct curl_connection *curl_connect(CURL *easy);

/* NULL where the client has none. */
struct curl_connection *curl_connection_at(size_t i);
/* Easy handles that were made and not freed, connections that are open. */
size_t curl_handles(void);
size_t curl_connections(void);
