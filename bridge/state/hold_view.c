/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people need to know of a hold before they decide it, and what a decision would do.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bridge/state/claims.h"
#include "bridge/state/holds.h"
#include "bridge/state/rights_text.h"

const char *hf_state_waits_name(enum hf_waits bit)
{
	switch (bit) {
	case HF_WAITS_OPERATOR:
		return "operator";
	case HF_WAITS_FRESH:
		return "fresh";
	case HF_WAITS_GRACE:
		return "grace";
	case HF_WAITS_REST:
		return "rest";
	case HF_WAITS_READABLE:
		return "readable";
	case HF_WAITS_RIGHTS:
		return "rights";
	case HF_WAITS_CONNECTION:
		return "connection";
	case HF_WAITS_SNAPSHOT:
		return "snapshot";
	}
	return "";
}

/* --- one hold --- */

static void add_sample(struct hf_hold_view *v, const char *text)
{
	v->workspaces++;
	if (v->n_samples == HF_HOLD_SAMPLES)
		return;
	snprintf(v->samples[v->n_samples++], HF_SAMPLE_MAX, "%.*s", HF_SAMPLE_MAX - 1, text);
}

static void list_what_it_holds(
    const struct hf_state *s, const struct st_hold *h, struct hf_hold_view *v)
{
	char text[HF_NAME_TEXT_MAX];

	if (hf_st_hold_is(h, ST_HOLD_RESTORED))
		for (uint32_t r = 0; r < s->n_restored; r++)
			if (hf_st_hold_has_restored(h, &s->restored[r]))
				add_sample(v, hf_name_text(&s->restored[r].row.name, text));
	if (h->row.owner == ST_NONE)
		return;
	for (uint32_t w = s->owners[h->row.owner].first_ws; w != ST_NONE; w = s->ws[w].next)
		if (hf_st_hold_has(s, h, &s->ws[w]) ||
		    (hf_st_hold_is(h, ST_HOLD_USER) && !s->ws[w].bad))
			add_sample(v, s->ws[w].row.name);
}

/* "holdfastctl accept main alice", with the option that the kind asks for. */
static void hold_command(const struct hf_hold_view *v, const char *verb, char *out, size_t size)
{
	const char *option = "";

	if (!strcmp(v->row->kind, ST_HOLD_DEPLOYMENT))
		option = " --deployment";
	else if (!strcmp(v->row->kind, ST_HOLD_SUFFIX))
		option = " --suffix";
	snprintf(out, size, "holdfastctl %s %s%s%s%s", verb, v->source->name, v->owner ? " " : "",
	    v->owner ? v->owner->name : "", option);
}

/* The words that are missing, of the first owner that lacks some. */
static void view_rights(const struct hf_state *s, const struct st_hold *h, struct hf_hold_view *v)
{
	for (uint32_t i = 0; i < s->n_owners && !*v->missing_rights; i++)
		if (s->owners[i].used && s->owners[i].row.source == h->row.source &&
		    (h->row.owner == ST_NONE || h->row.owner == i))
			hf_st_rights_less(s, i, v->missing_rights, sizeof(v->missing_rights));
}

static void view_hold(
    const struct hf_state *s, const struct st_hold *h, struct hf_when now, struct hf_hold_view *v)
{
	memset(v, 0, sizeof(*v));
	v->row = &h->row;
	v->source = &s->sources[h->row.source].row;
	v->owner = h->row.owner == ST_NONE ? NULL : &s->owners[h->row.owner].row;
	v->reason = h->row.detail;
	if (hf_st_hold_is(h, ST_HOLD_DEPLOYMENT))
		v->reason = *h->row.detail
				? "another deployment answers at this URL"
				: "the server does not say any more which deployment it is";
	else if (hf_st_hold_is(h, ST_HOLD_SUFFIX))
		v->reason = v->source->suffix.len
				? "the server has another suffix"
				: "the server's suffix is a name that networks at home use";
	list_what_it_holds(s, h, v);
	v->waits = hf_st_hold_waits(s, h, now);
	if (v->waits & HF_WAITS_RIGHTS)
		view_rights(s, h, v);
	if (v->waits & HF_WAITS_GRACE)
		v->grace_left_ms = s->conf.grace_ms - h->row.fresh_ms;
	hold_command(v, "accept", v->accept, sizeof(v->accept));
	if (!h->row.rejected)
		hold_command(v, "reject", v->reject, sizeof(v->reject));
}

int hf_state_each_hold_view(
    const struct hf_state *s, struct hf_when now, hf_state_hold_view_cb cb, void *arg)
{
	int rc = 0;

	for (size_t i = 0; i < s->n_holds && !rc; i++) {
		struct hf_hold_view view;

		if (!s->holds[i].used)
			continue;
		view_hold(s, &s->holds[i], now, &view);
		rc = cb(&view, arg);
	}
	return rc;
}

/* --- what a decision would do --- */

static void preview_add_name(struct hf_decision_view *v, const struct hf_name *name)
{
	char text[HF_NAME_TEXT_MAX];

	if (v->n_samples < HF_HOLD_SAMPLES)
		snprintf(v->samples[v->n_samples++], HF_SAMPLE_MAX, "%.*s", HF_SAMPLE_MAX - 1,
		    hf_name_text(name, text));
}

struct preview {
	const struct hf_state *s;
	const struct st_hold *h;
	struct hf_decision_view *v;
};

/* Whether accepting the hold would take this record away. */
static bool would_go(const struct preview *p, const struct hf_name_change *record, bool own_form)
{
	const struct st_hold *h = p->h;

	if (hf_st_hold_is(h, ST_HOLD_RESTORED))
		return record->flags & HF_REC_RESTORED && record->flags & HF_REC_HELD;
	if (record->owner == ST_NONE || record->owner != h->row.owner)
		return false;
	if (hf_st_hold_is(h, ST_HOLD_USER))
		return own_form;
	return hf_st_hold_is(h, ST_HOLD_REMOVAL) &&
	       hf_st_hold_has(p->s, h, &p->s->ws[p->s->agents[record->agent].ws]);
}

/* W.S, or A.W.me.S: a name of the token's own user. */
static bool is_own_form(const struct hf_state *s, const struct hf_name_change *record)
{
	unsigned labels =
	    hf_name_labels(&record->name) - hf_name_labels(&s->sources[record->source].row.suffix);
	const uint8_t *at = record->name.wire;

	if (labels != 3)
		return true;
	at += *at + 1;
	at += *at + 1;
	return *at == 2 && !memcmp(at + 1, "me", 2);
}

static int preview_name(const struct hf_name_change *record, void *arg)
{
	const struct preview *p = arg;
	bool renamed = hf_st_hold_is(p->h, ST_HOLD_SUFFIX), gone;

	if (record->source != p->h->row.source)
		return 0;
	gone = would_go(p, record, is_own_form(p->s, record));
	if (!gone && !renamed)
		return 0;
	p->v->removed += gone;
	p->v->renamed += renamed && !gone;
	preview_add_name(p->v, &record->name);
	return 0;
}

int hf_state_decide_preview(const struct hf_state *s, const char *source,
    const struct hf_uuid *owner, const char *what, enum hf_decision decision,
    struct hf_decision_view *ret_view)
{
	uint32_t src, of = ST_NONE;

	memset(ret_view, 0, sizeof(*ret_view));
	if (!hf_state_find(s, source, owner, &src, &of) || (owner && of == ST_NONE))
		return -ENOENT;
	for (size_t i = 0; i < s->n_holds; i++) {
		struct preview p = { s, &s->holds[i], ret_view };
		struct hf_hold_view hold = { 0 };

		if (!hf_st_hold_is_meant(p.h, src, of, owner, what))
			continue;
		ret_view->holds++;
		list_what_it_holds(s, p.h, &hold);
		if (hf_st_hold_is(p.h, ST_HOLD_REMOVAL))
			ret_view->workspaces += hold.workspaces;
		ret_view->other_deployment |=
		    decision == HF_DECISION_ACCEPT && hf_st_hold_is(p.h, ST_HOLD_DEPLOYMENT);
		if (decision == HF_DECISION_ACCEPT)
			hf_st_each_name(s, preview_name, &p);
	}
	return 0;
}
