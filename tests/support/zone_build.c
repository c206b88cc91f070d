/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/zone_build.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define NEED(what) need((what), #what, __LINE__)

static void need(bool good, const char *what, int line)
{
	if (good)
		return;
	fprintf(stderr, "zone_build.c:%d: %s: %s\n", line, what, strerror(errno));
	abort();
}

static struct hf_name name_of(const char *text)
{
	struct hf_name name;

	NEED(hf_name_parse(text, &name) == 0);
	return name;
}

void hf_zone_build_init(struct hf_zone_build *b)
{
	memset(b, 0, sizeof(*b));
	b->dirfd = -1;
	b->fd = -1;
	b->meta = (struct hf_zone_meta){
		.ttl_s = 30, .ready = true, .n_sources = 1, .provenance = HF_PROVENANCE_LOOPBACK
	};
	b->meta.sources[0] =
	    (struct hf_zone_source){ .name = "main", .fresh_ms = 60000, .snapshot_ms = 600000 };
	b->meta.sources[0].suffix = name_of("coder");
	memset(b->current.epoch, 0xe1, sizeof(b->current.epoch));
	b->current.generation = 1000;
}

void hf_zone_build_open(struct hf_zone_build *b)
{
	const char *tmp = getenv("TMPDIR");

	hf_zone_build_init(b);
	snprintf(
	    b->dir, sizeof(b->dir), "%s/hf-zone-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	NEED(mkdtemp(b->dir));
	b->dirfd = open(b->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	NEED(b->dirfd >= 0);
}

void hf_zone_build_clear(struct hf_zone_build *b)
{
	DIR *d = opendir(b->dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (unlinkat(b->dirfd, e->d_name, 0) < 0 && e->d_name[0] != '.')
			unlinkat(b->dirfd, e->d_name, AT_REMOVEDIR);
	}
	if (d)
		closedir(d);
}

void hf_zone_build_close(struct hf_zone_build *b)
{
	if (b->dirfd < 0)
		return;
	hf_zone_build_clear(b);
	rmdir(b->dir);
	close(b->dirfd);
}

static void begin(struct hf_zone_build *b, bool is_delta)
{
	b->is_delta = is_delta;
	b->fd = memfd_create("zone-build", MFD_CLOEXEC);
	NEED(b->fd >= 0);
	NEED(cdb_make_start(&b->make, b->fd) == 0);
}

void hf_zone_build_base(struct hf_zone_build *b)
{
	b->n_names = 0;
	begin(b, false);
}

void hf_zone_build_delta(struct hf_zone_build *b)
{
	begin(b, true);
}

void hf_zone_build_raw(
    struct hf_zone_build *b, const void *key, size_t key_len, const void *value, size_t value_len)
{
	NEED(cdb_make_add(&b->make, key, (unsigned)key_len, value, (unsigned)value_len) == 0);
}

static void put(
    struct hf_zone_build *b, const uint8_t *key, size_t len, const struct hf_fmt_value *value)
{
	uint8_t bytes[HF_FMT_VALUE_MAX];
	int n = hf_fmt_value_put(value, bytes, sizeof(bytes));

	NEED(n > 0);
	hf_zone_build_raw(b, key, len, bytes, (size_t)n);
}

void hf_zone_build_put(struct hf_zone_build *b, const char *name, const struct hf_fmt_value *value)
{
	struct hf_name n = name_of(name);

	put(b, n.wire, n.len, value);
	b->n_names += value->kind == HF_FMT_ADDRS;
}

void hf_zone_build_addr(uint32_t k, uint8_t ret_addr[static 16])
{
	memset(ret_addr, 0, 16);
	memcpy(ret_addr, hf_addr_prefix, sizeof(hf_addr_prefix));
	for (int i = 0; i < 4; i++)
		ret_addr[15 - i] = (uint8_t)(k >> (8 * i));
}

void hf_zone_build_name(struct hf_zone_build *b, const char *name, uint32_t k, uint8_t flags)
{
	struct hf_fmt_value v = {
		.kind = HF_FMT_ADDRS, .flags = flags, .first_seen_s = 1700000000, .n_addrs = 1
	};
	uint8_t addr[1][16];

	hf_zone_build_addr(k, addr[0]);
	v.addrs = (const uint8_t(*)[16])addr;
	hf_zone_build_put(b, name, &v);
}

void hf_zone_build_empty(struct hf_zone_build *b, const char *name)
{
	struct hf_fmt_value v = { .kind = HF_FMT_EMPTY, .children = 1 };

	hf_zone_build_put(b, name, &v);
}

void hf_zone_build_gone(struct hf_zone_build *b, const char *name)
{
	struct hf_fmt_value v = { .kind = HF_FMT_GONE };

	hf_zone_build_put(b, name, &v);
}

void hf_zone_build_ptr_to(struct hf_zone_build *b, const uint8_t addr[static 16], const char *name)
{
	struct hf_name n = name_of(name);
	struct hf_fmt_value v = { .kind = HF_FMT_PTR, .ptr = n.wire, .ptr_len = n.len };
	uint8_t key[HF_FMT_PTR_KEY_LEN];

	hf_fmt_ptr_key(addr, key);
	put(b, key, sizeof(key), &v);
}

void hf_zone_build_ptr(struct hf_zone_build *b, uint32_t k, const char *name)
{
	uint8_t addr[16];

	hf_zone_build_addr(k, addr);
	hf_zone_build_ptr_to(b, addr, name);
}

uint8_t *hf_zone_build_bytes(struct hf_zone_build *b, size_t *ret_len)
{
	uint8_t meta[HF_FMT_META_MAX], identity[HF_FMT_IDENTITY_MAX], urls[HF_FMT_URLS_MAX], *bytes;
	int n = hf_fmt_meta_put(&b->meta, b->n_names, meta, sizeof(meta));
	int m = hf_fmt_identity_put(&b->meta, identity, sizeof(identity));
	int u = hf_fmt_urls_put(&b->meta, urls, sizeof(urls));
	struct stat st;

	NEED(n > 0 && m > 0 && u > 0);
	hf_zone_build_raw(b, hf_fmt_meta_key, HF_FMT_META_KEY_LEN, meta, (size_t)n);
	if (!b->is_older) {
		hf_zone_build_raw(b, hf_fmt_identity_key, HF_FMT_META_KEY_LEN, identity, (size_t)m);
		hf_zone_build_raw(b, hf_fmt_urls_key, HF_FMT_META_KEY_LEN, urls, (size_t)u);
	}
	NEED(cdb_make_finish(&b->make) == 0);
	NEED(fstat(b->fd, &st) == 0);
	bytes = malloc((size_t)st.st_size);
	NEED(bytes);
	NEED(pread(b->fd, bytes, (size_t)st.st_size, 0) == st.st_size);
	close(b->fd);
	b->fd = -1;
	*ret_len = (size_t)st.st_size;
	return bytes;
}

/*
 * As files of the folder appear: under another name first. No sync: a test's zone is gone with it.
 */
static void write_file(struct hf_zone_build *b, const char *name, const void *bytes, size_t len)
{
	int fd = openat(b->dirfd, ".tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	NEED(fd >= 0);
	NEED(hf_file_write_all(fd, bytes, len) == 0);
	close(fd);
	NEED(renameat(b->dirfd, ".tmp", b->dirfd, name) == 0);
}

void hf_zone_build_end(struct hf_zone_build *b)
{
	struct hf_fmt_file *f = b->is_delta ? &b->current.delta : &b->current.base;
	size_t len;
	uint8_t *bytes = hf_zone_build_bytes(b, &len);

	b->n_files++;
	if (b->is_delta)
		snprintf(f->name, sizeof(f->name), "delta-1-%u.cdb", b->n_files);
	else
		snprintf(f->name, sizeof(f->name), "base-%u.cdb", b->n_files);
	f->size = len;
	hf_fmt_hash(bytes, len, f->hash);
	write_file(b, f->name, bytes, len);
	free(bytes);
}

void hf_zone_build_no_delta(struct hf_zone_build *b)
{
	memset(&b->current.delta, 0, sizeof(b->current.delta));
}

void hf_zone_build_publish(struct hf_zone_build *b)
{
	char text[HF_FMT_CURRENT_MAX];
	int n;

	b->current.generation++;
	n = hf_fmt_current_put(&b->current, text, sizeof(text));
	NEED(n > 0);
	write_file(b, "current", text, (size_t)n);
}

void hf_zone_build_many(struct hf_zone_build *b, uint32_t n)
{
	char name[64];

	hf_zone_build_base(b);
	hf_zone_build_empty(b, "coder");
	hf_zone_build_empty(b, "me.coder");
	hf_zone_build_empty(b, "w.me.coder");
	for (uint32_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "a%u.w.me.coder", i);
		hf_zone_build_name(b, name, i, HF_REC_PRIMARY);
		hf_zone_build_ptr(b, i, name);
	}
	hf_zone_build_end(b);
}

void hf_zone_build_one(struct hf_zone_build *b, const char *name, uint32_t k)
{
	hf_zone_build_base(b);
	hf_zone_build_name(b, name, k, 0);
	hf_zone_build_end(b);
	hf_zone_build_no_delta(b);
	hf_zone_build_publish(b);
}

void hf_zone_build_one_changed(struct hf_zone_build *b, const char *name, uint32_t k)
{
	hf_zone_build_delta(b);
	hf_zone_build_name(b, name, k, 0);
	hf_zone_build_end(b);
	hf_zone_build_publish(b);
}
