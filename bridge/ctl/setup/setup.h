/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * setup: what to put into a resolver's configuration, from our own.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "bridge/ctl/setup/setup_version.h"

struct hf_config;
struct hf_setup_words;

/* A resolver whose configuration is written otherwise from one version on. */
struct hf_setup_versions {
	struct hf_setup_program program;
	unsigned from; /* the first whose lines are in the kind's own template */
	unsigned oldest;
	const char *old_template; /* of those before `from` */
	unsigned assumed;         /* if none is installed here */
};

/* What a person may ask for. `adapter`: of a resolver that also an adapter may feed. */
struct hf_setup_kind {
	const char *name;
	const char *template; /* NULL: what an adapter says */
	const char *adapter;  /* the type whose lines come first where it is configured; NULL */
	const char *text;     /* one line for people */
	const struct hf_setup_versions *versions; /* NULL: all are written alike */
};

extern const struct hf_setup_kind hf_setup_kinds[]; /* ends with name NULL */

/* Every name of hf_setup_kinds with its text. */
void hf_setup_list(FILE *out);

/* Whether `resolver` is one of them; else it is reported on `err`. */
bool hf_setup_knows(const char *resolver, FILE *err);

/* Where the configuration leaves a source's suffix to its server, the one that the status has. */
void hf_setup_fill_suffixes(struct hf_config *config, const json_t *status);

/*
 * Suffixes from a status (NULL: not known), else those that the configuration has; the rest from
 * the configuration. 0; -EINVAL after telling on `err` that no suffix is known.
 */
int hf_setup_words_get(const struct hf_config *config, const json_t *status,
    struct hf_setup_words *ret_words, FILE *err);

/*
 * The lines for `resolver`; as {resolver, form, version, files: [{path, text}]} with json. For the
 * version that is installed here, or `for_version` ("5", "4.9"; NULL: not given). 0; -EINVAL after
 * telling on `err` what was wrong.
 */
int hf_setup_print(const struct hf_config *config, const struct hf_setup_words *words,
    const char *resolver, const char *for_version, bool json, FILE *out, FILE *err);
