/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnsmasq_replies: the answers to the host, each in its turn.
 */
#include <stdio.h>

#include "adapters/dnsmasq/dnsmasq_private.h"
#include "adapters/dnsmasq/dnsmasq_probe.h"

enum { LIST_SLICE = 256, LIST_BUCKETS = 32 };

void hf_dnsmasq_reply_apply(struct hf_adapter *a)
{
	struct hf_receipt r;

	hf_dnsmasq_batch_receipt(hf_dnsmasq_of(a)->batch, &r);
	a->host->applied(a->host->arg, &r);
}

struct slice {
	struct hf_dnsmasq *d;
	struct hf_record at[LIST_SLICE];
	size_t n;
};

static void tell_slice(struct slice *s)
{
	const struct hf_adapter_host *host = s->d->base.host;

	if (s->n)
		host->listed(host->arg, s->at, s->n, 0, "");
	s->n = 0;
}

static int add_to_slice(const struct hf_record *r, void *arg)
{
	struct slice *s = arg;

	if (hf_dnsmasq_is_probe(&r->name))
		return 0;
	s->at[s->n++] = *r;
	if (s->n == LIST_SLICE)
		tell_slice(s);
	return 0;
}

static int add_unknown(const struct hf_record *r, void *arg)
{
	struct slice *s = arg;

	if (hf_record_table_find_addr(s->d->table, &r->name, r->addr))
		return 0;
	return add_to_slice(r, s);
}

/* What others have just brought back into a file of ours, before it is written again. */
static int list_changed(struct slice *s, unsigned file)
{
	struct hf_record_table *there;
	int rc;

	if (!hf_host_files_changed(s->d->files, file))
		return 0;
	rc = hf_record_table_new(1, &there);
	if (rc)
		return rc;
	rc = hf_host_files_peek(s->d->files, file, there);
	if (!rc)
		hf_record_table_walk(there, 0, add_unknown, s);
	hf_record_table_free(there);
	return rc;
}

/* Returns whether there is more. */
static bool list_part(struct hf_dnsmasq *d)
{
	unsigned n_files = hf_host_files_count(d->files);
	struct dnsmasq_listing *l = &d->list;
	struct slice s = { .d = d };

	for (unsigned n = 0; n < LIST_BUCKETS && l->at < n_files && !l->code; n++) {
		hf_record_table_walk(d->table, l->at, add_to_slice, &s);
		l->code = list_changed(&s, l->at++);
		if (l->code)
			snprintf(l->why, sizeof(l->why), "its files cannot be read");
	}
	tell_slice(&s);
	return !l->code && l->at < n_files;
}

void hf_dnsmasq_reply_list(struct hf_adapter *a)
{
	struct dnsmasq_listing *l = &hf_dnsmasq_of(a)->list;
	char why[WHY_MAX];

	if (!l->code && list_part(hf_dnsmasq_of(a))) {
		hf_adapter_answers_due(&a->answers, HF_ANSWER_LIST);
		return;
	}
	snprintf(why, sizeof(why), "%s", l->code ? l->why : "");
	l->wanted = false;
	a->host->listed(a->host->arg, NULL, 0, l->code, why);
}

void hf_dnsmasq_on_verified(void *arg, int code)
{
	struct hf_dnsmasq *d = arg;

	if (!code)
		hf_adapter_warnings_set(&d->base.warnings, WARN_NOT_RUNNING, NULL);
	hf_adapter_answers_verified(
	    &d->base.answers, code, code ? "dnsmasq does not answer at the address of 'ask'" : "");
}

void hf_dnsmasq_verify_begin(struct hf_dnsmasq *d)
{
	struct hf_expect *expect = d->expect;
	int rc = d->n_expect ? hf_dnsmasq_readback_begin(d->readback, expect, d->n_expect) : 0;

	d->expect = NULL;
	if (rc || !d->n_expect)
		hf_dnsmasq_on_verified(d, rc);
}
