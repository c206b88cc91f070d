/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_world: a client, all that it touches, and the rules that hold whatever happens. The world has
 * what stands above the client (a caller that is busy, judges messages, has a token or none) and
 * the servers below it, and notes what the rules need. One world at a time.
 */
#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bridge/stream/client/client.h"
#include "bridge/stream/client/http.h"
#include "tests/unit/client/kit_coder.h"
#include "tests/unit/client/kit_famine.h"
#include "tests/unit/prng.h"

enum { WORLD_DIALS_MAX = 64 };

struct world {
	struct prng rng;
	struct hf_stream_settings settings;
	struct hf_http *http;
	struct hf_client *client;
	struct hf_client_status was, is; /* before and after the last step */
	enum hf_problem_code was_problem;
	struct coder *coder; /* of the open connection; NULL: there is none */
	unsigned n_users;    /* of the server */

	/* the caller */
	bool busy;
	bool goes_on;  /* an update is the caller's */
	int judged;    /* the owner of the snapshot that is judged; -1: it is a change */
	unsigned luck; /* in 100, by which the caller says yes and REST answers well */
	unsigned
	    diligence; /* in 100, by which servers and caller do their work at once; 0: never */
	unsigned rest_luck; /* in 100, by which REST then answers well */
	bool hungry;        /* allocations fail now and then */
	bool quiet;         /* mostly time passes */
	bool restless;      /* the caller wants snapshots out of turn */
	unsigned pongs;     /* in 100, by which a step of the stream answers a ping */

	/* when things happened, for the rules */
	int64_t busy_ms;     /* last moment at which it was busy */
	int64_t progress_ms; /* the server did something */
	int64_t since_ms;    /* the state began */
	int64_t interval_ms; /* the longest that the settings had: what is planned stays so */
	int64_t asked_ms;    /* REST was asked for the first thing */
	/* Free time of a live client, since the last call of an owner and the last question: */
	int64_t idle_ms[CODER_OWNERS_MAX], rest_idle_ms;
	int64_t settled_ms;             /* the last step ended ... */
	bool was_free;                  /* ... live, neither busy nor stopped */
	int64_t dials[WORLD_DIALS_MAX]; /* a ring */
	size_t n_dials;
	int64_t redial_ms;     /* another connection was asked for; 0: it came */
	int64_t kept_ms;       /* a server asked to be left alone until then */
	int64_t refused_ms[2]; /* the token was refused, last and before it; 0: it was not */
	bool forced;           /* the operator asked for a connection: no wait is kept */
	bool bad_answer;       /* REST has not told all, in this inquiry */
	int64_t accepted[CODER_OWNERS_MAX]; /* the connection (when it was asked for) of the last */
	int64_t connected_ms;               /* of the connection whose message is judged */
	int64_t identified_ms; /* what REST said last and was accepted was asked then */
	int64_t full_ms;       /* last moment at which the client could send no more */
	uint64_t n_failed;     /* attempts and connections, in all */
	size_t n_dials_seen;

	uint64_t seed, step; /* for the reader of a failure */
	unsigned states;     /* bits: those that were seen ... */
	uint64_t codes;      /* ... and the problems */
};

extern struct world world;

/* Says how to walk the same life again. */
#define WORLD_RULE(holds, ...)                                                                     \
	do {                                                                                       \
		if (!(holds)) {                                                                    \
			char why_[200];                                                            \
			snprintf(why_, sizeof(why_), __VA_ARGS__);                                 \
			ck_abort_msg("HF_WALK_SEED=%llu step %llu, %s: %s",                        \
			    (unsigned long long)world.seed, (unsigned long long)world.step,        \
			    hf_client_state_name(world.is.state), why_);                           \
		}                                                                                  \
	} while (0)

/* A world of its own for each seed: other limits, owners, luck. */
void world_begin(uint64_t seed);
void world_end(void);
/* Calls the client, which may then find no memory. */
#define WORLD_CALL(call)                                                                           \
	do {                                                                                       \
		famine_set(true);                                                                  \
		call;                                                                              \
		famine_set(false);                                                                 \
	} while (0)
/* Runs what is due at this moment, and holds the rules. */
void world_settle(void);
/* Time passes; all that is due meanwhile happens in its order. */
void world_pass(int64_t ms);
/* In `percent` of all cases. */
bool world_likely(unsigned percent);
int64_t world_now(void);

/* The connection may be replaced: somebody asked for another. */
void world_excuse(void);

/* --- kit_world_rest.c --- */

/* Answers one transfer as a server may. */
void world_rest_answer(size_t transfer, bool well);
/* Looks at transfers that are new. */
void world_rest_look(void);

/* What servers and caller do at once, if they are diligent. False: nothing. */
bool world_serve(void);

/* --- kit_world_rules.c --- */

/* Time passed. It counts only while the client may do what is due. */
void world_note_idle(void);
/* `cut`: the connection that ended in this step; NULL: none did. */
void world_rules(const struct coder *cut);
