/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept and reject: what is meant, what it would do, and doing it.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/log.h"
#include "bridge/control/control_json.h"
#include "bridge/control/control_private.h"
#include "bridge/engine/engine.h"
#include "bridge/follow/sources.h"

struct decision {
	const struct hf_control_request *request;
	json_t *holds;  /* owned; those that are meant, for people */
	json_t *others; /* owned; the commands for those of another kind */
	char source[HF_LABEL_MAX + 1];
	struct hf_uuid owner;
	unsigned n;      /* holds that are meant */
	bool ambiguous;  /* of more than one source or owner, none was named */
	uint64_t ticket; /* changes with all that a person sees of them */
};

static const char *kind_meant(const struct hf_control_request *r)
{
	return r->what[0] ? r->what : "removal";
}

static bool decision_names_owner(
    const struct hf_control_request *r, const struct hf_owner_row *owner)
{
	struct hf_uuid id;

	if (!r->owner[0])
		return true;
	if (!owner)
		return false;
	if (hf_uuid_parse(r->owner, &id) == 0 && hf_uuid_equal(&id, &owner->id))
		return true;
	return !strcasecmp(owner->name, r->owner);
}

/* A suffix or a deployment only by its own name: it renames or replaces everything. */
static bool names_kind(const struct hf_control_request *r, const struct hf_hold_row *hold)
{
	bool identity = !strcmp(hold->kind, "deployment") || !strcmp(hold->kind, "suffix");

	return strcmp(kind_meant(r), "removal") ? !strcmp(hold->kind, r->what) : !identity;
}

/* FNV-1a. */
static void ticket_mix(uint64_t *ticket, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		*ticket = (*ticket ^ at[i]) * 0x100000001b3;
}

static void ticket_note_hold(struct decision *d, const struct hf_hold_view *h)
{
	ticket_mix(&d->ticket, h->source->name, sizeof(h->source->name));
	ticket_mix(&d->ticket, h->row->kind, sizeof(h->row->kind));
	ticket_mix(&d->ticket, h->row->detail, sizeof(h->row->detail));
	ticket_mix(&d->ticket, &h->row->owner, sizeof(h->row->owner));
	ticket_mix(&d->ticket, &h->row->since_s, sizeof(h->row->since_s));
	ticket_mix(&d->ticket, &h->workspaces, sizeof(h->workspaces));
	for (uint32_t i = 0; i < h->n_samples; i++)
		ticket_mix(&d->ticket, h->samples[i], strlen(h->samples[i]) + 1);
	json_array_append_new(d->holds,
	    json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:b}", "source",
		hf_control_json_text(h->source->name), "owner",
		hf_control_json_text(h->owner ? h->owner->name : NULL), "kind",
		hf_control_json_text(h->row->kind), "detail", hf_control_json_text(h->row->detail),
		"reason", hf_control_json_text(h->reason), "workspaces", (json_int_t)h->workspaces,
		"rejected", h->row->rejected));
}

static int decision_find_hold(const struct hf_hold_view *h, void *arg)
{
	struct decision *d = arg;
	static const struct hf_uuid none;
	const struct hf_uuid *id = h->owner ? &h->owner->id : &none;

	if ((d->request->source[0] && strcasecmp(h->source->name, d->request->source)) ||
	    !decision_names_owner(d->request, h->owner))
		return 0;
	if (!names_kind(d->request, h->row)) {
		json_array_append_new(
		    d->others, json_string(d->request->decision == HF_COMMAND_REJECT && *h->reject
					       ? h->reject
					       : h->accept));
		return 0;
	}
	if (d->n && !d->request->source[0] &&
	    (strcmp(d->source, h->source->name) || !hf_uuid_equal(&d->owner, id)))
		d->ambiguous = true;
	snprintf(d->source, sizeof(d->source), "%s", h->source->name);
	d->owner = *id;
	d->n++;
	ticket_note_hold(d, h);
	return 0;
}

static void decision_find(const struct hf_control_env *env, const struct hf_control_request *r,
    struct decision *ret_decision)
{
	*ret_decision = (struct decision){ .request = r,
		.holds = json_array(),
		.others = json_array(),
		.ticket = 0xcbf29ce484222325 };
	hf_state_each_hold_view(hf_engine_state(env->engine), hf_engine_now(env->engine),
	    decision_find_hold, ret_decision);
}

static void decision_done(struct decision *d)
{
	json_decref(d->holds);
	json_decref(d->others);
}

/* 16 hexadecimal digits. */
static void ticket_text(const struct decision *d, char out[static HF_TICKET_MAX])
{
	snprintf(out, HF_TICKET_MAX, "%016llx", (unsigned long long)d->ticket);
}

/* --- preview --- */

static json_t *view_row(const struct decision *d, const struct hf_decision_view *v)
{
	json_t *samples = json_array();
	char ticket[HF_TICKET_MAX];

	for (uint32_t i = 0; i < v->n_samples; i++)
		json_array_append_new(samples, hf_control_json_text(v->samples[i]));
	ticket_text(d, ticket);
	return json_pack("{s:s, s:s, s:o, s:i, s:I, s:I, s:I, s:b, s:o, s:O, s:O, s:s}", "decision",
	    d->request->decision == HF_COMMAND_REJECT ? "reject" : "accept", "what",
	    kind_meant(d->request), "source", hf_control_json_text(d->source), "holds", (int)d->n,
	    "workspaces", (json_int_t)v->workspaces, "removed", (json_int_t)v->removed, "renamed",
	    (json_int_t)v->renamed, "other_deployment", v->other_deployment, "names", samples,
	    "held", d->holds, "others", d->others, "ticket", ticket);
}

void hf_control_preview(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out)
{
	bool reject = r->decision == HF_COMMAND_REJECT;
	struct hf_decision_view view = { 0 };
	struct decision d;
	int rc = 0;

	decision_find(env, r, &d);
	if (d.ambiguous) {
		hf_control_error(
		    out, "decisions of more than one source or owner wait: name the source");
	} else {
		if (d.n)
			rc = hf_state_decide_preview(hf_engine_state(env->engine), d.source,
			    r->owner[0] ? &d.owner : NULL, kind_meant(r),
			    reject ? HF_DECISION_REJECT : HF_DECISION_ACCEPT, &view);
		if (rc < 0)
			hf_control_error(out, hf_strerror(rc));
		else if (hf_control_json_row(out, view_row(&d, &view)) == 0)
			hf_control_json_end(out);
	}
	decision_done(&d);
}

/* --- deciding --- */

/* A client that waits for the operator need not wait longer. */
static void poke_client(const struct hf_control_env *env, const char *source)
{
	struct hf_source *s = hf_sources_find(env->sources, source);

	if (s)
		hf_client_decided(hf_source_client(s));
}

/* What was shown to the operator is no longer what waits. */
static bool is_outdated(const struct decision *d)
{
	char ticket[HF_TICKET_MAX];

	ticket_text(d, ticket);
	return d->request->ticket[0] && strcmp(d->request->ticket, ticket) != 0;
}

static int decision_settle(
    const struct hf_control_env *env, const struct hf_control_request *r, const struct decision *d)
{
	bool accept = r->command == HF_COMMAND_ACCEPT;
	/* With an owner named, all that was found is of that one. */
	int rc = hf_engine_decide(env->engine, d->source, r->owner[0] ? &d->owner : NULL,
	    kind_meant(r), accept ? HF_DECISION_ACCEPT : HF_DECISION_REJECT);

	if (rc <= 0)
		return rc;
	hf_log_info("control: %d held %s (%s) of source '%s' %s by the operator", rc,
	    rc == 1 ? "change" : "changes", kind_meant(r), d->source,
	    accept ? "accepted" : "rejected");
	if (accept)
		poke_client(env, d->source);
	env->work(env->work_arg);
	return rc;
}

void hf_control_decide(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out)
{
	struct decision d;
	int rc = 0;

	decision_find(env, r, &d);
	if (d.ambiguous) {
		hf_control_error(
		    out, "decisions of more than one source or owner wait: name the source");
	} else if (is_outdated(&d)) {
		hf_control_error(
		    out, "what waits has changed since it was shown: nothing was done");
	} else {
		if (d.n)
			rc = decision_settle(env, r, &d);
		if (rc < 0) {
			hf_control_error(out, hf_strerror(rc));
		} else {
			hf_control_json_row(out,
			    json_pack("{s:o, s:i, s:O}", "source", hf_control_json_text(d.source),
				"settled", rc, "others", d.others));
			hf_control_json_end(out);
		}
	}
	decision_done(&d);
}
