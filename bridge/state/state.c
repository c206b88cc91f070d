#include "bridge/state/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"
#include "bridge/state/apply.h"
#include "bridge/state/configure.h"
#include "bridge/state/guard.h"
#include "bridge/state/identity.h"
#include "bridge/state/load.h"
#include "bridge/state/names.h"
#include "bridge/state/owners.h"
#include "bridge/state/rights.h"

enum { LENT_AGAIN_MS = 10 };

/* After memory ran out in the middle of a change the caller starts over from the store. */
static int outcome(const struct hf_state *s)
{
	return s->failed ? -ENOMEM : 0;
}

bool hf_state_spent(const struct hf_state *s)
{
	return s->failed;
}

/* --- life --- */

void hf_state_free(struct hf_state *s)
{
	if (!s)
		return;
	st_names_done(s);
	hf_multimap_done(&s->ws_by_id);
	hf_multimap_done(&s->agents_by_id);
	st_vec_done(&s->free_ws);
	st_vec_done(&s->free_agents);
	st_vec_done(&s->dirty_ws);
	st_vec_done(&s->dirty_agents);
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		st_words_done(&s->sources[i]);
		st_rights_done(&s->sources[i]);
	}
	for (size_t i = 0; i < s->n_texts; i++)
		free(s->texts[i].row);
	free(s->texts);
	free(s->disputes);
	hf_multimap_done(&s->disputes_by_ws);
	hf_multimap_done(&s->owners_by_id);
	for (size_t i = 0; i < s->n_owners; i++)
		free(s->owners[i].refused);
	free(s->owners);
	free(s->ws);
	free(s->agents);
	free(s->restored);
	free(s->holds);
	free(s->gone);
	free(s->restored_gone);
	free(s->rows);
	free(s->restored_rows);
	free(s);
}

int hf_state_new(const struct hf_state_conf *conf, const struct hf_image *image, struct hf_when now,
    struct hf_state **ret_state)
{
	struct hf_state *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	if (getrandom(&s->seed, sizeof(s->seed), 0) != sizeof(s->seed)) {
		rc = -errno;
		goto fail;
	}
	s->soft_written_ms = now.boot_ms;
	rc = image ? st_load(s, image, now) : 0;
	if (!rc)
		rc = hf_state_configure(s, conf, now);
	if (rc)
		goto fail;
	*ret_state = s;
	return 0;
fail:
	hf_state_free(s);
	return rc;
}

/* --- messages --- */

/*
 * An accepted message. One with a refused record confirms nothing that was not confirmed before: it ends nobody's wait.
 */
static void confirm(struct hf_state *s, struct st_source *src, struct st_owner *o, bool whole,
    struct hf_when now)
{
	bool first = !o->row.confirmed_s;

	if (o->row.confirmed_s != now.wall_s && (whole || !first)) {
		o->row.confirmed_s = now.wall_s;
		o->soft_dirty = true;
		/* That it ever was is worth a write of its own. */
		o->dirty = o->dirty || first;
	}
	/* The first valid message brings back what a hold policy took out. */
	if (src->row.withdrawn) {
		s->why = HF_WHY_POLICY;
		st_source_touch(s, st_source_ix(s, src));
		src->row.withdrawn = false;
		src->dirty = true;
	}
}

static void accepted(struct hf_state *s, struct st_source *src, struct st_owner *o,
    const struct hf_update *u, bool whole, struct hf_when now)
{
	if (u->kind == HF_UPDATE_SNAPSHOT) {
		o->accepted = true;
		o->wanted = false;
		o->snapshot_boot_ms = now.boot_ms;
	}
	if (u->kind == HF_UPDATE_SNAPSHOT && whole) {
		o->whole = true;
		o->whole_boot_ms = now.boot_ms;
		o->whole_connected_ms = u->connected_ms;
	}
	confirm(s, src, o, whole, now);
	if (!whole)
		return;
	st_guard_restored(s, st_source_ix(s, src), now);
	st_drop_leaving(s);
}

int hf_state_update(struct hf_state *s, const char *source, const struct hf_update *update,
    struct hf_when now, struct hf_judgement *ret_judgement)
{
	struct st_source *src = st_source_find(s, source);
	uint32_t ix = src ? st_owner_find(s, st_source_ix(s, src), &update->owner) : ST_NONE;
	struct hf_judgement *j = ret_judgement;

	memset(j, 0, sizeof(*j));
	if (s->lent)
		return -EBUSY;
	if (ix == ST_NONE)
		return -ENOENT;
	if (st_deployment_held(s, st_source_ix(s, src))) {
		j->verdict = HF_VERDICT_HELD;
		j->reason = "another deployment answers at this URL";
		return 0;
	}
	if (update->kind == HF_UPDATE_DIFF && !s->owners[ix].accepted) {
		j->verdict = HF_VERDICT_REFUSED;
		j->reason = "a diff before any snapshot";
		j->want_snapshot = true;
		return 0;
	}
	hf_state_contact(s, source, now);
	st_hold_count_owner(s, ix, now);
	st_rights_connected(s, src, update->connected_ms);
	if (update->kind == HF_UPDATE_SNAPSHOT)
		st_apply_snapshot(s, ix, update, now, j);
	else
		st_apply_diff(s, ix, update, now, j);
	if (j->verdict == HF_VERDICT_ACCEPTED && !s->failed) {
		accepted(s, src, &s->owners[ix], update, !j->records_refused, now);
	}
	st_resolve(s);
	return outcome(s);
}

void hf_state_contact(struct hf_state *s, const char *source, struct hf_when now)
{
	struct st_source *src = st_source_find(s, source);
	int64_t age;

	if (s->lent || !src || st_deployment_held(s, st_source_ix(s, src)))
		return;
	/* While it is fresh another sign of life changes nothing that was counted. */
	if (!st_source_fresh(src, now))
		st_hold_count(s, st_source_ix(s, src), now);
	/* An age that ends is not to come back after a crash, whatever the policy is then: it is written at once. */
	age = (int64_t)src->row.away_ms + now.boot_ms - src->away_from_ms;
	if (age >= ST_SOFT_EVERY_MS)
		src->dirty = true;
	src->live = true;
	src->contact_boot_ms = now.boot_ms ? now.boot_ms : 1;
	src->away_from_ms = now.boot_ms;
	if (src->row.away_ms || src->row.contact_s != now.wall_s) {
		src->row.away_ms = 0;
		src->row.contact_s = now.wall_s;
		src->soft_dirty = true;
	}
}

void hf_state_away(struct hf_state *s, const char *source, struct hf_when now)
{
	struct st_source *src = st_source_find(s, source);

	if (s->lent || !src || !src->live)
		return;
	st_hold_count(s, st_source_ix(s, src), now);
	/* Its age counts from the last proof of life on, also where a sleep lies between. */
	src->live = false;
	src->lost_s = now.wall_s;
}

/* --- time --- */

static void count_away(struct hf_state *s, struct st_source *src, struct hf_when now)
{
	if (src->live || now.boot_ms <= src->away_from_ms)
		return;
	src->row.away_ms += (uint64_t)(now.boot_ms - src->away_from_ms);
	src->away_from_ms = now.boot_ms;
	/* Only where an age decides something is it worth a write a minute. */
	src->soft_dirty = src->soft_dirty || s->conf.max_age_ms;
	if (!s->conf.max_age_ms || src->row.away_ms < s->conf.max_age_ms || src->row.withdrawn)
		return;
	s->why = HF_WHY_POLICY;
	st_source_touch(s, st_source_ix(s, src));
	src->row.withdrawn = true;
	src->dirty = true;
}

int64_t hf_state_tick(struct hf_state *s, struct hf_when now)
{
	bool waiting = false;

	if (s->lent)
		return LENT_AGAIN_MS;
	for (size_t i = 0; i < s->n_holds; i++)
		waiting = waiting || s->holds[i].used;
	for (uint32_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		if (!s->sources[i].used)
			continue;
		st_hold_count(s, i, now);
		count_away(s, &s->sources[i], now);
		waiting = waiting || (!s->sources[i].live && s->conf.max_age_ms);
	}
	st_resolve(s);
	return waiting ? 1000 : ST_SOFT_EVERY_MS;
}

bool hf_state_wants_snapshot(const struct hf_state *s, const char *source,
    const struct hf_uuid *owner, struct hf_when now)
{
	uint32_t src, ix, restored;

	if (!hf_state_find(s, source, owner, &src, &ix) || ix == ST_NONE)
		return false;
	if (s->owners[ix].wanted)
		return true;
	if (s->owners[ix].hold != ST_NONE)
		return st_hold_waits(s, &s->holds[s->owners[ix].hold], now) == HF_WAITS_SNAPSHOT;
	restored = st_hold_find(s, src, ST_NONE, ST_HOLD_RESTORED);
	return restored != ST_NONE &&
	       st_hold_waits(s, &s->holds[restored], now) == HF_WAITS_SNAPSHOT &&
	       st_hold_wants_snapshot(s, &s->holds[restored], ix);
}

/* Another connection would have other rights, or see more of an owner. */
static bool rights_changed(const struct hf_state *s, uint32_t source)
{
	const struct st_source *src = &s->sources[source];
	const char *then = src->connected.text, *now = src->told.text;

	if (!src->connected.known)
		return false;
	if (src->told.at_ms > src->connected.at_ms && then && now && strcmp(then, now))
		return true;
	for (uint32_t i = 0; i < s->n_owners; i++) {
		const struct st_owner *o = &s->owners[i];

		if (o->used && o->followed && o->row.source == source &&
		    o->readable_ms > src->connected.at_ms && o->readable != READABLE_UNKNOWN &&
		    o->readable_then != READABLE_UNKNOWN && o->readable != o->readable_then)
			return true;
	}
	return false;
}

bool hf_state_wants_connection(const struct hf_state *s, const char *source, struct hf_when now)
{
	uint32_t src, owner;

	if (!hf_state_find(s, source, NULL, &src, &owner) || !s->sources[src].live ||
	    st_deployment_held(s, src))
		return false;
	for (uint32_t i = 0; i < s->n_holds; i++)
		if (s->holds[i].used && s->holds[i].row.source == src &&
		    st_hold_wants_connection(s, &s->holds[i], now))
			return true;
	return rights_changed(s, src);
}

/* --- the operator --- */

static void accept_removal(struct hf_state *s, struct st_hold *h)
{
	uint32_t owner = h->row.owner, next;

	for (uint32_t w = s->owners[owner].first_ws; w != ST_NONE; w = next) {
		struct st_ws *ws = &s->ws[w];

		next = ws->next;
		if (!st_hold_has(s, h, ws))
			continue;
		if (ws->row.marks & HF_WS_LISTED) {
			/* It is listed without them: no message has listed its agents since. */
			while (ws->first_agent != ST_NONE)
				st_agent_remove(s, ws->first_agent);
			st_ws_set_held(s, w, false, 0);
		} else {
			st_ws_remove(s, w);
		}
	}
	st_hold_settle(s, owner);
}

static void accept(struct hf_state *s, uint32_t i)
{
	struct st_hold *h = &s->holds[i];
	struct st_source *src = &s->sources[h->row.source];
	struct hf_name suffix;

	s->why = HF_WHY_ACCEPTED;
	if (st_hold_is(h, ST_HOLD_REMOVAL)) {
		accept_removal(s, h);
	} else if (st_hold_is(h, ST_HOLD_RESTORED)) {
		st_guard_drop_restored(s, h);
	} else if (st_hold_is(h, ST_HOLD_USER)) {
		st_former_end(s, h->row.owner);
	} else if (st_hold_is(h, ST_HOLD_DEPLOYMENT)) {
		memcpy(src->row.deployment_id, h->row.detail, sizeof(src->row.deployment_id));
		src->dirty = true;
	} else if (st_hold_is(h, ST_HOLD_SUFFIX) &&
		   !hf_suffix_check(h->row.detail, HF_SUFFIX_TYPED, &suffix, NULL)) {
		st_suffix_set(s, src, &suffix);
	}
	if (s->holds[i].used)
		st_hold_close(s, i);
}

int hf_state_decide(struct hf_state *s, const char *source, const struct hf_uuid *owner,
    const char *what, enum hf_decision decision, struct hf_when now)
{
	struct st_source *src = st_source_find(s, source);
	uint32_t of = src && owner ? st_owner_find(s, st_source_ix(s, src), owner) : ST_NONE;
	int n = 0;

	if (s->lent)
		return -EBUSY;
	if (!src || (owner && of == ST_NONE))
		return -ENOENT;
	for (uint32_t i = 0; i < s->n_holds; i++) {
		struct st_hold *h = &s->holds[i];

		if (!st_hold_is_meant(h, st_source_ix(s, src), of, owner, what))
			continue;
		n++;
		if (decision == HF_DECISION_ACCEPT)
			accept(s, i);
		else
			st_hold_reject(s, i);
	}
	st_resolve(s);
	return s->failed ? -ENOMEM : n;
}

