/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_watch: each second, while no job is under way, the canaries are asked for: unbound may have
 * been restarted or reloaded, or may answer nobody.
 */
#include "adapters/unbound/ub_private.h"

static void on_watched(const struct hf_asked *asked, void *arg)
{
	struct hf_ub_zone *zone = arg;
	struct hf_ub *a = zone->a;

	a->watch.left--;
	if (asked->code)
		a->watch.silent++;
	else
		a->watch.silent = 0;
	if (asked->code || a->watch.seq != a->watch.asked || zone->state == HF_UBZONE_NEW)
		return;
	hf_ub_canary_keep(zone, asked);
	if (hf_ub_canary_is_there(zone))
		return;
	a->watch.seq++; /* once is enough */
	hf_ub_session_lost(a, "unbound was restarted or reloaded: its canary is gone");
}

void hf_ub_watch_ask(struct hf_ub *a)
{
	if (a->watch.left)
		return;
	a->watch.asked = a->watch.seq;
	for (size_t i = 0; i < a->n_zones; i++) {
		struct hf_ub_zone *zone = &a->zones[i];

		zone->a = a;
		if (zone->state != HF_UBZONE_NEW && hf_dns_client_send(a->asks, &zone->canary_name,
							HF_TYPE_TXT, on_watched, zone) == 0)
			a->watch.left++;
	}
}
