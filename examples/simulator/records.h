#pragma once
/*
 * records: the words of `snapshot` and `diff`, as README.md has them, brought into the world and
 * into messages of the stream.
 */
#include <stddef.h>

#include "examples/simulator/world.h"

struct evbuffer;

/* The user's workspaces are these and no others. 0, -EINVAL (nothing was changed) or -ENOMEM. */
int sim_records_snapshot(
    struct sim_world *w, struct sim_user *user, char *const *words, size_t n_words);
/* The same for a change; the message that tells of it is added to `message`. */
int sim_records_diff(struct sim_world *w, struct sim_user *user, char *const *words, size_t n_words,
    struct evbuffer *message);
/* Adds the first message of a stream: all that the user has. 0 or -ENOMEM. */
int sim_records_all(
    const struct sim_world *w, const struct sim_user *user, struct evbuffer *message);
/* The owner that a request asks for: 0, or -EINVAL where it is no request, or no id. */
int sim_records_request(const uint8_t *request, size_t len, uint8_t ret_id[SIM_ID]);
