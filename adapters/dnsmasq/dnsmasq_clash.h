/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dnsmasq_clash: whether somebody else's data has a name of a batch: one that we are about to give
 * to dnsmasq, which would answer both, or one that we take and that does not go. Asked by DNS.
 *
 * Another address, another type or an alias is others' for sure. The very address of ours may also
 * be what dnsmasq has not forgotten yet: that is a doubt, until it is known that dnsmasq reads our
 * files. Then hf_dnsmasq_clash_settle() asks again.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"

struct hf_dns_client;
struct hf_dnsmasq_clash; /* opaque */

struct hf_dnsmasq_clash_opts {
	struct hf_dns_client *ask;
	/* Both get `arg`. Borrowed; outlives the object. */
	void *arg;
	/* Whether the files do not have what the change is about, so that it is to be asked for. */
	bool (*asks)(void *arg, const struct hf_change *change);
	/* All that was asked for is answered. From the loop. */
	void (*done)(void *arg);
};

int hf_dnsmasq_clash_new(
    const struct hf_dnsmasq_clash_opts *opts, struct hf_dnsmasq_clash **ret_clash);
/* After the asker, whose answers it gets. NULL is fine. */
void hf_dnsmasq_clash_free(struct hf_dnsmasq_clash *c);

/*
 * Before anything of the batch is written. HF_FATE_CLASH is written where it is so, into `fates`,
 * which has a place for each change. Both are lent until the batch ends.
 * 1 or more: done() will be called; 0: there is nothing to ask; -ENOMEM. If nobody answers there is
 * no clash.
 */
int hf_dnsmasq_clash_begin(
    struct hf_dnsmasq_clash *c, const struct hf_batch *batch, uint8_t *fates);
/* Whether there are doubts. */
bool hf_dnsmasq_clash_doubts(const struct hf_dnsmasq_clash *c);

/*
 * dnsmasq is known to read our files. What is in doubt is asked for again, and what is answered is
 * a clash. Returns as hf_dnsmasq_clash_begin().
 */
int hf_dnsmasq_clash_settle(struct hf_dnsmasq_clash *c);
/* The same for all that the batch takes, after it was written. */
int hf_dnsmasq_clash_settle_takes(struct hf_dnsmasq_clash *c);
/* The same for a name that the batch puts: it is a clash if its address is not answered. */
int hf_dnsmasq_clash_settle_put(struct hf_dnsmasq_clash *c, const struct hf_record *record);
