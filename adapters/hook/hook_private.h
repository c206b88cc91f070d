/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hook_private: what the files of the hook share. hook.c is the adapter; dhcp_script.c makes the
 * calls of the form dhcp-script, json_lines.c the lines of the form json.
 */
#include "adapters/adapter_head.h"
#include "base/child.h"
#include "config/config.h"

enum {
	HF_HOOK_ARGS_MAX = 40, /* the configuration has at most 32 words */
	HF_HOOK_TEXT_MAX = 600,
};

/* --- dhcp_script.c: one change is one call, or two: the old address goes first --- */

enum { HF_HOOK_ENV_MAX = 16, HF_HOOK_ENV_LEN = 1200 };

struct hf_hook_call {
	const char *argv[HF_HOOK_ARGS_MAX + 5];
	const char *env[HF_HOOK_ENV_MAX + 1];
	char addr[HF_ADDR_TEXT_MAX];
	char name[HF_NAME_TEXT_MAX];
	char text[HF_HOOK_ENV_MAX][HF_HOOK_ENV_LEN];
};

/* How many calls the change needs. */
unsigned hf_hook_calls(const struct hf_change *change);
/* Call number i of them. The call points into itself and to the configuration and `change`. */
void hf_hook_call_make(const struct hf_adapter *a, const struct hf_batch *batch,
    const struct hf_change *change, unsigned i, struct hf_hook_call *ret_call);

/* --- the fates of a batch, as far as it came --- */

struct hf_hook_fates {
	uint8_t *at; /* owned: room for the batch */
	char **whys; /* owned, each too: of those that failed; NULL where there is none */
	size_t n;
};

/* json_lines.c */
int hf_hook_fates_make(struct hf_hook_fates *f, size_t room);
void hf_hook_fates_free(struct hf_hook_fates *f);
/* The next one; `why` is copied, NULL: there is none. */
void hf_hook_fates_add(struct hf_hook_fates *f, uint8_t fate, const char *why);

/* --- json_lines.c --- */

/* The batch as lines, owned by the caller; NULL when memory is out. */
char *hf_hook_lines(const struct hf_adapter *a, const struct hf_batch *batch, size_t *ret_len);
/*
 * The program's lines: one a change, in order, into `fates` (with room for n, and empty). 0, or why
 * the next one has none, and the text of that. Behind an error there may be no more lines: the rest
 * is left for the next batch.
 */
int hf_hook_receipt(
    char *output, size_t n, struct hf_hook_fates *fates, char text[static HF_HOOK_TEXT_MAX]);
/* The longest output that n changes may have. */
size_t hf_hook_output_max(size_t n);
