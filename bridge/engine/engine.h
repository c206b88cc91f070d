/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * engine: state, store and zone as one: what comes in is judged, made durable, published, in this
 * order. No sockets and no event loop: whoever drives it (holdfastd, a scenario) passes a clock and
 * calls hf_engine_work() when it asks for it.
 *
 * A message is judged at once, but what follows from it is committed and published in
 * hf_engine_work(), with everything else that came meanwhile: at most 20 times a second, however
 * fast messages come.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bridge/state/state.h"
#include "bridge/store/store.h"

struct hf_clock;
struct hf_config;
struct hf_engine; /* opaque */

/*
 * Opens store and zone, takes up what they have and publishes it: the last known records are in
 * force when it returns. Logs what it found. The configuration is borrowed until
 * hf_engine_configure() gives another one. HF_ELOCKED: another bridge had it
 * for a whole second. End with hf_engine_free().
 */
int hf_engine_open(
    const struct hf_config *config, const struct hf_clock *clock, struct hf_engine **ret_core);
/* Writes what is still to be written, if the disk takes it. */
void hf_engine_free(struct hf_engine *c);
/* 0, -EBUSY, or a code: the configuration before is in use, or has to be given again. */
int hf_engine_configure(struct hf_engine *c, const struct hf_config *config);

/*
 * --- in: what stream and operator bring (bridge/state/state.h says what each means) ---
 *
 * While hf_engine_busy() all of them change nothing and return -EBUSY, but for contact and away,
 * which may come at any time: they take effect when their turn comes.
 */

int hf_engine_identify(struct hf_engine *c, const char *source, const struct hf_identity *id,
    struct hf_judgement *ret_judgement);
int hf_engine_owner_set(
    struct hf_engine *c, const char *source, const struct hf_uuid *owner, const char *name);
int hf_engine_owner_missing(struct hf_engine *c, const char *source, const char *word);
int hf_engine_owners_settled(struct hf_engine *c, const char *source);
void hf_engine_owner_readable(struct hf_engine *c, const char *source, const struct hf_uuid *owner,
    enum hf_readable readable, int64_t asked_ms);
int hf_engine_update(struct hf_engine *c, const char *source, const struct hf_update *update,
    struct hf_judgement *ret_judgement);
/*
 * The same in slices, for one that may be large. Returns 1 if more of it is left than one slice
 * takes: `update` is the engine's from then on, which ends it with `release`; hf_engine_busy() is
 * true until hf_engine_work() has come to its end, and hf_engine_outcome() tells what became of it.
 * It counts as a whole, also if its stream ends meanwhile. Otherwise it is judged, and stays the
 * caller's.
 */
int hf_engine_update_begin(struct hf_engine *c, const char *source, struct hf_update *update,
    void (*release)(struct hf_update *update), struct hf_judgement *ret_judgement);
/*
 * What hf_engine_update() would have returned for the source's last message of which
 * hf_engine_update_begin() returned 1; to be asked once. 1: it is not through; -ENOENT: there is
 * none.
 */
int hf_engine_outcome(struct hf_engine *c, const char *source, struct hf_judgement *ret_judgement);
int hf_engine_workspace_owner(struct hf_engine *c, const char *source,
    const struct hf_uuid *workspace, const struct hf_uuid *owner);
/* Takes turns: see hf_state_disputed(). */
bool hf_engine_disputed(struct hf_engine *c, const char *source, struct hf_uuid *ret_workspace);
void hf_engine_contact(struct hf_engine *c, const char *source);
void hf_engine_away(struct hf_engine *c, const char *source);
int hf_engine_decide(struct hf_engine *c, const char *source, const struct hf_uuid *owner,
    const char *what, enum hf_decision decision);

/*
 * True while a large message is taken up, or a change is made durable, from one hf_engine_work() to
 * the next: the model is lent to that (guard rule 10). Whatever changes it waits: the caller keeps
 * it, reads its stream no further, and comes again after the next hf_engine_work().
 */
bool hf_engine_busy(const struct hf_engine *c);
/*
 * The first of the two: what the model tells is neither as before the message nor as after it. Who
 * shows it to people or programs waits, for some tenths of a second at most.
 */
bool hf_engine_updating(const struct hf_engine *c);

/* --- work --- */

/*
 * One slice of what is to be done. Returns the milliseconds until it wants to be called again (0:
 * at once).
 */
int64_t hf_engine_work(struct hf_engine *c);
/* Readable: call hf_engine_work(). Another one after the zone's folder was replaced; -1: none. */
int hf_engine_fd(const struct hf_engine *c);
/*
 * The operator allows the one recovery again. 1: it is due now, since the store had failed; 0, or
 * a code.
 */
int hf_engine_rearm(struct hf_engine *c);
/*
 * All of it, however long it takes: for the end, and for scenarios. 0, or why something stays
 * unwritten.
 */
int hf_engine_settle(struct hf_engine *c);

/* --- for status --- */

const struct hf_state *hf_engine_state(const struct hf_engine *c);
struct hf_store *hf_engine_store(struct hf_engine *c);
struct hf_when hf_engine_now(const struct hf_engine *c);
uint64_t hf_engine_published(const struct hf_engine *c);

/*
 * To be called before status is shown: what readers see of the pulse may have changed since the
 * last look, which is some seconds ago.
 */
void hf_engine_look(struct hf_engine *c);
/* Why readers may find something else than the model has. Lent until the next hf_engine_work(). */
struct hf_engine_trouble {
	const char *code; /* "zone-not-written", "zone-differs", "zone-pulse" */
	const char *text;
	int64_t since_s;
};
/* False if they find the same, as far as is known. */
bool hf_engine_trouble(const struct hf_engine *c, struct hf_engine_trouble *ret_trouble);
/*
 * Rises when the state was made anew after memory had run out: what sources told is to be told
 * again.
 */
uint64_t hf_engine_lives(const struct hf_engine *c);
