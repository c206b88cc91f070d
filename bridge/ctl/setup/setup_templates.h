/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * setup_templates: the files *.in of this folder, compiled in. What they may hold: setup_fill.h.
 */
struct hf_setup_template {
	const char *name; /* the file's, without what follows the first dot */
	const char *text;
};

extern const struct hf_setup_template hf_setup_templates[]; /* ends with name NULL */
