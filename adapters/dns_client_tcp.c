/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dns_client_tcp.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/error.h"
#include "base/timing.h"
#include "config/config.h"

struct hf_dns_client_tcp {
	struct bufferevent *bev; /* owned */
	struct event *limit;     /* owned: for all of it */
	hf_dns_client_tcp_cb cb;
	void *arg;
};

static void client_tcp_end(struct hf_dns_client_tcp *t, int code)
{
	bufferevent_disable(t->bev, EV_READ | EV_WRITE);
	event_del(t->limit);
	t->cb(code, NULL, 0, t->arg); /* the owner may free it */
}

static void on_client_tcp_read(struct bufferevent *bev, void *arg)
{
	struct hf_dns_client_tcp *t = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	uint8_t head[2];
	const uint8_t *packet;
	size_t len;

	if (evbuffer_copyout(in, head, 2) < 2)
		return;
	len = (size_t)head[0] << 8 | head[1];
	if (evbuffer_get_length(in) < 2 + len)
		return;
	packet = evbuffer_pullup(in, (ev_ssize_t)(2 + len));
	if (!packet) {
		client_tcp_end(t, -ENOMEM);
		return;
	}
	bufferevent_disable(bev, EV_READ | EV_WRITE);
	event_del(t->limit);
	t->cb(0, packet + 2, len, t->arg);
}

static void on_client_tcp_event(struct bufferevent *bev, short what, void *arg)
{
	int e = EVUTIL_SOCKET_ERROR();

	if (what & BEV_EVENT_CONNECTED)
		return;
	client_tcp_end(arg, what & BEV_EVENT_EOF ? HF_ECLOSED : e ? -e : -EIO);
}

static void on_client_tcp_limit(evutil_socket_t fd, short what, void *arg)
{
	client_tcp_end(arg, -ETIMEDOUT);
}

int hf_dns_client_tcp_new(struct event_base *base, const struct hf_endpoint *server,
    const uint8_t *query, size_t len, uint32_t timeout_ms, hf_dns_client_tcp_cb cb, void *arg,
    struct hf_dns_client_tcp **ret_tcp)
{
	struct timeval tv = hf_time_of_ms(timeout_ms);
	const uint8_t head[2] = { (uint8_t)(len >> 8), (uint8_t)len };
	struct hf_dns_client_tcp *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->cb = cb;
	t->arg = arg;
	/* Deferred: a refusal by the kernel is not told from within this call. */
	t->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	t->limit = evtimer_new(base, on_client_tcp_limit, t);
	if (!t->bev || !t->limit)
		goto fail;
	bufferevent_setcb(t->bev, on_client_tcp_read, NULL, on_client_tcp_event, t);
	bufferevent_setwatermark(t->bev, EV_READ, 2, 2 + UINT16_MAX);
	if (bufferevent_write(t->bev, head, 2) || bufferevent_write(t->bev, query, len) ||
	    event_add(t->limit, &tv) || bufferevent_enable(t->bev, EV_READ | EV_WRITE) ||
	    bufferevent_socket_connect(t->bev, &server->sa, (int)server->len))
		goto fail;
	*ret_tcp = t;
	return 0;
fail:
	hf_dns_client_tcp_free(t);
	return -ENOMEM;
}

void hf_dns_client_tcp_free(struct hf_dns_client_tcp *t)
{
	if (!t)
		return;
	if (t->bev)
		bufferevent_free(t->bev);
	if (t->limit)
		event_free(t->limit);
	free(t);
}
