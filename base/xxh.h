/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * xxh: xxHash compiled in: nothing is linked, so that a plugin brings no symbol of it into its
 * host. Include this and never <xxhash.h>.
 */
#define XXH_INLINE_ALL
/*
 * By memcpy(). What xxHash 0.8.3 does of itself breaks the rules of aliasing: from -O2 on gcc 14
 * then hashes what was in memory before the bytes were written there (Debian 13; upstream's later
 * versions say may_alias).
 */
#define XXH_FORCE_MEMORY_ACCESS 0
#include <xxhash.h>
