/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * feed_private: the feed itself, for the files of this room.
 *
 *   feed.c     new, free, what is wished, the one dispatcher, the choice of what to do next
 *   pass.c      one catching up: draw what is wanted, put it, confirm, take what is stale
 *   outbox.c    changes that wait for the adapter, and what its receipts say
 *   pass_confirm.c  asking the resolver, and what its answers mean for the run
 *   spot_check.c     asking it in turn for all that it should have
 *   pass_aside.c  names in trouble by themselves: set aside, tried again, told of
 *   adopt.c    what is there and in no row; what a run that was cut off left
 *   listed.c   what the adapter lists, until it is compared
 *   teardown.c    taking everything, and suffixes that are no longer ours
 *   feed_host.c     what the adapter is given
 *   feed_status.c   what is told of it
 */
#include "base/clock.h"
#include "base/log.h"
#include "bridge/feed/aside.h"
#include "bridge/feed/feed.h"
#include "bridge/feed/ledger.h"
#include "bridge/feed/listed.h"
#include "bridge/feed/wanted.h"
#include "bridge/feed/retry.h"
#include "zone/record.h"

enum {
	HF_FEED_SLICE_MS = 4,     /* how long one hf_feed_work() may hold the loop */
	HF_FEED_SAMPLE = 200,     /* names asked for after each apply */
	HF_FEED_CHUNK = 512,      /* intents written at once, and asked for after a crash */
	HF_FEED_BATCH_MAX = 4096, /* changes an adapter may ask for at once */
	HF_FEED_ASK_RATE = 350,   /* names a second, on the average, that are asked for in turn */
	HF_FEED_FLUSH_MS = 500,   /* a receipt waits for others so long */
	HF_FEED_BUSY_MS = 20,     /* the store is applying a changeset */
	HF_FEED_STORE_MS = 1000,  /* the store does not take it */
	HF_FEED_ALONE_MAX = 3,    /* attempts before one that fails alone makes way for news */
	HF_FEED_FAILED_MAX = 16,  /* so many that fail in a row are not by themselves in trouble */
	HF_FEED_ZONES_MAX = 2 * HF_ZONE_SOURCES_MAX,
};

enum hf_feed_phase {
	FEED_IDLE,
	FEED_LISTING,   /* the adapter tells what is there */
	FEED_COMPARING, /* which of it is in no row? */
	FEED_SEEKING,   /* of names that were removed: are they there? */
	FEED_SETTLING,  /* of rows of a run that was cut off: are they there? */
	FEED_DRAWING,   /* what is wanted, out of the store */
	FEED_PUTTING,
	FEED_CONFIRMING,
	FEED_TAKING,
	FEED_SEEING_OFF, /* is what was taken gone? */
	FEED_LEAVING,    /* suffixes that are no longer ours */
	FEED_EMPTYING,   /* all of it goes */
	FEED_CLEAN,      /* all of it is gone */
};

/* What verify() was called for. */
enum hf_feed_asking { ASK_NOTHING, ASK_RUN, ASK_SETTLE, ASK_LOOK, ASK_SEEK };

struct hf_pass {
	struct hf_wanted *picture;  /* owned; NULL: there is no run */
	struct hf_store_walk *walk; /* owned; only while it is drawn of everything */
	bool full;                  /* the picture is of all names: what is not in it goes */
	bool refill;                /* also what is believed to be there is put */
	bool fresh;      /* nothing was believed to be there, or all of it is put again */
	uint64_t target; /* the generation that the picture is of */
	uint8_t epoch[16];
	bool ended;           /* the pass over the picture is at its end */
	bool unconfirmed;     /* the last question was not answered as it should be */
	unsigned n_looked;    /* answers to whether what was taken is gone */
	bool completed;       /* the adapter was told that all is there, before the first take */
	struct hf_owned last; /* TAKING and EMPTYING: the row behind which to go on */
	bool has_last;
	uint64_t n_put, n_taken;
	int64_t begun_at;
};

struct hf_outbox {
	struct hf_change *changes; /* owned */
	uint8_t (*rows)[2];        /* owned: states until now of (name, addr) and of (name, was) */
	uint64_t *suspect;  /* owned: n_ok + 1 when a batch with it first failed; 0: none has */
	uint64_t n_ok;      /* changes that were done, so far */
	uint64_t n_ok_then; /* when one was last found to be at fault */
	size_t limit; /* changes in a batch, while it is found out which one fails; 0: any number */
	size_t n, size;
	size_t at;             /* those before have their fate */
	struct hf_batch batch; /* lent to the adapter until its receipt */
	size_t n_batch;        /* of it; 0: none is out */
	bool empty;            /* the batch of no changes is with the adapter */
	int64_t sent_at;       /* boottime at which the batch was handed over */
	unsigned n_failed;     /* that failed in a row, and had not failed before */
	bool announced;        /* the intents are written */
	size_t announced_to;
	char *texts; /* owned: of the batch's subjects */
};

/* What is there and in no row. */
struct hf_adoption {
	bool due;               /* the adapter is to list what is there */
	int64_t at;             /* boottime before which it is not asked again */
	struct hf_backoff wait; /* after a list that failed */
	bool lost;              /* the ledger is of another epoch, or there is none */
	bool asked;             /* the adapter is at it */
	bool whole;             /* all of it came */
	bool too_large;         /* it is more than can be listed */
	int rc;                 /* of keeping it */
	uint64_t check;         /* the verification that it is for; 0: none */
	struct hf_listed listed;
	char name[HF_FEED_TEXT_MAX]; /* one that was found; "": none */
};

/* Names where others' records were seen: in this round of questions, and in the one before. */
struct hf_foreign_seen {
	uint64_t now, before;
};

struct hf_feed {
	struct hf_feed_env env;
	char name[HF_TEXT_MAX];
	char who[HF_TEXT_MAX + 16]; /* "adapter 'NAME'" */
	const struct hf_adapter_type *type;
	struct hf_adapter *adapter; /* owned */
	struct hf_adapter_host host;
	int64_t verify_ms, skipped_ms;
	struct hf_ledger ledger;
	struct hf_retry retry;
	struct hf_aside aside;
	enum hf_feed_phase phase;
	enum hf_feed_state told_state;
	int64_t since_s;
	struct hf_fault store_fault;
	int64_t store_at; /* boottime before which the store is not tried again */

	/* suffixes */
	struct hf_name zones[HF_ZONE_SOURCES_MAX]; /* ours now */
	size_t n_zones;
	struct hf_name old[HF_ZONE_SOURCES_MAX]; /* the adapter was told, and names may be left */
	size_t n_old;
	uint32_t ttl_s;
	uint32_t told_ttl_s; /* 0: the adapter was told nothing yet */
	bool zones_changed;
	bool leave; /* it is to be seen whether any of `old` can go */

	/* wishes */
	bool refill, full;
	char why[HF_FEED_TEXT_MAX]; /* of the refill; "" once it was logged */
	bool clean;
	bool clean_looked;  /* what nobody knows of was looked for, before all of it is taken */
	bool unreached;     /* as that came, nothing of ours was there or had been tried */
	unsigned n_emptied; /* attempts to have the zones taken out since then */
	bool late;          /* nothing was finished since the start, or since this wish */
	bool completed;     /* the adapter's complete() was called in this life */

	struct hf_pass run;
	uint64_t n_runs; /* so far */
	struct hf_outbox todo;
	bool empty_done; /* the last batch of nothing was taken */
	size_t next_max;
	int64_t resume_at; /* boottime: the resolver is to be left alone until then */

	/* questions */
	enum hf_feed_asking asking;
	struct hf_expect expect[HF_FEED_SAMPLE]; /* with the adapter while asking */
	uint8_t expect_rows[HF_FEED_SAMPLE];     /* SETTLE: their states until now */
	size_t n_expect;
	struct hf_expect sample[HF_FEED_SAMPLE]; /* of this run */
	size_t n_sample;
	uint64_t sampled; /* out of so many */
	uint64_t random;

	/* looking */
	struct hf_wanted *repairs; /* owned; NULL: nothing is to be repaired */
	struct hf_owned look_last, look_before;
	bool has_look_last, had_look_before;
	uint64_t look_runs; /* f->n_runs when it was asked */
	int64_t look_at;    /* boottime */
	uint64_t look_left; /* of a full one: so many are still to be asked for */
	bool look_now;
	int verified;
	struct hf_feed_check check;
	struct hf_fault wrong;

	struct hf_foreign_seen foreign;

	struct hf_adoption adopt;
	int64_t skipped_at; /* boottime */
	int64_t skipped_wait_ms;
	char skipped_name[2][HF_FEED_TEXT_MAX]; /* the last one that clashed, that did not fit */
	struct hf_fault skipped_fault[2];
	struct hf_fault aside_fault[2]; /* of those that fail, that are stuck */
	char aside_why[2][HF_FEED_TEXT_MAX];
	struct hf_feed_warning warnings[HF_FEED_WARNINGS_MAX]; /* of the adapter */
	size_t n_warnings;
	const char *unwell; /* one of them: the resolver does not answer, or takes nothing; NULL */
};

#define HF_FEED_WARN_NOT_ADOPTED "not-adopted"
#define HF_FEED_WARN_UNEXPECTED "unexpected-names"
#define HF_FEED_WARN_CLASH "clash"

/* What a step says: the milliseconds to wait, HF_FEED_AGAIN, or HF_FEED_EVENT. */
enum { HF_FEED_AGAIN = 0, HF_FEED_EVENT = -1 };

/* feed.c */
void hf_feed_enter(struct hf_feed *f, enum hf_feed_phase phase);
/* An attempt failed; what it was is tried again by the table. */
void hf_feed_failed(struct hf_feed *f, int code, const char *text);
/* The store refused: -EBUSY is nothing to speak of. Returns how long to wait. */
int64_t hf_feed_store_failed(struct hf_feed *f, int code);
/*
 * All that is wanted is there and confirmed: the adapter is told, also if nothing had to be done.
 */
void hf_feed_complete(struct hf_feed *f, uint64_t generation);
/*
 * Writes what waits, if there is so much that it is worth it. 0, or the wait + 1 where it cannot be
 * written and nothing more may be added.
 */
int64_t hf_feed_flush(struct hf_feed *f, bool all);
static inline int64_t hf_feed_now(const struct hf_feed *f)
{
	return hf_boot_ms(f->env.clock);
}

/* pass.c */
int64_t hf_pass_begin_full(struct hf_feed *f, bool refill);
/* Changes since the cursor. -ESTALE: it has to be a full one. */
int64_t hf_pass_begin_log(struct hf_feed *f);
int64_t hf_pass_begin_repairs(struct hf_feed *f);
int64_t hf_pass_draw(struct hf_feed *f);
int64_t hf_pass_put(struct hf_feed *f);
int64_t hf_pass_take(struct hf_feed *f);
void hf_pass_finish(struct hf_feed *f);
void hf_pass_drop(struct hf_feed *f);

/* outbox.c */
int hf_outbox_push(struct hf_feed *f, const struct hf_change *change, uint8_t row, uint8_t row_was);
bool hf_outbox_is_empty(const struct hf_feed *f);
/* As many are to be gathered before they are applied. */
size_t hf_outbox_room(const struct hf_feed *f);
/* Announces what is put, and hands the next batch over. What a step says. */
int64_t hf_outbox_send(struct hf_feed *f);
/* A batch of nothing. */
void hf_outbox_send_empty(struct hf_feed *f);
void hf_outbox_drop(struct hf_feed *f);
void hf_outbox_applied(struct hf_feed *f, const struct hf_receipt *receipt);
bool hf_outbox_is_out(const struct hf_feed *f); /* a batch is with the adapter */

/* pass_aside.c */
/* ROW_FAILED or ROW_STUCK: `before` is the row's state until now. 0 or -ENOMEM. */
int hf_pass_set_aside(struct hf_feed *f, const struct hf_change *change, uint8_t before,
    enum hf_row row, const char *why);
/* The row has left that state. */
void hf_pass_not_aside(struct hf_feed *f, const struct hf_name *name, const uint8_t addr[16]);
/* Adds those that are due to the picture. 0 or a code. */
int hf_pass_draw_aside(struct hf_feed *f);
/* Names that wait by themselves. */
uint64_t hf_pass_n_aside(const struct hf_feed *f);
/* "'NAME': TEXT" of the first one, "" if none is known. */
const char *hf_pass_aside_why(struct hf_feed *f, enum hf_row row);
void hf_pass_tell_aside(struct hf_feed *f);

/* pass_confirm.c */
void hf_pass_sample_add(struct hf_feed *f, const struct hf_record *record, bool absent);
void hf_feed_ask(struct hf_feed *f, enum hf_feed_asking why);
int64_t hf_pass_confirm_step(struct hf_feed *f);
void hf_pass_confirm_answered(struct hf_feed *f, int code, const char *text);
/* Tallies the answers to f->expect. */
struct hf_feed_tally {
	size_t right, wrong, foreign, silent;
	size_t first_bad; /* of wrong, else silent; n_expect: none */
};
void hf_feed_tally(const struct hf_feed *f, int code, struct hf_feed_tally *ret_tally);

/* spot_check.c */
int64_t hf_spot_check_wait(struct hf_feed *f); /* until the next question */
int64_t hf_spot_check_step(struct hf_feed *f);
void hf_spot_check_answered(struct hf_feed *f, int code, const char *text);
int64_t hf_spot_check_round_ms(const struct hf_feed *f);
void hf_spot_check_restart(struct hf_feed *f); /* from the first name on */
void hf_spot_check_passed(struct hf_feed *f);  /* a pass is through */
/* Names where others' records were seen beside or instead of ours. */
uint64_t hf_spot_check_foreign(const struct hf_feed *f);
/* So many are there that should not be; -1: it cannot be told. */
void hf_spot_check_counted(struct hf_feed *f, int64_t n);

/* adopt.c */
void hf_adopt_want(struct hf_feed *f);          /* something may be there that nobody knows of */
int64_t hf_adopt_wait(const struct hf_feed *f); /* until the adapter is to list */
int64_t hf_adopt_list(struct hf_feed *f);
void hf_adopt_listed(
    struct hf_feed *f, const struct hf_record *records, size_t n, int code, const char *text);
int64_t hf_adopt_compare(struct hf_feed *f);
void hf_adopt_drop(struct hf_feed *f);
/* Of names that were removed, where not all can be listed: are they there? */
int64_t hf_adopt_seek(struct hf_feed *f);
void hf_adopt_sought(struct hf_feed *f, int code, const char *text);
/* A full pass has put all that is wanted: what is stale now is to go. */
void hf_adopt_taking(struct hf_feed *f);
void hf_adopt_finished(struct hf_feed *f); /* a pass is through */
int64_t hf_adopt_settle(struct hf_feed *f);
void hf_adopt_settled(struct hf_feed *f, int code, const char *text);

/* teardown.c */
int64_t hf_teardown_step(struct hf_feed *f);
/* Nothing was ever put there, and the last attempt to reach it failed. */
bool hf_teardown_is_unreached(const struct hf_feed *f);
/* Tells the adapter the suffixes if they changed. */
void hf_feed_zones_tell(struct hf_feed *f);
int hf_feed_zones_load(struct hf_feed *f);
/* After a run: are there suffixes that can go? 1: the phase is LEAVING now. */
int hf_feed_zones_leave(struct hf_feed *f);
int64_t hf_feed_zones_leaving(struct hf_feed *f);
bool hf_feed_zones_have(const struct hf_feed *f, const struct hf_name *name);

/* feed_host.c */
void hf_feed_host(struct hf_feed *f);
/* One of the feed itself; as an adapter's. */
void hf_feed_warn(struct hf_feed *f, const char *code, const char *text);
void hf_feed_wake(struct hf_feed *f);
