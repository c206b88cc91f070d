/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * engine_private: what the files of the engine share; nobody else includes it. A file calls only
 * files that stand before it below; engine.c stands above all of them, and engine_open.c on top.
 */
#include "base/log.h"
#include "bridge/engine/engine.h"
#include "bridge/engine/publish.h"
#include "zone/record.h"

struct hf_config;
struct hf_state_conf;
struct hf_state_source_conf;

enum { HF_ENGINE_COPY_EVERY_MS = 3600 * 1000 };

/* A sign of life of a source, or its end, that came while the state was lent to the store. */
struct hf_engine_sign {
	enum { HF_SIGN_NONE, HF_SIGN_CONTACT, HF_SIGN_AWAY } what;
	char source[HF_LABEL_MAX + 1];
	struct hf_when at;
};

/* The message that is being taken up in slices. */
struct hf_engine_message {
	struct hf_update *update; /* owned; NULL: there is none */
	void (*release)(struct hf_update *update);
	char source[HF_LABEL_MAX + 1];
	uint32_t rid; /* of the source, when it began */
};

/* What became of one, until its source has asked. */
struct hf_engine_outcome {
	bool known;
	char source[HF_LABEL_MAX + 1];
	int rc;
	struct hf_judgement judgement;
};

struct hf_engine {
	const struct hf_config *config; /* borrowed */
	const struct hf_clock *clock;   /* borrowed */
	struct hf_store *store;         /* owned */
	bool wall_synced;           /* at the last tick: only then does it count over a reboot */
	struct hf_state *state;     /* owned */
	struct hf_publish *publish; /* owned */
	struct hf_zone_meta meta;   /* as of the last commit */
	bool opened;                /* hf_engine_open() is through */
	/*
	 * The zone that was found, if it knows what the store does not have yet (generation 0: it
	 * does not). The store had `newer_than`. Nothing is published over it meanwhile: `meta` is
	 * filled by the first commit.
	 */
	struct hf_zone_stamp newer;
	uint64_t newer_than;
	/* a changeset is between begin and its last step: the state is lent */
	bool applying;
	bool written; /* ... and the store has it; what the state makes of that is not done yet */
	struct hf_engine_message message; /* while there is one the state is lent to it */
	struct hf_engine_outcome outcomes[HF_ZONE_SOURCES_MAX]; /* by rid, as it was then */
	/* by rid: what waits for the end of that */
	struct hf_engine_sign signs[HF_ZONE_SOURCES_MAX];
	bool accepted;             /* a message, since this process runs */
	bool shown;                /* the changeset that is being applied holds names */
	bool unpublished;          /* the store is ahead of the zone */
	bool large;                /* what is under way needs much memory for a while */
	int64_t commit_not_before; /* boottime */
	int64_t publish_not_before;
	int64_t tick_at;
	int64_t tick_early_ms; /* so long before that it may come, if something else wakes us */
	int64_t copy_at;
	int64_t fresh_since; /* boottime; 0: not fresh */
	int64_t mend_at;     /* not before is it tried again to mend what failed */
	uint64_t lives;      /* how often the state was made anew */
	int64_t check_at;    /* boottime: not before are model and zone compared */
	int64_t pulse_at;    /* boottime: not before is it looked whether the pulse is written */
	bool pulse_failed;   /* at that look */
	enum hf_engine_heal {
		HF_HEAL_NONE,
		HF_HEAL_PUBLISH, /* all names were published again */
		HF_HEAL_WRITE,   /* ... after the whole model was written again */
		HF_HEAL_LOAD,    /* ... after the model was loaded from the store */
	} healing; /* the last step against a difference; the next one follows if it did not help */
	struct hf_fault state_fault;
	struct hf_fault store_fault;
	struct hf_fault zone_fault;
	struct hf_fault differs; /* readers find something else than the model has */
};

/* --- engine_settings.c --- */

/*
 * What state needs of the configuration: `sources` has room for HF_ZONE_SOURCES_MAX, and outlives
 * *ret_conf.
 */
void hf_engine_conf(const struct hf_config *config, struct hf_state_source_conf *sources,
    struct hf_state_conf *ret_conf);
/* What the zone is to say beside the names. */
void hf_engine_meta(const struct hf_engine *c, struct hf_zone_meta *ret_meta);

/* --- engine_rename.c --- */

/* The names of sources, by rid; "": there is none. */
struct hf_engine_names {
	char at[HF_ZONE_SOURCES_MAX][HF_LABEL_MAX + 1];
};
void hf_engine_names(const struct hf_state *state, struct hf_engine_names *ret_names);
/*
 * What the store has under the name of a source goes with it to the one that it has in `state` now:
 * last good addresses.
 */
void hf_engine_renamed(
    struct hf_engine *c, const struct hf_engine_names *before, const struct hf_state *state);

/* --- engine_signs.c --- */

/* Proof of life for readers, or its end; of the owner too, if that is not NULL. */
void hf_engine_beat(
    struct hf_engine *c, const char *source, const struct hf_uuid *owner, bool live);
/*
 * Nothing is live for readers that is not for the state: a source before its first contact, or with
 * another name, an owner before his first snapshot. How young the last one of the bridge before is
 * proves nothing of what came since.
 */
void hf_engine_pulse_down(struct hf_engine *c);
/*
 * Writes what could not be written of the pulse, and tells the state what readers do not see.
 * Returns the milliseconds until the next look; -1: with whatever is next.
 */
int64_t hf_engine_pulse_look(struct hf_engine *c);
/* The state is its own again: what was said of connections meanwhile takes effect. */
void hf_engine_take_signs(struct hf_engine *c);
/* The changeset that was being applied is over: the state changes again. */
void hf_engine_applied(struct hf_engine *c, bool committed);

/* --- engine_zone.c --- */

/* Takes what c->newer has into `state`. Returns how many names that were, or a code. */
int hf_engine_take_zone(struct hf_engine *c, struct hf_state *state);
/*
 * If the store has now what c->newer has, c->newer ends. Only while !hf_engine_ails().
 */
void hf_engine_zone_taken(struct hf_engine *c);

/* --- engine_update.c --- */

/*
 * The next slice of the message that is being taken up. 1 while more is left; 0: there is none (any
 * more).
 */
int hf_engine_update_slice(struct hf_engine *c);
/* Forgets it, half done as it may be: for the end alone. */
void hf_engine_update_drop(struct hf_engine *c);

/* --- engine_recover.c --- */

/* The state that the store has, with what c->newer has. */
int hf_engine_load_state(struct hf_engine *c, struct hf_state **ret_state);
/* Store or state have failed, and are to be made anew by hf_engine_recover(). */
bool hf_engine_ails(const struct hf_engine *c);
/* 1 if something was mended, 0 if nothing had failed, or why it stays as it is: later again. */
int hf_engine_recover(struct hf_engine *c);
/*
 * The state as the store has it, in place of the one in memory; sources are to be asked again. 0 or
 * a code.
 */
int hf_engine_renew_state(struct hf_engine *c);

/* --- engine_check.c --- */

/*
 * Compares the model with what readers find, when both are at rest, and takes the next step against
 * a difference. Returns the milliseconds until the next look (0: something is to be done at once),
 * -1: not now.
 */
int64_t hf_engine_check(struct hf_engine *c);
