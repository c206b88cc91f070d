/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * resolv_conf: what /etc/resolv.conf and /etc/hosts say, and in which order a name is to be asked
 * for, as resolv.conf(5) and hosts(5) have it. Pure: bytes in, values out.
 */
#include <stdbool.h>
#include <stddef.h>

#include "bridge/stream/wire/address.h"

enum { HF_DNS_NAME_MAX = 255, HF_SEARCH_MAX = 8, HF_SERVERS_MAX = 4 };

struct hf_resolv_conf {
	char servers[HF_SERVERS_MAX]
		    [HF_ADDRESS_TEXT]; /* never empty: this host, if none is named */
	size_t n_servers;
	char search[HF_SEARCH_MAX][HF_DNS_NAME_MAX + 1];
	size_t n_search;
	unsigned ndots;
};

/* What cannot be used is left out. */
void hf_resolv_conf_parse(struct hf_resolv_conf *ret_conf, const char *text, size_t len);

/*
 * The i-th name to ask for where `host` is wanted, written to `out`, with a dot at its end, or ""
 * where it would be too long for a name. False: there is none any more.
 */
bool hf_resolv_conf_name(const struct hf_resolv_conf *conf, const char *host, size_t i,
    char out[static HF_DNS_NAME_MAX + 2]);

/* Adds the addresses that a hosts file has for `host`. */
void hf_resolv_conf_find_host(
    const char *text, size_t len, const char *host, struct hf_addresses *addresses);
