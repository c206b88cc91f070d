/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * mark: the first line of a file that we own, by which we know it again, with a checksum of all
 * that follows it.
 */
#include <stddef.h>

struct hf_record_table; /* adapters/record_table.h */

enum { HF_MARK_MAX = 160 };

/* The whole line for these bytes. Returns its length. */
size_t hf_mark_line(const char *bytes, size_t len, char out[static HF_MARK_MAX]);

/*
 * The length of the mark that the file begins with. HF_EREFUSED: it begins with something else;
 * HF_EFORMAT: with our mark, but what follows is not what was marked (*ret_len is set), or it is
 * empty, or begins with a zero: nobody writes that, and a power cut may leave it.
 */
int hf_mark_check(const char *bytes, size_t len, size_t *ret_len);

/*
 * The records of a file that begins with our mark into `table`, whatever others made of it. 0, also
 * if the file is missing or not ours; or a code.
 */
int hf_mark_load(int dir, const char *name, size_t max, struct hf_record_table *table);
