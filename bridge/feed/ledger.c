/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { KEEP_ROOM = 256 };

void hf_ledger_init(
    struct hf_ledger *l, struct hf_store *store, const struct hf_clock *clock, const char *adapter)
{
	memset(l, 0, sizeof(*l));
	l->store = store;
	l->clock = clock;
	snprintf(l->adapter, sizeof(l->adapter), "%s", adapter);
}

static void drop_waiting(struct hf_ledger *l)
{
	l->n_set = l->n_gone = 0;
	l->cursor_moved = false;
	l->since = 0;
	if (l->size_set > KEEP_ROOM) {
		free(l->set);
		l->set = NULL;
		l->size_set = 0;
	}
	if (l->size_gone > KEEP_ROOM) {
		free(l->gone);
		l->gone = NULL;
		l->size_gone = 0;
	}
}

void hf_ledger_done(struct hf_ledger *l)
{
	free(l->set);
	free(l->gone);
}

int hf_ledger_load(struct hf_ledger *l)
{
	uint64_t counts[256];
	int known, rc;

	drop_waiting(l);
	l->loaded = false;
	memset(&l->cursor, 0, sizeof(l->cursor));
	memset(l->counts, 0, sizeof(l->counts));
	known = hf_store_cursor_get(l->store, l->adapter, &l->cursor);
	rc = hf_store_owned_count(l->store, l->adapter, counts);
	if (known < 0 || rc < 0)
		return known < 0 ? known : rc;
	for (unsigned i = 0; i < 256; i++)
		if (hf_ledger_row_of((uint8_t)i) < ROW_LAST)
			l->counts[hf_ledger_row_of((uint8_t)i)] += counts[i];
	l->loaded = true;
	if (known && !memcmp(l->cursor.epoch, hf_store_epoch(l->store), sizeof(l->cursor.epoch)))
		return 1;
	/* Until what it has was adopted nothing is of this epoch. */
	memset(&l->cursor, 0, sizeof(l->cursor));
	return 0;
}

static struct hf_owned *ledger_push(
    struct hf_ledger *l, struct hf_owned **rows, size_t *n, size_t *size)
{
	if (*n == *size) {
		size_t more = *size ? *size * 2 : 64;
		struct hf_owned *grown = reallocarray(*rows, more, sizeof(*grown));

		if (!grown)
			return NULL;
		*rows = grown;
		*size = more;
	}
	if (!l->since)
		l->since = hf_boot_ms(l->clock);
	return &(*rows)[(*n)++];
}

static void ledger_fill(struct hf_owned *row, const struct hf_name *name, const uint8_t addr[16],
    uint8_t state, uint64_t generation)
{
	row->name = *name;
	memcpy(row->addr, addr, sizeof(row->addr));
	row->state = state;
	row->generation = generation;
}

static void ledger_count(struct hf_ledger *l, uint8_t before, uint8_t after)
{
	if (hf_ledger_row_of(before) != ROW_NONE && l->counts[hf_ledger_row_of(before)])
		l->counts[hf_ledger_row_of(before)]--;
	if (hf_ledger_row_of(after) != ROW_NONE)
		l->counts[hf_ledger_row_of(after)]++;
}

int hf_ledger_set(struct hf_ledger *l, const struct hf_name *name, const uint8_t addr[16],
    uint8_t before, uint8_t state)
{
	struct hf_owned *row;

	if (before == state)
		return 0;
	row = ledger_push(l, &l->set, &l->n_set, &l->size_set);
	if (!row)
		return -ENOMEM;
	ledger_fill(row, name, addr, state, hf_store_generation(l->store));
	ledger_count(l, before, state);
	return 0;
}

int hf_ledger_gone(
    struct hf_ledger *l, const struct hf_name *name, const uint8_t addr[16], uint8_t before)
{
	struct hf_owned *row;

	if (hf_ledger_row_of(before) == ROW_NONE)
		return 0;
	row = ledger_push(l, &l->gone, &l->n_gone, &l->size_gone);
	if (!row)
		return -ENOMEM;
	ledger_fill(row, name, addr, 0, 0);
	ledger_count(l, before, ROW_NONE);
	return 0;
}

void hf_ledger_reached(struct hf_ledger *l, const uint8_t epoch[16], uint64_t generation, bool keep)
{
	memcpy(l->cursor.epoch, epoch, sizeof(l->cursor.epoch));
	l->cursor.generation = generation;
	if (!keep)
		return;
	l->cursor_moved = true;
	if (!l->since)
		l->since = hf_boot_ms(l->clock);
}

size_t hf_ledger_waiting(const struct hf_ledger *l)
{
	return l->n_set + l->n_gone + (l->cursor_moved ? 1 : 0);
}

int hf_ledger_flush(struct hf_ledger *l)
{
	const struct hf_receipt_rows rows = { .adapter = l->adapter,
		.cursor = l->cursor,
		.set = l->set,
		.n_set = l->n_set,
		.gone = l->gone,
		.n_gone = l->n_gone };
	int rc;

	if (!hf_ledger_waiting(l))
		return 0;
	rc = hf_store_receipt(l->store, &rows);
	if (rc)
		return rc;
	l->n_written++;
	drop_waiting(l);
	return rc;
}

bool hf_ledger_waits(const struct hf_ledger *l, const struct hf_name *name, const uint8_t addr[16],
    uint8_t *ret_state)
{
	for (size_t i = l->n_set; i-- > 0;) {
		if (memcmp(l->set[i].addr, addr, sizeof(l->set[i].addr)) ||
		    !hf_name_equal(&l->set[i].name, name))
			continue;
		*ret_state = l->set[i].state;
		return true;
	}
	return false;
}

int hf_ledger_forget(struct hf_ledger *l)
{
	int rc = hf_store_adapter_forget(l->store, l->adapter);

	if (rc)
		return rc;
	drop_waiting(l);
	memset(l->counts, 0, sizeof(l->counts));
	memset(&l->cursor, 0, sizeof(l->cursor));
	return 0;
}

static int ledger_take_row(const struct hf_owned *row, void *arg)
{
	struct hf_rows *rows = arg;

	if (rows->n == HF_LEDGER_ROWS_MAX)
		return 1;
	if (hf_ledger_row_of(row->state) != ROW_ZONE)
		rows->at[rows->n++] = *row;
	return 0;
}

int hf_ledger_rows(struct hf_ledger *l, const struct hf_name *name, struct hf_rows *ret_rows)
{
	int rc;

	ret_rows->n = 0;
	rc = hf_store_owned_name(l->store, l->adapter, name, ledger_take_row, ret_rows);
	return rc < 0 ? rc : 0;
}

uint8_t hf_ledger_rows_state(const struct hf_rows *rows, const uint8_t addr[16])
{
	for (size_t i = 0; i < rows->n; i++)
		if (!memcmp(rows->at[i].addr, addr, sizeof(rows->at[i].addr)))
			return rows->at[i].state;
	return ROW_NONE;
}
