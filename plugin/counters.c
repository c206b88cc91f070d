/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/counters.h"

#include <stdio.h>
#include <string.h>

#include "zone/answer.h"
#include "zone/own_labels.h"

static const char *const keys[HF_COUNTERS] = { "answers", "negative", "stale", "refused",
	"errors" };
static const uint8_t label[] = "\022" HF_OWN_LABEL_COUNTERS;
_Static_assert(sizeof(HF_OWN_LABEL_COUNTERS) - 1 == 022, "the length is the first byte of label");

void hf_counters_add(struct hf_counters *c, enum hf_counter which, uint64_t n)
{
	uint64_t now = atomic_load_explicit(&c->n[which], memory_order_relaxed);

	/* One writer: a plain store will do, which costs no locked instruction. */
	atomic_store_explicit(&c->n[which], now + n, memory_order_relaxed);
}

void hf_counters_add_answer(struct hf_counters *c, const struct hf_answer *a)
{
	if (!a->ours) {
		hf_counters_add(c, HF_COUNT_REFUSED, 1);
		return;
	}
	if (a->rcode == HF_RCODE_SERVFAIL) {
		hf_counters_add(c, HF_COUNT_ERRORS, 1);
		return;
	}
	hf_counters_add(c, HF_COUNT_ANSWERS, 1);
	if (!a->has_answer)
		hf_counters_add(c, HF_COUNT_NEGATIVE, 1);
	if (a->ede == HF_EDE_STALE || a->ede == HF_EDE_STALE_NXDOMAIN)
		hf_counters_add(c, HF_COUNT_STALE, 1);
}

/* A character-string: its length, then its bytes. */
static uint8_t *counters_put_text(uint8_t *at, const char *text)
{
	size_t len = strlen(text);

	*at = (uint8_t)len;
	memcpy(at + 1, text, len);
	return at + 1 + len;
}

size_t hf_counters_txt(const struct hf_counters *sets, size_t n, const char *name,
    uint8_t out[static HF_COUNTERS_TXT_MAX])
{
	uint8_t *at = out;
	char text[60];

	snprintf(text, sizeof(text), "name=%s", name);
	at = counters_put_text(at, text);
	for (size_t k = 0; k < HF_COUNTERS; k++) {
		uint64_t sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += atomic_load_explicit(&sets[i].n[k], memory_order_relaxed);
		snprintf(text, sizeof(text), "%s=%llu", keys[k], (unsigned long long)sum);
		at = counters_put_text(at, text);
	}
	return (size_t)(at - out);
}

bool hf_counters_name(const struct hf_name *name, size_t *ret_at)
{
	size_t len = sizeof(label) - 1;

	if (name->len <= len || memcmp(name->wire, label, len))
		return false;
	*ret_at = len;
	return true;
}
