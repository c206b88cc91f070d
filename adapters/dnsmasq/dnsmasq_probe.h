/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dnsmasq_probe: whether dnsmasq reads our files. A name that nobody else can have, with a random
 * address, is written into one of them until dnsmasq answers it, and removed until dnsmasq does so
 * no more. After that, what dnsmasq answers and our files do not have is others'.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"
#include "adapters/record_table.h"

struct event_base;
struct hf_dns_client;
struct hf_dnsmasq_probe; /* opaque */

struct hf_dnsmasq_probe_opts {
	struct event_base *base;
	struct hf_dns_client *ask;
	struct hf_record_table *table; /* has the probe's record while it is written */
	uint32_t patience_ms;          /* for each of both steps */

	/* All of these get `arg`. Borrowed; outlives the probe. */
	void *arg;
	/* Writes one file of the table. A code and its text, if it could not. */
	int (*write)(void *arg, unsigned file, char *ret_why, size_t why_size);
	/* How long the next write has to wait, in microseconds. */
	int64_t (*gap_us)(void *arg);
	/* A file still has the record, and could not be written: it is to be written later. */
	void (*left)(void *arg, unsigned file);
	/*
	 * 0: dnsmasq reads our files, what comes and what goes; HF_ENOTREADY: it answers, and does
	 * not; or why that cannot be known. From the loop.
	 */
	void (*done)(void *arg, int code);
};

int hf_dnsmasq_probe_new(
    const struct hf_dnsmasq_probe_opts *opts, struct hf_dnsmasq_probe **ret_probe);
/*
 * After the asker, whose answers it gets, and before the table. A record that is in a file is
 * removed from it. NULL is fine.
 */
void hf_dnsmasq_probe_free(struct hf_dnsmasq_probe *p);

/* Below this suffix is the name. */
void hf_dnsmasq_probe_suffix(struct hf_dnsmasq_probe *p, const struct hf_name *suffix);

/* 0: done() will be called. -EAGAIN: no suffix is known. -ENOMEM. Not while it is under way. */
int hf_dnsmasq_probe_begin(struct hf_dnsmasq_probe *p);

/* A record with a name of its own below the suffix, and a random address of ours. */
int hf_dnsmasq_probe_make(const struct hf_name *suffix, struct hf_record *ret_record);
/* Whether it is the name of a probe. */
bool hf_dnsmasq_is_probe(const struct hf_name *name);
