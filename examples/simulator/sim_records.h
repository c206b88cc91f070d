/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sim_records: the words of `snapshot` and `diff`, as README.md has them, brought into the world
 * and into messages of the stream.
 */
#include <stddef.h>

#include "examples/simulator/sim_rights.h"

struct evbuffer;

/* A message of a stream, and to which organisation each of its records belongs. */
struct sim_message {
	struct evbuffer *bytes; /* owned */
	struct sim_part {
		size_t len;
		unsigned org; /* 0: nobody knows; it is told to all */
	} * parts;            /* owned */
	size_t n_parts, room;
};

int hf_sim_message_init(struct sim_message *m); /* 0 or -ENOMEM */
void hf_sim_message_done(struct sim_message *m);
/* Adds to `out` what of it the rights let one see of that owner. 0 or -ENOMEM. */
int hf_sim_message_seen(const struct sim_message *m, const struct sim_rights *rights,
    const uint8_t owner[SIM_ID], struct evbuffer *out);

/* The user's workspaces are these and no others. 0, -EINVAL (nothing was changed) or -ENOMEM. */
int hf_sim_records_snapshot(
    struct sim_world *w, struct sim_user *user, char *const *words, size_t n_words);
/* The same for a change; the message that tells of it is added to `message`. */
int hf_sim_records_diff(struct sim_world *w, struct sim_user *user, char *const *words,
    size_t n_words, struct sim_message *message);
/* Adds a workspace and its agents, as new ones or as such that went. 0 or -ENOMEM. */
int hf_sim_records_workspace(
    const struct sim_world *w, uint32_t number, bool gone, struct sim_message *message);
/*
 * Adds the first message of a stream: all that the rights let one see of the user's. 0 or -ENOMEM.
 */
int hf_sim_records_all(const struct sim_world *w, const struct sim_user *user,
    const struct sim_rights *rights, struct evbuffer *message);
/* The owner that a request asks for: 0, or -EINVAL where it is no request, or no id. */
int hf_sim_records_request(const uint8_t *request, size_t len, uint8_t ret_id[SIM_ID]);
