/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* daemon_options: the command line of holdfastd. */
#include <stdbool.h>
#include <stdio.h>

enum hf_daemon_options_mode {
	HF_DAEMON_OPTIONS_RUN,
	HF_DAEMON_OPTIONS_CHECK,
	HF_DAEMON_OPTIONS_VERSION,
	HF_DAEMON_OPTIONS_HELP
};

struct hf_daemon_options {
	enum hf_daemon_options_mode mode;
	bool verbose;
	const char *config; /* borrowed from argv, or static */
};

/* 0, or -EINVAL after telling on `err` what is wrong. */
int hf_daemon_options_parse(
    int argc, char **argv, struct hf_daemon_options *ret_options, FILE *err);
void hf_daemon_options_usage(FILE *out);
