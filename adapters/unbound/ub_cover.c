/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_cover: before a zone is filled: what it covers in unbound, and with it how its names can be
 * looked at. If unbound has little local data, all of it is read at once (ub_known.h), and so it is
 * before a batch that removes something, where it shows what others have at a name, whatever its
 * type. Else each name is asked for, and a missing one should not be an error to unbound: so the
 * zone is static from the beginning if nothing below it answers its names: no auth-zone (our start
 * file, say), forward-zone or stub-zone.
 */
#include "adapters/unbound/ub_private.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

/* A zone of unbound's own configuration at or below ours, or around it; the root is around all. */
static void note_below(struct hf_ub *a, const char *text)
{
	struct hf_name name;

	if (strcmp(text, ".") == 0 || hf_name_parse(text, &name))
		return;
	for (size_t i = 0; i < a->n_zones; i++)
		if (hf_name_is_under(&name, &a->zones[i].name) ||
		    hf_name_is_under(&a->zones[i].name, &name))
			a->zones[i].has_below = true;
	if (hf_name_is_under(&name, &hf_addr_reverse_apex) ||
	    hf_name_is_under(&hf_addr_reverse_apex, &name))
		a->session.reverse_below = true;
}

/* Each line begins with the zone's name. */
static void on_below(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_ub *a = arg;
	char text[HF_NAME_TEXT_MAX];

	if (reply->code == HF_ELIMIT) {
		for (size_t i = 0; i < a->n_zones; i++)
			a->zones[i].has_below = true;
		a->session.reverse_below = true;
	} else if (reply->code && reply->code != HF_ECLOSED) {
		hf_ub_step_control_failed(a, reply->code);
	}
	/* One that has none of a kind says nothing at all. */
	for (const char *at = reply->code ? "" : reply->text; *at; at = hf_ub_line_next(at))
		if (sscanf(at, "%1023s", text) == 1)
			note_below(a, text);
	hf_ub_step_end(a);
}

static void cover_list(struct hf_ub *a, const char *command, size_t max, hf_ub_reply_cb cb)
{
	hf_ub_step_wait(a);
	if (hf_ub_control_list(a->control, command, max, cb, a)) {
		hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
		hf_ub_step_end(a);
	}
}

/*
 * Each in a step of its own: an empty listing looks like an unbound that went away, for all that
 * wait.
 */
static void look_at_stubs(struct hf_ub *a)
{
	hf_ub_step_begin(a, a->session.after_cover);
	if (!a->base.job.code && !a->session.known)
		cover_list(a, "UBCT1 list_stubs\n", HF_UB_LISTING_MAX, on_below);
	hf_ub_step_end(a);
}

static void look_at_forwards(struct hf_ub *a)
{
	hf_ub_step_begin(a, look_at_stubs);
	if (!a->base.job.code && !a->session.known)
		cover_list(a, "UBCT1 list_forwards\n", HF_UB_LISTING_MAX, on_below);
	hf_ub_step_end(a);
}

static void look_at_auth_zones(struct hf_ub *a)
{
	hf_ub_step_begin(a, look_at_forwards);
	for (size_t i = 0; i < a->n_zones; i++)
		a->zones[i].has_below = false;
	a->session.reverse_below = false;
	if (!a->base.job.code && !a->session.known)
		cover_list(a, "UBCT1 list_auth_zones\n", HF_UB_LISTING_MAX, on_below);
	hf_ub_step_end(a);
}

static void on_data(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_ub *a = arg;
	int rc;

	a->session.data_large = reply->code == HF_ELIMIT;
	/* One that has none at all says nothing, as one that went away does: so it is asked. */
	if (reply->code && reply->code != HF_ELIMIT && reply->code != HF_ECLOSED) {
		hf_ub_step_control_failed(a, reply->code);
	} else if (!reply->code) {
		rc = hf_ub_known_new(reply->text, &a->session.known);
		if (rc)
			hf_ub_step_fail(a, rc, "%s", hf_strerror(rc));
	}
	hf_ub_step_end(a);
}

void hf_ub_cover_data(struct hf_ub *a, hf_ub_step then)
{
	hf_ub_step_begin(a, then);
	if (!a->session.known && !a->session.data_large) {
		a->session.known_once = true;
		cover_list(a, "UBCT1 list_local_data\n", HF_UB_LISTING_QUICK, on_data);
	}
	hf_ub_step_end(a);
}

void hf_ub_cover_data_end(struct hf_ub *a)
{
	if (a->session.known_once)
		hf_ub_cover_forget(a);
}

void hf_ub_cover_look(struct hf_ub *a, hf_ub_step then)
{
	a->session.after_cover = then;
	hf_ub_step_begin(a, look_at_auth_zones);
	if (!a->base.job.code && !a->session.known)
		cover_list(a, "UBCT1 list_local_data\n", HF_UB_LISTING_MAX, on_data);
	hf_ub_step_end(a);
}

const char *hf_ub_cover_type(const struct hf_ub *a, const struct hf_ub_zone *zone)
{
	return a->session.known || zone->has_below ? "transparent" : "static";
}

const char *hf_ub_cover_reverse_type(const struct hf_ub *a)
{
	return a->session.known || a->session.reverse_below ? "transparent" : "static";
}

void hf_ub_cover_touch(struct hf_ub *a, const struct hf_name *name)
{
	if (a->session.known && hf_ub_known_touch(a->session.known, name))
		hf_ub_cover_forget(a);
}

void hf_ub_cover_forget(struct hf_ub *a)
{
	hf_ub_known_free(a->session.known);
	a->session.known = NULL;
	a->session.known_once = false;
}
