/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/kit_curl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/timing.h"
#include "tests/unit/client/kit_famine.h"
#include "tests/unit/client/kit_loop.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

enum { FD_FIRST = 1 << 20 }; /* no descriptor of this process */

struct easy {
	struct easy *next;
	char url[512];
	void *arg;
	char *error;
	long timeout_ms, connect_ms;
	bool connect_only, post, fresh;
	size_t (*body)(char *, size_t, size_t, void *);
	size_t (*header)(char *, size_t, size_t, void *);
	void *body_arg, *header_arg;
	bool added, done;
	CURLcode result;
	int64_t since_ms;
	struct event *limit; /* libcurl's own */
	long status;
	char type[64];
	int connection; /* -1: none */
};

static struct easy *handles;
static struct curl_connection connections[CURL_CONNECTIONS_MAX];
static CURLMsg message;
static struct {
	int (*timer)(CURLM *, long, void *);
	void *arg;
} multi;

/* --- the test's side --- */

static bool is_ready(int fd, short what)
{
	const struct curl_connection *c = &connections[fd - FD_FIRST];

	if (what & EV_WRITE)
		return !c->full;
	return c->read < c->to.len || c->ended || c->broken;
}

static void transfer_done(struct easy *e, CURLcode result)
{
	e->done = true;
	e->result = result;
	event_del(e->limit);
	multi.timer(&multi, 0, multi.arg);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	curl_fail(arg, CURLE_OPERATION_TIMEDOUT, "Operation timed out after 1 milliseconds");
}

static struct easy *transfer(size_t i)
{
	struct easy *e = handles;

	for (;; e = e->next)
		if (e->added && !e->done && i-- == 0)
			return e;
}

size_t curl_transfers(void)
{
	size_t n = 0;

	for (const struct easy *e = handles; e; e = e->next)
		n += e->added && !e->done;
	return n;
}

struct curl_transfer curl_transfer_at(size_t i)
{
	struct easy *e = transfer(i);

	return (struct curl_transfer){ .easy = e,
		.url = e->url,
		.post = e->post,
		.connects = e->connect_only,
		.fresh = e->fresh,
		.since_ms = e->since_ms };
}

void curl_answer(CURL *easy, long status, const char *type, const char *after, const char *body)
{
	struct easy *e = easy;
	char line[80], *copy = strdup(body);

	e->status = status;
	snprintf(e->type, sizeof(e->type), "%s", type ? type : "application/json");
	if (after) {
		snprintf(line, sizeof(line), "Retry-After: %s\r\n", after);
		e->header(line, 1, strlen(line), e->header_arg);
	}
	e->body(copy, 1, strlen(copy), e->body_arg);
	free(copy);
	transfer_done(e, CURLE_OK);
}

void curl_fail(CURL *easy, CURLcode result, const char *error)
{
	struct easy *e = easy;

	if (e->error)
		snprintf(e->error, CURL_ERROR_SIZE, "%s", error);
	transfer_done(e, result);
}

struct curl_connection *curl_connect(CURL *easy)
{
	struct easy *e = easy;
	int i = 0;

	while (connections[i].used)
		i++;
	connections[i] = (struct curl_connection){ .used = true };
	e->connection = i;
	transfer_done(e, CURLE_OK);
	return &connections[i];
}

struct curl_connection *curl_connection_at(size_t i)
{
	return connections[i].used ? &connections[i] : NULL;
}

size_t curl_handles(void)
{
	size_t n = 0;

	for (const struct easy *e = handles; e; e = e->next)
		n++;
	return n;
}

size_t curl_connections(void)
{
	size_t n = 0;

	for (size_t i = 0; i < CURL_CONNECTIONS_MAX; i++)
		n += connections[i].used;
	return n;
}

/* --- easy handles --- */

CURL *curl_easy_init(void)
{
	struct easy *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->connection = -1;
	e->limit = event_new(NULL, -1, 0, on_limit, e);
	if (!e->limit) {
		free(e);
		return NULL;
	}
	e->next = handles;
	handles = e;
	loop_is_ready = is_ready;
	return e;
}

void curl_easy_cleanup(CURL *easy)
{
	struct easy *e = easy, **at = &handles;

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	event_free(e->limit);
	if (e->connection >= 0) {
		bytes_done(&connections[e->connection].sent);
		bytes_done(&connections[e->connection].to);
		connections[e->connection].used = false;
	}
	free(e);
}

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	struct easy *e = easy;
	long number = 0;
	void *pointer = NULL;
	va_list ap;

	va_start(ap, option);
	if (option < CURLOPTTYPE_OBJECTPOINT)
		number = va_arg(ap, long);
	else
		pointer = va_arg(ap, void *);
	va_end(ap);
	switch ((int)option) {
	case CURLOPT_PRIVATE:
		e->arg = pointer;
		break;
	case CURLOPT_ERRORBUFFER:
		e->error = pointer;
		break;
	case CURLOPT_URL:
		snprintf(e->url, sizeof(e->url), "%s", (const char *)pointer);
		break;
	case CURLOPT_CONNECTTIMEOUT_MS:
		e->connect_ms = number;
		break;
	case CURLOPT_TIMEOUT_MS:
		e->timeout_ms = number;
		break;
	case CURLOPT_CONNECT_ONLY:
		e->connect_only = number;
		break;
	case CURLOPT_FRESH_CONNECT:
		e->fresh = number;
		break;
	case CURLOPT_POSTFIELDS:
		e->post = true;
		break;
	case CURLOPT_WRITEFUNCTION:
		memcpy(&e->body, &pointer, sizeof(e->body));
		break;
	case CURLOPT_WRITEDATA:
		e->body_arg = pointer;
		break;
	case CURLOPT_HEADERFUNCTION:
		memcpy(&e->header, &pointer, sizeof(e->header));
		break;
	case CURLOPT_HEADERDATA:
		e->header_arg = pointer;
		break;
	}
	return CURLE_OK;
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	struct easy *e = easy;
	void *out;
	va_list ap;

	va_start(ap, info);
	out = va_arg(ap, void *);
	va_end(ap);
	switch ((int)info) {
	case CURLINFO_PRIVATE:
		*(void **)out = e->arg;
		break;
	case CURLINFO_RESPONSE_CODE:
		*(long *)out = e->status;
		break;
	case CURLINFO_CONTENT_TYPE:
		*(const char **)out = e->type;
		break;
	case CURLINFO_ACTIVESOCKET:
		*(curl_socket_t *)out = FD_FIRST + e->connection;
		break;
	case CURLINFO_OS_ERRNO:
		*(long *)out = 0;
		break;
	}
	return CURLE_OK;
}

CURLcode curl_easy_recv(CURL *easy, void *out, size_t size, size_t *ret_n)
{
	struct curl_connection *c = &connections[((struct easy *)easy)->connection];
	size_t left = c->to.len - c->read;

	*ret_n = left < size ? left : size;
	if (*ret_n) {
		memcpy(out, c->to.at + c->read, *ret_n);
		c->read += *ret_n;
		if (c->read == c->to.len)
			c->read = c->to.len = 0;
		return CURLE_OK;
	}
	return c->broken ? c->broken : c->ended ? CURLE_OK : CURLE_AGAIN;
}

CURLcode curl_easy_send(CURL *easy, const void *bytes, size_t len, size_t *ret_n)
{
	struct curl_connection *c = &connections[((struct easy *)easy)->connection];

	bool hungry;

	if (c->broken)
		return CURLE_SEND_ERROR;
	if (c->full)
		return CURLE_AGAIN;
	hungry = famine_set(false);
	bytes_add(&c->sent, bytes, len);
	famine_set(hungry);
	*ret_n = len;
	return CURLE_OK;
}

const char *curl_easy_strerror(CURLcode code)
{
	return "an error of libcurl";
}

char *curl_easy_escape(CURL *easy, const char *text, int len)
{
	return strdup(text);
}

void curl_free(void *p)
{
	free(p);
}

char *curl_version(void)
{
	static char text[] = "libcurl of the tests";

	return text;
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text)
{
	struct curl_slist *new = calloc(1, sizeof(*new)), *last = list;

	if (new)
		new->data = strdup(text);
	if (!new || !new->data) {
		free(new);
		return NULL;
	}
	if (!list)
		return new;
	while (last->next)
		last = last->next;
	last->next = new;
	return list;
}

void curl_slist_free_all(struct curl_slist *list)
{
	while (list) {
		struct curl_slist *next = list->next;

		free(list->data);
		free(list);
		list = next;
	}
}

/* --- the multi --- */

CURLcode curl_global_init(long flags)
{
	return CURLE_OK;
}

CURLM *curl_multi_init(void)
{
	return &multi;
}

CURLMcode curl_multi_cleanup(CURLM *m)
{
	return CURLM_OK;
}

CURLMcode curl_multi_setopt(CURLM *m, CURLMoption option, ...)
{
	void *pointer;
	va_list ap;

	va_start(ap, option);
	pointer = va_arg(ap, void *);
	va_end(ap);
	if (option == CURLMOPT_TIMERFUNCTION)
		memcpy(&multi.timer, &pointer, sizeof(multi.timer));
	else if (option == CURLMOPT_TIMERDATA)
		multi.arg = pointer;
	return CURLM_OK;
}

CURLMcode curl_multi_add_handle(CURLM *m, CURL *easy)
{
	struct easy *e = easy;
	struct timeval tv = hf_time_of_ms(e->connect_only ? e->connect_ms : e->timeout_ms);

	e->added = true;
	e->since_ms = hf_boot_ms(&loop_clock.clock);
	event_add(e->limit, &tv);
	return CURLM_OK;
}

CURLMcode curl_multi_remove_handle(CURLM *m, CURL *easy)
{
	struct easy *e = easy;

	e->added = false;
	event_del(e->limit);
	return CURLM_OK;
}

CURLMcode curl_multi_socket_action(CURLM *m, curl_socket_t fd, int bits, int *ret_running)
{
	*ret_running = 0;
	return CURLM_OK;
}

CURLMcode curl_multi_assign(CURLM *m, curl_socket_t fd, void *arg)
{
	return CURLM_OK;
}

CURLMsg *curl_multi_info_read(CURLM *m, int *ret_left)
{
	*ret_left = 0;
	for (struct easy *e = handles; e; e = e->next) {
		if (!e->added || !e->done)
			continue;
		e->added = false;
		message = (CURLMsg){ .msg = CURLMSG_DONE, .easy_handle = e };
		message.data.result = e->result;
		return &message;
	}
	return NULL;
}
