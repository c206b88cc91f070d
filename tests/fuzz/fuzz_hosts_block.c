/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hosts file of any bytes: what we write into it leaves every byte of others as it was, is found
 * again, and goes without a trace.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/hosts/hosts_block.h"
#include "adapters/hosts/hosts_foreign.h"
#include "adapters/hosts/hosts_merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* What others did not change is as it was, whatever we wrote meanwhile. */
static void check_merge(const char *bytes, size_t len, const char *with, size_t n)
{
	const struct hf_text base = { bytes, len }, now = { with, n };
	char *merged;
	size_t m;

	must(!hf_hosts_merge(&base, &base, &now, &merged, &m));
	must((m == n && !memcmp(merged, with, n)) || (m == len && !memcmp(merged, bytes, len)));
	free(merged);
	must(!hf_hosts_merge(&now, &base, &base, &merged, &m) && m <= n + len);
	free(merged);
}

/* The file with the table's records, and where its block is then. */
static char *build(const char *bytes, size_t len, const struct hf_hosts_block *block,
    const struct hf_record_table *table, size_t *ret_len, struct hf_hosts_block *ret_block)
{
	char *out, why[200];

	must(!hf_hosts_block_build(bytes, len, block, table, false, &out, ret_len));
	must(!hf_hosts_block_find(out, *ret_len, ret_block, why, sizeof(why)));
	return out;
}

static void check(const char *bytes, size_t len, const struct hf_hosts_block *block)
{
	struct hf_record r = { .name = { .len = 3, .wire = { 1, 'x', 0 } }, .primary = true };
	struct hf_hosts_block there, gone;
	struct hf_hosts_foreign *foreign;
	struct hf_record_table *table = NULL;
	char *with, *without;
	size_t n, m;

	memcpy(r.addr, hf_addr_prefix, sizeof(hf_addr_prefix));
	must(!hf_hosts_foreign_new(bytes, len, block, &foreign) && !hf_record_table_new(1, &table));
	hf_hosts_foreign_has(foreign, &r.name);
	must(hf_hosts_block_load(bytes, block, table) >= 0 && hf_record_table_put(table, &r) >= 0);
	with = build(bytes, len, block, table, &n, &there);
	must(there.start != there.end && n >= len - (block->end - block->start));
	must(!memcmp(with, bytes, block->start));
	must(!memcmp(with + n - (len - block->end), bytes + block->end, len - block->end));
	check_merge(bytes, len, with, n);
	hf_record_table_clear(table);
	must(hf_hosts_block_load(with, &there, table) == 0 &&
	     hf_record_table_find_addr(table, &r.name, r.addr));
	hf_record_table_clear(table);
	without = build(with, n, &there, table, &m, &gone);
	must(gone.start == gone.end);
	must(block->start != block->end || (m == len && !memcmp(without, bytes, len)));
	free(with);
	free(without);
	hf_record_table_free(table);
	hf_hosts_foreign_free(foreign);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_hosts_block block;
	char why[200];

	/* Reading past its end must be seen. */
	char *bytes = malloc(size ? size : 1);

	if (!bytes)
		return 0;
	if (size)
		memcpy(bytes, data, size);
	if (!hf_hosts_block_find(bytes, size, &block, why, sizeof(why)))
		check(bytes, size, &block);
	free(bytes);
	return 0;
}
