/* SPDX-License-Identifier: Apache-2.0 */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/error.h"
#include "base/file.h"
#include "base/timing.h"

/* What is read at once, and how long a killed program is waited for when we have to. */
enum { CHUNK = 4096, REAP_MS = 50, ENV_KEPT = 4, ENV_VALUE_MAX = 512 };

/* One end of a pipe of ours. */
struct end {
	int fd; /* -1: closed */
	struct event *event;
};

struct hf_child {
	pid_t pid; /* 0: reaped */
	int pid_fd;
	struct event *over; /* the program has ended */
	struct event *limit;
	struct end in, out, err;
	const char *input; /* borrowed */
	size_t input_left;
	char *output; /* owned, output_max + 1 */
	size_t output_len, output_max;
	bool output_clipped;
	char errors[HF_CHILD_ERRORS_MAX + 1];
	size_t errors_len;
	int killed; /* why we ended it, as a code; 0: we did not */
	int status;
	hf_child_cb cb;
	void *arg;
};

static void end_close(struct end *e)
{
	if (e->event)
		event_free(e->event);
	e->event = NULL;
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
}

/* With all that it started. Its end is told by the loop, as any other is. */
static void put_down(struct hf_child *c, int code)
{
	if (!c->pid || c->killed)
		return;
	c->killed = code;
	kill(-c->pid, SIGKILL);
}

/* Reads what there is: false when there will be no more. What does not fit is thrown away. */
static bool child_read(
    struct hf_child *c, int fd, char *text, size_t *len, size_t max, bool *ret_more)
{
	char rest[CHUNK];
	size_t room = max - *len;
	ssize_t n = room ? read(fd, text + *len, room) : read(fd, rest, sizeof(rest));

	*ret_more = n > 0;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	if (room)
		*len += (size_t)n;
	else if (text == c->output && !c->output_clipped)
		put_down(c, HF_ELIMIT);
	return true;
}

static bool read_output(struct hf_child *c, bool *ret_more)
{
	return child_read(c, c->out.fd, c->output, &c->output_len, c->output_max, ret_more);
}

static bool read_errors(struct hf_child *c, bool *ret_more)
{
	return child_read(c, c->err.fd, c->errors, &c->errors_len, HF_CHILD_ERRORS_MAX, ret_more);
}

static void on_child_output(evutil_socket_t fd, short what, void *arg)
{
	struct hf_child *c = arg;
	bool more;

	if (!read_output(c, &more))
		end_close(&c->out);
}

static void on_child_errors(evutil_socket_t fd, short what, void *arg)
{
	struct hf_child *c = arg;
	bool more;

	if (!read_errors(c, &more))
		end_close(&c->err);
}

/* A program that does not want all of its input is no trouble. */
static void on_child_input(evutil_socket_t fd, short what, void *arg)
{
	struct hf_child *c = arg;
	ssize_t n = write(fd, c->input, c->input_left);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		c->input += n;
		c->input_left -= (size_t)n;
	}
	if (n < 0 || !c->input_left)
		end_close(&c->in);
}

static void on_child_limit(evutil_socket_t fd, short what, void *arg)
{
	put_down(arg, -ETIMEDOUT);
}

/*
 * What it wrote before its end is there; whoever it left behind with its output is not waited for.
 */
static void read_rest(struct hf_child *c)
{
	bool more = c->out.fd >= 0;

	/* Beyond the limit nothing is kept, and somebody might write for ever. */
	while (more && c->output_len < c->output_max && read_output(c, &more))
		;
	if (more && c->out.fd >= 0 && !c->output_clipped && !c->killed && read_output(c, &more) &&
	    more)
		c->killed = HF_ELIMIT;
	more = c->err.fd >= 0;
	while (more && c->errors_len < HF_CHILD_ERRORS_MAX && read_errors(c, &more))
		;
}

static void child_describe_end(const struct hf_child *c, struct hf_child_end *end)
{
	if (c->killed) {
		end->code = c->killed;
		snprintf(end->what, sizeof(end->what), "%s and was ended",
		    c->killed == HF_ELIMIT ? "printed too much" : "took too long");
	} else if (WIFSIGNALED(c->status)) {
		end->code = HF_EREFUSED;
		snprintf(
		    end->what, sizeof(end->what), "was ended by signal %d", WTERMSIG(c->status));
	} else if (WEXITSTATUS(c->status)) {
		end->code = HF_EREFUSED;
		snprintf(
		    end->what, sizeof(end->what), "ended with status %d", WEXITSTATUS(c->status));
	}
}

static void on_child_over(evutil_socket_t fd, short what, void *arg)
{
	struct hf_child *c = arg;
	struct hf_child_end end = { .output = c->output, .errors = c->errors };

	if (waitpid(c->pid, &c->status, WNOHANG) != c->pid)
		return;
	c->pid = 0;
	event_del(c->over);
	event_del(c->limit);
	read_rest(c);
	end_close(&c->in);
	end_close(&c->out);
	end_close(&c->err);
	c->output[c->output_len] = '\0';
	c->errors[c->errors_len] = '\0';
	end.output_len = c->output_len;
	child_describe_end(c, &end);
	c->cb(c->arg, &end);
}

/* --- the beginning --- */

/* What it gets to see of our environment: nothing that could be a secret of ours. */
static const char *const kept[ENV_KEPT] = { "PATH", "HOME", "LANG", "TZ" };

/* An environment in one piece of memory, owned by the caller; NULL when memory is out. */
static char **make_env(const char *const *more)
{
	size_t n = 0, used = 0;
	char **env, *text;

	while (more && more[n])
		n++;
	env = calloc(1, (n + ENV_KEPT + 1) * sizeof(*env) + ENV_KEPT * ENV_VALUE_MAX);
	if (!env)
		return NULL;
	text = (char *)(env + n + ENV_KEPT + 1);
	for (size_t i = 0; i < ENV_KEPT; i++) {
		char *at = text + i * ENV_VALUE_MAX;
		const char *value = getenv(kept[i]);

		if (value && snprintf(at, ENV_VALUE_MAX, "%s=%s", kept[i], value) < ENV_VALUE_MAX)
			env[used++] = at;
	}
	for (size_t i = 0; i < n; i++)
		env[used++] = (char *)(uintptr_t)more[i]; /* posix_spawn does not change them */
	return env;
}

/* err_fd -1: ours. Its descriptors are all it gets. */
static int child_spawn(struct hf_child *c, const struct hf_child_opts *o, const int fds[3])
{
	char **env = make_env(o->env);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	if (!env)
		return -ENOMEM;
	posix_spawn_file_actions_init(&files);
	if (fds[0] < 0)
		posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&files, fds[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, fds[1], STDOUT_FILENO);
	if (fds[2] >= 0)
		posix_spawn_file_actions_adddup2(&files, fds[2], STDERR_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&files, 3);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(
	    &attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	rc = posix_spawn(&c->pid, o->argv[0], &files, &attr, (char **)(uintptr_t)o->argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	free(env);
	if (rc)
		c->pid = 0;
	return -rc;
}

/* A pipe of which `ours` is one end, not blocking, and *ret_theirs the other. */
static int make_pipe(struct end *ours, int our_end, int *ret_theirs)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	ours->fd = ends[our_end];
	*ret_theirs = ends[1 - our_end];
	fcntl(ours->fd, F_SETFL, O_NONBLOCK);
	return 0;
}

static int listen_to(
    struct event_base *base, struct end *e, short what, event_callback_fn cb, struct hf_child *c)
{
	if (e->fd < 0)
		return 0;
	e->event = event_new(base, e->fd, what | EV_PERSIST, cb, c);
	return e->event && !event_add(e->event, NULL) ? 0 : -ENOMEM;
}

static int child_watch(struct hf_child *c, struct event_base *base, int64_t limit_ms)
{
	struct timeval tv = hf_time_of_ms(limit_ms);

	c->pid_fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (c->pid_fd < 0)
		return -errno;
	c->over = event_new(base, c->pid_fd, EV_READ | EV_PERSIST, on_child_over, c);
	c->limit = evtimer_new(base, on_child_limit, c);
	if (!c->over || !c->limit || event_add(c->over, NULL) || event_add(c->limit, &tv))
		return -ENOMEM;
	if (listen_to(base, &c->in, EV_WRITE, on_child_input, c) ||
	    listen_to(base, &c->out, EV_READ, on_child_output, c))
		return -ENOMEM;
	return listen_to(base, &c->err, EV_READ, on_child_errors, c);
}

static int child_begin(struct hf_child *c, struct event_base *base, const struct hf_child_opts *o)
{
	int theirs[3] = { -1, -1, -1 }, rc = 0;

	if (o->input_len)
		rc = make_pipe(&c->in, 1, &theirs[0]);
	if (!rc)
		rc = make_pipe(&c->out, 0, &theirs[1]);
	if (!rc && o->errors_kept)
		rc = make_pipe(&c->err, 0, &theirs[2]);
	if (!rc)
		rc = child_spawn(c, o, theirs);
	for (size_t i = 0; i < 3; i++)
		if (theirs[i] >= 0)
			close(theirs[i]);
	return rc ? rc : child_watch(c, base, o->limit_ms);
}

int hf_child_run(struct event_base *base, const struct hf_child_opts *opts, hf_child_cb cb,
    void *arg, struct hf_child **ret_child, char ret_why[static HF_CHILD_WHY_MAX])
{
	struct hf_child *c = calloc(1, sizeof(*c));
	int fd, rc = -ENOMEM;

	ret_why[0] = '\0';
	if (!c)
		goto fail;
	c->pid_fd = c->in.fd = c->out.fd = c->err.fd = -1;
	c->cb = cb;
	c->arg = arg;
	c->input = opts->input;
	c->input_left = opts->input_len;
	c->output_max = opts->output_max;
	c->output_clipped = opts->output_clipped;
	c->output = malloc(opts->output_max + 1);
	if (!c->output)
		goto fail;
	fd = hf_file_open_checked(
	    opts->argv[0], HF_FILE_OWN | HF_FILE_NO_OTHER_WRITE, ret_why, HF_CHILD_WHY_MAX);
	rc = fd < 0 ? fd : 0;
	if (fd >= 0)
		close(fd);
	if (!rc)
		rc = child_begin(c, base, opts);
	if (!rc) {
		*ret_child = c;
		return 0;
	}
fail:
	if (!ret_why[0])
		snprintf(ret_why, HF_CHILD_WHY_MAX, "%s", hf_strerror(rc));
	hf_child_free(c);
	return rc;
}

/* After SIGKILL it ends at once, unless the kernel itself waits for something: then so be it. */
static void child_reap(struct hf_child *c)
{
	struct pollfd p = { .fd = c->pid_fd, .events = POLLIN };

	kill(-c->pid, SIGKILL);
	if (c->pid_fd < 0 || poll(&p, 1, REAP_MS) == 1)
		waitpid(c->pid, NULL, c->pid_fd < 0 ? 0 : WNOHANG);
}

void hf_child_free(struct hf_child *c)
{
	if (!c)
		return;
	if (c->pid > 0)
		child_reap(c);
	end_close(&c->in);
	end_close(&c->out);
	end_close(&c->err);
	if (c->over)
		event_free(c->over);
	if (c->limit)
		event_free(c->limit);
	if (c->pid_fd >= 0)
		close(c->pid_fd);
	if (c->output)
		explicit_bzero(c->output, c->output_max);
	free(c->output);
	free(c);
}
