/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sim_world: what the simulated deployment is: its users, their workspaces and agents, and what it
 * tells of itself. Scripts call things by small numbers; world_id() makes the ids of the wire.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_ID = 16, SIM_ID_TEXT = 37, SIM_NUMBER_MAX = 4000000, SIM_ORG_MAX = 63 };
#define SIM_ORG_BIT(org) (UINT64_C(1) << (org))

/* Of the wire. */
enum sim_status { SIM_RUNNING = 3, SIM_STOPPED = 5 };

/* A name may hold any byte. */
struct sim_text {
	uint8_t *at;
	uint32_t len;
};

struct sim_role {
	unsigned org; /* 0: of the whole deployment */
	char *name;   /* owned */
};

/* What a call for an owner gets. */
enum sim_deny { SIM_SERVED, SIM_DENY_CLOSE, SIM_DENY_ERROR, SIM_DENY_RESET };

struct sim_user {
	char *name; /* owned */
	uint8_t id[SIM_ID];
	uint64_t orgs;          /* a member of these organisations; a bit each */
	struct sim_role *roles; /* owned */
	size_t n_roles;
	bool unreadable; /* the token may not read this user's workspaces */
	enum sim_deny deny;
	unsigned late_ms; /* the first message of a stream comes so late */
	struct sim_user *next;
};

struct sim_workspace {
	struct sim_user *owner; /* borrowed; NULL: there is no such workspace */
	struct sim_text name;
	uint32_t first_agent; /* a list through sim_agent.next; 0 ends it */
	unsigned org;
	enum sim_status status;
};

/* A workspace that another user's streams list as well. */
struct sim_share {
	uint32_t workspace;
	uint8_t user[SIM_ID];
};

struct sim_agent {
	uint32_t workspace; /* 0: there is no such agent */
	struct sim_text name;
	uint32_t next;
};

struct sim_world {
	char *token; /* owned; NULL: any is good. So are the others. */
	char *version;
	char *api;
	char *deployment;
	char *suffix;
	char *expires;            /* of the token; RFC 3339 */
	char *scopes;             /* of the token, spaces between; NULL: "coder:all" */
	struct sim_user *users;   /* owned */
	struct sim_user *me;      /* borrowed: the token's own; NULL: the first */
	struct sim_share *shares; /* owned */
	size_t n_shares;
	struct sim_workspace *workspaces; /* owned; by number */
	struct sim_agent *agents;         /* owned; by number */
	uint32_t n_workspaces, n_agents;  /* the lengths of the arrays */
};

/*
 * The ids that tests/scenario uses, too: number 7 is "...0007", with another first byte for agents.
 */
void hf_sim_world_id(uint32_t number, uint8_t ret_id[SIM_ID]);
void hf_sim_world_agent_id(uint32_t number, uint8_t ret_id[SIM_ID]);
void hf_sim_world_org_id(unsigned number, uint8_t ret_id[SIM_ID]);
/* The number in an organisation's id; 0 where it is none. */
unsigned hf_sim_world_org(const char *id);
void hf_sim_id_text(const uint8_t id[SIM_ID], char ret_text[SIM_ID_TEXT]);

int hf_sim_world_init(struct sim_world *w);
void hf_sim_world_done(struct sim_world *w);
/* Puts a copy of `value` into one of the strings above; NULL empties it. */
int hf_sim_world_set(char **string, const char *value);

/* By name, by "me" and by the text of the id. */
struct sim_user *hf_sim_world_user(const struct sim_world *w, const char *name);
struct sim_user *hf_sim_world_user_by_id(const struct sim_world *w, const uint8_t id[SIM_ID]);
/* A member of organisation 1; the first of all is an owner of the deployment. */
int hf_sim_world_user_add(struct sim_world *w, const char *name, uint32_t number);
/* The words are "owner", or "2/organization-admin" in organisation 2. 0, -EINVAL or -ENOMEM. */
int hf_sim_world_roles_set(struct sim_user *user, char *const *words, size_t n_words);
/* The user goes with all workspaces. */
void hf_sim_world_user_del(struct sim_world *w, struct sim_user *user);

/* NULL where there is none of that number. */
struct sim_workspace *hf_sim_world_workspace(const struct sim_world *w, uint32_t number);
struct sim_agent *hf_sim_world_agent(const struct sim_world *w, uint32_t number);
/* Makes it, or gives it another name (copied) and owner, or workspace. 0 or -ENOMEM. */
int hf_sim_world_workspace_set(
    struct sim_world *w, uint32_t number, struct sim_user *owner, const struct sim_text *name);
int hf_sim_world_agent_set(
    struct sim_world *w, uint32_t number, uint32_t workspace, const struct sim_text *name);
void hf_sim_world_agent_del(struct sim_world *w, uint32_t number);
/* With its agents. */
void hf_sim_world_workspace_del(struct sim_world *w, uint32_t number);
/* All of a user's. */
void hf_sim_world_clear(struct sim_world *w, const struct sim_user *user);
/* Is it listed in that user's streams, too? */
bool hf_sim_world_shared(const struct sim_world *w, uint32_t number, const struct sim_user *user);
/* Begins that, or ends it. 0 or -ENOMEM. */
int hf_sim_world_share(
    struct sim_world *w, uint32_t number, const struct sim_user *user, bool shared);
