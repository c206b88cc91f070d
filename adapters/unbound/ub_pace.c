/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/unbound/ub_pace.h"

enum { PAUSE_MAX_US = 1000 * 1000 };

uint32_t hf_ub_pace_took(struct hf_ub_pace *p, size_t n, int64_t took_us)
{
	size_t fits;

	if (took_us < 1)
		took_us = 1;
	if (took_us > HF_PACE_LONG_US) {
		p->now = (n < p->now ? n : p->now) / 2;
	} else if (n >= p->now / 2) {
		/* A short one says little. It grows slowly: one quick command is no proof. */
		fits = (size_t)((int64_t)n * HF_PACE_AIM_US / took_us);
		p->now = fits > p->now + p->now / 2 ? p->now + p->now / 2 + 1 : fits;
	}
	if (p->now < 1)
		p->now = 1;
	if (p->now > p->cap)
		p->now = p->cap;
	return took_us / 3 > PAUSE_MAX_US ? PAUSE_MAX_US : (uint32_t)(took_us / 3);
}
