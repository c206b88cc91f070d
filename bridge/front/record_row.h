/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * record_row: a published record as one line of a listing: for people, for programs, as a line of a
 * hosts file or of a zone file. The bridge writes the lines of a listing, so that holdfastctl only
 * has to pass them on; without a bridge holdfastctl writes them out of the published zone.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "zone/name.h"

enum hf_record_form {
	HF_RECORD_JSON, /* an object without line breaks */
	HF_RECORD_TEXT, /* name, address, state */
	HF_RECORD_HOSTS,
	HF_RECORD_ZONE,
	HF_RECORD_FORMS,
};

/* Texts are borrowed. What is not known is NULL or "", a time 0. */
struct hf_record_row {
	const char *name;
	const char *data; /* the address */
	uint32_t ttl_s;
	const char *source;
	const char *owner;
	const char *workspace;
	const char *agent;
	const char *agent_id;
	const char *state; /* "live", "stale", "held", "withdrawn" */
	int64_t first_seen_s;
	int64_t confirmed_s;
};

/* Which rows are wanted. */
struct hf_record_filter {
	const char *pattern;          /* as shells have it, any case; "" or NULL: all */
	bool stale;                   /* all but those that are live */
	const struct hf_name *suffix; /* at or below it; NULL: any */
	bool answered;                /* all but those that are withdrawn */
	const char *data;             /* with this address, as rows have it; "" or NULL: any */
};

/* "json", "text", "hosts", "zone"; NULL for no form. */
const char *hf_record_row_form_name(enum hf_record_form form);
/* False: no form has this name. */
bool hf_record_row_form_parse(const char *name, enum hf_record_form *ret_form);

/* `wire` is the row's name. */
bool hf_record_row_wanted(
    const struct hf_record_filter *f, const struct hf_record_row *row, const struct hf_name *wire);

/* Writes rows of one form. Zero it and set `out` and `form`. */
struct hf_record_writer {
	FILE *out; /* borrowed */
	enum hf_record_form form;
	/* The last two times as text: most rows have the times of the row before. */
	struct {
		int64_t wall_s;
		char text[HF_WALL_TEXT_MAX];
	} memo[2];
};

/* The row without an end of line. */
void hf_record_row_write(struct hf_record_writer *w, const struct hf_record_row *row);
