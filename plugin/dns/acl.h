/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * acl: who may ask. The list changes at SIGHUP under running threads: each holds a reference
 * of its own and takes up the newest one at the start of a batch.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>

struct hf_acl;      /* immutable, counted */
struct hf_prefixes; /* config/config.h */

/* One list, that many threads look at. */
struct hf_acl_box {
	pthread_mutex_t lock;
	struct hf_acl *newest;    /* a reference of the box's own */
	_Atomic unsigned version; /* rises with each hf_acl_box_set() */
};

/* What a thread holds. Zero it before use; end it with hf_acl_view_done(). */
struct hf_acl_view {
	struct hf_acl *acl;
	unsigned version;
};

/* The list is copied. 0 or -ENOMEM. End it with hf_acl_box_done(). */
int hf_acl_box_init(struct hf_acl_box *box, const struct hf_prefixes *allow);
/* 0 or -ENOMEM: then the old list stays. */
int hf_acl_box_set(struct hf_acl_box *box, const struct hf_prefixes *allow);
void hf_acl_box_done(struct hf_acl_box *box);

void hf_acl_view_refresh(struct hf_acl_view *view, struct hf_acl_box *box);
void hf_acl_view_done(struct hf_acl_view *view);

/* Addresses of other families are never allowed. */
bool hf_acl_allows(const struct hf_acl_view *view, const struct sockaddr *from);
