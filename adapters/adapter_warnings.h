/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * adapter_warnings: the states that a person should know of, told when they begin and when they
 * end, and not each time that they are seen.
 */
struct hf_adapter_host;

struct hf_adapter_warnings {
	/* Its own. */
	const struct hf_adapter_host *host; /* borrowed, as the next */
	const char *const *codes;
	unsigned long long begun; /* a bit each */
};

/* `codes` are the adapter's, one word each; at most 64. */
void hf_adapter_warnings_init(
    struct hf_adapter_warnings *w, const struct hf_adapter_host *host, const char *const *codes);
/* The state of codes[which]: `text` says what it is, NULL: it is over. */
void hf_adapter_warnings_set(struct hf_adapter_warnings *w, unsigned which, const char *text);
