/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * boot: which boot of the machine it is, and whether its wall clock is synchronised, as the
 * scenario says. The linker puts these in the place of hf_boot_id() and hf_wall_synced()
 * (base/clock.h), for the bridge and for readers alike.
 */
#include <stdbool.h>
#include <stdint.h>

void boot_begin(void); /* the first boot, its wall clock synchronised */
void boot_again(void); /* another one */
void boot_synced(bool synced);

int __wrap_hf_boot_id(uint8_t ret_id[16]);
bool __wrap_hf_wall_synced(void);
