/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/store/generation.h"

#include "bridge/store/store.h"

bool hf_store_generation_may_be(uint64_t last, int64_t wall_s)
{
	return !last || wall_s <= 0 || (uint64_t)wall_s <= last ||
	       (uint64_t)wall_s - last <= INT32_MAX;
}

uint64_t hf_generation_next(uint64_t last, int64_t wall_s)
{
	return wall_s > 0 && (uint64_t)wall_s > last && hf_store_generation_may_be(last, wall_s)
		   ? (uint64_t)wall_s
		   : last + 1;
}
