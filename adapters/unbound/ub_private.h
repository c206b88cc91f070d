/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ub_private: what the files of the unbound adapter share. One job at a time (adapter_job.h): feed
 * a batch, make the zones whole, let go of a zone, list.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "adapters/adapter_head.h"
#include "adapters/dns_client.h"
#include "adapters/dns_pace.h"
#include "adapters/unbound/ub_ability.h"
#include "adapters/unbound/ub_command.h"
#include "adapters/unbound/ub_control.h"
#include "adapters/unbound/ub_known.h"
#include "adapters/unbound/ub_line.h"
#include "adapters/unbound/ub_pace.h"
#include "adapters/unbound/ub_sums.h"
#include "config/config.h"

struct hf_ub_start_file;

enum {
	HF_UB_ZONES_MAX = 64,
	HF_UB_TEXT_MAX = HF_ADAPTER_TEXT_MAX,
	HF_UB_CANARY_MAX = 20,
	HF_CANARY_FILLING = 'f', /* how its text begins */
	HF_CANARY_WHOLE = 'w',
	HF_UB_BATCH = 1000, /* changes that are welcome at once */
	/* Of a listing, during which unbound answers nobody: some 4 to 8 ms; and before a batch. */
	HF_UB_LISTING_MAX = 64 * 1024,
	HF_UB_LISTING_QUICK = 32 * 1024,

	HF_TYPE_A = 1,
	HF_TYPE_SOA = 6,
	HF_TYPE_PTR = 12,
	HF_TYPE_TXT = 16,
	HF_TYPE_AAAA = 28,
	HF_RCODE_NXDOMAIN = 3,
	HF_RCODE_REFUSED = 5,
};

enum hf_ub_zone_state {
	HF_UBZONE_NEW, /* what unbound has of it is not known */
	/* not all is in it; transparent if something below answers (ub_cover.c) */
	HF_UBZONE_FILLING,
	HF_UBZONE_WHOLE, /* static */
};

struct hf_ub_zone {
	struct hf_ub *a; /* borrowed: whose it is */
	struct hf_name name;
	struct hf_name canary_name;
	struct hf_name fill_name; /* of the mark beside it: ub_canary.c */
	enum hf_ub_zone_state state;
	bool covers_known; /* FILLING: what it covers was looked at */
	bool has_below;    /* an auth-zone, forward-zone or stub-zone answers its names */
	char canary[HF_UB_CANARY_MAX]; /* the text that is to be there */
	/* The texts that were there when last asked; "" for none. */
	char seen[HF_UB_CANARY_MAX];
	char fill_seen[HF_UB_CANARY_MAX];
};

/* Where the name, or the PTR of the address, stands in unbound. */
enum hf_ub_look_is { HF_LOOK_FREE, HF_LOOK_NODATA, HF_LOOK_OURS, HF_LOOK_FOREIGN };
/*
 * MOVE: the new address comes, then the old ones go, record by record. SWAP: what there is goes,
 * then the record comes: where unbound can remove no single record, and for another TTL.
 */
enum hf_plan { HF_PLAN_NONE, HF_PLAN_ADD, HF_PLAN_MOVE, HF_PLAN_SWAP, HF_PLAN_TAKE };

struct hf_ub_look_ptr {
	enum hf_ub_look_is is;
	bool same; /* it points to the name of the change, and nowhere else */
	bool ttl_ok;
	enum hf_plan plan;
};

struct hf_ub_look {
	struct hf_ub *a;
	const struct hf_change *change;
	enum hf_ub_look_is is;
	bool alias;  /* it has a CNAME, which hides the rest */
	bool others; /* it has records of another type */
	size_t n_addrs;
	uint8_t addrs[HF_DNS_CLIENT_ADDRS_MAX][16];
	bool ttl_ok;
	enum hf_plan plan;
	struct hf_ub_look_ptr ptr;     /* of the change's address */
	struct hf_ub_look_ptr old_ptr; /* of the address that the name had */
};

enum hf_ub_job { HF_UBJOB_APPLY = 1, HF_UBJOB_COMPLETE, HF_UBJOB_LEAVE, HF_UBJOB_LIST };

enum hf_ub_phase {
	HF_PHASE_ADD,
	HF_PHASE_MOVE,
	HF_PHASE_SWAP,
	HF_PHASE_TAKE,
	HF_PHASE_PTR_ADD,
	HF_PHASE_PTR_SWAP,
	HF_PHASE_PTR_TAKE,
	HF_PHASE_OLD_TAKE,
	HF_PHASE_END,
};

typedef void (*hf_ub_step)(struct hf_ub *a);

/* What is known of this unbound; ub_session.c. */
struct hf_ub_session {
	bool open;         /* it has answered a status since the last trouble */
	unsigned version;  /* 1017001 is 1.17.1 */
	unsigned able;     /* HF_UB_... */
	size_t asked_able; /* of the rows of ub_ability.h */
	bool reverse_known;
	bool reverse_ours; /* the reverse zone of the prefix had to be made */
	bool reverse_static;
	bool reverse_below;
	struct hf_ub_known *known; /* owned; while it is filled, if unbound had little; NULL: ask */
	bool known_once;           /* it is of the batch under way, and no longer */
	bool data_large;           /* the listing is too long to be read before each batch */
	char lost_why[HF_UB_TEXT_MAX]; /* the last time */
	hf_ub_step after_cover, after_session;
};

/* The batch under way; ub_precheck.c and ub_apply.c. */
struct hf_ub_batch {
	const struct hf_batch *lent; /* until the receipt; also while it waits for its turn */
	struct hf_ub_look *looked;   /* owned: one a change */
	size_t looked_cap;
	uint8_t *fates; /* owned */
	enum hf_ub_phase phase;
	size_t at;     /* the change that is next in the phase */
	size_t upto;   /* the one after the command under way */
	size_t single; /* up to here line by line: one of them was refused */
	bool half;     /* of a move or swap the first half is done, up to half_upto */
	size_t half_upto;
	bool wrote, wrote_removal; /* what it did to unbound */
	bool file_first;           /* what it removes is out of the start file */
	uint64_t headed;           /* of the zones, those whose SOA is in the command */
	bool headed_reverse;
	struct hf_ub_pace pace;
	struct hf_ub_pace pace_ptr;
	int64_t debt_us;     /* pause that is due */
	struct event *pause; /* owned */
};

/* Each second the canaries are asked for; ub_watch.c. */
struct hf_ub_watch {
	struct event *tick; /* owned */
	unsigned seq;       /* an answer to an earlier watch says nothing */
	unsigned asked;
	size_t left;
	unsigned silent; /* watches without an answer, in a row */
};

/* ub_verify.c */
struct hf_ub_verify {
	struct hf_expect *expect; /* lent until the answer */
	size_t n;
	struct hf_ub_check *checks; /* owned */
	size_t left;                /* answers that are still to come */
	int code;
};

/* The states that a person should know of. */
enum { HF_UB_WARN_NO_ANSWER, HF_UB_WARN_INCOMPLETE };

struct hf_ub {
	struct hf_adapter base;
	struct hf_ub_control *control; /* owned */
	struct hf_dns_client *looks;   /* owned: many questions about what a batch touches */
	struct hf_dns_client *asks;    /* owned: canaries, verify, doctor: few */
	struct hf_dns_pace dns_pace;   /* of both */
	uint32_t ttl_s;                /* of the zones below; base.ttl_s may be the next one */
	struct hf_ub_zone zones[HF_UB_ZONES_MAX];
	size_t n_zones;
	struct hf_name leaving[HF_UB_ZONES_MAX];
	size_t n_leaving;
	/* asked: its canary or SOA, and others' records at it */
	bool leaving_there, leaving_shared;
	hf_ub_step after_former;
	bool new_zones; /* base.suffixes wait for the end of a job */

	hf_ub_step then; /* the next step of the job under way */
	struct hf_ub_command command;
	bool want_complete;
	uint64_t generation;
	bool want_list;
	struct hf_ub_sums listed; /* records that the host was told by the list under way */

	struct hf_ub_session session;
	struct hf_ub_batch batch;
	struct hf_ub_watch watch;
	struct hf_ub_verify verify;
	struct hf_ub_doctor *doctor;         /* owned; NULL: nobody examines */
	struct hf_ub_start_file *start_file; /* owned; NULL: none configured */
};

static inline struct hf_ub *hf_ub_of(struct hf_adapter *a)
{
	return (struct hf_ub *)a;
}

/* --- ub_step.c --- */

void hf_ub_step_begin(struct hf_ub *a, hf_ub_step then);
/* One more to wait for; each ends with hf_ub_step_end(). */
void hf_ub_step_wait(struct hf_ub *a);
void hf_ub_step_end(struct hf_ub *a);
/* The first trouble of a job is kept. */
void hf_ub_step_fail(struct hf_ub *a, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* a->command, as a part of the step; a reply other than "ok" is trouble. */
void hf_ub_step_command(struct hf_ub *a);
/* The same of one with lines to add: trouble unless all of them were. */
void hf_ub_step_lines(struct hf_ub *a);
/* What a control socket's code means, as trouble of the job. */
void hf_ub_step_control_failed(struct hf_ub *a, int code);
/* The job is over: tell whoever waits, and begin the next one with hf_ub_job_next(). */
void hf_ub_job_end(struct hf_ub *a);
/* The job that waits, if none is under way. */
void hf_ub_job_next(struct hf_ub *a);

/* --- ub_zone_names.c --- */

/* Whether the name is below one of our zones, and not one itself. */
bool hf_ub_is_below(const struct hf_ub *a, const struct hf_name *name);
/* The zone that the name lies in, a place of a->zones; -1: none of ours. */
int hf_ub_zone_of(const struct hf_ub *a, const struct hf_name *name);
/* Returns 0, or a code if the zone's name is too long for that. */
int hf_ub_canary_name(const struct hf_name *zone, struct hf_name *ret_name);
int hf_ub_fill_name(const struct hf_name *zone, struct hf_name *ret_name);
/* With zone files it is the operator who has opened the reverse zone for ours. */
bool hf_ub_has_opened_reverse(const struct hf_ub *a);

/* --- ub_canary.c --- */

/* zone->canary, of a fill that begins. */
void hf_ub_canary_new(struct hf_ub_zone *zone);
/* What was seen is a canary with its mark, by whichever life of the bridge. */
bool hf_ub_canary_is_one(const struct hf_ub_zone *zone);
/* The canary that was seen is the one that is to be there. */
bool hf_ub_canary_is_there(const struct hf_ub_zone *zone);
/* The text of an answer that a canary may be, into zone->seen; "" where there is none. */
void hf_ub_canary_keep(struct hf_ub_zone *zone, const struct hf_asked *asked);
/* Asks for all canaries, and for the marks of all zones or of new ones alone; then `then`. */
void hf_ub_canaries_ask(struct hf_ub *a, bool marks, hf_ub_step then);

/* --- ub_session.c --- */

/* Then `then`, with a->base.job.code set where unbound cannot be fed. */
void hf_ub_session_ensure(struct hf_ub *a, hf_ub_step then);
void hf_ub_session_lost(struct hf_ub *a, const char *why);

/* --- ub_limit.c --- */

/* What unbound bears from one address (`ip-ratelimit`) becomes the pace's limit; then `then`. */
void hf_ub_limit_ask(struct hf_ub *a, hf_ub_step then);

/* --- ub_cover.c --- */

/* All local data into `known`, for the batch under way, if it is little; then `then`. */
void hf_ub_cover_data(struct hf_ub *a, hf_ub_step then);
/* The batch is over. */
void hf_ub_cover_data_end(struct hf_ub *a);
/* What the zones that are to be filled cover, into the fields of `known` and `has_below`. */
void hf_ub_cover_look(struct hf_ub *a, hf_ub_step then);
/* The type of the local zone while it is filled. */
const char *hf_ub_cover_type(const struct hf_ub *a, const struct hf_ub_zone *zone);
const char *hf_ub_cover_reverse_type(const struct hf_ub *a);
/* A command for this name goes out. */
void hf_ub_cover_touch(struct hf_ub *a, const struct hf_name *name);
/* It is filled, or unbound is another one. */
void hf_ub_cover_forget(struct hf_ub *a);

/* --- ub_zones.c --- */

void hf_ub_zones_complete(struct hf_ub *a);

/* --- ub_leave.c --- */

/* The last one of a->leaving. */
void hf_ub_zone_leave(struct hf_ub *a);

/* --- ub_former.c --- */

/* The SOA of the answer is ours. */
bool hf_ub_is_our_soa(const struct hf_asked *asked);
/*
 * Suffixes that start files name and that are not ours: the host is told of those that unbound
 * answers for; then `then`.
 */
void hf_ub_former_look(struct hf_ub *a, hf_ub_step then);

/* --- ub_watch.c --- */

void hf_ub_watch_ask(struct hf_ub *a);

/* --- ub_precheck.c: where the names of a batch stand --- */

void hf_ub_look_all(struct hf_ub *a, hf_ub_step then);

/* --- ub_apply.c --- */

void hf_ub_apply_begin(struct hf_ub *a);
void hf_ub_apply_go_on(struct hf_ub *a);
/* The batch's receipt, with the job's code. */
void hf_ub_apply_end(struct hf_ub *a);

/* --- ub_listing.c, ub_verify.c, ub_doctor.c, ub_setup.c --- */

void hf_ub_list_begin(struct hf_ub *a);
/* Our SOA, at the zone itself. */
bool hf_ub_list_has_soa(const char *listing, const struct hf_name *zone);
bool hf_ub_list_has_canary(const char *listing, const struct hf_name *zone);
/* Others have something at the zone itself. */
bool hf_ub_list_has_others_at(const char *listing, const struct hf_name *zone);
/* True: of the listing's records nothing but our SOA, canary and mark is at or below the zone. */
bool hf_ub_list_is_empty_below(const char *listing, const struct hf_name *zone);
void hf_ub_verify_begin(struct hf_ub *a, struct hf_expect *expect, size_t n);
void hf_ub_verify_free(struct hf_ub *a);
/* Gives the doctor's answer: begins to examine, or says that it has ended. From the loop. */
void hf_ub_doctor_turn(struct hf_ub *a);
void hf_ub_doctor_free(struct hf_ub *a);
void hf_ub_setup(
    const struct hf_config *config, const struct hf_config_adapter *adapter, FILE *out);

/* --- ub_start_file.c, ub_start_read.c --- */

int hf_ub_start_file_new(struct hf_ub *a, struct hf_ub_start_file **ret_file);
/* Writes what waits. NULL is fine, here as in all of these. */
void hf_ub_start_file_free(struct hf_ub_start_file *f);
/* Files without names if some are missing: unbound does not start without them. */
void hf_ub_start_file_prepare(struct hf_ub_start_file *f);
/* The zones are others now: what is being written begins again. */
void hf_ub_start_file_rezone(struct hf_ub_start_file *f);
/*
 * Names are about to be taken: the file is written without them first, if that takes no long time.
 * True: `then` is called from the loop when it is written, or cannot be.
 */
bool hf_ub_start_file_before_removal(struct hf_ub_start_file *f, hf_ub_step then);
/* Something was put into unbound; `removed`: something was removed there. */
void hf_ub_start_file_touched(struct hf_ub_start_file *f, bool removed);
/* What is in unbound is confirmed. */
void hf_ub_start_file_confirmed(struct hf_ub_start_file *f);
/*
 * At once, before the zone goes out of unbound: the names of zones that are no longer ours go out
 * of their files. Returns 0 or a code.
 */
int hf_ub_start_file_leave(struct hf_ub_start_file *f);
/*
 * Another configuration follows: files that it will not write are left without names. Nothing is
 * written any more.
 */
void hf_ub_start_file_succeed(struct hf_ub_start_file *f, const struct hf_config_unbound *next);
/*
 * zonefile: the suffix that has the file without a suffix in its name. False: it is not written
 * yet.
 */
bool hf_ub_start_file_zone(const char *path, struct hf_name *ret_zone);
/* Whether the suffix has a zone file under its own name beside that one. */
bool hf_ub_start_file_is_own(const char *path, const struct hf_name *zone);
/*
 * Tells cb a slice of what is in the files that were not written in this life, and of those that
 * were there before this life wrote them; pointers first. Returns 1 (more), 0 (that was all), or a
 * code.
 */
int hf_ub_start_file_read(struct hf_ub_start_file *f, hf_record_cb cb, void *arg);
/*
 * Suffixes that are not ours, and that a file names, or named when it was replaced: unbound has
 * read it, perhaps. Finds them in the folder as it is now.
 */
void hf_ub_start_former_find(struct hf_ub_start_file *f);
/* One of them; false: there is none. */
bool hf_ub_start_former_get(const struct hf_ub_start_file *f, struct hf_name *ret_zone);
/* That one is dealt with. */
void hf_ub_start_former_drop(struct hf_ub_start_file *f);
/* Each second: was it removed, is it late? */
void hf_ub_start_file_tick(struct hf_ub_start_file *f);
