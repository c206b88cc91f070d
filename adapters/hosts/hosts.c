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

static int hosts_load(struct hf_adapter *a, const char *bytes, const struct hf_hosts_block *block)
{
	int rc = a->loaded ? 0 : hf_hosts_block_load(bytes, block, a->table);

	if (rc < 0)
		return rc;
	a->loaded = true;
	return 0;
}

static void hosts_drop_others(struct hf_adapter *a, const struct hf_record *r)
{
	struct hf_record_entry *next, *e = hf_record_table_find(a->table, &r->name);

	for (; e; e = next) {
		next = e->same;
		if (memcmp(e->addr, r->addr, 16))
			hf_record_table_del(a->table, e);
	}
}

static enum hf_fate hosts_fate_of(
    const struct hf_adapter *a, const struct hf_record *r, const struct hf_hosts_foreign *foreign)
{
	bool ours = hf_record_table_find(a->table, &r->name) != NULL;

	if (!hf_hosts_line_fits(r))
		return HF_FATE_UNFIT;
	if (!ours && hf_hosts_foreign_has(foreign, &r->name))
		return HF_FATE_CLASH;
	if (!ours && hf_record_table_count(a->table) >= (size_t)a->h->max_names)
		return HF_FATE_UNFIT;
	return HF_FATE_DONE;
}

/* One change in the table. 0 or -ENOMEM. */
static int hosts_change(struct hf_adapter *a, size_t i, const struct hf_hosts_foreign *foreign)
{
	const struct hf_change *c = &a->batch.at[i];
	struct hf_record_entry *e;

	a->fates[i] = HF_FATE_DONE;
	if (c->op == HF_CHANGE_TAKE) {
		e = hf_record_table_find_addr(a->table, &c->record.name, c->record.addr);
		if (e)
			hf_record_table_del(a->table, e);
		return 0;
	}
	a->fates[i] = (uint8_t)hosts_fate_of(a, &c->record, foreign);
	if (a->fates[i])
		return 0;
	hosts_drop_others(a, &c->record);
	return hf_record_table_put(a->table, &c->record) < 0 ? -ENOMEM : 0;
}

/* Removals first, so that a full block has room for what comes instead. */
static int change_all(
    struct hf_adapter *a, const char *bytes, size_t len, const struct hf_hosts_block *block)
{
	struct hf_hosts_foreign *foreign;
	int rc = hf_hosts_foreign_new(bytes, len, block, &foreign);

	for (size_t i = 0; i < a->batch.n && !rc; i++) {
		if (a->batch.at[i].op == HF_CHANGE_TAKE)
			rc = hosts_change(a, i, foreign);
	}
	for (size_t i = 0; i < a->batch.n && !rc; i++) {
		if (a->batch.at[i].op == HF_CHANGE_PUT)
			rc = hosts_change(a, i, foreign);
	}
	if (foreign)
		hf_hosts_foreign_free(foreign);
	return rc;
}

static void sweep_entry(struct hf_record_entry *e, void *arg)
{
	struct hf_adapter *a = arg;

	hf_record_table_del(a->table, e);
}

/*
 * The block is ours, whatever is in it: also names below a suffix that nobody knows any more, of a
 * lost store. When the last suffix leaves, nothing stays.
 */
static void hosts_sweep(struct hf_adapter *a)
{
	bool leaves = a->applying && !a->batch.n && !a->n_zones;

	if (leaves || (a->sweeps && a->zones))
		hf_record_table_outside(a->table, a->zones, a->n_zones, sweep_entry, a);
	a->sweeps = false;
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
    const struct hf_adapter *a, const struct hf_hosts_file_view *file, struct hf_hosts_block *block)
{
	return is_own_file(file, block) || (a->n_zones && block->start != block->end);
}

/* What the file is to be: the batch is done in the table, and the table is the block. */
static int hosts_make_content(
    const struct hf_hosts_file_view *file, char **ret_bytes, size_t *ret_len, void *arg)
{
	struct hf_adapter *a = arg;
	struct hf_hosts_block block;
	int rc = hf_hosts_block_find(file->bytes, file->len, &block, a->where, sizeof(a->where));

	if (!rc)
		rc = hosts_load(a, file->bytes, &block);
	if (!rc)
		hosts_sweep(a);
	if (!rc)
		rc = change_all(a, file->bytes, file->len, &block);
	if (!rc)
		rc = hf_hosts_block_build(file->bytes, file->len, &block, a->table,
		    block_stays(a, file, &block), ret_bytes, ret_len);
	return rc;
}

/* What is to be done under the lock: `batch` may be empty, then the block is only made right. */
static int pass_once(struct hf_adapter *a, bool hurry, char *why, size_t size)
{
	const struct hf_hosts_file_edit edit = { .path = a->h->path,
		.lates = &a->lates,
		.now_ms = hf_boot_ms(a->host->clock),
		.hurry = hurry,
		.make = hosts_make_content,
		.arg = a };
	int rc = hf_hosts_file_edit(&edit, &a->seen, why, size);

	if (rc == HF_EREFUSED)
		snprintf(why, size, "%.300s: %s", a->h->path, a->where);
	return rc;
}

/* And what others wrote meanwhile into the replaced file; on_hosts_watch() does the rest. */
static int hosts_pass(struct hf_adapter *a, bool hurry, char *why, size_t size)
{
	int rc = pass_once(a, hurry, why, size);

	for (int i = 0; i < LATE_ROUNDS && !rc && hf_hosts_late_is_urgent(&a->lates); i++)
		if (pass_once(a, hurry, why, size))
			break;
	if (a->lates.n)
		in_ms(a->watch_timer, LATE_MS);
	return rc;
}

/* --- apply --- */

static void hosts_warn_of_size(struct hf_adapter *a, bool unfit)
{
	bool full =
	    unfit || (a->full && hf_record_table_count(a->table) >= (size_t)a->h->max_names);

	if (full == a->full)
		return;
	a->full = full;
	a->host->warn(a->host->arg, "many-names",
	    full ? "it has as many names as max-names allows; others are not written" : NULL);
}

static void answer_apply(struct hf_adapter *a, int code, const char *why)
{
	bool unfit = false;

	struct hf_receipt r = {
		.n_done = code ? 0 : a->batch.n,
		.code = code,
		.text = code ? why : "",
		.pause_us = PAUSE_US,
		.next_max = NEXT_MAX,
	};

	for (size_t i = 0; i < a->batch.n && !code; i++) {
		if (a->fates[i])
			r.fates = a->fates;
		unfit |= a->fates[i] == HF_FATE_UNFIT;
	}
	hosts_warn_of_size(a, unfit);
	a->applying = false;
	a->batch.n = 0;
	a->host->applied(a->host->arg, &r);
}

static void on_apply(evutil_socket_t fd, short what, void *arg)
{
	struct hf_adapter *a = arg;
	int64_t waited_ms = hf_boot_ms(a->host->clock) - a->began_ms;
	char why[WHY_MAX] = "";
	int rc =
	    a->no_memory ? -ENOMEM : hosts_pass(a, waited_ms > LOCK_WAIT_MS / 2, why, sizeof(why));

	if (rc == -EAGAIN && waited_ms < LOCK_WAIT_MS)
		in_ms(a->apply_timer, LOCK_TRY_MS);
	else
		answer_apply(a, rc == -EAGAIN ? -EBUSY : rc, why);
}

static void hosts_apply(struct hf_adapter *a, const struct hf_batch *batch)
{
	uint8_t *fates = realloc(a->fates, batch->n + 1);

	if (fates)
		a->fates = fates;
	a->no_memory = !fates;
	a->batch = *batch;
	a->applying = a->in_charge = true;
	a->began_ms = hf_boot_ms(a->host->clock);
	in_ms(a->apply_timer, 0);
}

/* --- what others do to it --- */

static void on_hosts_watch(evutil_socket_t fd, short what, void *arg)
{
	struct hf_adapter *a = arg;
	char why[WHY_MAX] = "";
	struct stat st;
	int rc;

	in_ms(a->watch_timer, a->lates.n ? LATE_MS : WATCH_MS);
	if (!a->in_charge || a->applying)
		return;
	hf_hosts_content_look(a->h->path, &st);
	if (hf_hosts_content_same(&st, &a->seen) && !a->lates.n)
		return;
	rc = hosts_pass(a, false, why, sizeof(why));
	if (!rc && a->wants_audit)
		hf_start_audit_begin(a->audit);
	if (rc)
		memset(&a->seen, 0, sizeof(a->seen)); /* look again in the next round */
	if (rc && rc != -EAGAIN)
		hf_fault_set(&a->fault, a->host->clock, HF_LOG_WARN,
		    "adapter '%s': what others changed is not repaired yet: %s (%s)",
		    a->config->name, why, hf_errname(rc));
	else if (!rc)
		hf_fault_clear(&a->fault, a->host->clock, a->h->path);
}

/* --- reading --- */

static int tell_record(const struct hf_record *r, void *arg)
{
	struct hf_adapter *a = arg;

	a->host->listed(a->host->arg, r, 1, 0, "");
	return 0;
}

static void on_list(evutil_socket_t fd, short what, void *arg)
{
	struct hf_adapter *a = arg;
	struct hf_hosts_foreign *foreign = NULL;
	struct hf_record_table *table = NULL;
	char why[WHY_MAX] = "";
	int rc = hf_hosts_read(a->h->path, &table, &foreign, why, sizeof(why));

	if (!rc) {
		hf_record_table_walk(table, 0, tell_record, a);
		hf_hosts_foreign_free(foreign);
		hf_record_table_free(table);
	}
	a->host->listed(a->host->arg, NULL, 0, rc, why);
}

static void hosts_list(struct hf_adapter *a)
{
	in_ms(a->list_timer, 0);
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

static void on_hosts_verify(evutil_socket_t fd, short what, void *arg)
{
	struct hf_adapter *a = arg;
	struct hf_hosts_foreign *foreign = NULL;
	struct hf_record_table *table = NULL;
	char why[WHY_MAX] = "";
	int rc = hf_hosts_read(a->h->path, &table, &foreign, why, sizeof(why));

	for (size_t i = 0; i < a->n_expect; i++)
		a->expect[i].is = rc ? HF_IS_UNKNOWN : hosts_judge(&a->expect[i], table, foreign);
	if (!rc) {
		hf_hosts_foreign_free(foreign);
		hf_record_table_free(table);
	}
	a->host->verified(a->host->arg, rc, why);
}

static void hosts_verify(struct hf_adapter *a, struct hf_expect *expect, size_t n)
{
	a->expect = expect;
	a->n_expect = n;
	in_ms(a->verify_timer, 0);
}

/* --- its life --- */

static void hosts_complete(struct hf_adapter *a, uint64_t generation)
{
	a->in_charge = true;
	a->wants_audit = true;
	a->sweeps = true;
	if (a->loaded)
		hf_start_audit_begin(a->audit);
	memset(&a->seen, 0, sizeof(a->seen));
	in_ms(a->watch_timer, 0); /* reads it */
}

static void hosts_zones(
    struct hf_adapter *a, const struct hf_name *suffixes, size_t n, uint32_t ttl_s)
{
	/* A hosts file knows neither zones nor TTLs; with none of ours the block goes, too. */
	free(a->zones);
	a->zones = n ? calloc(n, sizeof(*suffixes)) : NULL;
	if (a->zones)
		memcpy(a->zones, suffixes, n * sizeof(*suffixes));
	a->n_zones = n;
}

static void hosts_timer_free(struct event *timer)
{
	if (timer)
		event_free(timer);
}

static void hosts_close(struct hf_adapter *a)
{
	char why[WHY_MAX];

	if (!a)
		return;
	/* The last look at what others wrote into the file that was replaced last. */
	if (a->lates.n && a->in_charge && !a->applying)
		pass_once(a, true, why, sizeof(why));
	hf_hosts_late_free(&a->lates);
	hosts_timer_free(a->apply_timer);
	hosts_timer_free(a->watch_timer);
	hosts_timer_free(a->list_timer);
	hosts_timer_free(a->verify_timer);
	hosts_timer_free(a->doctor_timer);
	hf_start_audit_free(a->audit);
	hf_record_table_free(a->table);
	free(a->zones);
	free(a->fates);
	free(a);
}

static int hosts_open(const struct hf_config_adapter *config, const struct hf_adapter_host *host,
    struct hf_adapter **ret_adapter)
{
	struct hf_adapter *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return -ENOMEM;
	a->config = config;
	a->h = &config->hosts;
	a->host = host;
	a->apply_timer = evtimer_new(host->base, on_apply, a);
	a->watch_timer = evtimer_new(host->base, on_hosts_watch, a);
	a->list_timer = evtimer_new(host->base, on_list, a);
	a->verify_timer = evtimer_new(host->base, on_hosts_verify, a);
	a->doctor_timer = evtimer_new(host->base, hf_hosts_on_doctor, a);
	rc = hf_record_table_new(1, &a->table);
	if (!rc)
		rc = hf_start_audit_new(host, a->table, a->h->path, &a->audit);
	if (!a->apply_timer || !a->watch_timer || !a->list_timer || !a->verify_timer ||
	    !a->doctor_timer)
		rc = -ENOMEM;
	if (rc) {
		hosts_close(a);
		return rc;
	}
	in_ms(a->watch_timer, WATCH_MS);
	*ret_adapter = a;
	return 0;
}

static void hosts_doctor(struct hf_adapter *a)
{
	in_ms(a->doctor_timer, 0);
}

const struct hf_adapter_type hf_hosts_adapter_type = {
	.name = "hosts",
	.open = hosts_open,
	.close = hosts_close,
	.zones = hosts_zones,
	.apply = hosts_apply,
	.complete = hosts_complete,
	.list = hosts_list,
	.lists_only_ours = true,
	.verify = hosts_verify,
	.doctor = hosts_doctor,
	.setup = hf_hosts_setup,
};
