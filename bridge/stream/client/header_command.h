/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * header_command: runs the operator's program that prints further headers, NAME=VALUE a line,
 * before a dial. Without a shell, with a short environment and no descriptors of ours, and for a
 * limited time; the loop never waits for it. A program that others may write is refused.
 */
#include <stdint.h>

#include "bridge/stream/wire/problem.h"
#include "bridge/stream/client/client_settings.h"

struct event_base;
struct hf_header_command; /* opaque */

/* Told once: lines "NAME: VALUE" (lent), or `problem` (lent). The command is gone. */
typedef void (*hf_header_command_cb)(
    void *arg, const struct hf_texts *lines, const struct hf_problem *problem);

/* 0; or a code and *ret_problem. The callback never comes from within. */
int hf_header_command_new(struct event_base *base, const struct hf_texts *argv, int64_t limit_ms,
    hf_header_command_cb cb, void *arg, struct hf_header_command **ret_command,
    struct hf_problem *ret_problem);
/* Kills it if it still runs. NULL is fine. */
void hf_header_command_free(struct hf_header_command *h);
/* "NAME=VALUE" lines to "NAME: VALUE", in place where it fits; how many; -1: a line is none. */
int hf_header_command_lines(char *text, char **ret_lines, int max);
