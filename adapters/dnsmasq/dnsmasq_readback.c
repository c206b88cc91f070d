/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/dnsmasq_readback.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/dns_client.h"

enum { TYPE_PTR = 12, TYPE_AAAA = 28 };

struct readback_one {
	struct hf_dnsmasq_readback *r;
	struct hf_expect *expect; /* lent until done() */
};

struct hf_dnsmasq_readback {
	struct hf_dnsmasq_readback_opts o;
	struct readback_one *at; /* owned */
	size_t room;
	size_t n;
	size_t open;
	size_t unanswered;
	int code; /* of the last that was not answered */
	/* Owned. By file: the address whose PTR was another name of ours lately; zeros: none. */
	uint8_t (*doubtful)[16];
};

int hf_dnsmasq_readback_new(
    const struct hf_dnsmasq_readback_opts *opts, struct hf_dnsmasq_readback **ret_readback)
{
	struct hf_dnsmasq_readback *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->o = *opts;
	r->doubtful = calloc(opts->n_files, sizeof(*r->doubtful));
	if (!r->doubtful) {
		free(r);
		return -ENOMEM;
	}
	*ret_readback = r;
	return 0;
}

void hf_dnsmasq_readback_free(struct hf_dnsmasq_readback *r)
{
	if (!r)
		return;
	free(r->doubtful);
	free(r->at);
	free(r);
}

static void finish_one(const struct readback_one *one, enum hf_is is)
{
	struct hf_dnsmasq_readback *r = one->r;

	one->expect->is = is;
	if (is == HF_IS_NOT_SO)
		r->o.doubt(
		    r->o.arg, hf_record_table_bucket_of(r->o.table, one->expect->record.addr));
	if (--r->open == 0)
		r->o.done(r->o.arg, r->unanswered == r->n ? r->code : 0);
}

static void readback_unanswered(const struct readback_one *one, int code)
{
	one->r->unanswered++;
	one->r->code = code;
	finish_one(one, HF_IS_UNKNOWN);
}

/*
 * A PTR to a name that is not ours is others' data, which we leave; none at all is our loss. One to
 * another name of ours is an old order of our file, which has the right one first: it is written
 * again. If that does not help, others have a line with that name and our address.
 */
static enum hf_is judge_ptr(
    struct hf_dnsmasq_readback *r, const struct hf_record *want, const struct hf_asked *a)
{
	uint8_t *doubtful = r->doubtful[hf_record_table_bucket_of(r->o.table, want->addr)];
	bool before = !memcmp(doubtful, want->addr, 16);

	if (!a->has_target)
		return HF_IS_NOT_SO;
	if (hf_name_equal(&a->target, &want->name) ||
	    !hf_record_table_find_addr(r->o.table, &a->target, want->addr)) {
		if (before)
			memset(doubtful, 0, 16);
		return HF_IS_SO;
	}
	memcpy(doubtful, want->addr, 16);
	return before ? HF_IS_FOREIGN : HF_IS_NOT_SO;
}

static void on_readback_ptr(const struct hf_asked *a, void *arg)
{
	const struct readback_one *one = arg;

	if (a->code)
		readback_unanswered(one, a->code);
	else
		finish_one(one, judge_ptr(one->r, &one->expect->record, a));
}

static enum hf_is readback_judge(
    const struct hf_dnsmasq_readback *r, const struct hf_expect *e, const struct hf_asked *a)
{
	bool has = false, foreign = a->has_target;

	for (size_t i = 0; i < a->n_addrs; i++) {
		bool it = !memcmp(a->addrs[i], e->record.addr, 16);

		has |= it;
		foreign |=
		    !it && !hf_record_table_find_addr(r->o.table, &e->record.name, a->addrs[i]);
	}
	if (e->absent)
		return has ? HF_IS_NOT_SO : HF_IS_SO;
	if (foreign)
		return HF_IS_FOREIGN;
	return has ? HF_IS_SO : HF_IS_NOT_SO;
}

static void on_readback_aaaa(const struct hf_asked *a, void *arg)
{
	struct readback_one *one = arg;
	const struct hf_expect *e = one->expect;
	struct hf_name ptr;
	enum hf_is is;

	if (a->code) {
		readback_unanswered(one, a->code);
		return;
	}
	is = readback_judge(one->r, e, a);
	if (is == HF_IS_SO && !e->absent && e->record.primary) {
		hf_ptr_name(e->record.addr, &ptr);
		if (!hf_dns_client_send(one->r->o.ask, &ptr, TYPE_PTR, on_readback_ptr, one))
			return;
	}
	finish_one(one, is);
}

int hf_dnsmasq_readback_begin(struct hf_dnsmasq_readback *r, struct hf_expect *expect, size_t n)
{
	int rc = 0;

	if (n > r->room) {
		struct readback_one *at = realloc(r->at, n * sizeof(*at));

		if (!at)
			return -ENOMEM;
		r->at = at;
		r->room = n;
	}
	r->n = r->open = r->unanswered = 0;
	r->code = 0;
	for (size_t i = 0; i < n && !rc; i++) {
		expect[i].is = HF_IS_UNKNOWN;
		r->at[i] = (struct readback_one){ .r = r, .expect = &expect[i] };
		rc = hf_dns_client_send(
		    r->o.ask, &expect[i].record.name, TYPE_AAAA, on_readback_aaaa, &r->at[i]);
		r->open += !rc;
	}
	r->n = r->open;
	return r->open ? 0 : rc;
}
