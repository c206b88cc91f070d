/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * state_kit: a state under test, with the smallest store that can stand behind it: what was taken
 * is applied to rows and names in memory, and a restart begins from exactly those.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bridge/state/state.h"
#include "zone/record.h"

enum { KIT_MAX = 4096 };

struct kit_name {
	bool used;
	struct hf_name_change record;
};

struct kit {
	struct hf_state *state;
	struct hf_when now;
	struct hf_state_source_conf sources[4];
	struct hf_state_conf conf;
	struct hf_judgement judgement; /* of the last message */
	/* What a store would have. */
	struct hf_source_row source_rows[KIT_MAX];
	struct hf_owner_row owner_rows[KIT_MAX];
	struct hf_workspace_row ws_rows[KIT_MAX];
	struct hf_agent_row agent_rows[KIT_MAX];
	struct hf_hold_row hold_rows[KIT_MAX];
	struct hf_text_row text_rows[64];
	bool has[HF_ROW_LAST][KIT_MAX];
	struct hf_restored_row restored[KIT_MAX];
	size_t n_restored;
	struct kit_name names[KIT_MAX];
	uint32_t max_ws, max_agent;
	int64_t connected_ms; /* of the connection of all messages */
	const char *rights;   /* that REST tells; NULL: none */
	unsigned commits;
	size_t slice;    /* messages are taken up in slices of so many items; 0: at once */
	unsigned slices; /* that the last message took */
	void (*between)(struct kit *k); /* called between two of them; NULL: nothing */
	size_t n_changed;               /* names in the last changeset */
};

/*
 * One source "main", suffix coder, own user alice (owner 1), grace 600 s. It follows `me`; with
 * sources[0].n_owners 2 or 3 and hf_state_configure() also bob and carol (owners 2 and 3).
 */
struct kit *kit_new(void);
void kit_free(struct kit *k);
/* The process ends and begins again with what the store has. */
void kit_restart(struct kit *k);
/* Take what changed into the store; returns whether there was anything. */
bool kit_commit(struct kit *k);
/* Time goes on by whole seconds, with ticks and contact as asked. */
void kit_pass(struct kit *k, unsigned seconds, bool in_contact);

struct hf_uuid kit_id(unsigned n);       /* of owners and workspaces */
struct hf_uuid kit_agent_id(unsigned n); /* of agents */

/* A message as text: "3=dev:7=main,8=gpu 4=web" are two workspaces with their agents. */
struct kit_message {
	const char *upsert; /* workspaces, with the agents to be upserted */
	const char *gone;   /* "4 3:7" deletes workspace 4, and agent 7 (of 3, which stays) */
};
enum hf_verdict kit_snapshot(struct kit *k, const char *source, unsigned owner, const char *text);
enum hf_verdict kit_diff(
    struct kit *k, const char *source, unsigned owner, const char *upsert, const char *gone);

/* Everything that may be passed in is, while the state is lent: it is refused. Asserts. */
void kit_try_all(struct kit *k);

/* REST is asked; the connection stays. */
void kit_ask(struct kit *k);
/* REST is asked and a new connection opened: all messages from now on come on it. */
void kit_login(struct kit *k);
/*
 * REST names these owners (their numbers, up to a 0), and no others; each has an accepted snapshot.
 */
void kit_settled(struct kit *k, const unsigned *owners);

/* True if the store has this name with this agent's address. Commits first. */
bool kit_has(struct kit *k, const char *name, unsigned agent);
/* The record's flags, or -1 if there is no such name. */
int kit_flags(struct kit *k, const char *name);
size_t kit_count(struct kit *k);
/* Two stores have the same rows and names, after the same messages. Asserts. */
void kit_same(struct kit *a, struct kit *b);
/* Names as changesets left them are the names that the state itself tells. Asserts. */
void kit_check(struct kit *k);
