#pragma once
/*
 * loader: a thread for what would hold up one that answers: loading a base, and giving the memory of the last one
 * back. One job at a time, a thread a job; none is there while there is nothing to do. For watch.c.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "zone/sealed.h"

typedef int (*hf_loader_job)(void *arg);

/* All functions but the job itself by one thread at a time. */
struct hf_loader {
	bool has_thread; /* to be joined */
	pthread_t thread;
	pid_t pid; /* a fork of the process has no such thread */
	atomic_bool busy;
	hf_loader_job job;
	void *arg;
	int rc;                    /* of the last job */
	struct hf_sealed *leaving; /* owned reference */
	pthread_mutex_t lock;      /* of hurry */
	pthread_cond_t hurried;
	bool hurry;
};

void hf_loader_init(struct hf_loader *l);
/* Waits for the job that is running. */
void hf_loader_done(struct hf_loader *l);

/*
 * Run the job. When it has come to 0, the thread waits for some time until it is the last who holds `leaving`
 * (may be NULL), whose reference it takes over, so that no other has to free it. False if there is no thread to be had:
 * then nothing is taken over.
 */
bool hf_loader_start(struct hf_loader *l, hf_loader_job job, void *arg, struct hf_sealed *leaving);
/* False also in a fork of the process that has the thread. */
bool hf_loader_is_busy(struct hf_loader *l);
/* What the last job came to; waits for it. -ECANCELED in a fork. */
int hf_loader_wait(struct hf_loader *l);
