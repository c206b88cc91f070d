/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_listing: what unbound has of ours, out of its listing of all local data. unbound answers
 * nobody while it writes it, so it is read only up to a size that takes some milliseconds.
 */
#include "adapters/unbound/ub_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include "base/error.h"

enum { LISTING_MAX = 1 << 20, TOLD_AT_ONCE = 64 };

bool hf_ub_line_read(const char *at, struct hf_ub_line *ret_line)
{
	return sscanf(at, "%1023[^\t]\t%9u\tIN\t%15[^\t]\t%1023[^\n]", ret_line->owner,
		   &ret_line->ttl_s, ret_line->type, ret_line->data) == 4;
}

/* unbound writes an empty line after each record. */
const char *hf_ub_line_next(const char *at)
{
	at += strcspn(at, "\n");
	return at + strspn(at, "\n");
}

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
	struct hf_name canary;
	struct hf_ub_line line;

	if (hf_ub_canary_name(zone, &canary))
		return false;
	for (; *listing; listing = hf_ub_line_next(listing)) {
		if (!hf_ub_line_read(listing, &line) || !is_below(line.owner, zone))
			continue;
		if (!is_at(&line, &canary) &&
		    !(is_at(&line, zone) && strcmp(line.type, "SOA") == 0))
			return false;
	}
	return true;
}

/* --- for the feed --- */

static bool ub_line_read_record(
    const struct hf_adapter *a, const struct hf_ub_line *line, struct hf_record *ret_record)
{
	memset(ret_record, 0, sizeof(*ret_record));
	return strcmp(line->type, "AAAA") == 0 &&
	       hf_name_parse(line->owner, &ret_record->name) == 0 &&
	       hf_ub_is_below(a, &ret_record->name) &&
	       inet_pton(AF_INET6, line->data, ret_record->addr) == 1 &&
	       hf_addr_is_ours(ret_record->addr);
}

static void on_listing(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_adapter *a = arg;

	if (reply->code == HF_ELIMIT)
		hf_ub_step_fail(a, HF_ELIMIT,
		    "unbound has so many local names that listing them would keep it from answering");
	else if (reply->code)
		hf_ub_step_control_failed(a, reply->code);
	else
		a->listing = strdup(reply->text);
	if (!a->code && !a->listing)
		hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
	hf_ub_step_end(a);
}

static void end_list(struct hf_adapter *a)
{
	const struct hf_adapter_host *host = a->host;
	char *listing = a->listing;
	char text[HF_UB_TEXT_MAX];
	int code = a->code;

	memcpy(text, a->text, sizeof(text));
	a->listing = NULL;
	a->want_list = false;
	for (const char *at = listing; at && *at; at = hf_ub_line_next(at)) {
		struct hf_record record;
		struct hf_ub_line line;

		if (hf_ub_line_read(at, &line) && ub_line_read_record(a, &line, &record))
			host->listed(host->arg, &record, 1, 0, "");
	}
	free(listing);
	hf_ub_job_end(a);
	hf_ub_job_next(a);
	host->listed(host->arg, NULL, 0, code, text);
}

void hf_ub_list_begin(struct hf_adapter *a)
{
	hf_ub_step_begin(a, end_list);
	hf_ub_step_wait(a);
	if (hf_ub_control_list(a->control, "UBCT1 list_local_data\n", LISTING_MAX, on_listing, a)) {
		hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
		hf_ub_step_end(a);
	}
	hf_ub_step_end(a);
}
