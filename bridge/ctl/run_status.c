/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status, and two parts of it: sources and adapters.
 */
#include <errno.h>
#include <stdlib.h>

#include "bridge/ctl/ctl_adapters.h"
#include "bridge/ctl/ctl.h"
#include "bridge/ctl/offline.h"
#include "bridge/ctl/dns_probe.h"
#include "bridge/ctl/print.h"
#include "bridge/ctl/row_text.h"

/* Neither bridge nor zone: programs get all fields all the same. */
static int status_unreached(struct hf_ctl *c, int rc)
{
	json_t *status = hf_offline_unreached(c->why);

	if (!c->o.json)
		return hf_ctl_failed(c, rc);
	hf_ctl_print_json(c->o.command == CTL_SOURCES    ? json_object_get(status, "sources")
			  : c->o.command == CTL_ADAPTERS ? json_object_get(status, "adapters")
							 : status);
	json_decref(status);
	fprintf(stderr, "holdfastctl: %s\n", c->why);
	return HF_EXIT_UNREACHED;
}

/* Whoever answers DNS for us is queried by DNS, bridge or no bridge. */
static int look_who_answers(struct hf_ctl *c)
{
	struct hf_dns_probe *reach = calloc(1, sizeof(*reach));
	struct hf_suffixes suffixes;
	struct hf_name sample;
	uint8_t addr[16];
	bool has_suffix = hf_dns_probe_suffixes(c->config, c->kept, &suffixes);
	bool has_sample = hf_dns_probe_sample(c->config, c->kept, &sample, addr);
	const struct hf_dns_probe_opts opts = { .config = c->config,
		.status = c->kept,
		.resolv_conf = c->o.resolv_conf,
		.suffixes = has_suffix ? &suffixes : NULL,
		.name = has_sample ? &sample : NULL,
		.addr = addr };
	int rc = reach ? hf_dns_probe_look(&opts, reach) : -ENOMEM;

	if (!rc)
		hf_dns_probe_report(reach, opts.name, c->kept);
	free(reach);
	return rc;
}

int hf_ctl_status(struct hf_ctl *c)
{
	int rc = hf_ctl_get_status(c);

	if (rc)
		return status_unreached(c, rc);
	rc = look_who_answers(c);
	if (rc)
		return hf_ctl_failed(c, rc);
	if (c->o.json)
		hf_ctl_print_json(c->kept);
	else
		hf_print_status(c->kept, c->now_s, stdout);
	return hf_print_status_is_well(c->kept) ? HF_EXIT_WELL : HF_EXIT_DEGRADED;
}

int hf_ctl_sources(struct hf_ctl *c)
{
	int rc = hf_ctl_get_status(c);

	if (rc)
		return status_unreached(c, rc);
	if (c->o.json)
		hf_ctl_print_json(json_object_get(c->kept, "sources"));
	else
		hf_print_sources(c->kept, c->now_s, stdout);
	return HF_EXIT_WELL;
}

/* Without the bridge nobody feeds them: what is configured is shown. */
static int show_unfed(const struct hf_ctl *c)
{
	if (c->o.json) {
		hf_ctl_print_json(json_object_get(c->kept, "adapters"));
		return HF_EXIT_DEGRADED;
	}
	printf("%s: %s; the resolvers keep the names that they have\n",
	    hf_ctl_row_text(c->kept, "bridge", "down")[0] == 'u' ? "the bridge cannot be asked"
								 : "the bridge is down",
	    c->config->adapters.n ? "no adapter is fed" : "no adapter is configured");
	for (size_t i = 0; i < c->config->adapters.n; i++)
		printf("  adapter %s: not fed\n", c->config->adapters.at[i].name);
	return HF_EXIT_DEGRADED;
}

int hf_ctl_adapters(struct hf_ctl *c)
{
	int rc = hf_ctl_get_status(c);
	const json_t *adapters = json_object_get(c->kept, "adapters");

	if (rc)
		return status_unreached(c, rc);
	if (c->offline)
		return show_unfed(c);
	if (c->o.json)
		hf_ctl_print_json(adapters);
	else if (!json_array_size(adapters))
		puts("no adapter is configured");
	else
		hf_ctl_adapters_print(adapters, c->now_s, stdout);
	return hf_ctl_adapters_are_well(adapters) ? HF_EXIT_WELL : HF_EXIT_DEGRADED;
}
