/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnsmasq_apply: a batch. Ask whether somebody else has the new names; write what comes; when that
 * is answered, write what goes. So a name whose address changes is never without one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/dnsmasq/dnsmasq_private.h"
#include "adapters/hosts_line.h"
#include "base/error.h"

/* The receipt follows from the loop. */
static void apply_end(struct hf_adapter *a, int code, const char *why)
{
	a->phase = APPLY_ANSWER;
	a->code = code;
	if (why != a->why)
		snprintf(a->why, sizeof(a->why), "%s", code ? why : "");
	hf_dnsmasq_answer_soon(a);
}

static int make_fates(struct hf_adapter *a)
{
	size_t n = a->batch.n;

	if (n > a->fates_room) {
		uint8_t *fates = realloc(a->fates, n);

		if (!fates)
			return -ENOMEM;
		a->fates = fates;
		a->fates_room = n;
	}
	if (n)
		memset(a->fates, HF_FATE_DONE, n);
	return 0;
}

/* Takes the entry out of the table and notes its file. */
static void entry_drop(struct hf_adapter *a, struct hf_record_entry *e)
{
	hf_paced_writer_gone(a->pump, e);
	hf_paced_writer_dirty(a->pump, e->bucket);
	hf_record_table_del(a->table, e);
}

/* The other addresses of the name: those in the same file at once, all others when all has come. */
static void entry_drop_others(struct hf_adapter *a, const struct hf_record *r, bool all)
{
	unsigned bucket = hf_record_table_bucket_of(a->table, r->addr);
	struct hf_record_entry *next, *e = hf_record_table_find(a->table, &r->name);

	for (; e; e = next) {
		next = e->same;
		if (memcmp(e->addr, r->addr, 16) && (all || e->bucket == bucket))
			entry_drop(a, e);
	}
}

static enum hf_fate dnsmasq_fate_of(const struct hf_adapter *a, const struct hf_record *r)
{
	if (!hf_hosts_line_fits(r))
		return HF_FATE_UNFIT;
	if (hf_host_files_blocked(a->files, hf_record_table_bucket_of(a->table, r->addr)))
		return HF_FATE_CLASH;
	if (!hf_record_table_find(a->table, &r->name) &&
	    hf_record_table_count(a->table) >= NAMES_MAX)
		return HF_FATE_UNFIT;
	return HF_FATE_DONE;
}

static int dnsmasq_put(struct hf_adapter *a, const struct hf_record *r)
{
	int rc = hf_record_table_put(a->table, r);

	if (rc > 0)
		hf_paced_writer_dirty(a->pump, hf_record_table_bucket_of(a->table, r->addr));
	if (rc >= 0)
		entry_drop_others(a, r, false);
	return rc < 0 ? rc : 0;
}

static void plan_puts(struct hf_adapter *a)
{
	a->plan_code = 0;
	for (size_t i = 0; i < a->batch.n && !a->plan_code; i++) {
		const struct hf_change *c = &a->batch.at[i];

		if (c->op != HF_CHANGE_PUT || a->fates[i])
			continue;
		a->fates[i] = dnsmasq_fate_of(a, &c->record);
		if (!a->fates[i])
			a->plan_code = dnsmasq_put(a, &c->record);
	}
	a->phase = APPLY_PUT;
	hf_paced_writer_go(a->pump);
}

/* It is not in the table: but others may have put back a file that has it. */
static void look_again(struct hf_adapter *a, const struct hf_record *r)
{
	unsigned bucket = hf_record_table_bucket_of(a->table, r->addr);

	if (hf_host_files_changed(a->files, bucket))
		hf_paced_writer_dirty(a->pump, bucket);
}

static void plan_takes(struct hf_adapter *a)
{
	for (size_t i = 0; i < a->batch.n; i++) {
		const struct hf_change *c = &a->batch.at[i];
		struct hf_record_entry *e;

		if (a->fates[i])
			continue;
		e = hf_record_table_find_addr(a->table, &c->record.name, c->record.addr);
		if (c->op == HF_CHANGE_PUT)
			entry_drop_others(a, &c->record, true);
		else if (e)
			entry_drop(a, e);
		else
			look_again(a, &c->record);
	}
	a->phase = APPLY_TAKE;
	hf_paced_writer_go(a->pump);
}

/* --- what others have --- */

/*
 * A name that our files do not have. Of a file that others have just changed nothing is known
 * before it is written again.
 */
bool hf_dnsmasq_asks_clash(void *arg, const struct hf_change *change)
{
	const struct hf_record *r = &change->record;
	struct hf_adapter *a = arg;

	if (change->op == HF_CHANGE_PUT)
		return hf_hosts_line_fits(r) && !hf_record_table_find(a->table, &r->name);
	return !hf_record_table_find_addr(a->table, &r->name, r->addr) &&
	       !hf_host_files_changed(a->files, hf_record_table_bucket_of(a->table, r->addr));
}

/* Those that others have are not ours to write. */
static void drop_clashes(struct hf_adapter *a)
{
	for (size_t i = 0; i < a->batch.n; i++) {
		const struct hf_record *r = &a->batch.at[i].record;
		struct hf_record_entry *e = NULL;

		if (a->batch.at[i].op == HF_CHANGE_PUT && a->fates[i] == HF_FATE_CLASH)
			e = hf_record_table_find_addr(a->table, &r->name, r->addr);
		if (e)
			entry_drop(a, e);
	}
}

/* What was interrupted by a doubt goes on. */
static void apply_resume(struct hf_adapter *a)
{
	if (a->resume == APPLY_CLASH) {
		plan_puts(a);
		return;
	}
	a->phase = a->resume;
	hf_paced_writer_trust(a->pump, true);
	drop_clashes(a);
	hf_paced_writer_go(a->pump);
}

/* dnsmasq reads our files: what is answered all the same is others'. */
static void apply_settle(struct hf_adapter *a)
{
	struct hf_record stuck;
	bool taken;
	int rc = 0;

	a->phase = APPLY_SETTLE;
	if (a->resume == APPLY_CLASH)
		rc = hf_dnsmasq_clash_settle(a->clash);
	else if (a->resume == APPLY_TAKE)
		rc = hf_dnsmasq_clash_settle_takes(a->clash);
	else if (hf_paced_writer_stuck(a->pump, &stuck, &taken) && !taken)
		rc = hf_dnsmasq_clash_settle_put(a->clash, &stuck);
	if (rc <= 0)
		apply_resume(a);
}

/* Something is answered that is not in our files. */
static void apply_prove(struct hf_adapter *a)
{
	a->resume = a->phase;
	a->phase = APPLY_PROBE;
	if (a->proven)
		apply_settle(a);
	else if (hf_dnsmasq_probe_begin(a->prober))
		hf_dnsmasq_on_probed(a, HF_ENOTREADY);
}

void hf_dnsmasq_on_probed(void *arg, int code)
{
	struct hf_adapter *a = arg;

	a->proven = !code;
	if (!code)
		apply_settle(a);
	else if (a->resume == APPLY_CLASH)
		plan_puts(a); /* it is not known whose they are: ours, until that can be told */
	else
		apply_end(a, code, a->why);
}

void hf_dnsmasq_on_clash(void *arg)
{
	struct hf_adapter *a = arg;

	if (a->phase == APPLY_SETTLE)
		apply_resume(a);
	else if (hf_dnsmasq_clash_doubts(a->clash))
		apply_prove(a);
	else
		plan_puts(a);
}

/* --- the batch --- */

static void sweep_file_entry(struct hf_record_entry *e, void *arg)
{
	entry_drop(arg, e);
}

void hf_dnsmasq_sweep(struct hf_adapter *a)
{
	if (!a->loaded || !a->sweeps || !a->zones)
		return;
	hf_record_table_outside(a->table, a->zones, a->n_zones, sweep_file_entry, a);
	a->sweeps = false;
}

/* The last suffix has left: no name stays, and no file that others have put back. */
static void leave_files(struct hf_adapter *a)
{
	hf_record_table_outside(a->table, NULL, 0, sweep_file_entry, a);
	for (unsigned i = 0; i < hf_host_files_count(a->files); i++)
		if (hf_host_files_changed(a->files, i) && !hf_host_files_blocked(a->files, i))
			hf_paced_writer_dirty(a->pump, i);
}

static void apply_begin(struct hf_adapter *a)
{
	int rc = make_fates(a);

	a->proven = false;
	hf_paced_writer_trust(a->pump, false);
	a->phase = APPLY_CLASH;
	if (!a->batch.n && !a->n_zones)
		leave_files(a);
	if (!rc)
		rc = hf_dnsmasq_clash_begin(a->clash, &a->batch, a->fates);
	if (rc < 0)
		apply_end(a, rc, "no memory for a batch");
	else if (!rc)
		plan_puts(a);
}

void hf_dnsmasq_apply_loaded(struct hf_adapter *a, int code, const char *why)
{
	if (code)
		apply_end(a, code, why);
	else
		apply_begin(a);
}

void hf_dnsmasq_apply(struct hf_adapter *a, const struct hf_batch *batch)
{
	a->batch = *batch;
	a->phase = APPLY_LOAD;
	a->in_charge = true;
	if (a->loaded)
		apply_begin(a);
	else
		hf_dnsmasq_load(a);
}

static void dnsmasq_warn_of_size(struct hf_adapter *a)
{
	size_t n = hf_record_table_count(a->table);
	size_t limit = a->d->hostsdir ? NAMES_WARN : NAMES_WARN_SINGLE;
	char text[WHY_MAX];

	snprintf(text, sizeof(text),
	    "it has %zu names; with more than %zu each change makes dnsmasq silent for long, and more than %d are not taken: let it forward the suffix to holdfast-dns (holdfastctl setup)",
	    n, limit, NAMES_MAX);
	hf_dnsmasq_warn(a, WARN_MANY, n > limit ? text : NULL);
}

static void warn_of_silence(struct hf_adapter *a, bool silent)
{
	char text[WHY_MAX];

	snprintf(text, sizeof(text),
	    "nobody listens at the address of 'ask'; what is written to %s is read when dnsmasq starts",
	    hf_host_files_what(a->files));
	hf_dnsmasq_warn(a, WARN_NOT_RUNNING, silent ? text : NULL);
}

/* What the watch had written again; a failure is tried with its next round. */
static void repair_report(struct hf_adapter *a, int code, const char *why)
{
	if (code)
		hf_fault_set(&a->repairs, a->host->clock, HF_LOG_WARN,
		    "adapter '%s': %s is not as it should be yet: %s (%s)", a->config->name,
		    hf_host_files_what(a->files), why, hf_errname(code));
	else
		hf_fault_clear(&a->repairs, a->host->clock, hf_host_files_what(a->files));
}

void hf_dnsmasq_on_drained(void *arg, int code, const char *why, bool silent)
{
	struct hf_adapter *a = arg;
	bool applies = a->phase == APPLY_PUT || a->phase == APPLY_TAKE, taken;
	struct hf_record stuck;

	if (!code)
		warn_of_silence(a, silent);
	if (applies && code == HF_ENOTREADY && hf_paced_writer_stuck(a->pump, &stuck, &taken)) {
		snprintf(a->why, sizeof(a->why), "%s", why);
		apply_prove(a);
	} else if (a->phase == APPLY_PUT && !code && a->plan_code) {
		apply_end(a, a->plan_code, "no memory for more names");
	} else if (a->phase == APPLY_PUT && !code) {
		plan_takes(a);
	} else if (applies) {
		dnsmasq_warn_of_size(a);
		apply_end(a, code, why);
	} else {
		repair_report(a, code, why);
	}
}
