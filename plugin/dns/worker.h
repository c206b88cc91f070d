/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * worker: a thread that blocks in one system call at a time and can be ended while it does. Only
 * the wake-up signal reaches it; all others are the main thread's.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct hf_worker {
	pthread_t thread;
	_Atomic bool stop;
	void (*run)(struct hf_worker *w, void *arg);
	void *arg; /* borrowed; outlives the thread */
};

/* Once per process, before the first worker. */
void hf_worker_setup(void);

/*
 * `run` returns soon after hf_worker_stopped() has become true; a blocking call in it then fails
 * with EINTR. 0 or -errno. End it with hf_worker_join().
 */
int hf_worker_start(struct hf_worker *w, void (*run)(struct hf_worker *w, void *arg), void *arg);
bool hf_worker_stopped(const struct hf_worker *w);
/* Stops it and waits for its end. */
void hf_worker_join(struct hf_worker *w);
