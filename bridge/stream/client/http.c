/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/event.h>

#include "base/timing.h"

struct hf_http {
	struct event_base *base; /* borrowed */
	CURLM *multi;            /* owned */
	struct event *timer;     /* owned */
};

/* --- the multi on the loop --- */

/* Tells the owners of what has ended. They may free any handle, so each round asks anew. */
static void tell_done(struct hf_http *http)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(http->multi, &left))) {
		struct hf_http_handle *h = NULL;
		CURLcode result = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&h);
		if (h && h->cb)
			h->cb(h, result, h->arg);
	}
}

static void on_http_timer(evutil_socket_t fd, short what, void *arg)
{
	struct hf_http *http = arg;
	int running;

	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	tell_done(http);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct hf_http *http = arg;
	int bits =
	    (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(http->multi, fd, bits, &running);
	tell_done(http);
}

/* libcurl wants to know about a socket, or no longer. */
static int http_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct hf_http *http = arg;
	struct event *e = socket_arg;
	short bits = EV_PERSIST;

	if (e)
		event_free(e);
	curl_multi_assign(http->multi, fd, NULL);
	if (what == CURL_POLL_REMOVE)
		return 0;
	bits |= what & CURL_POLL_IN ? EV_READ : 0;
	bits |= what & CURL_POLL_OUT ? EV_WRITE : 0;
	e = event_new(http->base, fd, bits, on_socket, http);
	if (!e || event_add(e, NULL) < 0)
		return -1;
	curl_multi_assign(http->multi, fd, e);
	return 0;
}

/* A wait of 0 goes through the loop too: libcurl must not be called from within. */
static int set_timer(CURLM *multi, long wait_ms, void *arg)
{
	struct hf_http *http = arg;
	struct timeval tv = hf_time_of_ms(wait_ms);

	return wait_ms < 0 ? event_del(http->timer) : event_add(http->timer, &tv);
}

int hf_http_new(struct event_base *base, struct hf_http **ret_http)
{
	struct hf_http *http = calloc(1, sizeof(*http));

	if (!http)
		return -ENOMEM;
	http->base = base;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	http->multi = curl_multi_init();
	http->timer = evtimer_new(base, on_http_timer, http);
	if (!http->multi || !http->timer) {
		hf_http_free(http);
		return -ENOMEM;
	}
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, http_watch);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	*ret_http = http;
	return 0;
}

void hf_http_free(struct hf_http *http)
{
	if (!http)
		return;
	/* What is cached in the multi is closed by it, and that calls back. */
	if (http->multi)
		curl_multi_cleanup(http->multi);
	if (http->timer)
		event_free(http->timer);
	free(http);
}

struct event_base *hf_http_base(const struct hf_http *http)
{
	return http->base;
}

/* --- handles --- */

static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *arg)
{
	struct hf_http_handle *h = arg;

	return hf_certificate_watch(ssl_ctx, h->certificate) ? CURLE_OUT_OF_MEMORY : CURLE_OK;
}

static size_t on_body(char *bytes, size_t one, size_t n, void *arg)
{
	struct hf_http_handle *h = arg;
	char *grown;

	if (n > h->body_max - h->body_len)
		return 0;
	grown = realloc(h->body, h->body_len + n + 1);
	if (!grown)
		return 0;
	h->body = grown;
	memcpy(h->body + h->body_len, bytes, n);
	h->body_len += n;
	h->body[h->body_len] = '\0';
	return n;
}

static void keep_field(const char *line, size_t len, const char *name, char *out, size_t size)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n))
		return;
	while (n < len && (line[n] == ' ' || line[n] == '\t'))
		n++;
	while (len > n && (line[len - 1] == '\r' || line[len - 1] == '\n' || line[len - 1] == ' '))
		len--;
	if (len - n < size) {
		memcpy(out, line + n, len - n);
		out[len - n] = '\0';
	}
}

static size_t on_header(char *line, size_t one, size_t n, void *arg)
{
	struct hf_http_handle *h = arg;

	keep_field(line, n, "Retry-After:", h->retry_after, sizeof(h->retry_after));
	keep_field(line, n, "Location:", h->location, sizeof(h->location));
	return n;
}

/*
 * The requests of one inquiry share a connection, which the next inquiry does not: after a sleep or
 * a change of the way it may be dead, and its clock does not count sleep.
 */
enum { KEPT_S = 2 };

/* The answer's form is judged by who asked; here it only must not be endless. */
enum { ANSWER_MAX = 4 << 20 };

#define SET(option, ...)                                                                           \
	do {                                                                                       \
		if (curl_easy_setopt(h->easy, option, __VA_ARGS__) != CURLE_OK)                    \
			return -ENOMEM;                                                            \
	} while (0)

static int set_tls(struct hf_http_handle *h, const struct hf_stream_settings *s)
{
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	/* With a folder beside the file, libcurl would read all of it anew at each dial (30 ms). */
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_CA_CACHE_TIMEOUT, 60L);
	/* A proxy that speaks TLS itself is trusted as the server is. */
	SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_PROXY_CAPATH, NULL);
	if (s->ca_file) {
		SET(CURLOPT_CAINFO, s->ca_file);
		SET(CURLOPT_PROXY_CAINFO, s->ca_file);
	}
	if (s->client_cert)
		SET(CURLOPT_SSLCERT, s->client_cert);
	if (s->client_key)
		SET(CURLOPT_SSLKEY, s->client_key);
	SET(CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	SET(CURLOPT_SSL_CTX_DATA, h);
	return 0;
}

static int set_way(struct hf_http_handle *h, const struct hf_target *t, const char *address)
{
	char to[128];

	SET(CURLOPT_PROXY, t->proxy); /* "" keeps libcurl from looking itself */
	SET(CURLOPT_NOPROXY, "");
	/* Without a tunnel a plain request, with the token, would be the proxy's to read. */
	SET(CURLOPT_HTTPPROXYTUNNEL, 1L);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (!address)
		return 0;
	snprintf(to, sizeof(to), strchr(address, ':') ? "::[%s]:" : "::%s:", address);
	h->connect_to = curl_slist_append(NULL, to);
	if (!h->connect_to)
		return -ENOMEM;
	SET(CURLOPT_CONNECT_TO, h->connect_to);
	return 0;
}

static int set_common(struct hf_http_handle *h, const struct hf_target *t)
{
	const struct hf_stream_timeouts *wait = &t->settings->timeouts;

	SET(CURLOPT_PRIVATE, h);
	SET(CURLOPT_ERRORBUFFER, h->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L); /* or a silent name server blocks the loop at the end */
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	/* By default HTTP/2 is offered, which would garble the upgrade. */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)wait->connect_ms);
	SET(CURLOPT_URL, t->place.base);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_MAXAGE_CONN, (long)KEPT_S);
	return 0;
}

int hf_http_handle_new(struct hf_http *http, const struct hf_target *target, const char *address,
    struct hf_http_handle **ret_handle)
{
	struct hf_http_handle *h = calloc(1, sizeof(*h));
	int rc = -ENOMEM;

	if (!h)
		return -ENOMEM;
	h->http = http;
	h->certificate = hf_certificate_new();
	h->easy = curl_easy_init();
	if (h->easy && h->certificate)
		rc = set_common(h, target);
	if (!rc)
		rc = set_tls(h, target->settings);
	if (!rc)
		rc = set_way(h, target, address);
	if (rc) {
		hf_http_handle_free(h);
		return rc;
	}
	*ret_handle = h;
	return 0;
}

int hf_http_handle_keep(struct hf_http_handle *h, bool fresh, bool last)
{
	SET(CURLOPT_FRESH_CONNECT, (long)fresh);
	SET(CURLOPT_FORBID_REUSE, (long)last);
	return 0;
}

int hf_http_handle_connect_only(struct hf_http_handle *h)
{
	SET(CURLOPT_CONNECT_ONLY, 1L);
	SET(CURLOPT_BUFFERSIZE, 262144L);
	return 0;
}

static int add_header(struct hf_http_handle *h, const char *line)
{
	struct curl_slist *more = curl_slist_append(h->headers, line);

	if (more)
		h->headers = more;
	return more ? 0 : -ENOMEM;
}

static int http_set_headers(struct hf_http_handle *h, const struct hf_target *t)
{
	char line[1100];
	int rc = add_header(h, "Accept: application/json");

	for (const struct curl_slist *l = t->headers; l && !rc; l = l->next)
		rc = add_header(h, l->data);
	if (!rc && t->token[0]) {
		snprintf(line, sizeof(line), "Coder-Session-Token: %s", t->token);
		rc = add_header(h, line);
		explicit_bzero(line, sizeof(line));
	}
	if (!rc)
		SET(CURLOPT_HTTPHEADER, h->headers);
	return rc;
}

int hf_http_handle_request(
    struct hf_http_handle *h, const struct hf_target *target, const char *path, const char *body)
{
	char url[2048];
	int rc;

	if (snprintf(url, sizeof(url), "%s%s", target->place.base, path) >= (int)sizeof(url))
		return -EINVAL;
	SET(CURLOPT_URL, url);
	SET(CURLOPT_TIMEOUT_MS, (long)target->settings->timeouts.request_ms);
	SET(CURLOPT_USERAGENT, "holdfast/" HF_VERSION);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, h);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, h);
	h->body_max = ANSWER_MAX;
	if (body) {
		SET(CURLOPT_POSTFIELDS, body);
		rc = add_header(h, "Content-Type: application/json");
		if (!rc)
			rc = add_header(h, "Expect:");
		if (rc)
			return rc;
	}
	return http_set_headers(h, target);
}

int hf_http_handle_start(struct hf_http_handle *h, hf_http_handle_cb cb, void *arg)
{
	h->cb = cb;
	h->arg = arg;
	if (curl_multi_add_handle(h->http->multi, h->easy) != CURLM_OK)
		return -ENOMEM;
	h->added = true;
	return 0;
}

static void wipe_headers(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(list);
}

void hf_http_handle_free(struct hf_http_handle *h)
{
	if (!h)
		return;
	if (h->added)
		curl_multi_remove_handle(h->http->multi, h->easy);
	if (h->easy)
		curl_easy_cleanup(h->easy);
	hf_certificate_unref(h->certificate);
	wipe_headers(h->headers);
	curl_slist_free_all(h->connect_to);
	free(h->body);
	free(h);
}

const char *hf_http_library(void)
{
	return curl_version();
}
