/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * feed_kit: a feed on a store of its own, with a resolver that is a table, all on a fake clock.
 * What the resolver is told and asked is answered step by step, so that a test can stop, fail or
 * kill at each of them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/feed/feed_private.h"
#include "tests/unit/store/store_kit.h"

enum { DESK_NAMES = 64, DESK_LOG = 4096 };

/* What stands in the resolver. */
struct desk_record {
	char name[80];
	uint8_t addr;
	bool primary;
	bool foreign; /* somebody else put it there */
};

struct desk_resolver {
	struct desk_record *at; /* owned */
	size_t n, size;
	/* what it does */
	int fail;        /* each apply fails with this; 0: none does */
	size_t take_max; /* changes of a batch that it takes; 0: all */
	uint32_t pause_us;
	size_t next_max;
	size_t room;     /* more names do not fit; 0: any number */
	bool silent;     /* answers no question */
	int verify_code; /* nothing can be asked */
	bool refuses_list;
	int list_code;      /* the list ends with this ... */
	size_t list_max;    /* ... after so many records; 0: none */
	bool lazy;          /* says that it did none of it, and no more */
	bool mute;          /* never answers a question */
	bool deaf;          /* never answers apply */
	bool forgetful;     /* says done, and does nothing */
	const char *fails;  /* what it is told of names with this in them fails; NULL: none */
	const char *clings; /* such names are taken and answered all the same */
	const char *loses;  /* such names are said to be put, and are not there */
	uint32_t slow_ms;   /* a change that fails takes so long */
	const char *poison; /* a batch with such a name fails, as a whole or ... */
	bool poison_late;   /* ... from there on */
	/* what was done to it */
	unsigned n_applies, n_puts, n_takes, n_failed, n_verifies, n_asked, n_lists, n_completes,
	    n_zones, n_empty;
	size_t largest_batch;
	unsigned unconfirmed; /* put since it was last asked */
	struct hf_name zones[8];
	size_t n_told;
	uint32_t ttl_s;
	char log[DESK_LOG]; /* "put a.coder 1;take b.coder 2;..." */
	char subjects[DESK_LOG];
	/* under way */
	const struct hf_batch *batch; /* lent until the receipt; NULL: none */
	size_t done;                  /* changes of it that are in force */
	struct hf_expect *expect;
	size_t n_expect;
	bool listing;
};

struct desk_wanted {
	char name[80];
	uint8_t addr;
	uint8_t flags;
};

struct desk {
	struct fixture fx;
	struct hf_feed *feed; /* NULL while it is killed */
	struct hf_feed_conf conf;
	struct hf_adapter_type type;
	struct desk_resolver r;
	const struct hf_adapter_host *host;
	/* what the store has, and what changes with the next commit */
	struct desk_wanted wanted[DESK_NAMES];
	size_t n_wanted;
	struct hf_name_change changes[DESK_NAMES];
	size_t n_changes;
	bool check_order; /* a take finds everything wanted in place and confirmed */
	unsigned violations;
	bool woken;
	bool with_subject;
	bool source_written;
	bool withdrawn;
};

void desk_init(struct desk *d);
void desk_done(struct desk *d);
void desk_start(struct desk *d); /* the feed */
void desk_stop(struct desk *d);  /* as the bridge ends */
void desk_kill(struct desk *d);  /* as a SIGKILL ends it; the store is opened again */
/* The store is lost: another one with the same names in its place. */
void desk_lose_store(struct desk *d);

/* With the next commit; addresses are a last byte. */
void desk_set(struct desk *d, const char *name, uint8_t addr, uint8_t flags);
void desk_del(struct desk *d, const char *name);
void desk_commit(struct desk *d);

/* One step of the feed or the resolver. False: nothing is left but to wait. */
bool desk_step(struct desk *d);
/* So much fake time. */
void desk_run(struct desk *d, int64_t ms);
/* Until the feed says that it is synced; at most ten minutes. */
void desk_settle(struct desk *d);

void desk_foreign(struct desk *d, const char *name, uint8_t addr);
void desk_unforeign(struct desk *d, const char *name);
/* Ours by its looks, and nobody knows how it came. */
void desk_ghost(struct desk *d, const char *name, uint8_t addr, bool primary);
void desk_remove(struct desk *d, const char *name); /* by other hands */
void desk_restart(struct desk *d);                  /* the resolver loses all that was put */
const struct desk_record *desk_find(const struct desk *d, const char *name, bool foreign);
/* The resolver has exactly what is wanted (and what others put there). */
void desk_check(const struct desk *d);
struct hf_feed_status desk_status(const struct desk *d);
void desk_clear_log(struct desk *d);
