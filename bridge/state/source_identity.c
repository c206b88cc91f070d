/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/source_identity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bridge/state/edit.h"
#include "bridge/state/guard.h"
#include "bridge/state/holds.h"
#include "bridge/state/owners.h"
#include "bridge/state/rights_text.h"
#include "bridge/state/settle_claims.h"

/* --- the deployment --- */

static const char *told_deployment(const struct st_source *src, const char *id)
{
	return id && strlen(id) < sizeof(src->row.deployment_id) ? id : "";
}

static bool same_deployment(
    struct hf_state *s, struct st_source *src, const char *told, struct hf_when now)
{
	uint32_t ix = hf_st_source_ix(s, src);
	uint32_t hold = hf_st_hold_find(s, ix, ST_NONE, ST_HOLD_DEPLOYMENT);
	const char *id = told_deployment(src, told);

	if (!src->row.deployment_id[0] && *id) {
		memcpy(src->row.deployment_id, id, strlen(id) + 1);
		src->dirty = true;
	}
	if (!strcmp(src->row.deployment_id, id)) {
		if (hold != ST_NONE)
			hf_st_hold_close(s, hold);
		return true;
	}
	if (hold == ST_NONE || strcmp(s->holds[hold].row.detail, id)) {
		hold = hf_st_hold_open(s, ix, ST_NONE, ST_HOLD_DEPLOYMENT, id, now);
		/* What was rejected was another one. */
		if (hold != ST_NONE)
			s->holds[hold].row.rejected = false;
	}
	return false;
}

/* --- the suffix --- */

static void check_suffix(
    struct hf_state *s, struct st_source *src, const char *text, struct hf_when now)
{
	uint32_t ix = hf_st_source_ix(s, src),
		 hold = hf_st_hold_find(s, ix, ST_NONE, ST_HOLD_SUFFIX);
	struct hf_name suffix;

	if (!text || hf_suffix_check(text, HF_SUFFIX_TYPED, &suffix, NULL) < 0 ||
	    hf_name_labels(&suffix) != 1)
		return;
	/*
	 * A name that people use at home is not taken by itself, but shown: the operator may want
	 * it.
	 */
	if (!src->row.suffix.len && !hf_suffix_check(text, HF_SUFFIX_ASKED, &suffix, NULL))
		hf_st_suffix_set(s, src, &suffix);
	if (hf_name_equal(&src->row.suffix, &suffix)) {
		if (hold != ST_NONE)
			hf_st_hold_close(s, hold);
		return;
	}
	if (hold != ST_NONE && !strcmp(s->holds[hold].row.detail, text))
		return;
	hold = hf_st_hold_open(s, ix, ST_NONE, ST_HOLD_SUFFIX, text, now);
	if (hold != ST_NONE)
		s->holds[hold].row.rejected = false;
}

/* --- the token's user --- */

/*
 * The names of a former user stay in all their forms, until the operator decides or the user is
 * back.
 */
static void keep_former(
    struct hf_state *s, struct st_source *src, const char *name, struct hf_when now)
{
	uint32_t ix = hf_st_source_ix(s, src), former = hf_st_owner_find(s, ix, &src->row.user);
	char detail[HF_TEXT_MAX];
	struct st_owner *o;

	if (src->n_restored)
		hf_st_guard_hold_restored(s, ix, "the token is another user's than before", now);
	if (former == ST_NONE || !hf_st_former_has_names(s, former))
		return;
	o = &s->owners[former];
	o->row.marks |= HF_OWNER_FORMER;
	o->dirty = true;
	snprintf(detail, sizeof(detail), "the token is %.40s's now, before it was %.40s's",
	    *name ? name : "another user", o->row.name);
	hf_st_hold_open(s, ix, former, ST_HOLD_USER, detail, now);
}

void hf_st_other_user(struct hf_state *s, struct st_source *src, const struct hf_uuid *user,
    const char *name, struct hf_when now)
{
	uint32_t ix = hf_st_source_ix(s, src), own;

	hf_st_source_unclaim(s, ix);
	if (!hf_uuid_is_zero(&src->row.user))
		keep_former(s, src, name, now);
	s->why = HF_WHY_IDENTITY;
	src->row.user = *user;
	src->dirty = true;
	hf_st_source_claim(s, ix);
	own = hf_st_owner_find(s, ix, user);
	if (own != ST_NONE)
		hf_st_former_end(s, own);
}

static void set_user(
    struct hf_state *s, struct st_source *src, const struct hf_identity *id, struct hf_when now)
{
	char name[HF_LABEL_MAX + 1];

	hf_st_owner_label(id->user_name ? id->user_name : "", name);
	if (hf_uuid_is_zero(&id->user))
		return;
	if (!hf_uuid_equal(&src->row.user, &id->user))
		hf_st_other_user(s, src, &id->user, name, now);
	if (strcmp(src->row.user_name, name)) {
		memset(src->row.user_name, 0, sizeof(src->row.user_name));
		memcpy(src->row.user_name, name, strlen(name));
		src->dirty = true;
	}
}

/* --- all --- */

int hf_state_identify(struct hf_state *s, const char *source, const struct hf_identity *id,
    struct hf_when now, struct hf_judgement *ret_judgement)
{
	struct st_source *src = hf_st_source_find(s, source);

	memset(ret_judgement, 0, sizeof(*ret_judgement));
	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	if (!src)
		return -ENOENT;
	s->why = HF_WHY_IDENTITY;
	if (!same_deployment(s, src, id->deployment_id, now)) {
		hf_state_away(s, source, now);
		ret_judgement->verdict = HF_VERDICT_HELD;
		ret_judgement->reason = "another deployment answers at this URL";
		return s->failed ? -ENOMEM : 0;
	}
	src->asking++;
	check_suffix(s, src, id->suffix, now);
	set_user(s, src, id, now);
	hf_st_rights_told(s, src, id->rights, id->asked_ms);
	hf_st_resolve(s);
	return s->failed ? -ENOMEM : 0;
}
