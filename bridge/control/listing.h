/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * listing: long answers, each written by a process of its own, out of its copy of what was true at
 * one moment, for as long as its client takes to read it. What they cost is bounded, whatever
 * clients do: so many at once, of them so many for one user, a time, a time without anything read,
 * a time of CPU; and they end with the bridge.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bridge/control/control_answer.h"

struct event_base;
struct hf_listing_pool; /* opaque */

enum { HF_LISTING_MAX = 4, HF_LISTING_OF_USER_MAX = 2 };

/* One has ended; `cpu_ms` is what it used. A new one may be begun from within. */
typedef void (*hf_listing_cb)(void *arg, bool trusted, int64_t cpu_ms);

int hf_listing_pool_new(
    struct event_base *base, hf_listing_cb ended, void *arg, struct hf_listing_pool **ret_listings);
/* Kills those that run. NULL is fine. */
void hf_listing_pool_free(struct hf_listing_pool *l);

/*
 * Whether one more may be begun for this user. One place is for those who may command (`trusted`),
 * who may have all.
 */
bool hf_listing_pool_room(const struct hf_listing_pool *l, uid_t uid, bool trusted);
/*
 * Begins one. Its process has `fd` then; the caller's copy stays the caller's. 0, -EBUSY without
 * room, or a code.
 */
int hf_listing_start(struct hf_listing_pool *l, const struct hf_control_env *env,
    const struct hf_control_request *request, int fd, uid_t uid, bool trusted);
