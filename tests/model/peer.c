/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/model/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { OWNERS = 64 };

struct followed {
	struct hf_owner_info owner;
	enum hf_readable readable; /* when the connection was opened */
	bool live;                 /* its stream is open and its snapshot was accepted */
	bool wanted;               /* a snapshot is to come */
};

struct hf_client {
	const struct hf_clock *clock; /* borrowed, as the three below */
	const struct hf_stream_settings *settings;
	const struct hf_client_ops *ops;
	void *arg;
	struct hf_server_info *told; /* owned; the last */
	struct followed owners[OWNERS];
	size_t n_owners;
	bool connected, settled;
	int64_t connected_ms;
	char rights[HF_RIGHTS_MAX]; /* when the connection was opened */
};

static struct hf_client *clients[PEERS];

struct hf_client *peer_find(const char *source)
{
	for (size_t i = 0; i < PEERS; i++)
		if (clients[i] && !strcmp(clients[i]->settings->name, source))
			return clients[i];
	return NULL;
}

struct hf_client *peer_at(size_t i)
{
	return clients[i];
}

const char *peer_name(const struct hf_client *c)
{
	return c->settings->name;
}

const char *peer_result_name(enum peer_result result)
{
	static const char *const names[] = { "accepted", "again", "held", "refused",
		"refused-again", "unreal" };

	return names[result];
}

/* --- in the place of the client --- */

int __wrap_hf_client_new(struct hf_http *http, const struct hf_clock *clock,
    const struct hf_stream_settings *settings, const struct hf_addresses *good,
    const struct hf_client_ops *ops, void *arg, struct hf_client **ret_client);
void __wrap_hf_client_free(struct hf_client *c);
void __wrap_hf_client_kick(
    struct hf_client *c, enum hf_client_event event, const struct hf_interfaces *at);
void __wrap_hf_client_poke(struct hf_client *c);
void __wrap_hf_client_redial(struct hf_client *c);
void __wrap_hf_client_decided(struct hf_client *c);
void __wrap_hf_client_status(const struct hf_client *c, struct hf_client_status *ret_status);

int __wrap_hf_client_new(struct hf_http *http, const struct hf_clock *clock,
    const struct hf_stream_settings *settings, const struct hf_addresses *good,
    const struct hf_client_ops *ops, void *arg, struct hf_client **ret_client)
{
	struct hf_client *c = calloc(1, sizeof(*c));

	(void)http;
	(void)good;
	if (!c)
		return -ENOMEM;
	c->clock = clock;
	c->settings = settings;
	c->ops = ops;
	c->arg = arg;
	for (size_t i = 0; i < PEERS; i++) {
		if (clients[i])
			continue;
		clients[i] = c;
		*ret_client = c;
		return 0;
	}
	free(c);
	return -ENOMEM;
}

void __wrap_hf_client_free(struct hf_client *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < PEERS; i++)
		if (clients[i] == c)
			clients[i] = NULL;
	hf_server_info_free(c->told);
	free(c);
}

/* A connection ends without a failure: a new one begins with REST. */
static void close_connection(struct hf_client *c)
{
	c->connected = false;
	for (size_t i = 0; i < c->n_owners; i++)
		c->owners[i].live = false;
}

void __wrap_hf_client_kick(
    struct hf_client *c, enum hf_client_event event, const struct hf_interfaces *at)
{
	if (event == CLIENT_EVENT_WAKE)
		close_connection(c);
}

void __wrap_hf_client_poke(struct hf_client *c)
{
	(void)c;
}

void __wrap_hf_client_redial(struct hf_client *c)
{
	close_connection(c);
}

void __wrap_hf_client_decided(struct hf_client *c)
{
	(void)c;
}

void __wrap_hf_client_status(const struct hf_client *c, struct hf_client_status *ret_status)
{
	static const struct hf_problem none;
	static const uint64_t zeros[256];

	*ret_status =
	    (struct hf_client_status){ .state = peer_live(c) ? CLIENT_LIVE : CLIENT_WAITING,
		    .problem = &none,
		    .next_try_ms = -1,
		    .told = c->told,
		    .problems = zeros,
		    .troubles = zeros };
}

/* --- what comes --- */

static struct followed *find(struct hf_client *c, const struct hf_uuid *owner)
{
	for (size_t i = 0; i < c->n_owners; i++)
		if (hf_uuid_equal(&c->owners[i].owner.id, owner))
			return &c->owners[i];
	return NULL;
}

bool peer_live(const struct hf_client *c)
{
	for (size_t i = 0; i < c->n_owners; i++)
		if (c->owners[i].live)
			return true;
	return false;
}

enum peer_result peer_away(struct hf_client *c)
{
	close_connection(c);
	c->ops->away(c->arg);
	return PEER_ACCEPTED;
}

static bool is_told(const struct hf_server_info *told, const struct hf_uuid *id)
{
	for (size_t i = 0; i < told->n_owners; i++)
		if (hf_uuid_equal(&told->owners[i].id, id))
			return true;
	return false;
}

/*
 * Those of `told`, in its order; who was followed before is so still, also by a list that is not
 * whole.
 */
static void follow(struct hf_client *c)
{
	struct followed next[OWNERS];
	size_t n = 0;

	for (size_t i = 0; i < c->told->n_owners && n < OWNERS; i++, n++) {
		struct followed *before = find(c, &c->told->owners[i].id);

		next[n] = (struct followed){ .readable = c->told->owners[i].readable };
		if (before)
			next[n] = *before;
		next[n].owner = c->told->owners[i];
		next[n].wanted = true;
	}
	for (size_t i = 0; i < c->n_owners && !c->told->complete && n < OWNERS; i++)
		if (!is_told(c->told, &c->owners[i].owner.id))
			next[n++] = c->owners[i];
	memcpy(c->owners, next, n * sizeof(*next));
	c->n_owners = n;
	c->settled = false;
}

/* What is not told says nothing. */
static bool rights_changed(const struct hf_client *c)
{
	if (c->told->rights[0] && strcmp(c->told->rights, c->rights))
		return true;
	for (size_t i = 0; i < c->n_owners; i++)
		if (c->owners[i].owner.readable != READABLE_UNKNOWN &&
		    c->owners[i].owner.readable != c->owners[i].readable)
			return true;
	return false;
}

static void connect_now(struct hf_client *c)
{
	c->connected = true;
	c->connected_ms = hf_boot_ms(c->clock);
	memcpy(c->rights, c->told->rights, sizeof(c->rights));
	for (size_t i = 0; i < c->n_owners; i++)
		c->owners[i].readable = c->owners[i].owner.readable;
}

enum peer_result peer_told(struct hf_client *c, struct hf_server_info *told, int64_t ago_ms)
{
	enum hf_verdict verdict;

	/* It was asked for each word of the configuration. */
	if (told->n_words != c->settings->owners.n) {
		hf_server_info_free(told);
		return PEER_UNREAL;
	}
	told->asked_ms = hf_boot_ms(c->clock) - 1 - ago_ms;
	hf_server_info_free(c->told);
	c->told = told;
	verdict = c->ops->identify(c->arg, told);
	if (verdict != HF_VERDICT_ACCEPTED) {
		peer_away(c);
		return verdict == HF_VERDICT_HELD ? PEER_HELD : PEER_REFUSED;
	}
	for (size_t i = 0; i < told->n_owners; i++)
		c->ops->owner(c->arg, &told->owners[i], told->asked_ms);
	if (!told->n_owners && !peer_live(c)) {
		peer_away(c);
		return PEER_ACCEPTED;
	}
	follow(c);
	/* The rights of a connection are those of its first second. */
	if (!c->connected || !peer_live(c))
		connect_now(c);
	else if (rights_changed(c))
		close_connection(c);
	return PEER_ACCEPTED;
}

static void check_settled(struct hf_client *c)
{
	for (size_t i = 0; i < c->n_owners; i++)
		if (!c->owners[i].live || c->owners[i].wanted)
			return;
	if (!c->settled && c->told->complete)
		c->ops->settled(c->arg, c->told);
	c->settled = true;
}

/* What the bridge says of a message. */
static enum peer_result judge(struct hf_client *c, struct hf_update *u)
{
	struct hf_judgement j = { .verdict = HF_VERDICT_REFUSED };
	int rc;

	u->connected_ms = c->connected_ms;
	rc = c->ops->update(c->arg, u, &j);
	if (rc == 0 && j.verdict == HF_VERDICT_ACCEPTED)
		return j.want_snapshot ? PEER_AGAIN : PEER_ACCEPTED;
	return j.want_snapshot ? PEER_REFUSED_AGAIN : PEER_REFUSED;
}

static bool was_accepted(enum peer_result result)
{
	return result == PEER_ACCEPTED || result == PEER_AGAIN;
}

enum peer_result peer_snapshot(struct hf_client *c, struct hf_update *u)
{
	struct followed *f = find(c, &u->owner);
	enum peer_result result;

	if (!c->connected || !f)
		return PEER_UNREAL;
	result = judge(c, u);
	f->wanted = false;
	if (was_accepted(result)) {
		f->live = true;
		check_settled(c);
	} else if (!peer_live(c)) {
		peer_away(c);
	}
	if (peer_live(c))
		c->ops->contact(c->arg);
	return result;
}

enum peer_result peer_diff(struct hf_client *c, struct hf_update *u)
{
	struct followed *f = find(c, &u->owner);
	enum peer_result result;

	if (!c->connected || !f || !f->live)
		return PEER_UNREAL;
	result = judge(c, u);
	c->ops->contact(c->arg);
	return result;
}

enum peer_result peer_contact(struct hf_client *c)
{
	if (!c->connected || !peer_live(c))
		return PEER_UNREAL;
	c->ops->contact(c->arg);
	return PEER_ACCEPTED;
}

bool peer_disputed(struct hf_client *c, struct hf_uuid *ret_workspace)
{
	return c->ops->disputed && c->ops->disputed(c->arg, ret_workspace);
}

void peer_workspace_owner(
    struct hf_client *c, const struct hf_uuid *workspace, const struct hf_uuid *owner)
{
	if (c->ops->workspace_owner)
		c->ops->workspace_owner(c->arg, workspace, owner);
}

/* --- what it is asked --- */

bool peer_wants_connection(struct hf_client *c)
{
	return c->ops->wants_connection(c->arg);
}

bool peer_wants_snapshot(struct hf_client *c, const struct hf_uuid *owner)
{
	return c->ops->wants_snapshot(c->arg, owner);
}

bool peer_connected(const struct hf_client *c)
{
	return c->connected;
}

const struct hf_owner_info *peer_owner(const struct hf_client *c, size_t i)
{
	return i < c->n_owners ? &c->owners[i].owner : NULL;
}
