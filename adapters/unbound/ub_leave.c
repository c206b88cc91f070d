/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_leave: a suffix is no longer ours. Its names were taken by batches before; here the zone goes,
 * with what is ours in it and in what unbound reads at its start.
 */
#include "adapters/unbound/ub_private.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

static void ub_zone_left(struct hf_ub *a)
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

static void send_one(struct hf_ub *a, void (*make)(struct hf_ub_command *c, const struct hf_name *),
    const struct hf_name *name)
{
	make(&a->command, name);
	hf_ub_step_command(a);
}

/* What others have below it stays, and is answered; without them nothing shows that it is there. */
static void empty_zone(struct hf_ub *a, const struct hf_name *zone, bool shared)
{
	struct hf_ub_zone was;

	if (hf_ub_canary_name(zone, &was.canary_name) || hf_ub_fill_name(zone, &was.fill_name))
		return;
	hf_ub_command_zone(&a->command, zone, "transparent");
	hf_ub_step_command(a);
	send_one(a, hf_ub_command_remove_one, &was.canary_name);
	send_one(a, hf_ub_command_remove_one, &was.fill_name);
	if (!shared)
		send_one(a, hf_ub_command_remove_one, zone);
}

/* The zone goes if nothing but ours was in it. */
static void remove_zone(struct hf_ub *a, const struct hf_name *zone, const char *listing)
{
	if (hf_ub_list_is_empty_below(listing, zone))
		send_one(a, hf_ub_command_zone_remove, zone);
	else
		empty_zone(a, zone, hf_ub_list_has_others_at(listing, zone));
}

/* --- where the listing is too long, or empty --- */

static void leave_asked(struct hf_ub *a)
{
	hf_ub_step_begin(a, ub_zone_left);
	if (!a->base.job.code && a->leaving_there)
		empty_zone(a, &a->leaving[a->n_leaving - 1], a->leaving_shared);
	hf_ub_step_end(a);
}

static void on_leaving_asked(struct hf_ub *a, const struct hf_asked *asked, bool *ret_any)
{
	if (asked->code)
		hf_ub_step_fail(
		    a, asked->code, "unbound does not answer DNS: %s", hf_strerror(asked->code));
	*ret_any = *ret_any || (asked->aa && (asked->n_records || asked->has_target));
	hf_ub_step_end(a);
}

static void on_leaving_canary(const struct hf_asked *asked, void *arg)
{
	struct hf_ub *a = arg;

	on_leaving_asked(a, asked, &a->leaving_there);
}

static void on_leaving_soa(const struct hf_asked *asked, void *arg)
{
	struct hf_ub *a = arg;

	a->leaving_there = a->leaving_there || hf_ub_is_our_soa(asked);
	if (asked->code)
		hf_ub_step_fail(
		    a, asked->code, "unbound does not answer DNS: %s", hf_strerror(asked->code));
	hf_ub_step_end(a);
}

static void on_leaving_other(const struct hf_asked *asked, void *arg)
{
	struct hf_ub *a = arg;

	on_leaving_asked(a, asked, &a->leaving_shared);
}

static void leave_ask(struct hf_ub *a, const struct hf_name *name, uint16_t type, hf_asked_cb cb)
{
	hf_ub_step_wait(a);
	if (hf_dns_client_send(a->looks, name, type, cb, a)) {
		hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
		hf_ub_step_end(a);
	}
}

/* What a zone of others may have at its apex. */
static void ask_about_leaving(struct hf_ub *a)
{
	static const uint16_t types[] = { HF_TYPE_A, HF_TYPE_AAAA, HF_TYPE_TXT, 2 /* NS */,
		15 /* MX */, 65 /* HTTPS */, 257 /* CAA */ };
	const struct hf_name *zone = &a->leaving[a->n_leaving - 1];
	struct hf_name canary;

	a->leaving_there = a->leaving_shared = false;
	hf_ub_step_begin(a, leave_asked);
	if (!a->base.job.code && hf_ub_canary_name(zone, &canary) == 0) {
		leave_ask(a, &canary, HF_TYPE_TXT, on_leaving_canary);
		leave_ask(a, zone, HF_TYPE_SOA, on_leaving_soa);
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
			leave_ask(a, zone, types[i], on_leaving_other);
	}
	hf_ub_step_end(a);
}

/* --- where it is short --- */

/* With the last suffix: our reverse zone over the operator's, or made by us. */
static void remove_reverse(struct hf_ub *a, const char *listing)
{
	if (!hf_ub_list_has_soa(listing, &hf_addr_reverse_apex))
		return;
	if (!hf_ub_has_opened_reverse(a) &&
	    hf_ub_list_is_empty_below(listing, &hf_addr_reverse_apex)) {
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

	/* What says nothing has nothing at all, or went away: that is asked, too. */
	if (reply->code == HF_ELIMIT || reply->code == HF_ECLOSED) {
		a->then = ask_about_leaving;
	} else if (reply->code) {
		hf_ub_step_control_failed(a, reply->code);
	} else {
		/* Of one that only a start file has brought there is the SOA alone. */
		if (hf_ub_list_has_canary(reply->text, zone) ||
		    hf_ub_list_has_soa(reply->text, zone))
			remove_zone(a, zone, reply->text);
		if (!a->n_zones && a->n_leaving == 1)
			remove_reverse(a, reply->text);
	}
	hf_ub_step_end(a);
}

static void list_and_leave(struct hf_ub *a)
{
	hf_ub_step_begin(a, ub_zone_left);
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

static void leave_auth_zone(struct hf_ub *a)
{
	hf_ub_step_begin(a, list_and_leave);
	/* Also if there is no start file now: there may have been one. */
	if (!a->base.job.code) {
		reload_auth_zone(a, &a->leaving[a->n_leaving - 1]);
		if (!a->n_zones)
			reload_auth_zone(a, &hf_addr_reverse_apex);
	}
	hf_ub_step_end(a);
}

/*
 * First the names go out of the start file: what it has comes back with unbound's next start. And
 * out of the auth-zone that has read it, as long as our local zone still covers it. An include has
 * the zone itself, too: it is written without it, if that takes no long time.
 */
void hf_ub_zone_leave(struct hf_ub *a)
{
	const struct hf_config_unbound *u = &a->base.config->unbound;
	int rc = hf_ub_start_file_leave(a->start_file);

	if (rc)
		hf_ub_step_fail(a, rc, "the start file '%s' cannot be written: %s", u->start_file,
		    hf_strerror(rc));
	if (!rc && hf_ub_start_file_before_removal(a->start_file, leave_auth_zone))
		return;
	hf_ub_step_begin(a, leave_auth_zone);
	hf_ub_step_end(a);
}
