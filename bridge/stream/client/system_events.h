/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * system_events: tells when the machine slept, when its wall clock was set, or when its addresses or routes
 * changed: then what was open may be dead without a sign, and what failed may work. Changes that
 * come close together are told once, with the interfaces that they were at.
 */
#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct hf_wake; /* opaque */

enum hf_wake_why { WAKE_SLEPT, WAKE_CLOCK, WAKE_NETWORK };

enum { HF_INTERFACES_MAX = 16 };
/* The interfaces that something changed at. */
struct hf_interfaces {
	bool all; /* or it is not known at which */
	size_t n;
	unsigned at[HF_INTERFACES_MAX];
};

/* `at`: of WAKE_NETWORK, lent for the call. */
typedef void (*hf_wake_cb)(void *arg, enum hf_wake_why why, const struct hf_interfaces *at);

/* Of the messages in a netlink datagram. For tests and for fuzzing. */
void hf_interfaces_note(struct hf_interfaces *i, const void *bytes, size_t len);

/* 0 or a code. End it with hf_wake_free(), from no callback of its own. */
int hf_wake_new(struct event_base *base, hf_wake_cb cb, void *arg, struct hf_wake **ret_wake);
void hf_wake_free(struct hf_wake *w); /* NULL is fine */
