/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/adapters/kit_resolver.h"

#include <string.h>
#include <unistd.h>

#include <check.h>

static size_t question_end(const uint8_t *packet, size_t len)
{
	size_t at = 12;

	while (at < len && packet[at])
		at += 1u + packet[at];
	return at + 5;
}

size_t resolver_answer(
    const struct resolver_question *q, uint16_t flags, uint8_t out[static RESOLVER_PACKET_MAX])
{
	size_t n = question_end(q->packet, q->len);

	memcpy(out, q->packet, n);
	memset(out + 6, 0, 6);
	out[2] |= (uint8_t)(0x80 | flags >> 8);
	out[3] |= (uint8_t)flags;
	return n;
}

size_t resolver_add(uint8_t out[static RESOLVER_PACKET_MAX], size_t len, uint16_t type,
    uint32_t ttl_s, const void *data, size_t n)
{
	const uint8_t head[] = { 0xc0, 12, (uint8_t)(type >> 8), (uint8_t)type, 0, 1,
		(uint8_t)(ttl_s >> 24), (uint8_t)(ttl_s >> 16), (uint8_t)(ttl_s >> 8),
		(uint8_t)ttl_s, (uint8_t)(n >> 8), (uint8_t)n };

	ck_assert_uint_le(len + sizeof(head) + n, RESOLVER_PACKET_MAX);
	memcpy(out + len, head, sizeof(head));
	memcpy(out + len + sizeof(head), data, n);
	out[7]++;
	return len + sizeof(head) + n;
}

static void udp_readable(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;
	uint8_t in[RESOLVER_PACKET_MAX], out[RESOLVER_PACKET_MAX];
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	ssize_t n = recvfrom(fd, in, sizeof(in), 0, (struct sockaddr *)&from, &from_len);
	struct resolver_question q = { .packet = in, .len = (size_t)n, .nth = ++r->n };
	size_t len;

	ck_assert_int_gt(n, 0);
	len = r->cb(&q, out, r->arg);
	if (len)
		sendto(fd, out, len, 0, (struct sockaddr *)&from, from_len);
}

/* One question a connection, and it comes in one piece. */
static void peer_readable(evutil_socket_t peer, short what, void *arg)
{
	struct resolver *r = arg;
	uint8_t in[RESOLVER_PACKET_MAX], out[RESOLVER_PACKET_MAX + 2];
	ssize_t n = recv(peer, in, sizeof(in), 0);
	struct resolver_question q = { .packet = in + 2, .tcp = true, .nth = ++r->n };
	size_t len;

	ck_assert_int_gt(n, 2);
	q.len = (size_t)n - 2;
	len = r->cb(&q, out + 2, r->arg);
	out[0] = (uint8_t)(len >> 8);
	out[1] = (uint8_t)len;
	if (len)
		ck_assert_int_eq(write(peer, out, len + 2), (ssize_t)len + 2);
	close(peer);
}

static void tcp_readable(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;

	event_base_once(r->base, accept(fd, NULL, NULL), EV_READ, peer_readable, r, NULL);
}

/* One port for both: the one that the kernel chose for TCP may be another program's for UDP. */
static bool bind_both(struct resolver *r)
{
	socklen_t len = sizeof(r->at.in4);

	r->at.in4.sin_port = 0;
	r->tcp = socket(AF_INET, SOCK_STREAM, 0);
	r->udp = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(r->tcp, &r->at.sa, len), 0);
	ck_assert_int_eq(getsockname(r->tcp, &r->at.sa, &len), 0);
	if (bind(r->udp, &r->at.sa, len) == 0)
		return true;
	close(r->tcp);
	close(r->udp);
	return false;
}

void resolver_open(struct resolver *r, struct event_base *base, resolver_cb cb, void *arg)
{
	int tries = 20;

	memset(r, 0, sizeof(*r));
	r->base = base;
	r->cb = cb;
	r->arg = arg;
	r->at.in4.sin_family = AF_INET;
	r->at.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r->at.len = sizeof(r->at.in4);
	while (!bind_both(r))
		ck_assert_int_gt(--tries, 0);
	ck_assert_int_eq(listen(r->tcp, 8), 0);
	r->on_udp = event_new(base, r->udp, EV_READ | EV_PERSIST, udp_readable, r);
	r->on_tcp = event_new(base, r->tcp, EV_READ | EV_PERSIST, tcp_readable, r);
	event_add(r->on_udp, NULL);
	event_add(r->on_tcp, NULL);
}

void resolver_close(struct resolver *r)
{
	event_free(r->on_udp);
	event_free(r->on_tcp);
	close(r->udp);
	close(r->tcp);
}
