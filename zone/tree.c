/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/tree.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "zone/cdb_in.h"
#include "zone/format.h"
#include "zone/overlay.h"
#include "zone/sum.h"

enum { FLAGS_KNOWN = HF_REC_HELD | HF_REC_PRIMARY | HF_REC_WITHDRAWN | HF_REC_RESTORED };

/* A value together with the bytes it points into. kind HF_FMT_GONE: there is none. */
struct found {
	struct hf_fmt_value v;
	size_t len;
	uint8_t bytes[HF_FMT_VALUE_MAX];
};

/* A name's wire form, within that of a longer one or not. */
struct wire {
	const uint8_t *at;
	size_t len;
};

static struct wire wire_of(const struct hf_name *name)
{
	return (struct wire){ name->wire, name->len };
}

static struct wire tree_parent_of(struct wire name)
{
	size_t label = 1 + (size_t)name.at[0];

	return (struct wire){ name.at + label, name.len - label };
}

static bool is_root(struct wire name)
{
	return name.len <= 1;
}

/* --- layers --- */

int hf_tree_get(
    const struct hf_tree *t, const uint8_t *key, size_t key_len, uint8_t *out, size_t size)
{
	const struct hf_overlay *const upper[] = { t->layers.stage, t->layers.fresh,
		t->layers.delta, t->layers.frozen };

	for (size_t i = 0; i < sizeof(upper) / sizeof(upper[0]); i++) {
		size_t len;
		const uint8_t *value =
		    upper[i] ? hf_overlay_get(upper[i], key, key_len, &len) : NULL;

		if (!value)
			continue;
		if (value[0] == HF_FMT_GONE)
			return 0;
		if (len > size)
			return HF_ELIMIT;
		memcpy(out, value, len);
		return (int)len;
	}
	return t->layers.base ? hf_cdb_in_find(t->layers.base, key, key_len, out, size) : 0;
}

static int tree_get_value(
    const struct hf_tree *t, const uint8_t *key, size_t key_len, struct found *ret)
{
	int len = hf_tree_get(t, key, key_len, ret->bytes, sizeof(ret->bytes));

	if (len < 0)
		return len;
	ret->len = (size_t)len;
	if (!len) {
		ret->v = (struct hf_fmt_value){ .kind = HF_FMT_GONE };
		return 0;
	}
	return hf_fmt_value_get(ret->bytes, (size_t)len, &ret->v) ? HF_EDAMAGED : 0;
}

static int tree_put_value(
    struct hf_tree *t, const uint8_t *key, size_t key_len, const struct hf_fmt_value *v)
{
	uint8_t bytes[HF_FMT_VALUE_MAX];
	int len = hf_fmt_value_put(v, bytes, sizeof(bytes));

	if (len < 0)
		return len;
	return hf_overlay_put(t->layers.stage, key, key_len, bytes, (size_t)len);
}

static int put_gone(struct hf_tree *t, const uint8_t *key, size_t key_len)
{
	return tree_put_value(t, key, key_len, &(struct hf_fmt_value){ .kind = HF_FMT_GONE });
}

static int put_empty(struct hf_tree *t, struct wire name, uint32_t children)
{
	return tree_put_value(t, name.at, name.len,
	    &(struct hf_fmt_value){ .kind = HF_FMT_EMPTY, .children = children });
}

/* All that was staged becomes part of the changes, or, if rc says so, nothing. */
static int tree_finish(struct hf_tree *t, int rc, int64_t names, uint64_t sum)
{
	if (!rc)
		rc = hf_overlay_merge(t->layers.fresh, t->layers.stage);
	if (rc)
		hf_overlay_clear(t->layers.stage);
	if (rc)
		return rc;
	t->n_names += (uint64_t)names;
	t->sum += sum;
	return 0;
}

uint64_t hf_tree_sum_of(const struct hf_name *name, const struct hf_fmt_value *v)
{
	uint64_t sum = 0;

	for (size_t i = 0; v->kind == HF_FMT_ADDRS && i < v->n_addrs; i++)
		sum += hf_sum_of(name, v->addrs[i], v->flags, v->source, v->owner);
	return sum;
}

/* --- parents --- */

static bool is_apex(const struct hf_tree *t, struct wire name)
{
	for (size_t i = 0; i < t->n_apexes; i++) {
		if (t->apexes[i].len == name.len && !memcmp(t->apexes[i].wire, name.at, name.len))
			return true;
	}
	return false;
}

/*
 * The shortest apex that `name` is at or under: the walk up ends there. NULL if it is under none.
 */
static const struct hf_name *top_of(
    const struct hf_name *apexes, size_t n, const struct hf_name *name)
{
	const struct hf_name *top = NULL;

	for (size_t i = 0; i < n; i++) {
		if ((!top || apexes[i].len < top->len) && hf_name_is_under(name, &apexes[i]))
			top = &apexes[i];
	}
	return top;
}

/* `name` is new: its first parent that exists counts it; those between are made. */
static int link_name(struct hf_tree *t, const struct hf_name *name)
{
	const struct hf_name *top = top_of(t->apexes, t->n_apexes, name);
	struct wire at = wire_of(name);
	struct found f;
	int rc = 0;

	while (!rc && top && at.len > top->len) {
		at = tree_parent_of(at);
		rc = tree_get_value(t, at.at, at.len, &f);
		if (rc)
			break;
		if (f.v.kind != HF_FMT_GONE) {
			f.v.children++;
			return tree_put_value(t, at.at, at.len, &f.v);
		}
		rc = put_empty(t, at, 1);
	}
	return rc;
}

/* `name` is gone: its parent counts one less, and those that hold nothing any more go too. */
static int unlink_name(struct hf_tree *t, const struct hf_name *name)
{
	struct wire at = wire_of(name);
	struct found f;
	int rc = 0;

	while (!rc && !is_root(at)) {
		at = tree_parent_of(at);
		rc = tree_get_value(t, at.at, at.len, &f);
		if (rc || f.v.kind == HF_FMT_GONE)
			break;
		if (f.v.children)
			f.v.children--;
		if (f.v.kind != HF_FMT_EMPTY || f.v.children || is_apex(t, at))
			return tree_put_value(t, at.at, at.len, &f.v);
		rc = put_gone(t, at.at, at.len);
	}
	return rc;
}

/* --- PTR --- */

static bool tree_has_addr(const uint8_t (*addrs)[16], size_t n, const uint8_t addr[static 16])
{
	for (size_t i = 0; i < n; i++) {
		if (!memcmp(addrs[i], addr, 16))
			return true;
	}
	return false;
}

/* 1 if addr's PTR tells `name`, 0 if not, or a code. */
static int ptr_tells(const struct hf_tree *t, const uint8_t *key, const struct hf_name *name)
{
	struct found f;
	int rc = tree_get_value(t, key, HF_FMT_PTR_KEY_LEN, &f);

	if (rc || f.v.kind != HF_FMT_PTR)
		return rc;
	return f.v.ptr_len == name->len && !memcmp(f.v.ptr, name->wire, name->len);
}

/* The addresses that `name` has no more; a PTR that another name took over is that one's. */
static int drop_ptrs(struct hf_tree *t, const struct hf_name *name, const struct hf_fmt_value *old,
    const uint8_t (*kept)[16], size_t n_kept)
{
	uint8_t key[HF_FMT_PTR_KEY_LEN];
	int rc = 0;

	if (old->kind != HF_FMT_ADDRS || !(old->flags & HF_REC_PRIMARY))
		return 0;
	for (size_t i = 0; rc >= 0 && i < old->n_addrs; i++) {
		if (tree_has_addr(kept, n_kept, old->addrs[i]))
			continue;
		hf_fmt_ptr_key(old->addrs[i], key);
		rc = ptr_tells(t, key, name);
		if (rc > 0)
			rc = put_gone(t, key, sizeof(key));
	}
	return rc < 0 ? rc : 0;
}

static int set_ptrs(struct hf_tree *t, const struct hf_zone_rec *rec)
{
	struct hf_fmt_value v = {
		.kind = HF_FMT_PTR, .ptr = rec->name->wire, .ptr_len = rec->name->len
	};
	uint8_t key[HF_FMT_PTR_KEY_LEN];
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < rec->n_addrs; i++) {
		hf_fmt_ptr_key(rec->addrs[i], key);
		rc = ptr_tells(t, key, rec->name);
		if (rc == 0)
			rc = tree_put_value(t, key, sizeof(key), &v);
	}
	return rc < 0 ? rc : 0;
}

/* --- names --- */

static uint32_t clamp_u32(int64_t v)
{
	return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static int check_rec(const struct hf_tree *t, const struct hf_zone_rec *rec)
{
	if (!top_of(t->apexes, t->n_apexes, rec->name) || !rec->n_addrs ||
	    rec->n_addrs > HF_REC_ADDRS_MAX || rec->source >= HF_ZONE_SOURCES_MAX ||
	    (rec->flags & ~FLAGS_KNOWN))
		return HF_EREFUSED;
	for (size_t i = 0; i < rec->n_addrs; i++) {
		if (!hf_addr_is_ours(rec->addrs[i]))
			return HF_EREFUSED;
	}
	return 0;
}

static int stage_set(struct hf_tree *t, const struct hf_zone_rec *rec, const struct found *old)
{
	struct hf_fmt_value v = {
		.kind = HF_FMT_ADDRS,
		.flags = rec->flags,
		.source = (uint8_t)rec->source,
		.owner = rec->owner,
		.first_seen_s = clamp_u32(rec->first_seen_s),
		.children = old->v.children,
		.addrs = rec->addrs,
		.n_addrs = rec->n_addrs,
	};
	bool primary = rec->flags & HF_REC_PRIMARY;
	uint8_t bytes[HF_FMT_VALUE_MAX];
	int len = hf_fmt_value_put(&v, bytes, sizeof(bytes)), rc = 0;

	if (len < 0)
		return len;
	/* What is set again as it was costs nothing. */
	if ((size_t)len != old->len || memcmp(bytes, old->bytes, old->len))
		rc = hf_overlay_put(
		    t->layers.stage, rec->name->wire, rec->name->len, bytes, (size_t)len);
	if (!rc && old->v.kind == HF_FMT_GONE)
		rc = link_name(t, rec->name);
	if (!rc)
		rc = drop_ptrs(t, rec->name, &old->v, rec->addrs, primary ? rec->n_addrs : 0);
	if (!rc && primary)
		rc = set_ptrs(t, rec);
	return rc;
}

static uint64_t sum_of_rec(const struct hf_zone_rec *rec)
{
	return hf_tree_sum_of(rec->name, &(struct hf_fmt_value){ .kind = HF_FMT_ADDRS,
					     .flags = rec->flags,
					     .source = (uint8_t)rec->source,
					     .owner = rec->owner,
					     .addrs = rec->addrs,
					     .n_addrs = rec->n_addrs });
}

int hf_tree_set(struct hf_tree *t, const struct hf_zone_rec *rec)
{
	struct found old;
	uint64_t before;
	int rc = check_rec(t, rec);

	if (rc)
		return rc;
	rc = tree_get_value(t, rec->name->wire, rec->name->len, &old);
	if (rc)
		return rc;
	before = hf_tree_sum_of(rec->name, &old.v);
	rc = stage_set(t, rec, &old);
	return tree_finish(t, rc, old.v.kind == HF_FMT_ADDRS ? 0 : 1, sum_of_rec(rec) - before);
}

int hf_tree_del(struct hf_tree *t, const struct hf_name *name)
{
	struct wire wire = wire_of(name);
	struct found old;
	int rc = tree_get_value(t, wire.at, wire.len, &old);

	if (rc || old.v.kind != HF_FMT_ADDRS)
		return rc;
	if (old.v.children || is_apex(t, wire)) {
		rc = put_empty(t, wire, old.v.children);
	} else {
		rc = put_gone(t, wire.at, wire.len);
		if (!rc)
			rc = unlink_name(t, name);
	}
	if (!rc)
		rc = drop_ptrs(t, name, &old.v, NULL, 0);
	return tree_finish(t, rc, -1, -hf_tree_sum_of(name, &old.v));
}

/* --- apexes --- */

static bool has_name(const struct hf_name *names, size_t n, const struct hf_name *name)
{
	for (size_t i = 0; i < n; i++) {
		if (hf_name_equal(&names[i], name))
			return true;
	}
	return false;
}

static size_t apexes_of(const struct hf_zone_meta *meta, struct hf_name *ret_apexes)
{
	size_t n = 0;

	for (size_t i = 0; i < meta->n_sources && i < HF_ZONE_SOURCES_MAX; i++) {
		const struct hf_name *suffix = &meta->sources[i].suffix;

		if (suffix->len > 1 && !has_name(ret_apexes, n, suffix))
			ret_apexes[n++] = *suffix;
	}
	return n;
}

void hf_tree_adopt(struct hf_tree *t, const struct hf_zone_meta *meta)
{
	t->n_apexes = apexes_of(meta, t->apexes);
}

/* An apex may lie under another one, and then that one's walk up begins at it. */
static bool is_nested(const struct hf_name *apexes, size_t n, const struct hf_name *name)
{
	const struct hf_name *top = top_of(apexes, n, name);

	return top && top->len < name->len;
}

static int add_apex(struct hf_tree *t, const struct hf_name *name)
{
	struct found f;
	int rc = tree_get_value(t, name->wire, name->len, &f);

	if (rc || f.v.kind != HF_FMT_GONE)
		return rc;
	rc = put_empty(t, wire_of(name), 0);
	return rc ? rc : link_name(t, name);
}

/* It stays while there are names under it: those are for the caller to take out. */
static int drop_apex(struct hf_tree *t, const struct hf_name *name)
{
	struct found f;
	int rc = tree_get_value(t, name->wire, name->len, &f);

	if (rc || f.v.kind != HF_FMT_EMPTY || f.v.children)
		return rc;
	rc = put_gone(t, name->wire, name->len);
	return rc ? rc : unlink_name(t, name);
}

/* t->apexes are the new ones already. */
static int stage_settle(struct hf_tree *t, const struct hf_name *old, size_t n_old)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < t->n_apexes; i++) {
		if (!has_name(old, n_old, &t->apexes[i]))
			rc = add_apex(t, &t->apexes[i]);
	}
	for (size_t i = 0; !rc && i < n_old; i++) {
		if (!is_nested(old, n_old, &old[i]) && is_nested(t->apexes, t->n_apexes, &old[i]))
			rc = link_name(t, &old[i]);
	}
	for (size_t i = 0; !rc && i < n_old; i++) {
		if (!has_name(t->apexes, t->n_apexes, &old[i]))
			rc = drop_apex(t, &old[i]);
		else if (is_nested(old, n_old, &old[i]) &&
			 !is_nested(t->apexes, t->n_apexes, &old[i]))
			rc = unlink_name(t, &old[i]);
	}
	return rc;
}

int hf_tree_settle(struct hf_tree *t, const struct hf_zone_meta *meta)
{
	struct hf_name old[HF_ZONE_SOURCES_MAX];
	size_t n_old = t->n_apexes;
	bool same;
	int rc;

	memcpy(old, t->apexes, sizeof(old));
	t->n_apexes = apexes_of(meta, t->apexes);
	same = t->n_apexes == n_old;
	for (size_t i = 0; same && i < n_old; i++)
		same = has_name(old, n_old, &t->apexes[i]);
	if (same)
		return 0;
	rc = tree_finish(t, stage_settle(t, old, n_old), 0, 0);
	if (rc) {
		memcpy(t->apexes, old, sizeof(old));
		t->n_apexes = n_old;
	}
	return rc;
}

/* --- the whole --- */

int hf_tree_init(struct hf_tree *t)
{
	int rc = hf_overlay_new(&t->layers.stage);

	if (!rc)
		rc = hf_overlay_new(&t->layers.fresh);
	if (!rc)
		rc = hf_overlay_new(&t->layers.delta);
	return rc;
}

void hf_tree_done(struct hf_tree *t)
{
	hf_overlay_free(t->layers.stage);
	hf_overlay_free(t->layers.fresh);
	hf_overlay_free(t->layers.delta);
	hf_overlay_free(t->layers.frozen);
	hf_cdb_in_free(t->layers.base);
	memset(t, 0, sizeof(*t));
}
