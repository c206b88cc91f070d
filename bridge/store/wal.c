/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/store/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/*
 * The file format of SQLite's WAL: a head with two salts that are new each time it is begun anew,
 * then frames.
 */
enum { WAL_HEAD = 32, WAL_SALT_AT = 16, WAL_FRAME_HEAD = 24 };

void hf_wal_init(struct hf_wal *w)
{
	memset(w, 0, sizeof(*w));
	w->fd = -1;
}

void hf_wal_done(struct hf_wal *w)
{
	/* No lock is lost by this: SQLite has none on the WAL. */
	if (w->fd >= 0)
		close(w->fd);
	hf_wal_init(w);
}

/* -ENODATA: there is no head. */
static int read_salt(int fd, uint8_t salt[8])
{
	ssize_t n = pread(fd, salt, 8, WAL_SALT_AT);

	return n < 0 ? -errno : n == 8 ? 0 : -ENODATA;
}

int hf_wal_open(struct hf_wal *w, const struct hf_store_files *f, bool empty)
{
	char name[NAME_MAX + 1];
	struct stat st;
	int rc = 0;

	hf_wal_done(w);
	if (fstatat(f->dirfd, f->base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	w->store_dev = st.st_dev;
	w->store_ino = st.st_ino;
	w->fd =
	    openat(f->dirfd, hf_store_files_name(f, "-wal", name), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (w->fd < 0 || fstat(w->fd, &st) < 0)
		rc = -errno;
	if (rc) {
		hf_wal_done(w);
		return rc;
	}
	w->wal_dev = st.st_dev;
	w->wal_ino = st.st_ino;
	w->known = empty;
	return 0;
}

void hf_wal_note(struct hf_wal *w, uint32_t pages, uint32_t page_size)
{
	w->known = w->fd >= 0 && read_salt(w->fd, w->salt) == 0;
	w->good = WAL_HEAD + (uint64_t)pages * (WAL_FRAME_HEAD + page_size);
}

int hf_wal_same(const struct hf_wal *w, const struct hf_store_files *f)
{
	char name[NAME_MAX + 1];
	struct stat st;

	if (fstatat(f->dirfd, f->base, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_ino != w->store_ino ||
	    st.st_dev != w->store_dev)
		return -ENOENT;
	if (fstatat(f->dirfd, hf_store_files_name(f, "-wal", name), &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_ino != w->wal_ino || st.st_dev != w->wal_dev)
		return -ESTALE;
	return 0;
}

int hf_wal_cut(struct hf_wal *w)
{
	uint8_t salt[8];
	off_t keep = 0;
	int rc;

	if (w->fd < 0)
		return 0;
	if (!w->known)
		return -ESTALE;
	rc = read_salt(w->fd, salt);
	if (rc)
		return rc == -ENODATA ? 0 : rc;
	/*
	 * Another salt: begun anew since, after all that was committed had gone into the store's
	 * file and was synced.
	 */
	if (w->good && !memcmp(salt, w->salt, sizeof(salt)))
		keep = (off_t)w->good;
	if (ftruncate(w->fd, keep) < 0 || fsync(w->fd) < 0)
		return -errno;
	return 0;
}
