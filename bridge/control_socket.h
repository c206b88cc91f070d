#pragma once
/*
 * control_socket: the socket file of the bridge, and who is at its other end.
 */
struct hf_config;

enum hf_right { HF_RIGHT_NONE, HF_RIGHT_LOOK, HF_RIGHT_ORDER };

/*
 * Listens on config->control, with rights for its groups. What a dead bridge left there is
 * replaced. Returns a descriptor, -EADDRINUSE where a living one has it, HF_EUNSAFE where something
 * that is no socket lies there, or another code.
 */
int hf_control_listen(const struct hf_config *config);

/* What the peer of a connection may do: by its user and all its groups. */
enum hf_right hf_control_right(int fd, const struct hf_config *config);
