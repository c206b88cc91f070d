/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * adapter: the one interface between the feed and whatever puts names into a resolver. A type of
 * adapter is a const struct of functions with a name; an adapter is one entry of the configuration.
 *
 * The feed decides what is to be so, in which order, and when to try again; it keeps the cursor and
 * knows what is owned. An adapter knows no store and no other adapter: it does to its resolver what
 * a batch says, only that, and says how far it came. Batches come in order, each after the receipt
 * of the last. Applying one again must be harmless: the feed does it whenever it is in doubt.
 *
 * Everything runs on the loop and nothing blocks. Each of apply(), list(), verify() and doctor()
 * ends with exactly one answer to the host, from the loop, never from within the call, and none
 * after close(). A call of one kind is not repeated before its answer; verify() and doctor() may
 * come while apply() is under way.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "zone/addr.h"
#include "zone/name.h"

struct event_base;
struct hf_adapter; /* the type's own */
struct hf_clock;
struct hf_config;         /* config/config.h */
struct hf_config_adapter; /* config/config.h */

struct hf_record {
	struct hf_name name;
	uint8_t addr[16];
	bool primary; /* the PTR of the address points to this name */
};

/*
 * Whose name it is, for the hook's environment. Lent as the batch is; NULL where it is not known.
 */
struct hf_subject {
	const char *source;
	const char *owner;
	const char *workspace;
	const char *agent;
	const char *agent_id;
	bool held;
};

enum hf_change_op {
	HF_CHANGE_PUT,  /* the name is to have this address and no other of ours */
	HF_CHANGE_TAKE, /* what we put there for this name and address is to go */
};

struct hf_change {
	enum hf_change_op op;
	struct hf_record record;
	bool had; /* PUT: we own the name with the address `was`, which goes if it is another one */
	uint8_t was[16];
	struct hf_subject subject;
};

struct hf_batch {
	const struct hf_change *at; /* lent until the receipt; a name is in it once */
	size_t n;                   /* 0: there is nothing to do but what zones() asked for */
	uint64_t generation; /* what the resolver has when the last change of it is in force; the
				same for all batches of one catching up */
};

enum hf_fate {
	HF_FATE_DONE,
	HF_FATE_CLASH, /* somebody else's record has the name: left alone, and the rest went on */
	HF_FATE_UNFIT, /* the resolver cannot hold it (a limit of names, of length) */
	/*
	 * It could not be done, for a reason of its own, and may be done by half: the rest went on.
	 * The feed tries it again, by itself.
	 */
	HF_FATE_FAILED,
};

struct hf_receipt {
	size_t n_done;        /* the first so many of the batch have their fate */
	const uint8_t *fates; /* enum hf_fate of each of those; NULL: all done. Lent for the call */
	/* of each that failed, why, for people; NULL: nothing is known. Lent for the call */
	const char *const *whys;
	int code;          /* 0, or why the rest was not done: the feed tries it again */
	const char *text;  /* the same for people: what, where, what was expected; "" if code is 0.
			      Lent for the call */
	uint32_t pause_us; /* the resolver is to be left alone for so long */
	size_t next_max; /* as many changes are welcome in the next batch; 0: as many as in this */
};

/* What verify() is asked, and answers in `is`. */
struct hf_expect {
	struct hf_record record;
	bool absent; /* the name is not to have this address */
	enum hf_is {
		HF_IS_UNKNOWN, /* no answer */
		HF_IS_SO,
		HF_IS_NOT_SO,  /* missing, wrong, or still there */
		HF_IS_FOREIGN, /* others' data beside or instead of it */
	} is;
};

/* One finding of a doctor. `line` is what to add or do where something is wrong; "" otherwise. */
struct hf_finding {
	enum { HF_FINDING_GOOD, HF_FINDING_NOTE, HF_FINDING_BAD } grade;
	const char *text;
	const char *line;
};

typedef int (*hf_record_cb)(const struct hf_record *record, void *arg); /* non-zero ends the walk */
struct hf_record_walk;                                                  /* the host's */

/* The feed, as an adapter sees it. Outlives the adapter. */
struct hf_adapter_host {
	struct event_base *base;
	const struct hf_clock *clock;
	void *arg; /* first argument of all of these */

	void (*applied)(void *arg, const struct hf_receipt *receipt);
	/* Called any number of times with records, then once with n 0 and the outcome. */
	void (*listed)(
	    void *arg, const struct hf_record *records, size_t n, int code, const char *text);
	/* The array of the call, filled in. Another code: nothing was found out. */
	void (*verified)(void *arg, int code, const char *text);
	void (*found)(void *arg, const struct hf_finding *finding);
	void (*examined)(void *arg); /* the doctor has ended */

	/*
	 * The resolver lost what it had (restarted, reloaded, files changed): it is to be filled
	 * anew. Any time.
	 */
	void (*lost)(void *arg, const char *why);
	/*
	 * Within list(), before its answer: a suffix that was ours, and is none of zones() now, is
	 * in the resolver again; a file of an earlier state has brought it back. zones() is called
	 * from within, with it, until it is empty again.
	 */
	void (*former)(void *arg, const struct hf_name *suffix);
	/*
	 * A state that a person should know of; text NULL: it is over. `code` is one word. With
	 * the two codes below the adapter is not synced as long as it lasts.
	 */
	void (*warn)(void *arg, const char *code, const char *text);

	/*
	 * All that should be in the resolver now, in slices, for whoever writes whole files. step
	 * returns 1 (more), 0 (done), a code, or cb's non-zero value. -EAGAIN from new: not now,
	 * try later. Free it before close() returns.
	 */
	int (*walk_new)(void *arg, struct hf_record_walk **ret_walk);
	int (*walk_step)(struct hf_record_walk *walk, size_t max, hf_record_cb cb, void *cb_arg);
	void (*walk_free)(struct hf_record_walk *walk);
};

/* The resolver does not answer; it does not take what complete() has to do. */
#define HF_WARN_NO_ANSWER "no-answer"
#define HF_WARN_INCOMPLETE "incomplete"

struct hf_adapter_type {
	const char *name; /* as the configuration has it: "unbound" */

	/*
	 * Makes the adapter and touches nothing yet. Both arguments are borrowed until close().
	 * Another code than 0 is our own trouble (memory), not the resolver's: that one is met by
	 * apply().
	 */
	int (*open)(const struct hf_config_adapter *config, const struct hf_adapter_host *host,
	    struct hf_adapter **ret_adapter);
	/*
	 * Ends what is under way; the resolver is not touched, what it holds stays there. NULL is
	 * fine.
	 */
	void (*close)(struct hf_adapter *a);

	/*
	 * The same resolver goes on with another configuration, and close() follows: what this one
	 * keeps for it and the next one will not write is left without names. NULL: it keeps
	 * nothing.
	 */
	void (*succeed)(struct hf_adapter *a, const struct hf_config_adapter *next);

	/*
	 * Before the first batch, and whenever they change: the suffixes that are ours, and the
	 * TTL. A suffix that is no longer among them has been emptied by batches before: what is
	 * left of it (the zone itself) goes with the next batch or at once.
	 */
	void (*zones)(
	    struct hf_adapter *a, const struct hf_name *suffixes, size_t n, uint32_t ttl_s);

	/* lent until the receipt */
	void (*apply)(struct hf_adapter *a, const struct hf_batch *batch);
	/*
	 * All that is wanted is there and confirmed; nothing is under way. Called before a catching
	 * up takes the first of what is stale, after each catching up, and once in each life if
	 * there was nothing to catch up with: what the adapter itself keeps (files, what it knows
	 * of the resolver) is brought up to date then. NULL if there is nothing to do.
	 */
	void (*complete)(struct hf_adapter *a, uint64_t generation);

	/*
	 * All that the resolver holds below the suffixes of zones() and within our prefix, however
	 * it came there; what is known to be others' is left out. Called at the start of each life,
	 * after lost(), before a suffix leaves, and when somebody asks; never while apply() is
	 * under way. HF_ELIMIT: it is too much to be listed; what was told before counts. NULL:
	 * not cheap.
	 */
	void (*list)(struct hf_adapter *a);
	/*
	 * list() tells only what marks or file names show to be ours: what is not wanted goes,
	 * whatever its suffix.
	 */
	bool lists_only_ours;
	/* Ask the resolver itself. Lent until the answer. NULL: it cannot be asked. */
	void (*verify)(struct hf_adapter *a, struct hf_expect *expect, size_t n);

	/*
	 * Looks at the real thing. Also called in holdfastctl, on an adapter that was opened and
	 * nothing else.
	 */
	void (*doctor)(struct hf_adapter *a);
	/* What to put into the resolver's configuration. */
	void (*setup)(
	    const struct hf_config *config, const struct hf_config_adapter *adapter, FILE *out);
};

extern const struct hf_adapter_type hf_ub_adapter_type;
extern const struct hf_adapter_type hf_dnsmasq_adapter_type;
extern const struct hf_adapter_type hf_hosts_adapter_type;
extern const struct hf_adapter_type hf_hook_adapter_type;

/* Of an enum hf_adapter_kind; NULL: none of this kind is built in. */
const struct hf_adapter_type *hf_adapter_type(int kind);
