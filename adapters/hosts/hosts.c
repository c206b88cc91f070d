/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hosts: the adapter that keeps a marked block in a hosts file. A batch is one pass over the file
 * under its lock: read, decide, write if something changed. All within a turn of the loop, since
 * the file is small; only the lock is waited for, in turns.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/hosts/hosts_content.h"
#include "adapters/hosts/hosts_private.h"
#include "adapters/hosts/hosts_read.h"
#include "adapters/hosts_line.h"
#include "base/error.h"
#include "base/timing.h"

enum {
	LOCK_TRY_MS = 10,
	LOCK_WAIT_MS = 5000,
	WATCH_MS = 1000,
	PAUSE_US = 100000, /* every process on the machine reads this file */
	LATE_MS = 100,
	LATE_ROUNDS = 3,
};

static void in_ms(struct event *timer, long ms)
{
	const struct timeval tv = hf_time_of_ms(ms);

	event_add(timer, &tv);
}

static int hosts_load(struct hf_hosts *h, const char *bytes, const struct hf_hosts_block *block)
{
	int rc = h->loaded ? 0 : hf_hosts_block_load(bytes, block, h->table);

	if (rc < 0)
		return rc;
	h->loaded = true;
	return 0;
}

static void hosts_drop_others(struct hf_hosts *h, const struct hf_record *r)
{
	struct hf_record_entry *next, *e = hf_record_table_find(h->table, &r->name);

	for (; e; e = next) {
		next = e->same;
		if (memcmp(e->addr, r->addr, 16))
			hf_record_table_del(h->table, e);
	}
}

static enum hf_fate hosts_fate_of(
    const struct hf_hosts *h, const struct hf_record *r, const struct hf_hosts_foreign *foreign)
{
	bool ours = hf_record_table_find(h->table, &r->name) != NULL;

	if (!hf_hosts_line_fits(r))
		return HF_FATE_UNFIT;
	if (!ours && hf_hosts_foreign_has(foreign, &r->name))
		return HF_FATE_CLASH;
	if (!ours && hf_record_table_count(h->table) >= (size_t)h->conf->max_names)
		return HF_FATE_UNFIT;
	return HF_FATE_DONE;
}

/* One change in the table. 0 or -ENOMEM. */
static int hosts_change(struct hf_hosts *h, size_t i, const struct hf_hosts_foreign *foreign)
{
	const struct hf_change *c = &h->batch.at[i];
	struct hf_record_entry *e;

	h->fates[i] = HF_FATE_DONE;
	if (c->op == HF_CHANGE_TAKE) {
		e = hf_record_table_find_addr(h->table, &c->record.name, c->record.addr);
		if (e)
			hf_record_table_del(h->table, e);
		return 0;
	}
	h->fates[i] = (uint8_t)hosts_fate_of(h, &c->record, foreign);
	if (h->fates[i])
		return 0;
	hosts_drop_others(h, &c->record);
	return hf_record_table_put(h->table, &c->record) < 0 ? -ENOMEM : 0;
}

/* Removals first, so that a full block has room for what comes instead. */
static int change_all(
    struct hf_hosts *h, const char *bytes, size_t len, const struct hf_hosts_block *block)
{
	struct hf_hosts_foreign *foreign;
	int rc = hf_hosts_foreign_new(bytes, len, block, &foreign);

	for (size_t i = 0; i < h->batch.n && !rc; i++) {
		if (h->batch.at[i].op == HF_CHANGE_TAKE)
			rc = hosts_change(h, i, foreign);
	}
	for (size_t i = 0; i < h->batch.n && !rc; i++) {
		if (h->batch.at[i].op == HF_CHANGE_PUT)
			rc = hosts_change(h, i, foreign);
	}
	if (foreign)
		hf_hosts_foreign_free(foreign);
	return rc;
}

static void sweep_entry(struct hf_record_entry *e, void *arg)
{
	struct hf_hosts *h = arg;

	hf_record_table_del(h->table, e);
}

/*
 * The block is ours, whatever is in it: also names below a suffix that nobody knows any more, of a
 * lost store. When the last suffix leaves, nothing stays.
 */
static void hosts_sweep(struct hf_hosts *h)
{
	bool leaves = h->applying && !h->batch.n && !h->base.n_suffixes;

	if (leaves || (h->sweeps && h->base.n_suffixes))
		hf_record_table_outside(
		    h->table, h->base.suffixes, h->base.n_suffixes, sweep_entry, h);
	h->sweeps = false;
}

/* A hosts file of nobody but us; one that we only found empty is not. */
static bool is_own_file(const struct hf_hosts_file_view *file, struct hf_hosts_block *block)
{
	if (file->was_empty && (!geteuid() || file->st.st_uid != geteuid()))
		block->was_empty = true;
	return block->start == 0 && block->end == file->len && !block->was_empty;
}

/*
 * Without names the block stays with nothing in it: that is how holdfast-hosts knows it. It goes
 * when no suffix is ours any more (teardown), but not out of a file of our own.
 */
static bool block_stays(
    const struct hf_hosts *h, const struct hf_hosts_file_view *file, struct hf_hosts_block *block)
{
	return is_own_file(file, block) || (h->base.n_suffixes && block->start != block->end);
}

/* What the file is to be: the batch is done in the table, and the table is the block. */
static int hosts_make_content(
    const struct hf_hosts_file_view *file, char **ret_bytes, size_t *ret_len, void *arg)
{
	struct hf_hosts *h = arg;
	struct hf_hosts_block block;
	int rc = hf_hosts_block_find(file->bytes, file->len, &block, h->where, sizeof(h->where));

	if (!rc)
		rc = hosts_load(h, file->bytes, &block);
	if (!rc)
		hosts_sweep(h);
	if (!rc)
		rc = change_all(h, file->bytes, file->len, &block);
	if (!rc)
		rc = hf_hosts_block_build(file->bytes, file->len, &block, h->table,
		    block_stays(h, file, &block), ret_bytes, ret_len);
	return rc;
}

/* What is to be done under the lock: `batch` may be empty, then the block is only made right. */
static int pass_once(struct hf_hosts *h, bool hurry, char *why, size_t size)
{
	const struct hf_hosts_file_edit edit = { .path = h->conf->path,
		.lates = &h->lates,
		.now_ms = hf_boot_ms(h->base.host->clock),
		.hurry = hurry,
		.make = hosts_make_content,
		.arg = h };
	int rc = hf_hosts_file_edit(&edit, &h->seen, why, size);

	if (rc == HF_EREFUSED)
		snprintf(why, size, "%.300s: %s", h->conf->path, h->where);
	return rc;
}

/* And what others wrote meanwhile into the replaced file; on_hosts_watch() does the rest. */
static int hosts_pass(struct hf_hosts *h, bool hurry, char *why, size_t size)
{
	int rc = pass_once(h, hurry, why, size);

	for (int i = 0; i < LATE_ROUNDS && !rc && hf_hosts_late_is_urgent(&h->lates); i++)
		if (pass_once(h, hurry, why, size))
			break;
	if (h->lates.n)
		in_ms(h->watch_timer, LATE_MS);
	return rc;
}

/* --- apply --- */

static void hosts_warn_of_size(struct hf_hosts *h, bool unfit)
{
	h->full =
	    unfit || (h->full && hf_record_table_count(h->table) >= (size_t)h->conf->max_names);
	hf_adapter_warnings_set(&h->base.warnings, WARN_MANY,
	    h->full ? "it has as many names as max-names allows; others are not written" : NULL);
}

static void answer_apply(struct hf_hosts *h, int code, const char *why)
{
	bool unfit = false;

	struct hf_receipt r = {
		.n_done = code ? 0 : h->batch.n,
		.code = code,
		.text = code ? why : "",
		.pause_us = PAUSE_US,
		.next_max = NEXT_MAX,
	};

	for (size_t i = 0; i < h->batch.n && !code; i++) {
		if (h->fates[i])
			r.fates = h->fates;
		unfit |= h->fates[i] == HF_FATE_UNFIT;
	}
	hosts_warn_of_size(h, unfit);
	h->applying = false;
	h->batch.n = 0;
	h->base.host->applied(h->base.host->arg, &r);
}

static void on_apply(evutil_socket_t fd, short what, void *arg)
{
	struct hf_hosts *h = arg;
	int64_t waited_ms = hf_boot_ms(h->base.host->clock) - h->began_ms;
	char why[WHY_MAX] = "";
	int rc =
	    h->no_memory ? -ENOMEM : hosts_pass(h, waited_ms > LOCK_WAIT_MS / 2, why, sizeof(why));

	if (rc == -EAGAIN && waited_ms < LOCK_WAIT_MS)
		in_ms(h->apply_timer, LOCK_TRY_MS);
	else
		answer_apply(h, rc == -EAGAIN ? -EBUSY : rc, why);
}

static void hosts_apply(struct hf_adapter *a, const struct hf_batch *batch)
{
	struct hf_hosts *h = hf_hosts_of(a);
	uint8_t *fates = realloc(h->fates, batch->n + 1);

	if (fates)
		h->fates = fates;
	h->no_memory = !fates;
	h->batch = *batch;
	h->applying = h->in_charge = true;
	h->began_ms = hf_boot_ms(h->base.host->clock);
	in_ms(h->apply_timer, 0);
}

/* --- what others do to it --- */

static void on_hosts_watch(evutil_socket_t fd, short what, void *arg)
{
	struct hf_hosts *h = arg;
	char why[WHY_MAX] = "";
	struct stat st;
	int rc;

	in_ms(h->watch_timer, h->lates.n ? LATE_MS : WATCH_MS);
	if (!h->in_charge || h->applying)
		return;
	hf_hosts_content_look(h->conf->path, &st);
	if (hf_hosts_content_same(&st, &h->seen) && !h->lates.n)
		return;
	rc = hosts_pass(h, false, why, sizeof(why));
	if (!rc && h->wants_audit)
		hf_start_audit_begin(h->audit);
	if (rc)
		memset(&h->seen, 0, sizeof(h->seen)); /* look again in the next round */
	if (rc && rc != -EAGAIN)
		hf_fault_set(&h->fault, h->base.host->clock, HF_LOG_WARN,
		    "adapter '%s': what others changed is not repaired yet: %s (%s)",
		    h->base.config->name, why, hf_errname(rc));
	else if (!rc)
		hf_fault_clear(&h->fault, h->base.host->clock, h->conf->path);
}

/* --- reading --- */

static int tell_record(const struct hf_record *r, void *arg)
{
	struct hf_hosts *h = arg;

	h->base.host->listed(h->base.host->arg, r, 1, 0, "");
	return 0;
}

static void hosts_give_list(struct hf_adapter *a)
{
	struct hf_hosts *h = hf_hosts_of(a);
	struct hf_hosts_foreign *foreign = NULL;
	struct hf_record_table *table = NULL;
	char why[WHY_MAX] = "";
	int rc = hf_hosts_read(h->conf->path, &table, &foreign, why, sizeof(why));

	if (!rc) {
		hf_record_table_walk(table, 0, tell_record, h);
		hf_hosts_foreign_free(foreign);
		hf_record_table_free(table);
	}
	h->base.host->listed(h->base.host->arg, NULL, 0, rc, why);
}

static void hosts_list(struct hf_adapter *a)
{
	hf_adapter_answers_due(&a->answers, HF_ANSWER_LIST);
}

static enum hf_is hosts_judge(const struct hf_expect *e, const struct hf_record_table *table,
    const struct hf_hosts_foreign *foreign)
{
	bool has = hf_record_table_find_addr(table, &e->record.name, e->record.addr) != NULL;

	if (e->absent)
		return has ? HF_IS_NOT_SO : HF_IS_SO;
	if (hf_hosts_foreign_has(foreign, &e->record.name))
		return HF_IS_FOREIGN;
	return has ? HF_IS_SO : HF_IS_NOT_SO;
}

static void hosts_give_verify(struct hf_adapter *a)
{
	struct hf_hosts *h = hf_hosts_of(a);
	struct hf_hosts_foreign *foreign = NULL;
	struct hf_record_table *table = NULL;
	char why[WHY_MAX] = "";
	int rc = hf_hosts_read(h->conf->path, &table, &foreign, why, sizeof(why));

	for (size_t i = 0; i < h->n_expect; i++)
		h->expect[i].is = rc ? HF_IS_UNKNOWN : hosts_judge(&h->expect[i], table, foreign);
	if (!rc) {
		hf_hosts_foreign_free(foreign);
		hf_record_table_free(table);
	}
	h->base.host->verified(h->base.host->arg, rc, why);
}

static void hosts_verify(struct hf_adapter *a, struct hf_expect *expect, size_t n)
{
	struct hf_hosts *h = hf_hosts_of(a);

	h->expect = expect;
	h->n_expect = n;
	hf_adapter_answers_due(&a->answers, HF_ANSWER_VERIFY);
}

/* --- its life --- */

static void hosts_complete(struct hf_adapter *a, uint64_t generation)
{
	struct hf_hosts *h = hf_hosts_of(a);

	h->in_charge = true;
	h->wants_audit = true;
	h->sweeps = true;
	if (h->loaded)
		hf_start_audit_begin(h->audit);
	memset(&h->seen, 0, sizeof(h->seen));
	in_ms(h->watch_timer, 0); /* reads it */
}

static void hosts_timer_free(struct event *timer)
{
	if (timer)
		event_free(timer);
}

static void hosts_close(struct hf_adapter *a)
{
	struct hf_hosts *h = hf_hosts_of(a);
	char why[WHY_MAX];

	if (!a)
		return;
	/* The last look at what others wrote into the file that was replaced last. */
	if (h->lates.n && h->in_charge && !h->applying)
		pass_once(h, true, why, sizeof(why));
	hf_adapter_done(a);
	hf_hosts_late_free(&h->lates);
	hosts_timer_free(h->apply_timer);
	hosts_timer_free(h->watch_timer);
	hf_start_audit_free(h->audit);
	hf_record_table_free(h->table);
	free(h->fates);
	free(h);
}

static const char *const hosts_warnings[] = { [WARN_MANY] = "many-names" };

static const struct hf_adapter_parts hosts_parts = {
	.type = &hf_hosts_adapter_type,
	.answers = { [HF_ANSWER_LIST] = hosts_give_list,
	    [HF_ANSWER_VERIFY] = hosts_give_verify,
	    [HF_ANSWER_DOCTOR] = hf_hosts_doctor },
	.warnings = hosts_warnings,
};

static int hosts_make(
    struct hf_hosts *h, const struct hf_config_adapter *config, const struct hf_adapter_host *host)
{
	int rc = hf_adapter_init(&h->base, &hosts_parts, config, host);

	h->conf = &config->hosts;
	h->apply_timer = evtimer_new(host->base, on_apply, h);
	h->watch_timer = evtimer_new(host->base, on_hosts_watch, h);
	if (!h->apply_timer || !h->watch_timer)
		rc = -ENOMEM;
	if (!rc)
		rc = hf_record_table_new(1, &h->table);
	if (!rc)
		rc = hf_start_audit_new(host, h->table, h->conf->path, &h->audit);
	return rc;
}

static int hosts_open(const struct hf_config_adapter *config, const struct hf_adapter_host *host,
    struct hf_adapter **ret_adapter)
{
	struct hf_hosts *h = calloc(1, sizeof(*h));
	int rc = h ? hosts_make(h, config, host) : -ENOMEM;

	if (rc) {
		hosts_close(h ? &h->base : NULL);
		return rc;
	}
	in_ms(h->watch_timer, WATCH_MS);
	*ret_adapter = &h->base;
	return 0;
}

static void hosts_doctor(struct hf_adapter *a)
{
	hf_adapter_answers_due(&a->answers, HF_ANSWER_DOCTOR);
}

const struct hf_adapter_type hf_hosts_adapter_type = {
	.name = "hosts",
	.open = hosts_open,
	.close = hosts_close,
	.zones = hf_adapter_keep_zones,
	.apply = hosts_apply,
	.complete = hosts_complete,
	.list = hosts_list,
	.lists_only_ours = true,
	.verify = hosts_verify,
	.doctor = hosts_doctor,
	.setup = hf_hosts_setup,
};
