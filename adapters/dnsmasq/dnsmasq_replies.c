/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnsmasq_replies: the answers to the host, each when dnsmasq.c says that it is its turn.
 */
#include <stdio.h>
#include <string.h>

#include "adapters/dnsmasq/dnsmasq_private.h"

enum { LIST_SLICE = 256, LIST_BUCKETS = 32 };

static bool any_fate(const struct hf_adapter *a)
{
	for (size_t i = 0; i < a->batch.n; i++) {
		if (a->fates[i])
			return true;
	}
	return false;
}

void hf_dnsmasq_reply_apply(struct hf_adapter *a)
{
	struct hf_receipt r = {
		.n_done = a->code ? 0 : a->batch.n,
		.code = a->code,
		.text = a->why,
		.next_max = BATCH_MAX,
	};

	if (!a->code && any_fate(a))
		r.fates = a->fates;
	a->phase = APPLY_NONE;
	a->host->applied(a->host->arg, &r);
}

struct slice {
	struct hf_adapter *a;
	struct hf_record at[LIST_SLICE];
	size_t n;
};

static void tell_slice(struct slice *s)
{
	if (s->n)
		s->a->host->listed(s->a->host->arg, s->at, s->n, 0, "");
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

	if (hf_record_table_find_addr(s->a->table, &r->name, r->addr))
		return 0;
	return add_to_slice(r, s);
}

/* What others have just brought back into a file of ours, before it is written again. */
static int list_changed(struct slice *s, unsigned file)
{
	struct hf_record_table *there;
	int rc;

	if (!hf_host_files_changed(s->a->files, file))
		return 0;
	rc = hf_record_table_new(1, &there);
	if (rc)
		return rc;
	rc = hf_host_files_peek(s->a->files, file, there);
	if (!rc)
		hf_record_table_walk(there, 0, add_unknown, s);
	hf_record_table_free(there);
	return rc;
}

void hf_dnsmasq_reply_list(struct hf_adapter *a)
{
	unsigned n_files = hf_host_files_count(a->files);
	struct slice s = { .a = a };
	int rc = 0;

	for (unsigned n = 0; n < LIST_BUCKETS && a->list_at < n_files && !rc; n++) {
		hf_record_table_walk(a->table, a->list_at, add_to_slice, &s);
		rc = list_changed(&s, a->list_at++);
	}
	tell_slice(&s);
	if (!rc && a->list_at < n_files) {
		hf_dnsmasq_answer_soon(a);
		return;
	}
	a->listing = false;
	a->host->listed(a->host->arg, NULL, 0, rc, rc ? "its files cannot be read" : "");
}

void hf_dnsmasq_reply_verify(struct hf_adapter *a)
{
	char text[128] = "";

	if (a->verify_code)
		snprintf(text, sizeof(text), "dnsmasq does not answer at the address of 'ask'");
	else
		hf_dnsmasq_warn(a, WARN_NOT_RUNNING, NULL);
	a->verified = false;
	a->expect = NULL;
	a->host->verified(a->host->arg, a->verify_code, text);
}

void hf_dnsmasq_on_verified(void *arg, int code)
{
	struct hf_adapter *a = arg;

	a->verify_code = code;
	a->verified = true;
	hf_dnsmasq_answer_soon(a);
}

void hf_dnsmasq_verify_begin(struct hf_adapter *a)
{
	struct hf_expect *expect = a->expect;
	int rc = a->n_expect ? hf_dnsmasq_readback_begin(a->readback, expect, a->n_expect) : 0;

	a->expect = NULL;
	if (rc || !a->n_expect)
		hf_dnsmasq_on_verified(a, rc);
}
