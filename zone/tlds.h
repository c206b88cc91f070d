/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tlds: the public top-level domains of three and more letters. To serve one of them would hide the
 * names of everybody else in it. Countries are not listed: they have all of the two-letter ones.
 */
#include <stdbool.h>
#include <stddef.h>

/* `label` is lower case, of any bytes, and need not end with NUL. */
bool hf_tld_is_public(const char *label, size_t len);
