/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/store/store_rows.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/wire.h"
#include "base/xxh.h"

/* clang-format off */
#define AT(type, member) .offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)

#define U8(s, m, most) { HF_FIELD_U8, AT(s, m), .max = (most) }
#define U32(s, m) { HF_FIELD_U32, AT(s, m) }
#define U64(s, m) { HF_FIELD_U64, AT(s, m) }
#define S64(s, m) { HF_FIELD_S64, AT(s, m) }
#define BOOL(s, m) { HF_FIELD_BOOL, AT(s, m) }
#define RID_OR_NONE(s, m) { HF_FIELD_RID_OR_NONE, AT(s, m) }
#define BLOB16(s, m) { HF_FIELD_BLOB16, AT(s, m) }
#define TEXT(s, m) { HF_FIELD_TEXT, AT(s, m) }
#define LABEL(s, m) { HF_FIELD_LABEL, AT(s, m) }
#define NAME(s, m) { HF_FIELD_NAME, AT(s, m) }
/* clang-format on */

/*
 * The order of the fields is that of the columns of `set` and `all`; `sum` is the last column, or
 * the last but one where version 1 has not all of them.
 */
const struct hf_sql_table hf_sql_tables[HF_TABLE_LAST] = {
	[HF_TABLE_SOURCE] = {
		.name = "source",
		.row_size = sizeof(struct hf_source_row),
		.set = "INSERT OR REPLACE INTO source(rid,name,url,suffix,deployment_id,user,user_name,withdrawn,away_ms,counted_boot,counted_ms,counted_s,contact_s,sentinel,removals,sum,marks) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		.all = HF_SELECT_SOURCE "ORDER BY rid",
		.n_fields = 16,
		.n_first = 14,
		.fields = {
			U32(hf_source_row, rid), TEXT(hf_source_row, name), TEXT(hf_source_row, url),
			NAME(hf_source_row, suffix), TEXT(hf_source_row, deployment_id),
			BLOB16(hf_source_row, user), LABEL(hf_source_row, user_name),
			BOOL(hf_source_row, withdrawn), U64(hf_source_row, away_ms),
			BLOB16(hf_source_row, counted_boot), S64(hf_source_row, counted_ms),
			S64(hf_source_row, counted_s),
			S64(hf_source_row, contact_s), BOOL(hf_source_row, sentinel),
			TEXT(hf_source_row, removals), U8(hf_source_row, marks, HF_SOURCE_MARKS),
		},
	},
	[HF_TABLE_OWNER] = {
		.name = "owner",
		.row_size = sizeof(struct hf_owner_row),
		.set = "INSERT OR REPLACE INTO owner(rid,source,id,name,confirmed_s,words,rights,sum,marks) VALUES(?,?,?,?,?,?,?,?,?)",
		.all = HF_SELECT_OWNER "ORDER BY rid",
		.n_fields = 8,
		.n_first = 5,
		.fields = {
			U32(hf_owner_row, rid), U32(hf_owner_row, source), BLOB16(hf_owner_row, id),
			LABEL(hf_owner_row, name), S64(hf_owner_row, confirmed_s),
			TEXT(hf_owner_row, words), U32(hf_owner_row, rights),
			U8(hf_owner_row, marks, HF_OWNER_MARKS),
		},
	},
	[HF_TABLE_WORKSPACE] = {
		.name = "workspace",
		.row_size = sizeof(struct hf_workspace_row),
		.set = "INSERT OR REPLACE INTO workspace(rid,owner,id,name,status,held,first_seen_s,sum,marks) VALUES(?,?,?,?,?,?,?,?,?)",
		.all = HF_SELECT_WORKSPACE "ORDER BY rid",
		.n_fields = 8,
		.n_first = 7,
		.fields = {
			U32(hf_workspace_row, rid), U32(hf_workspace_row, owner),
			BLOB16(hf_workspace_row, id), LABEL(hf_workspace_row, name),
			U8(hf_workspace_row, status, 255), BOOL(hf_workspace_row, held),
			S64(hf_workspace_row, first_seen_s), U8(hf_workspace_row, marks, HF_WS_MARKS),
		},
	},
	[HF_TABLE_AGENT] = {
		.name = "agent",
		.row_size = sizeof(struct hf_agent_row),
		.set = "INSERT OR REPLACE INTO agent(rid,workspace,id,name,names,main_name,first_seen_s,sum) VALUES(?,?,?,?,?,?,?,?)",
		.all = HF_SELECT_AGENT "ORDER BY rid",
		.n_fields = 7,
		.fields = {
			U32(hf_agent_row, rid), U32(hf_agent_row, workspace), BLOB16(hf_agent_row, id),
			LABEL(hf_agent_row, name), U8(hf_agent_row, names, 7), U8(hf_agent_row, primary, 4),
			S64(hf_agent_row, first_seen_s),
		},
	},
	[HF_TABLE_HOLD] = {
		.name = "hold",
		.row_size = sizeof(struct hf_hold_row),
		.set = "INSERT OR REPLACE INTO hold(rid,source,owner,kind,detail,since_s,fresh_ms,rejected,sum) VALUES(?,?,?,?,?,?,?,?,?)",
		.all = HF_SELECT_HOLD "ORDER BY rid",
		.n_fields = 8,
		.fields = {
			U32(hf_hold_row, rid), U32(hf_hold_row, source), RID_OR_NONE(hf_hold_row, owner),
			TEXT(hf_hold_row, kind), TEXT(hf_hold_row, detail), S64(hf_hold_row, since_s),
			U64(hf_hold_row, fresh_ms), BOOL(hf_hold_row, rejected),
		},
	},
	[HF_TABLE_RESTORED] = {
		.name = "restored",
		.row_size = sizeof(struct hf_restored_row),
		.set = "INSERT OR REPLACE INTO restored(name,addr,main_name,source,first_seen_s,flags,sum,kept) VALUES(?,?,?,?,?,?,?,?)",
		.all = HF_SELECT_RESTORED "ORDER BY name",
		.n_fields = 7,
		.n_first = 5,
		.fields = {
			NAME(hf_restored_row, name), BLOB16(hf_restored_row, addr),
			BOOL(hf_restored_row, primary), U32(hf_restored_row, source),
			S64(hf_restored_row, first_seen_s), U8(hf_restored_row, flags, 255),
			BOOL(hf_restored_row, kept),
		},
	},
	[HF_TABLE_CHANGE] = {
		.name = "change",
		.row_size = sizeof(struct hf_change_row),
		.set = "INSERT OR REPLACE INTO change(seq,generation,wall_s,name,what,why,flags,addr,source,owner,agent,first_seen_s,detail,sum) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		.all = HF_SELECT_CHANGE "ORDER BY seq",
		.n_fields = 13,
		.fields = {
			U64(hf_change_row, seq), U64(hf_change_row, generation), S64(hf_change_row, wall_s),
			NAME(hf_change_row, name), TEXT(hf_change_row, what), TEXT(hf_change_row, why),
			U8(hf_change_row, flags, 255), BLOB16(hf_change_row, addr),
			RID_OR_NONE(hf_change_row, source), RID_OR_NONE(hf_change_row, owner),
			RID_OR_NONE(hf_change_row, agent), S64(hf_change_row, first_seen_s),
			TEXT(hf_change_row, detail),
		},
	},
	[HF_TABLE_ADAPTER] = {
		.name = "adapter",
		.row_size = sizeof(struct hf_adapter_row),
		.set = "INSERT OR REPLACE INTO adapter(rid,name,epoch,generation,sum) VALUES(?,?,?,?,?)",
		.all = HF_SELECT_ADAPTER "ORDER BY rid",
		.n_fields = 4,
		.fields = {
			U32(hf_adapter_row, rid), TEXT(hf_adapter_row, name), BLOB16(hf_adapter_row, epoch),
			U64(hf_adapter_row, generation),
		},
	},
	[HF_TABLE_OWNED] = {
		.name = "owned",
		.row_size = sizeof(struct hf_owned_row),
		.set = "INSERT OR REPLACE INTO owned(adapter,name,addr,state,generation,sum) VALUES(?,?,?,?,?,?)",
		.all = HF_SELECT_OWNED "ORDER BY adapter,name,addr",
		.n_fields = 5,
		.fields = {
			U32(hf_owned_row, adapter), NAME(hf_owned_row, name), BLOB16(hf_owned_row, addr),
			U8(hf_owned_row, state, 255), U64(hf_owned_row, generation),
		},
	},
	[HF_TABLE_ADDRESS] = {
		.name = "address",
		.row_size = sizeof(struct hf_address_row),
		.set = "INSERT OR REPLACE INTO address(source,place,address,sum) VALUES(?,?,?,?)",
		.all = HF_SELECT_ADDRESS "ORDER BY source,place",
		.n_fields = 3,
		.fields = {
			TEXT(hf_address_row, source), U32(hf_address_row, place),
			TEXT(hf_address_row, address),
		},
	},
	[HF_TABLE_TEXT] = {
		.name = "text",
		.row_size = sizeof(struct hf_text_row),
		.set = "INSERT OR REPLACE INTO text(rid,text,sum) VALUES(?,?,?)",
		.all = HF_SELECT_TEXT "ORDER BY rid",
		.n_fields = 2,
		.fields = { U32(hf_text_row, rid), TEXT(hf_text_row, text) },
	},
	[HF_TABLE_META] = {
		.name = "meta",
		.row_size = sizeof(struct hf_meta),
		.set = "INSERT OR REPLACE INTO meta(id,version,oldest,schema_sum,epoch,generation,ready,copied,log_floor,next_workspace,next_agent,made_s,sum) VALUES(1,?,?,?,?,?,?,?,?,?,?,?,?)",
		.all = HF_SELECT_META "WHERE id=1",
		.n_fields = 11,
		.fields = {
			U32(hf_meta, version), U32(hf_meta, oldest), U64(hf_meta, schema_sum),
			BLOB16(hf_meta, epoch), U64(hf_meta, generation), BOOL(hf_meta, ready),
			BOOL(hf_meta, copied), U64(hf_meta, log_floor), U32(hf_meta, next_workspace),
			U32(hf_meta, next_agent), S64(hf_meta, made_s),
		},
	},
};

/* Members are read and written by memcpy: a row is bytes here. */
#define LOAD(type, at) (*(const type *)(const void *)(at))

/* --- checks: the same for what is written and for what was read --- */

/* Only names of ours get in; those can be written as text and read back. */
static bool is_plain_name(const struct hf_name *name)
{
	size_t at = 0;

	if (name->len <= 1)
		return name->len == 0;
	while (at < name->len && name->wire[at]) {
		size_t len = name->wire[at];

		if (at + 1 + len >= name->len ||
		    !hf_label_is_lower((const char *)name->wire + at + 1, len))
			return false;
		at += 1 + len;
	}
	return at + 1 == name->len && name->wire[at] == 0;
}

static bool field_ok(const struct hf_field *f, const uint8_t *at)
{
	size_t len;

	switch (f->type) {
	case HF_FIELD_U8:
		return *at <= f->max;
	case HF_FIELD_U32:
		return LOAD(uint32_t, at) != UINT32_MAX;
	case HF_FIELD_U64:
		return LOAD(uint64_t, at) <= INT64_MAX;
	case HF_FIELD_TEXT:
		return strnlen((const char *)at, f->size) < f->size;
	case HF_FIELD_LABEL:
		len = strnlen((const char *)at, f->size);
		return len == 0 || (len < f->size && hf_label_is_lower((const char *)at, len));
	case HF_FIELD_NAME:
		return is_plain_name((const struct hf_name *)(const void *)at);
	case HF_FIELD_S64:
	case HF_FIELD_BOOL:
	case HF_FIELD_RID_OR_NONE:
	case HF_FIELD_BLOB16:
		return true;
	}
	return false;
}

/* The one name that a PTR tells is one of those that are published. */
static bool primary_ok(const struct hf_agent_row *a)
{
	return (a->primary & (a->primary - 1)) == 0 && (a->primary & ~a->names) == 0;
}

int hf_store_row_check(enum hf_table_id id, const void *row)
{
	const struct hf_sql_table *t = &hf_sql_tables[id];

	for (size_t i = 0; i < t->n_fields; i++) {
		if (!field_ok(&t->fields[i], (const uint8_t *)row + t->fields[i].offset))
			return -EINVAL;
	}
	if (id == HF_TABLE_AGENT && !primary_ok(row))
		return -EINVAL;
	return 0;
}

/* --- the sum --- */

static void sum_text(struct hf_wr *w, const char *text)
{
	size_t len = strlen(text);

	hf_wr_u16(w, (uint16_t)len);
	hf_wr_bytes(w, text, len);
}

static void sum_field(struct hf_wr *w, const struct hf_field *f, const uint8_t *at)
{
	const struct hf_name *name;

	switch (f->type) {
	case HF_FIELD_U8:
		hf_wr_u8(w, *at);
		break;
	case HF_FIELD_BOOL:
		hf_wr_u8(w, LOAD(bool, at));
		break;
	case HF_FIELD_U32:
	case HF_FIELD_RID_OR_NONE:
		hf_wr_u32(w, LOAD(uint32_t, at));
		break;
	case HF_FIELD_U64:
		hf_wr_u64(w, LOAD(uint64_t, at));
		break;
	case HF_FIELD_S64:
		hf_wr_u64(w, (uint64_t)LOAD(int64_t, at));
		break;
	case HF_FIELD_BLOB16:
		hf_wr_bytes(w, at, 16);
		break;
	case HF_FIELD_TEXT:
	case HF_FIELD_LABEL:
		sum_text(w, (const char *)at);
		break;
	case HF_FIELD_NAME:
		name = (const struct hf_name *)(const void *)at;
		hf_wr_u8(w, name->len);
		hf_wr_bytes(w, name->wire, name->len);
		break;
	}
}

/*
 * 32 bits, signed: four bytes in the file. The table is in it, so that no row passes for one of
 * another table.
 */
static int64_t row_sum_of(enum hf_table_id id, const void *row, size_t from, size_t to)
{
	const struct hf_sql_table *t = &hf_sql_tables[id];
	uint8_t bytes[HF_RIGHTS_MAX + 512];
	struct hf_wr w = hf_wr(bytes, sizeof(bytes));

	for (size_t i = from; i < to; i++)
		sum_field(&w, &t->fields[i], (const uint8_t *)row + t->fields[i].offset);
	assert(!w.error);
	return (int32_t)(uint32_t)XXH3_64bits_withSeed(bytes, hf_wr_len(&w), (XXH64_hash_t)id + 1);
}

static int64_t row_sum(enum hf_table_id id, const void *row)
{
	const struct hf_sql_table *t = &hf_sql_tables[id];

	return row_sum_of(id, row, 0, t->n_first ? t->n_first : t->n_fields);
}

static bool field_is_blank(const struct hf_field *f, const uint8_t *at)
{
	return f->type == HF_FIELD_TEXT  ? !*at
	       : f->type == HF_FIELD_U32 ? !LOAD(uint32_t, at)
					 : !*at; /* U8, BOOL: there are no others */
}

/*
 * What version 1 has not: the last field, and above it the sum of all of them, 0 where they are
 * blank.
 */
static int64_t last_column(enum hf_table_id id, const void *row)
{
	const struct hf_sql_table *t = &hf_sql_tables[id];
	const uint8_t *at = row;
	bool blank = true;
	uint32_t sum;

	for (size_t i = t->n_first; i < t->n_fields; i++)
		blank = blank && field_is_blank(&t->fields[i], at + t->fields[i].offset);
	if (blank)
		return 0;
	sum = (uint32_t)row_sum_of(id, row, t->n_first, t->n_fields);
	return (int64_t)(sum ? sum : 1) << 8 | at[t->fields[t->n_fields - 1].offset];
}

/* How many fields have a column of their own before `sum`. */
static size_t n_before_sum(const struct hf_sql_table *t)
{
	return t->n_first ? t->n_fields - 1 : t->n_fields;
}

/* --- writing --- */

static void put_field(struct hf_stmt *st, const struct hf_field *f, const uint8_t *at, char *text)
{
	switch (f->type) {
	case HF_FIELD_U8:
		hf_stmt_put_int(st, *at);
		break;
	case HF_FIELD_BOOL:
		hf_stmt_put_int(st, LOAD(bool, at));
		break;
	case HF_FIELD_RID_OR_NONE:
		if (LOAD(uint32_t, at) == UINT32_MAX) {
			hf_stmt_put_null(st);
			break;
		}
		hf_stmt_put_int(st, LOAD(uint32_t, at));
		break;
	case HF_FIELD_U32:
		hf_stmt_put_int(st, LOAD(uint32_t, at));
		break;
	case HF_FIELD_U64:
	case HF_FIELD_S64:
		hf_stmt_put_int(st, LOAD(int64_t, at));
		break;
	case HF_FIELD_BLOB16:
		hf_stmt_put_blob(st, at, 16);
		break;
	case HF_FIELD_TEXT:
	case HF_FIELD_LABEL:
		hf_stmt_put_text(st, (const char *)at);
		break;
	case HF_FIELD_NAME:
		text[0] = '\0';
		if (*at)
			hf_name_text((const struct hf_name *)(const void *)at, text);
		hf_stmt_put_text(st, text);
		break;
	}
}

int hf_store_row_set(struct hf_sql *q, enum hf_table_id id, const void *row)
{
	const struct hf_sql_table *t = &hf_sql_tables[id];
	char text[HF_NAME_TEXT_MAX]; /* no table has two names */
	struct hf_stmt st;
	int rc = hf_store_row_check(id, row);

	if (rc)
		return rc;
	st = hf_stmt(q, t->set);
	for (size_t i = 0; i < n_before_sum(t); i++)
		put_field(&st, &t->fields[i], (const uint8_t *)row + t->fields[i].offset, text);
	hf_stmt_put_int(&st, row_sum(id, row));
	if (t->n_first)
		hf_stmt_put_int(&st, last_column(id, row));
	return hf_stmt_run(&st);
}

/* --- reading --- */

static void get_name(struct hf_stmt *st, struct hf_name *ret_name)
{
	char text[HF_NAME_MAX + 1];

	hf_stmt_get_text(st, text, sizeof(text));
	if (!st->error && text[0] && hf_name_parse(text, ret_name))
		st->error = HF_EDAMAGED;
}

static void get_field(struct hf_stmt *st, const struct hf_field *f, uint8_t *at)
{
	uint64_t u64;
	uint32_t u32;
	int64_t s64;
	bool flag;

	switch (f->type) {
	case HF_FIELD_U8:
		*at = (uint8_t)hf_stmt_get_int(st, 0, f->max);
		break;
	case HF_FIELD_BOOL:
		flag = hf_stmt_get_int(st, 0, 1);
		memcpy(at, &flag, sizeof(flag));
		break;
	case HF_FIELD_RID_OR_NONE:
	case HF_FIELD_U32:
		u32 = UINT32_MAX;
		if (f->type == HF_FIELD_U32 || !hf_stmt_get_null(st))
			u32 = (uint32_t)hf_stmt_get_int(st, 0, UINT32_MAX - 1);
		memcpy(at, &u32, sizeof(u32));
		break;
	case HF_FIELD_U64:
		u64 = (uint64_t)hf_stmt_get_int(st, 0, INT64_MAX);
		memcpy(at, &u64, sizeof(u64));
		break;
	case HF_FIELD_S64:
		s64 = hf_stmt_get_int(st, INT64_MIN, INT64_MAX);
		memcpy(at, &s64, sizeof(s64));
		break;
	case HF_FIELD_BLOB16:
		hf_stmt_get_blob(st, at, 16);
		break;
	case HF_FIELD_TEXT:
	case HF_FIELD_LABEL:
		hf_stmt_get_text(st, (char *)at, f->size);
		break;
	case HF_FIELD_NAME:
		get_name(st, (struct hf_name *)(void *)at);
		break;
	}
}

/* The last field, and the sum above it. */
static bool get_last_column(struct hf_stmt *st, enum hf_table_id id, void *row)
{
	const struct hf_field *f = &hf_sql_tables[id].fields[hf_sql_tables[id].n_fields - 1];
	int64_t value = hf_stmt_get_int(st, 0, INT64_MAX);
	uint8_t low = (uint8_t)value;

	if (st->error || low > (f->type == HF_FIELD_BOOL ? 1 : f->max))
		return false;
	((uint8_t *)row)[f->offset] = low;
	return value == last_column(id, row);
}

int hf_store_row_get(struct hf_stmt *st, enum hf_table_id id, void *ret_row)
{
	const struct hf_sql_table *t = &hf_sql_tables[id];
	bool same = true;
	int64_t sum;

	memset(ret_row, 0, t->row_size);
	for (size_t i = 0; i < n_before_sum(t); i++)
		get_field(st, &t->fields[i], (uint8_t *)ret_row + t->fields[i].offset);
	sum = hf_stmt_get_int(st, INT32_MIN, INT32_MAX);
	if (t->n_first)
		same = get_last_column(st, id, ret_row);
	if (!st->error && (!same || hf_store_row_check(id, ret_row) || sum != row_sum(id, ret_row)))
		st->error = HF_EDAMAGED;
	if (st->error == HF_EDAMAGED)
		snprintf(st->sql->error, sizeof(st->sql->error), "a row of table '%s' is damaged",
		    t->name);
	return st->error;
}

int hf_store_rows_load(struct hf_sql *q, enum hf_table_id id, void **ret_rows, size_t *ret_n)
{
	const struct hf_sql_table *t = &hf_sql_tables[id];
	struct hf_stmt st = hf_stmt(q, t->all);
	uint8_t *rows = NULL, *more;
	size_t n = 0, room = 0;
	int rc;

	while ((rc = hf_stmt_next(&st)) == 1) {
		if (n == room) {
			room = room ? room * 2 : 16;
			more = reallocarray(rows, room, t->row_size);
			rc = more ? 0 : -ENOMEM;
			if (rc)
				break;
			rows = more;
		}
		rc = hf_store_row_get(&st, id, rows + n * t->row_size);
		if (rc)
			break;
		n++;
	}
	hf_stmt_end(&st);
	if (rc) {
		free(rows);
		return rc;
	}
	*ret_rows = rows;
	*ret_n = n;
	return 0;
}
