/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/counters_query.h"

#include <string.h>

#include "zone/answer.h"

static bool is_suffix(const struct hf_zone_meta *meta, const uint8_t *wire, size_t len)
{
	for (size_t i = 0; meta && i < meta->n_sources; i++) {
		const struct hf_name *suffix = &meta->sources[i].suffix;

		if (suffix->len == len && !memcmp(suffix->wire, wire, len))
			return true;
	}
	return false;
}

bool hf_counters_query(const struct hf_zone_reader *r, const struct hf_question *q,
    const struct hf_counters *sets, size_t n, const char *name, struct hf_answer *ret_answer)
{
	struct hf_answer *a = ret_answer;
	size_t at;

	if (!q->from_loopback || q->class != HF_CLASS_IN ||
	    (q->type != HF_TYPE_TXT && q->type != HF_TYPE_ANY) || !hf_counters_name(q->name, &at) ||
	    !is_suffix(hf_zone_reader_meta(r), q->name->wire + at, q->name->len - at))
		return false;
	_Static_assert(sizeof(a->scratch) >= HF_COUNTERS_TXT_MAX, "the counters fit");
	a->ours = true;
	a->rcode = HF_RCODE_NOERROR;
	a->ede = HF_EDE_NONE;
	a->has_answer = true;
	a->has_soa = false;
	a->answer =
	    (struct hf_rrset){ .type = HF_TYPE_TXT, .ttl_s = 1, .n = 1, .rdata = a->scratch };
	a->answer.rdlen = (uint16_t)hf_counters_txt(sets, n, name, a->scratch);
	return true;
}
