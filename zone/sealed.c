/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "zone/hash.h"

enum { CHUNK = 256 * 1024, HUGE_PAGE = 2 << 20, HUGE_FROM = 4 << 20 };

/* What the mapping takes, in whole pages. */
static size_t sealed_span(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (len + page - 1) / page * page;
}

/*
 * Look-ups go to random places: with small pages more of their time goes into finding the page than
 * into reading it. So what is large begins where a huge page can, and asks for some; where there
 * are none it works all the same. A small file is often loaded while somebody waits for an answer,
 * and huge pages take a while to get.
 */
static int map_new(size_t len, uint8_t **ret_at)
{
	bool huge = len >= HUGE_FROM;
	size_t size = sealed_span(len), room = huge ? size + HUGE_PAGE : size, before;
	uint8_t *at = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	*ret_at = at;
	if (!huge)
		return 0;
	before = (HUGE_PAGE - (uintptr_t)at % HUGE_PAGE) % HUGE_PAGE;
	if (before)
		munmap(at, before);
	if (HUGE_PAGE - before)
		munmap(at + before + size, HUGE_PAGE - before);
	madvise(at + before, size, MADV_HUGEPAGE);
	*ret_at = at + before;
	return 0;
}

static int sealed_new(size_t len, struct hf_sealed **ret_sealed, uint8_t **ret_at)
{
	struct hf_sealed *s;
	int rc;

	/* The positions in a cdb have 32 bits. */
	if (len == 0 || len >= UINT32_MAX)
		return HF_ELIMIT;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	rc = map_new(len, ret_at);
	if (rc) {
		free(s);
		return rc;
	}
	atomic_init(&s->refs, 1);
	s->bytes = *ret_at;
	s->len = len;
	*ret_sealed = s;
	return 0;
}

/* From now on whoever writes there by mistake ends, instead of changing an address. */
static int sealed_protect(struct hf_sealed *s)
{
	return mprotect((void *)(uintptr_t)s->bytes, sealed_span(s->len), PROT_READ) < 0 ? -errno
											 : 0;
}

/*
 * Copies exactly len bytes and hashes what it copied, so that no later change of the file counts.
 */
static int copy_and_hash(int from, uint8_t *to, size_t len, const atomic_bool *stop,
    uint8_t ret_hash[static HF_FMT_HASH_LEN])
{
	XXH3_state_t *state = XXH3_createState();
	int rc = state ? 0 : -ENOMEM;

	if (!rc)
		XXH3_128bits_reset(state);
	while (!rc && len) {
		ssize_t n = read(from, to, len < CHUNK ? len : CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			/* Shorter than it was when we asked for its size. */
			rc = n < 0 ? -errno : HF_ECHECKSUM;
			break;
		}
		XXH3_128bits_update(state, to, (size_t)n);
		to += n;
		len -= (size_t)n;
		if (stop && atomic_load_explicit(stop, memory_order_relaxed))
			rc = -ECANCELED;
	}
	if (!rc)
		hf_hash_store(XXH3_128bits_digest(state), ret_hash);
	XXH3_freeState(state);
	return rc;
}

/* Nothing that is no regular file is waited for or followed. */
static int sealed_open_file(int dirfd, const struct hf_fmt_file *file)
{
	int fd =
	    openat(dirfd, file->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int rc;

	if (fd < 0)
		return errno == ELOOP ? HF_EUNSAFE : -errno;
	rc = fstat(fd, &st) < 0 ? -errno : 0;
	if (!rc && !S_ISREG(st.st_mode))
		rc = HF_EUNSAFE;
	if (!rc && (uint64_t)st.st_size != file->size)
		rc = HF_ECHECKSUM;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

int hf_sealed_load(int dirfd, const struct hf_fmt_file *file, const atomic_bool *stop,
    struct hf_sealed **ret_sealed)
{
	struct hf_sealed *s = NULL;
	uint8_t *to = NULL;
	int from, rc;

	from = sealed_open_file(dirfd, file);
	if (from < 0)
		return from;
	rc = file->size < UINT32_MAX ? sealed_new((size_t)file->size, &s, &to) : HF_ELIMIT;
	if (!rc)
		rc = copy_and_hash(from, to, s->len, stop, s->hash);
	if (!rc && memcmp(s->hash, file->hash, sizeof(s->hash)) != 0)
		rc = HF_ECHECKSUM;
	if (!rc)
		rc = sealed_protect(s);
	close(from);
	if (rc) {
		hf_sealed_unref(s);
		return rc;
	}
	*ret_sealed = s;
	return 0;
}

int hf_sealed_copy(const void *bytes, size_t len, struct hf_sealed **ret_sealed)
{
	struct hf_sealed *s;
	uint8_t *to;
	int rc;

	rc = sealed_new(len, &s, &to);
	if (rc)
		return rc;
	memcpy(to, bytes, len);
	rc = sealed_protect(s);
	if (rc) {
		hf_sealed_unref(s);
		return rc;
	}
	*ret_sealed = s;
	return 0;
}

bool hf_sealed_is(const struct hf_sealed *s, const struct hf_fmt_file *file)
{
	return s->len == file->size && !memcmp(s->hash, file->hash, sizeof(s->hash));
}

bool hf_sealed_is_shared(const struct hf_sealed *s)
{
	return atomic_load_explicit(&s->refs, memory_order_relaxed) > 1;
}

struct hf_sealed *hf_sealed_ref(struct hf_sealed *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void hf_sealed_unref(struct hf_sealed *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	munmap((void *)(uintptr_t)s->bytes, sealed_span(s->len));
	free(s);
}
