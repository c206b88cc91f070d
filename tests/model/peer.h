/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * peer: the client of each source as the model plays it. The linker puts it in the place of
 * bridge/stream/client/client.c, so that everything behind that interface is the bridge's own: what
 * REST and the stream bring goes through bridge/follow/source.c as in holdfastd, without a network.
 *
 * It keeps to what client.h promises: what no client would do in its present state is answered with
 * "unreal", and nothing happens.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bridge/stream/client/client.h"

/* The client of a source of that name; NULL: there is none. */
struct hf_client *peer_find(const char *source);
enum { PEERS = 16 };
struct hf_client *peer_at(size_t i); /* NULL: none has that place */
const char *peer_name(const struct hf_client *c);

enum peer_result {
	PEER_ACCEPTED,
	PEER_AGAIN, /* accepted, and a new snapshot is wanted */
	PEER_HELD,
	PEER_REFUSED, /* changed nothing */
	PEER_REFUSED_AGAIN,
	PEER_UNREAL,
};
const char *peer_result_name(enum peer_result result);

/*
 * REST answered, asked `ago_ms` ago. Takes `told`. Where no connection is open one is opened,
 * unless the answer was held.
 */
enum peer_result peer_told(struct hf_client *c, struct hf_server_info *told, int64_t ago_ms);
/* A message of the owner's stream: the first of a new call, or one that follows. */
enum peer_result peer_snapshot(struct hf_client *c, struct hf_update *u);
enum peer_result peer_diff(struct hf_client *c, struct hf_update *u);
/* A pong. */
enum peer_result peer_contact(struct hf_client *c);
/* The connection broke, or could not be made. */
enum peer_result peer_away(struct hf_client *c);

/* A workspace that REST is to tell the owner of; false: none. And REST's answer. */
bool peer_disputed(struct hf_client *c, struct hf_uuid *ret_workspace);
void peer_workspace_owner(
    struct hf_client *c, const struct hf_uuid *workspace, const struct hf_uuid *owner);

/* It wants REST and then a new connection. */
bool peer_wants_connection(struct hf_client *c);
bool peer_wants_snapshot(struct hf_client *c, const struct hf_uuid *owner);
bool peer_connected(const struct hf_client *c);
bool peer_live(const struct hf_client *c);
/* The i-th owner that is followed, NULL behind the last. */
const struct hf_owner_info *peer_owner(const struct hf_client *c, size_t i);
