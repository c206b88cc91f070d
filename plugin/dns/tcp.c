/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/dns/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "plugin/dns/acl.h"
#include "plugin/dns/sock.h"
#include "plugin/dns/tcp_conn.h"
#include "plugin/dns/worker.h"
#include "zone/reader.h"

enum { EVENTS = 64, ACCEPT_AT_ONCE = 64, PAUSE_MS = 200, WELL_MS = 1000, HOUSEKEEPING_MS = 30000 };

TAILQ_HEAD(conn_list, hf_conn);

struct hf_tcp {
	struct hf_worker worker;
	int epfd;                     /* owned */
	const struct hf_socks *socks; /* borrowed */
	struct hf_responder responder;
	struct hf_acl_box *acl; /* borrowed */
	struct hf_acl_view view;
	const struct hf_clock *clock; /* borrowed */
	struct hf_tcp_limits limits;
	struct conn_list conns; /* owned; the first made no progress for the longest time */
	size_t n_conns;
	int64_t resume_ms; /* when accepting goes on; 0: it does */
	struct hf_fault fault;
	int64_t well_ms; /* when the fault is over if nothing fails meanwhile; 0: there is none */
};

static bool is_listener(const struct hf_tcp *t, const void *ptr)
{
	const struct hf_sock *s = t->socks->at;

	return (const char *)ptr >= (const char *)s &&
	       (const char *)ptr < (const char *)(s + t->socks->n);
}

/* Listeners are in the same epoll set, told by where their pointer points. */
static int watch_listeners(struct hf_tcp *t, int op, uint32_t events)
{
	for (size_t i = 0; i < t->socks->n; i++) {
		struct hf_sock *s = &t->socks->at[i];
		struct epoll_event e = { .events = events, .data.ptr = s };

		if (s->stream && epoll_ctl(t->epfd, op, s->fd, &e) < 0)
			return -errno;
	}
	return 0;
}

static void tcp_drop(struct hf_tcp *t, struct hf_conn *c)
{
	TAILQ_REMOVE(&t->conns, c, link);
	t->n_conns--;
	hf_conn_free(c);
}

/* Has this connection closed later than all others. */
static void tcp_touch(struct hf_tcp *t, struct hf_conn *c)
{
	TAILQ_REMOVE(&t->conns, c, link);
	c->deadline_ms = hf_boot_ms(t->clock) + t->limits.idle_ms;
	TAILQ_INSERT_TAIL(&t->conns, c, link);
}

/* The connection of that client which has been silent longest, if it has all that it may have. */
static struct hf_conn *oldest_of_full_client(struct hf_tcp *t, const struct hf_conn *same)
{
	struct hf_conn *c, *oldest = NULL;
	size_t n = 0;

	TAILQ_FOREACH (c, &t->conns, link) {
		if (memcmp(c->client, same->client, sizeof(c->client)))
			continue;
		if (!n++)
			oldest = c;
	}
	return n >= t->limits.per_client ? oldest : NULL;
}

static void tcp_make_room(struct hf_tcp *t, const struct hf_conn *newcomer)
{
	struct hf_conn *c = oldest_of_full_client(t, newcomer);

	if (!c && t->n_conns >= t->limits.connections)
		c = TAILQ_FIRST(&t->conns);
	if (c)
		tcp_drop(t, c);
}

static void take_connection(struct hf_tcp *t, int fd, const struct sockaddr *from)
{
	struct epoll_event e = { .events = EPOLLIN };
	struct hf_conn *c = hf_acl_allows(&t->view, from) ? hf_conn_new(fd, from) : NULL;
	int on = 1;

	if (!c) {
		hf_counters_add(t->responder.own, HF_COUNT_REFUSED, 1);
		close(fd);
		return;
	}
	tcp_make_room(t, c);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	e.data.ptr = c;
	c->events = e.events;
	c->deadline_ms = hf_boot_ms(t->clock) + t->limits.idle_ms;
	if (epoll_ctl(t->epfd, EPOLL_CTL_ADD, fd, &e) < 0) {
		hf_conn_free(c);
		return;
	}
	TAILQ_INSERT_TAIL(&t->conns, c, link);
	t->n_conns++;
}

static void note_fault(struct hf_tcp *t, int error)
{
	hf_fault_set(&t->fault, t->clock, HF_LOG_WARN,
	    "cannot accept TCP connections: %s; the longest silent one is closed, trying again",
	    strerror(error));
	t->well_ms = hf_boot_ms(t->clock) + WELL_MS;
}

/*
 * Where descriptors are short there are as many connections as there are descriptors: the longest
 * silent one makes room, and whoever waits is let in at once.
 */
static bool tcp_free_descriptor(struct hf_tcp *t, int error)
{
	if ((error != EMFILE && error != ENFILE) || !t->n_conns)
		return false;
	note_fault(t, error);
	tcp_drop(t, TAILQ_FIRST(&t->conns));
	return true;
}

/* The listener stays readable, so it must not be looked at for a while. */
static void tcp_pause_accepting(struct hf_tcp *t, int error)
{
	note_fault(t, error);
	if (t->n_conns)
		tcp_drop(t, TAILQ_FIRST(&t->conns));
	watch_listeners(t, EPOLL_CTL_MOD, 0);
	t->resume_ms = hf_boot_ms(t->clock) + PAUSE_MS;
}

static void tcp_resume_accepting(struct hf_tcp *t)
{
	t->resume_ms = 0;
	watch_listeners(t, EPOLL_CTL_MOD, EPOLLIN);
}

static bool accept_error_passes(int error)
{
	/* What accept(2) tells of a connection that is gone already. */
	return error == EINTR || error == ECONNABORTED || error == EPROTO || error == ENETDOWN ||
	       error == EHOSTUNREACH || error == ENETUNREACH || error == ENOPROTOOPT ||
	       error == EHOSTDOWN || error == ENONET || error == EOPNOTSUPP;
}

static void accept_some(struct hf_tcp *t, int listener)
{
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		union {
			struct sockaddr sa;
			struct sockaddr_in6 in6;
		} from = { 0 };
		socklen_t len = sizeof(from);
		int fd = accept4(listener, &from.sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			take_connection(t, fd, &from.sa);
		} else if (errno == EAGAIN) {
			return;
		} else if (!accept_error_passes(errno) && !tcp_free_descriptor(t, errno)) {
			tcp_pause_accepting(t, errno);
			return;
		}
	}
}

static void tcp_serve(struct hf_tcp *t, struct hf_conn *c)
{
	struct epoll_event e = { .data.ptr = c };

	switch (hf_conn_work(c, &t->responder)) {
	case HF_CONN_CLOSE:
		tcp_drop(t, c);
		return;
	case HF_CONN_PROGRESS:
		tcp_touch(t, c);
		break;
	case HF_CONN_WAITS:
		break;
	}
	e.events = hf_conn_wants(c);
	if (e.events == c->events)
		return;
	c->events = e.events;
	if (epoll_ctl(t->epfd, EPOLL_CTL_MOD, c->fd, &e) < 0)
		tcp_drop(t, c);
}

/* The earlier of the two; 0 is no time. */
static int64_t tcp_sooner(int64_t a, int64_t b)
{
	return b && b < a ? b : a;
}

/* Closes what is overdue. Returns how long to wait for events at most. */
static int keep_time(struct hf_tcp *t)
{
	int64_t now = hf_boot_ms(t->clock), until = now + HOUSEKEEPING_MS;
	struct hf_conn *c;

	while ((c = TAILQ_FIRST(&t->conns)) && c->deadline_ms <= now)
		tcp_drop(t, c);
	if (t->resume_ms && t->resume_ms <= now)
		tcp_resume_accepting(t);
	if (t->well_ms && t->well_ms <= now) {
		hf_fault_clear(&t->fault, t->clock, "accepting TCP connections");
		t->well_ms = 0;
	}
	until = tcp_sooner(until, c ? c->deadline_ms : 0);
	until = tcp_sooner(until, t->resume_ms);
	return (int)(tcp_sooner(until, t->well_ms) - now);
}

/*
 * Connections first: accepting may close one of them to make room, and its event, further on in
 * the same list, would then point to nothing.
 */
static void tcp_handle_events(struct hf_tcp *t, struct epoll_event *events, int n)
{
	hf_acl_view_refresh(&t->view, t->acl);
	hf_zone_reader_refresh(t->responder.reader);
	for (int i = 0; i < n; i++)
		if (!is_listener(t, events[i].data.ptr))
			tcp_serve(t, events[i].data.ptr);
	for (int i = 0; i < n; i++)
		if (is_listener(t, events[i].data.ptr))
			accept_some(t, ((struct hf_sock *)events[i].data.ptr)->fd);
	hf_zone_reader_rest(t->responder.reader);
}

static void tcp_run(struct hf_worker *w, void *arg)
{
	struct hf_tcp *t = arg;
	struct epoll_event events[EVENTS];

	while (!hf_worker_stopped(w)) {
		int n = epoll_wait(t->epfd, events, EVENTS, keep_time(t));

		tcp_handle_events(t, events, n < 0 ? 0 : n);
	}
}

int hf_tcp_start(const struct hf_socks *socks, const struct hf_responder *responder,
    struct hf_acl_box *acl, const struct hf_clock *clock, const struct hf_tcp_limits *limits,
    struct hf_tcp **ret_tcp)
{
	struct hf_tcp *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return -ENOMEM;
	TAILQ_INIT(&t->conns);
	t->socks = socks;
	t->responder = *responder;
	t->acl = acl;
	t->clock = clock;
	t->limits = *limits;
	t->epfd = epoll_create1(EPOLL_CLOEXEC);
	rc = t->epfd < 0 ? -errno : watch_listeners(t, EPOLL_CTL_ADD, EPOLLIN);
	if (!rc)
		rc = hf_worker_start(&t->worker, tcp_run, t);
	if (rc) {
		if (t->epfd >= 0)
			close(t->epfd);
		free(t);
		return rc;
	}
	*ret_tcp = t;
	return 0;
}

void hf_tcp_free(struct hf_tcp *t)
{
	struct hf_conn *c;

	if (!t)
		return;
	hf_worker_join(&t->worker);
	while ((c = TAILQ_FIRST(&t->conns)))
		tcp_drop(t, c);
	hf_acl_view_done(&t->view);
	close(t->epfd);
	free(t);
}
