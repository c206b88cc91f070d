/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sim_rest: what Coder's API answers to the questions that come before a stream.
 */
#include "examples/simulator/sim_http.h"
#include "examples/simulator/sim_world.h"

/* Whether the request's token is the world's. Any is, where none is set; but there must be one. */
bool hf_sim_rest_knows(const struct sim_world *w, const struct sim_request *r);
/* Adds the answer "signed out". */
void hf_sim_rest_signed_out(struct evbuffer *out, const struct sim_request *r);
/* Adds the answer to a question; 404 to what is none. 0 or -ENOMEM. */
int hf_sim_rest_answer(
    const struct sim_world *w, const struct sim_request *r, struct evbuffer *out);
/* Adds the answer to a stream's upgrade whose version is not served. Returns whether it did. */
bool hf_sim_rest_version_refused(
    const struct sim_world *w, const struct sim_request *r, struct evbuffer *out);
