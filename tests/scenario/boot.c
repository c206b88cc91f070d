/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/boot.h"

#include <string.h>

static uint8_t boot;
static bool wall_synced;

void boot_begin(void)
{
	boot = 1;
	wall_synced = true;
}

void boot_again(void)
{
	boot++;
}

void boot_synced(bool synced)
{
	wall_synced = synced;
}

int __wrap_hf_boot_id(uint8_t ret_id[16])
{
	memset(ret_id, boot, 16);
	return 0;
}

bool __wrap_hf_wall_synced(void)
{
	return wall_synced;
}
