/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dnsmasq_version: asks dnsmasq who it is and how large its table (version.bind, cachesize.bind:
 * TXT of the class CHAOS), for the doctor.
 */
#include <stdint.h>

struct event_base;
struct hf_endpoint;
struct hf_dnsmasq_version; /* opaque */

enum { HF_DNSMASQ_VERSION_MAX = 64 };

/* `text` is printable, "" if there was no answer. Lent for the call. Called once, from the loop. */
typedef void (*hf_dnsmasq_version_cb)(const char *text, void *arg);

int hf_dnsmasq_version_ask(struct event_base *base, const struct hf_endpoint *server,
    const char *name, uint32_t timeout_ms, hf_dnsmasq_version_cb cb, void *arg,
    struct hf_dnsmasq_version **ret_version);
/* Within the callback too. NULL is fine. */
void hf_dnsmasq_version_free(struct hf_dnsmasq_version *v);

/* Of "dnsmasq-2.90" 290, of what is no version of dnsmasq 0. */
unsigned hf_dnsmasq_version_number(const char *text);
