/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/store/background.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/error.h"
#include "bridge/store/rebuild.h"

struct hf_background {
	const struct hf_store_files *files; /* borrowed */
	const struct hf_schema *schema;     /* borrowed */
	bool has_thread;                    /* the loop's */
	pthread_t thread;

	pthread_mutex_t mutex; /* over all below */
	pthread_cond_t cond;
	bool checkpoint, copy; /* asked for */
	bool busy, copying;
	bool halt;              /* end what is under way */
	bool stop;              /* end the thread */
	struct hf_sql *running; /* lent by the thread */
	bool damaged;
	uint64_t checkpoints, copies;
	int checkpoint_error, copy_error;
};

/* --- the thread's --- */

/* A connection begins or ends its work. */
static int on_connection(struct hf_sql *q, void *arg)
{
	struct hf_background *w = arg;
	int rc;

	pthread_mutex_lock(&w->mutex);
	w->running = q;
	rc = w->halt ? -EINTR : 0;
	pthread_mutex_unlock(&w->mutex);
	return rc;
}

static int do_checkpoint(struct hf_background *w)
{
	struct hf_sql *q;
	int64_t version;
	int rc = hf_sql_open(w->files->path, HF_SQL_WRITE, &q);

	if (rc)
		return rc;
	rc = on_connection(q, w);
	/* It must have read something to know that there is a WAL. */
	if (!rc)
		rc = hf_sql_number(q, "PRAGMA user_version", &version);
	if (!rc)
		rc = hf_sql_checkpoint(q);
	on_connection(NULL, w);
	hf_sql_close(q);
	return rc;
}

/* With the mutex held; it is released while the work is done. */
static void work_once(struct hf_background *w)
{
	bool copy = w->copy && !w->checkpoint, sound = true;
	int rc;

	w->busy = true;
	w->halt = false;
	w->copying = copy;
	if (copy)
		w->copy = false;
	else
		w->checkpoint = false;
	pthread_mutex_unlock(&w->mutex);
	rc = copy ? hf_rebuild_copy(w->files, w->schema, ".copy", on_connection, w, &sound)
		  : do_checkpoint(w);
	pthread_mutex_lock(&w->mutex);
	w->busy = w->copying = false;
	if (copy) {
		w->copies += rc == 0;
		w->copy_error = rc;
		w->damaged |= !sound;
	} else {
		w->checkpoints += rc == 0;
		w->checkpoint_error = rc;
	}
}

static void *background_run(void *arg)
{
	struct hf_background *w = arg;

	pthread_mutex_lock(&w->mutex);
	while (!w->stop) {
		if (w->checkpoint || w->copy)
			work_once(w);
		else
			pthread_cond_wait(&w->cond, &w->mutex);
	}
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

/* --- the loop's --- */

int hf_background_new(const struct hf_store_files *files, const struct hf_schema *schema,
    struct hf_background **ret_work)
{
	struct hf_background *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->files = files;
	w->schema = schema;
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->cond, NULL);
	*ret_work = w;
	return 0;
}

/* Signals are the loop's. */
static int background_start(struct hf_background *w)
{
	sigset_t all, before;
	int rc;

	if (w->has_thread)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&w->thread, NULL, background_run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->has_thread = rc == 0;
	return -rc;
}

static int background_ask(struct hf_background *w, bool copy)
{
	int rc = background_start(w);

	pthread_mutex_lock(&w->mutex);
	if (rc && copy)
		w->copy_error = rc;
	else if (rc)
		w->checkpoint_error = rc;
	else if (copy && (w->copying || w->copy))
		rc = -EALREADY;
	else if (copy)
		w->copy = true;
	else
		w->checkpoint = true;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->mutex);
	return rc;
}

int hf_background_checkpoint(struct hf_background *w)
{
	return background_ask(w, false);
}

int hf_background_copy(struct hf_background *w)
{
	return background_ask(w, true);
}

bool hf_background_halt(struct hf_background *w)
{
	bool idle;

	pthread_mutex_lock(&w->mutex);
	w->checkpoint = w->copy = false;
	idle = !w->busy;
	if (!idle) {
		w->halt = true;
		if (w->running)
			hf_sql_interrupt(w->running);
	}
	pthread_mutex_unlock(&w->mutex);
	return idle;
}

bool hf_background_collect(struct hf_background *w, struct hf_store_stats *stats)
{
	bool damaged;

	pthread_mutex_lock(&w->mutex);
	stats->checkpoints = w->checkpoints;
	stats->checkpoint_error = w->checkpoint_error;
	stats->copies = w->copies;
	stats->copy_error = w->copy_error;
	stats->copying = w->copying || w->copy;
	damaged = w->damaged;
	w->damaged = false;
	pthread_mutex_unlock(&w->mutex);
	return damaged;
}

void hf_background_free(struct hf_background *w)
{
	if (!w)
		return;
	hf_background_halt(w);
	pthread_mutex_lock(&w->mutex);
	w->stop = true;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->mutex);
	if (w->has_thread)
		pthread_join(w->thread, NULL);
	pthread_mutex_destroy(&w->mutex);
	pthread_cond_destroy(&w->cond);
	free(w);
}
