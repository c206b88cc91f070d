/* SPDX-License-Identifier: Apache-2.0 */
/* A value of the zone's files, of any bytes: what is taken is written back the same. */
#include <stdlib.h>
#include <string.h>

#include "zone/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[HF_FMT_VALUE_MAX];
	struct hf_fmt_value v;
	int len;

	if (hf_fmt_value_get(data, size, &v))
		return 0;
	len = hf_fmt_value_put(&v, again, sizeof(again));
	if (len < 0 || (size_t)len != size || memcmp(again, data, size))
		abort();
	return 0;
}
