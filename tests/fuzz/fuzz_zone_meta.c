/* SPDX-License-Identifier: Apache-2.0 */
/* The settings in the zone's files, of any bytes: what is taken is written back the same. */
#include <stdlib.h>
#include <string.h>

#include "zone/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[HF_FMT_META_MAX];
	static struct hf_zone_meta meta;
	uint64_t n_names;
	int len;

	if (hf_fmt_meta_get(data, size, &meta, &n_names))
		return 0;
	len = hf_fmt_meta_put(&meta, n_names, again, sizeof(again));
	if (len < 0 || (size_t)len != size || memcmp(again, data, size))
		abort();
	return 0;
}
