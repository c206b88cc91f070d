/* SPDX-License-Identifier: Apache-2.0 */
#include "examples/simulator/sim_rights.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What Coder's roles let one do here, as its documentation of 2026 has them. */
static const struct {
	const char *name;
	bool of_org; /* it counts in its organisation only */
	bool reads;  /* everybody's workspaces */
	bool lists;  /* users */
} known[] = {
	{ "owner", false, true, true },
	{ "template-admin", false, true, true },
	{ "auditor", false, false, true },
	{ "user-admin", false, false, true },
	{ "organization-admin", true, true, true },
	{ "organization-template-admin", true, true, false },
};

static void rights_give_role(struct sim_rights *r, const struct sim_role *role)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(role->name, known[i].name) || known[i].of_org != (role->org != 0))
			continue;
		r->lists |= known[i].lists;
		if (known[i].reads && role->org)
			r->everyone |= SIM_ORG_BIT(role->org);
		else if (known[i].reads)
			r->all = true;
	}
}

static bool scope_reads(const struct sim_world *w)
{
	static const char *const good[] = { "all", "coder:all", "workspace:*", "workspace:read" };
	const char *at = w->scopes ? w->scopes : "coder:all";

	while (*at) {
		size_t len = strcspn(at, " ");

		for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
			if (strlen(good[i]) == len && !strncmp(good[i], at, len))
				return true;
		}
		at += len + strspn(at + len, " ");
	}
	return false;
}

int hf_sim_rights_take(const struct sim_world *w, struct sim_rights *ret_rights)
{
	const struct sim_user *me = hf_sim_world_user(w, "me");
	struct sim_rights r = { .workspaces = scope_reads(w) };
	size_t n = 0;

	if (me) {
		memcpy(r.user, me->id, SIM_ID);
		r.member = me->orgs;
		for (size_t i = 0; i < me->n_roles; i++)
			rights_give_role(&r, &me->roles[i]);
	}
	for (const struct sim_user *u = w->users; u; u = u->next)
		n += u->unreadable;
	r.hidden = calloc(n + 1, sizeof(*r.hidden));
	if (!r.hidden)
		return -ENOMEM;
	for (const struct sim_user *u = w->users; u; u = u->next) {
		if (u->unreadable)
			memcpy(r.hidden[r.n_hidden++], u->id, SIM_ID);
	}
	*ret_rights = r;
	return 0;
}

void hf_sim_rights_done(struct sim_rights *r)
{
	free(r->hidden);
	*r = (struct sim_rights){ 0 };
}

static bool is_hidden(const struct sim_rights *r, const uint8_t owner[SIM_ID])
{
	for (size_t i = 0; i < r->n_hidden; i++) {
		if (!memcmp(r->hidden[i], owner, SIM_ID))
			return true;
	}
	return false;
}

bool hf_sim_rights_read_all(const struct sim_rights *r, unsigned org)
{
	return r->workspaces && (r->all || (r->everyone & (org ? SIM_ORG_BIT(org) : UINT64_MAX)));
}

bool hf_sim_rights_read(const struct sim_rights *r, const uint8_t owner[SIM_ID], unsigned org)
{
	uint64_t bits = org ? SIM_ORG_BIT(org) : UINT64_MAX;

	if (!r->workspaces || is_hidden(r, owner))
		return false;
	return hf_sim_rights_read_all(r, org) ||
	       (!memcmp(r->user, owner, SIM_ID) && (r->member & bits));
}

bool hf_sim_rights_know(const struct sim_rights *r, const struct sim_user *user)
{
	return r->lists || r->all || !memcmp(r->user, user->id, SIM_ID) ||
	       (r->everyone & user->orgs);
}
