/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/dnsmasq_batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/dnsmasq/dnsmasq_clash.h"
#include "adapters/dnsmasq/dnsmasq_probe.h"
#include "adapters/dnsmasq/host_files.h"
#include "adapters/dnsmasq/paced_writer.h"
#include "adapters/hosts_line.h"
#include "base/error.h"

enum { BATCH_WHY_MAX = 512 };

enum batch_phase {
	BATCH_NONE,
	BATCH_LOAD,
	BATCH_CLASH,
	BATCH_PUT,
	BATCH_TAKE,
	BATCH_PROBE,  /* does dnsmasq read our files? Then `resume` goes on */
	BATCH_SETTLE, /* it does: what it answers besides is others' */
	BATCH_ANSWER
};

struct hf_dnsmasq_batch {
	struct hf_dnsmasq_batch_opts o;
	struct hf_record_table *table;  /* lent by the files */
	struct hf_dnsmasq_clash *clash; /* owned, as the next */
	struct hf_dnsmasq_probe *prober;
	enum batch_phase phase, resume;
	bool proven;           /* in this batch: dnsmasq reads our files */
	struct hf_batch batch; /* lent by the host */
	uint8_t *fates;        /* owned */
	size_t fates_room;
	int plan_code; /* of a put that failed for lack of memory */
	int code;      /* of the receipt, and its text */
	char why[BATCH_WHY_MAX];
};

/* The receipt follows from the loop. */
static void batch_end(struct hf_dnsmasq_batch *b, int code, const char *why)
{
	b->phase = BATCH_ANSWER;
	b->code = code;
	if (why != b->why)
		snprintf(b->why, sizeof(b->why), "%s", code ? why : "");
	b->o.done(b->o.arg);
}

static int make_fates(struct hf_dnsmasq_batch *b)
{
	size_t n = b->batch.n;

	if (n > b->fates_room) {
		uint8_t *fates = realloc(b->fates, n);

		if (!fates)
			return -ENOMEM;
		b->fates = fates;
		b->fates_room = n;
	}
	if (n)
		memset(b->fates, HF_FATE_DONE, n);
	return 0;
}

/* Takes the entry out of the table and notes its file. */
static void entry_drop(struct hf_dnsmasq_batch *b, struct hf_record_entry *e)
{
	hf_paced_writer_gone(b->o.pump, e);
	hf_paced_writer_dirty(b->o.pump, e->bucket);
	hf_record_table_del(b->table, e);
}

/* The other addresses of the name: those in the same file at once, all others when all has come. */
static void entry_drop_others(struct hf_dnsmasq_batch *b, const struct hf_record *r, bool all)
{
	unsigned bucket = hf_record_table_bucket_of(b->table, r->addr);
	struct hf_record_entry *next, *e = hf_record_table_find(b->table, &r->name);

	for (; e; e = next) {
		next = e->same;
		if (memcmp(e->addr, r->addr, 16) && (all || e->bucket == bucket))
			entry_drop(b, e);
	}
}

static enum hf_fate batch_fate_of(const struct hf_dnsmasq_batch *b, const struct hf_record *r)
{
	if (!hf_hosts_line_fits(r))
		return HF_FATE_UNFIT;
	if (hf_host_files_blocked(b->o.files, hf_record_table_bucket_of(b->table, r->addr)))
		return HF_FATE_CLASH;
	if (!hf_record_table_find(b->table, &r->name) &&
	    hf_record_table_count(b->table) >= HF_DNSMASQ_NAMES_MAX)
		return HF_FATE_UNFIT;
	return HF_FATE_DONE;
}

static int batch_put(struct hf_dnsmasq_batch *b, const struct hf_record *r)
{
	int rc = hf_record_table_put(b->table, r);

	if (rc > 0)
		hf_paced_writer_dirty(b->o.pump, hf_record_table_bucket_of(b->table, r->addr));
	if (rc >= 0)
		entry_drop_others(b, r, false);
	return rc < 0 ? rc : 0;
}

static void plan_puts(struct hf_dnsmasq_batch *b)
{
	b->plan_code = 0;
	for (size_t i = 0; i < b->batch.n && !b->plan_code; i++) {
		const struct hf_change *c = &b->batch.at[i];

		if (c->op != HF_CHANGE_PUT || b->fates[i])
			continue;
		b->fates[i] = batch_fate_of(b, &c->record);
		if (!b->fates[i])
			b->plan_code = batch_put(b, &c->record);
	}
	b->phase = BATCH_PUT;
	hf_paced_writer_go(b->o.pump);
}

/* It is not in the table: but others may have put back a file that has it. */
static void look_again(struct hf_dnsmasq_batch *b, const struct hf_record *r)
{
	unsigned bucket = hf_record_table_bucket_of(b->table, r->addr);

	if (hf_host_files_changed(b->o.files, bucket))
		hf_paced_writer_dirty(b->o.pump, bucket);
}

static void plan_takes(struct hf_dnsmasq_batch *b)
{
	for (size_t i = 0; i < b->batch.n; i++) {
		const struct hf_change *c = &b->batch.at[i];
		struct hf_record_entry *e;

		if (b->fates[i])
			continue;
		e = hf_record_table_find_addr(b->table, &c->record.name, c->record.addr);
		if (c->op == HF_CHANGE_PUT)
			entry_drop_others(b, &c->record, true);
		else if (e)
			entry_drop(b, e);
		else
			look_again(b, &c->record);
	}
	b->phase = BATCH_TAKE;
	hf_paced_writer_go(b->o.pump);
}

/* --- what others have --- */

/*
 * A name that our files do not have. Of a file that others have just changed nothing is known
 * before it is written again.
 */
static bool on_clash_asks(void *arg, const struct hf_change *change)
{
	const struct hf_record *r = &change->record;
	struct hf_dnsmasq_batch *b = arg;

	if (change->op == HF_CHANGE_PUT)
		return hf_hosts_line_fits(r) && !hf_record_table_find(b->table, &r->name);
	return !hf_record_table_find_addr(b->table, &r->name, r->addr) &&
	       !hf_host_files_changed(b->o.files, hf_record_table_bucket_of(b->table, r->addr));
}

/* Those that others have are not ours to write. */
static void drop_clashes(struct hf_dnsmasq_batch *b)
{
	for (size_t i = 0; i < b->batch.n; i++) {
		const struct hf_record *r = &b->batch.at[i].record;
		struct hf_record_entry *e = NULL;

		if (b->batch.at[i].op == HF_CHANGE_PUT && b->fates[i] == HF_FATE_CLASH)
			e = hf_record_table_find_addr(b->table, &r->name, r->addr);
		if (e)
			entry_drop(b, e);
	}
}

/* What was interrupted by a doubt goes on. */
static void batch_resume(struct hf_dnsmasq_batch *b)
{
	if (b->resume == BATCH_CLASH) {
		plan_puts(b);
		return;
	}
	b->phase = b->resume;
	hf_paced_writer_trust(b->o.pump, true);
	drop_clashes(b);
	hf_paced_writer_go(b->o.pump);
}

/* dnsmasq reads our files: what is answered all the same is others'. */
static void batch_settle(struct hf_dnsmasq_batch *b)
{
	struct hf_record stuck;
	bool taken;
	int rc = 0;

	b->phase = BATCH_SETTLE;
	if (b->resume == BATCH_CLASH)
		rc = hf_dnsmasq_clash_settle(b->clash);
	else if (b->resume == BATCH_TAKE)
		rc = hf_dnsmasq_clash_settle_takes(b->clash);
	else if (hf_paced_writer_stuck(b->o.pump, &stuck, &taken) && !taken)
		rc = hf_dnsmasq_clash_settle_put(b->clash, &stuck);
	if (rc <= 0)
		batch_resume(b);
}

static void on_batch_probed(void *arg, int code);

/* Something is answered that is not in our files. */
static void batch_prove(struct hf_dnsmasq_batch *b)
{
	b->resume = b->phase;
	b->phase = BATCH_PROBE;
	if (b->proven)
		batch_settle(b);
	else if (hf_dnsmasq_probe_begin(b->prober))
		on_batch_probed(b, HF_ENOTREADY);
}

static void on_batch_probed(void *arg, int code)
{
	struct hf_dnsmasq_batch *b = arg;

	b->proven = !code;
	if (!code)
		batch_settle(b);
	else if (b->resume == BATCH_CLASH)
		plan_puts(b); /* it is not known whose they are: ours, until that can be told */
	else
		batch_end(b, code, b->why);
}

static void on_clash_done(void *arg)
{
	struct hf_dnsmasq_batch *b = arg;

	if (b->phase == BATCH_SETTLE)
		batch_resume(b);
	else if (hf_dnsmasq_clash_doubts(b->clash))
		batch_prove(b);
	else
		plan_puts(b);
}

/* --- the batch --- */

static void sweep_file_entry(struct hf_record_entry *e, void *arg)
{
	entry_drop(arg, e);
}

void hf_dnsmasq_batch_sweep(struct hf_dnsmasq_batch *b, const struct hf_name *suffixes, size_t n)
{
	hf_record_table_outside(b->table, suffixes, n, sweep_file_entry, b);
}

/* The last suffix has left: no name stays, and no file that others have put back. */
static void leave_files(struct hf_dnsmasq_batch *b)
{
	hf_record_table_outside(b->table, NULL, 0, sweep_file_entry, b);
	for (unsigned i = 0; i < hf_host_files_count(b->o.files); i++)
		if (hf_host_files_changed(b->o.files, i) && !hf_host_files_blocked(b->o.files, i))
			hf_paced_writer_dirty(b->o.pump, i);
}

static void batch_begin(struct hf_dnsmasq_batch *b, bool leaves)
{
	int rc = make_fates(b);

	b->proven = false;
	hf_paced_writer_trust(b->o.pump, false);
	b->phase = BATCH_CLASH;
	if (!b->batch.n && leaves)
		leave_files(b);
	if (!rc)
		rc = hf_dnsmasq_clash_begin(b->clash, &b->batch, b->fates);
	if (rc < 0)
		batch_end(b, rc, "no memory for a batch");
	else if (!rc)
		plan_puts(b);
}

void hf_dnsmasq_batch_take(struct hf_dnsmasq_batch *b, const struct hf_batch *batch)
{
	b->batch = *batch;
	b->phase = BATCH_LOAD;
}

void hf_dnsmasq_batch_loaded(struct hf_dnsmasq_batch *b, int code, const char *why, bool leaves)
{
	if (b->phase != BATCH_LOAD)
		return;
	if (code)
		batch_end(b, code, why);
	else
		batch_begin(b, leaves);
}

bool hf_dnsmasq_batch_drained(struct hf_dnsmasq_batch *b, int code, const char *why)
{
	struct hf_record stuck;
	bool taken;

	if (b->phase != BATCH_PUT && b->phase != BATCH_TAKE)
		return false;
	if (code == HF_ENOTREADY && hf_paced_writer_stuck(b->o.pump, &stuck, &taken)) {
		snprintf(b->why, sizeof(b->why), "%s", why);
		batch_prove(b);
	} else if (b->phase == BATCH_PUT && !code && b->plan_code) {
		batch_end(b, b->plan_code, "no memory for more names");
	} else if (b->phase == BATCH_PUT && !code) {
		plan_takes(b);
	} else {
		batch_end(b, code, why);
	}
	return true;
}

static bool any_fate(const struct hf_dnsmasq_batch *b)
{
	for (size_t i = 0; i < b->batch.n; i++)
		if (b->fates[i])
			return true;
	return false;
}

void hf_dnsmasq_batch_receipt(struct hf_dnsmasq_batch *b, struct hf_receipt *ret_receipt)
{
	*ret_receipt = (struct hf_receipt){
		.n_done = b->code ? 0 : b->batch.n,
		.code = b->code,
		.text = b->why,
		.next_max = HF_DNSMASQ_BATCH_MAX,
	};
	if (!b->code && any_fate(b))
		ret_receipt->fates = b->fates;
	b->phase = BATCH_NONE;
}

/* --- its life --- */

static int64_t on_probe_gap(void *arg)
{
	struct hf_dnsmasq_batch *b = arg;

	return hf_paced_writer_wait_us(b->o.pump);
}

static int on_probe_write(void *arg, unsigned file, char *ret_why, size_t why_size)
{
	struct hf_dnsmasq_batch *b = arg;
	int rc = b->o.write(b->o.arg, file, ret_why, why_size);

	if (!rc)
		hf_paced_writer_wrote(b->o.pump);
	return rc;
}

static void on_probe_left(void *arg, unsigned file)
{
	struct hf_dnsmasq_batch *b = arg;

	hf_paced_writer_dirty(b->o.pump, file);
}

static int make_prober(struct hf_dnsmasq_batch *b)
{
	const struct hf_dnsmasq_probe_opts o = {
		.base = b->o.base,
		.ask = b->o.ask,
		.table = b->table,
		.patience_ms = b->o.patience_ms,
		.arg = b,
		.write = on_probe_write,
		.gap_us = on_probe_gap,
		.left = on_probe_left,
		.done = on_batch_probed,
	};

	return hf_dnsmasq_probe_new(&o, &b->prober);
}

int hf_dnsmasq_batch_new(
    const struct hf_dnsmasq_batch_opts *opts, struct hf_dnsmasq_batch **ret_batch)
{
	struct hf_dnsmasq_batch *b = calloc(1, sizeof(*b));
	struct hf_dnsmasq_clash_opts clash = {
		.ask = opts->ask, .arg = b, .asks = on_clash_asks, .done = on_clash_done
	};
	int rc;

	if (!b)
		return -ENOMEM;
	b->o = *opts;
	b->table = hf_host_files_table(opts->files);
	rc = hf_dnsmasq_clash_new(&clash, &b->clash);
	if (!rc)
		rc = make_prober(b);
	if (rc)
		hf_dnsmasq_batch_free(b);
	else
		*ret_batch = b;
	return rc;
}

void hf_dnsmasq_batch_free(struct hf_dnsmasq_batch *b)
{
	if (!b)
		return;
	hf_dnsmasq_clash_free(b->clash);
	hf_dnsmasq_probe_free(b->prober);
	free(b->fates);
	free(b);
}

void hf_dnsmasq_batch_suffix(struct hf_dnsmasq_batch *b, const struct hf_name *suffix)
{
	hf_dnsmasq_probe_suffix(b->prober, suffix);
}
