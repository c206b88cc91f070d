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
 * Asks the system for the groups by name, which may take its time (LDAP): with each configuration, not with each
 * client.
 */
void hf_control_groups(const struct hf_config *config, struct hf_control_groups *ret_groups);
/* What the peer of a connection may do: by its user and all its groups. */
enum hf_right hf_control_right(int fd, const struct hf_control_groups *groups);
