/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dnsmasq_batch: one batch, from the question whether others have its names to the receipt. What
 * comes is written first; when that is answered, what goes. So a name whose address changes is
 * never without one.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"

struct hf_dns_client;
struct hf_dnsmasq_batch; /* opaque */
struct hf_host_files;
struct hf_paced_writer;

enum {
	HF_DNSMASQ_NAMES_MAX = 30000, /* above, each change stalls dnsmasq for tens of ms */
	HF_DNSMASQ_NAMES_WARN = 10000,
	HF_DNSMASQ_BATCH_MAX = HF_DNSMASQ_NAMES_WARN, /* a fill writes each file once, at best */
};

struct hf_dnsmasq_batch_opts {
	struct event_base *base;
	struct hf_dns_client *ask;
	struct hf_host_files *files; /* and its table */
	struct hf_paced_writer *pump;
	uint32_t patience_ms; /* until dnsmasq must have read what was written */
	/* Both get `arg`. Borrowed; outlives the object. */
	void *arg;
	/* As of struct hf_paced_writer_opts. */
	int (*write)(void *arg, unsigned file, char *ret_why, size_t why_size);
	/* The receipt is there, and is not given before the next turn. */
	void (*done)(void *arg);
};

int hf_dnsmasq_batch_new(
    const struct hf_dnsmasq_batch_opts *opts, struct hf_dnsmasq_batch **ret_batch);
/* After the asker, whose answers it gets; may write a file. NULL is fine. */
void hf_dnsmasq_batch_free(struct hf_dnsmasq_batch *b);

/* Below this suffix are its probes. */
void hf_dnsmasq_batch_suffix(struct hf_dnsmasq_batch *b, const struct hf_name *suffix);

/* `batch` is lent until the receipt. It waits for hf_dnsmasq_batch_loaded(). */
void hf_dnsmasq_batch_take(struct hf_dnsmasq_batch *b, const struct hf_batch *batch);
/*
 * The files were read: what waits begins. Or `code` and `why`: it ends so. `leaves`: no suffix is
 * ours any more; a batch of nothing removes all that is in our files then.
 */
void hf_dnsmasq_batch_loaded(struct hf_dnsmasq_batch *b, int code, const char *why, bool leaves);
/* The pump has ended. False: no batch was waiting for it. */
bool hf_dnsmasq_batch_drained(struct hf_dnsmasq_batch *b, int code, const char *why);

/* The receipt, once after done(). Its parts are lent until the next batch. */
void hf_dnsmasq_batch_receipt(struct hf_dnsmasq_batch *b, struct hf_receipt *ret_receipt);

/*
 * The files are ours, whatever is in them: also names below a suffix that nobody knows any more, of
 * a lost store. Notes the files of what is below none of these.
 */
void hf_dnsmasq_batch_sweep(struct hf_dnsmasq_batch *b, const struct hf_name *suffixes, size_t n);
