/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dns_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/random.h>

#include <event2/event.h>

#include "adapters/dns_client_packet.h"
#include "adapters/dns_client_tcp.h"
#include "adapters/dns_pace.h"
#include "base/error.h"
#include "base/timing.h"
#include "config/config.h"

enum {
	WINDOW_MAX = 1000,
	READS_A_WAKE = 64,    /* then the loop has its turn */
	PACKET_MAX = 4096,    /* we ask for less; what is longer is no answer to us */
	TCP_TIMES = 5,        /* a try by TCP may take so many times that of one by UDP */
	BURST_US = 20 * 1000, /* what is not asked in one moment may be made up for in the next */
	/* a server that has answered nobody for so many tries' time is given up: three seconds */
	DEAF_TIMES = 15,
	LONGER_MAX = 5, /* a try's time is doubled so often at most */
};

struct client_question {
	struct client_question *next; /* in the queue */
	struct hf_name name;
	uint16_t type;
	hf_asked_cb cb;
	void *arg; /* borrowed */
};

/* A question that was sent; q is NULL where the place is free. */
struct flight {
	struct hf_dns_client *ask;
	struct client_question *q;     /* owned */
	struct hf_dns_client_tcp *tcp; /* owned; NULL while it is asked by UDP */
	uint16_t id;
	unsigned tries;
	unsigned in_vain; /* of them: what a server that answered others meanwhile did not answer */
	int64_t begun_us;
	int64_t sent_us;
	int64_t due_us; /* the end of this try */
	bool late;      /* it is over, and the next one waits for its turn */
	int code;       /* why there is no answer yet */
};

struct hf_dns_client {
	struct event_base *base; /* borrowed */
	struct hf_endpoint server;
	struct hf_dns_client_opts opts;
	int fd;
	struct event *readable;        /* owned; NULL while there is no socket */
	struct event *tick;            /* owned; armed while questions are in flight or wait */
	struct client_question *first; /* owned */
	struct client_question **last;
	struct flight *flights; /* opts.window of them */
	size_t n_flights;
	size_t n_late; /* of them */
	size_t n_waiting;
	int64_t ready_us; /* when the next question may be sent */
	int64_t heard_us; /* the last answer */
};

/* --- the socket --- */

static void on_dns_client_readable(evutil_socket_t fd, short what, void *arg);

static void close_socket(struct hf_dns_client *a)
{
	if (a->readable)
		event_free(a->readable);
	a->readable = NULL;
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

/* Connected: only that address reaches it, and a closed port is told at once. */
static int open_socket(struct hf_dns_client *a)
{
	int rc;

	if (a->fd >= 0)
		return 0;
	a->fd = socket(a->server.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0)
		return -errno;
	if (connect(a->fd, &a->server.sa, a->server.len) < 0) {
		rc = -errno;
		close_socket(a);
		return rc;
	}
	a->readable = event_new(a->base, a->fd, EV_READ | EV_PERSIST, on_dns_client_readable, a);
	if (!a->readable || event_add(a->readable, NULL)) {
		close_socket(a);
		return -ENOMEM;
	}
	return 0;
}

/* --- flights --- */

/* An id that nobody can guess, and that no other flight has. */
static uint16_t new_id(struct hf_dns_client *a)
{
	uint16_t id = 0;
	bool taken = true;

	while (taken) {
		if (getrandom(&id, sizeof(id), 0) != sizeof(id))
			id = (uint16_t)(id * 31 + hf_time_now_us());
		taken = false;
		for (size_t i = 0; i < a->opts.window && !taken; i++)
			taken = a->flights[i].q && a->flights[i].id == id;
	}
	return id;
}

static void not_late(struct flight *f)
{
	if (f->late)
		f->ask->n_late--;
	f->late = false;
}

static void flight_land(struct flight *f)
{
	not_late(f);
	hf_dns_client_tcp_free(f->tcp);
	free(f->q);
	memset(f, 0, sizeof(*f));
}

static void flight_finish(struct flight *f, const struct hf_asked *asked)
{
	struct hf_dns_client *a = f->ask;
	hf_asked_cb cb = f->q->cb;
	void *arg = f->q->arg;

	flight_land(f);
	a->n_flights--;
	a->n_waiting--;
	cb(asked, arg);
}

static void finish_failed(struct flight *f, int code)
{
	const struct hf_asked asked = { .code = code, .ede = -1 };

	flight_finish(f, &asked);
}

static int64_t patience_us(const struct flight *f)
{
	int64_t us = (int64_t)f->ask->opts.timeout_ms * 1000;

	return f->ask->opts.gentle ? us << (f->tries <= LONGER_MAX ? f->tries - 1 : LONGER_MAX)
				   : us;
}

static void send_try(struct flight *f)
{
	struct hf_dns_client *a = f->ask;
	uint8_t packet[HF_DNS_CLIENT_QUERY_MAX];
	size_t len;
	int rc;

	not_late(f);
	f->id = new_id(a);
	f->tries++;
	f->sent_us = hf_time_now_us();
	f->due_us = f->sent_us + patience_us(f);
	len = hf_dns_client_packet_query(
	    &f->q->name, f->q->type, f->id, !a->opts.no_recursion, packet);
	rc = open_socket(a);
	if (rc) {
		f->code = rc;
		return;
	}
	/* An error that waits is that of an earlier question. */
	for (int i = 0; i < 2; i++) {
		if (send(a->fd, packet, len, 0) == (ssize_t)len)
			return;
		f->code = -errno;
	}
}

static void on_tcp(int code, const uint8_t *packet, size_t len, void *arg)
{
	struct flight *f = arg;
	struct hf_asked asked;
	bool cut;

	if (!code && hf_dns_client_packet_id(packet, len) != f->id)
		code = HF_EPEER;
	if (!code)
		code =
		    hf_dns_client_packet_answer(packet, len, &f->q->name, f->q->type, &asked, &cut);
	if (code)
		finish_failed(f, code);
	else
		flight_finish(f, &asked);
}

static void ask_by_tcp(struct flight *f)
{
	struct hf_dns_client *a = f->ask;
	uint8_t packet[HF_DNS_CLIENT_QUERY_MAX];
	uint32_t limit_ms = a->opts.timeout_ms * TCP_TIMES;
	size_t len;

	not_late(f);
	f->id = new_id(a);
	f->due_us = INT64_MAX; /* it has a limit of its own */
	len = hf_dns_client_packet_query(
	    &f->q->name, f->q->type, f->id, !a->opts.no_recursion, packet);
	if (hf_dns_client_tcp_new(a->base, &a->server, packet, len, limit_ms, on_tcp, f, &f->tcp)) {
		f->due_us = 0;
		f->tries = f->in_vain = a->opts.tries;
		f->code = -ENOMEM;
	}
}

/* --- what comes and what does not --- */

static void note_heard(struct hf_dns_client *a)
{
	a->heard_us = hf_time_now_us();
	if (a->opts.pace)
		hf_dns_pace_heard(a->opts.pace, a->heard_us);
}

/*
 * What does not fit the question is left unread, the right answer may still come. A malformed
 * answer to the right question counts as this try's.
 */
static void dns_client_take_packet(struct hf_dns_client *a, const uint8_t *packet, size_t len)
{
	int id = hf_dns_client_packet_id(packet, len);
	struct flight *f = NULL;
	struct hf_asked asked;
	bool cut = false;
	int rc;

	for (size_t i = 0; i < a->opts.window && !f && id >= 0; i++)
		if (a->flights[i].q && !a->flights[i].tcp && a->flights[i].id == id)
			f = &a->flights[i];
	if (!f)
		return;
	rc = hf_dns_client_packet_answer(packet, len, &f->q->name, f->q->type, &asked, &cut);
	note_heard(a);
	if (rc)
		f->code = rc;
	else if (cut)
		ask_by_tcp(f);
	else
		flight_finish(f, &asked);
}

/* The kernel does not say which question it was. */
static void dns_client_take_error(struct hf_dns_client *a, int code)
{
	for (size_t i = 0; i < a->opts.window; i++)
		if (a->flights[i].q && !a->flights[i].tcp)
			a->flights[i].code = code;
}

static void dns_client_pump(struct hf_dns_client *a);

static void on_dns_client_readable(evutil_socket_t fd, short what, void *arg)
{
	struct hf_dns_client *a = arg;
	uint8_t packet[PACKET_MAX];

	for (int i = 0; i < READS_A_WAKE; i++) {
		ssize_t n = recv(fd, packet, sizeof(packet), 0);

		if (n >= 0)
			dns_client_take_packet(a, packet, (size_t)n);
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			break;
		else if (errno != EINTR)
			dns_client_take_error(a, -errno);
	}
	dns_client_pump(a);
}

/*
 * A server that is above its limit drops everything: what it did not answer then says nothing about
 * the question.
 */
static bool may_try_again(struct flight *f, int64_t now)
{
	const struct hf_dns_client *a = f->ask;
	int64_t heard_us = a->heard_us > f->begun_us ? a->heard_us : f->begun_us;

	if (!a->opts.gentle)
		return f->tries < a->opts.tries;
	f->in_vain += a->heard_us > f->sent_us;
	return f->in_vain < a->opts.tries &&
	       now - heard_us < (int64_t)a->opts.timeout_ms * 1000 * DEAF_TIMES;
}

/*
 * Where a server has a limit, the next try keeps to the pace as well: at once, they would only be
 * lost together again.
 */
static void flights_expire(struct hf_dns_client *a, int64_t now)
{
	for (size_t i = 0; i < a->opts.window; i++) {
		struct flight *f = &a->flights[i];

		if (!f->q || f->late || f->due_us > now)
			continue;
		if (a->opts.pace)
			hf_dns_pace_lost(a->opts.pace, f->sent_us, now);
		if (!may_try_again(f, now)) {
			finish_failed(f, f->code ? f->code : -ETIMEDOUT);
		} else if (a->opts.gentle) {
			f->late = true;
			a->n_late++;
		} else {
			send_try(f);
		}
	}
}

static void on_dns_client_tick(evutil_socket_t fd, short what, void *arg)
{
	struct hf_dns_client *a = arg;

	flights_expire(a, hf_time_now_us());
	dns_client_pump(a);
}

/* --- the queue --- */

static bool may_send(struct hf_dns_client *a, int64_t now)
{
	if (a->ready_us > now)
		return false;
	if (a->opts.pace && !hf_dns_pace_take(a->opts.pace, now)) {
		a->ready_us = a->opts.pace->ready_us;
		return false;
	}
	if (a->ready_us < now - BURST_US)
		a->ready_us = now - BURST_US;
	a->ready_us += 1000000 / a->opts.per_second;
	return true;
}

/* Of those that are late, the one whose try ended first. */
static struct flight *flight_latest(struct hf_dns_client *a)
{
	struct flight *ret = NULL;

	for (size_t i = 0; i < a->opts.window; i++) {
		struct flight *f = &a->flights[i];

		if (f->late && (!ret || f->due_us < ret->due_us))
			ret = f;
	}
	return ret;
}

static void start_next(struct hf_dns_client *a)
{
	struct flight *f = a->flights;
	struct client_question *q = a->first;

	while (f->q)
		f++;
	a->first = q->next;
	if (!a->first)
		a->last = &a->first;
	a->n_flights++;
	*f = (struct flight){ .ask = a, .q = q, .begun_us = hf_time_now_us() };
	send_try(f);
}

/* Tries end at most so late: a tenth of their time. The pace needs finer steps. */
static void dns_client_arm(struct hf_dns_client *a, int64_t now)
{
	int64_t us = (int64_t)a->opts.timeout_ms * 100;
	struct timeval tv;

	if ((a->n_late || (a->first && a->n_flights < a->opts.window)) && a->ready_us - now < us)
		us = a->ready_us - now;
	if (us < 500)
		us = 500;
	tv = hf_time_of_us(us);
	event_add(a->tick, &tv);
}

static void dns_client_pump(struct hf_dns_client *a)
{
	int64_t now = hf_time_now_us();

	/* Nothing new before what was asked already. */
	while (a->n_late && may_send(a, now))
		send_try(flight_latest(a));
	while (!a->n_late && a->first && a->n_flights < a->opts.window && may_send(a, now))
		start_next(a);
	if (a->n_waiting)
		dns_client_arm(a, now);
	else
		event_del(a->tick);
}

int hf_dns_client_new(
    struct event_base *base, const struct hf_dns_client_opts *opts, struct hf_dns_client **ret_ask)
{
	struct hf_dns_client *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->base = base;
	a->server = *opts->server;
	a->opts = *opts;
	a->opts.server = NULL;
	a->opts.timeout_ms = opts->timeout_ms ? opts->timeout_ms : 200;
	a->opts.tries = opts->tries ? opts->tries : 3;
	a->opts.window = opts->window ? opts->window : 100;
	if (a->opts.window > WINDOW_MAX)
		a->opts.window = WINDOW_MAX;
	a->opts.per_second = opts->per_second ? opts->per_second : 500;
	a->fd = -1;
	a->last = &a->first;
	a->flights = calloc(a->opts.window, sizeof(*a->flights));
	a->tick = evtimer_new(base, on_dns_client_tick, a);
	if (!a->flights || !a->tick) {
		hf_dns_client_free(a);
		return -ENOMEM;
	}
	*ret_ask = a;
	return 0;
}

void hf_dns_client_free(struct hf_dns_client *a)
{
	if (!a)
		return;
	close_socket(a);
	if (a->tick)
		event_free(a->tick);
	for (size_t i = 0; a->flights && i < a->opts.window; i++)
		flight_land(&a->flights[i]);
	while (a->first) {
		struct client_question *q = a->first;

		a->first = q->next;
		free(q);
	}
	free(a->flights);
	free(a);
}

int hf_dns_client_send(
    struct hf_dns_client *a, const struct hf_name *name, uint16_t type, hf_asked_cb cb, void *arg)
{
	struct client_question *q = malloc(sizeof(*q));

	if (!q)
		return -ENOMEM;
	*q = (struct client_question){ .name = *name, .type = type, .cb = cb, .arg = arg };
	*a->last = q;
	a->last = &q->next;
	a->n_waiting++;
	dns_client_pump(a);
	return 0;
}

size_t hf_dns_client_waiting(const struct hf_dns_client *a)
{
	return a->n_waiting;
}
