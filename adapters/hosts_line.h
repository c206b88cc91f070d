/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hosts_line: one record as a line of a hosts file, "ADDRESS NAME", and back. Whatever a name
 * holds, nothing but one line with one name ever comes of it. Pure; no allocation.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"

/* 45 for the address, 254 for the name, a space, CR and LF. */
enum { HF_HOSTS_LINE_MAX = 304 };

/* Whether a hosts file of ours may have it: a name of our labels, an address within the /48. */
bool hf_hosts_line_fits(const struct hf_record *r);

/* Of a record that fits; with its end of line, without NUL. Returns the length. */
size_t hf_hosts_line_format(
    const struct hf_record *r, bool crlf, char out[static HF_HOSTS_LINE_MAX]);

/*
 * A line of ours, with or without its end. Returns 1 and fills *ret_record (primary is false), 0
 * for a blank line or a comment, HF_EFORMAT for all else.
 */
int hf_hosts_line_parse(const char *line, size_t len, struct hf_record *ret_record);

/*
 * The next word of a line, of less than `size` bytes, with a NUL. 1, 0 at the end or a comment,
 * HF_EFORMAT for one that is too long or has a NUL.
 */
int hf_hosts_line_word(const char **at, const char *end, char *out, size_t size);

/* A line of bytes, end of line included; advances *at. False at the end. */
bool hf_hosts_line_next(const char **at, const char *end, const char **ret_line, size_t *ret_len);

/* A checksum against accidents and edits, not against attackers. */
uint64_t hf_hosts_line_sum(const void *bytes, size_t len);
