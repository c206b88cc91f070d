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
static int keep_record(const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len,
    void *arg)
{
	struct work *w = arg;
	size_t len;

	if (atomic_load_explicit(w->cancel, memory_order_relaxed))
		return -ECANCELED;
	if (!key_len || key_len > HF_OVERLAY_KEY_MAX)
		return HF_EDAMAGED;
	if (key_len == HF_FMT_META_KEY_LEN && !memcmp(key, hf_fmt_meta_key, key_len))
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
		rc = hf_cdb_out_add(w->out, hf_fmt_meta_key, HF_FMT_META_KEY_LEN, w->job->meta,
		    w->job->meta_len);
	return rc;
}

static int do_job(const struct hf_fold_job *job, const atomic_bool *cancel,
    struct hf_cdb_in **ret_base)
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

/* --- the thread --- */

struct hf_fold {
	int fd; /* eventfd: written once, at the end of a fold */
	bool running;
	pthread_t thread;
	struct hf_fold_job job;
	uint8_t meta[HF_FMT_META_MAX];
	atomic_bool cancel;
	/* The thread's until it was joined. */
	int code;
	struct hf_cdb_in *base;
	/* The thread that closes; seldom more than one a fold, and done long before the next. */
	bool closing;
	pthread_t closer;
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
	*ret_fold = f;
	return 0;
}

static void *thread_main(void *arg)
{
	static const uint64_t one = 1;
	struct hf_fold *f = arg;

	f->base = NULL;
	f->code = do_job(&f->job, &f->cancel, &f->base);
	/* Cannot fail: the counter is at 0. */
	while (write(f->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	return NULL;
}

/* Signals are the main thread's. */
static int start_thread(pthread_t *ret_thread, void *(*body)(void *), void *arg)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(ret_thread, NULL, body, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int hf_fold_start(struct hf_fold *f, const struct hf_fold_job *job)
{
	int rc;

	if (job->meta_len > sizeof(f->meta))
		return HF_ELIMIT;
	f->job = *job;
	memcpy(f->meta, job->meta, job->meta_len);
	f->job.meta = f->meta;
	atomic_store(&f->cancel, false);
	rc = start_thread(&f->thread, thread_main, f);
	f->running = !rc;
	return rc;
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

	if (!f->running || read(f->fd, &n, sizeof(n)) != (ssize_t)sizeof(n))
		return 0;
	/* It wrote the descriptor as its last act: this does not wait. */
	pthread_join(f->thread, NULL);
	f->running = false;
	*ret_code = f->code;
	*ret_base = f->base;
	return 1;
}

static void *close_base(void *arg)
{
	hf_cdb_in_free(arg);
	return NULL;
}

static void end_closer(struct hf_fold *f)
{
	if (f->closing)
		pthread_join(f->closer, NULL);
	f->closing = false;
}

void hf_fold_close_base(struct hf_fold *f, struct hf_cdb_in *base)
{
	if (!base)
		return;
	end_closer(f);
	f->closing = start_thread(&f->closer, close_base, base) == 0;
	if (!f->closing)
		hf_cdb_in_free(base);
}

void hf_fold_free(struct hf_fold *f)
{
	if (!f)
		return;
	end_closer(f);
	if (f->running) {
		hf_fold_cancel(f);
		pthread_join(f->thread, NULL);
		if (f->base)
			hf_folder_unlink(f->job.folder, f->job.name);
		hf_cdb_in_free(f->base);
	}
	close(f->fd);
	free(f);
}
