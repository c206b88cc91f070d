#include "bridge/state/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"
#include "bridge/state/apply.h"
#include "bridge/state/guard.h"
#include "bridge/state/load.h"
#include "bridge/state/model.h"
#include "bridge/state/names.h"
#include "bridge/state/owners.h"

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
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		st_words_done(&s->sources[i]);
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

/* --- configuration --- */

static const struct hf_state_source_conf *conf_of(
    const struct hf_state_conf *conf, const char *name, uint32_t *ret_order)
{
	for (uint32_t i = 0; i < conf->n_sources; i++) {
		if (strcmp(conf->sources[i].name, name))
			continue;
		*ret_order = i;
		return &conf->sources[i];
	}
	return NULL;
}

static bool names_depend(
    const struct st_source *src, const struct hf_state_source_conf *c, uint32_t order)
{
	return src->order != order || src->row.sentinel != c->sentinel ||
	       (c->suffix && !hf_name_equal(c->suffix, &src->row.suffix));
}

static void configure_source(
    struct hf_state *s, struct st_source *src, const struct hf_state_source_conf *c, uint32_t order)
{
	bool anew = names_depend(src, c, order);
	uint32_t ix = st_source_ix(s, src);

	if (anew)
		st_source_unclaim(s, ix);
	src->order = order;
	src->fresh_ms = c->fresh_ms;
	src->snapshot_ms = c->snapshot_ms;
	src->configured = true;
	src->leaving = false;
	if (src->row.sentinel != c->sentinel || strcmp(src->row.url, c->url)) {
		src->row.sentinel = c->sentinel;
		memset(src->row.url, 0, sizeof(src->row.url));
		memcpy(src->row.url, c->url, strnlen(c->url, sizeof(src->row.url) - 1));
		src->dirty = true;
	}
	if (c->suffix && !hf_name_equal(c->suffix, &src->row.suffix)) {
		src->row.suffix = *c->suffix;
		src->dirty = true;
	}
	if (anew)
		st_source_claim(s, ix);
}

/* A policy that would not have withdrawn these names takes back what the former one did. */
static void reconsider_withdrawn(struct hf_state *s)
{
	for (uint32_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		struct st_source *src = &s->sources[i];
		bool young = !src->live && src->row.away_ms < s->conf.max_age_ms;

		if (!src->used || !src->row.withdrawn || (s->conf.max_age_ms && !young))
			continue;
		st_source_touch(s, i);
		src->row.withdrawn = false;
		src->dirty = true;
	}
}

/* A configured source that may yet bring these names: of that suffix, and never confirmed. */
static bool awaits(const struct hf_state *s, const struct st_source *src, const struct st_source *of)
{
	if (!src->used || !src->configured ||
	    (src->row.suffix.len && !hf_name_equal(&src->row.suffix, &of->row.suffix)))
		return false;
	for (size_t i = 0; i < s->n_owners; i++)
		if (s->owners[i].used && s->owners[i].row.source == src->row.rid &&
		    s->owners[i].row.confirmed_s)
			return false;
	return true;
}

/* Sources that the operator took out go when the new ones are confirmed (guard rule 7). */
static void drop_leaving(struct hf_state *s)
{
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		struct st_source *src = &s->sources[i];
		bool wait = false;

		if (!src->used || !src->leaving)
			continue;
		for (size_t k = 0; k < HF_ZONE_SOURCES_MAX; k++)
			wait = wait || awaits(s, &s->sources[k], src);
		if (wait && (src->n_workspaces || src->n_restored))
			continue;
		s->why = HF_WHY_CONFIG;
		st_source_remove(s, src);
	}
}

/* Nobody follows it any more, and it is behind all others. */
static void leave(struct hf_state *s, struct st_source *src)
{
	uint32_t ix = st_source_ix(s, src);

	if (src->leaving)
		return;
	st_source_unclaim(s, ix);
	src->leaving = true;
	src->configured = src->live = false;
	src->order = HF_ZONE_SOURCES_MAX + ix;
	st_source_claim(s, ix);
}

int hf_state_configure(struct hf_state *s, const struct hf_state_conf *conf, struct hf_when now)
{
	uint32_t order = 0;

	if (s->lent)
		return -EBUSY;
	s->conf = *conf;
	s->conf.sources = NULL;
	s->why = HF_WHY_CONFIG;
	/* New names first, so that one that moves from source to source never goes in between. */
	for (uint32_t i = 0; i < conf->n_sources; i++) {
		struct st_source *src = st_source_find(s, conf->sources[i].name);

		if (!src)
			src = st_source_add(s, conf->sources[i].name);
		if (!src)
			return HF_ELIMIT;
		if (st_words_set(src, conf->sources[i].owners, conf->sources[i].n_owners) < 0) {
			s->failed = true;
			return -ENOMEM;
		}
		if (!src->configured)
			src->away_from_ms = now.boot_ms;
		configure_source(s, src, &conf->sources[i], i);
	}
	for (uint32_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		if (s->sources[i].used && !conf_of(conf, s->sources[i].row.name, &order))
			leave(s, &s->sources[i]);
	drop_leaving(s);
	reconsider_withdrawn(s);
	st_resolve(s);
	return outcome(s);
}

/* --- identity --- */

static bool same_deployment(
    struct hf_state *s, struct st_source *src, const char *id, struct hf_when now)
{
	uint32_t ix = st_source_ix(s, src), hold;

	/* No id, no check. */
	if (!id || !*id || strlen(id) >= sizeof(src->row.deployment_id))
		return true;
	hold = st_hold_find(s, ix, ST_NONE, ST_HOLD_DEPLOYMENT);
	if (!src->row.deployment_id[0]) {
		strncpy(src->row.deployment_id, id, sizeof(src->row.deployment_id) - 1);
		src->dirty = true;
	}
	if (!strcmp(src->row.deployment_id, id)) {
		if (hold != ST_NONE)
			st_hold_close(s, hold);
		return true;
	}
	if (hold == ST_NONE || strcmp(s->holds[hold].row.detail, id))
		st_hold_open(s, ix, ST_NONE, ST_HOLD_DEPLOYMENT, id, now);
	return false;
}

static void set_suffix(struct hf_state *s, struct st_source *src, const struct hf_name *suffix)
{
	st_source_unclaim(s, st_source_ix(s, src));
	src->row.suffix = *suffix;
	src->dirty = true;
	st_source_claim(s, st_source_ix(s, src));
}

static void check_suffix(
    struct hf_state *s, struct st_source *src, const char *text, struct hf_when now)
{
	uint32_t ix = st_source_ix(s, src), hold = st_hold_find(s, ix, ST_NONE, ST_HOLD_SUFFIX);
	struct hf_name suffix;

	if (!text || hf_suffix_check(text, HF_SUFFIX_ASKED, &suffix, NULL) < 0)
		return;
	if (!src->row.suffix.len)
		set_suffix(s, src, &suffix);
	if (hf_name_equal(&src->row.suffix, &suffix)) {
		if (hold != ST_NONE)
			st_hold_close(s, hold);
		return;
	}
	if (hold == ST_NONE || strcmp(s->holds[hold].row.detail, text))
		st_hold_open(s, ix, ST_NONE, ST_HOLD_SUFFIX, text, now);
}

static void set_user(struct hf_state *s, struct st_source *src, const struct hf_identity *id)
{
	char name[HF_LABEL_MAX + 1];

	st_owner_label(id->user_name ? id->user_name : "", name);
	if (hf_uuid_is_zero(&id->user))
		return;
	if (!hf_uuid_equal(&src->row.user, &id->user)) {
		st_source_unclaim(s, st_source_ix(s, src));
		src->row.user = id->user;
		src->dirty = true;
		st_source_claim(s, st_source_ix(s, src));
	}
	if (strcmp(src->row.user_name, name)) {
		memset(src->row.user_name, 0, sizeof(src->row.user_name));
		memcpy(src->row.user_name, name, strlen(name));
		src->dirty = true;
	}
}

int hf_state_identify(struct hf_state *s, const char *source, const struct hf_identity *id,
    struct hf_when now, struct hf_judgement *ret_judgement)
{
	struct st_source *src = st_source_find(s, source);

	memset(ret_judgement, 0, sizeof(*ret_judgement));
	if (s->lent)
		return -EBUSY;
	if (!src)
		return -ENOENT;
	s->why = HF_WHY_IDENTITY;
	if (!same_deployment(s, src, id->deployment_id, now)) {
		ret_judgement->verdict = HF_VERDICT_HELD;
		ret_judgement->reason = "another deployment answers at this URL";
		return outcome(s);
	}
	src->asking++;
	check_suffix(s, src, id->suffix, now);
	set_user(s, src, id);
	st_resolve(s);
	return outcome(s);
}

/* --- messages --- */

static void confirm(
    struct hf_state *s, struct st_source *src, struct st_owner *o, struct hf_when now)
{
	bool first = !o->row.confirmed_s;

	o->confirmed_boot_ms = now.boot_ms;
	if (o->row.confirmed_s != now.wall_s) {
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
	if (st_hold_find(s, st_source_ix(s, src), ST_NONE, ST_HOLD_DEPLOYMENT) != ST_NONE) {
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
	if (update->kind == HF_UPDATE_SNAPSHOT)
		st_apply_snapshot(s, ix, update, now, j);
	else
		st_apply_diff(s, ix, update, now, j);
	if (j->verdict == HF_VERDICT_ACCEPTED && !s->failed) {
		s->owners[ix].accepted = true;
		if (update->kind == HF_UPDATE_SNAPSHOT)
			s->owners[ix].snapshot_boot_ms = now.boot_ms;
		confirm(s, src, &s->owners[ix], now);
		st_guard_restored(s, st_source_ix(s, src), now);
		drop_leaving(s);
	}
	st_resolve(s);
	return outcome(s);
}

void hf_state_contact(struct hf_state *s, const char *source, struct hf_when now)
{
	struct st_source *src = st_source_find(s, source);
	int64_t age;

	if (s->lent || !src)
		return;
	st_hold_count(s, st_source_ix(s, src), now);
	/* An age that ends is not to come back after a crash: it is written at once. */
	age = (int64_t)src->row.away_ms + now.boot_ms - src->away_from_ms;
	if (s->conf.max_age_ms && age >= ST_SOFT_EVERY_MS)
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

bool hf_state_wants_snapshot(
    const struct hf_state *s, const char *source, const struct hf_uuid *owner)
{
	struct st_source *src = st_source_find((struct hf_state *)s, source);
	uint32_t ix = src ? st_owner_find(s, st_source_ix(s, src), owner) : ST_NONE;
	const struct st_hold *h;
	uint32_t restored;

	if (ix == ST_NONE)
		return false;
	if (s->owners[ix].hold != ST_NONE) {
		h = &s->holds[s->owners[ix].hold];
		return !h->row.rejected && h->row.fresh_ms >= s->conf.grace_ms;
	}
	restored = st_hold_find(s, st_source_ix(s, src), ST_NONE, ST_HOLD_RESTORED);
	if (restored == ST_NONE)
		return false;
	h = &s->holds[restored];
	return !h->row.rejected && h->due_boot_ms &&
	       s->owners[ix].snapshot_boot_ms < h->due_boot_ms;
}

bool hf_state_wants_connection(const struct hf_state *s, const char *source)
{
	(void)s;
	(void)source;
	return false;
}

/* --- the operator --- */

static void accept_removal(struct hf_state *s, uint32_t owner, uint32_t hold)
{
	uint32_t next;

	for (uint32_t w = s->owners[owner].first_ws; w != ST_NONE; w = next) {
		next = s->ws[w].next;
		if (s->ws[w].row.held)
			st_ws_remove(s, w);
	}
	if (s->holds[hold].used)
		st_hold_close(s, hold);
}

static void accept(struct hf_state *s, uint32_t i, struct hf_when now)
{
	struct st_hold *h = &s->holds[i];
	struct st_source *src = &s->sources[h->row.source];
	struct hf_name suffix;

	s->why = HF_WHY_ACCEPTED;
	if (!strcmp(h->row.kind, ST_HOLD_REMOVAL)) {
		accept_removal(s, h->row.owner, i);
		return;
	}
	if (!strcmp(h->row.kind, ST_HOLD_RESTORED)) {
		for (uint32_t r = 0; r < s->n_restored; r++)
			if (s->restored[r].used && s->restored[r].row.source == h->row.source)
				st_restored_remove(s, r);
	} else if (!strcmp(h->row.kind, ST_HOLD_DEPLOYMENT)) {
		memcpy(src->row.deployment_id, h->row.detail, sizeof(src->row.deployment_id));
		src->dirty = true;
	} else if (!hf_suffix_check(h->row.detail, HF_SUFFIX_ASKED, &suffix, NULL)) {
		set_suffix(s, src, &suffix);
	}
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
		if (decision == HF_DECISION_ACCEPT) {
			accept(s, i, now);
		} else {
			h->row.rejected = h->dirty = true;
		}
	}
	st_resolve(s);
	return s->failed ? -ENOMEM : n;
}

int hf_state_restore_suffix(struct hf_state *s, uint32_t source, const struct hf_name *suffix)
{
	struct st_source *src = source < HF_ZONE_SOURCES_MAX ? &s->sources[source] : NULL;

	if (s->lent)
		return -EBUSY;
	if (!src || !src->used || src->row.suffix.len || !suffix->len)
		return 0;
	s->why = HF_WHY_RESTORED;
	set_suffix(s, src, suffix);
	st_resolve(s);
	return outcome(s);
}

int hf_state_restore(
    struct hf_state *s, const struct hf_restored_row *rows, size_t n, struct hf_when now)
{
	if (s->lent)
		return -EBUSY;
	s->why = HF_WHY_RESTORED;
	for (size_t i = 0; i < n; i++) {
		if (rows[i].source >= HF_ZONE_SOURCES_MAX || !s->sources[rows[i].source].used ||
		    !hf_name_is_under(&rows[i].name, &s->sources[rows[i].source].row.suffix))
			continue;
		if (st_grow((void **)&s->restored, s->n_restored, &s->size_restored,
			sizeof(*s->restored)) < 0)
			return -ENOMEM;
		s->restored[s->n_restored] =
		    (struct st_restored){ .row = rows[i], .used = true, .dirty = true };
		/* What is restored is known by that alone. */
		s->restored[s->n_restored].row.flags = 0;
		s->sources[rows[i].source].n_restored++;
		s->sources[rows[i].source].restored_at_first++;
		st_restored_claim(s, (uint32_t)s->n_restored++);
	}
	st_resolve(s);
	return outcome(s);
}

int hf_state_restore_source(struct hf_state *s, uint32_t source, const struct hf_name *suffix,
    const char *deployment_id, const struct hf_uuid *user, struct hf_when now)
{
	struct st_source *src = source < HF_ZONE_SOURCES_MAX ? &s->sources[source] : NULL;

	if (s->lent)
		return -EBUSY;
	if (!src || !src->used)
		return 0;
	s->why = HF_WHY_RESTORED;
	if (deployment_id && !src->row.deployment_id[0] &&
	    strlen(deployment_id) < sizeof(src->row.deployment_id)) {
		strcpy(src->row.deployment_id, deployment_id);
		src->dirty = true;
	}
	if (user && !hf_uuid_is_zero(user) && hf_uuid_is_zero(&src->row.user)) {
		src->row.user = *user;
		src->dirty = true;
	}
	return suffix ? hf_state_restore_suffix(s, source, suffix) : outcome(s);
}

int hf_state_restore_newer(
    struct hf_state *s, const struct hf_restored_row *rows, size_t n, struct hf_when now)
{
	return hf_state_restore(s, rows, n, now);
}

/* --- two streams that list one workspace --- */

bool hf_state_disputed(
    const struct hf_state *s, const char *source, struct hf_uuid *ret_workspace)
{
	return false;
}

int hf_state_workspace_owner(struct hf_state *s, const char *source,
    const struct hf_uuid *workspace, const struct hf_uuid *owner, struct hf_when now)
{
	return s->lent ? -EBUSY : 0;
}

int hf_state_each_dispute(const struct hf_state *s, hf_state_dispute_cb cb, void *arg)
{
	return 0;
}
