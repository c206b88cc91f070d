/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/token_watch.h"

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

enum { SOON_US = 50 * 1000, AGAIN_S = 2 };

/* By what another file, or other bytes in it, are seen. */
struct mark {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec written;
	struct timespec changed;
};

struct hf_token_watch {
	int fd;
	int watch;    /* of the folder; -1: none, it is tried again */
	char *folder; /* owned */
	char *path;   /* owned */
	struct mark mark;
	struct event *e;     /* owned */
	struct event *soon;  /* owned: a writer may need several steps */
	struct event *again; /* owned: pending while there is no watch */
	hf_token_watch_cb cb;
	void *arg;
};

/* What the path leads to; zeroes: nothing. */
static struct mark token_mark(const char *path)
{
	struct mark m = { 0 };
	struct stat st;

	if (stat(path, &st) == 0) {
		m.dev = st.st_dev;
		m.ino = st.st_ino;
		m.size = st.st_size;
		m.written = st.st_mtim;
		m.changed = st.st_ctim;
	}
	return m;
}

static bool is_same(const struct mark *a, const struct mark *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->written.tv_sec == b->written.tv_sec && a->written.tv_nsec == b->written.tv_nsec &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static void look_soon(struct hf_token_watch *w)
{
	const struct timeval soon = { .tv_usec = SOON_US };

	event_add(w->soon, &soon);
}

/* The folder that is there now; where there is none, it is looked for again. */
static void watch_folder(struct hf_token_watch *w)
{
	const struct timeval again = { .tv_sec = AGAIN_S };

	if (w->watch >= 0)
		inotify_rm_watch(w->fd, w->watch);
	w->watch = inotify_add_watch(w->fd, w->folder,
	    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_MOVE_SELF |
		IN_DELETE_SELF | IN_ONLYDIR);
	if (w->watch < 0)
		event_add(w->again, &again);
}

/* Has the folder itself gone from its place? */
static bool is_folder_gone(const struct hf_token_watch *w, const char *buf, ssize_t len)
{
	bool gone = false;

	for (ssize_t at = 0; at < len;) {
		struct inotify_event e;

		memcpy(&e, buf + at, sizeof(e));
		gone |= e.wd == w->watch && (e.mask & (IN_MOVE_SELF | IN_DELETE_SELF | IN_IGNORED));
		at += (ssize_t)(sizeof(e) + e.len);
	}
	return gone;
}

/* Whatever happened in the folder, the file tells whether it is another one. */
static void on_token_watch_event(evutil_socket_t fd, short what, void *arg)
{
	struct hf_token_watch *w = arg;
	alignas(struct inotify_event) char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0 && is_folder_gone(w, buf, n))
		watch_folder(w);
	if (n > 0 && !event_pending(w->soon, EV_TIMEOUT, NULL))
		look_soon(w);
}

static void on_token_watch_again(evutil_socket_t fd, short what, void *arg)
{
	struct hf_token_watch *w = arg;

	watch_folder(w);
	look_soon(w);
}

static void on_token_watch_soon(evutil_socket_t fd, short what, void *arg)
{
	struct hf_token_watch *w = arg;
	struct mark now = token_mark(w->path);

	if (is_same(&now, &w->mark))
		return;
	w->mark = now;
	w->cb(w->arg);
}

static int token_watch_begin(struct hf_token_watch *w, struct event_base *base, const char *path)
{
	char *slash;

	w->path = strdup(path);
	w->folder = strdup(path);
	slash = w->folder ? strrchr(w->folder, '/') : NULL;
	if (!w->path || !slash)
		return w->path && w->folder ? -EINVAL : -ENOMEM;
	slash[slash == w->folder] = '\0';
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0)
		return -errno;
	w->e = event_new(base, w->fd, EV_READ | EV_PERSIST, on_token_watch_event, w);
	w->soon = evtimer_new(base, on_token_watch_soon, w);
	w->again = evtimer_new(base, on_token_watch_again, w);
	if (!w->e || !w->soon || !w->again || event_add(w->e, NULL))
		return -ENOMEM;
	w->mark = token_mark(path);
	watch_folder(w);
	return 0;
}

int hf_token_watch_new(struct event_base *base, const char *path, hf_token_watch_cb cb, void *arg,
    struct hf_token_watch **ret_watch)
{
	struct hf_token_watch *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	w->fd = w->watch = -1;
	w->cb = cb;
	w->arg = arg;
	rc = token_watch_begin(w, base, path);
	if (rc)
		hf_token_watch_free(w);
	else
		*ret_watch = w;
	return rc;
}

void hf_token_watch_free(struct hf_token_watch *w)
{
	if (!w)
		return;
	if (w->e)
		event_free(w->e);
	if (w->soon)
		event_free(w->soon);
	if (w->again)
		event_free(w->again);
	if (w->fd >= 0)
		close(w->fd);
	free(w->folder);
	free(w->path);
	free(w);
}
