/* SPDX-License-Identifier: Apache-2.0 */
#include "examples/simulator/sim_conn.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/timing.h"
#include "examples/simulator/sim_mux.h"
#include "examples/simulator/sim_records.h"
#include "examples/simulator/sim_rest.h"
#include "examples/simulator/sim_ws.h"

#define FOLLOW "/coder.tailnet.v2.Tailnet/WorkspaceUpdates"

enum { CLOSE_WAIT_MS = 5000, NORMAL = 1000, PROTOCOL_ERROR = 1002, PING_TIMEOUT = 1001 };

static void conn_arm(struct event *timer, unsigned ms)
{
	const struct timeval tv = hf_time_of_ms(ms);

	if (ms)
		evtimer_add(timer, &tv);
}

/* The websocket's closing handshake; with a limit to how long it is waited for. */
static void close_ws(struct sim_conn *c, uint16_t code, const char *reason)
{
	if (c->closing || hf_sim_ws_close(c->ws, code, reason)) {
		c->broken = -EPIPE;
		return;
	}
	c->closing = true;
	evtimer_del(c->mux_timer);
	conn_arm(c->ws_timer, CLOSE_WAIT_MS);
}

static void write_stream(struct sim_call *call, struct evbuffer *frames)
{
	if (evbuffer_get_length(frames) && hf_sim_mux_write(call->stream, frames))
		hf_log_debug("stream %u: not written", call->stream->id);
	evbuffer_free(frames);
}

static void call_send_message(struct sim_call *call, struct evbuffer *message)
{
	struct evbuffer *frames = evbuffer_new();

	hf_sim_rpc_message(&call->rpc, message, frames);
	write_stream(call, frames);
}

static void call_send_close(struct sim_call *call)
{
	struct evbuffer *frames = evbuffer_new();

	hf_sim_rpc_close(&call->rpc, frames);
	write_stream(call, frames);
	call->following = false;
	evtimer_del(call->late);
}

static void send_error(struct sim_call *call, uint64_t code, const char *text)
{
	struct evbuffer *frames = evbuffer_new();

	hf_sim_rpc_error(&call->rpc, code, text, frames);
	write_stream(call, frames);
	call->following = false;
	evtimer_del(call->late);
}

/* One who may not be read, or is not there, has nothing: there is no error for it. */
static void send_snapshot(struct sim_call *call)
{
	const struct sim_world *w = &call->conn->server->world;
	const struct sim_user *user = hf_sim_world_user_by_id(w, call->owner);
	struct evbuffer *message = evbuffer_new();

	if (user && hf_sim_records_all(w, user, &call->conn->rights, message))
		hf_log_error("out of memory");
	call_send_message(call, message);
	evbuffer_free(message);
}

static void on_call_late(evutil_socket_t fd, short what, void *arg)
{
	struct sim_call *call = arg;

	(void)fd;
	(void)what;
	call->following = true;
	send_snapshot(call);
}

static void serve_call(struct sim_call *call)
{
	struct sim_server *s = call->conn->server;
	const struct sim_user *user = hf_sim_world_user_by_id(&s->world, call->owner);

	switch (user ? user->deny : SIM_SERVED) {
	case SIM_DENY_CLOSE:
		call_send_close(call);
		return;
	case SIM_DENY_ERROR:
		send_error(call, 0, "the simulator denies this owner, as its script says");
		return;
	case SIM_DENY_RESET:
		hf_sim_mux_reset(call->stream);
		return;
	case SIM_SERVED:
		break;
	}
	if (user && user->late_ms) {
		conn_arm(call->late, user->late_ms);
		return;
	}
	call->following = true;
	send_snapshot(call);
}

static void on_called(void *arg, const char *name, const uint8_t *request, size_t len)
{
	struct sim_call *call = arg;
	struct sim_server *s = call->conn->server;
	char text[256];

	s->counts.calls++;
	if (strcmp(name, FOLLOW)) {
		snprintf(text, sizeof(text), "protocol error: unknown rpc: \"%s\"", name);
		send_error(call, 0, text);
	} else if (s->unimplemented) {
		send_error(call, 12, "workspace updates not supported on this connection");
	} else if (hf_sim_records_request(request, len, call->owner)) {
		call_send_close(call);
	} else {
		serve_call(call);
	}
}

static void stop_call(struct sim_call *call)
{
	call->following = false;
	evtimer_del(call->late);
}

static void on_call_ended(void *arg)
{
	stop_call(arg);
}

static int on_opened(void *arg, struct sim_mux_stream *stream)
{
	struct sim_conn *c = arg;
	struct sim_call *call = calloc(1, sizeof(*call));

	if (!call)
		return -ENOMEM;
	*call = (struct sim_call){ .conn = c,
		.stream = stream,
		.next = c->calls,
		.late = evtimer_new(c->server->base, on_call_late, call),
		.rpc.config = { .called = on_called, .ended = on_call_ended, .arg = call } };
	if (!call->late) {
		free(call);
		return -ENOMEM;
	}
	c->calls = call;
	stream->call = call;
	return 0;
}

static void on_stream_data(
    void *arg, struct sim_mux_stream *stream, const uint8_t *bytes, size_t len)
{
	struct sim_call *call = stream->call;

	(void)arg;
	if (hf_sim_rpc_feed(&call->rpc, bytes, len))
		hf_sim_mux_reset(stream);
}

static void on_finished(void *arg, struct sim_mux_stream *stream)
{
	struct sim_call *call = stream->call;

	(void)arg;
	stop_call(call);
	hf_sim_mux_finish(stream);
}

static void on_stream_gone(void *arg, struct sim_mux_stream *stream)
{
	struct sim_conn *c = arg;
	struct sim_call *call = stream->call, **at = &c->calls;

	if (!call)
		return;
	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	event_free(call->late);
	hf_sim_rpc_done(&call->rpc);
	free(call);
}

static void on_mux_pong(void *arg)
{
	struct sim_conn *c = arg;

	c->mux_waits = false;
}

static int on_mux_send(void *arg, const void *bytes, size_t len)
{
	struct sim_conn *c = arg;

	return c->closing ? -EPIPE : hf_sim_ws_send(c->ws, bytes, len);
}

static void on_ws_data(void *arg, const uint8_t *bytes, size_t len)
{
	struct sim_conn *c = arg;

	if (!c->broken && !c->closing)
		c->broken = hf_sim_mux_feed(c->mux, bytes, len);
}

static void on_ws_pong(void *arg)
{
	struct sim_conn *c = arg;

	c->ws_waits = false;
}

/* Coder's server pings the websocket, and yamux pings by itself; both want an answer in time. */
static void on_ws_timer(evutil_socket_t fd, short what, void *arg)
{
	struct sim_conn *c = arg;

	(void)fd;
	(void)what;
	if (c->closing) {
		hf_sim_conn_free(c);
		return;
	}
	conn_arm(c->ws_timer, c->server->ws_ping_ms);
	if (c->server->frozen)
		return;
	if (c->ws_waits)
		close_ws(c, PING_TIMEOUT, "ping timeout");
	else
		c->broken = hf_sim_ws_ping(c->ws);
	c->ws_waits = true;
	if (c->broken)
		hf_sim_conn_free(c);
}

static void on_mux_timer(evutil_socket_t fd, short what, void *arg)
{
	struct sim_conn *c = arg;

	(void)fd;
	(void)what;
	conn_arm(c->mux_timer, c->server->yamux_ping_ms);
	if (c->server->frozen)
		return;
	if (c->mux_waits) {
		close_ws(c, NORMAL, "");
	} else {
		c->mux_waits = true;
		hf_sim_mux_ping(c->mux);
	}
}

static int begin_session(struct sim_conn *c)
{
	const struct sim_ws_config ws = { .out = bufferevent_get_output(c->bev),
		.data = on_ws_data,
		.pong = on_ws_pong,
		.arg = c };
	const struct sim_mux_config mux = { .send = on_mux_send,
		.opened = on_opened,
		.data = on_stream_data,
		.finished = on_finished,
		.gone = on_stream_gone,
		.pong = on_mux_pong,
		.arg = c };

	if (hf_sim_rights_take(&c->server->world, &c->rights) || hf_sim_ws_new(&ws, &c->ws) ||
	    hf_sim_mux_new(&mux, &c->mux))
		return -ENOMEM;
	c->server->counts.upgrades++;
	conn_arm(c->ws_timer, c->server->ws_ping_ms);
	conn_arm(c->mux_timer, c->server->yamux_ping_ms);
	return 0;
}

static int conn_upgrade(struct sim_conn *c, struct evbuffer *out)
{
	const struct sim_request *r = &c->request;
	char accept[SIM_WS_ACCEPT];

	if (!hf_sim_rest_knows(&c->server->world, r)) {
		hf_sim_rest_signed_out(out, r);
		return 0;
	}
	if (hf_sim_rest_version_refused(&c->server->world, r, out))
		return 0;
	if (!r->upgrade || !*r->websocket_key) {
		hf_sim_http_answer(out, r, 426, "", "text/plain; charset=utf-8",
		    "WebSocket protocol violation: Connection header does not contain Upgrade\n");
		return 0;
	}
	hf_sim_ws_accept(r->websocket_key, accept);
	evbuffer_add_printf(out,
	    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	    "Sec-WebSocket-Accept: %s\r\n\r\n",
	    accept);
	return begin_session(c);
}

static bool conn_is_stream(const struct sim_conn *c)
{
	return !strcmp(c->request.path, "/api/v2/tailnet");
}

static bool is_path(const char *path, const struct sim_request *r)
{
	return !*path || !strcmp(path, r->path);
}

static bool conn_is_refused(const struct sim_conn *c)
{
	const struct sim_refusal *refusal = &c->server->refusal;

	return refusal->status && (conn_is_stream(c) || !refusal->only_stream) &&
	       is_path(refusal->path, &c->request);
}

static int conn_answer(struct sim_conn *c)
{
	const struct sim_refusal *refusal = &c->server->refusal;
	struct evbuffer *out = bufferevent_get_output(c->bev);

	if (conn_is_refused(c)) {
		hf_sim_http_answer(out, &c->request, refusal->status, refusal->headers,
		    refusal->html ? "text/html; charset=utf-8" : "application/json",
		    refusal->html
			? "<!DOCTYPE html>\n<html><title>Sign in to the network</title></html>\n"
			: "{\"message\":\"The simulator refuses, as its script says.\"}");
		return 0;
	}
	return conn_is_stream(c) ? conn_upgrade(c, out)
				 : hf_sim_rest_answer(&c->server->world, &c->request, out);
}

static int conn_answer_now(struct sim_conn *c)
{
	int rc = conn_answer(c);

	c->last = c->closing = !c->ws && !c->request.keep;
	hf_sim_request_done(&c->request);
	return rc;
}

static int conn_take_request(struct sim_conn *c)
{
	const struct sim_server *s = c->server;

	c->server->counts.requests++;
	hf_log_debug("%s %s", c->request.method, c->request.path);
	if (!s->slow_ms || conn_is_stream(c) || !is_path(s->slow_path, &c->request))
		return conn_answer_now(c);
	conn_arm(c->slow_timer, s->slow_ms);
	return 0;
}

static int conn_take_requests(struct sim_conn *c, struct evbuffer *in)
{
	int rc = 0;

	while (!rc && !c->ws && !c->closing && !evtimer_pending(c->slow_timer, NULL) &&
	       evbuffer_get_length(in)) {
		rc = hf_sim_request_read(&c->request, in);
		if (rc < 0)
			hf_sim_http_answer(bufferevent_get_output(c->bev), &c->request, 400, "",
			    "text/plain", "400 Bad Request");
		if (rc != 1)
			return rc;
		rc = conn_take_request(c);
	}
	return rc;
}

static void end_when_sent(struct sim_conn *c)
{
	if (!evbuffer_get_length(bufferevent_get_output(c->bev))) {
		hf_sim_conn_free(c);
		return;
	}
	c->closing = c->last = true;
	bufferevent_disable(c->bev, EV_READ);
	conn_arm(c->ws_timer, CLOSE_WAIT_MS);
}

static void on_conn_read(struct bufferevent *bev, void *arg)
{
	struct sim_conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	c->broken = c->ws ? 0 : conn_take_requests(c, in);
	if (!c->broken && c->ws && evbuffer_get_length(in)) {
		int rc = hf_sim_ws_feed(c->ws, in);

		if (!c->broken)
			c->broken = rc;
		if (!c->broken)
			hf_sim_mux_reap(c->mux);
	}
	if (c->broken && c->ws && !c->closing)
		hf_sim_ws_close(c->ws, PROTOCOL_ERROR, ""); /* unless one went out already */
	if (c->broken)
		end_when_sent(c);
}

/* The answer that was kept back, and what was asked after it. */
static void on_slow_timer(evutil_socket_t fd, short what, void *arg)
{
	struct sim_conn *c = arg;

	(void)fd;
	(void)what;
	c->broken = conn_answer_now(c);
	if (c->broken)
		end_when_sent(c);
	else
		on_conn_read(c->bev, c);
}

static void on_conn_written(struct bufferevent *bev, void *arg)
{
	struct sim_conn *c = arg;

	if (c->last && !evbuffer_get_length(bufferevent_get_output(bev)))
		hf_sim_conn_free(c);
}

static void on_conn_end(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		hf_sim_conn_free(arg);
}

static struct bufferevent *make_bufferevent(struct sim_server *s, int fd)
{
	SSL *ssl;

	if (!s->tls)
		return bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	ssl = SSL_new(s->tls);
	return ssl ? bufferevent_openssl_socket_new(
			 s->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
		   : NULL;
}

int hf_sim_conn_new(struct sim_server *s, int fd)
{
	struct sim_conn *c = calloc(1, sizeof(*c));

	if (c) {
		c->server = s;
		c->bev = make_bufferevent(s, fd);
	}
	if (!c || !c->bev) {
		free(c);
		close(fd);
		return -ENOMEM;
	}
	c->next = s->conns;
	s->conns = c;
	c->ws_timer = evtimer_new(s->base, on_ws_timer, c);
	c->mux_timer = evtimer_new(s->base, on_mux_timer, c);
	c->slow_timer = evtimer_new(s->base, on_slow_timer, c);
	if (!c->ws_timer || !c->mux_timer || !c->slow_timer) {
		hf_sim_conn_free(c);
		return -ENOMEM;
	}
	bufferevent_setcb(c->bev, on_conn_read, on_conn_written, on_conn_end, c);
	hf_sim_conn_freeze(c, s->frozen);
	return 0;
}

void hf_sim_conn_free(struct sim_conn *c)
{
	struct sim_conn **at = &c->server->conns;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	hf_sim_mux_free(c->mux);
	hf_sim_ws_free(c->ws);
	hf_sim_request_done(&c->request);
	if (c->ws_timer)
		event_free(c->ws_timer);
	if (c->mux_timer)
		event_free(c->mux_timer);
	if (c->slow_timer)
		event_free(c->slow_timer);
	hf_sim_rights_done(&c->rights);
	bufferevent_free(c->bev);
	free(c);
}

void hf_sim_conn_freeze(struct sim_conn *c, bool frozen)
{
	if (frozen)
		bufferevent_disable(c->bev, EV_READ | EV_WRITE);
	else
		bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

void hf_sim_conn_update(
    struct sim_conn *c, const uint8_t owner[SIM_ID], const struct sim_message *message)
{
	for (struct sim_call *call = c->calls; call; call = call->next) {
		struct evbuffer *seen;

		if (!call->following || memcmp(call->owner, owner, SIM_ID))
			continue;
		seen = evbuffer_new();
		if (!hf_sim_message_seen(message, &c->rights, owner, seen) &&
		    evbuffer_get_length(seen))
			call_send_message(call, seen);
		evbuffer_free(seen);
	}
}

static void cut_calls(struct sim_conn *c, const struct sim_cut_how *how)
{
	for (struct sim_call *call = c->calls; call; call = call->next) {
		if (how->user && memcmp(call->owner, how->user->id, SIM_ID))
			continue;
		if (how->what == CUT_CALL)
			call_send_close(call);
		else if (how->what == CUT_ERROR)
			send_error(call, how->code, how->text);
		else
			hf_sim_mux_reset(call->stream);
	}
	hf_sim_mux_reap(c->mux);
}

void hf_sim_conn_cut(struct sim_conn *c, const struct sim_cut_how *how)
{
	const struct linger abrupt = { .l_onoff = 1 };

	switch (how->what) {
	case CUT_RST:
		setsockopt(
		    bufferevent_getfd(c->bev), SOL_SOCKET, SO_LINGER, &abrupt, sizeof(abrupt));
		hf_sim_conn_free(c);
		return;
	case CUT_TCP:
		hf_sim_conn_free(c);
		return;
	case CUT_WS:
		if (c->ws)
			close_ws(c, (uint16_t)how->code, how->text);
		return;
	case CUT_GOAWAY:
		if (c->mux)
			hf_sim_mux_goaway(c->mux, (uint32_t)how->code);
		return;
	case CUT_YAMUX:
	case CUT_CALL:
	case CUT_ERROR:
		if (c->mux)
			cut_calls(c, how);
		return;
	}
}
