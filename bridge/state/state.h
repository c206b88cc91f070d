/* SPDX-License-Identifier: Apache-2.0 */
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
 * The guard: only removals are held, only of workspaces (docs/contract.md has the rules by number).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/types/changeset.h"
#include "bridge/types/image.h"
#include "bridge/types/judgement.h"
#include "bridge/types/rights.h"
#include "bridge/types/update.h"
#include "zone/record.h"

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
	char *const *owners;          /* "me", "all", user names, user ids */
	size_t n_owners;
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
 * A new configuration in the running state. A source that it no longer names stays, behind all
 * others, while a source of its suffix was never confirmed: that one may bring its names anew.
 */
int hf_state_configure(struct hf_state *s, const struct hf_state_conf *conf, struct hf_when now);

/*
 * A sum of a server's URL; 0 for "". Of two that are the same server to hf_state_configure() it is
 * the same.
 */
uint64_t hf_state_url_sum(const char *url);
/*
 * The name that this source has in `conf`, another one than now; NULL: it is not there under
 * another name.
 */
const char *hf_state_new_name(
    const struct hf_state *s, const struct hf_state_conf *conf, const char *source);

/* --- what stream and REST tell --- */

/* Who is behind the URL; asked before each stream. Zero or "" where the server does not tell. */
struct hf_identity {
	struct hf_uuid user;
	const char *user_name;
	const char *suffix; /* as the server told it; NULL: not asked or not told */
	const char *deployment_id;
	const char *rights; /* as rights_text.h has them; NULL or "": not told */
	int64_t asked_ms;   /* boottime at which this was asked for */
};

/* First of all at each connection. HF_VERDICT_HELD: another deployment (guard rule 6). */
int hf_state_identify(struct hf_state *s, const char *source, const struct hf_identity *id,
    struct hf_when now, struct hf_judgement *ret_judgement);

/*
 * An owner that is to be followed, with its present name. A renamed owner is a rename. State keeps
 * by which words of the configuration it was followed. HF_ENAME: no valid label (the owner is
 * followed all the same). HF_EREFUSED: another deployment is held, of which nothing is applied.
 */
int hf_state_owner_set(struct hf_state *s, const char *source, const struct hf_uuid *owner,
    const char *name, struct hf_when now);
/*
 * REST knows no user by this word of the configuration (404). Call it after the owners that it does
 * know were set. Who was followed by this word, and by no other, is as if the server did not list
 * it: see below.
 */
int hf_state_owner_missing(
    struct hf_state *s, const char *source, const char *word, struct hf_when now);
/*
 * Every owner that was set since the last hf_state_identify() has an accepted snapshot: these, and
 * no others, are followed now. One of the others goes at once only if the configuration named it
 * before and none of those words is in it any more (guard rule 7). Else the server said so (rule
 * 2): what it had is held, and since nobody can be asked about it, until the operator decides or it
 * is named again. Without workspaces it goes.
 */
int hf_state_owners_settled(struct hf_state *s, const char *source, struct hf_when now);
/*
 * REST's word on whether the owner exists and may be read, and when it was asked for: the guard
 * releases nothing without it, nor by one from before the hold.
 */
void hf_state_owner_readable(struct hf_state *s, const char *source, const struct hf_uuid *owner,
    enum hf_readable readable, int64_t asked_ms);

/* A whole message of the stream, at once. */
int hf_state_update(struct hf_state *s, const char *source, const struct hf_update *update,
    struct hf_when now, struct hf_judgement *ret_judgement);
/*
 * The same in slices: at most about `items` records, names and addresses are gone through by this
 * call. Returns what hf_state_update() returns if that was all (as of a small message, and of one
 * that is refused), or 1: it goes on with hf_state_update_step(). Until that has returned something
 * else:
 *   - `update` is lent to the state, which changes to what it says without the owner's stream;
 *   - the state is lent as to the store (see hf_state_take(), which returns -EBUSY itself);
 *   - what it tells is neither as before the message nor as after it, and whoever asks for more
 *     than a decision that can be taken again (status, listings) waits.
 * A state that is freed in between leaves `update` to its owner.
 */
int hf_state_update_begin(struct hf_state *s, const char *source, const struct hf_update *update,
    struct hf_when now, size_t items, struct hf_judgement *ret_judgement);
/* *ret_judgement is filled when it is not 1 that is returned. */
int hf_state_update_step(struct hf_state *s, size_t items, struct hf_judgement *ret_judgement);

/* Proof of life, and its end. */
void hf_state_contact(struct hf_state *s, const char *source, struct hf_when now);
void hf_state_away(struct hf_state *s, const char *source, struct hf_when now);

/* --- time --- */

/*
 * Once a second or so, and after a jump: fresh time of holds, age of what is away. Returns the
 * milliseconds until it wants to be called again at the latest.
 */
int64_t hf_state_tick(struct hf_state *s, struct hf_when now);
/*
 * True if a hold waits for a new snapshot of this owner (guard rule 5), or a workspace went over to
 * it (rule 8).
 */
bool hf_state_wants_snapshot(
    const struct hf_state *s, const char *source, const struct hf_uuid *owner, struct hf_when now);

/*
 * True if REST is to be asked again and then a new connection to be opened: what is held cannot be
 * released otherwise (guard rule 5), or the token's rights or an owner's are others than when this
 * connection was opened. Not true of what another connection would not change.
 */
bool hf_state_wants_connection(const struct hf_state *s, const char *source, struct hf_when now);

/*
 * A workspace that two owners' streams list and whose owner REST did not tell yet (guard rule 8);
 * the one that was not named for the longest time, so that one that REST never tells of keeps no
 * other waiting. False: none.
 */
bool hf_state_disputed(struct hf_state *s, const char *source, struct hf_uuid *ret_workspace);
/* What REST said: whose it is; `owner` zero where it does not know or does not tell. */
int hf_state_workspace_owner(struct hf_state *s, const char *source,
    const struct hf_uuid *workspace, const struct hf_uuid *owner, struct hf_when now);

/* --- the operator --- */

enum hf_decision { HF_DECISION_ACCEPT, HF_DECISION_REJECT };
/*
 * `owner` NULL: all of the source; `what` NULL: every kind, else "removal" (every kind but the
 * identity's), "deployment", "suffix". A rejected one keeps those workspaces until they are listed
 * again or accepted. Returns how many holds it settled.
 */
int hf_state_decide(struct hf_state *s, const char *source, const struct hf_uuid *owner,
    const char *what, enum hf_decision decision, struct hf_when now);

/*
 * What the published zone has of a source (by its rid), after the store was lost or where it is
 * older: what the zone says is newer than what the source has, but for a suffix that the operator
 * typed. `suffix`: NULL or len 0, `deployment_id`: NULL or "", `user`: NULL or zero where the zone
 * does not say.
 */
int hf_state_restore_source(struct hf_state *s, uint32_t source, const struct hf_name *suffix,
    const char *deployment_id, const struct hf_uuid *user, struct hf_when now);
/* The suffix alone. */
int hf_state_restore_suffix(struct hf_state *s, uint32_t source, const struct hf_name *suffix);
/* The zone does not have the source: it has no suffix, but for one that the operator typed. */
int hf_state_restore_no_suffix(struct hf_state *s, uint32_t source);
/*
 * Names that came out of the published zone after the store was lost; with the marks that they had
 * there (HF_REC_HELD, HF_REC_WITHDRAWN). Served as stale until the server confirms them.
 */
int hf_state_restore(
    struct hf_state *s, const struct hf_restored_row *rows, size_t n, struct hf_when now);
/*
 * The same where the store is there, but older than the zone (a copy): `rows` are all names of the
 * zone, and they win over those of the model. What an owner has in the model is not served before
 * its first accepted snapshot, and what that does not list goes then.
 */
int hf_state_restore_newer(
    struct hf_state *s, const struct hf_restored_row *rows, size_t n, struct hf_when now);

/* --- to the store --- */

/*
 * Memory ran out in the middle of a change: every call returns -ENOMEM, and the owner begins anew
 * with what the store has.
 */
bool hf_state_spent(const struct hf_state *s);
/*
 * For tests; NULL in the bridge. Called with the name of a function that would change the state
 * while it is lent, before that is refused: who relies on the refusal has made a mistake that
 * nobody else sees.
 */
extern void (*hf_state_on_lent)(const char *function);

/*
 * The changes since the last commit, lent until hf_state_committed() or hf_state_not_committed().
 * Meanwhile nothing changes the state (guard rule 10): each function of "what stream and REST
 * tell", "time" and "the operator" changes nothing and returns -EBUSY, if it returns a code.
 * Returns 1, 0 if there are none, or a code.
 */
int hf_state_take(struct hf_state *s, struct hf_when now, const struct hf_changeset **ret_changes);
/*
 * Some of what hf_state_committed() has to do, of so many names, while the changeset is lent: for a
 * large one, whose commit would take long otherwise. May be left out. True while more of it is
 * left.
 */
bool hf_state_lent_step(struct hf_state *s, size_t items);
/* The store has it: what was taken is no longer dirty. Without this call it stays so. */
void hf_state_committed(struct hf_state *s);
/* The store could not write it: the loan ends, and what was taken stays dirty. */
void hf_state_not_committed(struct hf_state *s);
bool hf_state_dirty(const struct hf_state *s);
/*
 * The next changeset is the whole model, whatever the store has of it. 0, -EBUSY, or -ENOMEM: it is
 * spent.
 */
int hf_state_rewrite(struct hf_state *s);
/*
 * Everything, for a store that is made anew: fills `image`, a zeroed one of the caller's, who frees
 * what is in it also after -ENOMEM. When that store has it, hf_state_committed() says so.
 */
int hf_state_image(struct hf_state *s, struct hf_when now, struct hf_image *image);

/* --- for status, records, why --- */

size_t hf_state_n_names(const struct hf_state *s);
/* What they tell (zone/sum.h), as of the last commit: kept at the cost of each change. */
uint64_t hf_state_sum(const struct hf_state *s);
/* The same counted name by name, some 100 ns each; meant for when nothing is dirty. */
uint64_t hf_state_count_sum(const struct hf_state *s);
/* ... and so kept, unless something is dirty. Whether it was another one before. */
bool hf_state_sum_again(struct hf_state *s);

/* Published names by what their records show; together hf_state_n_names(). */
struct hf_tally {
	uint64_t live, stale, held, withdrawn;
};
/*
 * Of each source, by its rid. A walk over agents, not over names: some milliseconds for 300,000
 * names.
 */
void hf_state_tally(const struct hf_state *s, struct hf_when now,
    struct hf_tally ret_tallies[static HF_ZONE_SOURCES_MAX]);

struct hf_owner_view {
	const struct hf_owner_row *row;
	uint32_t workspaces;
	uint32_t agents;
	uint32_t held;
	uint32_t idle; /* workspaces that are listed and have no agent: most are stopped */
	bool accepted; /* a snapshot since this process runs */
	bool fresh;    /* as readers see it */
	enum hf_readable readable; /* REST's last word */
};
struct hf_source_view {
	const struct hf_source_row *row;
	bool fresh; /* as readers see it */
	bool heard; /* as is known here */
	/* wall clock, never later than now; 0: it is fresh, or was never reached */
	int64_t stale_since_s;
	bool identity_held;
	bool leaving; /* no longer configured, see hf_state_configure() */
	/* These two only in hf_state_each_source(). */
	/* whose names in the forms of the token's own user are kept; NULL: nobody's */
	const char *former_user;
	/* words that the token had at the last good state of an owner, and has no more; clipped */
	char missing_rights[512];
	const char *rights; /* the token's, as told last; "" where not told (rights_text.h) */
	uint32_t disputed;  /* workspaces that two owners' streams list */
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
 * Of source `source`, or of owner `owner` where that is not UINT32_MAX, readers know no proof of
 * life after `boot_ms` (INT64_MIN: none at all; INT64_MAX: they know all). Until the next call it
 * is not shown as fresher than they see it. No decision depends on it, so it may be said at any
 * time.
 */
void hf_state_set_seen(
    struct hf_state *s, uint32_t source, uint32_t owner, int64_t boot_ms, struct hf_when now);

/*
 * The numbers of a source and of an owner of it (NULL, or not known: UINT32_MAX), cheaply: each
 * message needs them. False: no such source.
 */
bool hf_state_find(const struct hf_state *s, const char *source, const struct hf_uuid *owner,
    uint32_t *ret_source, uint32_t *ret_owner);

/* Another deployment answers at the source's URL: nothing of it counts, also no sign of life. */
bool hf_state_identity_held(const struct hf_state *s, const char *source);

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

/*
 * `workspaces`: that it holds; 0 where it is of no owner's workspaces. A removal's `rejected` ones
 * have a hold of their own.
 */
typedef int (*hf_state_hold_cb)(const struct hf_hold_row *hold, const struct hf_source_row *source,
    const struct hf_owner_row *owner, uint32_t workspaces, void *arg);
int hf_state_each_hold(const struct hf_state *s, hf_state_hold_cb cb, void *arg);

/* What a hold still waits for before the guard releases it by itself (rule 5). Several at once. */
enum hf_waits {
	HF_WAITS_OPERATOR = 1 << 0, /* accept or reject, and nothing else */
	HF_WAITS_FRESH = 1 << 1,    /* the source is stale */
	HF_WAITS_GRACE = 1 << 2,    /* see grace_left_ms */
	/* REST has not said since that the owner exists and may be read */
	HF_WAITS_REST = 1 << 3,
	/* REST says that the owner does not exist or may not be read */
	HF_WAITS_READABLE = 1 << 4,
	/* the token has less rights than before, see missing_rights */
	HF_WAITS_RIGHTS = 1 << 5,
	HF_WAITS_CONNECTION = 1 << 6, /* a connection that was opened after REST's word */
	HF_WAITS_SNAPSHOT = 1 << 7,   /* one more snapshot without them */
};
/* "operator", "fresh", ... of one bit. */
const char *hf_state_waits_name(enum hf_waits bit);

enum { HF_HOLD_SAMPLES = 10, HF_SAMPLE_MAX = 128 };

/* A hold with all that people need to decide it. Valid for the call. */
struct hf_hold_view {
	/* kind, since, fresh time; `rejected`: the operator keeps it */
	const struct hf_hold_row *row;
	const struct hf_source_row *source;
	const struct hf_owner_row *owner; /* NULL: of the source as a whole */
	const char *reason;               /* in words */
	uint32_t workspaces;              /* that it holds; of "restored": names */
	uint32_t n_samples;               /* the first of them, by name */
	char samples[HF_HOLD_SAMPLES][HF_SAMPLE_MAX];
	unsigned waits; /* enum hf_waits; 0: the operator keeps it, or it is as good as released */
	uint64_t grace_left_ms;
	char missing_rights[512]; /* the words that the token has no more; "" if none; clipped */
	char accept[256];         /* the command that ends it */
	char reject[256];         /* the command that keeps it; "" if it is kept already */
};
typedef int (*hf_state_hold_view_cb)(const struct hf_hold_view *hold, void *arg);
int hf_state_each_hold_view(
    const struct hf_state *s, struct hf_when now, hf_state_hold_view_cb cb, void *arg);

/*
 * What hf_state_decide() with these arguments would do, for people to see before they say so.
 * -ENOENT as there.
 */
struct hf_decision_view {
	unsigned holds;        /* that it settles */
	uint32_t workspaces;   /* that are removed (accept) or kept (reject) */
	uint64_t removed;      /* names that are removed at once */
	uint64_t renamed;      /* names that are published under another suffix instead */
	bool other_deployment; /* from now on what that one says is applied */
	uint32_t n_samples;    /* of the names, in no order */
	char samples[HF_HOLD_SAMPLES][HF_SAMPLE_MAX];
};
int hf_state_decide_preview(const struct hf_state *s, const char *source,
    const struct hf_uuid *owner, const char *what, enum hf_decision decision,
    struct hf_decision_view *ret_view);

/* A workspace that two owners' streams list (guard rule 8). */
struct hf_dispute_view {
	const struct hf_source_row *source;
	const struct hf_workspace_row *workspace;
	const struct hf_owner_row *owner;    /* who has it */
	const struct hf_owner_row *claimant; /* whose stream lists it too, and is refused it */
	bool answered;                       /* REST said whose it is */
};
typedef int (*hf_state_dispute_cb)(const struct hf_dispute_view *dispute, void *arg);
int hf_state_each_dispute(const struct hf_state *s, hf_state_dispute_cb cb, void *arg);

struct hf_refused_view {
	const char *source;
	const char *name; /* printable */
	const char *reason;
};
typedef int (*hf_state_refused_cb)(const struct hf_refused_view *refused, void *arg);
/* A walk over everything: for who looks, not for each message. */
int hf_state_each_refused(const struct hf_state *s, hf_state_refused_cb cb, void *arg);
