/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * printable: a peer's bytes made fit to be shown: printable ASCII, the rest as \xNN, cut with "..."
 * where there is no room. No escape is ever cut in two.
 */
#include <stddef.h>

/* Writes at most `size` bytes, NUL included (size >= 4). Returns `out`. */
char *hf_printable_copy(char *out, size_t size, const void *bytes, size_t len);
