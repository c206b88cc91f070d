#pragma once
/*
 * state: what Holdfast believes about every source, owner, workspace and agent, and which names
 * follow from it. Pure decisions: no I/O, and no clock; times come in with each call.
 *
 * It takes whole messages (struct hf_update) and accepts or refuses each as a whole; a refused
 * message changes nothing. What an accepted one changed waits as dirty rows and names until
 * hf_state_take() makes a changeset of it, for the store; changes that come before the store took
 * the last ones are coalesced, so a store that cannot write costs no more memory than the model
 * itself.
 *
 * The guard: only removals are held, only of workspaces (design.md tells the rules by number).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/types/changeset.h"
#include "bridge/types/image.h"
#include "bridge/types/rights.h"
#include "bridge/types/update.h"

struct hf_state; /* opaque; not thread safe */

/* The clocks at the moment of a call; the caller reads them once an event. */
struct hf_when {
	int64_t boot_ms;
	int64_t wall_s;
	struct hf_uuid boot; /* which boot boot_ms belongs to */
	bool wall_synced;    /* the wall clock may be trusted over a reboot */
};

/* What the configuration says; copied. */
struct hf_state_source_conf {
	const char *name;
	const char *url;
	const struct hf_name *suffix; /* typed by the operator; NULL: as the server tells, once */
	bool sentinel;
	uint32_t fresh_ms;
	uint32_t snapshot_ms;
};

struct hf_state_conf {
	const struct hf_state_source_conf *sources; /* their order decides clashes */
	size_t n_sources;
	uint32_t guard_min;     /* workspaces; default 3 */
	uint32_t guard_percent; /* default 50 */
	uint64_t grace_ms;      /* default 10 min */
	uint64_t max_age_ms;    /* 0: hold for ever */
};

/*
 * Takes up what the store had; `image` (NULL: nothing) is only read. Sources that the configuration
 * no longer names go, with all that is theirs (guard rule 7, as hf_state_configure() tells): the
 * first changeset says so. End with hf_state_free().
 */
int hf_state_new(const struct hf_state_conf *conf, const struct hf_image *image, struct hf_when now,
    struct hf_state **ret_state);
void hf_state_free(struct hf_state *s);
/*
 * A new configuration in the running state. A source that it no longer names stays, behind all others, while a
 * source of its suffix was never confirmed: that one may bring its names anew.
 */
int hf_state_configure(struct hf_state *s, const struct hf_state_conf *conf, struct hf_when now);

/* --- what stream and REST tell --- */

/* Who is behind the URL; asked before each stream. Zero or "" where the server does not tell. */
struct hf_identity {
	struct hf_uuid user;
	const char *user_name;
	const char *suffix; /* as the server told it; NULL: not asked or not told */
	const char *deployment_id;
	const char *rights; /* as rights.h has them; NULL or "": not told */
	int64_t asked_ms;   /* boottime at which this was asked for */
};

enum hf_verdict {
	HF_VERDICT_ACCEPTED,
	HF_VERDICT_HELD,    /* identity: nothing is applied until the operator accepts it */
	HF_VERDICT_REFUSED, /* the message changes nothing; ask for a new snapshot */
};

struct hf_judgement {
	enum hf_verdict verdict;
	const char *reason; /* static; NULL if accepted without a remark */
	bool want_snapshot; /* unknown ids were deleted: ask for one (at most one a minute) */
	uint32_t held;      /* workspaces whose removal was held by this message */
	uint32_t records_refused;
};

/* First of all at each connection. HF_VERDICT_HELD: another deployment (guard rule 6). */
int hf_state_identify(struct hf_state *s, const char *source, const struct hf_identity *id,
    struct hf_when now, struct hf_judgement *ret_judgement);

/* An owner that is to be followed, with its present name. A renamed owner is a rename. HF_ENAME: no
 * valid label. */
int hf_state_owner_set(struct hf_state *s, const char *source, const struct hf_uuid *owner,
    const char *name, struct hf_when now);
/* The operator no longer follows this owner: it goes with all its workspaces. */
int hf_state_owner_del(
    struct hf_state *s, const char *source, const struct hf_uuid *owner, struct hf_when now);
/*
 * The server no longer lists this owner among all: as if an empty snapshot of it had come. Without
 * workspaces it goes; else they are held until the operator decides, since nobody can ask again.
 */
int hf_state_owner_lost(
    struct hf_state *s, const char *source, const struct hf_uuid *owner, struct hf_when now);
/*
 * REST's word on whether the owner exists and may be read, and when it was asked for: the guard
 * releases nothing without it, nor by one from before the hold.
 */
void hf_state_owner_readable(struct hf_state *s, const char *source, const struct hf_uuid *owner,
    enum hf_readable readable, int64_t asked_ms);

/* A whole message of the stream. `new_stream`: it is the first of its RPC stream. */
int hf_state_update(struct hf_state *s, const char *source, const struct hf_update *update,
    struct hf_when now, struct hf_judgement *ret_judgement);

/* Proof of life, and its end. */
void hf_state_contact(struct hf_state *s, const char *source, struct hf_when now);
void hf_state_away(struct hf_state *s, const char *source, struct hf_when now);

/* --- time --- */

/*
 * Once a second or so, and after a jump: fresh time of holds, age of what is away. Returns the
 * milliseconds until it wants to be called again at the latest.
 */
int64_t hf_state_tick(struct hf_state *s, struct hf_when now);
/* True if a hold waits for a new snapshot of this owner (guard rule 5). */
bool hf_state_wants_snapshot(
    const struct hf_state *s, const char *source, const struct hf_uuid *owner);

/* True if what waits needs snapshots on a new connection, after a new word of REST (guard rule 5). */
bool hf_state_wants_connection(const struct hf_state *s, const char *source);

/* --- the operator --- */

enum hf_decision { HF_DECISION_ACCEPT, HF_DECISION_REJECT };
/* `owner` NULL: all of the source; `what` NULL: every kind, else "removal", "deployment", "suffix".
 * Returns how many holds it settled. */
int hf_state_decide(struct hf_state *s, const char *source, const struct hf_uuid *owner,
    const char *what, enum hf_decision decision, struct hf_when now);

/* The suffix that the published zone has for a source that has none: it was asked before the store
 * was lost. */
int hf_state_restore_suffix(struct hf_state *s, uint32_t source, const struct hf_name *suffix);
/* Names that came out of the published zone after the store was lost. */
int hf_state_restore(
    struct hf_state *s, const struct hf_restored_row *rows, size_t n, struct hf_when now);

/* --- to the store --- */

/* Memory ran out in the middle of a change: every call returns -ENOMEM, and the owner begins anew
 * with what the store has. */
bool hf_state_spent(const struct hf_state *s);

/*
 * The changes since the last commit, lent until hf_state_committed() or hf_state_not_committed().
 * Meanwhile nothing changes the state (guard rule 10): each function of "what stream and REST tell",
 * "time" and "the operator" changes nothing and returns -EBUSY, if it returns a code. Returns 1, 0
 * if there are none, or a code.
 */
int hf_state_take(struct hf_state *s, struct hf_when now, const struct hf_changeset **ret_changes);
/* The store has it: what was taken is no longer dirty. Without this call it stays so. */
void hf_state_committed(struct hf_state *s);
/* The store could not write it: the loan ends, and what was taken stays dirty. */
void hf_state_not_committed(struct hf_state *s);
bool hf_state_dirty(const struct hf_state *s);
/*
 * Everything, for a store that is made anew: fills `image`, a zeroed one of the caller's, who frees
 * what is in it also after -ENOMEM. When that store has it, hf_state_committed() says so.
 */
int hf_state_image(struct hf_state *s, struct hf_when now, struct hf_image *image);

/* --- for status, records, why --- */

size_t hf_state_n_names(const struct hf_state *s);

struct hf_owner_view {
	const struct hf_owner_row *row;
	uint32_t workspaces;
	uint32_t agents;
	uint32_t held;
	uint32_t idle; /* workspaces that are listed and have no agent: most are stopped */
	bool accepted; /* a snapshot since this process runs */
	bool fresh;
};
struct hf_source_view {
	const struct hf_source_row *row;
	bool fresh;
	bool identity_held;
	bool leaving; /* no longer configured, see hf_state_configure() */
	uint32_t fresh_ms;
	uint32_t snapshot_ms;
	uint64_t refused_total;
};
typedef int (*hf_state_source_cb)(const struct hf_source_view *source, void *arg);
typedef int (*hf_state_owner_cb)(
    const struct hf_source_view *source, const struct hf_owner_view *owner, void *arg);
int hf_state_each_source(
    const struct hf_state *s, struct hf_when now, hf_state_source_cb cb, void *arg);
int hf_state_each_owner(
    const struct hf_state *s, struct hf_when now, hf_state_owner_cb cb, void *arg);

/*
 * The numbers of a source and of an owner of it (NULL, or not known: UINT32_MAX), cheaply: each message needs them. False:
 * no such source.
 */
bool hf_state_find(const struct hf_state *s, const char *source, const struct hf_uuid *owner,
    uint32_t *ret_source, uint32_t *ret_owner);

struct hf_workspace_view {
	const struct hf_workspace_row *row;
	const struct hf_owner_row *owner;
	const struct hf_source_row *source;
	uint32_t agents; /* good ones */
	const char *bad; /* why it is refused; NULL: it is good */
};
typedef int (*hf_state_workspace_cb)(const struct hf_workspace_view *workspace, void *arg);
int hf_state_each_workspace(const struct hf_state *s, hf_state_workspace_cb cb, void *arg);

struct hf_record_view {
	struct hf_name name;
	uint8_t addr[16];
	uint8_t flags; /* HF_REC_... */
	bool fresh;
	int64_t first_seen_s;
	int64_t confirmed_s;
	const struct hf_source_row *source;
	const struct hf_owner_row *owner;         /* NULL: restored, sentinel */
	const struct hf_workspace_row *workspace; /* NULL likewise */
	const struct hf_agent_row *agent;
};
typedef int (*hf_state_record_cb)(const struct hf_record_view *record, void *arg);
int hf_state_each_record(
    const struct hf_state *s, struct hf_when now, hf_state_record_cb cb, void *arg);
/* The one of this name; nothing is called where it is not published. Cheap. */
int hf_state_one_record(const struct hf_state *s, const struct hf_name *name, struct hf_when now,
    hf_state_record_cb cb, void *arg);

typedef int (*hf_state_hold_cb)(const struct hf_hold_row *hold, const struct hf_source_row *source,
    const struct hf_owner_row *owner, uint32_t workspaces, void *arg);
int hf_state_each_hold(const struct hf_state *s, hf_state_hold_cb cb, void *arg);

struct hf_refused_view {
	const char *source;
	const char *name; /* printable */
	const char *reason;
};
typedef int (*hf_state_refused_cb)(const struct hf_refused_view *refused, void *arg);
/* A walk over everything: for who looks, not for each message. */
int hf_state_each_refused(const struct hf_state *s, hf_state_refused_cb cb, void *arg);
