/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast-hosts SOURCE TARGET: copies the block of the hosts file SOURCE, which the bridge writes,
 * into TARGET, which it may not write. It takes records only, so whoever writes SOURCE can put no
 * other line, name or address into TARGET than the bridge could. Run by holdfast-hosts.service.
 *
 * A SOURCE that is missing, empty or without a block says nothing about the names: TARGET is left
 * as it is. That there are no names is said by a block with nothing in it: then TARGET loses its
 * block.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adapters/hosts/hosts_block.h"
#include "adapters/hosts/hosts_foreign.h"
#include "adapters/hosts/hosts_late.h"
#include "adapters/hosts/hosts_file.h"
#include "adapters/record_table.h"
#include "base/error.h"

enum { WHY_MAX = 512, TRIES = 50, TRY_MS = 100, NAMES_MAX = 30000 };

struct merge {
	struct hf_record_table *table;
	struct hf_hosts_foreign *foreign;
	unsigned left_out;
};

static int copy_fail(const char *path, int rc, const char *why)
{
	fprintf(stderr, "holdfast-hosts: %s: %s\n", path, *why ? why : hf_strerror(rc));
	return rc;
}

/* 1: it has a block, whose records are in the table now; 0: it says nothing; or a code. */
static int load_source(const char *path, struct hf_record_table *table)
{
	struct hf_hosts_block block;
	char why[WHY_MAX] = "", *bytes;
	size_t len;
	int rc = hf_hosts_file_read(path, &bytes, &len, why, sizeof(why));

	if (rc)
		return copy_fail(path, rc, why);
	rc = hf_hosts_block_find(bytes, len, &block, why, sizeof(why));
	if (!rc && block.start != block.end)
		rc = hf_hosts_block_load(bytes, &block, table) < 0 ? -ENOMEM : 1;
	free(bytes);
	if (rc < 0)
		return copy_fail(path, rc, why);
	if (!rc)
		fprintf(stderr,
		    "holdfast-hosts: %s has no block of names (or is not there): nothing is changed\n",
		    path);
	return hf_record_table_count(table) > NAMES_MAX ? copy_fail(path, HF_ELIMIT, "") : rc;
}

/* What others have there under the same name stays alone. */
static int copy_take(const struct hf_record *r, void *arg)
{
	struct merge *m = arg;

	if (!hf_hosts_foreign_has(m->foreign, &r->name))
		return hf_record_table_put(m->table, r) < 0 ? -ENOMEM : 0;
	m->left_out++;
	return 0;
}

struct target {
	const struct hf_record_table *source;
	struct hf_hosts_lates lates;
	char where[WHY_MAX]; /* what is wrong with its block */
	unsigned left_out;
};

static int copy_make_content(
    const struct hf_hosts_file_view *file, char **ret_bytes, size_t *ret_len, void *arg)
{
	struct target *t = arg;
	struct merge m = { 0 };
	struct hf_hosts_block block;
	int rc = hf_hosts_block_find(file->bytes, file->len, &block, t->where, sizeof(t->where));

	if (!rc)
		rc = hf_record_table_new(1, &m.table);
	if (!rc)
		rc = hf_hosts_foreign_new(file->bytes, file->len, &block, &m.foreign);
	if (!rc)
		rc = hf_record_table_walk(t->source, 0, copy_take, &m);
	if (!rc)
		rc = hf_hosts_block_build(
		    file->bytes, file->len, &block, m.table, false, ret_bytes, ret_len);
	t->left_out = m.left_out;
	hf_hosts_foreign_free(m.foreign);
	hf_record_table_free(m.table);
	return rc;
}

static int64_t copy_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Until it is written, and nobody can write into what was replaced any more. */
static int copy_to(const char *path, const struct hf_record_table *source)
{
	const struct timespec pause = { .tv_nsec = TRY_MS * 1000000 };
	struct target t = { .source = source };
	struct hf_hosts_file_edit edit = {
		.path = path, .lates = &t.lates, .make = copy_make_content, .arg = &t
	};
	char why[WHY_MAX];
	struct stat st;
	int rc;

	for (int i = 0;; i++) {
		edit.hurry = i >= TRIES / 2;
		edit.now_ms = copy_now_ms();
		rc = hf_hosts_file_edit(&edit, &st, why, sizeof(why));
		if ((rc && rc != -EAGAIN) || (!rc && !t.lates.n) || i >= TRIES)
			break;
		nanosleep(&pause, NULL);
	}
	hf_hosts_late_free(&t.lates);
	if (t.left_out)
		fprintf(stderr, "holdfast-hosts: %u names are others' there and were left out\n",
		    t.left_out);
	return rc ? copy_fail(path, rc, rc == HF_EREFUSED ? t.where : why) : 0;
}

int main(int argc, char **argv)
{
	struct hf_record_table *source;
	int rc;

	if (argc != 3) {
		fprintf(stderr, "usage: holdfast-hosts SOURCE TARGET\n");
		return 2;
	}
	rc = hf_record_table_new(1, &source);
	if (rc)
		return 1;
	rc = load_source(argv[1], source);
	if (rc > 0)
		rc = copy_to(argv[2], source);
	hf_record_table_free(source);
	return rc ? 1 : 0;
}
