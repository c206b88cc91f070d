#include "bridge/stream/header_command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/error.h"
#include "base/file.h"

enum { OUTPUT_MAX = 16 << 10, LINES_MAX = 32 };

struct hf_header_command {
	char *program; /* owned: for messages */
	pid_t pid;     /* 0: over and reaped */
	int pid_fd;
	struct event *output; /* owned; it owns no descriptor */
	struct event *end;    /* owned: the program has ended */
	struct event *limit;  /* owned */
	int fd;               /* of its output; -1: closed */
	bool over;
	int status;
	char text[OUTPUT_MAX + 1];
	size_t len;
	hf_header_command_cb cb;
	void *arg;
};

int hf_header_lines(char *text, char **ret_lines, int max)
{
	int n = 0;

	for (char *save, *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		size_t len = strlen(line), name = strcspn(line, "=");

		if (len && line[len - 1] == '\r')
			line[--len] = '\0';
		if (!len)
			continue;
		if (!name || !line[name] || n == max)
			return -1;
		line[name] = ':';
		ret_lines[n++] = line;
	}
	return n;
}

static void tell_problem(struct hf_header_command *h, const char *what)
{
	hf_header_command_cb cb = h->cb;
	void *arg = h->arg;
	struct hf_problem p;

	hf_problem_set(&p, HF_PROBLEM_HEADERS, "header-command '%.150s' %s", h->program, what);
	hf_header_command_free(h);
	cb(arg, NULL, &p);
}

static void tell_lines(struct hf_header_command *h)
{
	char *lines[LINES_MAX];
	const char *borrowed[LINES_MAX];
	int n = hf_header_lines(h->text, lines, LINES_MAX);
	struct hf_texts texts = { .at = borrowed, .n = n > 0 ? (size_t)n : 0 };

	if (n < 0) {
		tell_problem(h, "printed a line that is not NAME=VALUE");
		return;
	}
	for (int i = 0; i < n; i++)
		borrowed[i] = lines[i];
	/* The lines live in h: it goes after they were taken. */
	h->cb(h->arg, &texts, NULL);
	hf_header_command_free(h);
}

/* It is done when it has ended and closed its output. */
static void check_done(struct hf_header_command *h)
{
	char what[64];

	if (h->fd >= 0 || !h->over)
		return;
	if (WIFEXITED(h->status) && !WEXITSTATUS(h->status)) {
		tell_lines(h);
		return;
	}
	if (WIFEXITED(h->status))
		snprintf(what, sizeof(what), "ended with status %d", WEXITSTATUS(h->status));
	else
		snprintf(what, sizeof(what), "was ended by signal %d", WTERMSIG(h->status));
	tell_problem(h, what);
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
	struct hf_header_command *h = arg;
	ssize_t n = read(fd, h->text + h->len, OUTPUT_MAX - h->len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		h->len += (size_t)n;
		if (h->len == OUTPUT_MAX)
			tell_problem(h, "printed too much");
		return;
	}
	event_del(h->output);
	close(h->fd);
	h->fd = -1;
	check_done(h);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
	struct hf_header_command *h = arg;

	if (waitpid(h->pid, &h->status, WNOHANG) != h->pid)
		return;
	h->pid = 0;
	h->over = true;
	event_del(h->end);
	check_done(h);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	tell_problem(arg, "took too long and was ended");
}

/* What it gets to see of our environment: nothing that could be a secret of ours. */
static void short_environment(char *out[static 8], char store[static 4][512])
{
	static const char *const names[] = { "PATH", "HOME", "LANG", "TZ" };
	size_t n = 0;

	for (size_t i = 0; i < 4; i++) {
		const char *value = getenv(names[i]);

		if (value && snprintf(store[i], 512, "%s=%s", names[i], value) < 512)
			out[n++] = store[i];
	}
	out[n] = NULL;
}

static int spawn(struct hf_header_command *h, const struct hf_texts *argv, int out_fd)
{
	char **args = calloc(argv->n + 1, sizeof(*args));
	char *env[8], store[4][512];
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	if (!args)
		return -ENOMEM;
	for (size_t i = 0; i < argv->n; i++)
		args[i] = (char *)(uintptr_t)argv->at[i]; /* posix_spawn does not change them */
	short_environment(env, store);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out_fd, STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&files, 3);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(
	    &attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	rc = posix_spawn(&h->pid, args[0], &files, &attr, args, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	free(args);
	if (rc)
		h->pid = 0;
	return -rc;
}

static int watch(struct hf_header_command *h, struct event_base *base, int64_t limit_ms)
{
	struct timeval tv = { .tv_sec = limit_ms / 1000, .tv_usec = limit_ms % 1000 * 1000 };

	h->pid_fd = (int)syscall(SYS_pidfd_open, h->pid, 0);
	if (h->pid_fd < 0)
		return -errno;
	h->output = event_new(base, h->fd, EV_READ | EV_PERSIST, on_output, h);
	h->end = event_new(base, h->pid_fd, EV_READ | EV_PERSIST, on_end, h);
	h->limit = evtimer_new(base, on_limit, h);
	if (!h->output || !h->end || !h->limit || event_add(h->output, NULL) ||
	    event_add(h->end, NULL) || event_add(h->limit, &tv))
		return -ENOMEM;
	return 0;
}

static int begin(struct hf_header_command *h, struct event_base *base, const struct hf_texts *argv,
    int64_t limit_ms)
{
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	h->fd = ends[0];
	fcntl(h->fd, F_SETFL, O_NONBLOCK);
	rc = spawn(h, argv, ends[1]);
	close(ends[1]);
	return rc ? rc : watch(h, base, limit_ms);
}

int hf_header_command_new(struct event_base *base, const struct hf_texts *argv, int64_t limit_ms,
    hf_header_command_cb cb, void *arg, struct hf_header_command **ret_command,
    struct hf_problem *ret_problem)
{
	struct hf_header_command *h = calloc(1, sizeof(*h));
	char why[200] = "";
	int fd, rc = -ENOMEM;

	if (!h)
		goto fail;
	h->fd = h->pid_fd = -1;
	h->cb = cb;
	h->arg = arg;
	h->program = strdup(argv->at[0]);
	if (!h->program)
		goto fail;
	fd = hf_file_open_checked(
	    h->program, HF_FILE_OWN | HF_FILE_NO_OTHER_WRITE, why, sizeof(why));
	rc = fd < 0 ? fd : 0;
	if (fd >= 0)
		close(fd);
	if (!rc)
		rc = begin(h, base, argv, limit_ms);
	if (!rc) {
		*ret_command = h;
		return 0;
	}
fail:
	hf_problem_set(ret_problem, HF_PROBLEM_HEADERS, "header-command '%.150s' cannot be run: %s",
	    argv->at[0], why[0] ? why : hf_strerror(rc));
	hf_header_command_free(h);
	return rc;
}

void hf_header_command_free(struct hf_header_command *h)
{
	if (!h)
		return;
	if (h->output)
		event_free(h->output);
	if (h->end)
		event_free(h->end);
	if (h->limit)
		event_free(h->limit);
	if (h->pid > 0) {
		/* With all that it started; after this signal it ends at once. */
		kill(-h->pid, SIGKILL);
		waitpid(h->pid, NULL, 0);
	}
	if (h->pid_fd >= 0)
		close(h->pid_fd);
	if (h->fd >= 0)
		close(h->fd);
	explicit_bzero(h->text, sizeof(h->text));
	free(h->program);
	free(h);
}
