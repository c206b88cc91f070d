/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/client_random.h"

#include <errno.h>
#include <sys/random.h>

int hf_client_random(void *arg, uint8_t *out, size_t len)
{
	while (len) {
		ssize_t n = getrandom(out, len, 0);

		if (n < 0 && errno != EINTR)
			return -1;
		out += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int64_t hf_client_between(int64_t from_ms, int64_t to_ms)
{
	uint32_t r = 0;

	hf_client_random(NULL, (uint8_t *)&r, sizeof(r));
	return from_ms + (int64_t)((double)(to_ms - from_ms) * (r / 4294967295.0));
}

uint32_t hf_client_random32(void)
{
	uint32_t r = 0;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) < 0)
		r = 0;
	return r;
}
