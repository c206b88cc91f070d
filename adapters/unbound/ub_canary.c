/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_canary: the records by which unbound is known to be the one that we filled. The canary says
 * how far the zone is: "f" or "w", and random digits; it is written anew when the zone is whole.
 * A reload right before that leaves a canary of "w" in an empty unbound. So there is a mark with
 * the same digits, which is written when the fill begins and never again: a canary is believed only
 * if the mark is there as well.
 */
#include "adapters/unbound/ub_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"

void hf_ub_canary_new(struct hf_ub_zone *zone)
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random ^= (uint64_t)(uintptr_t)zone;
	snprintf(zone->canary, sizeof(zone->canary), "%c%016llx", HF_CANARY_FILLING,
	    (unsigned long long)random);
}

static bool is_text(const char *text)
{
	return (text[0] == HF_CANARY_FILLING || text[0] == HF_CANARY_WHOLE) && strlen(text) == 17 &&
	       strspn(text + 1, "0123456789abcdef") == 16;
}

bool hf_ub_canary_is_one(const struct hf_ub_zone *zone)
{
	return is_text(zone->seen) && is_text(zone->fill_seen) &&
	       strcmp(zone->seen + 1, zone->fill_seen + 1) == 0;
}

bool hf_ub_canary_is_there(const struct hf_ub_zone *zone)
{
	return strcmp(zone->seen, zone->canary) == 0;
}

static void keep_text(const struct hf_asked *asked, char ret_seen[static HF_UB_CANARY_MAX])
{
	size_t n = asked->text_len;

	ret_seen[0] = '\0';
	if (asked->n_records && n < HF_UB_CANARY_MAX) {
		memcpy(ret_seen, asked->text, n);
		ret_seen[n] = '\0';
	}
}

void hf_ub_canary_keep(struct hf_ub_zone *zone, const struct hf_asked *asked)
{
	keep_text(asked, zone->seen);
}

/* --- as a step of a job --- */

static void check_asked(struct hf_ub_zone *zone, const struct hf_asked *asked)
{
	if (asked->code)
		hf_ub_step_fail(zone->a, asked->code,
		    "unbound does not answer DNS at the address of 'ask': %s",
		    hf_strerror(asked->code));
	hf_ub_step_end(zone->a);
}

static void on_ub_canary(const struct hf_asked *asked, void *arg)
{
	struct hf_ub_zone *zone = arg;

	keep_text(asked, zone->seen);
	check_asked(zone, asked);
}

static void on_ub_fill(const struct hf_asked *asked, void *arg)
{
	struct hf_ub_zone *zone = arg;

	keep_text(asked, zone->fill_seen);
	check_asked(zone, asked);
}

static void ask_text(struct hf_ub_zone *zone, const struct hf_name *name, hf_asked_cb cb)
{
	struct hf_ub *a = zone->a;

	hf_ub_step_wait(a);
	if (hf_dns_client_send(a->looks, name, HF_TYPE_TXT, cb, zone)) {
		hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
		hf_ub_step_end(a);
	}
}

void hf_ub_canaries_ask(struct hf_ub *a, bool marks, hf_ub_step then)
{
	hf_ub_step_begin(a, then);
	for (size_t i = 0; i < a->n_zones; i++) {
		struct hf_ub_zone *zone = &a->zones[i];

		zone->a = a;
		ask_text(zone, &zone->canary_name, on_ub_canary);
		if (marks || zone->state == HF_UBZONE_NEW)
			ask_text(zone, &zone->fill_name, on_ub_fill);
	}
	hf_ub_step_end(a);
}
