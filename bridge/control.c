#include "bridge/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "bridge/control_socket.h"
#include "bridge/core.h"
#include "config/config.h"

enum {
	CLIENTS_MAX = 32,
	CLIENT_S = 15,  /* all that a client has, from its first byte to our last */
	PARTING_S = 1,  /* more, to read why its order was not done */
	LISTING_S = 60, /* the same for the process that writes a listing */
};

struct client {
	struct hf_control *control;
	struct client **at;      /* its place in the control's table */
	struct bufferevent *bev; /* owned */
	struct event *end;       /* owned: its time is over */
	enum hf_right right;
	bool answered;
	struct hf_request *order; /* owned: waits for its turn; NULL: none */
	uint64_t order_at;        /* which of those that wait it is */
};

struct hf_control {
	struct hf_control_env env;
	struct hf_control_groups groups;
	struct event_base *base;
	struct evconnlistener *listener; /* owned; NULL: no socket */
	char path[108];
	struct client *clients[CLIENTS_MAX];
	uint64_t orders; /* that had to wait, so far */
};

static void client_free(struct client *cl)
{
	*cl->at = NULL;
	if (cl->end)
		event_free(cl->end);
	if (cl->bev)
		bufferevent_free(cl->bev);
	free(cl->order);
	free(cl);
}

/*
 * A listing can be 100 MB: a process of its own writes it, out of its copy of what was true at this
 * moment, for as long as the client takes to read it. It is nobody's child, so that nobody has to
 * wait for it.
 */
static void list_and_exit(const struct hf_control_env *env, const struct hf_request *r, int fd)
{
	static const int own[] = { SIGALRM, SIGTERM, SIGINT, SIGHUP };
	FILE *out;

	if (fork() != 0)
		_exit(0);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		signal(own[i], SIG_DFL);
	alarm(LISTING_S);
	/* The bridge's locks and sockets are not to live on in here. */
	if (fd > 3)
		close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0U, 0);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	out = fdopen(fd, "w");
	if (out) {
		hf_control_answer(env, r, out);
		fflush(out);
	}
	_exit(0);
}

static int list(struct client *cl, const struct hf_request *r)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		list_and_exit(&cl->control->env, r, bufferevent_getfd(cl->bev));
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

/* Writes the answer, or why there is none (rc). Without memory for it the client is closed: true. */
static bool write_answer(struct client *cl, const struct hf_request *r, int rc, const char *why)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return true;
	if (rc)
		hf_control_error(out, why);
	else
		hf_control_answer(&cl->control->env, r, out);
	if (fclose(out) == 0)
		bufferevent_write(cl->bev, text, size);
	free(text);
	return false;
}

/* An order that changes the model waits while that is lent to the store (guard rule 10). */
static int wait_for_turn(struct client *cl, const struct hf_request *r)
{
	cl->order = malloc(sizeof(*cl->order));
	if (!cl->order)
		return -ENOMEM;
	*cl->order = *r;
	cl->order_at = ++cl->control->orders;
	return 0;
}

/* Answers, or hands over to who does. True: the client is done with. */
static bool answer(struct client *cl, const char *line, size_t len)
{
	struct hf_request r;
	const char *why;
	int rc = hf_request_parse(line, len, &r, &why);

	if (!rc && hf_request_orders(&r) && cl->right != HF_RIGHT_ORDER) {
		why = "only root, the bridge's own user and control-group may do this";
		rc = HF_EREFUSED;
	}
	if (!rc && hf_request_lists(&r)) {
		if (list(cl, &r) == 0)
			return true;
		why = "no process can be made to write the listing";
		rc = -EAGAIN;
	}
	if (!rc && hf_request_orders(&r) && hf_core_busy(cl->control->env.core)) {
		if (wait_for_turn(cl, &r) == 0)
			return false;
		why = "out of memory";
		rc = -ENOMEM;
	}
	return write_answer(cl, &r, rc, why);
}

static void refuse(
    struct client *cl, void (*say)(FILE *out, const char *text), const char *why)
{
	char line[400];
	FILE *out = fmemopen(line, sizeof(line), "w");
	long len = 0;

	if (out) {
		say(out, why);
		len = ftell(out);
		fclose(out);
	}
	cl->answered = true;
	bufferevent_disable(cl->bev, EV_READ);
	if (len > 0)
		bufferevent_write(cl->bev, line, (size_t)len);
}

/* Says who may: whoever sees this has to ask for a group. */
static void deny(struct client *cl)
{
	const struct hf_config *config = cl->control->env.config;
	const char *look = config->read_group, *order = config->control_group;
	char why[300];

	if (look && order)
		snprintf(why, sizeof(why), "permission denied: the bridge answers root, its own user, and members "
					   "of the groups '%.64s' and '%.64s'", look, order);
	else if (look || order)
		snprintf(why, sizeof(why), "permission denied: the bridge answers root, its own user, and members "
					   "of the group '%.64s'", look ? look : order);
	else
		snprintf(why, sizeof(why), "permission denied: the bridge answers root and its own user alone; "
					   "read-group in its configuration names a group that may look");
	refuse(cl, hf_control_denied, why);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct client *cl = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t len;
	char *line;

	if (cl->answered)
		return;
	line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
	if (!line) {
		if (evbuffer_get_length(in) > HF_REQUEST_MAX)
			refuse(cl, hf_control_error, "the request is too long");
		return;
	}
	cl->answered = true;
	bufferevent_disable(bev, EV_READ);
	if (answer(cl, line, len))
		client_free(cl);
	free(line);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct client *cl = arg;

	(void)bev;
	if (cl->answered)
		client_free(cl);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	client_free(arg);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval span = { .tv_sec = PARTING_S };
	struct client *cl = arg;

	(void)fd;
	(void)what;
	if (!cl->order || event_add(cl->end, &span)) {
		client_free(cl);
		return;
	}
	free(cl->order);
	cl->order = NULL;
	refuse(cl, hf_control_error,
	    "a large change is still being written; nothing was done; try again");
}

/* Takes over `fd`, also where it fails. */
static int client_new(struct hf_control *c, struct client **at, int fd)
{
	const struct timeval span = { .tv_sec = CLIENT_S };
	struct client *cl = calloc(1, sizeof(*cl));

	if (!cl) {
		close(fd);
		return -ENOMEM;
	}
	*at = cl;
	cl->control = c;
	cl->at = at;
	cl->right = hf_control_right(fd, &c->groups);
	cl->bev = bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!cl->bev)
		close(fd);
	cl->end = evtimer_new(c->base, on_end, cl);
	if (!cl->bev || !cl->end || event_add(cl->end, &span)) {
		client_free(cl);
		return -ENOMEM;
	}
	bufferevent_setcb(cl->bev, on_read, on_written, on_event, cl);
	bufferevent_setwatermark(cl->bev, EV_READ, 0, HF_REQUEST_MAX + 1);
	bufferevent_enable(cl->bev, EV_READ | EV_WRITE);
	if (cl->right == HF_RIGHT_NONE)
		deny(cl);
	return 0;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
    int len, void *arg)
{
	struct hf_control *c = arg;

	(void)listener;
	(void)from;
	(void)len;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (c->clients[i])
			continue;
		client_new(c, &c->clients[i], fd);
		return;
	}
	close(fd);
}

static void hear(struct hf_control *c, int fd)
{
	c->listener = evconnlistener_new(c->base, on_accept, c, LEV_OPT_CLOSE_ON_FREE, 0, fd);
	if (!c->listener)
		close(fd);
	else
		snprintf(c->path, sizeof(c->path), "%s", c->env.config->control);
}

int hf_control_new(
    struct event_base *base, const struct hf_control_env *env, struct hf_control **ret_control)
{
	int fd = hf_control_listen(env->config);
	struct hf_control *c;

	if (fd == -EADDRINUSE) {
		hf_log_error("control: another bridge answers on '%s'", env->config->control);
		return fd;
	}
	if (fd < 0)
		hf_log_error("control: '%s' cannot be listened on (%s); holdfastctl will not reach "
			     "this bridge",
		    env->config->control, hf_strerror(fd));
	c = calloc(1, sizeof(*c));
	if (!c) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	c->env = *env;
	hf_control_groups(env->config, &c->groups);
	c->base = base;
	if (fd >= 0)
		hear(c, fd);
	*ret_control = c;
	return 0;
}

void hf_control_configure(struct hf_control *c, const struct hf_config *config)
{
	c->env.config = config;
	hf_control_groups(config, &c->groups);
}

static struct client *first_in_turn(struct hf_control *c)
{
	struct client *first = NULL;

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *cl = c->clients[i];

		if (cl && cl->order && (!first || cl->order_at < first->order_at))
			first = cl;
	}
	return first;
}

void hf_control_poke(struct hf_control *c)
{
	struct client *cl;

	while (!hf_core_busy(c->env.core) && (cl = first_in_turn(c))) {
		struct hf_request *order = cl->order;

		cl->order = NULL;
		if (write_answer(cl, order, 0, NULL))
			client_free(cl);
		free(order);
	}
}

void hf_control_free(struct hf_control *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (c->clients[i])
			client_free(c->clients[i]);
	if (c->listener) {
		evconnlistener_free(c->listener);
		unlink(c->path);
	}
	free(c);
}
