/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/answer_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(what) must((what), #what, __LINE__)

static void must(bool good, const char *what, int line)
{
	if (good)
		return;
	fprintf(stderr, "answer_check.c:%d: not so: %s\n", line, what);
	abort();
}

/* One whole name, lower case; returns its length. */
static size_t check_name(const uint8_t *wire, size_t len)
{
	struct hf_name name;
	int n = hf_name_from_wire(wire, len, &name);

	MUST(n > 0);
	MUST(!memcmp(name.wire, wire, (size_t)n));
	return (size_t)n;
}

static void check_strings(const uint8_t *text, size_t len)
{
	size_t at = 0;

	MUST(len > 0);
	while (at < len)
		at += 1 + (size_t)text[at];
	MUST(at == len);
}

static void check_rrset(const struct hf_rrset *set)
{
	MUST(set->ttl_s >= 1 && set->ttl_s <= 30);
	MUST(set->n >= 1);
	MUST(set->rdlen >= 1 && set->rdata);
	if (set->owner)
		MUST(check_name(set->owner, set->owner_len) == set->owner_len);
	switch (set->type) {
	case HF_TYPE_AAAA:
		MUST(set->rdlen == 16 && set->n <= HF_REC_ADDRS_MAX);
		for (size_t i = 0; i < set->n; i++)
			MUST(hf_addr_is_ours(set->rdata + 16 * i));
		break;
	case HF_TYPE_PTR:
		MUST(set->n == 1);
		MUST(check_name(set->rdata, set->rdlen) == set->rdlen);
		break;
	case HF_TYPE_TXT:
		MUST(set->n == 1);
		check_strings(set->rdata, set->rdlen);
		break;
	case HF_TYPE_SOA: {
		size_t mname = check_name(set->rdata, set->rdlen);

		MUST(set->n == 1);
		MUST(mname + check_name(set->rdata + mname, set->rdlen - mname) + 20 == set->rdlen);
		break;
	}
	default:
		MUST(!"a type that we have");
	}
}

void hf_answer_check(const struct hf_question *q, const struct hf_answer *a)
{
	if (!a->ours)
		return;
	MUST(q->class == HF_CLASS_IN);
	MUST(a->rcode == HF_RCODE_NOERROR || a->rcode == HF_RCODE_SERVFAIL ||
	     a->rcode == HF_RCODE_NXDOMAIN);
	MUST(a->ede == HF_EDE_NONE || a->ede == HF_EDE_STALE || a->ede == HF_EDE_NOT_READY ||
	     a->ede == HF_EDE_STALE_NXDOMAIN);
	MUST(!a->has_answer || a->rcode == HF_RCODE_NOERROR);
	/* A negative answer has its SOA, and only it has. */
	MUST(a->has_soa == (!a->has_answer && a->rcode != HF_RCODE_SERVFAIL));
	if (a->has_answer) {
		check_rrset(&a->answer);
		MUST(!a->answer.owner);
		MUST(q->type == a->answer.type || q->type == HF_TYPE_ANY);
	}
	if (a->has_soa) {
		struct hf_name apex;

		check_rrset(&a->soa);
		MUST(a->soa.type == HF_TYPE_SOA && a->soa.owner);
		MUST(hf_name_from_wire(a->soa.owner, a->soa.owner_len, &apex) > 0);
		MUST(hf_name_is_under(q->name, &apex));
	}
}
