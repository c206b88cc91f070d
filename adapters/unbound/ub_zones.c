/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_zones: a suffix is whole when all of it is confirmed.
 */
#include "adapters/unbound/ub_private.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

/* --- all is confirmed --- */

static void ub_zones_completed(struct hf_ub *a)
{
	char text[HF_UB_TEXT_MAX];
	bool incomplete;

	memcpy(text, a->base.job.text, sizeof(text));
	/* What waits behind it finds its own trouble, and complete() comes after it again. */
	if (a->base.job.code && a->batch.lent)
		a->want_complete = false;
	/* That it is to be filled first is no trouble. */
	incomplete = a->base.job.code && a->want_complete;
	if (!a->base.job.code) {
		for (size_t i = 0; i < a->n_zones; i++)
			a->zones[i].state = HF_UBZONE_WHOLE;
		a->session.reverse_static = true;
		a->want_complete = false;
		hf_ub_cover_forget(a);
		hf_ub_start_file_confirmed(a->start_file);
	}
	hf_ub_job_end(a);
	if (!incomplete)
		hf_ub_job_next(a);
	/* The host may end the adapter. */
	hf_adapter_warnings_set(&a->base.warnings, HF_UB_WARN_INCOMPLETE, incomplete ? text : NULL);
}

/* What was done to an unbound that is another one by now does not stay: its zones are empty. */
static void undo_whole(struct hf_ub *a)
{
	hf_ub_step_begin(a, ub_zones_completed);
	hf_ub_session_lost(a, "unbound was reloaded before all was confirmed: its mark is gone");
	hf_ub_step_fail(a, HF_ENOTREADY, "unbound was restarted or reloaded");
	for (size_t i = 0; i < a->n_zones; i++) {
		hf_ub_command_zone(&a->command, &a->zones[i].name, "transparent");
		hf_ub_step_command(a);
		hf_ub_command_remove_one(&a->command, &a->zones[i].canary_name);
		hf_ub_step_command(a);
	}
	if (a->session.reverse_ours && !a->session.reverse_static) {
		if (hf_ub_has_opened_reverse(a))
			hf_ub_command_zone(&a->command, &hf_addr_reverse_apex, "transparent");
		else
			hf_ub_command_zone_remove(&a->command, &hf_addr_reverse_apex);
		hf_ub_step_command(a);
	}
	hf_ub_step_end(a);
}

static void check_marks(struct hf_ub *a)
{
	bool there = true;

	for (size_t i = 0; i < a->n_zones; i++)
		there = there && hf_ub_canary_is_there(&a->zones[i]) &&
			hf_ub_canary_is_one(&a->zones[i]);
	if (a->base.job.code || there)
		ub_zones_completed(a);
	else
		undo_whole(a);
}

static void ask_marks(struct hf_ub *a)
{
	if (a->base.job.code)
		ub_zones_completed(a);
	else
		hf_ub_canaries_ask(a, true, check_marks);
}

/* Only when they are static: a canary that says so is believed by the next run. */
static void write_canaries(struct hf_ub *a)
{
	bool any = false;

	for (size_t i = 0; i < a->n_zones; i++)
		any = any || a->zones[i].state != HF_UBZONE_WHOLE;
	hf_ub_step_begin(a, any ? ask_marks : ub_zones_completed);
	for (size_t i = 0; i < a->n_zones && !a->base.job.code; i++) {
		struct hf_ub_zone *zone = &a->zones[i];

		if (zone->state == HF_UBZONE_WHOLE)
			continue;
		zone->canary[0] = HF_CANARY_WHOLE;
		hf_ub_command_remove_one(&a->command, &zone->canary_name);
		hf_ub_step_command(a);
		hf_ub_command_begin(&a->command, "local_datas");
		hf_ub_command_soa(&a->command, &zone->name, a->ttl_s);
		hf_ub_command_txt(&a->command, &zone->canary_name, a->ttl_s, zone->canary);
		hf_ub_command_end(&a->command);
		hf_ub_step_lines(a);
	}
	hf_ub_step_end(a);
}

static void make_whole(struct hf_ub *a)
{
	hf_ub_step_begin(a, write_canaries);
	if (!a->want_complete)
		hf_ub_step_fail(a, HF_ENOTREADY, "it is to be filled first");
	for (size_t i = 0; i < a->n_zones && !a->base.job.code; i++) {
		if (a->zones[i].state == HF_UBZONE_WHOLE)
			continue;
		hf_ub_command_zone(&a->command, &a->zones[i].name, "static");
		hf_ub_step_command(a);
	}
	if (a->session.reverse_ours && !a->session.reverse_static && !a->base.job.code) {
		hf_ub_command_zone(&a->command, &hf_addr_reverse_apex, "static");
		hf_ub_step_command(a);
	}
	hf_ub_step_end(a);
}

void hf_ub_zones_complete(struct hf_ub *a)
{
	hf_ub_session_ensure(a, make_whole);
}
