/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ub_sums: a set of names, or of records, kept by their 64-bit sums: two that share one are taken
 * for the same.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hf_ub_sums {
	uint64_t *at; /* owned; zero: free */
	size_t n, size;
};

/* Of `n` bytes, after those that `sum` is of; 0 to begin with. */
uint64_t hf_ub_sum(uint64_t sum, const void *bytes, size_t n);

bool hf_ub_sums_has(const struct hf_ub_sums *s, uint64_t sum);
/* 1: it is new, 0: it was in it, or -ENOMEM. */
int hf_ub_sums_add(struct hf_ub_sums *s, uint64_t sum);
/* It is empty then, and may be used again. */
void hf_ub_sums_free(struct hf_ub_sums *s);
