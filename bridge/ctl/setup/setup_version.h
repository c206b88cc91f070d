/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * setup_version: of a resolver whose configuration is written otherwise from some version on: which
 * one is installed here.
 */
struct hf_setup_program {
	const char *name;   /* of the program, looked for where systems have theirs */
	const char *before; /* what stands before the number in the output of --version */
};

/* A version as one number: 2.93 is 2093. */
enum { HF_SETUP_MINORS = 1000, HF_SETUP_VERSION_TEXT_MAX = 16 };

/* What is installed here; 0: nothing, or it does not say. */
unsigned hf_setup_installed(const struct hf_setup_program *program);

/* "5", "5.2", "5.2.1"; further numbers do not count. 0: that is no version. */
unsigned hf_setup_version(const char *text);
const char *hf_setup_version_text(unsigned version, char out[static HF_SETUP_VERSION_TEXT_MAX]);
