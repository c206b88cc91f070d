/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dnsmasq_readback: asks dnsmasq whether it has what it was given, name by name.
 */
#include "adapters/adapter.h"
#include "adapters/record_table.h"

struct hf_dns_client;
struct hf_dnsmasq_readback; /* opaque */

struct hf_dnsmasq_readback_opts {
	struct hf_dns_client *ask;
	const struct hf_record_table *table;
	unsigned n_files; /* the buckets of the table */
	void *arg;
	/*
	 * The file that should have answered otherwise is to be written again with its next change.
	 */
	void (*doubt)(void *arg, unsigned bucket);
	/* `code` as hf_adapter_host.verified() has it. */
	void (*done)(void *arg, int code);
};

int hf_dnsmasq_readback_new(
    const struct hf_dnsmasq_readback_opts *opts, struct hf_dnsmasq_readback **ret_readback);
/* After the asker, whose answers it gets. NULL is fine. */
void hf_dnsmasq_readback_free(struct hf_dnsmasq_readback *r);

/* 0: done() will be called, from the loop. -ENOMEM: it will not. n is not 0. */
int hf_dnsmasq_readback_begin(struct hf_dnsmasq_readback *r, struct hf_expect *expect, size_t n);
