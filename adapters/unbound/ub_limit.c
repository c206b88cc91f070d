/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_limit: unbound may answer one address only so many questions a second (`ip-ratelimit`), and
 * ours come from the address of all programs of this machine. It says how many, so nobody's
 * question has to be lost to find out.
 */
#include <errno.h>
#include <stdlib.h>

#include "adapters/unbound/ub_private.h"
#include "base/error.h"
#include "base/log.h"

enum { LIMIT_MAX = 1000 * 1000 };

/* One that does not know the option has no such limit: "error ..." is 0. */
static void on_ub_limit(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_ub *a = arg;
	long limit = reply->code ? 0 : strtol(reply->text, NULL, 10);

	if (reply->code)
		hf_ub_step_control_failed(a, reply->code);
	if (limit < 0 || limit > LIMIT_MAX)
		limit = 0;
	if (limit && (uint32_t)limit != a->dns_pace.limit)
		hf_log_info(
		    "adapter '%s': unbound answers one address at most %ld questions a second (ip-ratelimit); half of that is ours",
		    a->base.config->name, limit);
	if (!reply->code)
		hf_dns_pace_limit(&a->dns_pace, (uint32_t)limit);
	hf_ub_step_end(a);
}

void hf_ub_limit_ask(struct hf_ub *a, hf_ub_step then)
{
	hf_ub_step_begin(a, then);
	hf_ub_step_wait(a);
	hf_ub_command_option(&a->command, "ip-ratelimit");
	if (hf_ub_control_send(a->control, a->command.bytes, a->command.len, on_ub_limit, a)) {
		hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
		hf_ub_step_end(a);
	}
	hf_ub_step_end(a);
}
