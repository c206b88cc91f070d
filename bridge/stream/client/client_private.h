/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * client_private: what the files of the client share. client.c has the states and the way to the
 * server, client_session.c what comes over an open connection, client_owners.c whose snapshots are
 * taken when, client_disputes.c the question whose a workspace is. A file calls only files that
 * stand before it below; client.c stands above all of them and hears of them by hf_client_reports.
 */
#include <event2/event.h>

#include "base/backoff.h"
#include "base/log.h"
#include "bridge/stream/client/inquiry.h"
#include "bridge/stream/client/client.h"
#include "bridge/stream/client/owner_stream.h"
#include "bridge/stream/client/header_command.h"
#include "bridge/stream/client/link.h"
#include "bridge/stream/wire/patience.h"
#include "bridge/stream/client/dial.h"
#include "bridge/stream/client/host_lookup.h"
#include "bridge/stream/wire/stack.h"

enum { HF_OPENING_MAX = 8 };   /* calls at once whose snapshot is to come */
enum { HF_DISPUTES_MAX = 32 }; /* questions that are remembered */
enum { HF_DIALS_MAX = 1000 };  /* what retry.per_minute may be */

/* How far CONNECTING has come. */
enum client_at {
	AT_RESOLVE,
	AT_HEADERS,
	AT_ASK,
	AT_TELL, /* what the server told waits to be handed on */
	AT_DIAL,
	AT_UPGRADE,
	AT_FIRST, /* open; no snapshot was accepted yet */
};

/* The question whose a workspace is. */
struct hf_dispute {
	struct hf_dial *race;     /* owned; NULL: nothing is asked */
	struct hf_uuid workspace; /* asked for last */
	struct hf_uuid owner;     /* answered; zero: there is no such workspace */
	bool answered;            /* and not told yet */
	char path[96];            /* of the question */
	int64_t next_ms;          /* not before; 0: at once */
	struct {
		struct hf_uuid workspace;
		int64_t at_ms;
	} asked[HF_DISPUTES_MAX];
};

/*
 * What an open connection reports to client.c, which alone changes the state. All are set. After
 * failed(), and perhaps after outdated(), the connection is freed: c->stack is NULL then.
 */
struct hf_client_reports {
	/* The connection is over. */
	void (*failed)(struct hf_client *c, const struct hf_problem *problem);
	/* The first snapshot of the connection was accepted. */
	void (*live)(struct hf_client *c);
	/* Live for retry.steady_ms. */
	void (*steady)(struct hf_client *c);
	/* A new connection is to take the place of this one. */
	void (*outdated)(struct hf_client *c);
	/* REST is to be asked again. */
	void (*refresh_due)(struct hf_client *c);
	/* hf_client_stream_next() may be another moment now. */
	void (*due_changed)(struct hf_client *c);
};

struct hf_client {
	struct hf_http *http; /* borrowed, as the three below */
	const struct hf_clock *clock;
	const struct hf_stream_settings *settings;
	const struct hf_client_ops *ops;
	const struct hf_client_reports *reports; /* static */
	void *arg;
	struct event *timer; /* owned: whatever is due next */

	enum hf_client_state state;
	enum client_at at; /* in CONNECTING */
	struct hf_problem problem;
	struct hf_fault fault;
	struct hf_fault owner_fault; /* some owner cannot be followed */
	bool steady;                 /* live for long enough to forget what was before */
	int64_t since_ms, since_wall_s;
	int64_t contact_wall_s;
	int64_t next_try_ms;         /* in all states that wait */
	int64_t event_ms;            /* when an event last ended a wait */
	int64_t kept_ms;             /* events do not end a wait before: somebody said how long */
	int64_t dials[HF_DIALS_MAX]; /* when the last ones began, in a ring */
	size_t n_dials;
	unsigned attempts;
	struct hf_backoff backoff;
	bool fresh_token; /* a refused token was read again once already */
	unsigned warned;  /* of the token's end: 1: 7 days, 2: 1 day, 3: over */

	/* the way there */
	struct hf_target target;
	struct hf_addresses addresses;  /* being tried */
	struct hf_addresses good;       /* worked last */
	struct hf_host_lookup *resolve; /* owned, as all below; NULL while not in use */
	struct hf_header_command *command;
	struct hf_inquiry *ask;
	struct hf_dial *dial;
	struct hf_server_info *told; /* of this connection or the last */
	bool told_new;               /* it waits to be handed on */
	struct hf_owner_info *all;   /* the last listing of all users ... */
	size_t n_all;
	int64_t all_ms; /* ... and when it was made */

	/* the stream */
	struct hf_stack *stack;
	struct hf_link *link;
	struct hf_problem broken; /* how the link broke; code NONE: it did not */
	bool held;                /* it is not read: busy */
	struct hf_client_taken {
		uint32_t call;
		bool opening; /* it is the snapshot of the owner's opening call */
		size_t n_workspaces, n_agents;
	} taken;                        /* a message that goes on while busy() ... */
	bool goes_on;                   /* ... if there is one */
	bool goaway;                    /* no new call is possible on this connection */
	int64_t opened_ms;              /* the upgrade was begun, or ended */
	int64_t connected_ms;           /* the upgrade was asked for: rights are of then */
	int64_t ping_ms;                /* the next is due */
	bool pinged;                    /* and not answered yet */
	struct hf_patience pong;        /* then: with the connection's bytes */
	int64_t doubt_ms;               /* some byte must have come by then; 0: as usual ... */
	uint64_t doubt_at;              /* ... after so many */
	int64_t refresh_ms;             /* when REST is asked next */
	int64_t reconnect_ms;           /* a new connection is wanted, then; 0: not */
	int64_t redial_ms;              /* it is decided, and begins then; 0: not */
	char rights[HF_RIGHTS_MAX];     /* of this connection, as REST said before it */
	struct hf_owner_stream *owners; /* owned */
	size_t n_owners;
	struct hf_owner_stream **by_id; /* owned: the same, in the order of their ids */
	struct hf_owner_stream *opening[HF_OPENING_MAX]; /* whose snapshot is to come */
	size_t n_opening;
	size_t turn;            /* whose call is made next, if one is wanted */
	bool any_wanted;        /* some may be wanted */
	size_t asked;           /* the owner whom the state is asked about next */
	size_t n_to_ask;        /* so many more, since something changed */
	int64_t owners_next_ms; /* nothing is due of an owner before */
	size_t n_settled;       /* of those before it all are live */
	uint32_t *by_call;      /* owned: owner + 1, by a hash of the call's number ... */
	size_t by_call_mask;    /* ... of so many places, less one */
	size_t n_by_call;
	bool settled; /* told */
	struct hf_dispute dispute;
	uint64_t refused;
	uint64_t problems[HF_PROBLEM_LAST];
	uint64_t troubles[HF_STREAM_FAULT_LAST];
};

/* --- client_random.c --- */

/* Fills `out`. Returns 0 or -1; `arg` is not used: the stack calls it. */
int hf_client_random(void *arg, uint8_t *out, size_t len);
/* Some moment of [from, to], at random. */
int64_t hf_client_between(int64_t from_ms, int64_t to_ms);

/* --- client_owners.c --- */

/*
 * Owners as told: new ones are added; missing ones are stopped if the list is complete. At most
 * `max` are followed, which `told` does not exceed. 0 or -ENOMEM.
 */
int hf_client_set_owners(struct hf_client *c, const struct hf_server_info *told, size_t max);
/* Whose call it is; NULL: nobody's. */
struct hf_owner_stream *hf_client_owner_of(struct hf_client *c, uint32_t call);
/* Tells settled() once all owners have a snapshot of this connection. */
void hf_client_check_settled(struct hf_client *c);
/* Some owner has no snapshot of this connection any more. */
void hf_client_unsettle(struct hf_client *c);
/* Sends as many calls as may be under way. */
void hf_client_open_calls(struct hf_client *c, int64_t now_ms);
/* The snapshot of the opening call was accepted. */
void hf_client_accepted(struct hf_client *c, struct hf_owner_stream *f);
/* A snapshot out of turn, unless there was one not long ago. */
void hf_client_want_again(struct hf_client *c, struct hf_owner_stream *f);
/* The opening call is given up. */
void hf_client_give_up(struct hf_client *c, struct hf_owner_stream *f);
/*
 * What becomes of an owner whose opening call is over without a snapshot, or of one of whose calls
 * the server ended: it is asked again. Returns false if nobody has a stream or may get one: then
 * the caller lets the connection fail with `problem`.
 */
bool hf_client_snapshot_failed(
    struct hf_client *c, struct hf_owner_stream *f, const struct hf_problem *problem);
bool hf_client_call_ended(struct hf_client *c, struct hf_owner_stream *f, uint32_t call,
    const struct hf_problem *problem);
/* Notes whose snapshots are due, and when to look again at the latest. */
void hf_client_owners_due(struct hf_client *c, int64_t now_ms);
int64_t hf_client_owners_next(const struct hf_client *c);
/* The state is to be asked again who wants a snapshot. */
void hf_client_ask_state(struct hf_client *c);
bool hf_client_any_wanted(struct hf_client *c);
/* The opening ones are waited for from now on. */
void hf_client_await_again(struct hf_client *c, int64_t now_ms);
/* Does REST say something else about an owner than it said before this connection? */
bool hf_client_readable_changed(const struct hf_client *c);
/* The connection is gone, and all calls with it. */
void hf_client_forget_calls(struct hf_client *c);
/* Between two events out of turn; until the next snapshot or inquiry in turn (jittered). */
int64_t hf_client_again_ms(const struct hf_client *c);
int64_t hf_client_interval_ms(const struct hf_client *c);

/* --- client_disputes.c --- */

/* Asks for the next workspace, if it is time; of a live connection. */
void hf_client_disputes_due(struct hf_client *c, int64_t now_ms);
int64_t hf_client_disputes_next(const struct hf_client *c);
/* Hands on what was answered, as soon as it may be. */
void hf_client_tell_dispute(struct hf_client *c);
void hf_client_drop_dispute(struct hf_client *c);

/* --- client_session.c --- */

/* The connection is there: begins the upgrade. */
void hf_client_open_stream(struct hf_client *c, struct hf_http_handle *handle);
/* Frees all of it. */
void hf_client_close_stream(struct hf_client *c);
/* Takes what came; may end in failed(). */
void hf_client_take_events(struct hf_client *c);
/* What became of a message that went on, if that is known now; likewise. */
void hf_client_take_outcome(struct hf_client *c);
/* Does what is due on an open connection. */
void hf_client_stream_due(struct hf_client *c, int64_t now_ms);
/* When something is due on it next. */
int64_t hf_client_stream_next(struct hf_client *c);
void hf_client_ping(struct hf_client *c, int64_t now_ms);
/* Something happened after which an open connection may be dead: any byte says that it is not. */
void hf_client_doubt(struct hf_client *c, int64_t now_ms);

static inline bool hf_client_is_asking(const struct hf_client *c)
{
	return c->ask || c->told_new || c->command;
}
