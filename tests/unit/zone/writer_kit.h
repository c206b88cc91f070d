/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * writer_kit: one writer on a folder of its own, for the tests of the writer. Names are text,
 * addresses are numbers.
 */
#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "tests/support/zone_look.h"
#include "zone/writer.h"

enum { KIT_FOLD = 20, KIT_DIRECT = 60, KIT_EVERY_MS = 1000 }; /* the writer's opts */

struct writer_kit {
	char folder[64];
	int dirfd;
	struct hf_fake_clock clock;
	struct hf_zone_writer *writer;
	struct hf_zone_meta meta; /* one source "main" with the suffix "coder" */
	uint64_t generation;      /* last published or tried */
};
extern struct writer_kit kit;
extern const uint8_t kit_epoch[16];

/* A writer on a new folder, with its meta set. */
void kit_setup(void);
void kit_teardown(void);
TCase *kit_case(Suite *s, const char *name);

int kit_open(const char *path, struct hf_zone_stamp *ret_stamp);
/* Ends the writer without a publication and opens its folder again. */
int kit_reopen(struct hf_zone_stamp *ret_stamp);
void kit_close(void);
void kit_make_meta(const char *suffix);

struct hf_name kit_name(const char *text);
void kit_addr(unsigned n, uint8_t ret_addr[static 16]);
int kit_try_set(const char *text, unsigned addr, uint8_t flags);
void kit_set(const char *text, unsigned addr); /* primary */
void kit_set_many(unsigned first, unsigned n); /* "nNUMBER.coder", no PTR */
void kit_del(const char *text);
int kit_publish(void); /* as the next generation */
/* Waits for the thread and takes up what it made. */
int kit_take_fold(void);

struct hf_zone_look kit_look(void);
/* What readers see of a name: HF_FMT_GONE if nothing. */
struct hf_fmt_value kit_seen(const char *text);
/* Fails unless the PTR of address n tells this name; NULL: there is none. */
void kit_check_ptr(unsigned n, const char *want);
struct hf_fmt_current kit_current(void);
/* Of its files; lent until the next call of the same function. */
const char *kit_base_name(void);
const char *kit_delta_name(void);

bool kit_is_there(const char *name);
void kit_make_file(const char *name);
