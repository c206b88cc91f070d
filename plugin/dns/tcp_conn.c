/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/dns/tcp_conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "plugin/byteorder.h"
#include "plugin/peer_addr.h"

enum { IPV4_LEN = 4, IPV6_LEN = 16, IPV6_NETWORK_LEN = 8 };

/*
 * Two addresses of one /64 are one client, since a single machine is given that many. The
 * link-local ones of a link are all of one /64, and are machines of their own.
 */
static void set_client(struct hf_conn *c, const struct sockaddr *from)
{
	const uint8_t *addr;
	sa_family_t family = hf_peer_addr(from, &addr);

	c->client[0] = (uint8_t)family;
	if (family == AF_INET)
		memcpy(c->client + 1, addr, IPV4_LEN);
	else if (family == AF_INET6)
		memcpy(c->client + 1, addr,
		    addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80 ? IPV6_LEN : IPV6_NETWORK_LEN);
}

struct hf_conn *hf_conn_new(int fd, const struct sockaddr *from)
{
	struct hf_conn *c = malloc(sizeof(*c));

	if (!c)
		return NULL;
	/* All but the buffers: pages that no client fills are never touched. */
	memset(c, 0, offsetof(struct hf_conn, in));
	c->fd = fd;
	c->peer = (struct hf_peer){ .allowed = true, .loopback = hf_peer_addr_is_loopback(from) };
	set_client(c, from);
	return c;
}

void hf_conn_free(struct hf_conn *c)
{
	if (!c)
		return;
	close(c->fd);
	free(c);
}

/* False if the connection is of no more use. */
static bool conn_take_in(struct hf_conn *c)
{
	size_t room = sizeof(c->in) - c->in_len;
	ssize_t n;

	if (!room || c->ended)
		return true;
	n = recv(c->fd, c->in + c->in_len, room, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->ended = n == 0;
	c->in_len += (size_t)n;
	return true;
}

/* The length of the message at `at`, or 0 if it is not whole yet. */
static size_t whole_message(const struct hf_conn *c, size_t at)
{
	size_t have = c->in_len - at, len;

	if (have < 2)
		return 0;
	len = 2 + (size_t)hf_be16(c->in + at);
	return have < len ? 0 : len;
}

static bool too_long(const struct hf_conn *c)
{
	return c->in_len >= 2 && hf_be16(c->in) > HF_TCP_QUERY_MAX;
}

/*
 * Answers what is whole while there is room for the answers. Returns how many, -1 for what is no
 * query.
 */
static int answer_some(struct hf_conn *c, struct hf_responder *r)
{
	size_t at = 0, len, reply;
	struct hf_job job;
	int n = 0;

	while (
	    HF_TCP_OUT_MAX - c->out_len >= 2 + HF_TCP_REPLY_MAX && (len = whole_message(c, at))) {
		uint8_t *out = c->out + c->out_len;

		hf_responder_read(c->in + at + 2, len - 2, c->peer, &job);
		reply = hf_responder_reply(r, &job, HF_OVER_TCP, out + 2, HF_TCP_REPLY_MAX);
		if (!reply)
			return -1;
		hf_be16_put(out, (uint16_t)reply);
		c->out_len += 2 + reply;
		at += len;
		n++;
	}
	if (at)
		memmove(c->in, c->in + at, c->in_len - at);
	c->in_len -= at;
	return too_long(c) ? -1 : n;
}

static bool send_out(struct hf_conn *c)
{
	ssize_t n;

	if (c->out_at == c->out_len)
		return true;
	n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->out_at += (size_t)n;
	if (c->out_at == c->out_len)
		c->out_at = c->out_len = 0;
	return true;
}

/*
 * The input buffer bounds the rounds: it holds a few hundred questions at most, and is filled once
 * a call.
 */
enum hf_conn_result hf_conn_work(struct hf_conn *c, struct hf_responder *r)
{
	bool pending = c->out_len > 0;
	int n, total = 0;

	if (!conn_take_in(c))
		return HF_CONN_CLOSE;
	do {
		n = answer_some(c, r);
		if (!send_out(c) || n < 0)
			return HF_CONN_CLOSE;
		total += n;
	} while (n > 0 || (!c->out_len && whole_message(c, 0)));
	if (c->ended && !c->out_len)
		return HF_CONN_CLOSE;
	return total || (pending && !c->out_len) ? HF_CONN_PROGRESS : HF_CONN_WAITS;
}

uint32_t hf_conn_wants(const struct hf_conn *c)
{
	uint32_t events = c->out_len ? EPOLLOUT : 0;

	/* Who does not take answers is read no further. */
	if (!c->ended && c->in_len < sizeof(c->in) &&
	    HF_TCP_OUT_MAX - c->out_len >= 2 + HF_TCP_REPLY_MAX)
		events |= EPOLLIN;
	return events;
}
