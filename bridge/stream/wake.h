#pragma once
/*
 * wake: tells when the machine slept, when its wall clock was set, or when its addresses or routes
 * changed: then what was open may be dead without a sign, and what failed may work. Changes that
 * come close together are told once.
 */
struct event_base;
struct hf_wake; /* opaque */

enum hf_wake_why { WAKE_SLEPT, WAKE_CLOCK, WAKE_NETWORK };

typedef void (*hf_wake_cb)(void *arg, enum hf_wake_why why);

/* 0 or a code. End it with hf_wake_free(), from no callback of its own. */
int hf_wake_new(struct event_base *base, hf_wake_cb cb, void *arg, struct hf_wake **ret_wake);
void hf_wake_free(struct hf_wake *w); /* NULL is fine */
