/* SPDX-License-Identifier: Apache-2.0 */
#include "examples/simulator/sim_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "examples/simulator/sim_conn.h"

enum { WS_PING_MS = 15000, YAMUX_PING_MS = 30000, BACKLOG = 128 };

int hf_sim_server_init(struct sim_server *s, struct event_base *base)
{
	*s = (struct sim_server){
		.base = base, .ws_ping_ms = WS_PING_MS, .yamux_ping_ms = YAMUX_PING_MS
	};
	snprintf(s->host, sizeof(s->host), "127.0.0.1");
	return hf_sim_world_init(&s->world);
}

void hf_sim_server_done(struct sim_server *s)
{
	hf_sim_server_down(s);
	hf_sim_world_done(&s->world);
	SSL_CTX_free(s->tls);
	s->tls = NULL;
}

int hf_sim_server_tls(struct sim_server *s, const char *cert, const char *key)
{
	s->tls = SSL_CTX_new(TLS_server_method());
	if (!s->tls)
		return -ENOMEM;
	SSL_CTX_set_min_proto_version(s->tls, TLS1_2_VERSION);
	if (SSL_CTX_use_certificate_chain_file(s->tls, cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(s->tls, key, SSL_FILETYPE_PEM) != 1)
		return -EINVAL;
	return 0;
}

static void on_accept(
    struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int len, void *arg)
{
	struct sim_server *s = arg;

	(void)listener;
	(void)from;
	(void)len;
	s->counts.connections++;
	hf_sim_conn_new(s, fd);
}

/* 127.0.0.1 or ::1, and other addresses; no names. */
static int make_address(const char *host, uint16_t port, struct sockaddr_storage *ret_address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;

	memset(ret_address, 0, sizeof(*ret_address));
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
		return -EINVAL;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	return sizeof(*v6);
}

int hf_sim_server_listen(struct sim_server *s)
{
	struct sockaddr_storage address;
	socklen_t room = sizeof(address);
	int len = make_address(s->host, s->port, &address);

	if (len < 0 || s->listener)
		return len < 0 ? len : 0;
	s->listener = evconnlistener_new_bind(s->base, on_accept, s,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG,
	    (struct sockaddr *)&address, len);
	if (!s->listener)
		return errno ? -errno : -EADDRINUSE;
	if (getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&address, &room))
		return -errno;
	/* The port lies at the same place in both kinds. */
	s->port = ntohs(((struct sockaddr_in *)&address)->sin_port);
	return 0;
}

void hf_sim_server_down(struct sim_server *s)
{
	if (s->listener)
		evconnlistener_free(s->listener);
	s->listener = NULL;
	hf_sim_server_cut(s, &(struct sim_cut_how){ .what = CUT_TCP });
}

void hf_sim_server_freeze(struct sim_server *s, bool frozen)
{
	s->frozen = frozen;
	for (struct sim_conn *c = s->conns; c; c = c->next)
		hf_sim_conn_freeze(c, frozen);
}

void hf_sim_server_update(
    struct sim_server *s, const uint8_t owner[SIM_ID], const struct sim_message *message)
{
	for (struct sim_conn *c = s->conns; c; c = c->next)
		hf_sim_conn_update(c, owner, message);
}

void hf_sim_server_cut(struct sim_server *s, const struct sim_cut_how *how)
{
	struct sim_conn *next;

	for (struct sim_conn *c = s->conns; c; c = next) {
		next = c->next;
		hf_sim_conn_cut(c, how);
	}
}

unsigned hf_sim_server_sessions(const struct sim_server *s)
{
	unsigned n = 0;

	for (struct sim_conn *c = s->conns; c; c = c->next)
		n += c->ws && !c->closing;
	return n;
}

unsigned hf_sim_server_streams(const struct sim_server *s, const struct sim_user *user)
{
	unsigned n = 0;

	for (struct sim_conn *c = s->conns; c; c = c->next) {
		if (c->closing)
			continue;
		for (struct sim_call *call = c->calls; call; call = call->next)
			n += call->following && (!user || !memcmp(call->owner, user->id, SIM_ID));
	}
	return n;
}
