/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_former: a suffix that left is in unbound again, by an older start file. The file tells that it
 * is ours, since another bridge may feed the same unbound and has the same SOA; the SOA tells that
 * unbound has read the file. The host then makes it one of our suffixes, and lets it go as any
 * other that leaves.
 */
#include "adapters/unbound/ub_private.h"

#include <errno.h>

#include "base/error.h"

bool hf_ub_is_our_soa(const struct hf_asked *asked)
{
	struct hf_name server;

	return asked->aa && asked->has_target && hf_name_parse(HF_UB_SOA_SERVER, &server) == 0 &&
	       hf_name_equal(&asked->target, &server);
}

static void on_former_soa(const struct hf_asked *asked, void *arg)
{
	struct hf_ub *a = arg;
	struct hf_name zone;

	if (asked->code) {
		hf_ub_step_fail(
		    a, asked->code, "unbound does not answer DNS: %s", hf_strerror(asked->code));
	} else if (hf_ub_start_former_get(a->start_file, &zone)) {
		hf_ub_start_former_drop(a->start_file);
		if (hf_ub_is_our_soa(asked))
			a->base.host->former(a->base.host->arg, &zone);
	}
	hf_ub_step_end(a);
}

/* One after the other: as a rule there is none. */
static void former_go_on(struct hf_ub *a)
{
	struct hf_name zone;

	if (a->base.job.code || !hf_ub_start_former_get(a->start_file, &zone)) {
		a->after_former(a);
		return;
	}
	hf_ub_step_begin(a, former_go_on);
	hf_ub_step_wait(a);
	if (hf_dns_client_send(a->looks, &zone, HF_TYPE_SOA, on_former_soa, a)) {
		hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
		hf_ub_step_end(a);
	}
	hf_ub_step_end(a);
}

void hf_ub_former_look(struct hf_ub *a, hf_ub_step then)
{
	hf_ub_start_former_find(a->start_file);
	a->after_former = then;
	hf_ub_step_begin(a, former_go_on);
	hf_ub_step_end(a);
}
