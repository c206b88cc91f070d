/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listing of unbound's local data of any bytes: what is read out of it has sizes that fit, and
 * each name that is in it gets an answer.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/dns_client.h"
#include "adapters/unbound/ub_private.h"
#include "adapters/unbound/ub_known.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct hf_ub_known *k, const char *at)
{
	struct hf_ub_line line;
	struct hf_name name;
	struct hf_asked asked;

	if (!hf_ub_line_read(at, &line) || hf_name_parse(line.owner, &name))
		return;
	if (!hf_ub_known_answer(k, &name, 28, &asked) || !asked.aa ||
	    asked.n_addrs > HF_DNS_CLIENT_ADDRS_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct hf_ub_known *k;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (hf_ub_known_new(text, &k) == 0) {
		for (const char *at = text; *at; at = hf_ub_line_next(at))
			check(k, at);
		hf_ub_known_free(k);
	}
	free(text);
	return 0;
}
