/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * nameservers: the machine's own resolver, as resolv.conf(5) names it.
 */
#include <stddef.h>

#include "config/config.h"

enum { HF_NAMESERVERS_MAX = 3 }; /* the C library uses no more */

/* The name servers of the file in its order, with port 53. 0 if it names none or cannot be read. */
size_t hf_nameservers_read(const char *path, struct hf_endpoint ret_at[static HF_NAMESERVERS_MAX]);
