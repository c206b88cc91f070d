/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/adapter_warnings.h"

#include "adapters/adapter.h"

void hf_adapter_warnings_init(
    struct hf_adapter_warnings *w, const struct hf_adapter_host *host, const char *const *codes)
{
	w->host = host;
	w->codes = codes;
	w->begun = 0;
}

void hf_adapter_warnings_set(struct hf_adapter_warnings *w, unsigned which, const char *text)
{
	unsigned long long bit = 1ULL << which;

	if (!(w->begun & bit) == !text)
		return;
	w->begun ^= bit;
	w->host->warn(w->host->arg, w->codes[which], text);
}
