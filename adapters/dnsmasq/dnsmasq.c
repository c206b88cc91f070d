/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnsmasq: the adapter that feeds dnsmasq by hosts files. This file opens, closes and wires it, and
 * says whose turn it is; dnsmasq_private.h tells which part is where.
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
};

static int on_host_file_write(void *arg, unsigned file, char *ret_why, size_t why_size)
{
	struct hf_adapter *a = arg;
	int rc = hf_host_files_write(a->files, file, ret_why, why_size);

	if (!rc)
		hf_dnsmasq_watch_written(a, file);
	return rc;
}

static void on_doubt(void *arg, unsigned bucket)
{
	struct hf_adapter *a = arg;

	hf_paced_writer_dirty(a->pump, bucket);
}

static uint32_t patience_of(const struct hf_adapter *a)
{
	if (a->d->hostsdir)
		return PATIENCE_MS;
	return a->d->pid_file ? PATIENCE_SIGNAL_MS : PATIENCE_OTHERS_MS;
}

static int make_pump(struct hf_adapter *a)
{
	struct hf_paced_writer_opts o = {
		.base = a->host->base,
		.ask = a->ask,
		.table = a->table,
		.n_files = hf_host_files_count(a->files),
		.min_gap_ms = a->d->hostsdir ? 0 : SIGNAL_GAP_MS,
		.patience_ms = patience_of(a),
		.gone_ms = a->d->hostsdir ? GONE_MS : patience_of(a),
		.step_max = STEP_MAX,
		.arg = a,
		.write = on_host_file_write,
		.drained = hf_dnsmasq_on_drained,
	};

	return hf_paced_writer_new(&o, &a->pump);
}

static int make_askers(struct hf_adapter *a)
{
	struct hf_dns_client_opts soon = {
		.server = &a->d->ask,
		.window = SOON_WINDOW,
		.per_second = SOON_PER_SECOND,
	};
	struct hf_dns_client_opts back = { .server = &a->d->ask };
	int rc = hf_dns_client_new(a->host->base, &soon, &a->ask);

	return rc ? rc : hf_dns_client_new(a->host->base, &back, &a->back);
}

static int64_t on_probe_gap(void *arg)
{
	struct hf_adapter *a = arg;

	return hf_paced_writer_wait_us(a->pump);
}

static int on_probe_write(void *arg, unsigned file, char *ret_why, size_t why_size)
{
	struct hf_adapter *a = arg;
	int rc = on_host_file_write(a, file, ret_why, why_size);

	if (!rc)
		hf_paced_writer_wrote(a->pump);
	return rc;
}

static int make_prober(struct hf_adapter *a)
{
	struct hf_dnsmasq_probe_opts o = {
		.base = a->host->base,
		.ask = a->ask,
		.table = a->table,
		.patience_ms = patience_of(a),
		.arg = a,
		.write = on_probe_write,
		.gap_us = on_probe_gap,
		.left = on_doubt,
		.done = hf_dnsmasq_on_probed,
	};

	return hf_dnsmasq_probe_new(&o, &a->prober);
}

static int make_clash(struct hf_adapter *a)
{
	struct hf_dnsmasq_clash_opts o = {
		.ask = a->ask,
		.arg = a,
		.asks = hf_dnsmasq_asks_clash,
		.done = hf_dnsmasq_on_clash,
	};

	return hf_dnsmasq_clash_new(&o, &a->clash);
}

static int dnsmasq_make_parts(struct hf_adapter *a)
{
	struct hf_dnsmasq_readback_opts readback = {
		.arg = a, .doubt = on_doubt, .done = hf_dnsmasq_on_verified
	};
	int rc = hf_host_files_new(a->d, &a->files);

	if (rc)
		return rc;
	a->table = hf_host_files_table(a->files);
	readback.table = a->table;
	rc = make_askers(a);
	if (!rc)
		rc = make_pump(a);
	if (!rc)
		rc = make_clash(a);
	if (!rc)
		rc = make_prober(a);
	readback.ask = a->back;
	if (!rc)
		rc = hf_dnsmasq_readback_new(&readback, &a->readback);
	if (!rc)
		rc = hf_start_audit_new(a->host, a->table, hf_host_files_what(a->files), &a->audit);
	return rc ? rc : hf_dnsmasq_watch_begin(a);
}

/*
 * One answer a turn; each is the last thing that is done in it, since the host may close the
 * adapter then.
 */
static void on_dnsmasq_answer(evutil_socket_t fd, short what, void *arg)
{
	struct hf_adapter *a = arg;
	bool apply = a->phase == APPLY_ANSWER, list = a->listing && a->loaded;

	if (apply + list + a->verified + a->examined + a->doctor_waits > 1)
		hf_dnsmasq_answer_soon(a);
	if (apply) {
		hf_dnsmasq_reply_apply(a);
	} else if (a->verified) {
		hf_dnsmasq_reply_verify(a);
	} else if (a->examined) {
		a->examined = false;
		a->host->examined(a->host->arg);
	} else if (a->doctor_waits && a->loaded) {
		a->doctor_waits = false;
		hf_dnsmasq_doctor_loaded(a, 0, "");
	} else if (list) {
		hf_dnsmasq_reply_list(a);
	}
}

/* The files were read, or could not be: what waited for it goes on. */
static void on_dnsmasq_loaded(struct hf_adapter *a, int code, const char *why)
{
	bool list = a->listing;

	hf_dnsmasq_sweep(a);
	if (a->phase == APPLY_LOAD)
		hf_dnsmasq_apply_loaded(a, code, why);
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

static void dnsmasq_timer_free(struct event *timer)
{
	if (timer)
		event_free(timer);
}

static void dnsmasq_close(struct hf_adapter *a)
{
	if (!a)
		return;
	hf_dns_client_free(a->ask); /* before those whom it answers */
	hf_dns_client_free(a->back);
	hf_dnsmasq_probe_free(a->prober); /* may write a file */
	dnsmasq_timer_free(a->load_timer);
	dnsmasq_timer_free(a->answer_timer);
	dnsmasq_timer_free(a->watch_timer);
	dnsmasq_timer_free(a->sync_timer);
	hf_dnsmasq_doctor_free(a->doctor);
	hf_start_audit_free(a->audit);
	hf_dnsmasq_clash_free(a->clash);
	hf_dnsmasq_readback_free(a->readback);
	hf_paced_writer_free(a->pump);
	hf_host_files_free(a->files);
	free(a->zones);
	free(a->unsynced);
	free(a->fates);
	free(a);
}

static int dnsmasq_open(const struct hf_config_adapter *config, const struct hf_adapter_host *host,
    struct hf_adapter **ret_adapter)
{
	struct hf_adapter *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return -ENOMEM;
	a->config = config;
	a->d = &config->dnsmasq;
	a->host = host;
	a->on_loaded = on_dnsmasq_loaded;
	a->load_timer = evtimer_new(host->base, hf_dnsmasq_on_load_timer, a);
	a->answer_timer = evtimer_new(host->base, on_dnsmasq_answer, a);
	rc = a->load_timer && a->answer_timer ? dnsmasq_make_parts(a) : -ENOMEM;
	if (rc)
		dnsmasq_close(a);
	else
		*ret_adapter = a;
	return rc;
}

static void dnsmasq_zones(
    struct hf_adapter *a, const struct hf_name *suffixes, size_t n, uint32_t ttl_s)
{
	memset(&a->suffix, 0, sizeof(a->suffix));
	if (n)
		a->suffix = suffixes[0];
	if (n)
		hf_dnsmasq_probe_suffix(a->prober, &suffixes[0]);
	free(a->zones);
	a->zones = n ? calloc(n, sizeof(*suffixes)) : NULL;
	if (a->zones)
		memcpy(a->zones, suffixes, n * sizeof(*suffixes));
	a->n_zones = n;
	a->ttl_s = ttl_s;
}

static void dnsmasq_complete(struct hf_adapter *a, uint64_t generation)
{
	a->in_charge = true;
	a->wants_audit = true;
	a->sweeps = true;
	if (a->loaded)
		hf_host_files_sweep(a->files);
	hf_dnsmasq_sweep(a);
	if (a->loaded)
		hf_start_audit_begin(a->audit);
	else
		hf_dnsmasq_load(a);
}

static void dnsmasq_list(struct hf_adapter *a)
{
	a->listing = true;
	a->list_at = 0;
	if (a->loaded)
		hf_dnsmasq_answer_soon(a);
	else
		hf_dnsmasq_load(a);
}

static void dnsmasq_verify(struct hf_adapter *a, struct hf_expect *expect, size_t n)
{
	a->expect = expect;
	a->n_expect = n;
	if (a->loaded)
		hf_dnsmasq_verify_begin(a);
	else
		hf_dnsmasq_load(a);
}

const struct hf_adapter_type hf_dnsmasq_adapter_type = {
	.name = "dnsmasq",
	.open = dnsmasq_open,
	.close = dnsmasq_close,
	.zones = dnsmasq_zones,
	.apply = hf_dnsmasq_apply,
	.complete = dnsmasq_complete,
	.list = dnsmasq_list,
	.lists_only_ours = true,
	.verify = dnsmasq_verify,
	.doctor = hf_dnsmasq_doctor,
	.setup = hf_dnsmasq_setup,
};
