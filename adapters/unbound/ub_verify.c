/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_verify: plain questions, at the pace of read-back. A name is as it should be when it has its
 * address and no other, and the address, where it is to point back, points to it.
 */
#include "adapters/unbound/ub_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct hf_ub_check {
	struct hf_ub *a;
	struct hf_expect *expect; /* lent */
};

/* What was found out of some is worth telling, whatever became of the others. */
static int verify_outcome(const struct hf_ub_verify *v)
{
	bool any = false, all = true;

	for (size_t i = 0; i < v->n; i++) {
		any = any || v->expect[i].is != HF_IS_UNKNOWN;
		all = all && v->expect[i].is != HF_IS_UNKNOWN;
	}
	if (all || any)
		return 0;
	return v->code ? v->code : -ENOMEM;
}

static void ub_verify_end_one(struct hf_ub *a)
{
	int code;

	if (--a->verify.left)
		return;
	code = verify_outcome(&a->verify);
	hf_adapter_answers_verified(&a->base.answers, code,
	    code ? "unbound does not answer DNS at the address of 'ask'" : "");
}

static enum hf_is ub_verify_judge(const struct hf_asked *asked, const struct hf_expect *expect)
{
	bool has = false, foreign = asked->has_target;

	for (size_t i = 0; i < asked->n_addrs; i++) {
		has |= memcmp(asked->addrs[i], expect->record.addr, 16) == 0;
		foreign |= !hf_addr_is_ours(asked->addrs[i]);
	}
	if (expect->absent)
		return has ? HF_IS_NOT_SO : HF_IS_SO;
	if (foreign)
		return HF_IS_FOREIGN;
	return has && asked->n_records == 1 ? HF_IS_SO : HF_IS_NOT_SO;
}

static void on_ub_verify_ptr(const struct hf_asked *asked, void *arg)
{
	struct hf_ub_check *check = arg;
	const struct hf_name *name = &check->expect->record.name;
	bool same = asked->has_target && hf_name_equal(&asked->target, name);

	if (asked->code) {
		check->expect->is = HF_IS_UNKNOWN;
		check->a->verify.code = asked->code;
	} else if (asked->has_target && !hf_ub_is_below(check->a, &asked->target)) {
		/* Others' PTR is theirs to keep, and the name is as it should be. */
		check->expect->is = HF_IS_SO;
	} else {
		check->expect->is = same && asked->n_records == 1 ? HF_IS_SO : HF_IS_NOT_SO;
	}
	ub_verify_end_one(check->a);
}

static void on_ub_verify_name(const struct hf_asked *asked, void *arg)
{
	struct hf_ub_check *check = arg;
	struct hf_expect *e = check->expect;
	struct hf_name ptr;

	if (asked->code)
		check->a->verify.code = asked->code;
	else
		e->is = ub_verify_judge(asked, e);
	if (e->is == HF_IS_SO && e->record.primary && !e->absent) {
		hf_ptr_name(e->record.addr, &ptr);
		if (hf_dns_client_send(
			check->a->asks, &ptr, HF_TYPE_PTR, on_ub_verify_ptr, check) == 0)
			return;
		e->is = HF_IS_UNKNOWN;
	}
	ub_verify_end_one(check->a);
}

void hf_ub_verify_begin(struct hf_ub *a, struct hf_expect *expect, size_t n)
{
	struct hf_ub_check *checks = calloc(n ? n : 1, sizeof(*checks));

	hf_ub_verify_free(a);
	a->verify.checks = checks;
	a->verify.expect = expect;
	a->verify.n = n;
	a->verify.code = checks ? 0 : -ENOMEM;
	a->verify.left = 1;
	for (size_t i = 0; checks && i < n; i++) {
		checks[i] = (struct hf_ub_check){ .a = a, .expect = &expect[i] };
		expect[i].is = HF_IS_UNKNOWN;
		a->verify.left++;
		if (hf_dns_client_send(a->asks, &expect[i].record.name, HF_TYPE_AAAA,
			on_ub_verify_name, &checks[i]))
			a->verify.left--;
	}
	ub_verify_end_one(a);
}

void hf_ub_verify_free(struct hf_ub *a)
{
	free(a->verify.checks);
	a->verify.checks = NULL;
}
