#include "bridge/restore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "zone/reader.h"

struct restore {
	const struct hf_config *config;
	const struct hf_zone_meta *meta;
	struct hf_zone_reader *reader;
	struct hf_restored_row *rows;
	size_t n, size;
};

/* The number in the configuration of the source that the zone calls `source`. */
static bool find_source(const struct restore *r, uint16_t source, uint32_t *ret_rid)
{
	if (source >= r->meta->n_sources)
		return false;
	for (uint32_t i = 0; i < r->config->sources.n; i++) {
		if (strcmp(r->config->sources.at[i].name, r->meta->sources[source].name))
			continue;
		*ret_rid = i;
		return true;
	}
	return false;
}

static int on_entry(const struct hf_name *name, const struct hf_entry *entry, void *arg)
{
	struct restore *r = arg;
	struct hf_restored_row row = { .name = *name, .first_seen_s = entry->first_seen_s };

	if (!find_source(r, entry->source, &row.source))
		return 0;
	row.primary = entry->flags & HF_REC_PRIMARY;
	memcpy(row.addr, entry->addrs[0], sizeof(row.addr));
	if (r->n == r->size) {
		size_t more = r->size ? r->size * 2 : 64;
		struct hf_restored_row *rows = reallocarray(r->rows, more, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		r->rows = rows;
		r->size = more;
	}
	r->rows[r->n++] = row;
	return 0;
}

static void tell_suffixes(const struct restore *r, hf_restore_suffix_cb cb, void *arg)
{
	uint32_t source;

	for (uint16_t i = 0; i < r->meta->n_sources; i++)
		if (find_source(r, i, &source))
			cb(source, &r->meta->sources[i].suffix, arg);
}

int hf_restore_read(const char *dir, const struct hf_clock *clock, const struct hf_config *config,
    hf_restore_suffix_cb cb, void *arg, struct hf_restored_row **ret_rows, size_t *ret_n)
{
	struct restore r = { .config = config };
	struct hf_zone *zone = NULL;
	int rc = hf_zone_open(dir, clock, &zone);

	*ret_rows = NULL;
	*ret_n = 0;
	if (rc)
		return rc;
	rc = hf_zone_reader_new(zone, &r.reader);
	if (!rc && hf_zone_reader_load(r.reader) == 0) {
		r.meta = hf_zone_reader_meta(r.reader);
		tell_suffixes(&r, cb, arg);
		rc = hf_zone_reader_walk(r.reader, on_entry, &r);
	}
	hf_zone_reader_free(r.reader);
	hf_zone_close(zone);
	if (rc == -ENOMEM) {
		free(r.rows);
		return rc;
	}
	/* What could be read of a zone that is not whole is still the best that there is. */
	*ret_rows = r.rows;
	*ret_n = r.n;
	return 0;
}
