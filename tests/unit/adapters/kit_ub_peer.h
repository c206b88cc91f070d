/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_ub_peer: an unbound as the adapter sees it: its control socket on the test's own loop, and
 * what it answers by DNS. Its replies are those that unbound 1.17.1 and 1.26.2 gave to the same
 * commands. The test may have it do something else once (`when`), or refuse some lines.
 */
#include <event2/event.h>

#include "tests/unit/adapters/kit_ub_data.h"

enum { UB_PEER_LOG_MAX = 16 * 1024, UB_PEER_COMMAND_MAX = 64 * 1024 };

enum ub_peer_act {
	UB_PEER_SAYS = 1, /* `text`, and nothing is done */
	UB_PEER_CUTS,     /* it hangs up without a word, and nothing is done */
	UB_PEER_DIES,     /* the same, but all is done */
	UB_PEER_HANGS,    /* it says nothing and keeps the connection; nothing is done */
	UB_PEER_RELOADS,  /* right before it does it */
};

struct ub_peer {
	struct event_base *base; /* borrowed */
	const char *path;        /* borrowed */
	bool records;            /* 1.26.2, which removes single records; else 1.17.1 */
	bool no_reverse;         /* it has no zone of its own for fd00::/8 */
	bool deaf;               /* to DNS */
	bool elsewhere;          /* who answers DNS is another one */
	struct ub_data data;
	const char *auth_zones, *forwards, *stubs; /* what it lists; NULL: nothing */
	const char *refuses; /* it takes no line with this text in it; NULL: all */

	struct {
		const char *at; /* the command begins so; NULL: never */
		unsigned skip;  /* so many of them are done as usual */
		unsigned again; /* once, and so many times more */
		enum ub_peer_act act;
		const char *text;
	} when;

	/* Each command on a line of its own, without what is the same in each; see ub_peer.c. */
	char log[UB_PEER_LOG_MAX];

	int listener, fd;
	struct event *on_dial, *on_command;
};

/* `path` is free. Set what it is before, on a zeroed struct; `data` is as after a start. */
void ub_peer_open(struct ub_peer *p, struct event_base *base, const char *path);
void ub_peer_close(struct ub_peer *p);
/* As an operator does: all is gone. */
void ub_peer_reload(struct ub_peer *p);
/* At the next command of this beginning. */
void ub_peer_when(struct ub_peer *p, const char *at, enum ub_peer_act act, const char *text);
/* A resolver_cb; `arg` is the peer. */
size_t ub_peer_answer(
    const struct resolver_question *q, uint8_t out[static RESOLVER_PACKET_MAX], void *arg);
