/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/unbound/ub_control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <event2/event.h>

#include "base/error.h"
#include "base/timing.h"

enum { READ_SIZE = 16 * 1024, READS_A_WAKE = 16 };

struct queued_command {
	struct queued_command *next;
	hf_ub_reply_cb cb;
	void *arg;  /* borrowed */
	size_t max; /* of a listing; 0: no listing */
	size_t len;
	char bytes[];
};

struct hf_ub_control {
	struct event_base *base; /* borrowed */
	const char *path;        /* borrowed */
	struct timeval timeout;
	struct queued_command *first; /* owned; the one under way */
	struct queued_command **last;
	int fd;              /* -1: nothing is under way */
	struct event *io;    /* owned; with fd */
	struct event *limit; /* owned */
	struct event *start; /* owned: the next command, from the loop */
	size_t sent;
	char *reply; /* owned */
	size_t reply_len, reply_cap;
	int64_t began_us;
};

static void hang_up(struct hf_ub_control *c)
{
	if (c->io)
		event_free(c->io);
	c->io = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	event_del(c->limit);
}

static struct queued_command *unlink_first(struct hf_ub_control *c)
{
	struct queued_command *first = c->first;

	c->first = first->next;
	if (!c->first)
		c->last = &c->first;
	return first;
}

static void tell_failed(struct queued_command *cmd, int code)
{
	const struct hf_ub_reply reply = { .code = code, .text = "" };

	cmd->cb(&reply, cmd->arg);
	free(cmd);
}

/* All that waited when it failed; what is sent from within the callbacks begins anew. */
static void fail_all(struct hf_ub_control *c, int code)
{
	struct queued_command *at = c->first;

	hang_up(c);
	c->first = NULL;
	c->last = &c->first;
	while (at) {
		struct queued_command *next = at->next;

		tell_failed(at, code);
		at = next;
	}
}

static void start_soon(struct hf_ub_control *c)
{
	if (c->first && c->fd < 0)
		event_active(c->start, EV_TIMEOUT, 0);
}

static void ub_control_end(struct hf_ub_control *c, int code)
{
	struct hf_ub_reply reply = { .code = code,
		.text = c->reply,
		.len = c->reply_len,
		.took_us = hf_time_now_us() - c->began_us };
	struct queued_command *cmd = unlink_first(c);

	hang_up(c);
	c->reply[c->reply_len] = '\0';
	cmd->cb(&reply, cmd->arg);
	free(cmd);
	start_soon(c);
}

/* --- one command --- */

static int ub_control_keep(struct hf_ub_control *c, const char *bytes, size_t n)
{
	size_t max = c->first->max ? c->first->max : HF_UB_CONTROL_REPLY_MAX;

	if (c->first->max && c->reply_len + n > max)
		return HF_ELIMIT;
	if (n > max - c->reply_len)
		n = max - c->reply_len;
	if (c->reply_len + n + 1 > c->reply_cap) {
		size_t cap = 2 * (c->reply_len + n + 1);
		char *reply = realloc(c->reply, cap);

		if (!reply)
			return -ENOMEM;
		c->reply = reply;
		c->reply_cap = cap;
	}
	memcpy(c->reply + c->reply_len, bytes, n);
	c->reply_len += n;
	return 0;
}

static void on_ub_control_readable(struct hf_ub_control *c)
{
	char bytes[READ_SIZE];

	for (int i = 0; i < READS_A_WAKE; i++) {
		ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
		int rc;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0 || (n == 0 && c->reply_len == 0)) {
			fail_all(c, n < 0 ? -errno : HF_ECLOSED);
			return;
		}
		rc = n ? ub_control_keep(c, bytes, (size_t)n) : 0;
		if (n == 0 || rc) {
			ub_control_end(c, rc);
			return;
		}
	}
}

/*
 * All at once, as a rule. Should the kernel take less, unbound waits for the rest, so it gets it.
 */
static int send_rest(struct hf_ub_control *c)
{
	const struct queued_command *cmd = c->first;

	while (c->sent < cmd->len) {
		ssize_t n = send(
		    c->fd, cmd->bytes + c->sent, cmd->len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			return errno == EAGAIN ? 1 : errno == EINTR ? 1 : -errno;
		c->sent += (size_t)n;
	}
	return 0;
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
	struct hf_ub_control *c = arg;

	if (what & EV_READ) {
		on_ub_control_readable(c);
		return;
	}
	if (send_rest(c) < 0)
		fail_all(c, -errno);
	else if (c->sent < c->first->len)
		event_add(c->io, NULL);
	else if (event_del(c->io) ||
		 event_assign(c->io, c->base, fd, EV_READ | EV_PERSIST, on_io, c) ||
		 event_add(c->io, NULL))
		fail_all(c, -ENOMEM);
}

static void on_ub_control_limit(evutil_socket_t fd, short what, void *arg)
{
	fail_all(arg, -ETIMEDOUT);
}

/*
 * A Unix connection is there at once, or not. From then on unbound waits for the first bytes and
 * does nothing else: between connect() and send() nothing else is done.
 */
static int ub_control_dial(struct hf_ub_control *c)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (strlen(c->path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, c->path, strlen(c->path));
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return -errno;
	c->began_us = hf_time_now_us();
	if (connect(c->fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		return -errno;
	return send_rest(c);
}

static void on_start(evutil_socket_t fd, short what, void *arg)
{
	struct hf_ub_control *c = arg;
	short wait;
	int rc;

	if (c->fd >= 0 || !c->first)
		return;
	c->sent = 0;
	c->reply_len = 0;
	rc = ub_control_dial(c);
	if (rc < 0) {
		fail_all(c, rc);
		return;
	}
	wait = c->sent < c->first->len ? EV_WRITE : EV_READ | EV_PERSIST;
	c->io = event_new(c->base, c->fd, wait, on_io, c);
	if (!c->io || event_add(c->io, NULL) || event_add(c->limit, &c->timeout))
		fail_all(c, -ENOMEM);
}

/* --- from outside --- */

static int ub_control_enqueue(struct hf_ub_control *c, const char *bytes, size_t len, size_t max,
    hf_ub_reply_cb cb, void *arg)
{
	struct queued_command *cmd;

	if (len > HF_UB_CONTROL_COMMAND_MAX)
		return HF_ELIMIT;
	cmd = malloc(sizeof(*cmd) + len);
	if (!cmd)
		return -ENOMEM;
	*cmd = (struct queued_command){ .cb = cb, .arg = arg, .max = max, .len = len };
	memcpy(cmd->bytes, bytes, len);
	*c->last = cmd;
	c->last = &cmd->next;
	start_soon(c);
	return 0;
}

int hf_ub_control_send(
    struct hf_ub_control *c, const char *bytes, size_t len, hf_ub_reply_cb cb, void *arg)
{
	return ub_control_enqueue(c, bytes, len, 0, cb, arg);
}

int hf_ub_control_list(
    struct hf_ub_control *c, const char *command, size_t max, hf_ub_reply_cb cb, void *arg)
{
	return ub_control_enqueue(c, command, strlen(command), max, cb, arg);
}

int hf_ub_control_new(struct event_base *base, const char *path, int64_t timeout_ms,
    struct hf_ub_control **ret_control)
{
	struct hf_ub_control *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->base = base;
	c->path = path;
	c->timeout = hf_time_of_ms(timeout_ms);
	c->fd = -1;
	c->last = &c->first;
	c->reply_cap = READ_SIZE;
	c->reply = malloc(c->reply_cap);
	c->limit = evtimer_new(base, on_ub_control_limit, c);
	c->start = evtimer_new(base, on_start, c);
	if (!c->reply || !c->limit || !c->start) {
		hf_ub_control_free(c);
		return -ENOMEM;
	}
	*ret_control = c;
	return 0;
}

void hf_ub_control_free(struct hf_ub_control *c)
{
	if (!c)
		return;
	if (c->limit)
		hang_up(c);
	while (c->first)
		free(unlink_first(c));
	if (c->limit)
		event_free(c->limit);
	if (c->start)
		event_free(c->start);
	free(c->reply);
	free(c);
}
