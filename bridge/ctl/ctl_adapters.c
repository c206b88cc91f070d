/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/ctl_adapters.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "bridge/ctl/ctl_client.h"
#include "bridge/ctl/row_text.h"

enum {
	POLL_MS = 100,
	SAMPLE_MS = 15000,
	FULL_MS = 3600 * 1000,
	TROUBLE_MS = 2000, /* an adapter in trouble may be out of it that soon */
	WORD_MS = 1500,    /* who waits longer hears what for */
};

/* --- showing --- */

static void show_adapter(const json_t *a, int64_t now_s, FILE *out)
{
	const json_t *verified = json_object_get(a, "verified");
	char when[HF_WHEN_MAX];

	fprintf(out, "  adapter %s: %s", hf_ctl_row_text(a, "name", "?"),
	    hf_ctl_row_text(a, "state", "?"));
	if (json_is_string(json_object_get(a, "since")))
		fprintf(
		    out, " since %s", hf_ctl_when_text(json_object_get(a, "since"), now_s, when));
	fprintf(out, ", %s, %lld name%s", hf_ctl_row_text(a, "type", "?"),
	    hf_ctl_row_number(a, "owned"), hf_ctl_row_number(a, "owned") == 1 ? "" : "s");
	if (hf_ctl_row_number(a, "skipped"))
		fprintf(out, ", %lld left out", hf_ctl_row_number(a, "skipped"));
	if (hf_ctl_row_number(a, "leaving"))
		fprintf(out, ", %lld more to be removed", hf_ctl_row_number(a, "leaving"));
	if (hf_ctl_row_number(a, "failing"))
		fprintf(out, ", %lld failing", hf_ctl_row_number(a, "failing"));
	if (hf_ctl_row_number(a, "stuck"))
		fprintf(out, ", %lld taken and still answered", hf_ctl_row_number(a, "stuck"));
	fprintf(out, ", %s\n",
	    json_is_true(verified)    ? "answers right"
	    : json_is_false(verified) ? "answers wrong"
				      : "not asked yet");
	if (hf_ctl_row_number(a, "attempts")) {
		fprintf(out, "    %lld attempt%s failed, next try %s\n",
		    hf_ctl_row_number(a, "attempts"),
		    hf_ctl_row_number(a, "attempts") == 1 ? "" : "s",
		    hf_ctl_when_text(json_object_get(a, "next_try"), now_s, when));
	}
	if (json_is_string(json_object_get(a, "last_error")))
		fprintf(out, "    %s\n", hf_ctl_row_text(a, "last_error", ""));
}

void hf_ctl_adapters_print(const json_t *adapters, int64_t now_s, FILE *out)
{
	const json_t *row;
	size_t i;

	json_array_foreach(adapters, i, row) show_adapter(row, now_s, out);
}

bool hf_ctl_adapters_are_well(const json_t *adapters)
{
	const json_t *row;
	size_t i;

	json_array_foreach(adapters, i, row)
	{
		const char *state = hf_ctl_row_text(row, "state", "");

		if (!strcmp(state, "retrying") || !strcmp(state, "failed") ||
		    json_is_false(json_object_get(row, "verified")))
			return false;
	}
	return true;
}

/* --- verifying --- */

static int adapter_keep_row(json_t *row, void *arg)
{
	json_t **kept = arg;

	json_decref(*kept);
	*kept = json_incref(row);
	return 0;
}

static int adapter_collect_row(json_t *row, void *arg)
{
	return json_array_append(arg, row) ? -ENOMEM : 0;
}

/* Those of `status` that were asked; true: all are through with it. */
static bool all_ended(const json_t *status, const json_t *asked, json_t *ret_now)
{
	const json_t *then, *now;
	bool ended = true;
	size_t i, j;

	json_array_clear(ret_now);
	json_array_foreach(asked, i, then)
	    json_array_foreach(json_object_get(status, "adapters"), j, now)
	{
		if (strcmp(hf_ctl_row_text(now, "name", ""), hf_ctl_row_text(then, "name", "")))
			continue;
		ended = ended &&
			!json_is_true(json_object_get(json_object_get(now, "check"), "running"));
		json_array_append(ret_now, (json_t *)(uintptr_t)now);
	}
	return ended;
}

/* One that is still to be checked and cannot be, since its resolver is not reached. False: none. */
static bool find_trouble(const json_t *now, char why[static HF_CTL_CLIENT_WHY_MAX])
{
	const json_t *row;
	size_t i;

	json_array_foreach(now, i, row)
	{
		const char *state = hf_ctl_row_text(row, "state", "");

		if (!json_is_true(json_object_get(json_object_get(row, "check"), "running")) ||
		    (strcmp(state, "retrying") && strcmp(state, "failed")))
			continue;
		snprintf(why, HF_CTL_CLIENT_WHY_MAX,
		    "adapter '%s' is %s: %s; its resolver was not asked",
		    hf_ctl_row_text(row, "name", "?"), state,
		    hf_ctl_row_text(row, "last_error", "?"));
		return true;
	}
	return false;
}

static int wait_for(const char *socket, const json_t *asked, int64_t limit_ms, json_t *ret_now,
    char why[static HF_CTL_CLIENT_WHY_MAX])
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	int64_t begin = hf_boot_ms(&hf_clock_system), waited = 0;
	json_t *status = NULL;
	bool ended = false, said = false;
	int rc = 0;

	while (!rc && !ended) {
		waited = hf_boot_ms(&hf_clock_system) - begin;
		if (waited > TROUBLE_MS && find_trouble(ret_now, why)) {
			rc = HF_EREFUSED;
			break;
		}
		if (waited > limit_ms) {
			snprintf(why, HF_CTL_CLIENT_WHY_MAX,
			    "the bridge has not asked for all of it yet; holdfastctl adapters says why");
			rc = -ETIMEDOUT;
			break;
		}
		if (waited > WORD_MS && !said)
			fputs("holdfastctl: waiting for the answers of the resolvers\n", stderr);
		said |= waited > WORD_MS;
		nanosleep(&pause, NULL);
		rc = hf_ctl_client_ask(socket, json_pack("{s:s}", "command", "status"),
		    adapter_keep_row, &status, why);
		ended = !rc && all_ended(status, asked, ret_now);
	}
	json_decref(status);
	return rc;
}

int hf_ctl_adapters_verify(const char *socket, const char *adapter, bool full,
    json_t **ret_adapters, char why[static HF_CTL_CLIENT_WHY_MAX])
{
	json_t *asked = json_array(), *now = json_array();
	int rc = hf_ctl_client_ask(socket,
	    json_pack("{s:s, s:s?, s:b}", "command", "verify", "adapter", adapter, "full", full),
	    adapter_collect_row, asked, why);

	if (!rc)
		rc = wait_for(socket, asked, full ? FULL_MS : SAMPLE_MS, now, why);
	json_decref(asked);
	if (rc) {
		json_decref(now);
		return rc;
	}
	*ret_adapters = now;
	return 0;
}

static void print_verified(const json_t *a, FILE *out)
{
	const json_t *c = json_object_get(a, "check");
	long long unexpected = hf_ctl_row_number(c, "unexpected");

	fprintf(out, "adapter %s: %lld name%s asked for, %lld right, %lld wrong or missing",
	    hf_ctl_row_text(a, "name", "?"), hf_ctl_row_number(c, "asked"),
	    hf_ctl_row_number(c, "asked") == 1 ? "" : "s", hf_ctl_row_number(c, "right"),
	    hf_ctl_row_number(c, "wrong"));
	if (hf_ctl_row_number(c, "foreign"))
		fprintf(out, ", %lld with others' data", hf_ctl_row_number(c, "foreign"));
	if (hf_ctl_row_number(c, "silent"))
		fprintf(out, ", %lld not answered", hf_ctl_row_number(c, "silent"));
	if (hf_ctl_row_number(c, "wrong"))
		fputs("; they are put again", out);
	if (unexpected)
		fprintf(out, "; %lld should not be there and %s removed", unexpected,
		    unexpected == 1 ? "is" : "are");
	else if (json_is_true(json_object_get(c, "full")) &&
		 json_is_null(json_object_get(c, "unexpected")))
		fputs("; not all that should not be there could be looked for", out);
	fputc('\n', out);
}

void hf_ctl_adapters_print_verified(const json_t *adapters, FILE *out)
{
	const json_t *row;
	size_t i;

	if (!json_array_size(adapters))
		fputs("no adapter is configured\n", out);
	json_array_foreach(adapters, i, row) print_verified(row, out);
}

bool hf_ctl_adapters_verified(const json_t *adapters)
{
	const json_t *row;
	size_t i;

	json_array_foreach(adapters, i, row)
	{
		const json_t *c = json_object_get(row, "check");

		if (hf_ctl_row_number(c, "wrong") || hf_ctl_row_number(c, "silent") ||
		    hf_ctl_row_number(c, "unexpected"))
			return false;
	}
	return true;
}
