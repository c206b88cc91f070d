/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * why_missing: why there is no record of a name: a workspace that is stopped, or a slip of the pen.
 */
#include <jansson.h>

enum { HF_WHY_MISSING_MAX = 400 };

/* A sentence about a row of "workspaces" that has no names, or NULL where it should have some. */
const char *hf_why_missing_workspace(const json_t *row, char out[static HF_WHY_MISSING_MAX]);

/*
 * Asks the bridge on `socket` whose status is `status`. `name` as it was typed. Never NULL; `out`
 * may hold it.
 */
const char *hf_why_missing_explain(const char *socket, const json_t *status, const char *name,
    char out[static HF_WHY_MISSING_MAX]);
