/*
 * holdfast-hosts SOURCE TARGET: copies the block of the hosts file SOURCE, which the bridge writes,
 * into TARGET, which it may not write. It takes records only, so whoever writes SOURCE can put no
 * other line, name or address into TARGET than the bridge could. Run by holdfast-hosts.service.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adapters/hosts/block.h"
#include "adapters/hosts/foreign.h"
#include "adapters/hosts/place.h"
#include "adapters/table.h"
#include "base/error.h"

enum { WHY_MAX = 512, TRIES = 50, TRY_MS = 100, NAMES_MAX = 30000 };

struct merge {
	struct hf_table *table;
	struct hf_foreign *foreign;
	unsigned left_out;
};

static int fail(const char *path, int rc, const char *why)
{
	fprintf(stderr, "holdfast-hosts: %s: %s\n", path, *why ? why : hf_strerror(rc));
	return rc;
}

static int load_source(const char *path, struct hf_table *table)
{
	struct hf_block block;
	char why[WHY_MAX] = "", *bytes;
	size_t len;
	int rc = hf_place_read(path, &bytes, &len, why, sizeof(why));

	if (rc)
		return fail(path, rc, why);
	rc = hf_block_find(bytes, len, &block, why, sizeof(why));
	if (!rc)
		rc = hf_block_load(bytes, &block, table);
	free(bytes);
	if (rc < 0)
		return fail(path, rc, why);
	return hf_table_count(table) > NAMES_MAX ? fail(path, HF_ELIMIT, "") : 0;
}

/* What others have there under the same name stays alone. */
static int take(const struct hf_record *r, void *arg)
{
	struct merge *m = arg;

	if (!hf_foreign_clashes(m->foreign, r))
		return hf_table_put(m->table, r) < 0 ? -ENOMEM : 0;
	m->left_out++;
	return 0;
}

static int build(const char *bytes, size_t len, const struct hf_block *block,
    const struct hf_table *source, char **ret_bytes, size_t *ret_len)
{
	struct merge m = { 0 };
	int rc = hf_table_new(1, &m.table);

	if (!rc)
		rc = hf_foreign_new(bytes, len, block, &m.foreign);
	if (!rc)
		rc = hf_table_walk(source, 0, take, &m);
	if (!rc)
		rc = hf_block_build(bytes, len, block, m.table, ret_bytes, ret_len);
	if (m.left_out)
		fprintf(stderr, "holdfast-hosts: %u names are others' there and were left out\n",
		    m.left_out);
	hf_foreign_free(m.foreign);
	hf_table_free(m.table);
	return rc;
}

/* -EAGAIN: locked. */
static int copy(const char *target, const struct hf_table *source, char *why, size_t size)
{
	struct hf_place *p;
	struct hf_block block;
	const char *bytes;
	char *whole = NULL;
	size_t len, n;
	int rc = hf_place_open(target, &p, why, size);

	if (rc)
		return rc;
	bytes = hf_place_bytes(p, &len);
	rc = hf_block_find(bytes, len, &block, why, size);
	if (!rc)
		rc = build(bytes, len, &block, source, &whole, &n);
	if (!rc && (n != len || memcmp(whole, bytes, n)))
		rc = hf_place_write(p, whole, n, why, size);
	free(whole);
	hf_place_close(p);
	return rc;
}

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = TRY_MS * 1000000 };
	char why[WHY_MAX] = "";
	struct hf_table *source;
	int rc;

	if (argc != 3) {
		fprintf(stderr, "usage: holdfast-hosts SOURCE TARGET\n");
		return 2;
	}
	rc = hf_table_new(1, &source);
	if (rc)
		return 1;
	rc = load_source(argv[1], source);
	for (int i = 0; !rc; i++) {
		int got = copy(argv[2], source, why, sizeof(why));

		if (got != -EAGAIN || i >= TRIES) {
			rc = got ? fail(argv[2], got, why) : 0;
			break;
		}
		nanosleep(&pause, NULL);
	}
	hf_table_free(source);
	return rc ? 1 : 0;
}
