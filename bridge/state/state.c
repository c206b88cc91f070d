/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"
#include "bridge/state/apply_update.h"
#include "bridge/state/claims.h"
#include "bridge/state/configure.h"
#include "bridge/state/edit.h"
#include "bridge/state/from_image.h"
#include "bridge/state/guard.h"
#include "bridge/state/holds.h"
#include "bridge/state/owner_words.h"
#include "bridge/state/rights_text.h"
#include "bridge/state/settle_claims.h"

enum { LENT_AGAIN_MS = 10 };

/* After memory ran out in the middle of a change the caller starts over from the store. */
static int state_outcome(const struct hf_state *s)
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
	hf_st_names_done(s);
	hf_multimap_done(&s->ws_by_id);
	hf_multimap_done(&s->agents_by_id);
	hf_st_vec_done(&s->free_ws);
	hf_st_vec_done(&s->free_agents);
	hf_st_vec_done(&s->dirty_ws);
	hf_st_vec_done(&s->dirty_agents);
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		hf_st_words_done(&s->sources[i]);
		hf_st_rights_done(&s->sources[i]);
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
	rc = image ? hf_st_load(s, image, now) : 0;
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
 * An accepted message. One with a refused record confirms nothing that was not confirmed before: it
 * ends nobody's wait.
 */
static void owner_confirm(struct st_owner *o, bool whole, struct hf_when now)
{
	bool first = !o->row.confirmed_s;

	if (o->row.confirmed_s != now.wall_s && (whole || !first)) {
		o->row.confirmed_s = now.wall_s;
		o->soft_dirty = true;
		/* That it ever was is worth a write of its own. */
		o->dirty = o->dirty || first;
	}
}

static void update_accepted(struct hf_state *s, struct st_source *src, struct st_owner *o,
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
	owner_confirm(o, whole, now);
	if (!whole)
		return;
	hf_st_guard_restored(s, hf_st_source_ix(s, src), now);
	hf_st_drop_leaving(s);
}

/* The first valid message brings back what a hold policy took out. */
static bool give_back(struct hf_state *s)
{
	struct st_job *job = &s->job;
	struct st_source *src = &s->sources[job->source];

	if (!src->row.withdrawn)
		return true;
	s->why = HF_WHY_POLICY;
	if (!hf_st_source_touch_some(s, job->source, &job->at))
		return false;
	src->row.withdrawn = false;
	src->dirty = true;
	return true;
}

/* What it did not read whole removes nothing: only the rest of a snapshot is judged. */
static void update_weigh(struct hf_state *s)
{
	struct st_job *job = &s->job;

	job->phase = ST_BACK;
	if (!job->readable || s->failed)
		return;
	hf_st_guard_weigh(
	    s, job->owner, job->had, job->judgement.records_refused, job->now, &job->judge);
	job->phase = ST_JUDGE;
}

static bool update_judge(struct hf_state *s)
{
	struct st_job *job = &s->job;

	if (!hf_st_guard_judge(s, job->owner, job->judgement.records_refused, &job->judge))
		return false;
	job->judgement.held = job->judge.held;
	return true;
}

/* One phase of the job, to the next one; false while the budget did not suffice. */
static bool go_on(struct hf_state *s)
{
	struct st_job *job = &s->job;
	bool done = true;

	switch (job->phase) {
	case ST_WORKSPACES:
		done = hf_st_snapshot_workspaces(s);
		break;
	case ST_AGENTS:
		done = hf_st_snapshot_agents(s);
		break;
	case ST_PRUNE:
		done = hf_st_snapshot_prune(s);
		break;
	case ST_NAME:
		done = hf_st_snapshot_name(s);
		break;
	case ST_WEIGH:
		update_weigh(s);
		return true;
	case ST_JUDGE:
		done = update_judge(s);
		break;
	case ST_BACK:
		done = hf_st_snapshot_back(s);
		break;
	case ST_RETURN:
		done = give_back(s);
		break;
	case ST_RESOLVE:
	case ST_SETTLE:
		done = hf_st_resolve_some(s);
		break;
	case ST_CONFIRM:
		update_accepted(s, &s->sources[job->source], &s->owners[job->owner], job->update,
		    !job->judgement.records_refused, job->now);
		break;
	case ST_DONE:
		break;
	}
	job->phase += done;
	return done;
}

/* Why it is not taken up at all; the state has not changed then. */
static bool update_is_refused(struct hf_state *s, const struct st_job *job, struct hf_judgement *j)
{
	if (hf_st_deployment_held(s, job->source)) {
		j->verdict = HF_VERDICT_HELD;
		j->reason = "another deployment answers at this URL";
		return true;
	}
	if (job->update->kind != HF_UPDATE_DIFF || s->owners[job->owner].accepted)
		return false;
	j->verdict = HF_VERDICT_REFUSED;
	j->reason = "a diff before any snapshot";
	j->want_snapshot = true;
	return true;
}

static void begin_job(struct hf_state *s, const char *source)
{
	struct st_job *job = &s->job;

	hf_state_contact(s, source, job->now);
	hf_st_hold_count_owner(s, job->owner, job->now);
	hf_st_rights_connected(s, &s->sources[job->source], job->update->connected_ms);
	if (job->update->kind == HF_UPDATE_SNAPSHOT) {
		hf_st_snapshot_begin(s);
		return;
	}
	hf_st_apply_diff(s, job->owner, job->update, job->now, &job->judgement);
	job->phase = job->judgement.verdict == HF_VERDICT_ACCEPTED ? ST_RETURN : ST_SETTLE;
}

int hf_state_update_begin(struct hf_state *s, const char *source, const struct hf_update *update,
    struct hf_when now, size_t items, struct hf_judgement *ret_judgement)
{
	struct st_source *src = hf_st_source_find(s, source);
	struct st_job job = { .update = update, .now = now, .owner = ST_NONE };

	memset(ret_judgement, 0, sizeof(*ret_judgement));
	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	if (src) {
		job.source = hf_st_source_ix(s, src);
		job.owner = hf_st_owner_find(s, job.source, &update->owner);
	}
	if (job.owner == ST_NONE)
		return -ENOENT;
	if (update_is_refused(s, &job, ret_judgement))
		return 0;
	s->job = job;
	begin_job(s, source);
	return hf_state_update_step(s, items, ret_judgement);
}

int hf_state_update_step(struct hf_state *s, size_t items, struct hf_judgement *ret_judgement)
{
	struct st_job *job = &s->job;

	assert(job->update);
	s->lent = false;
	s->budget = items ? items : 1;
	while (job->phase != ST_DONE && !s->failed)
		if (!go_on(s))
			break;
	if (job->phase != ST_DONE && !s->failed) {
		s->lent = true;
		return 1;
	}
	*ret_judgement = job->judgement;
	job->update = NULL;
	return state_outcome(s);
}

int hf_state_update(struct hf_state *s, const char *source, const struct hf_update *update,
    struct hf_when now, struct hf_judgement *ret_judgement)
{
	return hf_state_update_begin(s, source, update, now, SIZE_MAX, ret_judgement);
}

/*
 * By the stamp that the store has, a reboot would take as much longer as the clock was set forth
 * by: it gets another one.
 */
static void note_clock(struct st_source *src, struct hf_when now)
{
	int64_t by_wall = (now.wall_s - src->row.counted_s) * 1000;
	int64_t by_boot = now.boot_ms - src->row.counted_ms;

	if (src->row.counted_s && hf_uuid_equal(&src->row.counted_boot, &now.boot) &&
	    by_wall - by_boot > ST_SOFT_EVERY_MS)
		src->dirty = true;
}

void hf_state_contact(struct hf_state *s, const char *source, struct hf_when now)
{
	struct st_source *src = hf_st_source_find(s, source);
	int64_t age;

	if (hf_st_is_lent(s, __func__) || !src || hf_st_deployment_held(s, hf_st_source_ix(s, src)))
		return;
	note_clock(src, now);
	/* While it is fresh another sign of life changes nothing that was counted. */
	if (!hf_st_source_fresh(src, now))
		hf_st_hold_count(s, hf_st_source_ix(s, src), now);
	/*
	 * An age that ends is not to come back after a crash, whatever the policy is then: it is
	 * written at once.
	 */
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
	struct st_source *src = hf_st_source_find(s, source);

	if (hf_st_is_lent(s, __func__) || !src || !src->live)
		return;
	hf_st_hold_count(s, hf_st_source_ix(s, src), now);
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
	hf_st_source_touch(s, hf_st_source_ix(s, src));
	src->row.withdrawn = true;
	src->dirty = true;
}

int64_t hf_state_tick(struct hf_state *s, struct hf_when now)
{
	bool waiting = false;

	if (hf_st_is_lent(s, __func__))
		return LENT_AGAIN_MS;
	for (size_t i = 0; i < s->n_holds; i++)
		waiting = waiting || s->holds[i].used;
	for (uint32_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		if (!s->sources[i].used)
			continue;
		hf_st_hold_count(s, i, now);
		note_clock(&s->sources[i], now);
		count_away(s, &s->sources[i], now);
		waiting = waiting || (!s->sources[i].live && s->conf.max_age_ms);
	}
	hf_st_resolve(s);
	return waiting ? 1000 : ST_SOFT_EVERY_MS;
}

bool hf_state_wants_snapshot(
    const struct hf_state *s, const char *source, const struct hf_uuid *owner, struct hf_when now)
{
	uint32_t src, ix, restored;

	if (!hf_state_find(s, source, owner, &src, &ix) || ix == ST_NONE)
		return false;
	if (s->owners[ix].wanted)
		return true;
	if (s->owners[ix].hold != ST_NONE)
		return hf_st_hold_waits(s, &s->holds[s->owners[ix].hold], now) == HF_WAITS_SNAPSHOT;
	restored = hf_st_hold_find(s, src, ST_NONE, ST_HOLD_RESTORED);
	return restored != ST_NONE &&
	       hf_st_hold_waits(s, &s->holds[restored], now) == HF_WAITS_SNAPSHOT &&
	       hf_st_hold_wants_snapshot(s, &s->holds[restored], ix);
}

/* Another connection would have other rights, or see more of an owner. */
static bool source_rights_changed(const struct hf_state *s, uint32_t source)
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
	    hf_st_deployment_held(s, src))
		return false;
	for (uint32_t i = 0; i < s->n_holds; i++)
		if (s->holds[i].used && s->holds[i].row.source == src &&
		    hf_st_hold_wants_connection(s, &s->holds[i], now))
			return true;
	return source_rights_changed(s, src);
}

/* --- the operator --- */

static void accept_removal(struct hf_state *s, struct st_hold *h)
{
	uint32_t owner = h->row.owner, next;

	for (uint32_t w = s->owners[owner].first_ws; w != ST_NONE; w = next) {
		struct st_ws *ws = &s->ws[w];

		next = ws->next;
		if (!hf_st_hold_has(s, h, ws))
			continue;
		if (ws->row.marks & HF_WS_LISTED) {
			/* It is listed without them: no message has listed its agents since. */
			while (ws->first_agent != ST_NONE)
				hf_st_agent_remove(s, ws->first_agent);
			hf_st_ws_set_held(s, w, false, 0);
		} else {
			hf_st_ws_remove(s, w);
		}
	}
	hf_st_hold_settle(s, owner);
}

static void hold_accept(struct hf_state *s, uint32_t i)
{
	struct st_hold *h = &s->holds[i];
	struct st_source *src = &s->sources[h->row.source];
	struct hf_name suffix;

	s->why = HF_WHY_ACCEPTED;
	if (hf_st_hold_is(h, ST_HOLD_REMOVAL)) {
		accept_removal(s, h);
	} else if (hf_st_hold_is(h, ST_HOLD_RESTORED)) {
		hf_st_guard_drop_restored(s, h);
	} else if (hf_st_hold_is(h, ST_HOLD_USER)) {
		hf_st_former_end(s, h->row.owner);
	} else if (hf_st_hold_is(h, ST_HOLD_DEPLOYMENT)) {
		memcpy(src->row.deployment_id, h->row.detail, sizeof(src->row.deployment_id));
		src->dirty = true;
	} else if (hf_st_hold_is(h, ST_HOLD_SUFFIX) &&
		   !hf_suffix_check(h->row.detail, HF_SUFFIX_TYPED, &suffix, NULL)) {
		hf_st_suffix_set(s, src, &suffix);
	}
	if (s->holds[i].used)
		hf_st_hold_close(s, i);
}

int hf_state_decide(struct hf_state *s, const char *source, const struct hf_uuid *owner,
    const char *what, enum hf_decision decision, struct hf_when now)
{
	struct st_source *src = hf_st_source_find(s, source);
	uint32_t of = src && owner ? hf_st_owner_find(s, hf_st_source_ix(s, src), owner) : ST_NONE;
	int n = 0;

	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	if (!src || (owner && of == ST_NONE))
		return -ENOENT;
	for (uint32_t i = 0; i < s->n_holds; i++) {
		struct st_hold *h = &s->holds[i];

		if (!hf_st_hold_is_meant(h, hf_st_source_ix(s, src), of, owner, what))
			continue;
		n++;
		if (decision == HF_DECISION_ACCEPT)
			hold_accept(s, i);
		else
			hf_st_hold_reject(s, i);
	}
	hf_st_resolve(s);
	return s->failed ? -ENOMEM : n;
}
