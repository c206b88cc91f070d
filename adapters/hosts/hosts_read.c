/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/hosts/hosts_read.h"

#include <stdio.h>
#include <stdlib.h>

#include "adapters/hosts/hosts_block.h"
#include "adapters/hosts/hosts_file.h"

enum { WHERE_MAX = 200 };

/* The records go into `table`. */
static int hosts_read_into(const char *path, struct hf_record_table *table,
    struct hf_hosts_foreign **ret_foreign, char *why, size_t size)
{
	struct hf_hosts_foreign *foreign = NULL;
	struct hf_hosts_block block;
	char where[WHERE_MAX];
	char *bytes;
	size_t len;
	int rc = hf_hosts_file_read(path, &bytes, &len, why, size);

	if (rc)
		return rc;
	rc = hf_hosts_block_find(bytes, len, &block, where, sizeof(where));
	if (rc)
		snprintf(why, size, "%.300s: %s", path, where);
	if (!rc)
		rc = hf_hosts_block_load(bytes, &block, table);
	if (rc >= 0)
		rc = hf_hosts_foreign_new(bytes, len, &block, &foreign);
	free(bytes);
	if (!rc)
		*ret_foreign = foreign;
	return rc;
}

int hf_hosts_read(const char *path, struct hf_record_table **ret_table,
    struct hf_hosts_foreign **ret_foreign, char *ret_why, size_t why_size)
{
	struct hf_record_table *table;
	int rc = hf_record_table_new(1, &table);

	if (!rc)
		rc = hosts_read_into(path, table, ret_foreign, ret_why, why_size);
	else
		table = NULL;
	if (!rc)
		*ret_table = table;
	else
		hf_record_table_free(table);
	return rc;
}
