/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/fold.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "zone/cdb_in.h"
#include "zone/cdb_out.h"
#include "zone/overlay.h"
#include "zone/writer_folder.h"

/* --- the work --- */

struct work {
	const struct hf_fold_job *job;
	const atomic_bool *cancel;
	struct hf_cdb_out *out;
};

/* A record of the old base goes on if nothing replaces it. */
static int keep_record(
    const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len, void *arg)
{
	struct work *w = arg;
	size_t len;

	if (atomic_load_explicit(w->cancel, memory_order_relaxed))
		return -ECANCELED;
	if (!key_len || key_len > HF_OVERLAY_KEY_MAX)
		return HF_EDAMAGED;
	/*
	 * The settings are written again; what a later version had beside them nobody here could
	 * keep true.
	 */
	if (key[0] == HF_FMT_META_KEY)
		return 0;
	if (hf_overlay_get(w->job->changes, key, key_len, &len))
		return 0;
	return hf_cdb_out_add(w->out, key, key_len, value, value_len);
}

static int add_changes(struct work *w)
{
	struct hf_overlay_entry e;
	size_t at = 0;
	int rc = 0;

	while (!rc && hf_overlay_next(w->job->changes, &at, &e)) {
		if (atomic_load_explicit(w->cancel, memory_order_relaxed))
			return -ECANCELED;
		if (e.value[0] != HF_FMT_GONE)
			rc = hf_cdb_out_add(w->out, e.key, e.key_len, e.value, e.value_len);
	}
	return rc;
}

static int write_base(struct work *w)
{
	int rc = 0;

	if (w->job->base)
		rc = hf_cdb_in_walk(w->job->base, keep_record, w);
	/* What was copied out of a base that is not what it was is thrown away. */
	if (rc == HF_ECHECKSUM)
		rc = HF_EDAMAGED;
	if (!rc)
		rc = add_changes(w);
	if (!rc)
		rc = hf_cdb_out_add_settings(w->out, w->job->settings);
	return rc;
}

static int do_job(
    const struct hf_fold_job *job, const atomic_bool *cancel, struct hf_cdb_in **ret_base)
{
	struct work w = { .job = job, .cancel = cancel };
	struct hf_fmt_file file;
	int rc = hf_cdb_out_begin(job->folder, job->name, HF_CDB_SIZE_MAX, &w.out);

	if (rc)
		return rc;
	rc = write_base(&w);
	if (rc) {
		hf_cdb_out_abort(w.out);
		return rc;
	}
	rc = hf_cdb_out_commit(w.out, &file);
	if (rc)
		return rc;
	rc = hf_cdb_in_open(job->folder->fd, &file, false, ret_base);
	if (rc)
		hf_folder_unlink(job->folder, job->name);
	return rc;
}

int hf_fold_now(const struct hf_fold_job *job, struct hf_cdb_in **ret_base)
{
	static const atomic_bool never = false;

	return do_job(job, &never, ret_base);
}

/* --- the thread: it waits for something to do from the first fold to the end --- */

struct hf_fold {
	int fd; /* eventfd, written at the end of a fold */
	bool running;
	bool has_thread;
	pthread_t thread;
	atomic_bool cancel;
	atomic_bool done; /* set when a fold ends; fd only wakes the caller up */
	/* The thread's own from the start of a fold until then. */
	struct hf_fold_job job;
	struct hf_fmt_settings settings;
	int code;
	struct hf_cdb_in *base;

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t change;
	bool want_fold;
	bool want_end;
	struct hf_cdb_in *want_closed; /* owned */
};

int hf_fold_new(struct hf_fold **ret_fold)
{
	struct hf_fold *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->fd < 0) {
		int rc = -errno;

		free(f);
		return rc;
	}
	/* With default attributes these cannot fail. */
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->change, NULL);
	*ret_fold = f;
	return 0;
}

static void fold_run(struct hf_fold *f)
{
	static const uint64_t one = 1;

	f->base = NULL;
	f->code = do_job(&f->job, &f->cancel, &f->base);
	atomic_store(&f->done, true);
	while (write(f->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void *thread_main(void *arg)
{
	struct hf_fold *f = arg;

	pthread_mutex_lock(&f->lock);
	for (;;) {
		struct hf_cdb_in *closed = f->want_closed;
		bool folds = f->want_fold;

		if (!closed && !folds && f->want_end)
			break;
		if (!closed && !folds) {
			pthread_cond_wait(&f->change, &f->lock);
			continue;
		}
		f->want_closed = NULL;
		f->want_fold = false;
		pthread_mutex_unlock(&f->lock);
		hf_cdb_in_free(closed);
		if (folds)
			fold_run(f);
		pthread_mutex_lock(&f->lock);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* Signals are the main thread's. */
static int fold_need_thread(struct hf_fold *f)
{
	sigset_t all, before;
	int rc;

	if (f->has_thread)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(&f->thread, NULL, thread_main, f);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	f->has_thread = !rc;
	return rc;
}

int hf_fold_start(struct hf_fold *f, const struct hf_fold_job *job)
{
	int rc = fold_need_thread(f);

	if (rc)
		return rc;
	f->job = *job;
	f->settings = *job->settings;
	f->job.settings = &f->settings;
	atomic_store(&f->cancel, false);
	atomic_store(&f->done, false);
	f->running = true;
	pthread_mutex_lock(&f->lock);
	f->want_fold = true;
	pthread_cond_signal(&f->change);
	pthread_mutex_unlock(&f->lock);
	return 0;
}

bool hf_fold_running(const struct hf_fold *f)
{
	return f->running;
}

int hf_fold_fd(const struct hf_fold *f)
{
	return f->fd;
}

void hf_fold_cancel(struct hf_fold *f)
{
	atomic_store(&f->cancel, true);
}

int hf_fold_take(struct hf_fold *f, int *ret_code, struct hf_cdb_in **ret_base)
{
	uint64_t n;

	/*
	 * It is done a moment before it writes. So it may be taken before fd is readable, and fd
	 * then wakes the caller up for nothing, once.
	 */
	if (read(f->fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		return 0;
	if (!f->running || !atomic_load(&f->done))
		return 0;
	f->running = false;
	*ret_code = f->code;
	*ret_base = f->base;
	return 1;
}

void hf_fold_close_base(struct hf_fold *f, struct hf_cdb_in *base)
{
	struct hf_cdb_in *before;

	if (!f->has_thread) {
		hf_cdb_in_free(base);
		return;
	}
	pthread_mutex_lock(&f->lock);
	before = f->want_closed;
	f->want_closed = base;
	pthread_cond_signal(&f->change);
	pthread_mutex_unlock(&f->lock);
	hf_cdb_in_free(before); /* seldom more than one a fold */
}

static void end_thread(struct hf_fold *f)
{
	if (!f->has_thread)
		return;
	hf_fold_cancel(f);
	pthread_mutex_lock(&f->lock);
	f->want_end = true;
	pthread_cond_signal(&f->change);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
}

void hf_fold_free(struct hf_fold *f)
{
	if (!f)
		return;
	end_thread(f);
	if (f->running && f->base)
		hf_folder_unlink(f->job.folder, f->job.name);
	if (f->running)
		hf_cdb_in_free(f->base);
	pthread_cond_destroy(&f->change);
	pthread_mutex_destroy(&f->lock);
	close(f->fd);
	free(f);
}
