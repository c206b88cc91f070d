/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/link.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"

/* As much as libcurl gives in one call. */
enum { CHUNK = 256 << 10 };

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct hf_link {
	struct hf_http_handle *handle; /* owned */
	struct hf_stack *stack;        /* borrowed */
	const struct hf_clock *clock;
	struct event *read;  /* owned */
	struct event *write; /* owned */
	uint8_t *chunk;      /* owned */
	uint64_t received;
	bool held;
	bool broken; /* told */
	hf_link_cb cb;
	void *arg;
};

/* Says that it is over. The link may be gone afterwards. */
static void tell_broken(struct hf_link *l, CURLcode result)
{
	struct hf_problem p;

	l->broken = true;
	event_del(l->read);
	event_del(l->write);
	if (result == CURLE_OK)
		hf_problem_set(&p, HF_PROBLEM_CUT, "the connection ended without a goodbye");
	else
		hf_http_problem(l->handle, result, hf_wall_ms(l->clock) / 1000, &p);
	hf_stack_eof(l->stack);
	l->cb(l->arg, &p);
}

/*
 * TLS has bytes of its own that the socket does not show, so reading goes on to CURLE_AGAIN. After
 * each piece the owner has its turn, and may free or hold the link: one piece a call, the rest
 * comes through the loop.
 */
static void on_link_read(evutil_socket_t fd, short what, void *arg)
{
	struct hf_link *l = arg;
	size_t n = 0;
	CURLcode rc;

	if (l->held || l->broken)
		return;
	rc = curl_easy_recv(l->handle->easy, l->chunk, CHUNK, &n);
	if (rc == CURLE_AGAIN)
		return;
	if (rc != CURLE_OK || !n) {
		tell_broken(l, rc);
		return;
	}
	l->received += n;
	event_active(l->read, EV_READ, 0);
	hf_stack_input(l->stack, hf_boot_ms(l->clock), l->chunk, n);
	l->cb(l->arg, NULL);
}

static void on_link_write(evutil_socket_t fd, short what, void *arg)
{
	hf_link_send(arg);
}

/* A failure to send comes out through the loop, as one to read. */
static void on_send_failed(struct hf_link *l)
{
	event_active(l->read, EV_READ, 0);
}

void hf_link_send(struct hf_link *l)
{
	const uint8_t *bytes;
	size_t len, n;

	while (!l->broken && (len = hf_stack_output(l->stack, &bytes))) {
		CURLcode rc = curl_easy_send(l->handle->easy, bytes, len, &n);

		if (rc == CURLE_AGAIN) {
			event_add(l->write, NULL);
			return;
		}
		if (rc != CURLE_OK) {
			on_send_failed(l);
			break;
		}
		hf_stack_sent(l->stack, n);
	}
	event_del(l->write);
}

/*
 * The kernel counts what was not acknowledged, and what a window of zero holds back. Our own pings
 * do not tell this apart from a long snapshot before the pong, while bytes come.
 */
void hf_link_patience(struct hf_link *l, int64_t ms)
{
	unsigned timeout = ms < INT32_MAX ? (unsigned)ms : INT32_MAX;

	/* Where it cannot be had there are still the pings. */
	(void)setsockopt(
	    event_get_fd(l->read), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

void hf_link_hold(struct hf_link *l, bool held)
{
	if (l->held == held || l->broken)
		return;
	l->held = held;
	if (held) {
		event_del(l->read);
		return;
	}
	event_add(l->read, NULL);
	event_active(l->read, EV_READ, 0);
}

static bool same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	return a->sa_family == AF_INET6 && !memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
					       &((const struct sockaddr_in6 *)b)->sin6_addr, 16);
}

/* The interface that has an address; 0: none has it any more. */
static unsigned interface_of(const struct sockaddr *own)
{
	struct ifaddrs *all;
	unsigned index = 0;

	if (getifaddrs(&all) < 0)
		return 0;
	for (const struct ifaddrs *i = all; i && !index; i = i->ifa_next)
		if (i->ifa_addr && same_address(i->ifa_addr, own))
			index = if_nametoindex(i->ifa_name);
	freeifaddrs(all);
	return index;
}

/* Would a connection to the same end have the same address of ours now? */
static bool is_way_the_same(const union any_address *own, const union any_address *end)
{
	union any_address now;
	socklen_t len = sizeof(now);
	int fd = socket(end->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool same;

	if (fd < 0)
		return false;
	same = connect(fd, &end->any, sizeof(*end)) == 0 && getsockname(fd, &now.any, &len) == 0 &&
	       same_address(&now.any, &own->any);
	close(fd);
	return same;
}

bool hf_link_concerns(const struct hf_link *l, const struct hf_interfaces *changed)
{
	union any_address own, end;
	socklen_t own_len = sizeof(own), end_len = sizeof(end);
	int fd = event_get_fd(l->read);
	unsigned index;

	if (changed->all || getsockname(fd, &own.any, &own_len) < 0 ||
	    getpeername(fd, &end.any, &end_len) < 0)
		return true;
	index = interface_of(&own.any);
	for (size_t i = 0; i < changed->n; i++)
		if (changed->at[i] == index)
			return true;
	return !index || !is_way_the_same(&own, &end);
}

uint64_t hf_link_received(const struct hf_link *l)
{
	return l->received;
}

int hf_link_new(struct hf_http_handle *handle, struct hf_stack *stack, const struct hf_clock *clock,
    hf_link_cb cb, void *arg, struct hf_link **ret_link)
{
	struct event_base *base = hf_http_base(handle->http);
	struct hf_link *l = calloc(1, sizeof(*l));
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (!l) {
		hf_http_handle_free(handle);
		return -ENOMEM;
	}
	*l = (struct hf_link){
		.handle = handle, .stack = stack, .clock = clock, .cb = cb, .arg = arg
	};
	curl_easy_getinfo(handle->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD)
		goto fail;
	l->chunk = malloc(CHUNK);
	l->read = event_new(base, fd, EV_READ | EV_PERSIST, on_link_read, l);
	l->write = event_new(base, fd, EV_WRITE | EV_PERSIST, on_link_write, l);
	if (!l->chunk || !l->read || !l->write || event_add(l->read, NULL) < 0)
		goto fail;
	*ret_link = l;
	return 0;
fail:
	hf_link_free(l);
	return -ENOMEM;
}

void hf_link_free(struct hf_link *l)
{
	if (!l)
		return;
	/* Before the socket, which libcurl closes. */
	if (l->read)
		event_free(l->read);
	if (l->write)
		event_free(l->write);
	hf_http_handle_free(l->handle);
	free(l->chunk);
	free(l);
}
