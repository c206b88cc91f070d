/* SPDX-License-Identifier: Apache-2.0 */
#include "examples/simulator/sim_console.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/timing.h"
#include "examples/simulator/sim_script.h"
#include "examples/simulator/sim_server.h"

enum { AGAIN_MS = 10, AWAIT_LIMIT_MS = 30000, LINE_MAX_BYTES = 4 << 20 };

struct sim_console {
	struct sim_server *server; /* borrowed; outlives it */
	char *name;                /* owned; of a file; else NULL */
	int reply_fd;
	struct evbuffer *in;  /* owned; lines that were not run yet */
	struct event *reader; /* owned; NULL where all has been read */
	struct event *timer;  /* owned */
	int fd;
	unsigned line; /* how many were run */
	char *again;   /* owned; the line that is waited for */
	uint32_t waited_ms;
	bool waiting;
	bool failed;
	void (*ended)(void *arg);
	void *arg;
};

static void console_tell(struct sim_console *c, int rc, const char *reply)
{
	char text[SIM_REPLY + 16];
	int n;

	c->failed |= rc < 0;
	if (c->name) {
		if (rc < 0)
			fprintf(stderr, "%s:%u: %s\n", c->name, c->line, reply);
		return;
	}
	n = snprintf(text, sizeof(text), "%s%s%s\n", rc ? "error" : "ok", *reply ? " " : "", reply);
	/* A reader that does not read is not waited for. */
	if (write(c->reply_fd, text, (size_t)n) != n)
		c->failed = true;
}

static void wait_ms(struct sim_console *c, uint32_t ms)
{
	const struct timeval tv = hf_time_of_ms(ms);

	c->waiting = true;
	evtimer_add(c->timer, &tv);
}

/* Runs it, or begins to wait for it. Takes `line`. */
static void run_line(struct sim_console *c, char *line)
{
	char reply[SIM_REPLY], *copy = strdup(line);
	uint32_t ms = 0;
	int rc = copy ? hf_sim_script_run(c->server, line, reply, &ms) : -ENOMEM;

	free(line);
	if (rc != SIM_AGAIN || (!ms && c->waited_ms > AWAIT_LIMIT_MS)) {
		free(copy);
		c->waited_ms = 0;
		console_tell(c, rc == SIM_AGAIN ? -ETIMEDOUT : rc, copy ? reply : "");
		return;
	}
	c->again = copy;
	if (ms) { /* when the time is over, it is done */
		free(c->again);
		c->again = NULL;
		wait_ms(c, ms);
	} else {
		c->waited_ms += AGAIN_MS;
		wait_ms(c, AGAIN_MS);
	}
}

static void run_lines(struct sim_console *c)
{
	while (!c->waiting) {
		char *line = evbuffer_readln(c->in, NULL, EVBUFFER_EOL_LF);

		if (!line)
			return;
		c->line++;
		if (line[strspn(line, " \t\r")] && line[strspn(line, " \t\r")] != '#')
			run_line(c, line);
		else
			free(line);
	}
}

static void on_console_timer(evutil_socket_t fd, short what, void *arg)
{
	struct sim_console *c = arg;
	char *again = c->again;

	(void)fd;
	(void)what;
	c->again = NULL;
	c->waiting = false;
	if (again)
		run_line(c, again);
	else
		console_tell(c, 0, "");
	run_lines(c);
}

/* Returns whether more may come. */
static bool console_read(struct sim_console *c)
{
	char bytes[65536];
	ssize_t n = read(c->fd, bytes, sizeof(bytes));

	if (n > 0 && evbuffer_get_length(c->in) < LINE_MAX_BYTES)
		return !evbuffer_add(c->in, bytes, (size_t)n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	evbuffer_add(c->in, "\n", 1);
	return false;
}

static void on_console_readable(evutil_socket_t fd, short what, void *arg)
{
	struct sim_console *c = arg;
	bool more = console_read(c);

	(void)fd;
	(void)what;
	if (!more)
		event_del(c->reader);
	run_lines(c);
	if (!more && c->ended)
		c->ended(c->arg);
}

static int console_make(
    struct sim_server *s, int fd, const char *name, struct sim_console **ret_console)
{
	struct sim_console *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->server = s;
	c->fd = fd;
	c->in = evbuffer_new();
	c->timer = evtimer_new(s->base, on_console_timer, c);
	c->name = name ? strdup(name) : NULL;
	if (!c->in || !c->timer || (name && !c->name)) {
		hf_sim_console_free(c);
		return -ENOMEM;
	}
	*ret_console = c;
	return 0;
}

/* What can be waited for; a file and /dev/null cannot. */
static bool console_is_stream(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(fd));
}

int hf_sim_console_open(struct sim_server *s, int fd, int reply_fd, void (*ended)(void *arg),
    void *arg, struct sim_console **ret_console)
{
	int rc = console_make(s, fd, NULL, ret_console);
	struct sim_console *c = rc ? NULL : *ret_console;

	if (!c)
		return rc;
	c->reply_fd = reply_fd;
	c->ended = ended;
	c->arg = arg;
	if (!console_is_stream(fd)) {
		while (console_read(c))
			continue;
		run_lines(c);
		return 0;
	}
	c->reader = event_new(s->base, fd, EV_READ | EV_PERSIST, on_console_readable, c);
	return c->reader && !event_add(c->reader, NULL) ? 0 : -ENOMEM;
}

int hf_sim_console_file(struct sim_server *s, const char *path, struct sim_console **ret_console)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0) {
		rc = -errno;
		fprintf(stderr, "%s: %s\n", path, strerror(-rc));
		return rc;
	}
	rc = console_make(s, fd, path, ret_console);
	while (!rc && console_read(*ret_console))
		continue;
	close(fd);
	if (!rc)
		run_lines(*ret_console);
	return rc ? rc : (*ret_console)->failed ? -EINVAL : 0;
}

void hf_sim_console_free(struct sim_console *c)
{
	if (!c)
		return;
	if (c->reader)
		event_free(c->reader);
	if (c->timer)
		event_free(c->timer);
	if (c->in)
		evbuffer_free(c->in);
	free(c->again);
	free(c->name);
	free(c);
}
