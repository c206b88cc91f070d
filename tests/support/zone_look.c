/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/zone_look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

/* --- files --- */

static int open_file(int dirfd, const struct hf_fmt_file *file, struct cdb *ret_cdb)
{
	uint8_t *bytes = NULL, hash[HF_FMT_HASH_LEN];
	size_t len = 0;
	struct stat st;
	int fd, rc = hf_file_read(dirfd, file->name, 1 << 30, &bytes, &len);

	if (rc)
		return rc;
	hf_fmt_hash(bytes, len, hash);
	free(bytes);
	if (len != file->size || memcmp(hash, file->hash, sizeof(hash)))
		return HF_ECHECKSUM;
	fd = openat(dirfd, file->name, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && fstat(fd, &st) == 0, "zone_look: open");
	rc = (st.st_mode & 07777) == 0640 ? 0 : HF_EUNSAFE;
	if (!rc && cdb_init(ret_cdb, fd) < 0)
		rc = -errno;
	close(fd); /* tinycdb has it mapped */
	return rc;
}

static int read_meta(struct hf_zone_look *l)
{
	struct cdb *c = l->has_delta ? &l->delta : &l->base;
	int rc;

	if (cdb_find(c, hf_fmt_meta_key, HF_FMT_META_KEY_LEN) != 1)
		return HF_EFORMAT;
	rc = hf_fmt_meta_get(cdb_getdata(c), cdb_datalen(c), &l->meta, &l->n_names);
	if (!rc && cdb_find(c, hf_fmt_urls_key, HF_FMT_META_KEY_LEN) == 1)
		rc = hf_fmt_urls_get(cdb_getdata(c), cdb_datalen(c), &l->meta);
	if (!rc && cdb_find(c, hf_fmt_identity_key, HF_FMT_META_KEY_LEN) == 1)
		rc = hf_fmt_identity_get(cdb_getdata(c), cdb_datalen(c), &l->meta);
	return rc;
}

int hf_zone_look_open(int dirfd, struct hf_zone_look *l)
{
	uint8_t *text = NULL;
	size_t len = 0;
	int rc;

	memset(l, 0, sizeof(*l));
	rc = hf_file_read(dirfd, "current", HF_FMT_CURRENT_MAX, &text, &len);
	if (!rc)
		rc = hf_fmt_current_get(text, len, &l->current);
	free(text);
	if (!rc)
		rc = open_file(dirfd, &l->current.base, &l->base);
	if (rc)
		return rc;
	if (l->current.delta.name[0]) {
		rc = open_file(dirfd, &l->current.delta, &l->delta);
		l->has_delta = !rc;
	}
	if (!rc)
		rc = read_meta(l);
	if (rc)
		hf_zone_look_close(l);
	return rc;
}

void hf_zone_look_close(struct hf_zone_look *l)
{
	cdb_free(&l->base);
	if (l->has_delta)
		cdb_free(&l->delta);
}

/* --- entries --- */

static bool find(
    struct cdb *c, const void *key, size_t key_len, const uint8_t **ret_value, size_t *ret_len)
{
	if (cdb_find(c, key, (unsigned)key_len) != 1)
		return false;
	*ret_value = cdb_getdata(c);
	*ret_len = cdb_datalen(c);
	return true;
}

const uint8_t *hf_zone_look_get(
    struct hf_zone_look *l, const void *key, size_t key_len, size_t *ret_len)
{
	const uint8_t *value;

	if (l->has_delta && find(&l->delta, key, key_len, &value, ret_len))
		return value[0] == HF_FMT_GONE ? NULL : value;
	return find(&l->base, key, key_len, &value, ret_len) ? value : NULL;
}

bool hf_zone_look_next(
    struct hf_zone_look *l, struct hf_zone_look_at *at, struct hf_zone_look_entry *e)
{
	for (;;) {
		struct cdb *c = at->in_delta ? &l->delta : &l->base;

		if (!at->begun)
			cdb_seqinit(&at->pos, c);
		at->begun = true;
		if (cdb_seqnext(&at->pos, c) <= 0) {
			if (at->in_delta || !l->has_delta)
				return false;
			at->in_delta = true;
			at->begun = false;
			continue;
		}
		e->key = cdb_getkey(c);
		e->key_len = cdb_keylen(c);
		e->value = cdb_getdata(c);
		e->value_len = cdb_datalen(c);
		if (e->key[0] == HF_FMT_META_KEY || e->value[0] == HF_FMT_GONE)
			continue;
		if (at->in_delta || !l->has_delta ||
		    cdb_find(&l->delta, e->key, (unsigned)e->key_len) != 1)
			return true;
	}
}

/* --- folders --- */

/* Calls f for each file. */
static void each(int dirfd, void (*f)(int dirfd, const char *name, void *arg), void *arg)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	must(dir, "zone_look: folder");
	while ((e = readdir(dir))) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			f(dirfd, e->d_name, arg);
	}
	closedir(dir);
}

static void count(int dirfd, const char *name, void *arg)
{
	(void)dirfd;
	*(unsigned *)arg += strcmp(name, ".lock") != 0;
}

unsigned hf_zone_look_n_files(int dirfd)
{
	unsigned n = 0;

	each(dirfd, count, &n);
	return n;
}

void hf_zone_look_make_folder(char *path, size_t size)
{
	snprintf(path, size, "%s/hf-zone-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	must(mkdtemp(path), path);
}

static void remove_one(int dirfd, const char *name, void *arg)
{
	(void)arg;
	if (unlinkat(dirfd, name, 0) == 0 || unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return;
	/* One level of folders is all that tests make. */
	{
		int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY);

		must(fd >= 0, name);
		each(fd, remove_one, NULL);
		close(fd);
		must(unlinkat(dirfd, name, AT_REMOVEDIR) == 0, name);
	}
}

void hf_zone_look_remove_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);

	must(fd >= 0, path);
	each(fd, remove_one, NULL);
	close(fd);
	must(rmdir(path) == 0, path);
}
