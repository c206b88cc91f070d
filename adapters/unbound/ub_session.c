/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_session: the zones in unbound, and how we know that it is still the unbound that we filled.
 *
 * Each suffix is a local zone, made before its first record (else unbound makes a zone of each); a
 * command that adds records begins with the zone's SOA, since a reload may have come meanwhile.
 * While it is filled it is transparent if what is not in it yet may be answered otherwise (the
 * start file, which unbound read itself: ub_cover.c). When all is confirmed it is static. A TXT
 * record, the canary (ub_canary.c), says which of both it is. A restart or a reload takes it away
 * with all the rest, and nothing else shows a reload.
 */
#include "adapters/unbound/ub_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"

void hf_ub_session_lost(struct hf_ub *a, const char *why)
{
	for (size_t i = 0; i < a->n_zones; i++) {
		a->zones[i].state = HF_UBZONE_NEW;
		a->zones[i].covers_known = false;
	}
	hf_ub_cover_forget(a);
	a->session.data_large = false;
	a->session.open = false;
	a->session.reverse_known = false;
	snprintf(a->session.lost_why, sizeof(a->session.lost_why), "%s", why);
	hf_adapter_answers_lost(&a->base.answers, why);
}

/* --- a session begins, or goes on --- */

static void confirm_setup(struct hf_ub *a)
{
	for (size_t i = 0; i < a->n_zones && !a->base.job.code; i++) {
		struct hf_ub_zone *zone = &a->zones[i];

		if (zone->state != HF_UBZONE_NEW)
			continue;
		if (!hf_ub_canary_is_there(zone) || !hf_ub_canary_is_one(zone))
			hf_ub_step_fail(a, HF_EREFUSED,
			    "what was put into unbound by '%s' is not answered at the address of 'ask': is that the same unbound, may we ask it (access-control), and is our address in no view without 'view-first: yes' (access-control-view)?",
			    a->base.config->unbound.control);
		else
			zone->state = HF_UBZONE_FILLING;
	}
	a->session.after_session(a);
}

static void check_setup(struct hf_ub *a)
{
	if (a->base.job.code)
		a->session.after_session(a);
	else
		hf_ub_canaries_ask(a, false, confirm_setup);
}

/* Its first records come with the zone: no reload can be between them. */
static void make_zone(struct hf_ub *a, struct hf_ub_zone *zone)
{
	hf_ub_canary_new(zone);
	hf_ub_command_zone(&a->command, &zone->name, hf_ub_cover_type(a, zone));
	hf_ub_step_command(a);
	if (*zone->seen || *zone->fill_seen) {
		hf_ub_command_remove_one(&a->command, &zone->canary_name);
		hf_ub_step_command(a);
		hf_ub_command_remove_one(&a->command, &zone->fill_name);
		hf_ub_step_command(a);
	}
	hf_ub_command_begin(&a->command, "local_datas");
	hf_ub_command_soa(&a->command, &zone->name, a->ttl_s);
	hf_ub_command_txt(&a->command, &zone->fill_name, a->ttl_s, zone->canary);
	hf_ub_command_txt(&a->command, &zone->canary_name, a->ttl_s, zone->canary);
	hf_ub_command_end(&a->command);
	hf_ub_step_lines(a);
}

static void make_reverse(struct hf_ub *a)
{
	hf_ub_command_zone(&a->command, &hf_addr_reverse_apex, hf_ub_cover_reverse_type(a));
	hf_ub_step_command(a);
	hf_ub_command_begin(&a->command, "local_datas");
	hf_ub_command_soa(&a->command, &hf_addr_reverse_apex, a->ttl_s);
	hf_ub_command_end(&a->command);
	hf_ub_step_lines(a);
}

static void make_zones(struct hf_ub *a)
{
	bool made = false;

	if (a->base.job.code) {
		a->session.after_session(a);
		return;
	}
	hf_ub_step_begin(a, check_setup);
	for (size_t i = 0; i < a->n_zones; i++) {
		struct hf_ub_zone *zone = &a->zones[i];

		if (zone->state == HF_UBZONE_NEW) {
			make_zone(a, zone);
			made = true;
		} else if (zone->state == HF_UBZONE_FILLING && !zone->covers_known) {
			/* An earlier life began to fill it. */
			hf_ub_command_zone(&a->command, &zone->name, hf_ub_cover_type(a, zone));
			hf_ub_step_command(a);
		}
		zone->covers_known = true;
	}
	if (a->session.reverse_ours && !a->session.reverse_known && !a->session.reverse_static)
		make_reverse(a);
	a->session.reverse_known = true;
	if (made) {
		a->want_complete = false;
		if (!*a->session.lost_why)
			snprintf(a->session.lost_why, sizeof(a->session.lost_why),
			    "unbound has nothing of an earlier fill");
		hf_adapter_answers_lost(&a->base.answers, a->session.lost_why);
	}
	hf_ub_step_end(a);
}

/*
 * unbound has zones of its own for private addresses, which take our PTR records and answer for
 * what is missing. Only where it says nothing (they were turned off, or opened for a zone of ours)
 * the reverse zone of the prefix is made too.
 */
static void on_reverse(const struct hf_asked *asked, void *arg)
{
	struct hf_ub *a = arg;

	if (asked->code)
		hf_ub_step_fail(
		    a, asked->code, "unbound does not answer DNS: %s", hf_strerror(asked->code));
	a->session.reverse_ours = !asked->aa;
	a->session.reverse_static = false;
	hf_ub_step_end(a);
}

/* "b.2.4. ... ip6.arpa. transparent": the word after the zone, "" where it is not there. */
static void listing_find_zone(
    const char *listing, const struct hf_name *zone, char ret_type[static 32])
{
	char text[HF_NAME_TEXT_MAX];
	size_t n = strlen(hf_name_text(zone, text));

	*ret_type = '\0';
	for (const char *at = listing; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, text, n) == 0 && sscanf(at + n, ". %31s", ret_type) == 1)
			return;
		*ret_type = '\0';
	}
}

/*
 * With zone files the operator has opened unbound's own zone for an auth-zone of ours, which goes
 * on to answer with what it read at the start: so ours over it must become static.
 */
static void on_local_zones(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_ub *a = arg;
	char type[32];

	if (reply->code && reply->code != HF_ELIMIT) {
		hf_ub_step_control_failed(a, reply->code);
	} else {
		listing_find_zone(reply->text, &hf_addr_reverse_apex, type);
		if (*type) {
			a->session.reverse_ours = true;
			a->session.reverse_static = strcmp(type, "static") == 0;
		}
	}
	hf_ub_step_end(a);
}

static void look_at_cover(struct hf_ub *a)
{
	hf_ub_cover_look(a, make_zones);
}

static void list_zones(struct hf_ub *a)
{
	hf_ub_step_begin(a, look_at_cover);
	if (!a->session.reverse_known && !a->session.reverse_ours &&
	    a->base.config->unbound.start_file &&
	    a->base.config->unbound.start_form == HF_START_ZONEFILE) {
		hf_ub_step_wait(a);
		if (hf_ub_control_list(a->control, "UBCT1 list_local_zones\n", HF_UB_LISTING_MAX,
			on_local_zones, a)) {
			hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
			hf_ub_step_end(a);
		}
	}
	hf_ub_step_end(a);
}

static void look_at_reverse(struct hf_ub *a)
{
	hf_ub_step_begin(a, list_zones);
	if (!a->session.reverse_known) {
		hf_ub_step_wait(a);
		if (hf_dns_client_send(
			a->looks, &hf_addr_reverse_apex, HF_TYPE_SOA, on_reverse, a)) {
			hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
			hf_ub_step_end(a);
		}
	}
	hf_ub_step_end(a);
}

static void ub_session_judge(struct hf_ub *a)
{
	bool lost = false, made = true;

	for (size_t i = 0; i < a->n_zones && !a->base.job.code; i++) {
		struct hf_ub_zone *zone = &a->zones[i];

		if (zone->state != HF_UBZONE_NEW) {
			lost |= !hf_ub_canary_is_there(zone);
		} else if (hf_ub_canary_is_one(zone)) {
			memcpy(zone->canary, zone->seen, sizeof(zone->canary));
			zone->state =
			    *zone->seen == HF_CANARY_WHOLE ? HF_UBZONE_WHOLE : HF_UBZONE_FILLING;
		} else {
			made = false;
		}
		made = made && (zone->state != HF_UBZONE_FILLING || zone->covers_known);
	}
	if (lost) {
		hf_ub_session_lost(a, "unbound was restarted or reloaded: its canary is gone");
		hf_ub_step_fail(a, HF_ENOTREADY, "unbound was restarted or reloaded");
	}
	if (a->base.job.code || (made && a->session.reverse_known))
		a->session.after_session(a);
	else
		look_at_reverse(a);
}

static void after_status(struct hf_ub *a)
{
	if (a->base.job.code)
		a->session.after_session(a);
	else {
		a->session.open = true;
		hf_ub_canaries_ask(a, false, ub_session_judge);
	}
}

/* --- what it can --- */

static void ask_ability(struct hf_ub *a);

static void on_ub_session_ability(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_ub *a = arg;
	const struct hf_ub_ability *row = &hf_ub_abilities[a->session.asked_able++];

	if (reply->code)
		hf_ub_step_control_failed(a, reply->code);
	else if (row->is_able(reply->text))
		a->session.able |= row->bit;
	hf_ub_step_end(a);
}

static void after_ability(struct hf_ub *a)
{
	if (a->base.job.code)
		a->session.after_session(a);
	else if (a->session.asked_able < hf_ub_n_abilities)
		ask_ability(a);
	else
		after_status(a);
}

static void ask_ability(struct hf_ub *a)
{
	hf_ub_step_begin(a, after_ability);
	hf_ub_step_wait(a);
	hf_ub_command_ability(&a->command, &hf_ub_abilities[a->session.asked_able]);
	if (hf_ub_control_send(
		a->control, a->command.bytes, a->command.len, on_ub_session_ability, a)) {
		hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
		hf_ub_step_end(a);
	}
	hf_ub_step_end(a);
}

static void ub_session_ask_abilities(struct hf_ub *a)
{
	a->session.able = 0;
	a->session.asked_able = 0;
	after_ability(a);
}

static void ask_limit(struct hf_ub *a)
{
	if (a->base.job.code)
		a->session.after_session(a);
	else
		hf_ub_limit_ask(a, ub_session_ask_abilities);
}

static void on_ub_session_status(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_ub *a = arg;
	unsigned version = reply->code ? 0 : hf_ub_command_version(reply->text);

	if (reply->code) {
		hf_ub_step_control_failed(a, reply->code);
	} else if (!version) {
		hf_ub_step_fail(a, HF_EPEER, "what listens at '%s' does not answer as unbound does",
		    a->base.config->unbound.control);
	} else {
		if (version != a->session.version)
			hf_log_info("adapter '%s': unbound %u.%u.%u", a->base.config->name,
			    version / 1000000, version / 1000 % 1000, version % 1000);
		a->session.version = version;
	}
	hf_ub_step_end(a);
}

void hf_ub_session_ensure(struct hf_ub *a, hf_ub_step then)
{
	a->session.after_session = then;
	if (a->session.open) {
		hf_ub_canaries_ask(a, false, ub_session_judge);
		return;
	}
	hf_ub_step_begin(a, ask_limit);
	hf_ub_step_wait(a);
	hf_ub_command_status(&a->command);
	if (hf_ub_control_send(
		a->control, a->command.bytes, a->command.len, on_ub_session_status, a)) {
		hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
		hf_ub_step_end(a);
	}
	hf_ub_step_end(a);
}
