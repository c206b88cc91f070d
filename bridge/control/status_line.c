/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/control/status_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "bridge/engine/engine.h"
#include "bridge/control/listeners.h"

struct filling {
	struct hf_status_line *s;
	struct hf_tally tallies[HF_ZONE_SOURCES_MAX];
};

static size_t tally_names(const struct hf_tally *t)
{
	return (size_t)(t->live + t->stale + t->held + t->withdrawn);
}

/*
 * The moment of the oldest picture that is still served counts. One that has no names makes none
 * stale.
 */
static int on_status_source(const struct hf_source_view *view, void *arg)
{
	const struct filling *f = arg;
	struct hf_status_line *s = f->s;
	int64_t since = view->stale_since_s;

	if (view->fresh || (s->names && !tally_names(&f->tallies[view->row->rid])))
		return 0;
	s->fresh = false;
	if (since && (!s->stale_since_s || since < s->stale_since_s))
		s->stale_since_s = since;
	return 0;
}

/* What the operator has rejected waits for nobody. */
static int on_hold(const struct hf_hold_row *hold, const struct hf_source_row *source,
    const struct hf_owner_row *owner, uint32_t workspaces, void *arg)
{
	struct hf_status_line *s = arg;

	(void)source;
	(void)owner;
	(void)workspaces;
	s->held += !hold->rejected;
	return 0;
}

static void add_tally(struct hf_tally *sum, const struct hf_tally *t)
{
	sum->live += t->live;
	sum->stale += t->stale;
	sum->held += t->held;
	sum->withdrawn += t->withdrawn;
}

void hf_status_line_fill(struct hf_engine *engine, const struct hf_listeners *listeners,
    struct hf_status_line *ret_summary)
{
	const struct hf_state *state = hf_engine_state(engine);
	struct hf_store *store = hf_engine_store(engine);
	struct hf_engine_trouble trouble;
	struct hf_status_line s = { .names = hf_state_n_names(state), .fresh = true };
	struct filling f = { .s = &s };

	hf_engine_look(engine);
	hf_state_tally(state, hf_engine_now(engine), f.tallies);
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		add_tally(&s.tally, &f.tallies[i]);
	hf_state_each_source(state, hf_engine_now(engine), on_status_source, &f);
	hf_state_each_hold(state, on_hold, &s);
	s.published = hf_store_ready(store) && hf_engine_published(engine);
	if (listeners)
		hf_listeners_answering(listeners, &s.answering);
	s.changing = hf_engine_updating(engine);
	s.ready = s.published && !s.answering.nobody;
	s.pulse_ok = !hf_engine_trouble(engine, &trouble);
	s.zone_ok = s.pulse_ok || !strcmp(trouble.code, "zone-pulse");
	s.store_ok = hf_store_get_state(store, NULL, NULL) == HF_STORE_OK;
	*ret_summary = s;
}

/* --- text --- */

struct status_text {
	char *out;
	size_t len;
};

static void status_text_add(struct status_text *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void status_text_add(struct status_text *l, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(l->out + l->len, HF_STATUS_LINE_MAX - l->len, format, ap);
	va_end(ap);
	l->len += strlen(l->out + l->len);
}

static void add_count(struct status_text *l, uint64_t n, const char *state, bool *first)
{
	if (!n)
		return;
	status_text_add(l, "%s%llu %s", *first ? ": " : ", ", (unsigned long long)n, state);
	*first = false;
}

static void add_states(struct status_text *l, const struct hf_status_line *s)
{
	char wall[HF_WALL_TEXT_MAX];
	bool first = true;

	if (s->names ? s->tally.live == s->names : s->fresh) {
		status_text_add(l, ", live");
		return;
	}
	if (s->tally.stale == s->names) {
		status_text_add(l, ", stale");
		if (hf_wall_text(s->stale_since_s, wall))
			status_text_add(l, " since %s", wall);
		return;
	}
	add_count(l, s->tally.live, "live", &first);
	add_count(l, s->tally.stale, "stale", &first);
	add_count(l, s->tally.held, "held", &first);
	add_count(l, s->tally.withdrawn, "withdrawn", &first);
}

char *hf_status_line_text(const struct hf_status_line *s, char out[static HF_STATUS_LINE_MAX])
{
	const char *who =
	    s->answering.text[0] ? s->answering.text : "no adapter feeds its resolver";
	bool nobody = s->answering.text[0] || s->answering.nobody;
	const char *plural = s->names == 1 ? "" : "s";
	struct status_text l = { out, 0 };

	out[0] = '\0';
	if (!s->published) {
		status_text_add(&l, "waiting for the first snapshot");
		return out;
	}
	if (nobody)
		status_text_add(&l, "NOT ANSWERING: %s; ", who);
	if (s->changing)
		status_text_add(&l, "serving, and a large message is being taken up");
	else
		status_text_add(
		    &l, nobody ? "%zu name%s published" : "serving %zu name%s", s->names, plural);
	if (!s->changing)
		add_states(&l, s);
	if (s->held && !s->changing)
		status_text_add(&l, ", %u removal%s", s->held, s->held == 1 ? " waits" : "s wait");
	if (!s->store_ok)
		status_text_add(&l, ", the store is not ok");
	if (!s->zone_ok)
		status_text_add(&l, ", the published zone differs");
	else if (!s->pulse_ok)
		status_text_add(&l, ", the pulse cannot be written");
	return out;
}
