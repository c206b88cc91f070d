/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/retry.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

uint32_t hf_retry_fail(struct hf_retry *r, int code, const char *text)
{
	int64_t now = hf_boot_ms(r->clock);
	uint32_t wait;

	if (!r->attempts++)
		r->first_at = now;
	wait = hf_backoff_fail(&r->wait);
	r->next_at = now + wait;
	snprintf(r->error, sizeof(r->error), "%s%s%s", hf_errname(code), *text ? ": " : "", text);
	hf_log_debug(
	    "%s: attempt %u failed (%s), the next in %u ms", r->who, r->attempts, r->error, wait);
	hf_retry_look(r);
	return wait;
}

void hf_retry_ok(struct hf_retry *r)
{
	if (r->failed)
		hf_log_info("%s: works again after %u failed attempts in %lld s", r->who,
		    r->attempts, (long long)(hf_boot_ms(r->clock) - r->first_at) / 1000);
	hf_backoff_reset(&r->wait);
	r->attempts = 0;
	r->failed = false;
	r->next_at = 0;
	r->error[0] = '\0';
}

int64_t hf_retry_wait(const struct hf_retry *r)
{
	int64_t wait = r->next_at - hf_boot_ms(r->clock);

	return r->next_at && wait > 0 ? wait : 0;
}

int64_t hf_retry_look(struct hf_retry *r)
{
	int64_t age;

	if (!r->attempts || r->failed)
		return -1;
	age = hf_boot_ms(r->clock) - r->first_at;
	if (age < r->failed_ms)
		return r->failed_ms - age;
	r->failed = true;
	hf_log_error("%s: failed: %u attempts in %lld s, the last: %s; it is tried on each %u ms",
	    r->who, r->attempts, (long long)age / 1000, r->error, r->wait.cap_ms);
	return -1;
}
