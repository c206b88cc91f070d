#include "bridge/health.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "bridge/health_request.h"
#include "bridge/summary.h"
#include "config/config.h"

enum {
	CLIENTS_MAX = 32,
	CLIENT_S = 5, /* all that a client has, from its first byte to our last */
};

struct client {
	struct hf_health *health;
	struct client **at;      /* its place in the table */
	struct bufferevent *bev; /* owned */
	struct event *end;       /* owned: its time is over */
	bool answered;
};

struct hf_health {
	struct event_base *base;
	struct hf_core *core;
	struct evconnlistener *listener; /* owned; NULL: none */
	struct hf_endpoint at;           /* where it listens, or would */
	struct client *clients[CLIENTS_MAX];
};

static void client_free(struct client *cl)
{
	*cl->at = NULL;
	if (cl->end)
		event_free(cl->end);
	if (cl->bev)
		bufferevent_free(cl->bev);
	free(cl);
}

static const char *phrase(int status)
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

static void respond(struct client *cl, int status, const char *body, bool head)
{
	struct evbuffer *out = bufferevent_get_output(cl->bev);

	cl->answered = true;
	bufferevent_disable(cl->bev, EV_READ);
	evbuffer_add_printf(out,
	    "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
	    "Cache-Control: no-store\r\n%sConnection: close\r\n\r\n%s%s",
	    status, phrase(status), strlen(body) + 1, status == 405 ? "Allow: GET, HEAD\r\n" : "",
	    head ? "" : body, head ? "" : "\n");
}

static void answer(struct client *cl, const struct hf_health_request *r)
{
	char text[HF_SUMMARY_MAX];
	struct hf_summary s;

	if (r->path == HF_HEALTH_OTHER) {
		respond(cl, 404, "there are /healthz and /readyz", r->head);
		return;
	}
	if (r->path == HF_HEALTH_LIVE) {
		respond(cl, 200, "ok", r->head);
		return;
	}
	hf_summary_fill(cl->health->core, &s);
	respond(cl, s.ready ? 200 : 503, hf_summary_text(&s, text), r->head);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct client *cl = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	struct hf_health_request r;
	char head[HF_HEALTH_HEAD_MAX];
	ev_ssize_t len = evbuffer_copyout(in, head, sizeof(head));
	int rc;

	if (cl->answered || len < 0)
		return;
	rc = hf_health_parse(head, (size_t)len, &r);
	if (rc > 0)
		answer(cl, &r);
	else if (rc < 0)
		respond(cl, -rc, phrase(-rc), false);
	if (rc)
		evbuffer_drain(in, evbuffer_get_length(in));
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct client *cl = arg;

	(void)bev;
	if (cl->answered)
		client_free(cl);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	client_free(arg);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	client_free(arg);
}

/* Takes over `fd`. */
static void client_new(struct hf_health *h, struct client **at, int fd)
{
	const struct timeval span = { .tv_sec = CLIENT_S };
	struct client *cl = calloc(1, sizeof(*cl));

	if (!cl) {
		close(fd);
		return;
	}
	*at = cl;
	cl->health = h;
	cl->at = at;
	cl->bev = bufferevent_socket_new(h->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!cl->bev)
		close(fd);
	cl->end = evtimer_new(h->base, on_end, cl);
	if (!cl->bev || !cl->end || event_add(cl->end, &span)) {
		client_free(cl);
		return;
	}
	bufferevent_setcb(cl->bev, on_read, on_written, on_event, cl);
	bufferevent_setwatermark(cl->bev, EV_READ, 0, HF_HEALTH_HEAD_MAX);
	bufferevent_enable(cl->bev, EV_READ | EV_WRITE);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
    int len, void *arg)
{
	struct hf_health *h = arg;

	(void)listener;
	(void)from;
	(void)len;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (h->clients[i])
			continue;
		client_new(h, &h->clients[i], fd);
		return;
	}
	close(fd);
}

static void hear(struct hf_health *h, const struct hf_config *config)
{
	h->at = config->status.listen;
	if (!h->at.len)
		return;
	h->listener = evconnlistener_new_bind(h->base, on_accept, h,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 16, &h->at.sa,
	    (int)h->at.len);
	if (!h->listener)
		hf_log_error("status.listen: it cannot be listened on (%s); nobody hears of /healthz",
		    strerror(errno));
}

int hf_health_new(struct event_base *base, struct hf_core *core, const struct hf_config *config,
    struct hf_health **ret_health)
{
	struct hf_health *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->base = base;
	h->core = core;
	hear(h, config);
	*ret_health = h;
	return 0;
}

void hf_health_configure(struct hf_health *h, const struct hf_config *config)
{
	const struct hf_endpoint *next = &config->status.listen;

	if (h->listener && h->at.len == next->len && !memcmp(&h->at.sa, &next->sa, next->len))
		return;
	if (h->listener)
		evconnlistener_free(h->listener);
	h->listener = NULL;
	hear(h, config);
}

void hf_health_free(struct hf_health *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (h->clients[i])
			client_free(h->clients[i]);
	if (h->listener)
		evconnlistener_free(h->listener);
	free(h);
}
