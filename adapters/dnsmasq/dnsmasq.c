/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnsmasq: the adapter that feeds dnsmasq by hosts files. This file opens, closes and wires it;
 * dnsmasq_private.h tells which part is where.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/dnsmasq/dnsmasq_private.h"
#include "base/error.h"

enum {
	SOON_WINDOW = 16, /* questions under way: dnsmasq has others to answer */
	SOON_PER_SECOND = 4000,
	PATIENCE_MS = 1000,
	GONE_MS = 200,              /* it sees a removal at once; if not, a probe tells why */
	PATIENCE_SIGNAL_MS = 3000,  /* it reads thousands of names before it answers */
	PATIENCE_OTHERS_MS = 10000, /* somebody else signals it */
	SIGNAL_GAP_MS = 1000,
	STEP_MAX = 8,
	WATCH_MS = 1000,
	SYNC_AFTER_MS = 1000,
};

static const char *const warning_codes[] = {
	[WARN_NOT_RUNNING] = "not-running",
	[WARN_MANY] = "many-names",
	[WARN_FOREIGN] = "foreign-files",
	[WARN_FOLDER] = "folder",
	[WARN_RESTART] = "restart",
};

static void dnsmasq_warn(struct hf_dnsmasq *d, enum dnsmasq_warning which, const char *text)
{
	hf_adapter_warnings_set(&d->base.warnings, which, text);
}

/* --- what the parts ask for --- */

static int on_host_file_write(void *arg, unsigned file, char *ret_why, size_t why_size)
{
	struct hf_dnsmasq *d = arg;
	int rc = hf_host_files_write(d->files, file, ret_why, why_size);

	if (!rc)
		hf_file_syncer_written(d->syncer, file);
	return rc;
}

static void on_odd_file(void *arg, unsigned file)
{
	struct hf_dnsmasq *d = arg;

	hf_paced_writer_dirty(d->pump, file);
}

static void on_tamper_lost(void *arg, const char *why)
{
	struct hf_dnsmasq *d = arg;

	hf_adapter_answers_lost(&d->base.answers, why);
}

static void on_tamper_state(void *arg, enum hf_tamper_state which, const char *text)
{
	static const enum dnsmasq_warning warnings[] = {
		[HF_TAMPER_FOREIGN] = WARN_FOREIGN,
		[HF_TAMPER_FOLDER] = WARN_FOLDER,
		[HF_TAMPER_RESTART] = WARN_RESTART,
	};

	dnsmasq_warn(arg, warnings[which], text);
}

static void warn_of_size(struct hf_dnsmasq *d)
{
	size_t n = hf_record_table_count(d->table), limit = hf_dnsmasq_names_warn(d);
	char text[WHY_MAX];

	snprintf(text, sizeof(text),
	    "it has %zu names; with more than %zu each change makes dnsmasq silent for long, and more than %d are not taken: let it forward the suffix to holdfast-dns (holdfastctl setup)",
	    n, limit, HF_DNSMASQ_NAMES_MAX);
	dnsmasq_warn(d, WARN_MANY, n > limit ? text : NULL);
}

static void warn_of_silence(struct hf_dnsmasq *d, bool silent)
{
	char text[WHY_MAX];

	snprintf(text, sizeof(text),
	    "nobody listens at the address of 'ask'; what is written to %s is read when dnsmasq starts",
	    hf_host_files_what(d->files));
	dnsmasq_warn(d, WARN_NOT_RUNNING, silent ? text : NULL);
}

static void on_batch_done(void *arg)
{
	struct hf_dnsmasq *d = arg;

	warn_of_size(d);
	hf_adapter_answers_due(&d->base.answers, HF_ANSWER_APPLY);
}

/* What the watch had written again; a failure is tried with its next round. */
static void repair_report(struct hf_dnsmasq *d, int code, const char *why)
{
	const struct hf_clock *clock = d->base.host->clock;
	const char *what = hf_host_files_what(d->files);

	if (code)
		hf_fault_set(&d->repairs, clock, HF_LOG_WARN,
		    "adapter '%s': %s is not as it should be yet: %s (%s)", d->base.config->name,
		    what, why, hf_errname(code));
	else
		hf_fault_clear(&d->repairs, clock, what);
}

static void on_drained(void *arg, int code, const char *why, bool silent)
{
	struct hf_dnsmasq *d = arg;

	if (!code)
		warn_of_silence(d, silent);
	if (!hf_dnsmasq_batch_drained(d->batch, code, why))
		repair_report(d, code, why);
}

/* --- the files are read --- */

static bool dnsmasq_leaves(const struct hf_dnsmasq *d)
{
	return !d->base.n_suffixes;
}

static void dnsmasq_sweep(struct hf_dnsmasq *d)
{
	if (!hf_file_loader_is_done(d->loader) || !d->sweeps || dnsmasq_leaves(d))
		return;
	hf_dnsmasq_batch_sweep(d->batch, d->base.suffixes, d->base.n_suffixes);
	d->sweeps = false;
}

/* From now on the files are ours to repair, as soon as they were read. */
static void dnsmasq_take_charge(struct hf_dnsmasq *d)
{
	d->in_charge = true;
	if (!hf_file_loader_is_done(d->loader))
		return;
	hf_host_files_sweep(d->files);
	hf_tamper_watch_begin(d->watch);
}

static void tell_damage(struct hf_dnsmasq *d)
{
	unsigned damaged = hf_file_loader_damaged(d->loader);
	char text[WHY_MAX];

	if (hf_file_loader_refused(d->loader))
		dnsmasq_warn(d, WARN_FOREIGN, hf_file_loader_refused(d->loader));
	if (!damaged)
		return;
	snprintf(text, sizeof(text), "%u files of %s were not as they had been left", damaged,
	    hf_host_files_what(d->files));
	hf_adapter_answers_lost(&d->base.answers, text);
}

/* Or they could not be: what waited for it goes on. */
static void on_loaded(void *arg, int code, const char *why)
{
	struct hf_dnsmasq *d = arg;

	if (!code) {
		if (d->in_charge)
			dnsmasq_take_charge(d);
		tell_damage(d);
	}
	dnsmasq_sweep(d);
	if (d->wants_audit && !code)
		hf_start_audit_begin(d->audit);
	if (d->expect)
		hf_dnsmasq_verify_begin(d); /* DNS is asked all the same */
	if (d->list.wanted) {
		d->list.code = code;
		snprintf(d->list.why, sizeof(d->list.why), "%s", why);
		hf_adapter_answers_due(&d->base.answers, HF_ANSWER_LIST);
	}
	hf_dnsmasq_doctor_loaded(d, code, why);
	hf_dnsmasq_batch_loaded(d->batch, code, why, dnsmasq_leaves(d));
}

/* --- its parts --- */

static uint32_t patience_of(const struct hf_dnsmasq *d)
{
	if (d->d->hostsdir)
		return PATIENCE_MS;
	return d->d->pid_file ? PATIENCE_SIGNAL_MS : PATIENCE_OTHERS_MS;
}

static int make_askers(struct hf_dnsmasq *d)
{
	struct event_base *base = d->base.host->base;
	struct hf_dns_client_opts soon = {
		.server = &d->d->ask,
		.window = SOON_WINDOW,
		.per_second = SOON_PER_SECOND,
	};
	struct hf_dns_client_opts back = { .server = &d->d->ask };
	int rc = hf_dns_client_new(base, &soon, &d->ask);

	return rc ? rc : hf_dns_client_new(base, &back, &d->back);
}

static int make_pump(struct hf_dnsmasq *d)
{
	struct hf_paced_writer_opts o = {
		.base = d->base.host->base,
		.ask = d->ask,
		.table = d->table,
		.n_files = hf_host_files_count(d->files),
		.min_gap_ms = d->d->hostsdir ? 0 : SIGNAL_GAP_MS,
		.patience_ms = patience_of(d),
		.gone_ms = d->d->hostsdir ? GONE_MS : patience_of(d),
		.step_max = STEP_MAX,
		.arg = d,
		.write = on_host_file_write,
		.drained = on_drained,
	};

	return hf_paced_writer_new(&o, &d->pump);
}

static int make_loader(struct hf_dnsmasq *d)
{
	struct hf_file_loader_opts o = {
		.base = d->base.host->base,
		.files = d->files,
		.arg = d,
		.odd = on_odd_file,
		.done = on_loaded,
	};

	return hf_file_loader_new(&o, &d->loader);
}

static int make_batch(struct hf_dnsmasq *d)
{
	struct hf_dnsmasq_batch_opts o = {
		.base = d->base.host->base,
		.ask = d->ask,
		.files = d->files,
		.pump = d->pump,
		.patience_ms = patience_of(d),
		.arg = d,
		.write = on_host_file_write,
		.done = on_batch_done,
	};

	return hf_dnsmasq_batch_new(&o, &d->batch);
}

static int make_watch(struct hf_dnsmasq *d)
{
	struct hf_tamper_watch_opts o = {
		.base = d->base.host->base,
		.clock = d->base.host->clock,
		.who = d->base.config->name,
		.files = d->files,
		.pump = d->pump,
		.ask = d->back,
		.every_ms = WATCH_MS,
		.arg = d,
		.lost = on_tamper_lost,
		.state = on_tamper_state,
	};

	return hf_tamper_watch_new(&o, &d->watch);
}

static int make_readback(struct hf_dnsmasq *d)
{
	struct hf_dnsmasq_readback_opts o = {
		.ask = d->back,
		.table = d->table,
		.n_files = hf_host_files_count(d->files),
		.arg = d,
		.doubt = on_odd_file,
		.done = hf_dnsmasq_on_verified,
	};

	return hf_dnsmasq_readback_new(&o, &d->readback);
}

static int dnsmasq_make_parts(struct hf_dnsmasq *d)
{
	static int (*const makers[])(struct hf_dnsmasq *) = { make_askers, make_pump, make_loader,
		make_batch, make_watch, make_readback };
	int rc = hf_host_files_new(d->d, &d->files);

	if (rc)
		return rc;
	d->table = hf_host_files_table(d->files);
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]) && !rc; i++)
		rc = makers[i](d);
	if (!rc)
		rc = hf_file_syncer_new(d->base.host->base, d->files, SYNC_AFTER_MS, &d->syncer);
	if (!rc)
		rc = hf_start_audit_new(
		    d->base.host, d->table, hf_host_files_what(d->files), &d->audit);
	return rc;
}

/* --- the type's functions --- */

static void dnsmasq_close(struct hf_adapter *a)
{
	struct hf_dnsmasq *d = hf_dnsmasq_of(a);

	if (!a)
		return;
	hf_adapter_done(a);
	hf_dns_client_free(d->ask); /* before those whom it answers */
	hf_dns_client_free(d->back);
	hf_dnsmasq_batch_free(d->batch); /* may write a file */
	hf_dnsmasq_doctor_free(d->doctor);
	hf_start_audit_free(d->audit);
	hf_dnsmasq_readback_free(d->readback);
	hf_tamper_watch_free(d->watch);
	hf_file_syncer_free(d->syncer);
	hf_file_loader_free(d->loader);
	hf_paced_writer_free(d->pump);
	hf_host_files_free(d->files);
	free(d);
}

static const struct hf_adapter_parts dnsmasq_parts = {
	.type = &hf_dnsmasq_adapter_type,
	.answers = { [HF_ANSWER_APPLY] = hf_dnsmasq_reply_apply,
	    [HF_ANSWER_LIST] = hf_dnsmasq_reply_list,
	    [HF_ANSWER_DOCTOR] = hf_dnsmasq_reply_doctor },
	.warnings = warning_codes,
};

static int dnsmasq_open(const struct hf_config_adapter *config, const struct hf_adapter_host *host,
    struct hf_adapter **ret_adapter)
{
	struct hf_dnsmasq *d = calloc(1, sizeof(*d));
	int rc = d ? hf_adapter_init(&d->base, &dnsmasq_parts, config, host) : -ENOMEM;

	if (!rc) {
		d->d = &config->dnsmasq;
		rc = dnsmasq_make_parts(d);
	}
	if (rc)
		dnsmasq_close(d ? &d->base : NULL);
	else
		*ret_adapter = &d->base;
	return rc;
}

static void dnsmasq_zones(
    struct hf_adapter *a, const struct hf_name *suffixes, size_t n, uint32_t ttl_s)
{
	struct hf_dnsmasq *d = hf_dnsmasq_of(a);

	hf_adapter_keep_zones(a, suffixes, n, ttl_s);
	if (!n)
		return;
	hf_dnsmasq_batch_suffix(d->batch, &suffixes[0]);
	hf_tamper_watch_suffix(d->watch, &suffixes[0]);
}

static void dnsmasq_apply(struct hf_adapter *a, const struct hf_batch *batch)
{
	struct hf_dnsmasq *d = hf_dnsmasq_of(a);

	dnsmasq_take_charge(d);
	hf_dnsmasq_batch_take(d->batch, batch);
	if (hf_file_loader_is_done(d->loader))
		hf_dnsmasq_batch_loaded(d->batch, 0, "", dnsmasq_leaves(d));
	else
		hf_file_loader_begin(d->loader);
}

static void dnsmasq_complete(struct hf_adapter *a, uint64_t generation)
{
	struct hf_dnsmasq *d = hf_dnsmasq_of(a);

	d->wants_audit = true;
	d->sweeps = true;
	dnsmasq_take_charge(d);
	dnsmasq_sweep(d);
	if (hf_file_loader_is_done(d->loader))
		hf_start_audit_begin(d->audit);
	else
		hf_file_loader_begin(d->loader);
}

static void dnsmasq_list(struct hf_adapter *a)
{
	struct hf_dnsmasq *d = hf_dnsmasq_of(a);

	d->list = (struct dnsmasq_listing){ .wanted = true };
	if (hf_file_loader_is_done(d->loader))
		hf_adapter_answers_due(&a->answers, HF_ANSWER_LIST);
	else
		hf_file_loader_begin(d->loader);
}

static void dnsmasq_verify(struct hf_adapter *a, struct hf_expect *expect, size_t n)
{
	struct hf_dnsmasq *d = hf_dnsmasq_of(a);

	d->expect = expect;
	d->n_expect = n;
	if (hf_file_loader_is_done(d->loader))
		hf_dnsmasq_verify_begin(d);
	else
		hf_file_loader_begin(d->loader);
}

const struct hf_adapter_type hf_dnsmasq_adapter_type = {
	.name = "dnsmasq",
	.open = dnsmasq_open,
	.close = dnsmasq_close,
	.zones = dnsmasq_zones,
	.apply = dnsmasq_apply,
	.complete = dnsmasq_complete,
	.list = dnsmasq_list,
	.lists_only_ours = true,
	.verify = dnsmasq_verify,
	.doctor = hf_dnsmasq_doctor,
	.setup = hf_dnsmasq_setup,
};
