/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_zones: what becomes of a suffix in unbound: whole when all of it is confirmed, and let go of
 * when it is no longer ours.
 */
#include "adapters/unbound/ub_private.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

/* With zone files it is the operator who has opened the reverse zone for ours. */
static bool has_opened_reverse(const struct hf_ub *a)
{
	const struct hf_config_unbound *u = &a->base.config->unbound;

	return u->start_file && u->start_form == HF_START_ZONEFILE;
}

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
		if (has_opened_reverse(a))
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

/* --- a suffix is no longer ours --- */

static void ub_zones_left(struct hf_ub *a)
{
	int code = a->base.job.code;

	if (!code)
		a->n_leaving--;
	if (!code && !a->n_leaving)
		hf_ub_start_file_confirmed(a->start_file);
	/* Whoever waits for it hears why it was not done. */
	if (code && a->batch.lent && !a->batch.lent->n) {
		hf_ub_apply_end(a);
		return;
	}
	hf_ub_job_end(a);
	if (!code)
		hf_ub_job_next(a);
}

/* The zone goes if nothing but ours was in it; else what others put there stays. */
static void remove_zone(struct hf_ub *a, const struct hf_name *zone, const char *listing)
{
	struct hf_ub_zone was = { .name = *zone };

	if (listing && hf_ub_list_is_empty_below(listing, zone)) {
		hf_ub_command_zone_remove(&a->command, zone);
		hf_ub_step_command(a);
	} else if (hf_ub_canary_name(zone, &was.canary_name) == 0 &&
		   hf_ub_fill_name(zone, &was.fill_name) == 0) {
		hf_ub_command_zone(&a->command, zone, "transparent");
		hf_ub_step_command(a);
		hf_ub_command_remove_one(&a->command, &was.canary_name);
		hf_ub_step_command(a);
		hf_ub_command_remove_one(&a->command, &was.fill_name);
		hf_ub_step_command(a);
	}
}

/* With the last suffix: our reverse zone over the operator's, or made by us. */
static void remove_reverse(struct hf_ub *a, const char *listing)
{
	if (!listing || !hf_ub_list_has_soa(listing, &hf_addr_reverse_apex))
		return;
	if (!has_opened_reverse(a) && hf_ub_list_is_empty_below(listing, &hf_addr_reverse_apex)) {
		hf_ub_command_zone_remove(&a->command, &hf_addr_reverse_apex);
		hf_ub_step_command(a);
		return;
	}
	hf_ub_command_zone(&a->command, &hf_addr_reverse_apex, "transparent");
	hf_ub_step_command(a);
	hf_ub_command_remove_one(&a->command, &hf_addr_reverse_apex);
	hf_ub_step_command(a);
}

static void on_leaving(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_ub *a = arg;
	const struct hf_name *zone = &a->leaving[a->n_leaving - 1];
	const char *listing = reply->code ? NULL : reply->text;

	if (reply->code && reply->code != HF_ELIMIT) {
		hf_ub_step_control_failed(a, reply->code);
	} else {
		if (!listing || hf_ub_list_has_canary(listing, zone))
			remove_zone(a, zone, listing);
		if (!a->n_zones && a->n_leaving == 1)
			remove_reverse(a, listing);
	}
	hf_ub_step_end(a);
}

static void list_and_leave(struct hf_ub *a)
{
	hf_ub_step_begin(a, ub_zones_left);
	if (!a->base.job.code) {
		hf_ub_step_wait(a);
		if (hf_ub_control_list(
			a->control, "UBCT1 list_local_data\n", HF_UB_LISTING_MAX, on_leaving, a)) {
			hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
			hf_ub_step_end(a);
		}
	}
	hf_ub_step_end(a);
}

/* An unbound that has no auth-zone of that name says so, which is all right. */
static void on_reloaded(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_ub *a = arg;

	if (reply->code)
		hf_ub_step_control_failed(a, reply->code);
	hf_ub_step_end(a);
}

static void reload_auth_zone(struct hf_ub *a, const struct hf_name *zone)
{
	hf_ub_command_auth_reload(&a->command, zone);
	hf_ub_step_wait(a);
	if (hf_ub_control_send(a->control, a->command.bytes, a->command.len, on_reloaded, a)) {
		hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
		hf_ub_step_end(a);
	}
}

/*
 * First the names go out of the start file: what it has comes back with unbound's next start. And
 * out of the auth-zone that has read it, as long as our local zone still covers it.
 */
void hf_ub_zones_leave(struct hf_ub *a)
{
	const struct hf_config_unbound *u = &a->base.config->unbound;
	int rc = hf_ub_start_file_leave(a->start_file);

	hf_ub_step_begin(a, list_and_leave);
	if (rc)
		hf_ub_step_fail(a, rc, "the start file '%s' cannot be written: %s", u->start_file,
		    hf_strerror(rc));
	/* Also if there is no start file now: there may have been one. */
	if (!a->base.job.code) {
		reload_auth_zone(a, &a->leaving[a->n_leaving - 1]);
		if (!a->n_zones)
			reload_auth_zone(a, &hf_addr_reverse_apex);
	}
	hf_ub_step_end(a);
}
