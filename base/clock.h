/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * clock: time is passed in, so that a test can be a month long and take a millisecond.
 * All timers and ages run on boottime, which goes on during suspend and never jumps;
 * wall time is only for what people read.
 */
#include <stdbool.h>
#include <stdint.h>

struct hf_clock {
	/* Milliseconds of CLOCK_BOOTTIME. */
	int64_t (*boot_ms)(const struct hf_clock *c);
	/* Milliseconds since 1970 by the wall clock. */
	int64_t (*wall_ms)(const struct hf_clock *c);
};

/* The system's clocks. Static, thread safe. */
extern const struct hf_clock hf_clock_system;

/*
 * A clock that only a test moves, while any thread looks at it. Pass &fake.clock; set the two
 * fields at will.
 */
struct hf_fake_clock {
	struct hf_clock clock; /* first member */
	_Atomic int64_t boot;
	_Atomic int64_t wall;
};

void hf_fake_clock_init(struct hf_fake_clock *f, int64_t boot_ms, int64_t wall_ms);
/* Both clocks go on by ms. */
void hf_fake_clock_add(struct hf_fake_clock *f, int64_t ms);

static inline int64_t hf_boot_ms(const struct hf_clock *c)
{
	return c->boot_ms(c);
}

static inline int64_t hf_wall_ms(const struct hf_clock *c)
{
	return c->wall_ms(c);
}

/*
 * The id of this boot (/proc/sys/kernel/random/boot_id), read once per process. Boottime stamps of
 * another boot mean nothing. Returns 0, or a negative code and an id of zeros where it cannot be
 * read.
 */
int hf_boot_id(uint8_t ret_id[16]);

/*
 * True if the wall clock is synchronised: the kernel says so (ntp_adjtime(3)), or, where it may not
 * be asked (a container, a service with ProtectClock=), systemd-timesyncd has synchronised it since
 * this boot.
 */
bool hf_wall_synced(void);
/* The same, from what ntp_adjtime() returned and the file that timesyncd makes. */
bool hf_wall_synced_by(int adjtime_state, const char *mark);

enum { HF_WALL_TEXT_MAX = 40 };
/*
 * RFC 3339 in UTC ("2026-11-21T12:00:00Z"). Returns out, or NULL for 0 (never) and what is no time.
 */
char *hf_wall_text(int64_t wall_s, char out[static HF_WALL_TEXT_MAX]);
