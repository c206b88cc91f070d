/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * objects: the objects of state and their lists, private to this room. Objects lie in arrays and
 * are known by index (`_ix`), since arrays move when they grow; ST_NONE is no object.
 *
 * Whoever changes a row says so with hf_st_dirty_...(). Whoever changes what a name would tell
 * calls claims.h first, while the old name can still be derived: edit.h does so.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/state/multimap.h"
#include "bridge/state/state.h"
#include "zone/agent_names.h"
#include "zone/record.h"

#define ST_NONE UINT32_MAX

enum {
	ST_FORM_REFUSED_MAX = 20,
	ST_WINDOW_MAX = 64,
	ST_HOLDS_OF_SOURCE = 4,
	/*
	 * By these the work for a message could grow with its square; more are refused: agents of
	 * one workspace, claimants of one name, agents of one address.
	 */
	ST_WS_AGENTS_MAX = 256,
	ST_SAME_NAME_MAX = 256,
	ST_SAME_ADDRESS_MAX = 64,
	/* Stamps alone are written this often: what a crash forgets of an age is at most this. */
	ST_SOFT_EVERY_MS = 60000,
};

struct st_vec {
	uint32_t *at; /* owned */
	size_t n, size;
};
int hf_st_vec_push(struct st_vec *v, uint32_t value);
void hf_st_vec_done(struct st_vec *v);

/*
 * What was told of the token's rights, and when that was asked for (of a connection: when it was).
 */
struct st_told {
	char *text; /* owned; NULL: not told */
	int64_t at_ms;
	bool known;
};

struct st_removed {
	int64_t boot_ms;
	uint32_t n;
};

/*
 * Guard rule 10: nothing may change the state now. Each function that would asks it first, by its
 * name.
 */
bool hf_st_is_lent(const struct hf_state *s, const char *who);

/* What readers know of it, where that is less than what is known here. */
struct st_seen {
	bool less;
	int64_t boot_ms; /* their last proof of life; INT64_MIN: none */
	int64_t since_s; /* wall clock */
};

struct st_source {
	struct hf_source_row row;
	bool used;
	bool stored;     /* the store has a row of it */
	bool dirty;      /* ... that is older than this */
	bool soft_dirty; /* only stamps: worth no commit of their own */
	bool configured;
	bool leaving; /* no longer configured: goes when those that may replace it are confirmed */
	uint32_t order; /* in the configuration: decides clashes */
	uint32_t fresh_ms, snapshot_ms;
	char *words; /* of the configuration: whom to follow; owned, see owner_words.h */
	size_t words_size;
	uint32_t asking; /* rises with each answer to who is there */
	bool settled;    /* since this configuration: all whom REST named have their snapshot */
	bool missing;    /* REST knew nobody by a configured word, when all had settled last ... */
	uint32_t missing_asking;                     /* ... or since: in which asking */
	struct st_told told, told_before, connected; /* see rights_text.h */
	bool live;
	int64_t contact_boot_ms; /* of this process; 0: none yet */
	int64_t lost_s;          /* wall clock at which `live` ended last; 0: not in this process */
	struct st_seen seen;
	int64_t away_from_ms; /* boottime up to which away_ms was counted */
	bool suffix_typed;    /* by the operator */
	bool sentinel; /* configured; row.sentinel: and it is this source's that is published */
	bool sentinel_claimed;
	char suffix_held[HF_TEXT_MAX];
	uint64_t refused_total;
	/* Explained removals of late, for guard rule 3c; row.removals has the same. */
	struct st_removed window[ST_WINDOW_MAX]; /* the oldest first */
	size_t n_window;
	size_t n_workspaces; /* good ones, held or not */
	size_t n_restored;
	size_t restored_at_first; /* how many there were when they were restored */
	/* of the source as a whole: index plus one, see holds.c */
	uint32_t holds[ST_HOLDS_OF_SOURCE];
};

struct st_owner {
	struct hf_owner_row row;
	bool used;
	bool stored;
	bool dirty;
	bool soft_dirty;
	bool followed; /* REST named it, as the bridge said */
	bool accepted; /* a snapshot since this process runs ... */
	bool whole;    /* ... without a refused record */
	bool wanted;   /* a snapshot of it, out of turn (guard rule 8) */
	struct st_seen seen;
	uint32_t asking;                /* of the source, when REST named it last */
	enum hf_readable readable;      /* REST's last word ... */
	int64_t readable_ms;            /* ... and when it was asked for */
	enum hf_readable readable_then; /* the word before this connection */
	int64_t snapshot_boot_ms;       /* of the last accepted one of this process */
	int64_t whole_boot_ms; /* of the last whole one, and when its connection was asked for */
	int64_t whole_connected_ms;
	uint32_t first_ws;   /* list */
	uint32_t n_live;     /* good and not held */
	uint32_t n_held;     /* good and held ... */
	uint32_t n_kept;     /* ... of which the operator rejected so many removals */
	uint32_t hold, kept; /* indexes into holds: removals that wait, and rejected ones */
	uint32_t former;     /* likewise, plus one: the names of the token's own user */
	/* owned; [ST_FORM_REFUSED_MAX], NULL before the first one */
	struct hf_update_refused *refused;
	size_t n_refused;
};

struct st_ws {
	struct hf_workspace_row row;
	const char *bad;     /* why it is refused; NULL: it is good. Bad ones are never stored */
	uint32_t prev, next; /* within the owner */
	uint32_t first_agent;
	uint32_t n_agents; /* good ones */
	uint32_t n_listed; /* refused ones too */
	uint32_t mark;     /* of the message that last listed it */
	uint32_t dirty_at; /* place in dirty_ws plus one */
	bool used : 1;
	bool stored : 1;
	bool doomed : 1;
	bool returned : 1; /* held until the diff that is being applied */
	bool behind : 1;   /* the snapshot that is being applied leaves out an agent of it ... */
	bool lost : 1;     /* ... or all of them, though it is running */
	bool replaced : 1; /* another one of the owner's has its name now */
};

struct st_agent {
	struct hf_agent_row row;
	const char *bad;
	uint32_t ws;
	uint32_t next; /* within the workspace */
	uint32_t mark;
	uint32_t dirty_at;
	uint8_t claimed; /* HF_NAME_... bits that it asks for */
	bool used;
	bool stored;
	bool doomed;
	bool addr_lost; /* another agent of the source has its address */
	bool crowded;   /* too many others claim a name or the address of it */
	bool noted;     /* in `changed` */
};

struct st_restored {
	struct hf_restored_row row;
	bool used;
	bool stored;
	bool dirty;
	bool published;
	bool noted; /* in `changed` */
};

struct st_hold {
	struct hf_hold_row row;
	bool used;
	bool stored;
	bool dirty;
	/* of the last removal that it holds; of an earlier process: before all of this one */
	int64_t held_boot_ms;
	int64_t counted_boot_ms; /* fresh_ms is counted up to here */
	int64_t due_boot_ms;     /* when the grace was spent; 0: not yet */
};

struct st_text {
	struct hf_text_row *row; /* owned; NULL: there is none */
	uint32_t users;
	bool stored;
	bool dirty;
};

/* A workspace that two owners' streams list (guard rule 8). */
struct st_dispute {
	uint32_t ws;
	uint32_t claimant;           /* owner whose stream lists it, and who has it not */
	uint32_t mark;               /* of the message that last did */
	uint64_t turn;               /* when it was named last for REST to be asked; 0: never */
	bool answered;               /* REST said whose it is ... */
	int64_t answered_ms;         /* ... and when */
	char name[HF_LABEL_MAX + 1]; /* as the claimant's stream lists it */
	const char *bad;             /* why that is refused, or NULL; static */
};

/* A row that the store has and that is no more. */
struct st_gone {
	enum hf_row_kind kind;
	enum hf_reason why;
	uint32_t rid;
};

struct st_dirty_name; /* dirty_names.h */

/* What becomes of an owner's workspaces by a snapshot, see guard.h. */
struct st_judge {
	const char *why_gone; /* absent workspaces are held for it; NULL: they go */
	const char *why_lost; /* agents of running ones likewise */
	bool release;
	bool replaced; /* what was made again under another id is known */
	struct hf_when now;
	uint32_t next; /* workspace that is to be judged; ST_NONE: no more */
	uint32_t held; /* by this message */
};

/* A message that is being taken up, in this order; see apply_update.h. */
struct st_job {
	const struct hf_update *update; /* borrowed; NULL: there is none */
	enum st_phase {
		ST_WORKSPACES, /* of the message: `at` */
		ST_AGENTS,
		ST_PRUNE, /* what an owner that nobody has seen had: `ws` */
		ST_NAME,  /* ... and the names of the rest */
		ST_WEIGH, /* the guard, whole: it only counts */
		ST_JUDGE,
		ST_BACK,   /* agents of what was held until now: `at` */
		ST_RETURN, /* of a source that a policy took out: `at` */
		ST_RESOLVE,
		ST_CONFIRM,
		ST_SETTLE, /* names again, those that went with that */
		ST_DONE,
	} phase;
	struct hf_when now;
	struct hf_judgement judgement;
	uint32_t source, owner;
	uint32_t had;  /* live workspaces, before the message */
	bool readable; /* no record might have been anything */
	bool returned; /* something that was held is listed */
	size_t at;
	uint32_t ws;
	struct st_judge judge;
};

/* Where hf_st_resolve_some() is. */
struct st_resolving {
	enum { ST_OF_NAMES, ST_OF_ADDRESSES, ST_END_NOTES, ST_END_NAMES, ST_OF_SUPERSEDED } part;
	size_t at;
	bool less[HF_ZONE_SOURCES_MAX]; /* restored names of them went */
};

struct hf_state {
	struct hf_state_conf conf; /* `sources` is not kept */
	uint32_t seed;

	struct st_source sources[HF_ZONE_SOURCES_MAX]; /* index = rid */
	struct st_owner *owners;                       /* index = rid */
	size_t n_owners, size_owners;
	uint32_t free_owner; /* none below it is free */
	struct st_ws *ws;
	size_t n_ws, size_ws;
	struct st_agent *agents;
	size_t n_agents, size_agents;
	struct st_restored *restored;
	size_t n_restored, size_restored;
	struct st_hold *holds; /* index = rid */
	size_t n_holds, size_holds;
	uint32_t free_hold;    /* none below it is free */
	struct st_text *texts; /* index = rid */
	size_t n_texts, size_texts;
	struct st_dispute *disputes;
	size_t n_disputes, size_disputes;
	uint64_t dispute_turn; /* the last one that was given */
	struct st_vec free_ws, free_agents;
	uint32_t next_ws_rid, next_agent_rid;

	struct hf_multimap owners_by_id, ws_by_id, agents_by_id; /* within a source */
	struct hf_multimap disputes_by_ws;
	struct hf_multimap claims;    /* names, see claims.c */
	struct hf_multimap addresses; /* see claims.c */

	struct st_job job;
	struct st_resolving resolving;
	size_t budget; /* how much of the job may still be done by this call */
	uint64_t work; /* done since it was made: for tests, which see by it how long a call was */

	uint32_t mark;
	enum hf_reason why; /* of what is being done */
	bool failed;        /* memory ran out in the middle of a change: this state is spent */
	/* the next changeset is the whole model: whoever follows takes all names */
	bool rewrite;
	/* the last changeset is with the store, or a message is half done: nothing may change */
	bool lent;

	struct st_vec dirty_ws, dirty_agents; /* indexes; ST_NONE: no longer */
	struct st_gone *gone;
	size_t n_gone, size_gone;
	struct hf_name *restored_gone;
	size_t n_restored_gone, size_restored_gone;

	struct hf_multimap dirty_names; /* index into dirty */
	struct st_dirty_name **dirty;
	size_t n_dirty, size_dirty;
	struct st_vec unresolved; /* into dirty */
	struct st_vec superseded; /* into restored */
	struct st_vec changed;    /* who published more or less: its PTR may change too */
	struct st_chunk *arena;
	size_t n_names;
	uint64_t sum; /* of what they tell, as of the last commit: without what is in `dirty` */
	/* so many of `dirty` are summed for the next one already, while the state is lent, ... */
	size_t summed;
	uint64_t sum_more; /* ... to this */

	/* The last changeset. */
	struct hf_changeset changes;
	struct hf_row_change *rows;
	size_t size_rows;
	struct st_dirty_name **taken;
	size_t n_taken, size_taken;
	struct hf_restored_row *restored_rows;
	size_t size_restored_rows;
	int64_t soft_written_ms, soft_taken_ms;
};

uint32_t hf_st_hash(const struct hf_state *s, const void *bytes, size_t len);

/* Make room for element n of `element` bytes, which is zeroed; *array may move. 0 or -ENOMEM. */
int hf_st_grow(void **array, size_t n, size_t *size, size_t element);
/* The same for n elements to come, exactly. */
int hf_st_reserve(void **array, size_t n, size_t *size, size_t element);

struct st_source *hf_st_source_find(struct hf_state *s, const char *name);
uint32_t hf_st_source_ix(const struct hf_state *s, const struct st_source *src);
struct st_source *hf_st_source_add(struct hf_state *s, const char *name);

uint32_t hf_st_owner_find(const struct hf_state *s, uint32_t source, const struct hf_uuid *id);
/* Makes one that was filled by hand findable. 0 or -ENOMEM. */
int hf_st_owner_index(struct hf_state *s, uint32_t ix);
int hf_st_owner_add(
    struct hf_state *s, uint32_t source, const struct hf_uuid *id, uint32_t *ret_ix);
/* One that has nothing any more is not found any more, and its place is free. */
void hf_st_owner_drop(struct hf_state *s, uint32_t ix);

uint32_t hf_st_ws_find(const struct hf_state *s, uint32_t source, const struct hf_uuid *id);
/* A new one at the head of its owner's list; good, not claimed. */
int hf_st_ws_add(struct hf_state *s, uint32_t owner, const struct hf_uuid *id, uint32_t *ret_ix);
/* Into and out of the list of an owner. */
void hf_st_ws_link(struct hf_state *s, uint32_t ix, uint32_t owner);
void hf_st_ws_unlink(struct hf_state *s, uint32_t ix);
/* A workspace counts for the guard while it is good: by +1 or -1 in its owner's numbers. */
void hf_st_ws_count(struct hf_state *s, const struct st_ws *w, int by);
/* One that has no agents any more is not found any more, and its place is free. */
void hf_st_ws_drop(struct hf_state *s, uint32_t ix);

uint32_t hf_st_agent_find(const struct hf_state *s, uint32_t source, const struct hf_uuid *id);
int hf_st_agent_add(struct hf_state *s, uint32_t ws, const struct hf_uuid *id, uint32_t *ret_ix);
/* Into and out of the list of a workspace. */
void hf_st_agent_link(struct hf_state *s, uint32_t ix, uint32_t ws);
void hf_st_agent_unlink(struct hf_state *s, uint32_t ix);
/* One that is unlinked and has no claims is not found any more, and its place is free. */
void hf_st_agent_drop(struct hf_state *s, uint32_t ix);

/* Sources' rows say up to when their ages are counted. */
void hf_st_stamp_sources(struct hf_state *s, struct hf_when now);

void hf_st_dirty_ws(struct hf_state *s, uint32_t ix);
void hf_st_dirty_agent(struct hf_state *s, uint32_t ix);
void hf_st_gone(struct hf_state *s, enum hf_row_kind kind, uint32_t rid);

/*
 * Takes so much of what this call may still do; false: nothing is left, and another call goes on.
 */
static inline bool hf_st_spend(struct hf_state *s, size_t items)
{
	if (!s->budget)
		return false;
	s->budget -= items < s->budget ? items : s->budget;
	return true;
}

static inline bool hf_st_owner_is_of(const struct hf_state *s, uint32_t ix, uint32_t source)
{
	return s->owners[ix].used && s->owners[ix].row.source == source;
}

static inline struct st_source *hf_st_ws_source(struct hf_state *s, const struct st_ws *w)
{
	return &s->sources[s->owners[w->row.owner].row.source];
}
