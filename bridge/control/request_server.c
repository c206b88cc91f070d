/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/control/request_server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timing.h"

enum {
	ACCEPT_AT_ONCE = 16,
	ACCEPT_SPAN_MS = 50, /* in so long no more than the next are accepted */
	ACCEPT_SPAN_MAX = 64,
	PAUSE_MS = 200,    /* without a descriptor */
	FULL_MS = 20,      /* without a place */
	QUIET_MS = 10000,  /* without trouble for so long, it is over */
	PARTING_MS = 1000, /* to take an answer that says that its time is over */
};

struct hf_request_server_client {
	TAILQ_ENTRY(hf_request_server_client) link;
	struct hf_request_server *server;
	struct bufferevent *bev; /* owned */
	struct event *end;       /* owned: its time is over */
	int fd;                  /* owned */
	uid_t uid;
	bool answered;
	bool held;  /* waits for us */
	bool firm;  /* ... and is not closed for another */
	bool eager; /* its request was there with it and is not read yet: likewise */
	void *data;
};

TAILQ_HEAD(client_list, hf_request_server_client);

struct hf_request_server {
	LIST_ENTRY(hf_request_server) link;
	struct hf_request_server_opts opts;
	struct event_base *base;
	struct event *readable; /* owned, and its descriptor: somebody waits to be accepted */
	struct event *resume;   /* owned: accepting goes on */
	int fd;
	int spare;                  /* a descriptor in reserve; -1: it is in use */
	struct client_list clients; /* the first was silent for the longest time */
	unsigned n_clients;
	int64_t span_at; /* boottime: accepted since then */
	unsigned span_n;
	int64_t trouble_at;
	struct hf_fault fault;
};

/* All of the process, on its one loop: descriptors are common to them. */
static LIST_HEAD(server_list, hf_request_server) servers = LIST_HEAD_INITIALIZER(servers);

static int64_t request_now_ms(const struct hf_request_server *s)
{
	return hf_boot_ms(s->opts.clock);
}

static int request_timer_arm(struct event *timer, int64_t ms)
{
	const struct timeval tv = hf_time_of_ms(ms);

	return event_add(timer, &tv);
}

static void keep_spare(struct hf_request_server *s)
{
	if (s->spare < 0)
		s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* --- clients --- */

static void request_touch(struct hf_request_server_client *cl)
{
	TAILQ_REMOVE(&cl->server->clients, cl, link);
	TAILQ_INSERT_TAIL(&cl->server->clients, cl, link);
}

/* Some of the answer was taken. */
static void on_request_output(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg)
{
	(void)out;
	if (info->n_deleted)
		request_touch(arg);
}

void hf_request_server_client_close(struct hf_request_server_client *cl)
{
	struct hf_request_server *s = cl->server;

	if (s->opts.gone)
		s->opts.gone(s->opts.arg, cl);
	TAILQ_REMOVE(&s->clients, cl, link);
	s->n_clients--;
	if (cl->end)
		event_free(cl->end);
	if (cl->bev) {
		evbuffer_remove_cb(bufferevent_get_output(cl->bev), on_request_output, cl);
		/* libevent would close it later; whoever makes room needs it now. */
		bufferevent_disable(cl->bev, EV_READ | EV_WRITE);
		bufferevent_setfd(cl->bev, -1);
		bufferevent_free(cl->bev);
	}
	close(cl->fd);
	free(cl);
	keep_spare(s);
}

/* Whether it may be closed for another. */
static bool is_silent(const struct hf_request_server_client *cl)
{
	return !cl->firm && !cl->eager;
}

static unsigned count_of(const struct hf_request_server *s, uid_t uid)
{
	const struct hf_request_server_client *cl;
	unsigned n = 0;

	TAILQ_FOREACH (cl, &s->clients, link)
		n += cl->uid == uid && is_silent(cl);
	return n;
}

/* The longest silent one of the user who has most; NULL: all wait for us. */
static struct hf_request_server_client *find_silent(const struct hf_request_server *s)
{
	struct hf_request_server_client *cl, *found = NULL;
	unsigned most = 0;

	TAILQ_FOREACH (cl, &s->clients, link) {
		unsigned n = is_silent(cl) ? count_of(s, cl->uid) : 0;

		if (n <= most)
			continue;
		most = n;
		found = cl;
	}
	return found;
}

static bool request_make_room(struct hf_request_server *s)
{
	struct hf_request_server_client *silent = find_silent(s);

	if (silent)
		hf_request_server_client_close(silent);
	return silent;
}

static void on_request_read(struct bufferevent *bev, void *arg)
{
	struct hf_request_server_client *cl = arg;

	cl->eager = false;
	request_touch(cl);
	if (!cl->answered && !cl->held)
		cl->server->opts.read(cl->server->opts.arg, cl, bufferevent_get_input(bev));
}

static void on_request_written(struct bufferevent *bev, void *arg)
{
	struct hf_request_server_client *cl = arg;

	(void)bev;
	if (cl->answered)
		hf_request_server_client_close(cl);
}

static void on_request_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	hf_request_server_client_close(arg);
}

static void on_request_end(evutil_socket_t fd, short what, void *arg)
{
	struct hf_request_server_client *cl = arg;
	struct hf_request_server *s = cl->server;

	(void)fd;
	(void)what;
	if (cl->held && s->opts.late && request_timer_arm(cl->end, PARTING_MS) == 0)
		s->opts.late(s->opts.arg, cl);
	else
		hf_request_server_client_close(cl);
}

/* Takes over `fd`. */
static void client_new(struct hf_request_server *s, int fd)
{
	struct hf_request_server_client *cl = calloc(1, sizeof(*cl));
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(cred);
	char first;

	if (!cl) {
		close(fd);
		return;
	}
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	cl->server = s;
	cl->fd = fd;
	cl->uid = cred.uid;
	cl->eager = recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
	TAILQ_INSERT_TAIL(&s->clients, cl, link);
	s->n_clients++;
	cl->bev = bufferevent_socket_new(s->base, fd, 0);
	cl->end = evtimer_new(s->base, on_request_end, cl);
	if (!cl->bev || !cl->end || request_timer_arm(cl->end, s->opts.span_ms) ||
	    !evbuffer_add_cb(bufferevent_get_output(cl->bev), on_request_output, cl)) {
		hf_request_server_client_close(cl);
		return;
	}
	bufferevent_setcb(cl->bev, on_request_read, on_request_written, on_request_event, cl);
	bufferevent_enable(cl->bev, EV_READ | EV_WRITE);
	if (s->opts.came)
		s->opts.came(s->opts.arg, cl);
}

void hf_request_server_client_answer(
    struct hf_request_server_client *cl, const void *bytes, size_t len)
{
	cl->answered = true;
	cl->held = cl->firm = false;
	bufferevent_disable(cl->bev, EV_READ);
	/* Nothing to write, or no memory for it: nobody would say that it is written. */
	if (!len || bufferevent_write(cl->bev, bytes, len))
		request_timer_arm(cl->end, 0);
}

void hf_request_server_client_hold(struct hf_request_server_client *cl, bool firm)
{
	cl->held = true;
	cl->firm = firm;
	bufferevent_disable(cl->bev, EV_READ);
}

int hf_request_server_client_fd(const struct hf_request_server_client *cl)
{
	return cl->fd;
}

void hf_request_server_client_set(struct hf_request_server_client *cl, void *data)
{
	cl->data = data;
}

void *hf_request_server_client_get(const struct hf_request_server_client *cl)
{
	return cl->data;
}

/* --- the listener --- */

static void request_pause_accepting(struct hf_request_server *s, int64_t ms)
{
	/* If that cannot be armed it stays readable, and goes on at once. */
	if (request_timer_arm(s->resume, ms) == 0)
		event_del(s->readable);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct hf_request_server *s = arg;

	(void)fd;
	(void)what;
	event_add(s->readable, NULL);
}

/* What accept(2) says of a connection that is gone already, or nobody's fault. */
static bool accept_is_passing(int error)
{
	return error == EINTR || error == ECONNABORTED || error == EPROTO || error == ENETDOWN ||
	       error == EHOSTUNREACH || error == ENETUNREACH || error == ENOPROTOOPT ||
	       error == EHOSTDOWN || error == ENONET || error == EOPNOTSUPP || error == EPERM;
}

/*
 * True: there is one again, of a silent client or the reserve. Else the listener stays readable, so
 * it must not be looked at for a while.
 */
static bool without_descriptor(struct hf_request_server *s, int error)
{
	struct hf_request_server *other;

	s->trouble_at = request_now_ms(s);
	hf_fault_set(&s->fault, s->opts.clock, HF_LOG_WARN,
	    "%s: cannot accept connections (%s): the longest silent one is closed, tried again each %d ms",
	    s->opts.name, strerror(error), PAUSE_MS);
	if (request_make_room(s))
		return true;
	if (s->spare >= 0) {
		close(s->spare);
		s->spare = -1;
		return true;
	}
	/* A crowd at one door keeps nobody away from another. */
	LIST_FOREACH (other, &servers, link)
		if (request_make_room(other))
			break;
	request_pause_accepting(s, other ? 0 : PAUSE_MS);
	return false;
}

/* Whether one more may be accepted now; if not, it goes on when it may. */
static bool in_measure(struct hf_request_server *s)
{
	int64_t now = request_now_ms(s);

	if (s->n_clients >= s->opts.clients_max && !find_silent(s)) {
		request_pause_accepting(s, FULL_MS);
		return false;
	}
	if (now - s->span_at >= ACCEPT_SPAN_MS || now < s->span_at) {
		s->span_at = now;
		s->span_n = 0;
	}
	if (s->span_n++ < ACCEPT_SPAN_MAX)
		return true;
	request_pause_accepting(s, s->span_at + ACCEPT_SPAN_MS - now);
	return false;
}

static void request_take_in(struct hf_request_server *s, int fd)
{
	if (s->fault.text[0] && request_now_ms(s) - s->trouble_at >= QUIET_MS)
		hf_fault_clear(&s->fault, s->opts.clock, s->opts.name);
	if (s->n_clients >= s->opts.clients_max)
		request_make_room(s);
	client_new(s, fd);
}

static void on_request_readable(evutil_socket_t listener, short what, void *arg)
{
	struct hf_request_server *s = arg;

	(void)what;
	for (int i = 0; i < ACCEPT_AT_ONCE && in_measure(s); i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			request_take_in(s, fd);
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		else if (!accept_is_passing(errno) && !without_descriptor(s, errno))
			return;
	}
}

int hf_request_server_new(struct event_base *base, const struct hf_request_server_opts *opts,
    int fd, struct hf_request_server **ret_server)
{
	struct hf_request_server *s = calloc(1, sizeof(*s));

	if (!s) {
		close(fd);
		return -ENOMEM;
	}
	s->opts = *opts;
	s->base = base;
	s->fd = fd;
	s->spare = -1;
	TAILQ_INIT(&s->clients);
	LIST_INSERT_HEAD(&servers, s, link);
	s->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_request_readable, s);
	s->resume = evtimer_new(base, on_resume, s);
	if (!s->readable || !s->resume || event_add(s->readable, NULL)) {
		hf_request_server_free(s);
		return -ENOMEM;
	}
	keep_spare(s);
	*ret_server = s;
	return 0;
}

void hf_request_server_free(struct hf_request_server *s)
{
	struct hf_request_server_client *cl;

	if (!s)
		return;
	while ((cl = TAILQ_FIRST(&s->clients)))
		hf_request_server_client_close(cl);
	if (s->readable)
		event_free(s->readable);
	if (s->resume)
		event_free(s->resume);
	if (s->spare >= 0)
		close(s->spare);
	close(s->fd);
	LIST_REMOVE(s, link);
	free(s);
}
