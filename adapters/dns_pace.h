/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dns_pace: how many questions a second one server gets from us. Pure: time comes in.
 *
 * A server may have a limit of its own, and above it drops everything from our address: also what
 * other programs of this machine ask. So it begins slowly and doubles until something is lost; then
 * half of what was answered in a second is asked, soon three quarters, and from there it becomes
 * one hundredth more each second. Where the limit is known nothing has to be lost to find it.
 */
#include <stdbool.h>
#include <stdint.h>

struct hf_dns_pace {
	uint32_t top;      /* a second: never more */
	uint32_t limit;    /* the server's own, as it tells; 0: none is known */
	bool told;         /* it was asked for its limit */
	uint32_t rate;     /* a second, now */
	uint32_t borne;    /* answered in the best second before something was lost; 0: never yet */
	int64_t ready_us;  /* when the next question may be sent */
	int64_t grown_us;  /* the rate became what it is */
	uint32_t sent;     /* since then */
	bool unused;       /* less than half of the rate was asked for before that */
	int64_t second_us; /* began then */
	uint32_t heard, heard_before; /* answers in it, and in the one before */
	int64_t heard_us;             /* the last answer */
	int64_t slowed_us;
};

/* At most `top` a second. */
void hf_dns_pace_init(struct hf_dns_pace *p, uint32_t top);
/*
 * What the server bears from one address in a second; we take half of it. 0: it says that it has no
 * limit, so it is asked at full speed from now on, until something is lost all the same.
 */
void hf_dns_pace_limit(struct hf_dns_pace *p, uint32_t limit);
/* A question may be sent now, and counts as sent. If not: at p->ready_us. */
bool hf_dns_pace_take(struct hf_dns_pace *p, int64_t now_us);
void hf_dns_pace_heard(struct hf_dns_pace *p, int64_t now_us);
/*
 * A question that was sent then had no answer in its time. What was lost together counts once. Far
 * below the rate, and where nothing is answered for a while, it is no limit that was met: the
 * server was restarted, or is not there.
 */
void hf_dns_pace_lost(struct hf_dns_pace *p, int64_t sent_us, int64_t now_us);
