#include "bridge/stream/token_watch.h"

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <event2/event.h>

struct hf_token_watch {
	int fd;
	char *path;         /* owned */
	const char *name;   /* its last part */
	struct event *e;    /* owned */
	struct event *soon; /* owned: a writer may need several steps */
	hf_token_watch_cb cb;
	void *arg;
};

static bool concerns(const struct hf_token_watch *w, const char *buf, ssize_t len)
{
	bool ours = false;

	for (ssize_t at = 0; at < len;) {
		struct inotify_event e;

		memcpy(&e, buf + at, sizeof(e));
		ours |=
		    (e.mask & IN_Q_OVERFLOW) || (e.len && !strcmp(buf + at + sizeof(e), w->name));
		at += (ssize_t)(sizeof(e) + e.len);
	}
	return ours;
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct hf_token_watch *w = arg;
	const struct timeval soon = { .tv_usec = 50000 };
	alignas(struct inotify_event) char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0 && concerns(w, buf, n))
		event_add(w->soon, &soon);
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
	struct hf_token_watch *w = arg;

	w->cb(w->arg);
}

static int begin(struct hf_token_watch *w, struct event_base *base, const char *path)
{
	char *slash;

	w->path = strdup(path);
	slash = w->path ? strrchr(w->path, '/') : NULL;
	if (!slash)
		return w->path ? -EINVAL : -ENOMEM;
	w->name = slash + 1;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0)
		return -errno;
	*slash = '\0';
	if (inotify_add_watch(w->fd, slash == w->path ? "/" : w->path,
		IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB) < 0)
		return -errno;
	w->e = event_new(base, w->fd, EV_READ | EV_PERSIST, on_event, w);
	w->soon = evtimer_new(base, on_soon, w);
	return w->e && w->soon && !event_add(w->e, NULL) ? 0 : -ENOMEM;
}

int hf_token_watch_new(struct event_base *base, const char *path, hf_token_watch_cb cb, void *arg,
    struct hf_token_watch **ret_watch)
{
	struct hf_token_watch *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	w->fd = -1;
	w->cb = cb;
	w->arg = arg;
	rc = begin(w, base, path);
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
	if (w->fd >= 0)
		close(w->fd);
	free(w->path);
	free(w);
}
