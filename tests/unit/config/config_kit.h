/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the suites of config/ share. */
#include <stddef.h>

#include "config/config.h"

struct hf_key;
struct hf_type;

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

/* The configuration that the text is; the test fails if it is refused. */
struct hf_config *config_of(const char *yaml);
/* The lines that are told of the text, one after the other; "" if it is taken. Static. */
const char *errors_of(const char *yaml, unsigned flags);
/* What hf_config_dump() writes; free() it. */
char *dump_of(const struct hf_config *c);
/* All of a file, NUL-terminated; free() it. */
char *file_text(const char *path);

/*
 * A folder of its own for the test, 0700, and a file in it: path and text with the given mode.
 * Static.
 */
const char *temp_folder(void);
const char *temp_file(const char *name, const char *text, unsigned mode);

/*
 * The text through the type and back: what it prints, or "format", "range", "refused: WHY" for what
 * parse said of it. Static.
 */
const char *through(const struct hf_type *type, const struct hf_key *key, const char *text);
