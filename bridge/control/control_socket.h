/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * control_socket: the socket file of the bridge, and who is at its other end.
 */
#include <sys/types.h>

struct hf_config;

enum hf_right { HF_RIGHT_NONE, HF_RIGHT_LOOK, HF_RIGHT_ORDER };

/*
 * Listens on config->control, with rights for its groups. What a dead bridge left there is
 * replaced. Returns a descriptor, -EADDRINUSE where a living one has it, HF_EUNSAFE where something
 * that is no socket lies there, or another code.
 */
int hf_control_listen(const struct hf_config *config);

/* Who may look and who may command; (gid_t)-1: no such group. */
struct hf_control_groups {
	gid_t order;
	gid_t look;
};
/*
 * Asks the system for the groups by name, which may take its time (LDAP): with each configuration,
 * not with each client.
 */
void hf_control_groups(const struct hf_config *config, struct hf_control_groups *ret_groups);
/*
 * Gives the socket file at `path` the rights of other groups. 0, HF_EUNSAFE where something else
 * lies there now, or another code: it stays as it is.
 */
int hf_control_rights(const char *path, const struct hf_config *config);

struct hf_control_peer {
	uid_t uid;
	enum hf_right right;
};
/* Who is at the other end of a connection, and what he may do: by his user and all his groups. */
void hf_control_peer(
    int fd, const struct hf_control_groups *groups, struct hf_control_peer *ret_peer);
