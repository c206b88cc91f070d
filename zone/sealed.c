#include "zone/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "zone/hash.h"

enum { CHUNK = 64 * 1024 };

static const int all_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

/*
 * Seals the memory of fd and maps it. Private, although nobody can write: before Linux 6.7 write-sealed memory
 * cannot be mapped shared at all. Its pages are the sealed ones all the same.
 */
static int seal_and_map(int fd, struct hf_sealed *s)
{
	void *at;

	if (fcntl(fd, F_ADD_SEALS, all_seals) < 0)
		return -errno;
	at = mmap(NULL, s->len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	s->bytes = at;
	return 0;
}

static int sealed_new(size_t len, struct hf_sealed **ret_sealed, int *ret_fd)
{
	struct hf_sealed *s;
	int fd;

	/* The positions in a cdb have 32 bits. */
	if (len == 0 || len >= UINT32_MAX)
		return HF_ELIMIT;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	fd = memfd_create("holdfast-zone", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0) {
		free(s);
		return -errno;
	}
	atomic_init(&s->refs, 1);
	s->len = len;
	*ret_sealed = s;
	*ret_fd = fd;
	return 0;
}

/* Copies exactly len bytes and hashes what it copied, so that no later change of the file counts. */
static int copy_and_hash(int from, int to, size_t len, const atomic_bool *stop,
    uint8_t ret_hash[static HF_FMT_HASH_LEN])
{
	XXH3_state_t *state = XXH3_createState();
	uint8_t *chunk = malloc(CHUNK);
	int rc = state && chunk ? 0 : -ENOMEM;

	if (!rc)
		XXH3_128bits_reset(state);
	while (!rc && len) {
		ssize_t n = read(from, chunk, len < CHUNK ? len : CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			/* Shorter than it was when we asked for its size. */
			rc = n < 0 ? -errno : HF_ECHECKSUM;
			break;
		}
		XXH3_128bits_update(state, chunk, (size_t)n);
		rc = hf_file_write_all(to, chunk, (size_t)n);
		len -= (size_t)n;
		if (!rc && stop && atomic_load_explicit(stop, memory_order_relaxed))
			rc = -ECANCELED;
	}
	if (!rc)
		hf_hash_store(XXH3_128bits_digest(state), ret_hash);
	free(chunk);
	XXH3_freeState(state);
	return rc;
}

/* Nothing that is no regular file is waited for or followed. */
static int open_file(int dirfd, const struct hf_fmt_file *file)
{
	int fd = openat(dirfd, file->name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
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
	int from, to = -1, rc;

	from = open_file(dirfd, file);
	if (from < 0)
		return from;
	rc = file->size < UINT32_MAX ? sealed_new((size_t)file->size, &s, &to) : HF_ELIMIT;
	if (!rc)
		rc = copy_and_hash(from, to, s->len, stop, s->hash);
	if (!rc && memcmp(s->hash, file->hash, sizeof(s->hash)) != 0)
		rc = HF_ECHECKSUM;
	if (!rc)
		rc = seal_and_map(to, s);
	close(from);
	if (to >= 0)
		close(to);
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
	int fd, rc;

	rc = sealed_new(len, &s, &fd);
	if (rc)
		return rc;
	rc = hf_file_write_all(fd, bytes, len);
	if (!rc)
		rc = seal_and_map(fd, s);
	close(fd);
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
	if (s->bytes)
		munmap((void *)(uintptr_t)s->bytes, s->len);
	free(s);
}
