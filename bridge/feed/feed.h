/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * feed: drives one adapter, so that its resolver has what the store has. It keeps the adapter's
 * cursor and what is owned there in the store, catches up from the change log or compares all, and
 * does both in one order: put, confirm, take. Nothing that is not its own is ever taken.
 *
 * It has no loop and no sockets: whoever drives it calls hf_feed_work() when that asks for it and
 * after wake(). Each call is one slice of some milliseconds. Feeds know nothing of each other.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"

struct hf_feed; /* opaque */
struct hf_store;

struct hf_feed_env {
	struct event_base *base; /* borrowed: for the adapter */
	const struct hf_clock *clock;
	struct hf_store *store;
	/* hf_feed_work() is due. Called from within the loop, any number of times. */
	void (*wake)(void *arg);
	/* Fills *ret_subject, texts lent for the call. False: not known. May be NULL. */
	bool (*subject)(void *arg, const struct hf_record *record, struct hf_subject *ret_subject);
	void *arg;
};

struct hf_feed_conf {
	const char *name;   /* copied */
	const char *ledger; /* copied: by which the store knows it; NULL: the name */
	const struct hf_adapter_type *type;
	const struct hf_config_adapter *config; /* borrowed until hf_feed_free() */
	int64_t verify_ms;  /* a round of asking for all names takes so long, or longer */
	int64_t floor_ms;   /* waits after failures: from this ... */
	int64_t cap_ms;     /* ... doubling to this */
	int64_t failed_ms;  /* so long without success: the state is failed */
	int64_t skipped_ms; /* what others had, or did not fit, is tried again after this */
};

/* Opens the adapter. What the resolver is to have is looked at in hf_feed_work(). */
int hf_feed_new(
    const struct hf_feed_env *env, const struct hf_feed_conf *conf, struct hf_feed **ret_feed);
/*
 * Writes what is not written yet and closes the adapter; the resolver keeps what it has. NULL is
 * fine.
 */
void hf_feed_free(struct hf_feed *f);

/* Another name in status and log; the store goes on to know it by the ledger's. */
void hf_feed_rename(struct hf_feed *f, const char *name);

/* hf_feed_free() follows, and another feed goes on with the same resolver by that configuration. */
void hf_feed_succeed(struct hf_feed *f, const struct hf_config_adapter *next);

/* The suffixes that are ours now, and the TTL of all names. */
void hf_feed_set_zones(struct hf_feed *f, const struct hf_name *suffixes, size_t n, uint32_t ttl_s);

/*
 * One slice. The milliseconds until it wants to be called again; 0: at once, -1: when something
 * happens (wake(), a commit of the store, one of the calls below).
 */
int64_t hf_feed_work(struct hf_feed *f);

/*
 * Everything is put anew, whatever is believed to be there, and what should not be there is looked
 * for and taken.
 */
void hf_feed_refill(struct hf_feed *f, const char *why);

/*
 * Asks the resolver: for a sample, or for all that is owned and for what should not be there.
 * hf_feed_status() tells how far it is.
 */
void hf_feed_verify(struct hf_feed *f, bool full);

/* From now on nothing is put any more and all that is owned is taken. */
void hf_feed_clean(struct hf_feed *f);
/* It is done: nothing is left there, and the store knows the adapter no longer. */
bool hf_feed_is_clean(const struct hf_feed *f);

/* The names that may still be there of a ledger that no feed goes on with. */
uint64_t hf_feed_left(struct hf_store *store, const char *ledger);

enum hf_feed_state { HF_FEED_SYNCED, HF_FEED_APPLYING, HF_FEED_RETRYING, HF_FEED_FAILED };
const char *hf_feed_state_name(enum hf_feed_state state); /* "synced", ... */

enum {
	HF_FEED_WARNINGS_MAX = 8,
	HF_FEED_TEXT_MAX = 256,
	HF_FEED_WHY_MAX = 640, /* a name, and what the adapter says of it */
};

struct hf_feed_warning {
	char code[32];
	char text[HF_FEED_TEXT_MAX];
	int64_t since_s; /* wall clock */
};

/* What asking the resolver has shown. */
struct hf_feed_check {
	uint64_t number; /* of the last one that was asked for by hf_feed_verify() */
	bool running;
	bool full;
	bool listing; /* it is not known yet what is there that should not be */
	uint64_t asked, right, wrong, foreign, silent;
	int64_t unexpected; /* names that should not be there; -1: not looked for, or not known */
};

struct hf_feed_status {
	const char *name; /* lent by the feed, as all texts */
	const char *type;
	enum hf_feed_state state;
	int64_t since_s; /* wall clock */
	uint64_t generation;
	uint64_t owned;   /* names there that are ours */
	uint64_t skipped; /* names that others have there too, or that do not fit */
	uint64_t leaving; /* found there and not wanted, still to be taken */
	/* names that are tried again by themselves; a reason "'NAME': TEXT", "" if none is known */
	uint64_t failing;        /* the adapter could not put or take them */
	const char *failing_why; /* of the first */
	uint64_t stuck;          /* they were taken, and are not seen to be gone */
	const char *stuck_why;
	int verified;      /* 1: the last question was answered right, 0: wrong, -1: none yet */
	unsigned attempts; /* without success, in a row */
	const char *last_error; /* "" if the last attempt succeeded */
	int64_t next_try_ms;    /* from now; -1: none is waited for */
	int64_t round_ms;       /* in this time each name is asked for once */
	const struct hf_feed_warning *warnings;
	size_t n_warnings;
	struct hf_feed_check check;
};
void hf_feed_status(struct hf_feed *f, struct hf_feed_status *ret_status);
