/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity record in the zone's files, of any bytes, for any number of sources: the first byte.
 * What is taken is written back the same; what is refused changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "zone/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[HF_FMT_IDENTITY_MAX];
	static struct hf_zone_meta meta, before;
	int len;

	if (!size)
		return 0;
	memset(&meta, 0, sizeof(meta));
	meta.n_sources = data[0] % (HF_ZONE_SOURCES_MAX + 1);
	before = meta;
	if (hf_fmt_identity_get(data + 1, size - 1, &meta)) {
		if (memcmp(&meta, &before, sizeof(meta)))
			abort();
		return 0;
	}
	len = hf_fmt_identity_put(&meta, again, sizeof(again));
	if (len < 0 || (size_t)len != size - 1 || memcmp(again, data + 1, size - 1))
		abort();
	return 0;
}
