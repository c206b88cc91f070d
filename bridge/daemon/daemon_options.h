/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* daemon_options: the command line of holdfastd. */
#include <stdbool.h>
#include <stdio.h>

enum hf_options_mode { HF_OPTIONS_RUN, HF_OPTIONS_CHECK, HF_OPTIONS_VERSION, HF_OPTIONS_HELP };

struct hf_options {
	enum hf_options_mode mode;
	bool verbose;
	const char *config; /* borrowed from argv, or static */
};

/* 0, or -EINVAL after telling on `err` what is wrong. */
int hf_options_parse(int argc, char **argv, struct hf_options *ret_options, FILE *err);
void hf_options_usage(FILE *out);
