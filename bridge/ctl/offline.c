/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/offline.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "zone/reader.h"

struct offline_view {
	struct hf_zone *zone;
	struct hf_zone_reader *reader;
	const struct hf_zone_meta *meta;
	bool stale;
	json_int_t n_live, n_stale, n_held, n_withdrawn; /* names by their state */
};

static int offline_view_open(struct offline_view *v, const char *dir)
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

static void offline_view_close(struct offline_view *v)
{
	hf_zone_reader_free(v->reader);
	hf_zone_close(v->zone);
}

static json_t *offline_time_of(int64_t wall_s)
{
	char text[HF_WALL_TEXT_MAX];

	return hf_wall_text(wall_s, text) ? json_string(text) : json_null();
}

static json_t *offline_last_contact(const struct offline_view *v, uint16_t source)
{
	struct hf_pulse_stamp stamp = hf_pulse_get_source(hf_zone_reader_pulse(v->reader), source);

	return stamp.known ? offline_time_of(stamp.wall_ms / 1000) : json_null();
}

static json_t *show_sources(const struct offline_view *v)
{
	json_t *list = json_array();

	for (uint16_t i = 0; i < v->meta->n_sources; i++) {
		const struct hf_zone_source *s = &v->meta->sources[i];
		char suffix[HF_NAME_TEXT_MAX];

		if (!s->suffix.len)
			continue;
		json_array_append_new(list,
		    json_pack(
			"{s:s, s:n, s:n, s:n, s:n, s:o, s:s, s:n, s:n, s:n, s:n, s:n, s:n, s:b, s:[]}",
			"name", s->name, "url", "state", "reason", "since", "last_contact",
			offline_last_contact(v, i), "suffix", hf_name_text(&s->suffix, suffix),
			"deployment_id", "token_expires", "attempts", "next_try", "failures",
			"faults", "fresh", hf_zone_reader_source_fresh(v->reader, i), "owners"));
	}
	return list;
}

static const char *offline_state_of(const struct offline_view *v, const struct hf_zone_entry *e)
{
	if (e->flags & HF_REC_WITHDRAWN)
		return "withdrawn";
	if (e->flags & HF_REC_HELD)
		return "held";
	if (e->flags & HF_REC_RESTORED || !hf_zone_reader_fresh(v->reader, e->source, e->owner))
		return "stale";
	return "live";
}

static int count_entry(const struct hf_name *name, const struct hf_zone_entry *e, void *arg)
{
	struct offline_view *v = arg;
	const char *state = offline_state_of(v, e);

	(void)name;
	if (!e->n_addrs)
		return 0;
	v->stale |= !hf_zone_reader_fresh(v->reader, e->source, e->owner);
	v->n_live += !strcmp(state, "live");
	v->n_stale += !strcmp(state, "stale");
	v->n_held += !strcmp(state, "held");
	v->n_withdrawn += !strcmp(state, "withdrawn");
	return 0;
}

static json_t *status_of(const struct offline_view *v, const struct hf_zone_stamp *stamp)
{
	char epoch[HF_UUID_TEXT_MAX];
	struct hf_uuid id;

	memcpy(id.b, stamp->epoch, sizeof(id.b));
	return json_pack(
	    "{s:s, s:s, s:s, s:I, s:b, s:n, s:I, s:{s:I, s:I, s:I, s:I}, s:n, s:n, s:{s:n, s:n, s:n}, s:n, s:[{s:s, s:s, s:n}], s:[], s:o, s:[], s:[], s:[]}",
	    "version", HF_VERSION, "bridge", "down", "epoch", hf_uuid_text(&id, epoch),
	    "generation", (json_int_t)stamp->generation, "fresh", !v->stale && stamp->n_names > 0,
	    "stale_since", "names", (json_int_t)stamp->n_names, "name_states", "live", v->n_live,
	    "stale", v->n_stale, "held", v->n_held, "withdrawn", v->n_withdrawn, "held_removals",
	    "refused_total", "store", "state", "reason", "since", "reloads", "warnings", "code",
	    "bridge-down", "text", "the bridge is down; this is the published zone", "since",
	    "readers", "sources", show_sources(v), "adapters", "guard", "refused");
}

int hf_offline_status(const char *zone, hf_row_cb cb, void *arg)
{
	struct offline_view v = { 0 };
	int rc = offline_view_open(&v, zone);
	struct hf_zone_stamp stamp;
	json_t *row = NULL;

	if (!rc && !hf_zone_reader_stamp(v.reader, &stamp))
		rc = -ENOENT;
	if (!rc)
		rc = hf_zone_reader_walk(v.reader, count_entry, &v);
	if (!rc) {
		row = status_of(&v, &stamp);
		rc = row ? cb(row, arg) : -ENOMEM;
		json_decref(row);
	}
	offline_view_close(&v);
	return rc;
}

json_t *hf_offline_unreached(const char *why)
{
	return json_pack(
	    "{s:s, s:s, s:n, s:n, s:b, s:n, s:n, s:n, s:n, s:{s:n, s:n, s:n}, s:n, s:[{s:s, s:s, s:n}], s:[], s:[], s:[], s:[], s:[], s:n}",
	    "version", HF_VERSION, "bridge", "down", "epoch", "generation", "fresh", false,
	    "stale_since", "names", "held_removals", "refused_total", "store", "state", "reason",
	    "since", "reloads", "warnings", "code", "unreached", "text", why, "since", "readers",
	    "sources", "adapters", "guard", "refused", "name_states");
}

void hf_offline_denied(json_t *status, const char *why)
{
	json_t *warning = json_array_get(json_object_get(status, "warnings"), 0);

	json_object_set_new(status, "bridge", json_string("unknown"));
	json_object_set_new(warning, "code", json_string("bridge-denied"));
	json_object_set_new(warning, "text", json_sprintf("%s; this is the published zone", why));
}

/* --- a sample --- */

struct offline_sample {
	struct hf_name *name;
	uint8_t *addr;
};

static int offline_take_sample(const struct hf_name *name, const struct hf_zone_entry *e, void *arg)
{
	const struct offline_sample *s = arg;

	if (e->n_addrs != 1 || e->flags & HF_REC_WITHDRAWN)
		return 0;
	*s->name = *name;
	memcpy(s->addr, e->addrs[0], 16);
	return 1;
}

int hf_offline_sample(const char *zone, struct hf_name *ret_name, uint8_t ret_addr[static 16])
{
	struct offline_sample s = { ret_name, ret_addr };
	struct offline_view v = { 0 };
	int rc = offline_view_open(&v, zone);

	if (!rc)
		rc = hf_zone_reader_walk(v.reader, offline_take_sample, &s);
	offline_view_close(&v);
	return rc;
}

/* --- records --- */

struct offline_records {
	struct offline_view view;
	const struct hf_record_filter *filter;
	hf_offline_record_cb cb;
	void *arg;
};

/*
 * When the owner, or for a name of the source itself the source, was last heard from. 0: not known.
 */
static int64_t confirmed_s(const struct offline_view *v, const struct hf_zone_entry *e)
{
	const struct hf_pulse *pulse = hf_zone_reader_pulse(v->reader);
	struct hf_pulse_stamp stamp = e->owner == HF_ZONE_OWNER_NONE
					  ? hf_pulse_get_source(pulse, e->source)
					  : hf_pulse_get_owner(pulse, e->owner);

	return stamp.known ? stamp.wall_ms / 1000 : 0;
}

static int list_entry(const struct hf_name *name, const struct hf_zone_entry *e, void *arg)
{
	const struct offline_records *r = arg;
	const struct offline_view *v = &r->view;
	char text[HF_NAME_TEXT_MAX], addr[HF_ADDR_TEXT_MAX];
	struct hf_record_row row = { .name = text, .data = addr, .ttl_s = v->meta->ttl_s };
	int rc = 0;

	if (e->source >= v->meta->n_sources)
		return 0;
	hf_name_text(name, text);
	row.source = v->meta->sources[e->source].name;
	row.state = offline_state_of(v, e);
	row.first_seen_s = e->first_seen_s;
	row.confirmed_s = confirmed_s(v, e);
	for (size_t i = 0; i < e->n_addrs && !rc; i++) {
		hf_addr_text(e->addrs[i], addr);
		if (hf_record_row_wanted(r->filter, &row, name))
			rc = r->cb(&row, r->arg);
	}
	return rc;
}

int hf_offline_records(
    const char *zone, const struct hf_record_filter *filter, hf_offline_record_cb cb, void *arg)
{
	struct offline_records r = { .filter = filter, .cb = cb, .arg = arg };
	int rc = offline_view_open(&r.view, zone);

	if (!rc)
		rc = hf_zone_reader_walk(r.view.reader, list_entry, &r);
	offline_view_close(&r.view);
	return rc;
}
