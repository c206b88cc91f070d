/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sealed: the bytes of one file of the published zone, copied into memory of our own that is
 * read-only from then on, and checked on the way. What happens to the file afterwards (truncated,
 * overwritten, unlinked) cannot reach whoever reads these bytes. Counted; any thread may hold it.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/format.h"

struct hf_sealed {
	atomic_uint refs;
	const uint8_t *bytes;
	size_t len;
	uint8_t hash[HF_FMT_HASH_LEN];
};

/*
 * Copy `file` out of the folder dirfd. HF_ECHECKSUM if its size or hash is another one, HF_EUNSAFE
 * if it is no regular file, HF_ELIMIT beyond what a cdb can be, or -errno. Where `stop` (may be
 * NULL) becomes true on the way: -ECANCELED. The caller owns *ret_sealed; end it with
 * hf_sealed_unref().
 */
int hf_sealed_load(int dirfd, const struct hf_fmt_file *file, const atomic_bool *stop,
    struct hf_sealed **ret_sealed);

/* The same of bytes at hand, which have no hash to match. */
int hf_sealed_copy(const void *bytes, size_t len, struct hf_sealed **ret_sealed);

/* True if it holds what `file` should. */
bool hf_sealed_is(const struct hf_sealed *s, const struct hf_fmt_file *file);

/* True if others than the caller hold it too. */
bool hf_sealed_is_shared(const struct hf_sealed *s);

struct hf_sealed *hf_sealed_ref(struct hf_sealed *s);
void hf_sealed_unref(struct hf_sealed *s); /* NULL is fine */
