/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine takes back from the zone that was found at the start, if that zone knows what the
 * store does not.
 */
#include "bridge/engine/engine_private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/engine/restore.h"
#include "config/config.h"

struct source_restore {
	struct hf_state *state;
	struct hf_when now;
};

/* Who a source was pinned to stays: another deployment behind the URL is to be found. */
static void restore_source(uint32_t source, const struct hf_zone_source *found, void *arg)
{
	struct source_restore *r = arg;
	struct hf_uuid user;

	memcpy(user.b, found->user, sizeof(user.b));
	hf_state_restore_source(r->state, source, &found->suffix, found->deployment, &user, r->now);
}

/*
 * A source that the newer zone does not have had no suffix any more: it was taken out since, and
 * may be another one by now.
 */
static int forget_suffixes(struct hf_state *state, const struct hf_restored *found)
{
	int rc = 0;

	for (uint32_t i = 0; !rc && found->whole && i < HF_ZONE_SOURCES_MAX; i++)
		if (!found->known[i])
			rc = hf_state_restore_no_suffix(state, i);
	return rc;
}

static void log_restored(const struct hf_engine *c, size_t n)
{
	if (c->newer_than)
		hf_log_warn(
		    "store: the published zone (generation %llu) is newer than what the store has (%llu): its %zu names are answered, as stale, until the server confirms them",
		    (unsigned long long)c->newer.generation, (unsigned long long)c->newer_than, n);
	else
		hf_log_warn(
		    "store: %zu names were taken back from the published zone; they are served as stale until the server confirms them",
		    n);
}

/*
 * Names of the zone become restored rows; where the store has some of its own, those of the zone
 * win.
 */
int hf_engine_take_zone(struct hf_engine *c, struct hf_state *state)
{
	bool has_names = hf_state_n_names(state);
	struct source_restore r = { state, hf_engine_now(c) };
	struct hf_restored found;
	int rc, n;

	if (!c->newer.generation)
		return 0;
	rc = hf_restore_read(c->config->zone, c->clock, state, restore_source, &r, &found);
	n = found.n < INT_MAX ? (int)found.n : INT_MAX;
	if (!rc)
		rc = forget_suffixes(state, &found);
	/*
	 * Half a zone is better than nothing, and worse than a store; so is one of other sources
	 * alone.
	 */
	if (!rc && has_names && (!found.whole || (!n && c->newer.n_names)))
		n = 0;
	else if (!rc && has_names)
		rc = hf_state_restore_newer(state, found.rows, found.n, r.now);
	else if (!rc && n)
		rc = hf_state_restore(state, found.rows, found.n, r.now);
	if (!rc && n)
		log_restored(c, found.n);
	free(found.rows);
	return rc < 0 ? rc : n;
}

void hf_engine_zone_taken(struct hf_engine *c)
{
	if (!c->newer.generation || c->applying || hf_state_dirty(c->state))
		return;
	c->newer = (struct hf_zone_stamp){ 0 };
	/* Where that cannot be written, the next start sees by the names that it was done. */
	hf_store_zone_taken(c->store);
}
