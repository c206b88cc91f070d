/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/writer_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "zone/cdb_in.h"
#include "zone/overlay.h"

static int writer_read_current(const struct hf_zone_writer *w, struct hf_fmt_current *ret_current)
{
	uint8_t *text = NULL;
	size_t len = 0;
	int rc = hf_file_read(w->folder.fd, "current", HF_FMT_CURRENT_MAX, &text, &len);

	if (rc)
		return rc;
	rc = hf_fmt_current_get(text, len, ret_current);
	free(text);
	return rc;
}

static int setting_take_bytes(
    uint8_t *into, size_t size, size_t *ret_len, const uint8_t *bytes, size_t len)
{
	if (len > size)
		return HF_EFORMAT;
	memcpy(into, bytes, len);
	*ret_len = len;
	return 0;
}

/* One of the three records of settings; any other that begins as they do is of a later version. */
static int take_setting(
    struct hf_fmt_settings *s, const uint8_t *key, size_t key_len, const uint8_t *bytes, size_t len)
{
	if (key_len != HF_FMT_META_KEY_LEN)
		return 0;
	if (!memcmp(key, hf_fmt_meta_key, key_len))
		return setting_take_bytes(s->meta, sizeof(s->meta), &s->meta_len, bytes, len);
	if (!memcmp(key, hf_fmt_identity_key, key_len))
		return setting_take_bytes(
		    s->identity, sizeof(s->identity), &s->identity_len, bytes, len);
	if (!memcmp(key, hf_fmt_urls_key, key_len))
		return setting_take_bytes(s->urls, sizeof(s->urls), &s->urls_len, bytes, len);
	return 0;
}

/* A record of the delta: its checksum is seen to at the end, its form here. */
static int delta_take_record(
    const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len, void *arg)
{
	struct hf_zone_writer *w = arg;
	struct hf_fmt_value v;

	if (key_len && key[0] == HF_FMT_META_KEY)
		return take_setting(&w->target.settings, key, key_len, value, value_len);
	if (!key_len || key_len > HF_FMT_KEY_MAX || hf_fmt_value_get(value, value_len, &v))
		return HF_EFORMAT;
	return hf_overlay_put(w->tree.layers.delta, key, key_len, value, value_len);
}

/* Not checked yet: count_base() reads all of it. */
static int target_take_base(struct hf_zone_writer *w, const struct hf_fmt_file *file)
{
	struct hf_fmt_settings *s = &w->target.settings;
	int rc = hf_cdb_in_open(w->folder.fd, file, false, &w->tree.layers.base);

	if (rc)
		return rc;
	rc = hf_cdb_in_find(
	    w->tree.layers.base, hf_fmt_meta_key, HF_FMT_META_KEY_LEN, s->meta, sizeof(s->meta));
	if (rc <= 0)
		return rc ? rc : HF_EFORMAT;
	s->meta_len = (size_t)rc;
	rc = hf_cdb_in_find(w->tree.layers.base, hf_fmt_identity_key, HF_FMT_META_KEY_LEN,
	    s->identity, sizeof(s->identity));
	if (rc < 0)
		return rc;
	s->identity_len = (size_t)rc;
	rc = hf_cdb_in_find(
	    w->tree.layers.base, hf_fmt_urls_key, HF_FMT_META_KEY_LEN, s->urls, sizeof(s->urls));
	if (rc < 0)
		return rc;
	s->urls_len = (size_t)rc;
	w->base_settings = *s;
	return 0;
}

static int take_delta(struct hf_zone_writer *w, const struct hf_fmt_file *file)
{
	struct hf_cdb_in *cdb;
	int rc;

	if (!file->name[0])
		return 0;
	rc = hf_cdb_in_open(w->folder.fd, file, false, &cdb);
	if (rc)
		return rc;
	rc = hf_cdb_in_walk(cdb, delta_take_record, w);
	hf_cdb_in_free(cdb);
	return rc;
}

/* A name of the base counts unless the delta has another word on it. */
static int count_record(
    const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len, void *arg)
{
	struct hf_zone_writer *w = arg;
	struct hf_name name;
	struct hf_fmt_value v;
	size_t len;

	if (!key_len || key_len > HF_NAME_MAX || key[0] > HF_LABEL_MAX)
		return 0; /* no name */
	if (hf_fmt_value_get(value, value_len, &v))
		return HF_EFORMAT;
	if (v.kind != HF_FMT_ADDRS || hf_overlay_get(w->tree.layers.delta, key, key_len, &len))
		return 0;
	name.len = (uint8_t)key_len;
	memcpy(name.wire, key, key_len);
	w->tree.sum += hf_tree_sum_of(&name, &v);
	return 0;
}

static int count_base(struct hf_zone_writer *w)
{
	return hf_cdb_in_walk(w->tree.layers.base, count_record, w);
}

static int count_delta(struct hf_zone_writer *w)
{
	struct hf_overlay_entry e;
	size_t at = 0;

	while (hf_overlay_next(w->tree.layers.delta, &at, &e)) {
		struct hf_name name = { .len = (uint8_t)e.key_len };
		struct hf_fmt_value v;

		if (e.key[0] > HF_LABEL_MAX || e.key_len > HF_NAME_MAX)
			continue;
		if (hf_fmt_value_get(e.value, e.value_len, &v))
			return HF_EFORMAT;
		memcpy(name.wire, e.key, e.key_len);
		w->tree.sum += hf_tree_sum_of(&name, &v);
	}
	return 0;
}

static int take_files(struct hf_zone_writer *w, struct hf_fmt_current *ret_current)
{
	int rc = writer_read_current(w, ret_current);

	if (!rc)
		rc = target_take_base(w, &ret_current->base);
	if (!rc)
		rc = take_delta(w, &ret_current->delta);
	w->tree.sum = 0;
	if (!rc)
		rc = count_base(w);
	if (!rc)
		rc = count_delta(w);
	if (!rc)
		rc = hf_fmt_meta_get(w->target.settings.meta, w->target.settings.meta_len, &w->meta,
		    &w->tree.n_names);
	if (rc)
		return rc;
	hf_fmt_identity_get(w->target.settings.identity, w->target.settings.identity_len, &w->meta);
	hf_fmt_urls_get(w->target.settings.urls, w->target.settings.urls_len, &w->meta);
	return 0;
}

int hf_writer_take_picture(struct hf_zone_writer *w, struct hf_zone_stamp *ret_stamp)
{
	struct hf_fmt_current c;
	int rc = take_files(w, &c);

	if (rc) {
		hf_cdb_in_free(w->tree.layers.base);
		w->tree.layers.base = NULL;
		hf_overlay_clear(w->tree.layers.delta);
		w->tree.n_names = 0;
		w->tree.sum = 0;
		return rc;
	}
	hf_tree_adopt(&w->tree, &w->meta);
	w->has_meta = true;
	memcpy(w->target.epoch, c.epoch, sizeof(c.epoch));
	w->target.generation = c.generation;
	w->has_target = true;
	w->published = c;
	w->has_published = true;
	memcpy(ret_stamp->epoch, c.epoch, sizeof(c.epoch));
	ret_stamp->generation = c.generation;
	ret_stamp->n_names = w->tree.n_names;
	return 1;
}

/* --- what readers find --- */

/* The settings are in the delta where there is one; every file has them. */
static int read_n_names(
    const struct hf_zone_writer *w, const struct hf_fmt_current *c, uint64_t *ret_n)
{
	const struct hf_fmt_file *file = c->delta.name[0] ? &c->delta : &c->base;
	struct hf_zone_meta meta;
	uint8_t bytes[HF_FMT_META_MAX];
	struct hf_cdb_in *cdb;
	int rc = hf_cdb_in_open(w->folder.fd, file, false, &cdb);

	if (rc)
		return rc;
	rc = hf_cdb_in_find(cdb, hf_fmt_meta_key, HF_FMT_META_KEY_LEN, bytes, sizeof(bytes));
	hf_cdb_in_free(cdb);
	if (rc <= 0)
		return rc ? rc : HF_EDAMAGED;
	return hf_fmt_meta_get(bytes, (size_t)rc, &meta, ret_n);
}

static bool same_file(const struct hf_fmt_file *a, const struct hf_fmt_file *b)
{
	return !strcmp(a->name, b->name) &&
	       (!a->name[0] || (a->size == b->size && !memcmp(a->hash, b->hash, sizeof(a->hash))));
}

int hf_zone_writer_read_back(
    const struct hf_zone_writer *w, struct hf_zone_stamp *ret_stamp, bool *ret_own)
{
	const struct hf_cdb_in *base = w->tree.layers.base;
	struct hf_fmt_current c;
	uint64_t n_names = 0;
	int rc = writer_read_current(w, &c);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	rc = read_n_names(w, &c, &n_names);
	if (rc)
		return rc;
	if (base && !strcmp(hf_cdb_in_file(base)->name, c.base.name) &&
	    !hf_cdb_in_intact(base, w->folder.fd))
		return HF_EDAMAGED;
	memcpy(ret_stamp->epoch, c.epoch, sizeof(ret_stamp->epoch));
	ret_stamp->generation = c.generation;
	ret_stamp->n_names = n_names;
	*ret_own = w->has_published && same_file(&c.base, &w->published.base) &&
		   same_file(&c.delta, &w->published.delta);
	return 1;
}
