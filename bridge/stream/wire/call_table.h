/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * call_table: the calls of one connection, by their number.
 */
#include <stddef.h>
#include <stdint.h>

#include "bridge/stream/wire/call.h"

struct hf_call_table {
	struct hf_call **at; /* owned, and each in it; by rising id */
	size_t n;
};

/* 0 or -ENOMEM. */
int hf_call_table_init(struct hf_call_table *t, size_t max);
void hf_call_table_done(struct hf_call_table *t); /* fine on a zeroed struct */

/* The table owns the call from now on. Its id is higher than all before; there is room. */
void hf_call_table_add(struct hf_call_table *t, struct hf_call *c);
void hf_call_table_forget(struct hf_call_table *t, struct hf_call *c);

/* NULL where there is none. */
struct hf_call *hf_call_table_find(const struct hf_call_table *t, uint32_t id);
/* One that is not paused and has kept bytes, or its stream's end behind them. */
struct hf_call *hf_call_table_ready(const struct hf_call_table *t);
/* When more than `max` are over and wait for the end of their streams: the oldest of them. */
struct hf_call *hf_call_table_oldest_over(const struct hf_call_table *t, size_t max);
