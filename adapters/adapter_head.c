/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/adapter_head.h"

#include <string.h>

int hf_adapter_init(struct hf_adapter *a, const struct hf_adapter_parts *parts,
    const struct hf_config_adapter *config, const struct hf_adapter_host *host)
{
	int rc;

	a->type = parts->type;
	a->config = config;
	a->host = host;
	hf_adapter_warnings_init(&a->warnings, host, parts->warnings);
	rc = hf_adapter_job_init(&a->job, host->base, a, parts->idle);
	if (!rc)
		rc = hf_adapter_answers_init(&a->answers, host->base, a, host, parts->answers);
	return rc;
}

void hf_adapter_done(struct hf_adapter *a)
{
	hf_adapter_job_done(&a->job);
	hf_adapter_answers_done(&a->answers);
}

void hf_adapter_keep_zones(
    struct hf_adapter *a, const struct hf_name *suffixes, size_t n, uint32_t ttl_s)
{
	a->n_suffixes = n < HF_ADAPTER_SUFFIXES_MAX ? n : HF_ADAPTER_SUFFIXES_MAX;
	if (a->n_suffixes)
		memcpy(a->suffixes, suffixes, a->n_suffixes * sizeof(a->suffixes[0]));
	a->ttl_s = ttl_s;
}
