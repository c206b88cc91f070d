/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/doctor/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "bridge/ctl/doctor/doctor_report.h"
#include "bridge/ctl/dns_probe.h"

/* --- what is looked for: a suffix, a name, the resolvers --- */

static void doctor_add_resolver(
    struct hf_doctor *d, const struct hf_endpoint *at, bool ours, const char *area)
{
	struct hf_doctor_resolver *r = &d->resolvers[d->n_resolvers];

	if (d->n_resolvers == HF_DOCTOR_RESOLVERS_MAX || !at->len)
		return;
	r->at = *at;
	r->ours = ours;
	snprintf(r->area, sizeof(r->area), "%s", area);
	d->n_resolvers++;
}

static void add_nameservers(struct hf_doctor *d)
{
	struct hf_endpoint at[HF_NAMESERVERS_MAX];
	size_t n = hf_nameservers_read(d->resolv_conf, at);

	for (size_t i = 0; i < n; i++)
		doctor_add_resolver(d, &at[i], false, "resolv.conf");
}

static void find_resolvers(struct hf_doctor *d)
{
	for (size_t i = 0; i < d->config->adapters.n; i++) {
		const struct hf_config_adapter *a = &d->config->adapters.at[i];
		char area[80];

		snprintf(area, sizeof(area), "adapter %.60s", a->name);
		if (a->kind == HF_ADAPTER_UNBOUND)
			doctor_add_resolver(d, &a->unbound.ask, true, area);
		else if (a->kind == HF_ADAPTER_DNSMASQ)
			doctor_add_resolver(d, &a->dnsmasq.ask, true, area);
	}
	add_nameservers(d);
}

/* What is looked for, and who answers it. */
static int doctor_probe(struct hf_doctor *d)
{
	struct hf_dns_probe_opts opts = {
		.config = d->config, .status = d->status, .resolv_conf = d->resolv_conf
	};

	struct hf_suffixes suffixes;

	d->has_suffix = hf_dns_probe_suffixes(d->config, d->status, &suffixes);
	if (d->has_suffix)
		d->suffix = suffixes.at[0];
	d->has_sample =
	    d->has_suffix && hf_dns_probe_sample(d->config, d->status, &d->sample, d->sample_addr);
	find_resolvers(d);
	opts.suffixes = &suffixes;
	opts.name = d->has_sample ? &d->sample : NULL;
	opts.addr = d->sample_addr;
	d->reach = calloc(1, sizeof(*d->reach));
	return d->reach ? hf_dns_probe_look(&opts, d->reach) : -ENOMEM;
}

/* --- all of it --- */

int hf_doctor_run(const struct hf_doctor_opts *opts, FILE *out)
{
	struct hf_doctor d = { .config = opts->config,
		.errors = opts->errors,
		.status = opts->status,
		.unreached = opts->unreached,
		.denied = opts->denied,
		.resolv_conf = opts->resolv_conf ? opts->resolv_conf : hf_dns_probe_resolv_conf(),
		.unbound_conf = opts->unbound_conf,
		.now_s = opts->now_s,
		.base = event_base_new(),
		.findings = json_array() };
	int rc = -ENOMEM;

	if (d.base && d.findings && doctor_probe(&d) == 0) {
		hf_doctor_config(&d);
		hf_doctor_bridge(&d);
		hf_doctor_sources(&d);
		hf_doctor_tokens(&d);
		hf_doctor_clock(&d);
		hf_doctor_zone(&d);
		hf_doctor_responder(&d);
		hf_doctor_fed(&d);
		hf_doctor_warnings(&d);
		hf_doctor_adapters(&d);
		hf_doctor_resolvers(&d);
		hf_doctor_module(&d);
		hf_doctor_report_print(&d, opts->json, out);
		rc = (int)d.n_bad;
	}
	json_decref(d.findings);
	free(d.reach);
	if (d.base)
		event_base_free(d.base);
	return rc;
}
