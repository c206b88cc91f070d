#pragma once
/*
 * summary: how the bridge does, in one line: for the health listener and the service manager.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hf_core;

struct hf_summary {
	size_t names;
	bool ready; /* a zone is published that answers can be made of */
	bool fresh; /* every source is */
	int64_t stale_since_s; /* wall clock; 0: not known */
	unsigned held; /* removals that wait */
	bool store_ok;
	bool zone_ok; /* readers find what the model has */
};

void hf_summary_fill(struct hf_core *core, struct hf_summary *ret_summary);

enum { HF_SUMMARY_MAX = 160 };
/* "serving 312 names, live", "serving 312 names, stale since 2026-11-21T12:00:00Z, 1 removal waits". */
char *hf_summary_text(const struct hf_summary *s, char out[static HF_SUMMARY_MAX]);
