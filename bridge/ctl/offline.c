#include "bridge/ctl/offline.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "zone/reader.h"

struct view {
	struct hf_zone *zone;
	struct hf_zone_reader *reader;
	const struct hf_zone_meta *meta;
	hf_row_cb cb;
	void *arg;
	bool stale;
};

static int view_open(struct view *v, const char *dir)
{
	int rc = hf_zone_open(dir, &hf_clock_system, &v->zone);

	if (!rc)
		rc = hf_zone_reader_new(v->zone, &v->reader);
	if (!rc)
		rc = hf_zone_reader_load(v->reader);
	if (!rc)
		v->meta = hf_zone_reader_meta(v->reader);
	return rc || v->meta ? rc : -ENOENT;
}

static void view_close(struct view *v)
{
	hf_zone_reader_free(v->reader);
	hf_zone_close(v->zone);
}

static json_t *time_of(int64_t wall_s)
{
	char text[HF_WALL_TEXT_MAX];

	return hf_wall_text(wall_s, text) ? json_string(text) : json_null();
}

static json_t *last_contact(const struct view *v, uint16_t source)
{
	struct hf_pulse_stamp stamp = hf_pulse_get_source(hf_zone_reader_pulse(v->reader), source);

	return stamp.known ? time_of(stamp.wall_ms / 1000) : json_null();
}

static json_t *show_sources(const struct view *v)
{
	json_t *list = json_array();

	for (uint16_t i = 0; i < v->meta->n_sources; i++) {
		const struct hf_zone_source *s = &v->meta->sources[i];
		char suffix[HF_NAME_TEXT_MAX];

		if (!s->suffix.len)
			continue;
		json_array_append_new(list,
		    json_pack("{s:s, s:n, s:n, s:n, s:n, s:o, s:s, s:n, s:n, s:n, s:n, s:n, s:n, s:b, s:[]}",
			"name", s->name, "url", "state", "reason", "since", "last_contact",
			last_contact(v, i), "suffix", hf_name_text(&s->suffix, suffix),
			"deployment_id", "token_expires", "attempts", "next_try", "failures", "faults", "fresh",
			hf_zone_reader_source_fresh(v->reader, i), "owners"));
	}
	return list;
}

static int look(const struct hf_name *name, const struct hf_entry *e, void *arg)
{
	struct view *v = arg;

	(void)name;
	if (!hf_zone_reader_fresh(v->reader, e->source, e->owner))
		v->stale = true;
	return 0;
}

int hf_offline_status(const char *zone, hf_row_cb cb, void *arg)
{
	struct view v = { 0 };
	int rc = view_open(&v, zone);
	struct hf_zone_stamp stamp;
	char epoch[HF_UUID_TEXT_MAX];
	struct hf_uuid id;
	json_t *row = NULL;

	if (!rc && !hf_zone_reader_stamp(v.reader, &stamp))
		rc = -ENOENT;
	if (!rc)
		rc = hf_zone_reader_walk(v.reader, look, &v);
	if (!rc) {
		memcpy(id.b, stamp.epoch, sizeof(id.b));
		row = json_pack("{s:s, s:s, s:s, s:I, s:b, s:n, s:I, s:n, s:n, s:{s:n, s:n, s:n}, "
				"s:[{s:s, s:s, s:n}], s:[], s:o, s:[], s:[], s:[]}",
		    "version", HF_VERSION, "bridge", "down", "epoch", hf_uuid_text(&id, epoch),
		    "generation", (json_int_t)stamp.generation, "fresh",
		    !v.stale && stamp.n_names > 0, "stale_since", "names",
		    (json_int_t)stamp.n_names, "held_removals", "refused_total", "store", "state",
		    "reason", "since", "warnings", "code", "bridge-down", "text",
		    "the bridge does not answer; this is the published zone", "since", "readers",
		    "sources", show_sources(&v), "adapters", "guard", "refused");
		rc = row ? cb(row, arg) : -ENOMEM;
		json_decref(row);
	}
	view_close(&v);
	return rc;
}

static const char *state_of(const struct view *v, const struct hf_entry *e)
{
	if (e->flags & HF_REC_WITHDRAWN)
		return "withdrawn";
	if (e->flags & HF_REC_HELD)
		return "held";
	if (e->flags & HF_REC_RESTORED || !hf_zone_reader_fresh(v->reader, e->source, e->owner))
		return "stale";
	return "live";
}

/* When the owner, or for a name of the source itself the source, was last heard of. */
static json_t *confirmed(const struct view *v, const struct hf_entry *e)
{
	struct hf_pulse_stamp stamp;

	if (e->owner == HF_ZONE_OWNER_NONE)
		return last_contact(v, e->source);
	stamp = hf_pulse_get_owner(hf_zone_reader_pulse(v->reader), e->owner);
	return stamp.known ? time_of(stamp.wall_ms / 1000) : json_null();
}

static int list_entry(const struct hf_name *name, const struct hf_entry *e, void *arg)
{
	struct view *v = arg;
	char text[HF_NAME_TEXT_MAX], addr[HF_ADDR_TEXT_MAX];
	int rc = 0;

	if (e->source >= v->meta->n_sources)
		return 0;
	for (size_t i = 0; i < e->n_addrs && !rc; i++) {
		json_t *row = json_pack(
		    "{s:s, s:s, s:s, s:I, s:s, s:n, s:n, s:n, s:n, s:s, s:o, s:o}", "name",
		    hf_name_text(name, text), "type", "AAAA", "data",
		    hf_addr_text(e->addrs[i], addr), "ttl", (json_int_t)v->meta->ttl_s, "source",
		    v->meta->sources[e->source].name, "owner", "workspace", "agent", "agent_id",
		    "state", state_of(v, e), "first_seen", time_of(e->first_seen_s),
		    "last_confirmed", confirmed(v, e));

		rc = row ? v->cb(row, v->arg) : -ENOMEM;
		json_decref(row);
	}
	return rc;
}

int hf_offline_records(const char *zone, hf_row_cb cb, void *arg)
{
	struct view v = { .cb = cb, .arg = arg };
	int rc = view_open(&v, zone);

	if (!rc)
		rc = hf_zone_reader_walk(v.reader, list_entry, &v);
	view_close(&v);
	return rc;
}
