/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/loader.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static int64_t loader_now_ms(void)
{
	struct timespec now;

	/*
	 * Not boottime, which a condition cannot wait for: after a sleep the thread is late by no
	 * more than a turn.
	 */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timespec loader_time_of(int64_t ms)
{
	return (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
}

static void init_lock(struct hf_loader *l)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->change, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&l->lock, NULL);
}

void hf_loader_init(struct hf_loader *l, const struct hf_loader_work *work)
{
	l->work = *work;
	init_lock(l);
}

/* --- the thread --- */

/* Its plans; all in ms of loader_now_ms(), -1: never. */
struct plan {
	int64_t look_at;
	int64_t tidy_at;
};

static void loader_tidy(struct hf_loader *l, struct plan *plan)
{
	int64_t wait_ms = l->work.tidy(l->work.arg);

	plan->tidy_at = wait_ms < 0 ? -1 : loader_now_ms() + wait_ms;
}

/*
 * What a thread that wakes up once a second costs a battery is that the processor has to leave its
 * sleep for it. At whole seconds it does so once for all that wake up then: those of unbound, of
 * holdfast-dns, and other programs' that do the same.
 */
static int64_t next_turn(void)
{
	return (loader_now_ms() / HF_LOADER_EVERY_MS + 1) * HF_LOADER_EVERY_MS;
}

static void loader_look(struct hf_loader *l, struct plan *plan)
{
	l->work.look(l->work.arg);
	plan->look_at = next_turn();
	loader_tidy(l, plan);
}

/* With the lock held, which it gives up meanwhile. */
static void loader_load(struct hf_loader *l, struct plan *plan)
{
	int rc;

	l->wanted = false;
	pthread_mutex_unlock(&l->lock);
	rc = l->work.load(l->work.arg);
	pthread_mutex_lock(&l->lock);
	l->rc = rc;
	atomic_store_explicit(&l->busy, false, memory_order_release);
	pthread_cond_broadcast(&l->change);
	pthread_mutex_unlock(&l->lock);
	loader_look(l, plan);
	pthread_mutex_lock(&l->lock);
}

static void wait_for_work(struct hf_loader *l, const struct plan *plan)
{
	int64_t at = l->stays ? plan->look_at : -1;
	struct timespec until;

	if (plan->tidy_at >= 0 && (at < 0 || plan->tidy_at < at))
		at = plan->tidy_at;
	if (at < 0) {
		pthread_cond_wait(&l->change, &l->lock);
		return;
	}
	until = loader_time_of(at);
	pthread_cond_timedwait(&l->change, &l->lock, &until);
}

static bool loader_is_due(int64_t at)
{
	return at >= 0 && loader_now_ms() >= at;
}

static void *loader_main(void *arg)
{
	struct plan plan = { .look_at = 0, .tidy_at = -1 };
	struct hf_loader *l = arg;

	pthread_mutex_lock(&l->lock);
	while (!l->stop) {
		bool looks = l->look_now || (l->stays && loader_is_due(plan.look_at));

		if (l->wanted) {
			loader_load(l, &plan);
			continue;
		}
		if (!looks && !loader_is_due(plan.tidy_at)) {
			wait_for_work(l, &plan);
			continue;
		}
		l->look_now = false;
		pthread_mutex_unlock(&l->lock);
		if (looks)
			loader_look(l, &plan);
		else
			loader_tidy(l, &plan);
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* --- the others --- */

static bool is_mine(const struct hf_loader *l)
{
	return l->has_thread && l->pid == getpid();
}

/* A fork has only memory of the thread, and of a lock that it may have held. */
static void loader_forget(struct hf_loader *l)
{
	init_lock(l);
	l->has_thread = l->wanted = l->look_now = false;
	l->rc = -ECANCELED;
	atomic_store_explicit(&l->busy, false, memory_order_relaxed);
}

static bool loader_need_thread(struct hf_loader *l)
{
	sigset_t all, before;

	if (is_mine(l))
		return true;
	if (l->has_thread)
		loader_forget(l);
	l->pid = getpid();
	/* The host's signals are the host's: none is to be delivered to our thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	l->has_thread = !pthread_create(&l->thread, NULL, loader_main, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return l->has_thread;
}

/* True if there is a thread that has been told. */
static bool loader_tell(struct hf_loader *l, bool *what)
{
	if (!loader_need_thread(l))
		return false;
	pthread_mutex_lock(&l->lock);
	*what = true;
	pthread_cond_broadcast(&l->change);
	pthread_mutex_unlock(&l->lock);
	return true;
}

bool hf_loader_start(struct hf_loader *l)
{
	if (!loader_need_thread(l))
		return false;
	atomic_store_explicit(&l->busy, true, memory_order_relaxed);
	return loader_tell(l, &l->wanted);
}

bool hf_loader_stay(struct hf_loader *l)
{
	return (l->stays && is_mine(l)) || loader_tell(l, &l->stays);
}

void hf_loader_wake(struct hf_loader *l)
{
	if (is_mine(l))
		loader_tell(l, &l->look_now);
}

bool hf_loader_is_busy(struct hf_loader *l)
{
	return atomic_load_explicit(&l->busy, memory_order_acquire) && l->pid == getpid();
}

int hf_loader_wait(struct hf_loader *l)
{
	int rc;

	if (l->has_thread && !is_mine(l))
		loader_forget(l);
	pthread_mutex_lock(&l->lock);
	while (atomic_load_explicit(&l->busy, memory_order_relaxed))
		pthread_cond_wait(&l->change, &l->lock);
	rc = l->rc;
	pthread_mutex_unlock(&l->lock);
	return rc;
}

void hf_loader_done(struct hf_loader *l)
{
	if (is_mine(l)) {
		loader_tell(l, &l->stop);
		pthread_join(l->thread, NULL);
	} else if (l->has_thread) {
		loader_forget(l);
	}
	pthread_cond_destroy(&l->change);
	pthread_mutex_destroy(&l->lock);
}
