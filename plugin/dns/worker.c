/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/dns/worker.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

enum { WAKE_SIGNAL = SIGUSR2, WAKE_AGAIN_MS = 20 };

static void on_worker_wake(int sig)
{
	(void)sig;
}

void hf_worker_setup(void)
{
	struct sigaction action = { .sa_handler = on_worker_wake };

	sigaction(WAKE_SIGNAL, &action, NULL); /* no SA_RESTART: its use is to interrupt */
}

static void *worker_main(void *arg)
{
	struct hf_worker *w = arg;

	w->run(w, w->arg);
	return NULL;
}

int hf_worker_start(struct hf_worker *w, void (*run)(struct hf_worker *w, void *arg), void *arg)
{
	sigset_t all, old;
	int rc;

	w->run = run;
	w->arg = arg;
	atomic_init(&w->stop, false);
	sigfillset(&all);
	sigdelset(&all, WAKE_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&w->thread, NULL, worker_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -rc;
}

bool hf_worker_stopped(const struct hf_worker *w)
{
	return atomic_load_explicit(&w->stop, memory_order_relaxed);
}

void hf_worker_join(struct hf_worker *w)
{
	struct timespec until;

	atomic_store(&w->stop, true);
	/*
	 * A signal that comes just before the thread blocks is lost, so it is sent until it has
	 * ended.
	 */
	do {
		pthread_kill(w->thread, WAKE_SIGNAL);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += WAKE_AGAIN_MS * 1000000L;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_nsec -= 1000000000L;
			until.tv_sec++;
		}
	} while (pthread_timedjoin_np(w->thread, NULL, &until) == ETIMEDOUT);
}
