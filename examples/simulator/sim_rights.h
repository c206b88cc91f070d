/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sim_rights: what a token may read at one moment. A server asks REST's questions with today's, and
 * a stream's connection keeps those of the moment of its upgrade.
 */
#include "examples/simulator/sim_world.h"

struct sim_rights {
	uint8_t user[SIM_ID];      /* the token's own */
	bool workspaces;           /* the token's scopes let it read some */
	bool all;                  /* of everybody */
	uint64_t member;           /* own ones in these organisations; a bit each */
	uint64_t everyone;         /* everybody's in these */
	bool lists;                /* the list of users */
	uint8_t (*hidden)[SIM_ID]; /* owned; users whom the script made unreadable */
	size_t n_hidden;
};

/* Those of now. 0 or -ENOMEM. End it with hf_sim_rights_done(). */
int hf_sim_rights_take(const struct sim_world *w, struct sim_rights *ret_rights);
void hf_sim_rights_done(struct sim_rights *r); /* and zeroes it */
/* A workspace of that owner in that organisation; organisation 0 is any. */
bool hf_sim_rights_read(const struct sim_rights *r, const uint8_t owner[SIM_ID], unsigned org);
/* Workspaces of all owners, in that organisation, or (0) in any. */
bool hf_sim_rights_read_all(const struct sim_rights *r, unsigned org);
/* Is that user known to the token at all? */
bool hf_sim_rights_know(const struct sim_rights *r, const struct sim_user *user);
