/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/control/health.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "bridge/control/health_request.h"
#include "bridge/control/request_server.h"
#include "bridge/control/status_line.h"
#include "config/config.h"

enum {
	CLIENTS_MAX = 32,
	CLIENT_MS = 5000, /* all that a client has, from its first byte to our last */
	BACKLOG = 64,
	AGAIN_MS = 1000,
};

struct hf_health {
	struct event_base *base;
	struct hf_engine *engine;
	const struct hf_listeners *listeners; /* borrowed, as the engine */
	struct hf_request_server *server;     /* owned; NULL: none */
	struct hf_endpoint at;                /* where it listens, or would */
	int64_t again_ms;                     /* boottime: not before is it tried again to listen */
	struct hf_fault fault;
};

static const char *health_phrase(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Bad Request";
	}
}

static void health_respond(
    struct hf_request_server_client *cl, int status, const char *body, bool head)
{
	char text[HF_STATUS_LINE_MAX + 400];
	int len = snprintf(text, sizeof(text),
	    "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
	    "Cache-Control: no-store\r\n%sConnection: close\r\n\r\n%s%s",
	    status, health_phrase(status), strlen(body) + 1,
	    status == 405 ? "Allow: GET, HEAD\r\n" : "", head ? "" : body, head ? "" : "\n");

	hf_request_server_client_answer(cl, text, (size_t)len);
}

static void health_answer(
    struct hf_health *h, struct hf_request_server_client *cl, const struct hf_health_request *r)
{
	char text[HF_STATUS_LINE_MAX];
	struct hf_status_line s;

	if (r->path == HF_HEALTH_OTHER) {
		health_respond(cl, 404, "there are /healthz and /readyz", r->head);
		return;
	}
	if (r->path == HF_HEALTH_LIVE) {
		health_respond(cl, 200, "ok", r->head);
		return;
	}
	hf_status_line_fill(h->engine, h->listeners, &s);
	health_respond(cl, s.ready ? 200 : 503, hf_status_line_text(&s, text), r->head);
}

static void on_health_read(void *arg, struct hf_request_server_client *cl, struct evbuffer *in)
{
	struct hf_health_request r;
	char head[HF_HEALTH_HEAD_MAX];
	ev_ssize_t len = evbuffer_copyout(in, head, sizeof(head));
	int rc = len < 0 ? 0 : hf_health_parse(head, (size_t)len, &r);

	if (!rc)
		return;
	evbuffer_drain(in, evbuffer_get_length(in));
	if (rc > 0)
		health_answer(arg, cl, &r);
	else
		health_respond(cl, -rc, health_phrase(-rc), false);
}

/* A listening socket, or a code. */
static int listen_at(const struct hf_endpoint *at)
{
	int fd = socket(at->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1,
	    rc;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &at->sa, at->len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static void health_hear(struct hf_health *h)
{
	const struct hf_request_server_opts opts = { .name = "status.listen",
		.clock = &hf_clock_system,
		.clients_max = CLIENTS_MAX,
		.span_ms = CLIENT_MS,
		.read = on_health_read,
		.arg = h };
	int rc;

	if (!h->at.len)
		return;
	rc = listen_at(&h->at);
	if (rc >= 0)
		rc = hf_request_server_new(h->base, &opts, rc, &h->server);
	if (rc >= 0) {
		hf_fault_clear(&h->fault, &hf_clock_system, "status.listen:");
		return;
	}
	hf_fault_set(&h->fault, &hf_clock_system, HF_LOG_ERROR,
	    "status.listen: it cannot be listened on (%s); /healthz is not answered; it is tried again",
	    hf_strerror(rc));
	h->again_ms = hf_boot_ms(&hf_clock_system) + AGAIN_MS;
}

int hf_health_new(struct event_base *base, struct hf_engine *engine,
    const struct hf_listeners *listeners, const struct hf_config *config,
    struct hf_health **ret_health)
{
	struct hf_health *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->base = base;
	h->engine = engine;
	h->listeners = listeners;
	h->at = config->status.listen;
	health_hear(h);
	*ret_health = h;
	return 0;
}

void hf_health_configure(struct hf_health *h, const struct hf_config *config)
{
	const struct hf_endpoint *next = &config->status.listen;

	if (h->server && h->at.len == next->len && !memcmp(&h->at.sa, &next->sa, next->len))
		return;
	hf_request_server_free(h->server);
	h->server = NULL;
	h->at = *next;
	memset(&h->fault, 0, sizeof(h->fault));
	health_hear(h);
}

void hf_health_poke(struct hf_health *h)
{
	if (h->at.len && !h->server && hf_boot_ms(&hf_clock_system) >= h->again_ms)
		health_hear(h);
}

void hf_health_free(struct hf_health *h)
{
	if (!h)
		return;
	hf_request_server_free(h->server);
	free(h);
}
