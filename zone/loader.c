#include "zone/loader.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_WAIT_MS = 2, LONGEST_WAIT_MS = 500, ALL_WAITS_MS = 10000 };

void hf_loader_init(struct hf_loader *l)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->hurried, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&l->lock, NULL);
}

/* Returns true if it is to hurry. */
static bool wait_or_hurry(struct hf_loader *l, long ms)
{
	struct timespec until;
	bool hurry;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&l->lock);
	while (!l->hurry && pthread_cond_timedwait(&l->hurried, &l->lock, &until) == 0)
		;
	hurry = l->hurry;
	pthread_mutex_unlock(&l->lock);
	return hurry;
}

/* Those that answer leave at their next query; one that is stuck or idle is not waited for for ever. */
static void see_off(struct hf_loader *l)
{
	long wait_ms = FIRST_WAIT_MS, all_ms = 0;

	while (hf_sealed_is_shared(l->leaving) && all_ms < ALL_WAITS_MS) {
		if (wait_or_hurry(l, wait_ms))
			break;
		all_ms += wait_ms;
		wait_ms = 2 * wait_ms < LONGEST_WAIT_MS ? 2 * wait_ms : LONGEST_WAIT_MS;
	}
}

static void *loader_main(void *arg)
{
	struct hf_loader *l = arg;
	bool good;

	l->rc = l->job(l->arg);
	good = l->rc == 0;
	atomic_store_explicit(&l->busy, false, memory_order_release);
	if (good && l->leaving)
		see_off(l);
	hf_sealed_unref(l->leaving);
	return NULL;
}

static void join(struct hf_loader *l)
{
	if (!l->has_thread)
		return;
	l->has_thread = false;
	if (l->pid != getpid()) {
		atomic_store_explicit(&l->busy, false, memory_order_relaxed);
		l->rc = -ECANCELED;
		return;
	}
	pthread_mutex_lock(&l->lock);
	l->hurry = true;
	pthread_cond_signal(&l->hurried);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	l->hurry = false;
}

bool hf_loader_start(struct hf_loader *l, hf_loader_job job, void *arg, struct hf_sealed *leaving)
{
	sigset_t all, before;

	join(l);
	l->job = job;
	l->arg = arg;
	l->leaving = leaving;
	l->pid = getpid();
	atomic_store_explicit(&l->busy, true, memory_order_relaxed);
	/* The host's signals are the host's: none is to be delivered to our thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	l->has_thread = !pthread_create(&l->thread, NULL, loader_main, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!l->has_thread) {
		atomic_store_explicit(&l->busy, false, memory_order_relaxed);
		l->leaving = NULL;
	}
	return l->has_thread;
}

bool hf_loader_is_busy(struct hf_loader *l)
{
	return atomic_load_explicit(&l->busy, memory_order_acquire) && l->pid == getpid();
}

int hf_loader_wait(struct hf_loader *l)
{
	/* A thread that is only seeing the last base off has its result already. */
	if (atomic_load_explicit(&l->busy, memory_order_acquire))
		join(l);
	return l->rc;
}

void hf_loader_done(struct hf_loader *l)
{
	join(l);
	pthread_cond_destroy(&l->hurried);
	pthread_mutex_destroy(&l->lock);
}
