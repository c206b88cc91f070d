/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_listing: what unbound has of ours, out of its listing of all local data. unbound answers
 * nobody while it writes it, so it is read only up to a size that takes some milliseconds. Where it
 * has more, what an earlier life may have left is looked for in the start files alone: what is in
 * them, unbound has read, perhaps.
 */
#include "adapters/unbound/ub_private.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

static bool is_at(const struct hf_ub_line *line, const struct hf_name *name)
{
	struct hf_name owner;

	return hf_name_parse(line->owner, &owner) == 0 && hf_name_equal(&owner, name);
}

bool hf_ub_list_has_canary(const char *listing, const struct hf_name *zone)
{
	struct hf_name canary;
	struct hf_ub_line line;

	if (hf_ub_canary_name(zone, &canary))
		return false;
	for (; *listing; listing = hf_ub_line_next(listing))
		if (hf_ub_line_read(listing, &line) && is_at(&line, &canary))
			return true;
	return false;
}

bool hf_ub_list_has_soa(const char *listing, const struct hf_name *zone)
{
	struct hf_ub_line line;

	for (; *listing; listing = hf_ub_line_next(listing))
		if (hf_ub_line_read(listing, &line) && is_at(&line, zone) &&
		    strcmp(line.type, "SOA") == 0 &&
		    strncmp(line.data, HF_UB_SOA, sizeof(HF_UB_SOA) - 1) == 0)
			return true;
	return false;
}

bool hf_ub_list_has_others_at(const char *listing, const struct hf_name *zone)
{
	struct hf_ub_line line;

	for (; *listing; listing = hf_ub_line_next(listing))
		if (hf_ub_line_read(listing, &line) && is_at(&line, zone) &&
		    (strcmp(line.type, "SOA") != 0 ||
			strncmp(line.data, HF_UB_SOA, sizeof(HF_UB_SOA) - 1) != 0))
			return true;
	return false;
}

/* By its text: what others put there need not be a name as ours are. */
static bool is_below(const char *owner, const struct hf_name *zone)
{
	char text[HF_NAME_TEXT_MAX];
	size_t n = strlen(hf_name_text(zone, text)), len = strlen(owner);

	if (len && owner[len - 1] == '.')
		len--;
	return len >= n && strncasecmp(owner + len - n, text, n) == 0 &&
	       (len == n || owner[len - n - 1] == '.');
}

bool hf_ub_list_is_empty_below(const char *listing, const struct hf_name *zone)
{
	struct hf_name canary, fill;
	struct hf_ub_line line;

	if (hf_ub_canary_name(zone, &canary) || hf_ub_fill_name(zone, &fill))
		return false;
	for (; *listing; listing = hf_ub_line_next(listing)) {
		if (!hf_ub_line_read(listing, &line) || !is_below(line.owner, zone))
			continue;
		if (!is_at(&line, &canary) && !is_at(&line, &fill) &&
		    !(is_at(&line, zone) && strcmp(line.type, "SOA") == 0))
			return false;
	}
	return true;
}

/* --- for the feed --- */

static void end_list(struct hf_ub *a)
{
	const struct hf_adapter_host *host = a->base.host;
	char text[HF_UB_TEXT_MAX];
	int code = a->base.job.code;

	memcpy(text, a->base.job.text, sizeof(text));
	a->want_list = false;
	hf_ub_sums_free(&a->listed);
	hf_ub_job_end(a);
	hf_ub_job_next(a);
	host->listed(host->arg, NULL, 0, code, text);
}

/* Each name and address once: the first time, pointers come before addresses. */
static int tell_listed(const struct hf_record *record, void *arg)
{
	struct hf_ub *a = arg;
	uint64_t sum = hf_ub_sum(0, record->name.wire, record->name.len);
	int rc = hf_ub_sums_add(&a->listed, hf_ub_sum(sum, record->addr, sizeof(record->addr)));

	if (rc > 0)
		a->base.host->listed(a->base.host->arg, record, 1, 0, "");
	return rc < 0 ? rc : 0;
}

/* A slice a turn of the loop. */
static void read_start_files(struct hf_ub *a)
{
	int rc = hf_ub_start_file_read(a->start_file, tell_listed, a);

	/* What cannot be read says nothing. */
	hf_ub_step_begin(a, rc > 0 ? read_start_files : end_list);
	hf_ub_step_end(a);
}

static int tell_listing(struct hf_ub *a, const char *listing, bool pointers)
{
	int rc = 0;

	for (const char *at = listing; *at && !rc; at = hf_ub_line_next(at)) {
		struct hf_record record;
		struct hf_ub_line line;

		if (hf_ub_line_read(at, &line) && hf_ub_line_record(&line, pointers, &record) &&
		    hf_ub_is_below(a, &record.name))
			rc = tell_listed(&record, a);
	}
	return rc;
}

static void on_listing_status(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_ub *a = arg;

	if (reply->code)
		hf_ub_step_control_failed(a, reply->code);
	hf_ub_step_end(a);
}

/* It said nothing: it has no local data at all, or it went away. Then it says nothing now. */
static void check_is_empty(struct hf_ub *a)
{
	hf_ub_step_begin(a, end_list);
	hf_ub_step_wait(a);
	hf_ub_command_status(&a->command);
	if (hf_ub_control_send(
		a->control, a->command.bytes, a->command.len, on_listing_status, a)) {
		hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
		hf_ub_step_end(a);
	}
	hf_ub_step_end(a);
}

static void on_listing(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_ub *a = arg;
	int rc;

	if (reply->code == HF_ELIMIT) {
		hf_ub_step_fail(a, HF_ELIMIT,
		    "unbound has so many local names that listing them would keep it from answering");
		a->then = read_start_files;
	} else if (reply->code == HF_ECLOSED) {
		a->then = check_is_empty;
	} else if (reply->code) {
		hf_ub_step_control_failed(a, reply->code);
	} else {
		rc = tell_listing(a, reply->text, true);
		if (!rc)
			rc = tell_listing(a, reply->text, false);
		if (rc)
			hf_ub_step_fail(a, rc, "%s", hf_strerror(rc));
	}
	hf_ub_step_end(a);
}

/* Another suffix is ours since: it is listed with it. */
static void list_again(struct hf_ub *a)
{
	hf_ub_job_end(a);
	hf_ub_job_next(a);
}

static void list_data(struct hf_ub *a)
{
	if (a->base.job.code || a->new_zones) {
		hf_ub_step_begin(a, a->base.job.code ? end_list : list_again);
		hf_ub_step_end(a);
		return;
	}
	hf_ub_step_begin(a, end_list);
	hf_ub_step_wait(a);
	if (hf_ub_control_list(
		a->control, "UBCT1 list_local_data\n", HF_UB_LISTING_MAX, on_listing, a)) {
		hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
		hf_ub_step_end(a);
	}
	hf_ub_step_end(a);
}

void hf_ub_list_begin(struct hf_ub *a)
{
	hf_ub_former_look(a, list_data);
}
