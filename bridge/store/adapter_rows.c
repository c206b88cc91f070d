/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bridge/store/store_private.h"

/* --- an adapter's number and cursor --- */

static const char adapter_by_name[] = HF_SELECT_ADAPTER "WHERE name=?";

/* 1 and the row, 0 if it is not known, or a code. */
static int adapter_row_find(struct hf_sql *q, const char *name, struct hf_adapter_row *ret_row)
{
	struct hf_stmt st = hf_stmt(q, adapter_by_name);
	int rc;

	hf_stmt_put_text(&st, name);
	rc = hf_stmt_next(&st);
	if (rc == 1) {
		rc = hf_store_row_get(&st, HF_TABLE_ADAPTER, ret_row);
		rc = rc ? rc : 1;
	}
	hf_stmt_end(&st);
	return rc;
}

int hf_store_cursor_get(struct hf_store *s, const char *adapter, struct hf_cursor *ret_cursor)
{
	struct hf_adapter_row row;
	int rc = s->r ? hf_store_read_done(s, s->r, adapter_row_find(s->r, adapter, &row)) : -EIO;

	if (rc != 1)
		return rc;
	memcpy(ret_cursor->epoch, row.epoch, sizeof(ret_cursor->epoch));
	ret_cursor->generation = row.generation;
	return 1;
}

int hf_store_adapters(struct hf_store *s, hf_store_adapter_cb cb, void *arg)
{
	struct hf_adapter_row row;
	struct hf_stmt st;
	int rc;

	if (!s->r)
		return -EIO;
	st = hf_stmt(s->r, HF_SELECT_ADAPTER "ORDER BY name");
	while ((rc = hf_stmt_next(&st)) == 1) {
		rc = hf_store_row_get(&st, HF_TABLE_ADAPTER, &row);
		if (!rc)
			rc = cb(row.name, arg);
		if (rc)
			break;
	}
	hf_stmt_end(&st);
	return hf_store_read_done(s, s->r, rc);
}

/* --- receipts --- */

static int free_rid(struct hf_sql *q, uint32_t *ret_rid)
{
	int64_t rid = 0;
	int rc = hf_sql_number(q, "SELECT ifnull(max(rid),0)+1 FROM adapter", &rid);

	*ret_rid = (uint32_t)rid;
	return rc;
}

static int set_cursor(struct hf_sql *q, const struct hf_receipt_rows *r, uint32_t *ret_rid)
{
	struct hf_adapter_row row = { 0 };
	int rc = adapter_row_find(q, r->adapter, &row);

	if (rc == 0)
		rc = free_rid(q, &row.rid);
	if (rc < 0)
		return rc;
	snprintf(row.name, sizeof(row.name), "%s", r->adapter);
	memcpy(row.epoch, r->cursor.epoch, sizeof(row.epoch));
	row.generation = r->cursor.generation;
	*ret_rid = row.rid;
	return hf_store_row_set(q, HF_TABLE_ADAPTER, &row);
}

static int unset_owned(struct hf_sql *q, uint32_t adapter, const struct hf_owned *owned)
{
	struct hf_stmt st = hf_stmt(q, "DELETE FROM owned WHERE adapter=? AND name=? AND addr=?");
	char name[HF_NAME_TEXT_MAX];

	hf_stmt_put_int(&st, adapter);
	hf_stmt_put_text(&st, hf_name_text(&owned->name, name));
	hf_stmt_put_blob(&st, owned->addr, sizeof(owned->addr));
	return hf_stmt_run(&st);
}

static int set_owned(struct hf_sql *q, uint32_t adapter, const struct hf_owned *owned)
{
	struct hf_owned_row row = {
		.adapter = adapter,
		.name = owned->name,
		.state = owned->state,
		.generation = owned->generation,
	};

	memcpy(row.addr, owned->addr, sizeof(row.addr));
	return owned->name.len ? hf_store_row_set(q, HF_TABLE_OWNED, &row) : -EINVAL;
}

static int write_receipt(struct hf_sql *q, const struct hf_receipt_rows *r)
{
	uint32_t adapter = 0;
	int rc = set_cursor(q, r, &adapter);

	for (size_t i = 0; !rc && i < r->n_gone; i++)
		rc = unset_owned(q, adapter, &r->gone[i]);
	for (size_t i = 0; !rc && i < r->n_set; i++)
		rc = set_owned(q, adapter, &r->set[i]);
	return rc;
}

int hf_store_receipt(struct hf_store *s, const struct hf_receipt_rows *receipt)
{
	int rc;

	if (!receipt->adapter[0] || strlen(receipt->adapter) >= HF_TEXT_MAX)
		return -EINVAL;
	rc = hf_txn_begin(s);
	return rc ? rc : hf_txn_end(s, write_receipt(s->w, receipt), NULL);
}

/* --- ownership --- */

/* The adapter's number for what reads its rows. 1, 0 if it is not known, or a code. */
static int adapter_reading(struct hf_store *s, const char *adapter, uint32_t *ret_rid)
{
	struct hf_adapter_row row;
	int rc = s->r ? hf_store_read_done(s, s->r, adapter_row_find(s->r, adapter, &row)) : -EIO;

	if (rc == 1)
		*ret_rid = row.rid;
	return rc;
}

static int tell_owned(struct hf_store *s, struct hf_stmt *st, hf_store_owned_cb cb, void *arg)
{
	struct hf_owned_row row;
	struct hf_owned owned;
	int rc;

	while ((rc = hf_stmt_next(st)) == 1) {
		rc = hf_store_row_get(st, HF_TABLE_OWNED, &row);
		if (rc)
			break;
		owned = (struct hf_owned){
			.name = row.name, .state = row.state, .generation = row.generation
		};
		memcpy(owned.addr, row.addr, sizeof(owned.addr));
		rc = cb(&owned, arg);
		if (rc)
			break;
	}
	hf_stmt_end(st);
	return hf_store_read_done(s, s->r, rc);
}

int hf_store_owned_all(struct hf_store *s, const char *adapter, hf_store_owned_cb cb, void *arg)
{
	struct hf_stmt st;
	uint32_t rid;
	int rc = adapter_reading(s, adapter, &rid);

	if (rc != 1)
		return rc;
	st = hf_stmt(s->r, HF_SELECT_OWNED "WHERE adapter=? ORDER BY name,addr");
	hf_stmt_put_int(&st, rid);
	return tell_owned(s, &st, cb, arg);
}

int hf_store_owned_name(struct hf_store *s, const char *adapter, const struct hf_name *name,
    hf_store_owned_cb cb, void *arg)
{
	char text[HF_NAME_TEXT_MAX];
	struct hf_stmt st;
	uint32_t rid;
	int rc = adapter_reading(s, adapter, &rid);

	if (rc != 1)
		return rc;
	st = hf_stmt(s->r, HF_SELECT_OWNED "WHERE adapter=? AND name=? ORDER BY addr");
	hf_stmt_put_int(&st, rid);
	hf_stmt_put_text(&st, hf_name_text(name, text));
	return tell_owned(s, &st, cb, arg);
}

int hf_store_owned_after(struct hf_store *s, const char *adapter, const struct hf_owned *after,
    size_t max, hf_store_owned_cb cb, void *arg)
{
	static const uint8_t lowest[16];
	char text[HF_NAME_TEXT_MAX] = "";
	struct hf_stmt st;
	uint32_t rid;
	int rc = adapter_reading(s, adapter, &rid);

	if (rc != 1)
		return rc;
	if (after)
		hf_name_text(&after->name, text);
	st = hf_stmt(s->r,
	    HF_SELECT_OWNED "WHERE adapter=? AND (name,addr)>(?,?) ORDER BY name,addr LIMIT ?");
	hf_stmt_put_int(&st, rid);
	hf_stmt_put_text(&st, text);
	hf_stmt_put_blob(&st, after ? after->addr : lowest, sizeof(lowest));
	hf_stmt_put_int(&st, max < INT32_MAX ? (int64_t)max : INT32_MAX);
	return tell_owned(s, &st, cb, arg);
}

int hf_store_owned_state(
    struct hf_store *s, const char *adapter, uint8_t state, hf_store_owned_cb cb, void *arg)
{
	struct hf_stmt st;
	uint32_t rid;
	int rc = adapter_reading(s, adapter, &rid);

	if (rc != 1)
		return rc;
	st = hf_stmt(s->r, HF_SELECT_OWNED "WHERE adapter=? AND state=? ORDER BY name,addr");
	hf_stmt_put_int(&st, rid);
	hf_stmt_put_int(&st, state);
	return tell_owned(s, &st, cb, arg);
}

int hf_store_owned_count(struct hf_store *s, const char *adapter, uint64_t ret_counts[static 256])
{
	struct hf_stmt st;
	uint32_t rid;
	int rc = adapter_reading(s, adapter, &rid);

	memset(ret_counts, 0, 256 * sizeof(ret_counts[0]));
	if (rc != 1)
		return rc;
	st = hf_stmt(s->r, "SELECT state,count(*) FROM owned WHERE adapter=? GROUP BY state");
	hf_stmt_put_int(&st, rid);
	while ((rc = hf_stmt_next(&st)) == 1) {
		int64_t state = hf_stmt_get_int(&st, 0, 255);

		ret_counts[state] = (uint64_t)hf_stmt_get_int(&st, 0, INT64_MAX);
		if (st.error) {
			rc = st.error;
			break;
		}
	}
	hf_stmt_end(&st);
	return hf_store_read_done(s, s->r, rc);
}

static int adapter_rows_forget(struct hf_sql *q, uint32_t adapter)
{
	struct hf_stmt owned = hf_stmt(q, "DELETE FROM owned WHERE adapter=?");
	struct hf_stmt self = hf_stmt(q, "DELETE FROM adapter WHERE rid=?");
	int rc;

	hf_stmt_put_int(&owned, adapter);
	rc = hf_stmt_run(&owned);
	if (rc)
		return rc;
	hf_stmt_put_int(&self, adapter);
	return hf_stmt_run(&self);
}

int hf_store_adapter_forget(struct hf_store *s, const char *adapter)
{
	uint32_t rid;
	int rc = adapter_reading(s, adapter, &rid);

	if (rc != 1)
		return rc;
	rc = hf_txn_begin(s);
	return rc ? rc : hf_txn_end(s, adapter_rows_forget(s->w, rid), NULL);
}

static int adapter_row_rename(struct hf_sql *q, const char *adapter, const char *name)
{
	struct hf_adapter_row row, other;
	int rc = adapter_row_find(q, adapter, &row);

	if (rc != 1)
		return rc;
	rc = adapter_row_find(q, name, &other);
	if (rc == 1 && other.rid != row.rid)
		rc = adapter_rows_forget(q, other.rid);
	if (rc < 0)
		return rc;
	snprintf(row.name, sizeof(row.name), "%s", name);
	return hf_store_row_set(q, HF_TABLE_ADAPTER, &row);
}

int hf_store_adapter_rename(struct hf_store *s, const char *adapter, const char *name)
{
	int rc;

	if (!name[0] || strlen(name) >= HF_TEXT_MAX)
		return -EINVAL;
	rc = hf_txn_begin(s);
	return rc ? rc : hf_txn_end(s, adapter_row_rename(s->w, adapter, name), NULL);
}

/* --- last good addresses --- */

static int write_addresses(
    struct hf_sql *q, const char *source, const char *const *addresses, size_t n)
{
	struct hf_stmt st = hf_stmt(q, "DELETE FROM address WHERE source=?");
	struct hf_address_row row = { 0 };
	int rc;

	hf_stmt_put_text(&st, source);
	rc = hf_stmt_run(&st);
	snprintf(row.source, sizeof(row.source), "%s", source);
	for (size_t i = 0; !rc && i < n; i++) {
		row.place = (uint32_t)i;
		snprintf(row.address, sizeof(row.address), "%s", addresses[i]);
		rc = hf_store_row_set(q, HF_TABLE_ADDRESS, &row);
	}
	return rc;
}

int hf_store_addresses_set(
    struct hf_store *s, const char *source, const char *const *addresses, size_t n)
{
	int rc = n > HF_STORE_ADDRESSES_MAX || strlen(source) > HF_LABEL_MAX ? -EINVAL : 0;

	for (size_t i = 0; !rc && i < n; i++) {
		if (strlen(addresses[i]) >= HF_STORE_ADDRESS_TEXT_MAX)
			rc = -EINVAL;
	}
	if (!rc)
		rc = hf_txn_begin(s);
	return rc ? rc : hf_txn_end(s, write_addresses(s->w, source, addresses, n), NULL);
}

int hf_store_addresses(struct hf_store *s, const char *source, hf_store_address_cb cb, void *arg)
{
	struct hf_address_row row;
	struct hf_stmt st;
	int rc;

	if (!s->r)
		return -EIO;
	st = hf_stmt(s->r, HF_SELECT_ADDRESS "WHERE source=? ORDER BY place");
	hf_stmt_put_text(&st, source);
	while ((rc = hf_stmt_next(&st)) == 1) {
		rc = hf_store_row_get(&st, HF_TABLE_ADDRESS, &row);
		if (!rc)
			rc = cb(row.address, arg);
		if (rc)
			break;
	}
	hf_stmt_end(&st);
	return hf_store_read_done(s, s->r, rc);
}
