/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ub_line: one record as text: a line of a listing of local data, or of a start file.
 */
#include <stdbool.h>

#include "adapters/adapter.h"
#include "zone/name.h"

/* "main.dev.me.coder.\t30\tIN\tAAAA\tfd60:..." */
struct hf_ub_line {
	char owner[HF_NAME_TEXT_MAX];
	unsigned ttl_s;
	char type[16];
	char data[HF_NAME_TEXT_MAX];
};
/* Of a listing. */
bool hf_ub_line_read(const char *at, struct hf_ub_line *ret_line);
const char *hf_ub_line_next(const char *at);
/* Of a start file, in either form: 'local-data: "NAME TTL TYPE DATA"', "NAME TTL IN TYPE DATA". */
bool hf_ub_line_read_start(const char *line, struct hf_ub_line *ret_line);

/*
 * An address of the prefix with its name, or, of `pointers`, a pointer from such an address, which
 * is a record with `primary`.
 */
bool hf_ub_line_record(const struct hf_ub_line *line, bool pointers, struct hf_record *ret_record);
