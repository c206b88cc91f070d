/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * paced_writer: writes the files that have changes, no faster than dnsmasq can take them. dnsmasq
 * works off all changes of files before it answers the next question, so whoever waits for an
 * answer after each write knows how long it took, and that it was taken: a step of a few files,
 * then a canary question, then a pause as long as that took, then the next step. Steps are sized so
 * that dnsmasq is silent for some milliseconds at most.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/record_table.h"

struct event_base;
struct hf_dns_client;
struct hf_paced_writer; /* opaque */

struct hf_paced_writer_opts {
	struct event_base *base;
	struct hf_dns_client *ask;
	const struct hf_record_table *table;
	unsigned n_files;     /* as the table has buckets */
	uint32_t min_gap_ms;  /* between two steps */
	uint32_t patience_ms; /* until a name that was written must be answered */
	uint32_t gone_ms;     /* until one that was taken must not be answered any more */
	unsigned step_max;    /* files of a step */

	/* All of these get `arg`. Borrowed; outlives the pump. */
	void *arg;
	/* Writes one file. A code and its text, if it could not; the pump stops then. */
	int (*write)(void *arg, unsigned file, char *ret_why, size_t why_size);
	/*
	 * Nothing is left to write and all is in force, or `code` says why not; the files that were
	 * not written stay noted. `silent`: nobody listens where dnsmasq should. Not from within
	 * hf_paced_writer_go().
	 */
	void (*drained)(void *arg, int code, const char *why, bool silent);
};

int hf_paced_writer_new(const struct hf_paced_writer_opts *opts, struct hf_paced_writer **ret_pump);
void hf_paced_writer_free(struct hf_paced_writer *p); /* NULL is fine. Not within a callback */

/* Note that a file is to be written. */
void hf_paced_writer_dirty(struct hf_paced_writer *p, unsigned file);
bool hf_paced_writer_is_dirty(const struct hf_paced_writer *p, unsigned file);
bool hf_paced_writer_any(const struct hf_paced_writer *p); /* is noted */
/* What is to be gone with what is noted: asked for where a file has nothing left. */
void hf_paced_writer_gone(struct hf_paced_writer *p, const struct hf_record_entry *e);

/*
 * Others may have a name as well, so that a canary says nothing of our files: the one for which
 * drained() ended with HF_ENOTREADY. `taken`: it was to be gone. False: there is none.
 */
bool hf_paced_writer_stuck(
    const struct hf_paced_writer *p, struct hf_record *ret_record, bool *ret_taken);
/*
 * It is known that dnsmasq reads what is written (until false): whatever it answers to a canary, it
 * has come that far. The one that it is stuck with is forgotten.
 */
void hf_paced_writer_trust(struct hf_paced_writer *p, bool trusts);

/* For who writes a file himself: how long that has to wait, and that it was done. */
int64_t hf_paced_writer_wait_us(const struct hf_paced_writer *p);
void hf_paced_writer_wrote(struct hf_paced_writer *p);

/*
 * Write what is noted, then call drained() once. While it is at it, this is one more wish for the
 * same: one call of drained() answers all. After a failure it first asks again whether what was
 * written is in force.
 */
void hf_paced_writer_go(struct hf_paced_writer *p);
