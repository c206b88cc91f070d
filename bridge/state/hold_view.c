/*
 * What people need to know of a hold before they decide it, and what a decision would do.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bridge/state/guard.h"
#include "bridge/state/names.h"

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

static bool is_kind(const struct st_hold *h, const char *kind)
{
	return !strcmp(h->row.kind, kind);
}

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

	if (is_kind(h, ST_HOLD_RESTORED))
		for (uint32_t r = 0; r < s->n_restored; r++)
			if (s->restored[r].used && s->restored[r].row.source == h->row.source)
				add_sample(v, hf_name_text(&s->restored[r].row.name, text));
	if (!is_kind(h, ST_HOLD_REMOVAL) || h->row.owner == ST_NONE)
		return;
	for (uint32_t w = s->owners[h->row.owner].first_ws; w != ST_NONE; w = s->ws[w].next)
		if (s->ws[w].row.held)
			add_sample(v, s->ws[w].row.name);
}

/* "holdfastctl accept main alice", with the option that the kind asks for. */
static void command(const struct hf_hold_view *v, const char *verb, char *out, size_t size)
{
	const char *option = "";

	if (!strcmp(v->row->kind, ST_HOLD_DEPLOYMENT))
		option = " --deployment";
	else if (!strcmp(v->row->kind, ST_HOLD_SUFFIX))
		option = " --suffix";
	snprintf(out, size, "holdfastctl %s %s%s%s%s", verb, v->source->name, v->owner ? " " : "",
	    v->owner ? v->owner->name : "", option);
}

static void view_hold(
    const struct hf_state *s, const struct st_hold *h, struct hf_when now, struct hf_hold_view *v)
{
	memset(v, 0, sizeof(*v));
	v->row = &h->row;
	v->source = &s->sources[h->row.source].row;
	v->owner = h->row.owner == ST_NONE ? NULL : &s->owners[h->row.owner].row;
	v->reason = h->row.detail;
	if (is_kind(h, ST_HOLD_DEPLOYMENT))
		v->reason = "another deployment answers at this URL";
	else if (is_kind(h, ST_HOLD_SUFFIX))
		v->reason = "the server has another suffix";
	list_what_it_holds(s, h, v);
	v->waits = h->row.rejected ? 0 : st_hold_waits(s, h, now);
	if (v->waits & HF_WAITS_GRACE)
		v->grace_left_ms = s->conf.grace_ms - h->row.fresh_ms;
	command(v, "accept", v->accept, sizeof(v->accept));
	if (!h->row.rejected)
		command(v, "reject", v->reject, sizeof(v->reject));
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

static void add_name(struct hf_decision_view *v, const struct hf_name *name)
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

static int preview_name(const struct hf_name_change *record, void *arg)
{
	const struct preview *p = arg;
	bool renamed = is_kind(p->h, ST_HOLD_SUFFIX);
	bool gone = false;

	if (record->source != p->h->row.source)
		return 0;
	if (is_kind(p->h, ST_HOLD_RESTORED))
		gone = record->flags & HF_REC_RESTORED;
	else if (is_kind(p->h, ST_HOLD_REMOVAL))
		gone = record->owner == p->h->row.owner && record->flags & HF_REC_HELD;
	if (!gone && !renamed)
		return 0;
	p->v->removed += gone;
	p->v->renamed += renamed;
	add_name(p->v, &record->name);
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

		if (!st_hold_is_meant(p.h, src, of, owner, what))
			continue;
		ret_view->holds++;
		if (p.h->row.owner != ST_NONE)
			ret_view->workspaces += s->owners[p.h->row.owner].n_held;
		ret_view->other_deployment |=
		    decision == HF_DECISION_ACCEPT && is_kind(p.h, ST_HOLD_DEPLOYMENT);
		if (decision == HF_DECISION_ACCEPT)
			st_each_name(s, preview_name, &p);
	}
	return 0;
}
