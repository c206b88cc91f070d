/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * loader: the zone's own thread, for what would hold up one that answers: it loads bases, looks at
 * the folder each second whether or not anybody asks, and gives memory back that nobody needs any
 * more. For folder_watch.c.
 *
 * The thread is started by the first load or by hf_loader_stay(), and stays until hf_loader_done().
 * A fork of the process has no thread: there the next call that needs one starts one.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { HF_LOADER_EVERY_MS = 1000 };

/* What the thread does; each without a lock of the loader held. */
struct hf_loader_work {
	int (*load)(void *arg);  /* hf_loader_start() asked for it: 0 or a code */
	void (*look)(void *arg); /* once it stays, each HF_LOADER_EVERY_MS; and after each load */
	/*
	 * After these two. Returns the ms after which it wants to be called again, -1: with the
	 * next of them.
	 */
	int64_t (*tidy)(void *arg);
	void *arg; /* borrowed; outlives the loader */
};

/* All functions by one thread at a time, or by the loader's own within its work. */
struct hf_loader {
	struct hf_loader_work work;
	bool has_thread; /* to be joined */
	pthread_t thread;
	pid_t pid;        /* whose thread it is */
	atomic_bool busy; /* a load was asked for, and has not ended */

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t change;
	bool wanted; /* a load */
	bool stays;
	bool look_now;
	bool stop;
	int rc; /* of the last load */
};

void hf_loader_init(struct hf_loader *l, const struct hf_loader_work *work);
/* Ends the thread: after the load that it is at, which is for the caller to cut short. */
void hf_loader_done(struct hf_loader *l);

/* Have the thread load. False if there is no thread to be had. Not while it is busy. */
bool hf_loader_start(struct hf_loader *l);
/* From now on it looks each second. False if there is no thread to be had; call it again. */
bool hf_loader_stay(struct hf_loader *l);
/* Have it look now. Does nothing without a thread. */
void hf_loader_wake(struct hf_loader *l);
/* False also in a fork of the process that has the thread. */
bool hf_loader_is_busy(struct hf_loader *l);
/* What the last load came to; waits for it. -ECANCELED in a fork. */
int hf_loader_wait(struct hf_loader *l);
