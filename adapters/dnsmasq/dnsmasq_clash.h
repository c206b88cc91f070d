/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dnsmasq_clash: whether somebody else's data has a name that we are about to give to dnsmasq. It
 * would answer both, and ours would not be what is served. Asked by DNS, before a name is ours.
 */
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"
#include "adapters/record_table.h"

struct hf_dns_client;
struct hf_dnsmasq_clash; /* opaque */

/*
 * `fates` has a place for each change: HF_FATE_CLASH is written where it is so. Lent for the call
 * of both, and not called after hf_dnsmasq_clash_free().
 */
typedef void (*hf_dnsmasq_clash_cb)(void *arg);

int hf_dnsmasq_clash_new(struct hf_dns_client *ask, hf_dnsmasq_clash_cb cb, void *arg,
    struct hf_dnsmasq_clash **ret_clash);
/* After the asker, whose answers it gets. NULL is fine. */
void hf_dnsmasq_clash_free(struct hf_dnsmasq_clash *c);

/*
 * Ask about those changes that bring a name which the table does not have. 1 or more: cb
 * will be called when all are answered; 0: there is nothing to ask; -ENOMEM. Where nobody answers
 * there is no clash.
 */
int hf_dnsmasq_clash_begin(struct hf_dnsmasq_clash *c, const struct hf_record_table *table,
    const struct hf_batch *batch, uint8_t *fates);
