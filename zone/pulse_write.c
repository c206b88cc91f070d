/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/pulse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "zone/pulse_slot.h"

static const char file_name[] = "pulse";
static const char tmp_name[] = ".pulse.tmp";

enum { EVERY_MS = 15000, GROW_SLOTS = 256, CHUNK_SLOTS = 256 };

/* What this writer knows of a slot. */
struct pulse_seen {
	bool looked;  /* the fields below are what the file has, or should have */
	bool written; /* all below, by this writer, into the file that is open now */
	bool live;
	int64_t written_ms;
	int64_t seen_ms; /* the last proof of life that the file has; INT64_MIN: none */
	int64_t boot_ms; /* last proof of life in this boot */
	int64_t wall_ms;
	bool proved; /* there was one */
};

struct hf_pulse_writer {
	const struct hf_clock *clock; /* borrowed */
	int dirfd;
	int fd; /* -1 while there is no file that can be written */
	uint8_t boot_id[16];
	uint32_t every_ms;
	int failed; /* why something that was noted is not in the file; 0: it is */
	uint32_t n_seen;
	struct pulse_seen *seen; /* owned */
};

/* --- the file --- */

/* Ours, of the right form and nobody else's to write. */
static bool pulse_is_usable(int fd)
{
	uint8_t head[HF_PULSE_HEAD_LEN];
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 0022))
		return false;
	return pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	       !memcmp(head, hf_pulse_head, sizeof(head));
}

static int give_name(int dirfd)
{
	if (renameat(dirfd, tmp_name, dirfd, file_name) == 0)
		return 0;
	if (errno != EISDIR)
		return -errno;
	if (hf_file_make_way(dirfd, file_name) < 0)
		return -EISDIR;
	return renameat(dirfd, tmp_name, dirfd, file_name) < 0 ? -errno : 0;
}

/* A new file appears with its head; it is never synced. Returns a descriptor or a code. */
static int make_file(int dirfd)
{
	struct stat dir;
	int fd, rc;

	if (unlinkat(dirfd, tmp_name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dirfd, tmp_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	/* Readers are the folder's group. Where we may not say so, the mode decides as it is. */
	if (fstat(dirfd, &dir) == 0 && fchown(fd, (uid_t)-1, dir.st_gid) < 0)
		errno = 0;
	rc = fchmod(fd, 0640) < 0 ? -errno : 0;
	if (!rc)
		rc = hf_file_write_all(fd, hf_pulse_head, sizeof(hf_pulse_head));
	if (!rc)
		rc = give_name(dirfd);
	if (!rc)
		return fd;
	close(fd);
	unlinkat(dirfd, tmp_name, 0);
	return rc;
}

static int pulse_open_file(int dirfd)
{
	int fd = openat(dirfd, file_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 && pulse_is_usable(fd))
		return fd;
	if (fd >= 0)
		close(fd);
	return make_file(dirfd);
}

/* The file that is open is still the one that readers find, and they take it. */
static bool pulse_still_there(const struct hf_pulse_writer *w)
{
	struct stat ours, theirs;

	return pulse_is_usable(w->fd) && fstat(w->fd, &ours) == 0 &&
	       fstatat(w->dirfd, file_name, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/*
 * One that was taken away or harmed is made again; pulse_mend() then writes what this writer knows.
 */
static int need_file(struct hf_pulse_writer *w)
{
	if (w->fd >= 0 && pulse_still_there(w))
		return 0;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = pulse_open_file(w->dirfd);
	for (uint32_t i = 0; i < w->n_seen; i++) {
		w->seen[i].written = false;
		w->seen[i].seen_ms = INT64_MIN;
	}
	return w->fd < 0 ? w->fd : 0;
}

static int write_slot(struct hf_pulse_writer *w, uint32_t slot, const uint8_t *bytes)
{
	ssize_t n;
	int rc = need_file(w);

	if (rc)
		return rc;
	do
		n = pwrite(w->fd, bytes, HF_PULSE_SLOT_LEN, hf_pulse_offset(slot));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == HF_PULSE_SLOT_LEN ? 0 : -ENOSPC; /* a torn slot reads as it was before */
}

/* --- the slots --- */

/* What an earlier bridge of this boot proved stays proved. */
static void slot_look(struct hf_pulse_writer *w, uint32_t slot)
{
	struct pulse_seen *s = &w->seen[slot];
	uint8_t bytes[HF_PULSE_SLOT_LEN];
	struct hf_pulse_slot old;

	s->looked = true;
	s->seen_ms = INT64_MIN;
	if (w->fd < 0 ||
	    pread(w->fd, bytes, sizeof(bytes), hf_pulse_offset(slot)) != (ssize_t)sizeof(bytes) ||
	    hf_pulse_slot_get(bytes, slot, &old) != 1 ||
	    memcmp(old.boot_id, w->boot_id, sizeof(w->boot_id)))
		return;
	s->proved = true;
	s->boot_ms = old.boot_ms;
	s->wall_ms = old.wall_ms;
	if (old.live)
		s->seen_ms = old.boot_ms;
}

static int get_seen(struct hf_pulse_writer *w, uint32_t slot, struct pulse_seen **ret_seen)
{
	if (slot >= w->n_seen) {
		uint32_t n = (slot / GROW_SLOTS + 1) * GROW_SLOTS;
		struct pulse_seen *seen = realloc(w->seen, n * sizeof(*seen));

		if (!seen)
			return -ENOMEM;
		memset(seen + w->n_seen, 0, (n - w->n_seen) * sizeof(*seen));
		w->seen = seen;
		w->n_seen = n;
	}
	if (!w->seen[slot].looked)
		slot_look(w, slot);
	*ret_seen = &w->seen[slot];
	return 0;
}

/* What is known of slot `i` goes into the file. */
static int slot_write(struct hf_pulse_writer *w, uint32_t i)
{
	struct pulse_seen *s = &w->seen[i];
	struct hf_pulse_slot out = {
		.boot_ms = s->boot_ms, .wall_ms = s->wall_ms, .live = s->live
	};
	uint8_t bytes[HF_PULSE_SLOT_LEN] = { 0 };
	int rc;

	memcpy(out.boot_id, w->boot_id, sizeof(out.boot_id));
	if (s->proved)
		hf_pulse_slot_put(&out, i, bytes);
	s->written = false;
	rc = write_slot(w, i, bytes);
	if (rc)
		return rc;
	s->written = true;
	s->seen_ms = s->proved && s->live ? s->boot_ms : INT64_MIN;
	return 0;
}

/* Returns 1 if it was written, 0 if that was not needed, or a code. */
static int slot_note(struct hf_pulse_writer *w, uint32_t slot, bool live)
{
	int64_t now = hf_boot_ms(w->clock);
	struct pulse_seen *s;
	int rc = get_seen(w, slot, &s);

	if (rc)
		return rc;
	if (live) {
		s->proved = true;
		s->boot_ms = now;
		s->wall_ms = hf_wall_ms(w->clock);
	}
	/* Known to be down is written once: it brings nothing new. */
	if (s->written && s->live == live && (!live || now - s->written_ms < w->every_ms))
		return 0;
	/* Where it cannot be written now, pulse_mend() writes it. */
	s->live = live;
	rc = slot_write(w, slot);
	if (rc)
		return rc;
	s->written_ms = now;
	return 1;
}

/*
 * The file has of slot `i` what it should have. An older time than the last is as it should be, see
 * slot_note().
 */
static bool slot_is_told(const struct hf_pulse_writer *w, uint32_t i, const uint8_t *bytes)
{
	const struct pulse_seen *s = &w->seen[i];
	struct hf_pulse_slot found;

	if (!s->looked)
		return true;
	if (!s->written || !s->proved)
		return s->written;
	return hf_pulse_slot_get(bytes, i, &found) == 1 && found.live == s->live &&
	       !memcmp(found.boot_id, w->boot_id, sizeof(found.boot_id)) &&
	       found.boot_ms <= s->boot_ms;
}

/*
 * The slots that could not be written, and those that somebody harmed, are written again: of an
 * owner the next proof may be long in coming, and until then its names would be stale.
 */
static int pulse_mend(struct hf_pulse_writer *w)
{
	uint8_t chunk[CHUNK_SLOTS * HF_PULSE_SLOT_LEN];
	int rc = 0;

	for (uint32_t first = 0; !rc && first < w->n_seen; first += CHUNK_SLOTS) {
		ssize_t n = pread(w->fd, chunk, sizeof(chunk), hf_pulse_offset(first));

		if (n < 0)
			return -errno;
		memset(chunk + n, 0, sizeof(chunk) - (size_t)n);
		for (uint32_t i = first; !rc && i < w->n_seen && i < first + CHUNK_SLOTS; i++)
			if (!slot_is_told(w, i, chunk + (size_t)(i - first) * HF_PULSE_SLOT_LEN))
				rc = slot_write(w, i);
	}
	return rc;
}

int hf_pulse_look(struct hf_pulse_writer *w)
{
	int rc = need_file(w);

	w->failed = rc ? rc : pulse_mend(w);
	return w->failed;
}

/* --- what is noted --- */

/* What went wrong stays until a look at all slots goes well. */
static int pulse_noted(struct hf_pulse_writer *w, int rc)
{
	if (rc < 0)
		w->failed = rc;
	return w->failed;
}

int hf_pulse_source(struct hf_pulse_writer *w, uint16_t i, bool live)
{
	int rc;

	if (i >= HF_ZONE_SOURCES_MAX)
		return HF_ELIMIT;
	rc = slot_note(w, i, live);
	return rc > 0 ? hf_pulse_look(w) : pulse_noted(w, rc);
}

static int owner_note(struct hf_pulse_writer *w, uint16_t i, bool live)
{
	if (i >= HF_ZONE_OWNERS_MAX)
		return HF_ELIMIT;
	return pulse_noted(w, slot_note(w, (uint32_t)HF_ZONE_SOURCES_MAX + i, live));
}

int hf_pulse_owner(struct hf_pulse_writer *w, uint16_t i)
{
	return owner_note(w, i, true);
}

int hf_pulse_owner_down(struct hf_pulse_writer *w, uint16_t i)
{
	return owner_note(w, i, false);
}

int hf_pulse_owner_clear(struct hf_pulse_writer *w, uint16_t i)
{
	uint32_t slot = (uint32_t)HF_ZONE_SOURCES_MAX + i;
	struct pulse_seen *s;
	int rc;

	if (i >= HF_ZONE_OWNERS_MAX)
		return HF_ELIMIT;
	rc = get_seen(w, slot, &s);
	if (rc)
		return pulse_noted(w, rc);
	*s = (struct pulse_seen){ .looked = true, .seen_ms = INT64_MIN };
	return pulse_noted(w, slot_write(w, slot));
}

static int64_t slot_seen_ms(const struct hf_pulse_writer *w, uint32_t i)
{
	if (!w->failed)
		return INT64_MAX;
	if (i >= w->n_seen || !w->seen[i].looked)
		return INT64_MIN;
	return w->seen[i].written ? INT64_MAX : w->seen[i].seen_ms;
}

int64_t hf_pulse_source_seen(const struct hf_pulse_writer *w, uint16_t i)
{
	return slot_seen_ms(w, i);
}

int64_t hf_pulse_owner_seen(const struct hf_pulse_writer *w, uint16_t i)
{
	return slot_seen_ms(w, (uint32_t)HF_ZONE_SOURCES_MAX + i);
}

void hf_pulse_writer_pace(struct hf_pulse_writer *w, uint32_t every_ms)
{
	w->every_ms = every_ms;
}

int hf_pulse_writer_move(struct hf_pulse_writer *w, int dirfd)
{
	int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	close(w->dirfd);
	w->dirfd = fd;
	unlinkat(w->dirfd, tmp_name, 0);
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	hf_pulse_look(w);
	return 0;
}

/* --- the whole --- */

int hf_pulse_writer_open(
    int dirfd, const struct hf_clock *clock, struct hf_pulse_writer **ret_writer)
{
	struct hf_pulse_writer *w = calloc(1, sizeof(*w));
	int rc = 0;

	if (!w)
		return -ENOMEM;
	w->clock = clock;
	w->every_ms = EVERY_MS;
	w->fd = -1;
	hf_boot_id(w->boot_id);
	w->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	if (w->dirfd < 0)
		rc = -errno;
	else
		unlinkat(w->dirfd, tmp_name, 0); /* of a writer that was killed */
	if (rc) {
		hf_pulse_writer_free(w);
		return rc;
	}
	hf_pulse_look(w);
	*ret_writer = w;
	return 0;
}

void hf_pulse_writer_free(struct hf_pulse_writer *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		close(w->fd);
	if (w->dirfd >= 0)
		close(w->dirfd);
	free(w->seen);
	free(w);
}
