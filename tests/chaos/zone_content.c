/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/chaos/zone_content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zone/addr.h"

enum { PERIODS = 13, ALL_EVERY = 5 };

uint64_t zone_version(unsigned i, uint64_t generation)
{
	uint64_t v = generation;

	/* Name 0 changes each time: it tells the generation. */
	while (v && v % (i % PERIODS + 1) && v % ALL_EVERY)
		v--;
	/* Every fifth change takes it away. */
	return i && (v + i) % 5 == 0 ? 0 : v;
}

void zone_name(unsigned i, struct hf_name *ret_name)
{
	char text[40];

	snprintf(text, sizeof(text), "main.w%u.me.coder", i);
	if (hf_name_parse(text, ret_name))
		abort();
}

void zone_addr(unsigned i, uint64_t version, uint8_t ret_addr[static 16])
{
	memcpy(ret_addr, hf_addr_prefix, 6);
	ret_addr[6] = (uint8_t)(i >> 8);
	ret_addr[7] = (uint8_t)i;
	for (unsigned k = 0; k < 8; k++)
		ret_addr[8 + k] = (uint8_t)(version >> 8 * (7 - k));
}
