/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/control/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/handover.h"
#include "base/log.h"
#include "base/timing.h"
#include "bridge/control/control_json.h"
#include "bridge/control/control_socket.h"
#include "bridge/engine/engine.h"
#include "bridge/control/listing.h"
#include "bridge/control/request_server.h"
#include "config/config.h"

enum {
	CLIENTS_MAX = 32,
	CLIENT_MS = 15000, /* all that a client has, from its first byte to our last */
	SHARE = 5,         /* those who may only look get one part in so many of the CPU */
	AGAIN_MS = 1000,   /* where it could not be listened */
	CREDIT_MS = 1000,  /* of which so much may be used beforehand */
};

/* What a client wants: it is done when its turn comes. */
struct asked {
	TAILQ_ENTRY(asked) link;
	struct hf_control *control;
	struct hf_request_server_client *client;
	struct hf_control_peer peer;
	struct hf_control_request request;
	bool waits;
};

TAILQ_HEAD(asked_list, asked);

struct hf_control {
	struct hf_control_env env;
	struct hf_control_groups groups;
	struct event_base *base;
	struct hf_request_server *server; /* owned; NULL: no socket */
	struct hf_listing_pool *listings; /* owned */
	struct event *soon;               /* owned: those who look may go on */
	struct asked_list waiting;        /* in the order in which they came */
	int64_t debt_ms; /* boottime up to which those who only look have used their share */
	char path[108];
	int64_t again_ms; /* boottime: not before is it tried again to listen */
	struct hf_fault fault;
};

/* --- answers --- */

static void answer_text(
    struct hf_request_server_client *cl, void (*say)(FILE *out, const char *text), const char *why)
{
	char line[400];
	FILE *out = fmemopen(line, sizeof(line), "w");
	long len = 0;

	if (out) {
		say(out, why);
		len = ftell(out);
		fclose(out);
	}
	hf_request_server_client_answer(cl, line, len > 0 ? (size_t)len : 0);
}

/* Says who may: whoever sees this has to ask for a group. */
static void control_deny(struct hf_control *c, struct hf_request_server_client *cl)
{
	const struct hf_config *config = c->env.config;
	const char *look = config->read_group, *order = config->control_group;
	char why[300];

	if (look && order)
		snprintf(why, sizeof(why),
		    "permission denied: the bridge answers root, its own user, and members of the groups '%.64s' and '%.64s'",
		    look, order);
	else if (look || order)
		snprintf(why, sizeof(why),
		    "permission denied: the bridge answers root, its own user, and members of the group '%.64s'",
		    look ? look : order);
	else
		snprintf(why, sizeof(why),
		    "permission denied: the bridge answers root and its own user alone; read-group in its configuration names a group that may look");
	answer_text(cl, hf_control_denied, why);
}

static void control_answer_client(struct asked *a)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		answer_text(a->client, hf_control_error, "out of memory");
		return;
	}
	hf_control_answer(&a->control->env, &a->request, out);
	if (fclose(out))
		size = 0;
	hf_request_server_client_answer(a->client, text, size);
	free(text);
}

static void control_list_client(struct asked *a)
{
	struct hf_control *c = a->control;
	int rc = hf_listing_start(c->listings, &c->env, &a->request,
	    hf_request_server_client_fd(a->client), a->peer.uid, a->peer.right == HF_RIGHT_ORDER);

	if (rc)
		answer_text(
		    a->client, hf_control_error, "no process can be made to write the listing");
	else
		hf_request_server_client_close(a->client);
}

/* --- turns --- */

static int64_t cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What those who may only look have cost. */
static void control_charge(struct hf_control *c, int64_t used_ms)
{
	int64_t now = hf_boot_ms(c->env.clock);

	if (c->debt_ms < now - CREDIT_MS)
		c->debt_ms = now - CREDIT_MS;
	c->debt_ms += used_ms * SHARE;
}

static bool is_trusted(const struct asked *a)
{
	return a->peer.right == HF_RIGHT_ORDER;
}

/*
 * What changes the model waits while that is lent to the store (guard rule 10), everything while a
 * large message is taken up, a listing for a place, and those who may only look for their share of
 * the CPU.
 */
static bool has_turn(const struct asked *a)
{
	const struct hf_control *c = a->control;

	/* Half a message is nothing to show. */
	if (hf_engine_updating(c->env.engine))
		return false;
	if (hf_control_request_orders(&a->request) && hf_engine_busy(c->env.engine))
		return false;
	if (!is_trusted(a) && c->debt_ms > hf_boot_ms(c->env.clock))
		return false;
	return !hf_control_request_lists(&a->request) ||
	       hf_listing_pool_room(c->listings, a->peer.uid, is_trusted(a));
}

/* Frees it: the client is answered. */
static void do_it(struct asked *a)
{
	struct hf_control *c = a->control;
	int64_t begun = cpu_ms();
	bool trusted = is_trusted(a);

	if (a->waits)
		TAILQ_REMOVE(&c->waiting, a, link);
	a->waits = false;
	if (hf_control_request_lists(&a->request))
		control_list_client(a);
	else
		control_answer_client(a);
	if (!trusted)
		control_charge(c, cpu_ms() - begun);
}

static void wait_for_turn(struct asked *a)
{
	struct hf_control *c = a->control;
	int64_t left = c->debt_ms - hf_boot_ms(c->env.clock);
	struct timeval tv = hf_time_of_ms(left);

	TAILQ_INSERT_TAIL(&c->waiting, a, link);
	a->waits = true;
	/* An order is not lost to a crowd; who looks may be sent away for another who does. */
	hf_request_server_client_hold(a->client, hf_control_request_orders(&a->request));
	if (left > 0)
		event_add(c->soon, &tv);
}

static void take_waiting(struct hf_control *c)
{
	struct asked *a, *next;

	for (a = TAILQ_FIRST(&c->waiting); a; a = next) {
		next = TAILQ_NEXT(a, link);
		if (has_turn(a))
			do_it(a);
	}
}

static void on_control_soon(evutil_socket_t fd, short what, void *arg)
{
	struct hf_control *c = arg;
	struct timeval tv = { .tv_usec = 100000 };

	(void)fd;
	(void)what;
	take_waiting(c);
	if (!TAILQ_EMPTY(&c->waiting))
		event_add(c->soon, &tv);
}

static void on_control_listed(void *arg, bool trusted, int64_t used_ms)
{
	struct hf_control *c = arg;

	if (!trusted)
		control_charge(c, used_ms);
	take_waiting(c);
}

/* --- clients --- */

static void on_came(void *arg, struct hf_request_server_client *cl)
{
	struct hf_control *c = arg;
	struct asked *a = calloc(1, sizeof(*a));

	if (!a) {
		answer_text(cl, hf_control_error, "out of memory");
		return;
	}
	a->control = c;
	a->client = cl;
	hf_request_server_client_set(cl, a);
	hf_control_peer(hf_request_server_client_fd(cl), &c->groups, &a->peer);
	if (a->peer.right == HF_RIGHT_NONE)
		control_deny(c, cl);
}

static void control_take_request(struct asked *a, const char *line, size_t len)
{
	const char *why;
	int rc = hf_control_request_parse(line, len, &a->request, &why);

	if (!rc && hf_control_request_orders(&a->request) && !is_trusted(a)) {
		why = "only root, the bridge's own user and control-group may do this";
		rc = HF_EREFUSED;
	}
	if (rc)
		answer_text(a->client, hf_control_error, why);
	else if (has_turn(a))
		do_it(a);
	else
		wait_for_turn(a);
}

static void on_control_read(void *arg, struct hf_request_server_client *cl, struct evbuffer *in)
{
	struct asked *a = hf_request_server_client_get(cl);
	size_t len;
	char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);

	(void)arg;
	if (line)
		control_take_request(a, line, len);
	else if (evbuffer_get_length(in) > HF_CONTROL_REQUEST_MAX)
		answer_text(cl, hf_control_error, "the request is too long");
	free(line);
}

static void on_control_late(void *arg, struct hf_request_server_client *cl)
{
	struct hf_control *c = arg;
	struct asked *a = hf_request_server_client_get(cl);

	TAILQ_REMOVE(&c->waiting, a, link);
	a->waits = false;
	answer_text(cl, hf_control_error,
	    hf_control_request_orders(&a->request)
		? "a large change is still being written; nothing was done; try again"
		: "busy with other listings and questions; try again");
}

static void on_control_gone(void *arg, struct hf_request_server_client *cl)
{
	struct hf_control *c = arg;
	struct asked *a = hf_request_server_client_get(cl);

	if (a && a->waits)
		TAILQ_REMOVE(&c->waiting, a, link);
	free(a);
}

/* --- life --- */

static int control_hear(struct hf_control *c, int fd)
{
	const struct hf_request_server_opts opts = { .name = "control",
		.clock = c->env.clock,
		.clients_max = CLIENTS_MAX,
		.span_ms = CLIENT_MS,
		.came = on_came,
		.read = on_control_read,
		.late = on_control_late,
		.gone = on_control_gone,
		.arg = c };
	int rc = hf_request_server_new(c->base, &opts, fd, &c->server);

	if (!rc)
		snprintf(c->path, sizeof(c->path), "%s", c->env.config->control);
	return rc;
}

/* -EADDRINUSE: another bridge has it. Else it is tried again. */
static int listen_now(struct hf_control *c)
{
	int rc = hf_control_listen(c->env.config);

	if (rc >= 0)
		rc = control_hear(c, rc);
	if (rc >= 0) {
		hf_fault_clear(&c->fault, c->env.clock, "control:");
		return 0;
	}
	hf_fault_set(&c->fault, c->env.clock, HF_LOG_ERROR,
	    rc == -EADDRINUSE
		? "control: another bridge answers on '%s' (%s)"
		: "control: '%s' cannot be listened on (%s); holdfastctl will not reach this bridge; it is tried again",
	    c->env.config->control, hf_strerror(rc));
	c->again_ms = hf_boot_ms(c->env.clock) + AGAIN_MS;
	return rc;
}

static int control_make(struct hf_control *c)
{
	struct hf_handover handover = { 0 };
	int rc;

	/* A program that a killed bridge had just begun has its socket for a moment. */
	do
		rc = listen_now(c);
	while (rc == -EADDRINUSE && hf_handover_wait(&handover));
	if (rc != -EADDRINUSE)
		rc = hf_listing_pool_new(c->base, on_control_listed, c, &c->listings);
	c->soon = evtimer_new(c->base, on_control_soon, c);
	return c->soon ? rc : -ENOMEM;
}

int hf_control_new(
    struct event_base *base, const struct hf_control_env *env, struct hf_control **ret_control)
{
	struct hf_control *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	c->env = *env;
	TAILQ_INIT(&c->waiting);
	hf_control_groups(env->config, &c->groups);
	c->base = base;
	rc = control_make(c);
	if (rc) {
		hf_control_free(c);
		return rc;
	}
	*ret_control = c;
	return 0;
}

static bool control_texts_differ(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : a != b;
}

void hf_control_configure(struct hf_control *c, const struct hf_config *config)
{
	const struct hf_config *before = c->env.config;
	bool groups = control_texts_differ(before->control_group, config->control_group) ||
		      control_texts_differ(before->read_group, config->read_group);
	int rc = 0;

	c->env.config = config;
	hf_control_groups(config, &c->groups);
	if (!c->server)
		listen_now(c);
	else if (groups)
		rc = hf_control_rights(c->path, config);
	if (rc < 0)
		hf_log_error(
		    "control: '%s' cannot be opened to its groups (%s); at the next start it is",
		    c->path, hf_strerror(rc));
}

void hf_control_poke(struct hf_control *c)
{
	if (!c->server && hf_boot_ms(c->env.clock) >= c->again_ms)
		listen_now(c);
	take_waiting(c);
}

void hf_control_free(struct hf_control *c)
{
	if (!c)
		return;
	if (c->server)
		unlink(c->path);
	hf_request_server_free(c->server);
	hf_listing_pool_free(c->listings);
	if (c->soon)
		event_free(c->soon);
	free(c);
}
