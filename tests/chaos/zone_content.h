/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * zone_content: the zone that zone_driver.c writes and zone_check.c expects: all of it follows from
 * the generation alone, so that a mixture of two is found out.
 */
#include <stdint.h>

#include "zone/name.h"

enum {
	ZONE_NAMES = 150,
	ZONE_FOLD = 40,    /* small, so that a short run has folds, */
	ZONE_DIRECT = 200, /* and changes that go into a base at once */
};

/*
 * The generation in which name i was set last as of `generation`; 0 if it is not there then. It is
 * changed every few generations, and now and then all are.
 */
uint64_t zone_version(unsigned i, uint64_t generation);
/* "main.wI.me.coder"; its parent is there with it only. */
void zone_name(unsigned i, struct hf_name *ret_name);
/* Of name i as it was set in `version`: no other name or version has it. */
void zone_addr(unsigned i, uint64_t version, uint8_t ret_addr[static 16]);
