/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of a cdb (https://cr.yp.to/cdb/cdb.txt): 256 pairs of (position, slots) of hash tables;
 * records of key length, value length, key, value; the tables, pairs of (hash, position of the
 * record). All u32, little endian.
 */
#include "zone/cdb_in.h"

#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "zone/hash.h"

enum {
	TOC_LEN = 2048,
	HEAD_LEN = 8, /* of a record */
	SLOT_LEN = 8,
	PROBE_SLOTS = 8,    /* read at once */
	PROBE_BYTES = 256,  /* of a record, at first */
	WINDOW = 256 << 10, /* of a walk; larger than any record that is ours */
};

struct hf_cdb_in {
	int fd;
	struct hf_fmt_file file;
	struct stat st; /* when it was opened */
	uint8_t toc[TOC_LEN];
};

/* Exactly len bytes, else HF_EDAMAGED: the file is shorter than it was. */
static int cdb_read_at(int fd, void *bytes, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (uint8_t *)bytes + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return HF_EDAMAGED;
		done += (size_t)n;
	}
	return 0;
}

/* --- checksum --- */

static int hash_all(int fd, uint64_t size, uint8_t ret_hash[static HF_FMT_HASH_LEN])
{
	uint8_t chunk[64 << 10];
	XXH3_state_t state;
	int rc = 0;

	XXH3_128bits_reset(&state);
	for (uint64_t at = 0; !rc && at < size;) {
		size_t len = size - at < sizeof(chunk) ? (size_t)(size - at) : sizeof(chunk);

		rc = cdb_read_at(fd, chunk, len, at);
		if (!rc)
			XXH3_128bits_update(&state, chunk, len);
		at += len;
	}
	if (!rc)
		hf_hash_store(XXH3_128bits_digest(&state), ret_hash);
	return rc;
}

int hf_cdb_in_measure(int fd, struct hf_fmt_file *ret_file)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	ret_file->size = (uint64_t)st.st_size;
	return hash_all(fd, ret_file->size, ret_file->hash);
}

/* --- open --- */

static int open_fd(struct hf_cdb_in *c, int dirfd, bool check)
{
	uint8_t hash[HF_FMT_HASH_LEN];
	int rc;

	c->fd =
	    openat(dirfd, c->file.name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (c->fd < 0)
		return errno == ELOOP ? HF_EUNSAFE : -errno;
	if (fstat(c->fd, &c->st) < 0)
		return -errno;
	if (!S_ISREG(c->st.st_mode))
		return HF_EUNSAFE;
	if ((uint64_t)c->st.st_size != c->file.size || c->file.size < TOC_LEN)
		return HF_EDAMAGED;
	rc = cdb_read_at(c->fd, c->toc, TOC_LEN, 0);
	if (rc || !check)
		return rc;
	rc = hash_all(c->fd, c->file.size, hash);
	if (!rc && memcmp(hash, c->file.hash, sizeof(hash)))
		rc = HF_ECHECKSUM;
	return rc;
}

int hf_cdb_in_open(
    int dirfd, const struct hf_fmt_file *file, bool check, struct hf_cdb_in **ret_cdb)
{
	struct hf_cdb_in *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	c->file = *file;
	rc = open_fd(c, dirfd, check);
	if (rc) {
		hf_cdb_in_free(c);
		return rc;
	}
	*ret_cdb = c;
	return 0;
}

void hf_cdb_in_free(struct hf_cdb_in *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

const struct hf_fmt_file *hf_cdb_in_file(const struct hf_cdb_in *c)
{
	return &c->file;
}

bool hf_cdb_in_intact(const struct hf_cdb_in *c, int dirfd)
{
	struct stat st;

	return fstatat(dirfd, c->file.name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == c->st.st_dev && st.st_ino == c->st.st_ino &&
	       st.st_size == c->st.st_size && st.st_mtim.tv_sec == c->st.st_mtim.tv_sec &&
	       st.st_mtim.tv_nsec == c->st.st_mtim.tv_nsec;
}

/* --- find --- */

/* A hash table, and how far a search in it has come. */
struct probe {
	uint32_t pos;
	uint32_t n_slots;
	uint32_t at;   /* next slot */
	uint32_t left; /* slots not yet seen */
	uint32_t n;    /* slots in `bytes` */
	uint32_t i;
	uint8_t bytes[PROBE_SLOTS * SLOT_LEN];
};

/* The position of the next record with this hash, 0 at the end of the run, or a code in *ret_rc. */
static uint32_t next_record(const struct hf_cdb_in *c, struct probe *p, uint32_t hash, int *ret_rc)
{
	while (p->left) {
		const uint8_t *slot;
		uint32_t pos;

		if (p->i == p->n) {
			p->n = p->n_slots - p->at < PROBE_SLOTS ? p->n_slots - p->at : PROBE_SLOTS;
			p->i = 0;
			*ret_rc = cdb_read_at(c->fd, p->bytes, (size_t)p->n * SLOT_LEN,
			    p->pos + (uint64_t)p->at * SLOT_LEN);
			if (*ret_rc)
				return 0;
		}
		slot = p->bytes + (size_t)p->i++ * SLOT_LEN;
		p->at = (p->at + 1) % p->n_slots;
		p->left--;
		pos = cdb_unpack(slot + 4);
		if (!pos || cdb_unpack(slot) == hash)
			return pos;
	}
	return 0;
}

/* The value, if the record at pos has this key: its length, 0 if it has another, or a code. */
static int cdb_read_record(const struct hf_cdb_in *c, uint32_t pos, const uint8_t *key,
    size_t key_len, uint8_t *out, size_t size)
{
	uint8_t bytes[PROBE_BYTES + HF_FMT_KEY_MAX];
	uint64_t left = pos < c->file.size ? c->file.size - pos : 0;
	size_t len = left < sizeof(bytes) ? (size_t)left : sizeof(bytes), value_len, have;
	int rc;

	if (pos < TOC_LEN || len < HEAD_LEN)
		return HF_EDAMAGED;
	/* Nearly all records are read whole by this. */
	rc = cdb_read_at(c->fd, bytes, len, pos);
	if (rc)
		return rc;
	value_len = cdb_unpack(bytes + 4);
	if (cdb_unpack(bytes) != key_len || len < HEAD_LEN + key_len ||
	    memcmp(bytes + HEAD_LEN, key, key_len))
		return 0;
	if (!value_len || value_len > size || value_len > left - HEAD_LEN - key_len)
		return HF_EDAMAGED;
	have = len - HEAD_LEN - key_len;
	if (have > value_len)
		have = value_len;
	memcpy(out, bytes + HEAD_LEN + key_len, have);
	rc = cdb_read_at(c->fd, out + have, value_len - have, (uint64_t)pos + len);
	return rc ? rc : (int)value_len;
}

int hf_cdb_in_find(
    const struct hf_cdb_in *c, const uint8_t *key, size_t key_len, uint8_t *out, size_t size)
{
	uint32_t hash = cdb_hash(key, (unsigned)key_len), pos;
	const uint8_t *entry = c->toc + (size_t)(hash & 255) * 8;
	struct probe p = { .pos = cdb_unpack(entry), .n_slots = cdb_unpack(entry + 4) };
	int rc = 0;

	if (key_len > HF_FMT_KEY_MAX)
		return 0;
	if (!p.n_slots)
		return 0;
	if (p.pos < TOC_LEN || p.pos + (uint64_t)p.n_slots * SLOT_LEN > c->file.size)
		return HF_EDAMAGED;
	p.at = (hash >> 8) % p.n_slots;
	p.left = p.n_slots;
	while (!rc && (pos = next_record(c, &p, hash, &rc)))
		rc = cdb_read_record(c, pos, key, key_len, out, size);
	return rc;
}

/* --- walk --- */

/* A file that is read from start to end. */
struct stream {
	const struct hf_cdb_in *c;
	XXH3_state_t state; /* of all that was read */
	uint64_t read;      /* up to here in the file */
	size_t at;          /* within window */
	size_t end;
	uint8_t *window; /* owned; WINDOW bytes */
};

/* At least `need` bytes in the window at `at`. HF_EDAMAGED if the file has not as many. */
static int cdb_fill_window(struct stream *s, size_t need)
{
	uint64_t left = s->c->file.size - s->read;
	size_t len;
	int rc;

	if (s->end - s->at >= need)
		return 0;
	memmove(s->window, s->window + s->at, s->end - s->at);
	s->end -= s->at;
	s->at = 0;
	len = left < WINDOW - s->end ? (size_t)left : WINDOW - s->end;
	rc = cdb_read_at(s->c->fd, s->window + s->end, len, s->read);
	if (rc)
		return rc;
	XXH3_128bits_update(&s->state, s->window + s->end, len);
	s->read += len;
	s->end += len;
	return s->end >= need ? 0 : HF_EDAMAGED;
}

static int walk_records(struct stream *s, hf_cdb_in_cb cb, void *arg)
{
	uint64_t end = cdb_unpack(s->c->toc);
	int rc = cdb_fill_window(s, TOC_LEN);

	s->at += TOC_LEN;
	while (!rc && s->read - (s->end - s->at) < end) {
		uint64_t key_len, value_len;

		rc = cdb_fill_window(s, HEAD_LEN);
		if (rc)
			break;
		key_len = cdb_unpack(s->window + s->at);
		value_len = cdb_unpack(s->window + s->at + 4);
		if (HEAD_LEN + key_len + value_len > WINDOW)
			return HF_EDAMAGED;
		rc = cdb_fill_window(s, (size_t)(HEAD_LEN + key_len + value_len));
		if (rc)
			break;
		s->at += HEAD_LEN;
		rc = cb(s->window + s->at, (size_t)key_len, s->window + s->at + key_len,
		    (size_t)value_len, arg);
		s->at += (size_t)(key_len + value_len);
	}
	return rc;
}

/* The tables: nothing in them is used, but they are under the checksum. */
static int walk_rest(struct stream *s)
{
	int rc = 0;

	while (!rc && s->read < s->c->file.size) {
		s->at = s->end;
		rc = cdb_fill_window(s, 1);
	}
	return rc;
}

int hf_cdb_in_walk(const struct hf_cdb_in *c, hf_cdb_in_cb cb, void *arg)
{
	struct stream s = { .c = c, .window = malloc(WINDOW) };
	uint8_t hash[HF_FMT_HASH_LEN];
	int rc;

	if (!s.window)
		return -ENOMEM;
	XXH3_128bits_reset(&s.state);
	rc = walk_records(&s, cb, arg);
	if (!rc)
		rc = walk_rest(&s);
	if (!rc) {
		hf_hash_store(XXH3_128bits_digest(&s.state), hash);
		rc = memcmp(hash, c->file.hash, sizeof(hash)) ? HF_ECHECKSUM : 0;
	}
	free(s.window);
	return rc;
}
