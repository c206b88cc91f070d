/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/client_private.h"

#include "base/clock.h"

static const char *const state_names[] = {
	[CLIENT_WAITING] = "waiting",
	[CLIENT_CONNECTING] = "connecting",
	[CLIENT_LIVE] = "live",
	[CLIENT_UNAUTHORISED] = "unauthorised",
	[CLIENT_FAILED] = "failed",
};

const char *hf_client_state_name(enum hf_client_state state)
{
	return state_names[state];
}

void hf_client_status(const struct hf_client *c, struct hf_client_status *ret_status)
{
	struct hf_client_status s = { .state = c->state,
		.problem = &c->problem,
		.since_wall_s = c->since_wall_s,
		.contact_wall_s = c->contact_wall_s,
		.attempts = c->next.attempts,
		.next_try_ms = -1,
		.told = c->told.info,
		.n_owners = c->owners.n,
		.refused = c->counts.refused,
		.problems = c->problems,
		.troubles = c->counts.troubles };

	if (hf_client_waits(c)) {
		s.next_try_ms = c->next.at_ms - hf_boot_ms(c->clock);
		if (s.next_try_ms < 0)
			s.next_try_ms = 0;
	}
	for (size_t i = 0; i < c->owners.n; i++)
		s.n_live += c->owners.at[i].live != 0;
	*ret_status = s;
}

bool hf_client_owner(const struct hf_client *c, const struct hf_uuid *owner,
    struct hf_client_owner_status *ret_status)
{
	const struct hf_owner_stream *f = hf_owner_list_find(&c->owners, owner);
	int64_t wait;

	if (!f)
		return false;
	*ret_status = (struct hf_client_owner_status){ .live = f->live != 0,
		.opening = f->opening != 0,
		.problem = f->problem,
		.next_try_ms = -1 };
	if (f->problem && !f->opening && c->state == CLIENT_LIVE) {
		wait = f->again_ms ? f->again_ms - hf_boot_ms(c->clock) : 0;
		ret_status->next_try_ms = wait > 0 ? wait : 0;
	}
	return true;
}
