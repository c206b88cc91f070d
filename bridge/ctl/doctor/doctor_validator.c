/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/doctor/doctor_validator.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <ldns/ldns.h>
#include <unbound.h>

#include "base/clock.h"
#include "base/error.h"
#include "bridge/ctl/dns_probe.h"
#include "config/config.h"

/* The owner of the SOA in the authority section. */
static void find_soa(const struct ub_result *r, struct hf_seen *seen)
{
	ldns_pkt *packet = NULL;
	ldns_rr_list *list = NULL;

	if (!r->answer_packet ||
	    ldns_wire2pkt(&packet, r->answer_packet, (size_t)r->answer_len) != LDNS_STATUS_OK)
		return;
	list = ldns_pkt_rr_list_by_type(packet, LDNS_RR_TYPE_SOA, LDNS_SECTION_AUTHORITY);
	if (list && ldns_rr_list_rr_count(list)) {
		const ldns_rdf *owner = ldns_rr_owner(ldns_rr_list_rr(list, 0));

		seen->has_soa =
		    hf_name_from_wire(ldns_rdf_data(owner), ldns_rdf_size(owner), &seen->soa) > 0;
	}
	ldns_rr_list_deep_free(list);
	ldns_pkt_free(packet);
}

static void on_result(void *arg, int err, struct ub_result *r)
{
	struct hf_seen *seen = arg;

	if (err || !r)
		return;
	seen->answered = true;
	seen->rcode = r->rcode;
	seen->bogus = r->bogus;
	find_soa(r, seen);
	ub_resolve_free(r);
}

static int validator_prepare(
    struct ub_ctx *ctx, const struct hf_endpoint *server, const char *anchor)
{
	char at[HF_ENDPOINT_TEXT_MAX];

	/* Threads of its own, so that we can stop to wait. */
	if (ub_ctx_async(ctx, 1) || ub_ctx_set_fwd(ctx, hf_front_endpoint_text(server, at)) ||
	    ub_ctx_set_option(ctx, "do-not-query-localhost:", "no") ||
	    (anchor && ub_ctx_add_ta_file(ctx, anchor)))
		return HF_EREFUSED;
	return 0;
}

int hf_doctor_validator_ask(const struct hf_endpoint *server, const char *anchor, const char *name,
    uint16_t type, int wait_ms, struct hf_seen *ret_seen)
{
	struct ub_ctx *ctx = ub_ctx_create();
	int64_t end = hf_boot_ms(&hf_clock_system) + wait_ms, left = wait_ms;
	int rc = ctx ? validator_prepare(ctx, server, anchor) : -ENOMEM, id;

	memset(ret_seen, 0, sizeof(*ret_seen));
	if (!rc && ub_resolve_async(ctx, name, type, 1, ret_seen, on_result, &id))
		rc = HF_EREFUSED;
	while (!rc && !ret_seen->answered && left > 0) {
		struct pollfd p = { .fd = ub_fd(ctx), .events = POLLIN };

		if (poll(&p, 1, (int)left) == 1)
			ub_process(ctx);
		left = end - hf_boot_ms(&hf_clock_system);
	}
	if (!rc && !ret_seen->answered)
		ub_cancel(ctx, id);
	ub_ctx_delete(ctx);
	return rc;
}
