/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * control_request: one line of a client of the control socket, read and checked. A connection has
 * one request: a JSON object with "command", and what that command takes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/front/record_row.h"
#include "zone/addr.h"
#include "zone/name.h"

enum { HF_CONTROL_REQUEST_MAX = 4096, HF_HISTORY_MAX = 1000, HF_TICKET_MAX = 17 };

enum hf_command {
	HF_COMMAND_STATUS,
	HF_COMMAND_RECORDS,
	HF_COMMAND_WORKSPACES,
	HF_COMMAND_NEAR, /* the name that was probably meant */
	HF_COMMAND_HISTORY,
	HF_COMMAND_ACCEPT,
	HF_COMMAND_REJECT,
	HF_COMMAND_RESYNC,
	HF_COMMAND_VERIFY,
	HF_COMMAND_PREVIEW, /* what accept or reject would do */
	HF_COMMAND_LAST,
};

struct hf_control_request {
	enum hf_command command;
	char source[HF_LABEL_MAX + 1];  /* "" where not given, as all texts */
	char owner[HF_LABEL_MAX + 1];   /* name or id */
	char adapter[HF_LABEL_MAX + 1]; /* resync: this one alone; verify: "" is each */
	char what[16];                  /* "removal", "deployment", "suffix" */
	enum hf_command decision;       /* accept, reject: itself; preview: which of them */
	/* accept, reject: of the preview that was shown; "": none was */
	char ticket[HF_TICKET_MAX];
	char name[HF_NAME_TEXT_MAX]; /* records, workspaces: a pattern as shells have it */
	bool recover;                /* resync: the one recovery is allowed again */
	bool full;                   /* verify: all names, not a sample */
	bool stale;                  /* records: all but the live ones */
	bool answered;               /* records: all but the withdrawn ones */
	bool formed;                 /* records: rows in `form`, else as objects */
	enum hf_record_form form;
	struct hf_name suffix;       /* records: at or below it; len 0: any */
	char data[HF_ADDR_TEXT_MAX]; /* records: with this address */
	uint64_t after;              /* history: only of later generations */
	unsigned max;                /* history: so many lines, 1 to HF_HISTORY_MAX */
};

/* The line without its end, any bytes. 0, or HF_EREFUSED and *ret_why (static). */
int hf_control_request_parse(
    const char *line, size_t len, struct hf_control_request *ret_request, const char **ret_why);
/* Whether its answer can be long: a process of its own writes it. */
bool hf_control_request_lists(const struct hf_control_request *request);
/* Whether it changes something: for control-group only. */
bool hf_control_request_orders(const struct hf_control_request *request);
