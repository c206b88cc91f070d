#include "bridge/restore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/state/state.h"
#include "zone/reader.h"

enum { KEPT_FLAGS = HF_REC_HELD | HF_REC_WITHDRAWN };

struct restore {
	const struct hf_state *state;
	const struct hf_zone_meta *meta;
	struct hf_zone_reader *reader;
	struct hf_restored out;
	size_t size;
};

/* The rid of the source that the zone calls `source`. */
static bool find_source(const struct restore *r, uint16_t source, uint32_t *ret_rid)
{
	uint32_t none;

	return source < r->meta->n_sources && r->meta->sources[source].name[0] &&
	       hf_state_find(r->state, r->meta->sources[source].name, NULL, ret_rid, &none);
}

static int on_entry(const struct hf_name *name, const struct hf_entry *entry, void *arg)
{
	struct restore *r = arg;
	struct hf_restored *out = &r->out;
	struct hf_restored_row row = {
		.name = *name,
		.first_seen_s = entry->first_seen_s,
		.primary = entry->flags & HF_REC_PRIMARY,
		.flags = entry->flags & KEPT_FLAGS,
	};

	if (!find_source(r, entry->source, &row.source))
		return 0;
	memcpy(row.addr, entry->addrs[0], sizeof(row.addr));
	if (out->n == r->size) {
		size_t more = r->size ? r->size * 2 : 64;
		struct hf_restored_row *rows = reallocarray(out->rows, more, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		out->rows = rows;
		r->size = more;
	}
	out->rows[out->n++] = row;
	return 0;
}

static void tell_sources(const struct restore *r, hf_restore_source_cb cb, void *arg)
{
	uint32_t source;

	for (uint16_t i = 0; i < r->meta->n_sources; i++)
		if (find_source(r, i, &source))
			cb(source, &r->meta->sources[i], arg);
}

int hf_restore_read(const char *dir, const struct hf_clock *clock, const struct hf_state *state,
    hf_restore_source_cb cb, void *arg, struct hf_restored *ret_restored)
{
	struct restore r = { .state = state };
	struct hf_zone *zone = NULL;
	int rc = hf_zone_open(dir, clock, &zone);

	memset(ret_restored, 0, sizeof(*ret_restored));
	if (rc)
		return rc;
	rc = hf_zone_reader_new(zone, &r.reader);
	if (!rc)
		rc = hf_zone_reader_load(r.reader);
	if (!rc) {
		r.meta = hf_zone_reader_meta(r.reader);
		tell_sources(&r, cb, arg);
		rc = hf_zone_reader_walk(r.reader, on_entry, &r);
		r.out.whole = !rc && r.meta->ready;
	}
	hf_zone_reader_free(r.reader);
	hf_zone_close(zone);
	if (rc == -ENOMEM) {
		free(r.out.rows);
		return rc;
	}
	/* What could be read of a zone that is not whole is still the best that there is. */
	*ret_restored = r.out;
	return 0;
}
