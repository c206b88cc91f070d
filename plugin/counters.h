/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * counters: what was answered, a set a thread, and the record that shows them to loopback clients:
 * TXT _holdfast-counters.SUFFIX "name=..." "answers=..." and so on.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hf_answer; /* zone/answer.h */
struct hf_name;

enum hf_counter {
	HF_COUNT_ANSWERS,  /* questions answered out of the zone, those below among them */
	HF_COUNT_NEGATIVE, /* NXDOMAIN and NODATA */
	HF_COUNT_STALE,
	HF_COUNT_REFUSED,
	HF_COUNT_ERRORS, /* not understood, dropped, or SERVFAIL */
	HF_COUNTERS,
};

/* Written by one thread, read by any; each on a cache line of its own. Zero it before use. */
struct hf_counters {
	_Alignas(64) _Atomic uint64_t n[HF_COUNTERS];
};

/* By the thread that owns it. */
void hf_counters_add(struct hf_counters *c, enum hf_counter which, uint64_t n);
/* Counts one answer of hf_answer(). */
void hf_counters_add_answer(struct hf_counters *c, const struct hf_answer *a);

enum { HF_COUNTERS_TXT_MAX = 64 + HF_COUNTERS * 32 };

/* Rdata of the TXT record: the sum of `n` sets of the reader called `name`. Returns its length. */
size_t hf_counters_txt(const struct hf_counters *sets, size_t n, const char *name,
    uint8_t out[static HF_COUNTERS_TXT_MAX]);

/*
 * True if `name` is _holdfast-counters.SOMETHING; *ret_at is then the offset of SOMETHING in it,
 * which the caller compares with its suffixes.
 */
bool hf_counters_name(const struct hf_name *name, size_t *ret_at);
