/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/told.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bridge/stream/client/owner_list.h"

enum { ALL_AGAIN_MS = 3600 * 1000 };

void hf_told_take(struct hf_told *t, struct hf_server_info *info)
{
	hf_server_info_free(t->info);
	t->info = info;
	t->waits = true;
}

void hf_told_done(struct hf_told *t)
{
	hf_server_info_free(t->info);
	free(t->all);
}

void hf_told_warn_of_expiry(struct hf_told *t)
{
	int64_t left = t->info->token_expires_s - hf_wall_ms(t->clock) / 1000;
	unsigned level = left <= 0 ? 3 : left <= 86400 ? 2 : left <= 7 * 86400 ? 1 : 0;

	if (!t->info->token_expires_s)
		return;
	if (level > t->warned && left > 0)
		hf_log_warn("source '%s': the session token expires in %" PRId64
			    " hours; put a new one in its place before",
		    t->settings->name, left / 3600);
	t->warned = level;
}

/* A connection carries so many calls and no more; a new snapshot needs a second one for a while. */
size_t hf_told_owners_max(const struct hf_told *t)
{
	size_t max = t->settings->limits.streams;

	return max > 2 * HF_OPENING_MAX ? max - HF_OPENING_MAX : (max + 1) / 2;
}

static void limit_owners(struct hf_told *t)
{
	size_t max = hf_told_owners_max(t);

	if (t->info->n_owners <= max)
		return;
	hf_problem_set(&t->info->missing, HF_PROBLEM_NO_USER,
	    "%zu of %zu owners are not followed: limits.streams is %u", t->info->n_owners - max,
	    t->info->n_owners, t->settings->limits.streams);
	t->info->complete = false;
	t->info->n_owners = max;
}

void hf_told_tell_missing(struct hf_told *t)
{
	char what[112];

	snprintf(what, sizeof(what), "source '%s': the list of owners", t->settings->name);
	if (!t->info->missing.code)
		hf_fault_clear(&t->owner_fault, t->clock, what);
	else
		hf_fault_set(&t->owner_fault, t->clock, HF_LOG_WARN, "source '%s': %s",
		    t->settings->name, t->info->missing.text);
}

/* The listing of all users is kept for an hour. */
static void keep_all(struct hf_told *t)
{
	const struct hf_texts *owners = &t->settings->owners;
	struct hf_owner_info *copy;
	bool all = false;

	for (size_t i = 0; i < owners->n; i++)
		all |= !strcmp(owners->at[i], "all");
	if (!all || !t->info->complete || t->all || !t->info->n_owners)
		return;
	copy = calloc(t->info->n_owners, sizeof(*copy));
	if (!copy)
		return;
	t->all = copy;
	t->n_all = 0;
	t->all_ms = hf_boot_ms(t->clock);
	for (size_t i = 0; i < t->info->n_owners; i++) {
		if (!t->info->owners[i].listed)
			continue;
		copy[t->n_all] = t->info->owners[i];
		copy[t->n_all++].readable = READABLE_UNKNOWN; /* that is asked each time */
	}
}

void hf_told_keep(struct hf_told *t)
{
	keep_all(t);
	limit_owners(t);
}

const struct hf_owner_info *hf_told_listing(struct hf_told *t, size_t *ret_n)
{
	if (t->all && hf_boot_ms(t->clock) - t->all_ms >= ALL_AGAIN_MS) {
		free(t->all);
		t->all = NULL;
		t->n_all = 0;
	}
	*ret_n = t->n_all;
	return t->all;
}

void hf_told_note_rights(struct hf_told *t)
{
	memcpy(t->rights, t->info->rights, sizeof(t->rights));
}

bool hf_told_rights_changed(const struct hf_told *t)
{
	const char *now = t->info->rights;

	return *now && strcmp(now, t->rights) != 0;
}
