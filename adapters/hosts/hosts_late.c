/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/hosts/hosts_late.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/hosts/hosts_content.h"
#include "adapters/hosts/hosts_merge.h"

enum {
	/* For so long it is looked at where it cannot be told whether somebody has it open. */
	BLIND_MS = 5000,
	/* Somebody is writing it, but writes nothing for so long: what is there is taken. */
	QUIET_MS = 2000,
	/*
	 * So long may an editor have the file that it has read, and then put another one there.
	 * It begins when the file has what is held, and anew when that was missing, for so long in
	 * all.
	 */
	HOLD_MS = 2000,
	HOLD_END_MS = 60000,
};

int hf_hosts_late_is_written(int fd)
{
	/*
	 * A lease for reading is refused while somebody writes. Its end would be told by a signal:
	 * by one that does nothing.
	 */
	if (fcntl(fd, F_SETSIG, SIGURG) < 0)
		return -errno;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return errno == EAGAIN ? 1 : -errno;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return 0;
}

static void late_forget(struct hf_hosts_late *e)
{
	if (e->fd >= 0)
		close(e->fd);
	free(e->bytes);
	free(e->found);
	memset(e, 0, sizeof(*e));
	e->fd = -1;
}

static void remove_forgotten(struct hf_hosts_lates *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].fd >= 0)
			l->at[n++] = l->at[i];
	l->n = n;
}

void hf_hosts_late_add(struct hf_hosts_lates *l, int fd, char *bytes, size_t len, int64_t now_ms)
{
	if (l->n == HF_HOSTS_LATE_MAX) {
		late_forget(&l->at[0]);
		remove_forgotten(l);
	}
	/* Zeros: the first look always reads it. */
	l->at[l->n++] =
	    (struct hf_hosts_late){ .fd = fd, .bytes = bytes, .len = len, .since_ms = now_ms };
}

void hf_hosts_late_add_held(
    struct hf_hosts_lates *l, int fd, char *base, size_t len, int64_t now_ms)
{
	hf_hosts_late_add(l, fd, base, len, now_ms);
	l->at[l->n - 1].end_ms = now_ms + HOLD_END_MS;
}

bool hf_hosts_late_is_urgent(const struct hf_hosts_lates *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!l->at[i].held)
			return true;
	return false;
}

void hf_hosts_late_free(struct hf_hosts_lates *l)
{
	for (size_t i = 0; i < l->n; i++)
		late_forget(&l->at[i]);
	l->n = 0;
}

/* --- one of them --- */

static bool is_more_of_it(const struct hf_hosts_late *e, const char *bytes, size_t len)
{
	return len >= e->len && !memcmp(bytes, e->bytes, e->len);
}

/* Reads it if it changed since the last look. *ret_bytes: NULL if it is as it was. */
static int read_it(struct hf_hosts_late *e, int64_t now_ms, char **ret_bytes, size_t *ret_len)
{
	struct stat st;
	int rc;

	*ret_bytes = NULL;
	if (fstat(e->fd, &st) < 0)
		return -errno;
	if (!hf_hosts_content_same(&st, &e->seen)) {
		if (e->seen.st_ino)
			e->since_ms = now_ms;
		e->seen = st;
		e->unread = true;
	}
	if (!e->unread)
		return 0;
	rc = hf_hosts_content_read(e->fd, ret_bytes, ret_len);
	e->unread = rc != 0;
	return rc;
}

/* A line that is being written has no end yet, and whoever appends next would go on in it. */
static void cut_last_line(struct hf_hosts_late *e, const char *bytes, size_t *len)
{
	size_t n = *len;

	while (n && bytes[n - 1] != '\n')
		n--;
	e->unread = e->unread || n < *len;
	*len = n;
}

/* What is in it that the caller's file does not have, into e->found. */
static int late_look(struct hf_hosts_late *e, int64_t now_ms)
{
	/* first: if nobody writes, what is read is the last */
	int written = hf_hosts_late_is_written(e->fd), rc;
	bool quiet, over;
	char *bytes;
	size_t len;

	/* The last look reads it, whatever its times say: they are coarse. */
	e->unread = e->unread || !written;
	rc = read_it(e, now_ms, &bytes, &len);
	quiet = now_ms - e->since_ms >= QUIET_MS;
	over = written < 0 ? now_ms - e->since_ms >= BLIND_MS : !written;
	if (rc) {
		e->held = false;
		e->over = rc != -ENOMEM;
		e->unread = !e->over;
		return rc == -ENOMEM ? rc : 0;
	}
	if (bytes && !over && !quiet)
		cut_last_line(e, bytes, &len);
	if (bytes && len == e->len && !memcmp(bytes, e->bytes, len)) {
		free(bytes);
		bytes = NULL;
	}
	/* While somebody rewrites it, what is there is not taken. */
	if (bytes && !over && !quiet && !is_more_of_it(e, bytes, len)) {
		e->unread = true;
		free(bytes);
		bytes = NULL;
	}
	e->found = bytes;
	e->n_found = bytes ? len : 0;
	e->over = over;
	e->held = over && now_ms < e->end_ms && (!e->hold_ms || now_ms < e->hold_ms);
	e->looked_ms = now_ms;
	e->missing = false;
	return 0;
}

/* As a whole, or only what is new in it. */
static int merge_one(struct hf_hosts_late *e, bool whole, char **bytes, size_t *len)
{
	const struct hf_text base = { e->bytes, e->len }, theirs = { e->found, e->n_found },
			     now = { *bytes, *len };
	char *merged;
	int rc =
	    (whole ? hf_hosts_merge : hf_hosts_merge_added)(&base, &theirs, &now, &merged, len);

	if (rc)
		return rc;
	free(*bytes);
	*bytes = merged;
	return 0;
}

/* What is new in it; if some of that is missing once more it is held for longer. */
static int bring_again(struct hf_hosts_late *e, int64_t now_ms, char **bytes, size_t *len)
{
	size_t before = *len;
	int rc = merge_one(e, false, bytes, len);

	if (rc || *len == before || now_ms >= e->end_ms)
		return rc;
	e->missing = true;
	e->held = e->over;
	return 0;
}

/* --- all --- */

int hf_hosts_late_content(struct hf_hosts_lates *l, const struct hf_text *file, int64_t now_ms,
    char **ret_bytes, size_t *ret_len)
{
	size_t len = file->len;
	char *bytes = malloc(len + 1);
	int rc = bytes ? 0 : -ENOMEM;

	if (bytes)
		memcpy(bytes, file->at, len);
	for (size_t i = 0; i < l->n && !rc; i++) {
		rc = late_look(&l->at[i], now_ms);
		/* One that was brought in is brought in again behind the others. */
		if (!rc && l->at[i].found && !l->at[i].brought)
			rc = merge_one(&l->at[i], true, &bytes, &len);
	}
	/* One that was made before another was brought in does not remove what is new in that. */
	for (size_t i = 0; i < l->n && !rc; i++)
		if (l->at[i].found && l->at[i].end_ms)
			rc = bring_again(&l->at[i], now_ms, &bytes, &len);
	if (rc) {
		free(bytes);
		hf_hosts_late_done(l, false);
		return rc;
	}
	*ret_bytes = bytes;
	*ret_len = len;
	return 0;
}

void hf_hosts_late_done(struct hf_hosts_lates *l, bool written)
{
	for (size_t i = 0; i < l->n; i++) {
		struct hf_hosts_late *e = &l->at[i];

		if (e->held) {
			if (e->found && written && (e->missing || !e->brought)) {
				e->brought = true;
				e->hold_ms = e->looked_ms + HOLD_MS;
			}
			free(e->found);
			e->unread = true;
		} else if (e->found && written) {
			free(e->bytes);
			e->bytes = e->found;
			e->len = e->n_found;
		} else if (e->found) {
			free(e->found);
			e->unread = true;
		}
		e->found = NULL;
		if (e->over && !e->unread)
			late_forget(e);
	}
	remove_forgotten(l);
}
