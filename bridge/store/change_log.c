/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash_table.h"
#include "bridge/store/store_private.h"

static const char *const reason_names[HF_WHY_LAST] = {
	[HF_WHY_SNAPSHOT] = "snapshot",
	[HF_WHY_DIFF] = "diff",
	[HF_WHY_ACCEPTED] = "accepted",
	[HF_WHY_RELEASED] = "released",
	[HF_WHY_HELD] = "held",
	[HF_WHY_CONFIG] = "config",
	[HF_WHY_CLASH] = "clash",
	[HF_WHY_POLICY] = "policy",
	[HF_WHY_RESTORED] = "restored",
	[HF_WHY_IDENTITY] = "identity",
};

static const char *const what_names[HF_WHAT_LAST] = {
	[HF_WHAT_CHANGED] = "changed",
	[HF_WHAT_ADDED] = "added",
	[HF_WHAT_REMOVED] = "removed",
	[HF_WHAT_HELD] = "held",
	[HF_WHAT_RELEASED] = "released",
	[HF_WHAT_WITHDRAWN] = "withdrawn",
	[HF_WHAT_RETURNED] = "returned",
};

const char *hf_store_reason_name(enum hf_reason why)
{
	return (unsigned)why < HF_WHY_LAST ? reason_names[why] : "unknown";
}

const char *hf_store_what_name(enum hf_what what)
{
	return (unsigned)what < HF_WHAT_LAST ? what_names[what] : "unknown";
}

/* 0 (the ordinary one) for a word that a newer version wrote. */
static unsigned index_of(const char *const *names, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++) {
		if (!strcmp(names[i], name))
			return i;
	}
	return 0;
}

/* --- writing --- */

int hf_change_log_open(struct hf_store *s, struct hf_sql *q)
{
	int64_t first = 0, last = 0;
	int rc = hf_sql_number(q, "SELECT ifnull(min(seq),1) FROM change", &first);

	if (!rc)
		rc = hf_sql_number(q, "SELECT ifnull(max(seq),0) FROM change", &last);
	if (!rc && (first < 1 || last < 0 || last == INT64_MAX))
		rc = HF_EDAMAGED;
	if (rc)
		return rc;
	s->first_seq = (uint64_t)first;
	s->next_seq = (uint64_t)last + 1;
	return 0;
}

int hf_change_log_name(struct hf_sql *q, const struct hf_apply *a, const struct hf_name_change *c)
{
	struct hf_change_row row = {
		.seq = a->next_seq,
		.generation = a->meta.generation,
		.wall_s = a->changes->wall_s,
		.name = c->name,
		.flags = c->flags,
		.source = c->source,
		.owner = c->owner,
		.agent = c->agent,
		.first_seen_s = c->first_seen_s,
	};

	memcpy(row.addr, c->addr, sizeof(row.addr));
	snprintf(row.what, sizeof(row.what), "%s",
	    hf_store_what_name(c->removed ? HF_WHAT_REMOVED : c->what));
	snprintf(row.why, sizeof(row.why), "%s", hf_store_reason_name(c->why));
	return c->name.len ? hf_store_row_set(q, HF_TABLE_CHANGE, &row) : -EINVAL;
}

int hf_change_log_note(struct hf_sql *q, const struct hf_apply *a, const char *what,
    enum hf_reason why, const char *detail)
{
	struct hf_change_row row = {
		.seq = a->next_seq,
		.generation = a->meta.generation,
		.wall_s = a->changes->wall_s,
		.source = UINT32_MAX,
		.owner = UINT32_MAX,
		.agent = UINT32_MAX,
	};

	snprintf(row.what, sizeof(row.what), "%s", what);
	snprintf(row.why, sizeof(row.why), "%s", hf_store_reason_name(why));
	snprintf(row.detail, sizeof(row.detail), "%s", detail);
	return hf_store_row_set(q, HF_TABLE_CHANGE, &row);
}

/* In batches: the oldest lines are on a page that nothing else touches. */
uint64_t hf_change_log_excess(const struct hf_store *s, uint64_t first_seq, uint64_t next_seq)
{
	uint64_t keep =
	    s->opts.log_max > s->opts.history_max ? s->opts.log_max : s->opts.history_max;

	return next_seq - first_seq > keep + keep / 8 ? next_seq - keep : 0;
}

int hf_change_log_trim(struct hf_sql *q, uint64_t to, struct hf_meta *meta)
{
	struct hf_stmt last = hf_stmt(q, "SELECT generation FROM change WHERE seq=?");
	struct hf_stmt st = hf_stmt(q, "DELETE FROM change WHERE seq<?");
	int rc;

	hf_stmt_put_int(&last, (int64_t)to - 1);
	rc = hf_stmt_next(&last);
	if (rc == 1) {
		uint64_t generation = (uint64_t)hf_stmt_get_int(&last, 0, INT64_MAX);

		rc = last.error;
		if (!rc && generation > meta->log_floor)
			meta->log_floor = generation;
		hf_stmt_end(&last);
	}
	if (rc)
		return rc;
	hf_stmt_put_int(&st, (int64_t)to);
	return hf_stmt_run(&st);
}

/* --- the change log --- */

struct seen_change {
	struct hf_name_change change;
	uint64_t generation;
	UT_hash_handle hh; /* by the name's bytes; in the order in which they were added */
};

static void seen_free(struct seen_change *all)
{
	struct seen_change *at, *next;

	HASH_ITER (hh, all, at, next) {
		HASH_DEL(all, at);
		free(at);
	}
}

static struct hf_name_change change_of(const struct hf_change_row *row)
{
	struct hf_name_change c = {
		.name = row->name,
		.what = (enum hf_what)index_of(what_names, HF_WHAT_LAST, row->what),
		.why = (enum hf_reason)index_of(reason_names, HF_WHY_LAST, row->why),
		.flags = row->flags,
		.source = row->source,
		.owner = row->owner,
		.agent = row->agent,
		.first_seen_s = row->first_seen_s,
	};

	c.removed = c.what == HF_WHAT_REMOVED;
	memcpy(c.addr, row->addr, sizeof(c.addr));
	return c;
}

/* Lines come newest first: what is known of a name already is newer. */
static int seen_add(struct seen_change **all, const struct hf_change_row *row)
{
	struct seen_change *at = NULL;

	HASH_FIND(hh, *all, row->name.wire, row->name.len, at);
	if (at)
		return 0;
	at = calloc(1, sizeof(*at));
	if (!at)
		return -ENOMEM;
	at->change = change_of(row);
	at->generation = row->generation;
	HASH_ADD_KEYPTR(hh, *all, at->change.name.wire, at->change.name.len, at);
	if (hf_hash_added(at))
		return 0;
	free(at);
	return -ENOMEM;
}

static int collect_since(struct hf_store *s, uint64_t since, struct seen_change **all)
{
	struct hf_stmt st = hf_stmt(s->r, HF_SELECT_CHANGE "ORDER BY seq DESC");
	struct hf_change_row row;
	uint32_t n = 0;
	int rc;

	while ((rc = hf_stmt_next(&st)) == 1) {
		rc = hf_store_row_get(&st, HF_TABLE_CHANGE, &row);
		if (rc || row.generation <= since)
			break;
		if (row.name.len && ++n > s->opts.log_max)
			rc = -ESTALE;
		if (!rc && row.name.len)
			rc = seen_add(all, &row);
		if (rc)
			break;
	}
	hf_stmt_end(&st);
	return rc;
}

int hf_store_names_since(struct hf_store *s, uint64_t since, hf_store_name_cb cb, void *arg)
{
	struct seen_change *all = NULL, *last = NULL;
	int rc;

	if (since > s->meta.generation || since < s->meta.log_floor)
		return -ESTALE;
	if (since == s->meta.generation)
		return 0;
	if (!s->r)
		return -EIO;
	rc = hf_store_read_done(s, s->r, collect_since(s, since, &all));
	if (!rc && all)
		last = ELMT_FROM_HH(all->hh.tbl, all->hh.tbl->tail);
	for (; !rc && last; last = last->hh.prev)
		rc = cb(&last->change, last->generation, arg);
	seen_free(all);
	return rc;
}

static int collect_last(struct hf_store *s, size_t max, struct seen_change **all)
{
	struct hf_stmt st = hf_stmt(s->r, HF_SELECT_CHANGE "ORDER BY seq DESC");
	struct hf_change_row row;
	int rc = 0;

	while (!rc && max && (rc = hf_stmt_next(&st)) == 1) {
		rc = hf_store_row_get(&st, HF_TABLE_CHANGE, &row);
		if (rc || !row.name.len)
			continue;
		rc = seen_add(all, &row);
		max--;
	}
	hf_stmt_end(&st);
	return rc;
}

int hf_store_names_removed(struct hf_store *s, size_t max, hf_store_name_cb cb, void *arg)
{
	struct seen_change *all = NULL, *at;
	int rc;

	if (!s->r)
		return -EIO;
	rc = hf_store_read_done(s, s->r, collect_last(s, max, &all));
	for (at = all; !rc && at; at = at->hh.next)
		if (at->change.removed)
			rc = cb(&at->change, at->generation, arg);
	seen_free(all);
	return rc;
}

/* --- the history --- */

static int tell_line(const struct hf_change_row *row, hf_store_history_cb cb, void *arg)
{
	char name[HF_NAME_TEXT_MAX] = "", addr[HF_ADDR_TEXT_MAX] = "";
	struct hf_history_line line = {
		.wall_s = row->wall_s,
		.generation = row->generation,
		.name = name,
		.what = row->what,
		.reason = row->why,
		.detail = row->detail,
	};

	if (row->name.len) {
		hf_name_text(&row->name, name);
		line.detail = row->detail[0] ? row->detail : hf_addr_text(row->addr, addr);
	}
	return cb(&line, arg);
}

int hf_store_history(
    struct hf_store *s, const char *name, size_t max, hf_store_history_cb cb, void *arg)
{
	struct hf_change_row row;
	struct hf_stmt st;
	int rc;

	if (!s->r)
		return -EIO;
	/*
	 * Without an index: all of it is looked through in some ms, and each change is spared three
	 * pages.
	 */
	if (name)
		st = hf_stmt(s->r, HF_SELECT_CHANGE "WHERE name=? ORDER BY seq DESC LIMIT ?");
	else
		st = hf_stmt(s->r, HF_SELECT_CHANGE "ORDER BY seq DESC LIMIT ?");
	if (name)
		hf_stmt_put_text(&st, name);
	hf_stmt_put_int(&st, max > INT64_MAX ? INT64_MAX : (int64_t)max);
	while ((rc = hf_stmt_next(&st)) == 1) {
		rc = hf_store_row_get(&st, HF_TABLE_CHANGE, &row);
		if (!rc)
			rc = tell_line(&row, cb, arg);
		if (rc)
			break;
	}
	hf_stmt_end(&st);
	return hf_store_read_done(s, s->r, rc);
}
