/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnsmasq_replies: what the host is told. Each answer comes from a timer of its own, so that the
 * host may do what it likes, close the adapter included.
 */
#include <stdio.h>
#include <string.h>

#include "adapters/dnsmasq/dnsmasq_private.h"

enum { LIST_SLICE = 256, LIST_BUCKETS = 32 };

static const char *const warning_codes[] = {
	[WARN_NOT_RUNNING] = "not-running",
	[WARN_MANY] = "many-names",
	[WARN_FOREIGN] = "foreign-files",
	[WARN_FOLDER] = "folder",
	[WARN_RESTART] = "restart",
};

void hf_dnsmasq_warn(struct hf_adapter *a, enum warning which, const char *text)
{
	if (a->warned[which] == (text != NULL))
		return;
	a->warned[which] = text != NULL;
	a->host->warn(a->host->arg, warning_codes[which], text);
}

void hf_dnsmasq_answer_soon(struct hf_adapter *a)
{
	hf_dnsmasq_in_us(a->answer_timer, 0);
}

void hf_dnsmasq_answer_apply(struct hf_adapter *a, int code, const char *why)
{
	a->phase = APPLY_ANSWER;
	a->code = code;
	snprintf(a->why, sizeof(a->why), "%s", code ? why : "");
	hf_dnsmasq_answer_soon(a);
}

static bool any_fate(const struct hf_adapter *a)
{
	for (size_t i = 0; i < a->batch.n; i++) {
		if (a->fates[i])
			return true;
	}
	return false;
}

static void tell_applied(struct hf_adapter *a)
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

static void tell_listed(struct hf_adapter *a)
{
	struct slice s = { .a = a };

	for (unsigned n = 0; n < LIST_BUCKETS && a->list_at < hf_host_files_count(a->files); n++)
		hf_record_table_walk(a->table, a->list_at++, add_to_slice, &s);
	tell_slice(&s);
	if (a->list_at < hf_host_files_count(a->files)) {
		hf_dnsmasq_answer_soon(a);
		return;
	}
	a->listing = false;
	a->host->listed(a->host->arg, NULL, 0, 0, "");
}

static void tell_verified(struct hf_adapter *a)
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

/* One answer a turn; each is the last thing that is done in it. */
void hf_dnsmasq_on_answer_timer(evutil_socket_t fd, short what, void *arg)
{
	struct hf_adapter *a = arg;
	bool apply = a->phase == APPLY_ANSWER, list = a->listing && a->loaded;

	if (apply + list + a->verified + a->examined + a->doctor_waits > 1)
		hf_dnsmasq_answer_soon(a);
	if (apply) {
		tell_applied(a);
	} else if (a->verified) {
		tell_verified(a);
	} else if (a->examined) {
		a->examined = false;
		a->host->examined(a->host->arg);
	} else if (a->doctor_waits && a->loaded) {
		a->doctor_waits = false;
		hf_dnsmasq_doctor_loaded(a, 0, "");
	} else if (list) {
		tell_listed(a);
	}
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

/* The files were read, or could not be: what waited for it goes on. */
void hf_dnsmasq_answer_load(struct hf_adapter *a, int code, const char *why)
{
	bool list = a->listing;

	if (a->phase == APPLY_LOAD && !code)
		hf_dnsmasq_apply_loaded(a);
	else if (a->phase == APPLY_LOAD)
		hf_dnsmasq_answer_apply(a, code, why);
	if (a->expect)
		hf_dnsmasq_verify_begin(a); /* DNS is asked all the same */
	if (a->doctor_waits)
		hf_dnsmasq_doctor_loaded(a, code, why);
	a->doctor_waits = false;
	if (a->wants_audit && !code)
		hf_start_audit_begin(a->audit);
	if (list && !code) {
		hf_dnsmasq_answer_soon(a);
	} else if (list) {
		a->listing = false;
		a->host->listed(a->host->arg, NULL, 0, code, why);
	}
}
