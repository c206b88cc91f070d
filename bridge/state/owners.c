/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/owners.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "bridge/state/edit.h"
#include "bridge/state/guard.h"
#include "bridge/state/holds.h"
#include "bridge/state/owner_words.h"
#include "bridge/state/removal.h"
#include "bridge/state/settle_claims.h"

/* --- who is followed --- */

int hf_st_owner_label(const char *name, char ret_label[static HF_LABEL_MAX + 1])
{
	int rc = hf_agent_owner_check(name, strlen(name), NULL);
	size_t i = 0;

	for (; !rc && name[i]; i++)
		ret_label[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	ret_label[i] = '\0';
	return rc;
}

int hf_state_owner_set(struct hf_state *s, const char *source, const struct hf_uuid *owner,
    const char *name, struct hf_when now)
{
	struct st_source *src = hf_st_source_find(s, source);
	char label[HF_LABEL_MAX + 1];
	struct st_owner *o;
	uint32_t ix;
	int rc;

	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	if (!src)
		return -ENOENT;
	if (hf_st_deployment_held(s, hf_st_source_ix(s, src)))
		return HF_EREFUSED;
	rc = hf_st_owner_label(name, label);
	ix = hf_st_owner_find(s, hf_st_source_ix(s, src), owner);
	if (ix == ST_NONE) {
		int added = hf_st_owner_add(s, hf_st_source_ix(s, src), owner, &ix);

		if (added < 0)
			return added;
	}
	o = &s->owners[ix];
	o->followed = true;
	o->asking = src->asking;
	hf_st_words_note(src, o, name);
	/*
	 * A name that cannot be a label takes the names that hold it; one that was good before
	 * stays.
	 */
	if (strcmp(o->row.name, label) && !rc) {
		s->why = HF_WHY_IDENTITY;
		hf_st_owner_unclaim(s, ix);
		memset(s->owners[ix].row.name, 0, sizeof(s->owners[ix].row.name));
		memcpy(s->owners[ix].row.name, label, strlen(label));
		s->owners[ix].dirty = true;
		hf_st_owner_claim(s, ix);
		hf_st_resolve(s);
	}
	return s->failed ? -ENOMEM : rc;
}

void hf_state_owner_readable(struct hf_state *s, const char *source, const struct hf_uuid *owner,
    enum hf_readable readable, int64_t asked_ms)
{
	struct st_source *src = hf_st_source_find(s, source);
	uint32_t ix = src ? hf_st_owner_find(s, hf_st_source_ix(s, src), owner) : ST_NONE;

	if (hf_st_is_lent(s, __func__) || ix == ST_NONE ||
	    hf_st_deployment_held(s, hf_st_source_ix(s, src)))
		return;
	s->owners[ix].readable = readable;
	s->owners[ix].readable_ms = asked_ms;
}

/* --- who is not named any more --- */

/* Which of the owner's words means another user now, for people. */
static const char *why_lost(const struct st_source *src, const struct st_owner *o)
{
	for (const char *at = hf_st_words_next(src, NULL); at; at = hf_st_words_next(src, at)) {
		if (!hf_st_words_have(o->row.words, at, strlen(at)))
			continue;
		if (!strcmp(at, "me"))
			return "the token is another user's now";
		if (!strcmp(at, "all"))
			return "the server no longer lists this user";
		return "the configured name means another user now";
	}
	return "the server no longer names this user";
}

/* As if an empty snapshot of it had come; nobody is asked about it again. */
static void owner_lose(struct hf_state *s, uint32_t ix, const char *why, struct hf_when now)
{
	struct st_owner *o = &s->owners[ix];

	o->followed = false;
	o->readable = READABLE_UNKNOWN;
	o->readable_ms = 0;
	s->why = HF_WHY_SNAPSHOT;
	if (o->row.marks & HF_OWNER_UNSEEN) {
		/* Nothing of it is served but what came out of the zone. */
		hf_st_guard_hold_restored(s, o->row.source, why, now);
		hf_st_owner_remove(s, ix);
	} else if (o->first_ws != ST_NONE) {
		s->mark++;
		hf_st_guard_lost(s, ix, why, now);
	}
	if (s->owners[ix].used && s->owners[ix].first_ws == ST_NONE)
		hf_st_owner_remove(s, ix);
}

int hf_state_owner_missing(
    struct hf_state *s, const char *source, const char *word, struct hf_when now)
{
	struct st_source *src = hf_st_source_find(s, source);

	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	if (!src)
		return -ENOENT;
	if (hf_st_deployment_held(s, hf_st_source_ix(s, src)))
		return HF_EREFUSED;
	src->missing = true;
	src->missing_asking = src->asking;
	/* Names that came back from a lost store may be those of this user. */
	hf_st_guard_hold_restored(
	    s, hf_st_source_ix(s, src), "the server knows one of the users no more", now);
	for (uint32_t i = 0; i < s->n_owners; i++)
		if (hf_st_owner_is_of(s, i, hf_st_source_ix(s, src)) &&
		    s->owners[i].asking != src->asking &&
		    hf_st_words_have(s->owners[i].row.words, word, strlen(word)))
			owner_lose(s, i, "the server knows no such user", now);
	hf_st_resolve(s);
	return s->failed ? -ENOMEM : 0;
}

/*
 * All whom REST names have a snapshot without a refused record: who waited for this source's names
 * waits no more.
 */
static void note_confirmed(const struct hf_state *s, struct st_source *src)
{
	for (uint32_t i = 0; i < s->n_owners; i++)
		if (hf_st_owner_is_of(s, i, src->row.rid) && s->owners[i].followed &&
		    !s->owners[i].whole)
			return;
	src->dirty = src->dirty || !(src->row.marks & HF_SOURCE_CONFIRMED);
	src->row.marks |= HF_SOURCE_CONFIRMED;
}

int hf_state_owners_settled(struct hf_state *s, const char *source, struct hf_when now)
{
	struct st_source *src = hf_st_source_find(s, source);
	uint32_t ix;

	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	if (!src)
		return -ENOENT;
	ix = hf_st_source_ix(s, src);
	if (hf_st_deployment_held(s, ix))
		return HF_EREFUSED;
	for (uint32_t i = 0; i < s->n_owners; i++) {
		if (!hf_st_owner_is_of(s, i, ix) || s->owners[i].asking == src->asking)
			continue;
		s->why = HF_WHY_CONFIG;
		if (hf_st_words_dropped(src, &s->owners[i]))
			hf_st_owner_remove(s, i);
		else
			owner_lose(s, i, why_lost(src, &s->owners[i]), now);
	}
	src->settled = true;
	src->missing = src->missing && src->missing_asking == src->asking;
	note_confirmed(s, src);
	hf_st_guard_restored(s, ix, now);
	hf_st_resolve(s);
	return s->failed ? -ENOMEM : 0;
}
