#include "bridge/summary.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "bridge/core.h"

/* The oldest picture that is still served counts. */
static int on_source(const struct hf_source_view *view, void *arg)
{
	struct hf_summary *s = arg;
	int64_t since =
	    view->row->contact_s ? view->row->contact_s + (int64_t)view->fresh_ms / 1000 : 0;

	if (view->fresh)
		return 0;
	s->fresh = false;
	if (since && (!s->stale_since_s || since < s->stale_since_s))
		s->stale_since_s = since;
	return 0;
}

static int on_hold(const struct hf_hold_row *hold, const struct hf_source_row *source,
    const struct hf_owner_row *owner, uint32_t workspaces, void *arg)
{
	struct hf_summary *s = arg;

	(void)hold;
	(void)source;
	(void)owner;
	(void)workspaces;
	s->held++;
	return 0;
}

void hf_summary_fill(struct hf_core *core, struct hf_summary *ret_summary)
{
	const struct hf_state *state = hf_core_state(core);
	struct hf_store *store = hf_core_store(core);
	struct hf_core_trouble trouble;
	struct hf_summary s = { .names = hf_state_n_names(state), .fresh = true };

	hf_state_each_source(state, hf_core_now(core), on_source, &s);
	hf_state_each_hold(state, on_hold, &s);
	s.ready = hf_store_ready(store) && hf_core_published(core);
	s.zone_ok = !hf_core_trouble(core, &trouble);
	s.store_ok = hf_store_get_state(store, NULL, NULL) == HF_STORE_OK;
	*ret_summary = s;
}

char *hf_summary_text(const struct hf_summary *s, char out[static HF_SUMMARY_MAX])
{
	char wall[HF_WALL_TEXT_MAX];
	size_t len;

	if (!s->ready) {
		snprintf(out, HF_SUMMARY_MAX, "waiting for the first snapshot");
		return out;
	}
	snprintf(out, HF_SUMMARY_MAX, "serving %zu name%s, %s%s", s->names, s->names == 1 ? "" : "s",
	    s->fresh ? "live" : s->stale_since_s ? "stale since " : "stale",
	    !s->fresh && hf_wall_text(s->stale_since_s, wall) ? wall : "");
	len = strlen(out);
	if (s->held)
		snprintf(out + len, HF_SUMMARY_MAX - len, ", %u removal%s", s->held,
		    s->held == 1 ? " waits" : "s wait");
	len = strlen(out);
	if (!s->store_ok)
		snprintf(out + len, HF_SUMMARY_MAX - len, ", the store is not well");
	len = strlen(out);
	if (!s->zone_ok)
		snprintf(out + len, HF_SUMMARY_MAX - len, ", the published zone differs");
	return out;
}
