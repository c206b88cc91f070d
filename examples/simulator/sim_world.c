/* SPDX-License-Identifier: Apache-2.0 */
#include "examples/simulator/sim_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_id(uint8_t first, uint32_t number, uint8_t *ret_id)
{
	memset(ret_id, 0, SIM_ID);
	ret_id[0] = first;
	for (int i = 0; i < 4; i++)
		ret_id[15 - i] = (uint8_t)(number >> 8 * i);
}

void hf_sim_world_id(uint32_t number, uint8_t ret_id[SIM_ID])
{
	put_id(0x10, number, ret_id);
}

void hf_sim_world_agent_id(uint32_t number, uint8_t ret_id[SIM_ID])
{
	put_id(0x20, number, ret_id);
}

void hf_sim_world_org_id(unsigned number, uint8_t ret_id[SIM_ID])
{
	put_id(0x30, number, ret_id);
}

unsigned hf_sim_world_org(const char *id)
{
	uint8_t bytes[SIM_ID];
	char text[SIM_ID_TEXT];

	for (unsigned n = 1; n <= SIM_ORG_MAX; n++) {
		hf_sim_world_org_id(n, bytes);
		hf_sim_id_text(bytes, text);
		if (!strcmp(text, id))
			return n;
	}
	return 0;
}

void hf_sim_id_text(const uint8_t id[SIM_ID], char ret_text[SIM_ID_TEXT])
{
	char *at = ret_text;

	for (int i = 0; i < SIM_ID; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		at += snprintf(at, 3, "%02x", id[i]);
	}
}

int hf_sim_world_set(char **string, const char *value)
{
	char *copy = value ? strdup(value) : NULL;

	if (value && !copy)
		return -ENOMEM;
	free(*string);
	*string = copy;
	return 0;
}

int hf_sim_world_init(struct sim_world *w)
{
	int rc;

	*w = (struct sim_world){ 0 };
	rc = hf_sim_world_set(&w->version, "v2.30.0");
	if (!rc)
		rc = hf_sim_world_set(&w->api, "2.8");
	if (!rc)
		rc = hf_sim_world_set(&w->deployment, "5a9d1c3e-0000-4000-8000-000000000001");
	if (!rc)
		rc = hf_sim_world_set(&w->suffix, "coder");
	return rc;
}

void hf_sim_world_done(struct sim_world *w)
{
	while (w->users)
		hf_sim_world_user_del(w, w->users);
	free(w->workspaces);
	free(w->agents);
	free(w->token);
	free(w->version);
	free(w->api);
	free(w->deployment);
	free(w->suffix);
	free(w->expires);
	free(w->scopes);
	free(w->shares);
	*w = (struct sim_world){ 0 };
}

struct sim_user *hf_sim_world_user(const struct sim_world *w, const char *name)
{
	char id[SIM_ID_TEXT];

	if (!strcmp(name, "me"))
		return w->me ? w->me : w->users;
	for (struct sim_user *u = w->users; u; u = u->next) {
		hf_sim_id_text(u->id, id);
		if (!strcmp(u->name, name) || !strcmp(id, name))
			return u;
	}
	return NULL;
}

struct sim_user *hf_sim_world_user_by_id(const struct sim_world *w, const uint8_t id[SIM_ID])
{
	for (struct sim_user *u = w->users; u; u = u->next) {
		if (!memcmp(u->id, id, SIM_ID))
			return u;
	}
	return NULL;
}

static void drop_roles(struct sim_user *u)
{
	for (size_t i = 0; i < u->n_roles; i++)
		free(u->roles[i].name);
	free(u->roles);
	u->roles = NULL;
	u->n_roles = 0;
}

/* "owner", or "2/organization-admin". */
static int take_role(const char *word, struct sim_role *ret_role)
{
	const char *slash = strchr(word, '/');
	char *end;
	unsigned long org = slash ? strtoul(word, &end, 10) : 0;

	if (slash && (end != slash || !org || org > SIM_ORG_MAX))
		return -EINVAL;
	ret_role->org = (unsigned)org;
	ret_role->name = strdup(slash ? slash + 1 : word);
	return ret_role->name ? 0 : -ENOMEM;
}

int hf_sim_world_roles_set(struct sim_user *user, char *const *words, size_t n_words)
{
	struct sim_user next = { .roles = calloc(n_words + 1, sizeof(*next.roles)) };
	int rc = next.roles ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < n_words; i++) {
		rc = take_role(words[i], &next.roles[i]);
		next.n_roles += !rc;
	}
	if (rc) {
		drop_roles(&next);
		return rc;
	}
	drop_roles(user);
	user->roles = next.roles;
	user->n_roles = next.n_roles;
	return 0;
}

int hf_sim_world_user_add(struct sim_world *w, const char *name, uint32_t number)
{
	static char first[] = "owner";
	char *roles[] = { first };
	struct sim_user **at = &w->users;
	struct sim_user *u = calloc(1, sizeof(*u));

	if (!u || hf_sim_world_set(&u->name, name)) {
		free(u);
		return -ENOMEM;
	}
	hf_sim_world_id(number, u->id);
	u->orgs = SIM_ORG_BIT(1);
	if (!w->users && hf_sim_world_roles_set(u, roles, 1)) {
		free(u->name);
		free(u);
		return -ENOMEM;
	}
	while (*at)
		at = &(*at)->next;
	*at = u;
	return 0;
}

void hf_sim_world_user_del(struct sim_world *w, struct sim_user *user)
{
	struct sim_user **at = &w->users;

	hf_sim_world_clear(w, user);
	while (*at != user)
		at = &(*at)->next;
	*at = user->next;
	if (w->me == user)
		w->me = NULL;
	drop_roles(user);
	free(user->name);
	free(user);
}

struct sim_workspace *hf_sim_world_workspace(const struct sim_world *w, uint32_t number)
{
	return number < w->n_workspaces && w->workspaces[number].owner ? &w->workspaces[number]
								       : NULL;
}

struct sim_agent *hf_sim_world_agent(const struct sim_world *w, uint32_t number)
{
	return number < w->n_agents && w->agents[number].workspace ? &w->agents[number] : NULL;
}

/* Room for element `number` of an array of zeroed elements. */
static int world_make_room(void **array, uint32_t *n, size_t size, uint32_t number)
{
	size_t want = *n ? *n : 64;
	uint8_t *bigger;

	if (number < *n)
		return 0;
	while (want <= number)
		want *= 2;
	bigger = realloc(*array, want * size);
	if (!bigger)
		return -ENOMEM;
	memset(bigger + *n * size, 0, (want - *n) * size);
	*array = bigger;
	*n = (uint32_t)want;
	return 0;
}

static int world_set_name(struct sim_text *to, const struct sim_text *name)
{
	uint8_t *copy = malloc(name->len + 1U);

	if (!copy)
		return -ENOMEM;
	if (name->len)
		memcpy(copy, name->at, name->len);
	free(to->at);
	*to = (struct sim_text){ .at = copy, .len = name->len };
	return 0;
}

int hf_sim_world_workspace_set(
    struct sim_world *w, uint32_t number, struct sim_user *owner, const struct sim_text *name)
{
	void *array = w->workspaces;
	int rc = world_make_room(&array, &w->n_workspaces, sizeof(*w->workspaces), number);

	w->workspaces = array;
	if (!rc)
		rc = world_set_name(&w->workspaces[number].name, name);
	if (rc)
		return rc;
	if (!w->workspaces[number].owner) {
		w->workspaces[number].org = 1;
		w->workspaces[number].status = SIM_RUNNING;
	}
	w->workspaces[number].owner = owner;
	return 0;
}

/* Takes the agent out of its workspace's list. */
static void unlink_agent(struct sim_world *w, uint32_t number)
{
	struct sim_agent *a = &w->agents[number];
	uint32_t *at = &w->workspaces[a->workspace].first_agent;

	while (*at != number)
		at = &w->agents[*at].next;
	*at = a->next;
	a->workspace = 0;
}

int hf_sim_world_agent_set(
    struct sim_world *w, uint32_t number, uint32_t workspace, const struct sim_text *name)
{
	void *array = w->agents;
	int rc = world_make_room(&array, &w->n_agents, sizeof(*w->agents), number);
	struct sim_agent *a;

	w->agents = array;
	if (!rc)
		rc = world_set_name(&w->agents[number].name, name);
	if (rc)
		return rc;
	a = &w->agents[number];
	if (a->workspace)
		unlink_agent(w, number);
	a->workspace = workspace;
	a->next = w->workspaces[workspace].first_agent;
	w->workspaces[workspace].first_agent = number;
	return 0;
}

void hf_sim_world_agent_del(struct sim_world *w, uint32_t number)
{
	struct sim_agent *a = &w->agents[number];

	unlink_agent(w, number);
	free(a->name.at);
	*a = (struct sim_agent){ 0 };
}

void hf_sim_world_workspace_del(struct sim_world *w, uint32_t number)
{
	struct sim_workspace *ws = &w->workspaces[number];

	while (ws->first_agent)
		hf_sim_world_agent_del(w, ws->first_agent);
	free(ws->name.at);
	*ws = (struct sim_workspace){ 0 };
	for (size_t i = 0; i < w->n_shares; i++) {
		if (w->shares[i].workspace == number)
			w->shares[i--] = w->shares[--w->n_shares];
	}
}

void hf_sim_world_clear(struct sim_world *w, const struct sim_user *user)
{
	for (uint32_t n = 0; n < w->n_workspaces; n++) {
		if (w->workspaces[n].owner == user)
			hf_sim_world_workspace_del(w, n);
	}
}

static struct sim_share *find_share(
    const struct sim_world *w, uint32_t number, const struct sim_user *user)
{
	for (size_t i = 0; i < w->n_shares; i++) {
		if (w->shares[i].workspace == number &&
		    !memcmp(w->shares[i].user, user->id, SIM_ID))
			return &w->shares[i];
	}
	return NULL;
}

bool hf_sim_world_shared(const struct sim_world *w, uint32_t number, const struct sim_user *user)
{
	return find_share(w, number, user) != NULL;
}

int hf_sim_world_share(
    struct sim_world *w, uint32_t number, const struct sim_user *user, bool shared)
{
	struct sim_share *found = find_share(w, number, user), *more;

	if (found && !shared)
		*found = w->shares[--w->n_shares];
	if (found || !shared)
		return 0;
	more = realloc(w->shares, (w->n_shares + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	w->shares = more;
	more[w->n_shares].workspace = number;
	memcpy(more[w->n_shares++].user, user->id, SIM_ID);
	return 0;
}
