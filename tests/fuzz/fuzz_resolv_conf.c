/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any resolv.conf, and any hosts file. What is taken are addresses and names that can be asked for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/resolv_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_addresses(const struct hf_addresses *a)
{
	if (a->n > HF_ADDRESSES_MAX)
		abort();
	for (size_t i = 0; i < a->n; i++)
		if (!memchr(a->at[i], 0, HF_ADDRESS_TEXT) || !hf_address_is(a->at[i]))
			abort();
}

static void check_names(const struct hf_resolv_conf *conf, const char *host)
{
	char name[HF_DNS_NAME_MAX + 2];
	size_t i = 0;

	for (; hf_resolv_conf_name(conf, host, i, name); i++) {
		size_t n = strlen(name);

		if (n > HF_DNS_NAME_MAX + 1 || (n && name[n - 1] != '.') || strchr(name, '\n'))
			abort();
	}
	if (i > HF_SEARCH_MAX + 1u)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_resolv_conf conf;
	struct hf_addresses found = { .n = 0 };

	hf_resolv_conf_parse(&conf, (const char *)data, size);
	if (!conf.n_servers || conf.n_servers > HF_SERVERS_MAX || conf.n_search > HF_SEARCH_MAX)
		abort();
	for (size_t i = 0; i < conf.n_servers; i++)
		if (!memchr(conf.servers[i], 0, HF_ADDRESS_TEXT))
			abort();
	check_names(&conf, "coder");
	check_names(&conf, "coder.example.com");
	check_names(&conf, "coder.example.com.");
	hf_resolv_conf_find_host((const char *)data, size, "coder", &found);
	hf_resolv_conf_find_host((const char *)data, size, "coder.example.com", &found);
	check_addresses(&found);
	return 0;
}
