/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * http: libcurl on the event loop: one multi handle for all sources, and the handles that both REST
 * requests and the stream's connections are made of. Nothing here ever blocks the loop; no redirect
 * is followed; certificates are always verified.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "bridge/stream/client/certificate.h"
#include "bridge/stream/client/server_url.h"
#include "bridge/stream/wire/problem.h"
#include "bridge/stream/client/client_settings.h"

struct event_base;
struct hf_http; /* opaque */

/*
 * The loop outlives it. End it with hf_http_free(), when all handles are gone, and from no callback
 * of its own.
 */
int hf_http_new(struct event_base *base, struct hf_http **ret_http);
void hf_http_free(struct hf_http *h); /* NULL is fine */
struct event_base *hf_http_base(const struct hf_http *h);

/* What all handles of a source share; borrowed by the handles. */
struct hf_target {
	const struct hf_stream_settings *settings;
	struct hf_server_url place;
	char token[1025];           /* goes into Coder-Session-Token and nowhere else */
	char proxy[1024];           /* "": none */
	struct curl_slist *headers; /* owned by the target: the operator's and the command's */
};

struct hf_http_handle;
/* The transfer ended. The handle may be freed from within, any other one too. */
typedef void (*hf_http_handle_cb)(struct hf_http_handle *h, CURLcode result, void *arg);

struct hf_http_handle {
	struct hf_http *http;               /* borrowed */
	CURL *easy;                         /* owned */
	struct curl_slist *headers;         /* owned */
	struct curl_slist *connect_to;      /* owned */
	struct hf_certificate *certificate; /* held: what was wrong with the server's */
	char error[CURL_ERROR_SIZE];
	bool added;
	hf_http_handle_cb cb;
	void *arg;
	char *body; /* owned: of a REST answer */
	size_t body_len;
	size_t body_max;
	char retry_after[64];
	char location[256];
};

/*
 * A handle for the target by one of its addresses (NULL: as libcurl or the proxy resolves it). End
 * it with hf_http_handle_free().
 */
int hf_http_handle_new(struct hf_http *http, const struct hf_target *target, const char *address,
    struct hf_http_handle **ret_handle);
/* Of an open connection it closes the socket: whoever watches it has to stop before. */
void hf_http_handle_free(struct hf_http_handle *h); /* NULL is fine */

/* It shall use no connection that was kept; shall keep its own no longer. */
int hf_http_handle_keep(struct hf_http_handle *h, bool fresh, bool last);
/* It shall only connect, with TLS and through the proxy. */
int hf_http_handle_connect_only(struct hf_http_handle *h);
/*
 * It shall make one request; `path` begins after the prefix; `body` (JSON; borrowed until the end)
 * makes it a POST.
 */
int hf_http_handle_request(
    struct hf_http_handle *h, const struct hf_target *target, const char *path, const char *body);

/* The callback never comes from within. */
int hf_http_handle_start(struct hf_http_handle *h, hf_http_handle_cb cb, void *arg);

/* Why it failed, in words. */
void hf_http_problem(const struct hf_http_handle *h, CURLcode result, int64_t wall_s,
    struct hf_problem *ret_problem);

/* "libcurl/7.88.1 OpenSSL/3.0.19 ...": those that run. */
const char *hf_http_library(void);
