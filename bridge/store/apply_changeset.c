/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/timing.h"
#include "bridge/store/store_private.h"

/* Units of work between two looks at the clock, and lines that a unit of trimming removes. */
enum { UNITS_A_LOOK = 16, LINES_A_UNIT = 256 };

static const char *const delete_sql[] = {
	[HF_ROW_SOURCE] = "DELETE FROM source WHERE rid=?",
	[HF_ROW_OWNER] = "DELETE FROM owner WHERE rid=?",
	[HF_ROW_WORKSPACE] = "DELETE FROM workspace WHERE rid=?",
	[HF_ROW_AGENT] = "DELETE FROM agent WHERE rid=?",
	[HF_ROW_HOLD] = "DELETE FROM hold WHERE rid=?",
	[HF_ROW_TEXT] = "DELETE FROM text WHERE rid=?",
};

/* --- holds are told in the history, when they begin and when they end --- */

static int name_of(
    struct hf_sql *q, const char *sql, uint32_t rid, char out[static HF_LABEL_MAX + 1])
{
	struct hf_stmt st = hf_stmt(q, sql);
	int rc;

	out[0] = '\0';
	hf_stmt_put_int(&st, rid);
	rc = hf_stmt_next(&st);
	if (rc == 1) {
		hf_stmt_get_text(&st, out, HF_LABEL_MAX + 1);
		rc = st.error;
	}
	hf_stmt_end(&st);
	return rc;
}

static int note_hold(
    struct hf_store *s, const struct hf_hold_row *hold, const char *what, enum hf_reason why)
{
	char source[HF_LABEL_MAX + 1], owner[HF_LABEL_MAX + 1] = "", text[HF_TEXT_MAX * 2 + 64];
	int rc = name_of(s->w, "SELECT name FROM source WHERE rid=?", hold->source, source);

	if (!rc && hold->owner != UINT32_MAX)
		rc = name_of(s->w, "SELECT name FROM owner WHERE rid=?", hold->owner, owner);
	if (rc)
		return rc;
	snprintf(text, sizeof(text), "%s%s%s: %s%s%s", source, owner[0] ? "/" : "", owner,
	    hold->kind, hold->detail[0] ? ", " : "", hold->detail);
	rc = hf_change_log_note(s->w, &s->apply, what, why, text);
	s->apply.next_seq += rc == 0;
	return rc;
}

/* 1 and the hold as it is on disk, 0 if there is none. */
static int hold_row_find(struct hf_sql *q, uint32_t rid, struct hf_hold_row *ret_hold)
{
	struct hf_stmt st = hf_stmt(q, HF_SELECT_HOLD "WHERE rid=?");
	int rc;

	hf_stmt_put_int(&st, rid);
	rc = hf_stmt_next(&st);
	if (rc == 1)
		rc = hf_store_row_get(&st, HF_TABLE_HOLD, ret_hold);
	else if (!rc)
		return 0;
	hf_stmt_end(&st);
	return rc ? rc : 1;
}

static int tell_hold(struct hf_store *s, const struct hf_row_change *c)
{
	struct hf_hold_row before;
	int rc = hold_row_find(s->w, c->rid, &before);

	if (rc == 1 && c->removed)
		return note_hold(s, &before, "hold-ended", c->why);
	if (rc == 0 && !c->removed)
		return note_hold(s, c->row.hold, "hold", c->why);
	return rc < 0 ? rc : 0;
}

/* --- the phases; each applies one unit at a->at --- */

static void used_rid(uint32_t *next, uint32_t rid)
{
	if (rid >= *next)
		*next = rid + 1;
}

static int apply_row(struct hf_store *s, struct hf_apply *a)
{
	const struct hf_row_change *c = &a->changes->rows[a->at++];
	struct hf_stmt st;
	uint32_t rid = c->rid;
	int rc = 0;

	if ((unsigned)c->kind >= HF_ROW_LAST || (!c->removed && !c->row.source))
		return -EINVAL;
	if (c->kind == HF_ROW_HOLD)
		rc = tell_hold(s, c);
	if (rc)
		return rc;
	if (c->removed) {
		a->rows_removed++;
		st = hf_stmt(s->w, delete_sql[c->kind]);
		hf_stmt_put_int(&st, rid);
		return hf_stmt_run(&st);
	}
	if (c->kind == HF_ROW_WORKSPACE)
		used_rid(&a->meta.next_workspace, rid);
	if (c->kind == HF_ROW_AGENT)
		used_rid(&a->meta.next_agent, rid);
	return hf_store_row_set(s->w, hf_sql_table_of(c->kind), c->row.source);
}

static int apply_gone(struct hf_store *s, struct hf_apply *a)
{
	struct hf_stmt st = hf_stmt(s->w, "DELETE FROM restored WHERE name=?");
	char name[HF_NAME_TEXT_MAX];

	hf_stmt_put_text(&st, hf_name_text(&a->changes->restored_gone[a->at++], name));
	return hf_stmt_run(&st);
}

static int apply_restored(struct hf_store *s, struct hf_apply *a)
{
	const struct hf_restored_row *row = &a->changes->restored[a->at++];

	return row->name.len ? hf_store_row_set(s->w, HF_TABLE_RESTORED, row) : -EINVAL;
}

static bool is_summary(const struct hf_store *s, const struct hf_changeset *c)
{
	return c->names_reset || c->n_names > s->opts.log_max;
}

/*
 * So many names that listing them helps nobody: followers take all of them, and the history tells
 * how many.
 */
static int note_summary(struct hf_store *s, struct hf_apply *a)
{
	const struct hf_changeset *c = a->changes;
	struct hf_name_change first = { .why = HF_WHY_SNAPSHOT };
	char text[128], names[32] = "all";
	int rc;

	if (c->n_names) {
		snprintf(names, sizeof(names), "%zu", c->n_names);
		hf_changeset_name(c, 0, &first);
	} else if (c->n_rows) {
		first.why = c->rows[0].why;
	}
	snprintf(text, sizeof(text), "%s names (%zu rows set, %zu removed)", names,
	    c->n_rows - a->rows_removed, a->rows_removed);
	rc = hf_change_log_note(s->w, a, "summary", first.why, text);
	a->next_seq += rc == 0;
	a->meta.log_floor = a->meta.generation;
	a->at = SIZE_MAX;
	return rc;
}

static int apply_name(struct hf_store *s, struct hf_apply *a)
{
	struct hf_name_change change;
	int rc;

	if (is_summary(s, a->changes))
		return note_summary(s, a);
	hf_changeset_name(a->changes, a->at++, &change);
	rc = hf_change_log_name(s->w, a, &change);
	a->next_seq += rc == 0;
	return rc;
}

static int apply_trim(struct hf_store *s, struct hf_apply *a)
{
	uint64_t to = a->trim_to;
	int rc;

	if (to > a->first_seq + LINES_A_UNIT)
		to = a->first_seq + LINES_A_UNIT;
	rc = hf_change_log_trim(s->w, to, &a->meta);
	a->first_seq = to;
	return rc;
}

static bool phase_has_more(const struct hf_store *s, const struct hf_apply *a)
{
	const struct hf_changeset *c = a->changes;

	switch (a->phase) {
	case APPLY_ROWS:
		return a->at < c->n_rows;
	case APPLY_GONE:
		return a->at < c->n_restored_gone;
	case APPLY_RESTORED:
		return a->at < c->n_restored;
	case APPLY_NAMES:
		return is_summary(s, c) ? a->at != SIZE_MAX : a->at < c->n_names;
	case APPLY_TRIM:
		return a->first_seq < a->trim_to;
	case APPLY_COMMIT:
		break;
	}
	return false;
}

static int apply_unit(struct hf_store *s, struct hf_apply *a)
{
	switch (a->phase) {
	case APPLY_ROWS:
		return apply_row(s, a);
	case APPLY_GONE:
		return apply_gone(s, a);
	case APPLY_RESTORED:
		return apply_restored(s, a);
	case APPLY_NAMES:
		return apply_name(s, a);
	case APPLY_TRIM:
		return apply_trim(s, a);
	case APPLY_COMMIT:
		break;
	}
	return 0;
}

static void next_phase(struct hf_store *s, struct hf_apply *a)
{
	a->phase++;
	a->at = 0;
	if (a->phase == APPLY_TRIM)
		a->trim_to = hf_change_log_excess(s, a->first_seq, a->next_seq);
}

/* --- a changeset --- */

static bool changeset_is_empty(const struct hf_changeset *c)
{
	return !c->n_rows && !c->n_names && !c->names_reset && !c->n_restored &&
	       !c->n_restored_gone;
}

int hf_store_begin(struct hf_store *s, const struct hf_changeset *changes)
{
	struct hf_apply *a = &s->apply;
	int rc;

	if (a->changes)
		return -EBUSY;
	rc = changeset_is_empty(changes) ? 0 : hf_txn_begin(s);
	if (rc)
		return rc;
	*a = (struct hf_apply){
		.changes = changes,
		.meta = s->meta,
		.first_seq = s->first_seq,
		.next_seq = s->next_seq,
	};
	a->meta.generation = hf_store_next_generation(s);
	return 0;
}

static int apply_finish(struct hf_store *s, int rc)
{
	struct hf_apply *a = &s->apply;

	rc = hf_txn_end(s, rc, &a->meta);
	if (!rc) {
		s->first_seq = a->first_seq;
		s->next_seq = a->next_seq;
	}
	a->changes = NULL;
	return rc;
}

int hf_store_step(struct hf_store *s, uint32_t budget_us)
{
	struct hf_apply *a = &s->apply;
	int64_t until = hf_time_now_us() + budget_us;
	int rc = 0;

	if (!a->changes)
		return -EINVAL;
	if (changeset_is_empty(a->changes)) {
		a->changes = NULL;
		return 0;
	}
	for (unsigned n = 0; !rc && a->phase != APPLY_COMMIT;) {
		if (!phase_has_more(s, a)) {
			next_phase(s, a);
			continue;
		}
		if (n == UNITS_A_LOOK && hf_time_now_us() >= until)
			return 1;
		n = n == UNITS_A_LOOK ? 0 : n + 1;
		rc = apply_unit(s, a);
	}
	return apply_finish(s, rc);
}

void hf_store_abort(struct hf_store *s)
{
	if (!s->apply.changes)
		return;
	s->apply.changes = NULL;
	if (s->w && hf_sql_in_transaction(s->w))
		hf_sql_exec(s->w, "ROLLBACK");
}

int hf_store_apply(struct hf_store *s, const struct hf_changeset *changes)
{
	int rc = hf_store_begin(s, changes);

	if (rc)
		return rc;
	do {
		rc = hf_store_step(s, UINT32_MAX);
	} while (rc == 1);
	return rc;
}
