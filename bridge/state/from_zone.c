/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes back out of the published zone after the store was lost, or was found older than the
 * zone.
 */
#include <errno.h>
#include <string.h>

#include "bridge/state/claims.h"
#include "bridge/state/edit.h"
#include "bridge/state/holds.h"
#include "bridge/state/removal.h"
#include "bridge/state/settle_claims.h"
#include "bridge/state/source_identity.h"

/* --- of a source --- */

/* A change that waited is what the zone has: it was decided. */
static void end_hold(struct hf_state *s, uint32_t source, const char *kind, const char *detail)
{
	uint32_t hold = hf_st_hold_find(s, source, ST_NONE, kind);

	if (hold != ST_NONE && !strcmp(s->holds[hold].row.detail, detail))
		hf_st_hold_close(s, hold);
}

int hf_state_restore_suffix(struct hf_state *s, uint32_t source, const struct hf_name *suffix)
{
	struct st_source *src = source < HF_ZONE_SOURCES_MAX ? &s->sources[source] : NULL;
	char text[HF_NAME_TEXT_MAX];

	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	if (!src || !src->used || src->suffix_typed || !suffix || !suffix->len ||
	    hf_name_equal(suffix, &src->row.suffix))
		return 0;
	s->why = HF_WHY_RESTORED;
	hf_st_suffix_set(s, src, suffix);
	end_hold(s, source, ST_HOLD_SUFFIX, hf_name_text(suffix, text));
	hf_st_resolve(s);
	return s->failed ? -ENOMEM : 0;
}

int hf_state_restore_no_suffix(struct hf_state *s, uint32_t source)
{
	static const struct hf_name none;
	struct st_source *src = source < HF_ZONE_SOURCES_MAX ? &s->sources[source] : NULL;

	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	if (!src || !src->used || src->suffix_typed || !src->row.suffix.len)
		return 0;
	s->why = HF_WHY_RESTORED;
	hf_st_suffix_set(s, src, &none);
	hf_st_resolve(s);
	return s->failed ? -ENOMEM : 0;
}

int hf_state_restore_source(struct hf_state *s, uint32_t source, const struct hf_name *suffix,
    const char *deployment_id, const struct hf_uuid *user, struct hf_when now)
{
	struct st_source *src = source < HF_ZONE_SOURCES_MAX ? &s->sources[source] : NULL;
	int rc;

	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	if (!src || !src->used)
		return 0;
	if (deployment_id && *deployment_id &&
	    strlen(deployment_id) < sizeof(src->row.deployment_id)) {
		memset(src->row.deployment_id, 0, sizeof(src->row.deployment_id));
		memcpy(src->row.deployment_id, deployment_id, strlen(deployment_id));
		end_hold(s, source, ST_HOLD_DEPLOYMENT, deployment_id);
		src->dirty = true;
	}
	if (user && !hf_uuid_is_zero(user) && !hf_uuid_equal(user, &src->row.user)) {
		hf_st_other_user(s, src, user, "", now);
		hf_st_resolve(s);
	}
	rc = hf_state_restore_suffix(s, source, suffix);
	return !rc && s->failed ? -ENOMEM : rc;
}

/* --- names --- */

/*
 * A policy had taken the names of the source out of the answers: its age goes on from where that
 * was due.
 */
static void source_withdraw(struct hf_state *s, uint32_t source)
{
	struct st_source *src = &s->sources[source];

	if (src->row.withdrawn || !s->conf.max_age_ms)
		return;
	hf_st_source_touch(s, source);
	src->row.withdrawn = true;
	if (src->row.away_ms < s->conf.max_age_ms)
		src->row.away_ms = s->conf.max_age_ms;
	src->dirty = true;
}

static bool is_of_a_source(const struct hf_state *s, const struct hf_restored_row *row)
{
	return row->source < HF_ZONE_SOURCES_MAX && s->sources[row->source].used &&
	       hf_name_is_under(&row->name, &s->sources[row->source].row.suffix);
}

static int restored_add(struct hf_state *s, const struct hf_restored_row *row)
{
	struct st_source *src = &s->sources[row->source];
	struct st_restored *r;

	if (hf_st_grow(
		(void **)&s->restored, s->n_restored, &s->size_restored, sizeof(*s->restored)) < 0)
		return -ENOMEM;
	r = &s->restored[s->n_restored];
	*r = (struct st_restored){ .row = *row, .used = true, .dirty = true };
	r->row.flags &= HF_REC_HELD | HF_REC_WITHDRAWN;
	src->n_restored++;
	src->restored_at_first += !(r->row.flags & HF_REC_HELD);
	hf_st_restored_claim(s, (uint32_t)s->n_restored++);
	if (row->flags & HF_REC_WITHDRAWN)
		source_withdraw(s, row->source);
	return 0;
}

/* What was held waits on, under a hold of its own. */
static void hold_again(struct hf_state *s, struct hf_when now)
{
	for (uint32_t r = 0; r < s->n_restored; r++) {
		const struct hf_restored_row *row = &s->restored[r].row;

		if (s->restored[r].used && row->flags & HF_REC_HELD && !row->kept &&
		    hf_st_hold_find(s, row->source, ST_NONE, ST_HOLD_RESTORED) == ST_NONE)
			hf_st_hold_open(s, row->source, ST_NONE, ST_HOLD_RESTORED,
			    "names that were held before the store was lost", now);
	}
}

/* One that is there by that name already makes room: the store has each once. */
static void drop_same(struct hf_state *s, const struct hf_name *name)
{
	for (uint32_t r = 0; r < s->n_restored; r++)
		if (s->restored[r].used && hf_name_equal(&s->restored[r].row.name, name))
			hf_st_restored_remove(s, r);
}

int hf_state_restore(
    struct hf_state *s, const struct hf_restored_row *rows, size_t n, struct hf_when now)
{
	bool before = false;

	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	for (size_t r = 0; r < s->n_restored; r++)
		before = before || s->restored[r].used;
	s->why = HF_WHY_RESTORED;
	for (size_t i = 0; i < n; i++) {
		if (!is_of_a_source(s, &rows[i]))
			continue;
		if (before)
			drop_same(s, &rows[i].name);
		if (restored_add(s, &rows[i]) < 0)
			return -ENOMEM;
	}
	hold_again(s, now);
	hf_st_resolve(s);
	return s->failed ? -ENOMEM : 0;
}

/* --- where the zone is newer --- */

static void owner_hide(struct hf_state *s, uint32_t owner)
{
	struct st_owner *o = &s->owners[owner];

	hf_st_owner_unclaim(s, owner);
	o->row.marks |= HF_OWNER_UNSEEN;
	o->dirty = true;
}

int hf_state_restore_newer(
    struct hf_state *s, const struct hf_restored_row *rows, size_t n, struct hf_when now)
{
	int rc;

	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	s->why = HF_WHY_RESTORED;
	for (uint32_t r = 0; r < s->n_restored; r++)
		if (s->restored[r].used)
			hf_st_restored_remove(s, r);
	for (uint32_t i = 0; i < s->n_owners; i++)
		if (s->owners[i].used)
			owner_hide(s, i);
	rc = hf_state_restore(s, rows, n, now);
	/* What the copy's holds were about may be gone in the zone. */
	for (uint32_t i = 0; !rc && i < HF_ZONE_SOURCES_MAX; i++) {
		struct st_source *src = &s->sources[i];

		hf_st_hold_settle_restored(s, i);
		/*
		 * One that was taken out since the copy was made, and of which the zone has no
		 * name.
		 */
		if (src->used && src->leaving && !src->n_restored)
			hf_st_source_remove(s, src);
	}
	hf_st_resolve(s);
	return !rc && s->failed ? -ENOMEM : rc;
}
