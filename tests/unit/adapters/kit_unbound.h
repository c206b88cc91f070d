/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_unbound: an unbound adapter that a test looks into. Either its DNS server is the test's, its
 * control socket is not there and its start file is in a folder of the test's; or all of its
 * unbound is a peer (kit_ub_peer.h), and it has no start file.
 */
#include "adapters/unbound/ub_private.h"
#include "tests/unit/adapters/kit_host.h"
#include "tests/unit/adapters/kit_resolver.h"
#include "tests/unit/adapters/kit_ub_peer.h"
#include "tests/unit/tmpdir.h"

enum { KIT_UNBOUND_FATES_MAX = 64 };

struct kit_unbound {
	struct kit_host host; /* the first field: the host's callbacks find the rest by it */
	struct resolver server;
	struct tmpdir dir;
	char path[TMPDIR_MAX + 16]; /* of the start file */
	char control[TMPDIR_MAX + 16];
	struct ub_peer peer;
	struct hf_config_adapter config;
	struct hf_adapter *base;
	struct hf_ub *a;

	/* The last receipt: "dcuf" of four changes, each with another fate; what is for people. */
	unsigned n_receipts;
	int code;
	char fates[KIT_UNBOUND_FATES_MAX];
	char text[HF_ADAPTER_TEXT_MAX];
	struct hf_batch batch; /* lent to the adapter */
};

/* With the one suffix `coder`. */
void kit_unbound_open(struct kit_unbound *k, resolver_cb cb, void *arg, enum hf_start_form form);
/* The same, with a peer: 1.26.2 if `records`, with or without a zone of its own for fd00::/8. */
void kit_unbound_open_peer(struct kit_unbound *k, bool records, bool no_reverse);
void kit_unbound_close(struct kit_unbound *k);
/* The adapter ends and another one begins, with the same peer. */
void kit_unbound_restart(struct kit_unbound *k);
/* Until the host was told something. */
void kit_unbound_wait(struct kit_unbound *k);
struct hf_name kit_unbound_name(const char *text);
/* Gives it a batch and waits for the receipt; its code. The log and what was told begin anew. */
int kit_unbound_apply(struct kit_unbound *k, const struct hf_change *at, size_t n);
/* Waits until no job is under way. */
void kit_unbound_settle(struct kit_unbound *k);
/* complete(), and what comes of it. The log and what was told begin anew. */
void kit_unbound_complete(struct kit_unbound *k);
struct hf_change kit_unbound_put(const char *name, const char *addr, bool primary);
struct hf_change kit_unbound_take(const char *name, const char *addr, bool primary);
/* A put of a name that had another address. */
struct hf_change kit_unbound_move(const char *name, const char *addr, const char *was);
/* A file in the folder of start files. */
void kit_unbound_write(struct kit_unbound *k, const char *name, const char *text);
