/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/control/control_guard.h"

#include <stdarg.h>
#include <string.h>

#include "bridge/control/control_json.h"
#include "bridge/engine/engine.h"

enum { TEXT_MAX = 1500, SAMPLES_SHOWN = 5, LISTED = 3 };

struct guard {
	const struct hf_control_env *env;
	const struct hf_tally *tallies;
	json_t *list; /* borrowed, as the next */
	json_t *warnings;
	size_t n;
};

/* --- text --- */

struct text {
	char at[TEXT_MAX];
	size_t len;
};

static void guard_text_add(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void guard_text_add(struct text *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(t->at + t->len, sizeof(t->at) - t->len, format, ap);
	va_end(ap);
	t->len += strlen(t->at + t->len);
}

/* "b, c, d, e, f and 2 more" */
static void add_samples(struct text *t, const struct hf_hold_view *h)
{
	uint32_t shown = h->n_samples < SAMPLES_SHOWN ? h->n_samples : SAMPLES_SHOWN;

	for (uint32_t i = 0; i < shown; i++)
		guard_text_add(t, "%s%s", i ? ", " : "", h->samples[i]);
	if (h->workspaces > shown)
		guard_text_add(t, " and %u more", h->workspaces - shown);
}

static const char *guard_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* --- one hold --- */

struct total {
	const struct hf_owner_row *owner;
	uint32_t workspaces;
};

static int find_total(
    const struct hf_source_view *source, const struct hf_owner_view *owner, void *arg)
{
	struct total *t = arg;

	(void)source;
	if (owner->row != t->owner)
		return 0;
	t->workspaces = owner->workspaces;
	return 1;
}

/* All workspaces of the hold's owner, held or not. */
static uint32_t total_of(const struct guard *g, const struct hf_hold_view *h)
{
	struct total t = { .owner = h->owner };

	if (h->owner)
		hf_state_each_owner(
		    hf_engine_state(g->env->engine), hf_engine_now(g->env->engine), find_total, &t);
	return t.workspaces;
}

/* What has to happen before the guard lets them go by itself. */
static void add_wait(struct text *t, const struct hf_hold_view *h)
{
	if (h->waits & HF_WAITS_OPERATOR)
		guard_text_add(t, ", until you decide");
	else if (h->waits & HF_WAITS_RIGHTS)
		guard_text_add(t,
		    ", since the token has less rights than when it listed them (it lacks %s)",
		    h->missing_rights);
	else if (h->waits & HF_WAITS_READABLE)
		guard_text_add(
		    t, ", since Coder says that this user does not exist or may not be read");
	else if (h->waits & HF_WAITS_FRESH)
		guard_text_add(t, ", at least until Coder can be reached");
	else if (h->waits & HF_WAITS_GRACE)
		guard_text_add(t,
		    ", and removed by themselves in %llu min if Coder still does not list them",
		    (unsigned long long)(h->grace_left_ms / 60000 + 1));
	else
		guard_text_add(
		    t, ", and removed by themselves soon if Coder still does not list them");
}

static void add_commands(struct text *t, const struct hf_hold_view *h, const char *accept)
{
	guard_text_add(t, "; %s: %s", accept, h->accept);
	if (*h->reject)
		guard_text_add(t, "; keep them: %s", h->reject);
}

static void describe_removal(const struct guard *g, const struct hf_hold_view *h, struct text *t)
{
	uint32_t total = total_of(g, h);

	if (h->row->rejected)
		guard_text_add(t, "you rejected the removal of %u of %s's %u workspace%s (",
		    h->workspaces, h->owner->name, total, guard_plural(total));
	else
		guard_text_add(t, "Coder no longer lists %u of %s's %u workspace%s (",
		    h->workspaces, h->owner->name, total, guard_plural(total));
	add_samples(t, h);
	guard_text_add(t, "): their names are kept");
	if (h->row->rejected)
		guard_text_add(t, " until Coder lists them again");
	else
		add_wait(t, h);
	add_commands(t, h, h->row->rejected ? "let them go after all" : "let them go");
}

static void describe_restored(const struct hf_hold_view *h, struct text *t)
{
	guard_text_add(t,
	    "%u name%s that came back from the published zone %s not confirmed by Coder (",
	    h->workspaces, guard_plural(h->workspaces), h->workspaces == 1 ? "is" : "are");
	add_samples(t, h);
	guard_text_add(t, "): %s%s", *h->reason ? h->reason : "the store was lost",
	    h->row->rejected ? "; you decided to keep them" : "");
	if (!h->row->rejected)
		add_wait(t, h);
	add_commands(t, h, "let them go");
}

static void describe_user(const struct hf_hold_view *h, struct text *t)
{
	guard_text_add(t,
	    "%s: the names of %s without a user's name (AGENT.WORKSPACE.me, WORKSPACE) are kept%s",
	    h->reason, h->owner->name, h->row->rejected ? ", as you decided" : "");
	add_commands(t, h, "let them go");
}

static void describe_suffix(const struct guard *g, const struct hf_hold_view *h, struct text *t)
{
	const struct hf_tally *tally = &g->tallies[h->source->rid];
	uint64_t names = tally->live + tally->stale + tally->held + tally->withdrawn;
	char suffix[HF_NAME_TEXT_MAX];

	if (!h->source->suffix.len) {
		guard_text_add(t,
		    "Coder says suffix '%s', which networks at home use: no name is published; use it: %s",
		    h->row->detail, h->accept);
		return;
	}
	guard_text_add(t, "Coder now says suffix '%s' instead of '%s': %s: %s", h->row->detail,
	    hf_name_text(&h->source->suffix, suffix),
	    h->row->rejected ? "you decided to stay; accepting renames all names"
			     : "accepting renames all names",
	    h->accept);
	guard_text_add(t, " (%llu name%s now)", (unsigned long long)names, guard_plural(names));
	if (*h->reject)
		guard_text_add(t, "; stay: %s", h->reject);
}

static void describe_deployment(const struct hf_hold_view *h, struct text *t)
{
	guard_text_add(t,
	    "%s (%s, not %s): nothing of it is applied, the names stay%s; follow it from now on: %s",
	    h->reason, *h->row->detail ? h->row->detail : "no id", h->source->deployment_id,
	    h->row->rejected ? ", as you decided" : "", h->accept);
	if (*h->reject)
		guard_text_add(t, "; stay: %s", h->reject);
}

static void guard_describe(const struct guard *g, const struct hf_hold_view *h, struct text *t)
{
	const char *kind = h->row->kind;

	t->len = 0;
	guard_text_add(t, "source '%s': ", h->source->name);
	if (!strcmp(kind, "suffix"))
		describe_suffix(g, h, t);
	else if (!strcmp(kind, "deployment"))
		describe_deployment(h, t);
	else if (!strcmp(kind, "restored") || !h->owner)
		describe_restored(h, t);
	else if (!strcmp(kind, "user"))
		describe_user(h, t);
	else
		describe_removal(g, h, t);
}

static json_t *waits_of(const struct hf_hold_view *h)
{
	json_t *list = json_array();

	for (unsigned bit = 1; bit <= HF_WAITS_SNAPSHOT; bit <<= 1)
		if (h->waits & bit)
			json_array_append_new(
			    list, json_string(hf_state_waits_name((enum hf_waits)bit)));
	return list;
}

static json_t *samples_of(uint32_t n, const char at[][HF_SAMPLE_MAX])
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(list, hf_control_json_text(at[i]));
	return list;
}

static int show_hold(const struct hf_hold_view *h, void *arg)
{
	struct guard *g = arg;
	struct text t;
	char dry_run[300];

	g->n++;
	guard_describe(g, h, &t);
	json_array_append_new(g->list,
	    json_pack(
		"{s:o, s:o, s:I, s:o, s:o, s:o, s:I, s:b, s:s, s:I, s:o, s:o, s:I, s:o, s:s, s:o}",
		"source", hf_control_json_text(h->source->name), "owner",
		hf_control_json_text(h->owner ? h->owner->name : NULL), "workspaces",
		(json_int_t)h->workspaces, "reason", hf_control_json_text(h->row->kind), "detail",
		hf_control_json_text(h->row->detail), "since",
		hf_control_json_time(h->row->since_s), "fresh_seconds",
		(json_int_t)(h->row->fresh_ms / 1000), "rejected", h->row->rejected, "text", t.at,
		"owner_workspaces", (json_int_t)total_of(g, h), "samples",
		samples_of(h->n_samples, h->samples), "waits", waits_of(h), "grace_left_seconds",
		(json_int_t)(h->grace_left_ms / 1000), "missing_rights",
		hf_control_json_text(h->missing_rights), "accept", h->accept, "reject",
		hf_control_json_text(h->reject)));
	snprintf(dry_run, sizeof(dry_run), "%s --dry-run", h->accept);
	json_array_append_new(
	    g->warnings, json_pack("{s:s, s:s, s:o, s:s}", "code", "held", "text", t.at, "since",
			     hf_control_json_time(h->row->since_s), "command", dry_run));
	return 0;
}

size_t hf_control_guard(const struct hf_control_env *env, const struct hf_tally *tallies,
    json_t *guard, json_t *warnings)
{
	struct guard g = { env, tallies, guard, warnings, 0 };

	hf_state_each_hold_view(
	    hf_engine_state(env->engine), hf_engine_now(env->engine), show_hold, &g);
	return g.n;
}

/* --- rights --- */

static void guard_warn(json_t *warnings, const char *code, const struct text *t)
{
	json_array_append_new(
	    warnings, json_pack("{s:s, s:s, s:n}", "code", code, "text", t->at, "since"));
}

struct unreadable {
	uint32_t source; /* rid */
	size_t n;
	struct text names;
};

static int find_unreadable(
    const struct hf_source_view *source, const struct hf_owner_view *owner, void *arg)
{
	struct unreadable *u = arg;

	if (source->row->rid != u->source || owner->readable != READABLE_NO)
		return 0;
	if (u->n++ < LISTED)
		guard_text_add(&u->names, "%s%s", u->n > 1 ? ", " : "", owner->row->name);
	return 0;
}

struct disputes {
	const struct hf_source_row *source;
	size_t n;
	struct text first;
};

static int find_dispute(const struct hf_dispute_view *dispute, void *arg)
{
	struct disputes *d = arg;

	if (dispute->source != d->source)
		return 0;
	if (d->n++ < LISTED)
		guard_text_add(&d->first, "%s'%s' of %s and of %s", d->n > 1 ? ", " : "",
		    dispute->workspace->name, dispute->owner->name, dispute->claimant->name);
	return 0;
}

static void add_more(struct text *t, size_t n)
{
	if (n > LISTED)
		guard_text_add(t, " and %zu more", n - LISTED);
}

static int show_rights(const struct hf_source_view *v, void *arg)
{
	struct guard *g = arg;
	const struct hf_state *state = hf_engine_state(g->env->engine);
	struct unreadable u = { .source = v->row->rid };
	struct disputes d = { .source = v->row };
	struct text t = { .len = 0 };

	if (*v->missing_rights) {
		guard_text_add(&t,
		    "source '%s': the token of %s reads less than before, it lacks %s: what Coder no longer lists is kept; give the role back or use another token, or decide by holdfastctl accept %s",
		    v->row->name, *v->row->user_name ? v->row->user_name : "its user",
		    v->missing_rights, v->row->name);
		guard_warn(g->warnings, "rights-less", &t);
	}
	hf_state_each_owner(state, hf_engine_now(g->env->engine), find_unreadable, &u);
	if (u.n) {
		t.len = 0;
		add_more(&u.names, u.n);
		guard_text_add(&t,
		    "source '%s': Coder says that the workspaces of %s may not be read with this token: their names stay as they are; give the token's user a role that may (such as Template Admin), or take them out of owners",
		    v->row->name, u.names.at);
		guard_warn(g->warnings, "rights-owner", &t);
	}
	hf_state_each_dispute(state, find_dispute, &d);
	if (d.n) {
		t.len = 0;
		add_more(&d.first, d.n);
		guard_text_add(&t,
		    "source '%s': Coder lists %zu workspace%s for two owners: %s; the first keeps the names",
		    v->row->name, d.n, guard_plural(d.n), d.first.at);
		guard_warn(g->warnings, "disputed", &t);
	}
	return 0;
}

void hf_control_token_rights(const struct hf_control_env *env, json_t *warnings)
{
	struct guard g = { .env = env, .warnings = warnings };

	hf_state_each_source(
	    hf_engine_state(env->engine), hf_engine_now(env->engine), show_rights, &g);
}
