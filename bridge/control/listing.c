/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/control/listing.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LIMIT_S = 60, /* all that one has */
	CPU_S = 20,   /* and of CPU */
	STUCK_S = 30, /* without its client reading anything */
	LATE_S = 2,   /* after LIMIT_S, when it is killed from here */
	REAP_MS = 1000,
};

struct running_listing {
	struct hf_listing_pool *of;
	pid_t pid;  /* 0: this place is free */
	int pid_fd; /* owned */
	uid_t uid;
	bool trusted;
	struct event *over;  /* owned */
	struct event *limit; /* owned */
};

struct hf_listing_pool {
	struct event_base *base;
	hf_listing_cb ended;
	void *arg;
	struct running_listing at[HF_LISTING_MAX];
};

/* --- in the process --- */

static void limit_self(int fd)
{
	static const int own[] = { SIGALRM, SIGTERM, SIGINT, SIGHUP };
	const struct timeval stuck = { .tv_sec = STUCK_S };
	const struct rlimit cpu = { CPU_S, CPU_S };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		signal(own[i], SIG_DFL);
	alarm(LIMIT_S);
	setrlimit(RLIMIT_CPU, &cpu);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &stuck, sizeof(stuck));
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

static void list_and_exit(
    const struct hf_control_env *env, const struct hf_control_request *r, int fd, pid_t bridge)
{
	FILE *out;

	/* It ends with the bridge, also where that ended before this line. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != bridge)
		_exit(1);
	/* The bridge's locks and sockets are not to live on in here. */
	if (fd > 3)
		close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0U, 0);
	limit_self(fd);
	out = fdopen(fd, "w");
	if (out) {
		hf_control_answer(env, r, out);
		fflush(out);
	}
	_exit(0);
}

/* --- in the bridge --- */

/* The place is free again. Returns the CPU time that the process used, in ms. */
static int64_t listing_reap(struct running_listing *g)
{
	struct pollfd p = { .fd = g->pid_fd, .events = POLLIN };
	struct rusage used = { .ru_utime = { 0 } };

	/*
	 * After SIGKILL it ends at once, unless the kernel itself waits for something: then so be
	 * it.
	 */
	if (g->pid_fd < 0 || poll(&p, 1, REAP_MS) == 1)
		wait4(g->pid, NULL, g->pid_fd < 0 ? 0 : WNOHANG, &used);
	if (g->over)
		event_free(g->over);
	if (g->limit)
		event_free(g->limit);
	if (g->pid_fd >= 0)
		close(g->pid_fd);
	*g = (struct running_listing){ .of = g->of, .pid_fd = -1 };
	return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
	       (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

static void on_listing_over(evutil_socket_t fd, short what, void *arg)
{
	struct running_listing *g = arg;
	struct hf_listing_pool *l = g->of;
	bool trusted = g->trusted;
	int64_t cpu_ms = listing_reap(g);

	(void)fd;
	(void)what;
	l->ended(l->arg, trusted, cpu_ms);
}

/* Its end is seen as any other. */
static void on_listing_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	kill(((struct running_listing *)arg)->pid, SIGKILL);
}

static int listing_watch(struct running_listing *g)
{
	const struct timeval tv = { .tv_sec = LIMIT_S + LATE_S };

	g->pid_fd = (int)syscall(SYS_pidfd_open, g->pid, 0);
	if (g->pid_fd < 0)
		return -errno;
	g->over = event_new(g->of->base, g->pid_fd, EV_READ, on_listing_over, g);
	g->limit = evtimer_new(g->of->base, on_listing_limit, g);
	return g->over && g->limit && !event_add(g->over, NULL) && !event_add(g->limit, &tv)
		   ? 0
		   : -ENOMEM;
}

bool hf_listing_pool_room(const struct hf_listing_pool *l, uid_t uid, bool trusted)
{
	unsigned all = 0, same = 0;

	for (size_t i = 0; i < HF_LISTING_MAX; i++) {
		all += l->at[i].pid != 0;
		same += l->at[i].pid && l->at[i].uid == uid;
	}
	if (trusted)
		return all < HF_LISTING_MAX;
	return all < HF_LISTING_MAX - 1 && same < HF_LISTING_OF_USER_MAX;
}

int hf_listing_start(struct hf_listing_pool *l, const struct hf_control_env *env,
    const struct hf_control_request *request, int fd, uid_t uid, bool trusted)
{
	struct running_listing *g = l->at;
	pid_t bridge = getpid();
	int rc;

	if (!hf_listing_pool_room(l, uid, trusted))
		return -EBUSY;
	while (g->pid)
		g++;
	g->pid = fork();
	if (g->pid == 0)
		list_and_exit(env, request, fd, bridge);
	if (g->pid < 0) {
		g->pid = 0;
		return -errno;
	}
	g->uid = uid;
	g->trusted = trusted;
	rc = listing_watch(g);
	if (rc) {
		kill(g->pid, SIGKILL);
		listing_reap(g);
	}
	return rc;
}

int hf_listing_pool_new(
    struct event_base *base, hf_listing_cb ended, void *arg, struct hf_listing_pool **ret_listings)
{
	struct hf_listing_pool *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->base = base;
	l->ended = ended;
	l->arg = arg;
	for (size_t i = 0; i < HF_LISTING_MAX; i++)
		l->at[i] = (struct running_listing){ .of = l, .pid_fd = -1 };
	*ret_listings = l;
	return 0;
}

void hf_listing_pool_free(struct hf_listing_pool *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < HF_LISTING_MAX; i++) {
		if (!l->at[i].pid)
			continue;
		kill(l->at[i].pid, SIGKILL);
		listing_reap(&l->at[i]);
	}
	free(l);
}
