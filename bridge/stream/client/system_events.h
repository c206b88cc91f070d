/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * system_events: tells when the machine slept, when its wall clock was set, or when its addresses
 * or routes changed: then what was open may be dead without a sign, and what failed may work.
 * Changes that come close together are told once, with the interfaces that they were at.
 */
#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct hf_system_events; /* opaque */

enum hf_system_events_why {
	HF_SYSTEM_EVENTS_SLEPT,
	HF_SYSTEM_EVENTS_CLOCK,
	HF_SYSTEM_EVENTS_NETWORK
};

enum { HF_INTERFACES_MAX = 16 };
/* The interfaces that something changed at. */
struct hf_interfaces {
	bool all; /* or it is not known at which */
	size_t n;
	unsigned at[HF_INTERFACES_MAX];
};

/* `at`: of HF_SYSTEM_EVENTS_NETWORK, lent for the call. */
typedef void (*hf_system_events_cb)(
    void *arg, enum hf_system_events_why why, const struct hf_interfaces *at);

/* Of the messages in a netlink datagram. For tests and for fuzzing. */
void hf_system_events_note(struct hf_interfaces *i, const void *bytes, size_t len);

/* 0 or a code. End it with hf_system_events_free(), from no callback of its own. */
int hf_system_events_new(
    struct event_base *base, hf_system_events_cb cb, void *arg, struct hf_system_events **ret_wake);
void hf_system_events_free(struct hf_system_events *w); /* NULL is fine */
