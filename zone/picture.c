/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { WARM_AT_ONCE = 64 };

/* Out of the delta or else the base. */
static int find_bytes(const struct hf_picture *p, const uint8_t *key, size_t len,
    const uint8_t **ret_bytes, size_t *ret_len)
{
	uint32_t hash = hf_cdb_view_hash(key, len);
	int rc = hf_cdb_view_find(&p->delta_view, hash, key, len, ret_bytes, ret_len);

	return rc ? rc : hf_cdb_view_find(&p->base_view, hash, key, len, ret_bytes, ret_len);
}

static int load_meta(struct hf_picture *p)
{
	const uint8_t *bytes = NULL;
	size_t len = 0;
	int rc;

	if (find_bytes(p, hf_fmt_meta_key, HF_FMT_META_KEY_LEN, &bytes, &len) <= 0)
		return HF_EFORMAT;
	rc = hf_fmt_meta_get(bytes, len, &p->meta, &p->stamp.n_names);
	/* No answer needs it: one that is missing, or of another form, is not known. */
	if (!rc && find_bytes(p, hf_fmt_identity_key, HF_FMT_META_KEY_LEN, &bytes, &len) > 0)
		hf_fmt_identity_get(bytes, len, &p->meta);
	if (!rc && find_bytes(p, hf_fmt_urls_key, HF_FMT_META_KEY_LEN, &bytes, &len) > 0)
		hf_fmt_urls_get(bytes, len, &p->meta);
	return rc;
}

static int by_length_down(const void *a, const void *b)
{
	const struct hf_picture_suffix *x = a, *y = b;

	return (int)y->name->len - (int)x->name->len;
}

static void list_suffixes(struct hf_picture *p)
{
	for (size_t i = 0; i < p->meta.n_sources; i++) {
		const struct hf_name *name = &p->meta.sources[i].suffix;
		size_t k = 0;

		/* Not known yet, or the root, which is nobody's. */
		if (name->len < 2)
			continue;
		while (k < p->n_suffixes && !hf_name_equal(p->suffixes[k].name, name))
			k++;
		if (k == p->n_suffixes)
			p->suffixes[p->n_suffixes++] = (struct hf_picture_suffix){ name, 0 };
		p->suffixes[k].sources |= UINT64_C(1) << i;
	}
	qsort(p->suffixes, p->n_suffixes, sizeof(p->suffixes[0]), by_length_down);
}

int hf_picture_make(struct hf_sealed *base, struct hf_sealed *delta, const uint8_t epoch[static 16],
    uint64_t generation, struct hf_picture **ret_picture)
{
	struct hf_picture *p = calloc(1, sizeof(*p));
	int rc;

	if (!p) {
		hf_sealed_unref(base);
		hf_sealed_unref(delta);
		return -ENOMEM;
	}
	atomic_init(&p->refs, 1);
	p->base = base;
	p->delta = delta;
	memcpy(p->stamp.epoch, epoch, sizeof(p->stamp.epoch));
	p->stamp.generation = generation;
	rc = hf_cdb_view_init(&p->base_view, base->bytes, base->len);
	if (!rc && delta)
		rc = hf_cdb_view_init(&p->delta_view, delta->bytes, delta->len);
	if (!rc)
		rc = load_meta(p);
	if (rc) {
		hf_picture_unref(p);
		return rc;
	}
	list_suffixes(p);
	*ret_picture = p;
	return 0;
}

int hf_picture_load(int dirfd, const struct hf_fmt_current *current, const struct hf_picture *old,
    const atomic_bool *stop, const char **ret_file, struct hf_picture **ret_picture)
{
	struct hf_sealed *base = NULL, *delta = NULL;
	int rc = 0;

	*ret_file = current->base.name;
	if (old && hf_sealed_is(old->base, &current->base))
		base = hf_sealed_ref(old->base);
	else
		rc = hf_sealed_load(dirfd, &current->base, stop, &base);
	if (!rc && current->delta.name[0]) {
		*ret_file = current->delta.name;
		rc = hf_sealed_load(dirfd, &current->delta, stop, &delta);
	}
	if (rc) {
		hf_sealed_unref(base);
		return rc;
	}
	return hf_picture_make(base, delta, current->epoch, current->generation, ret_picture);
}

struct hf_picture *hf_picture_ref(struct hf_picture *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void hf_picture_unref(struct hf_picture *p)
{
	if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	hf_sealed_unref(p->base);
	hf_sealed_unref(p->delta);
	free(p);
}

bool hf_picture_is(const struct hf_picture *p, const struct hf_fmt_current *current)
{
	bool has_delta = current->delta.name[0];

	return p->stamp.generation == current->generation &&
	       !memcmp(p->stamp.epoch, current->epoch, sizeof(p->stamp.epoch)) &&
	       hf_sealed_is(p->base, &current->base) && has_delta == (p->delta != NULL) &&
	       (!has_delta || hf_sealed_is(p->delta, &current->delta));
}

int hf_picture_get(
    const struct hf_picture *p, const uint8_t *key, size_t len, struct hf_fmt_value *ret_value)
{
	const uint8_t *bytes;
	size_t n;
	int rc = find_bytes(p, key, len, &bytes, &n);

	if (rc <= 0)
		return rc;
	rc = hf_fmt_value_get(bytes, n, ret_value);
	if (rc)
		return rc;
	return ret_value->kind != HF_FMT_GONE;
}

void hf_picture_warm(const struct hf_picture *p, const struct hf_name *const *names, size_t n)
{
	struct hf_cdb_view_slot slot[WARM_AT_ONCE];
	uint32_t hash[WARM_AT_ONCE];

	if (n > WARM_AT_ONCE)
		n = WARM_AT_ONCE;
	/*
	 * In loops of their own: the less there is between two reads, the more of them are on their
	 * way.
	 */
	for (size_t i = 0; i < n; i++)
		hash[i] = names[i] ? hf_cdb_view_hash(names[i]->wire, names[i]->len) : 0;
	for (size_t i = 0; i < n; i++)
		slot[i] = hf_cdb_view_warm_slot(&p->base_view, hash[i]);
	for (size_t i = 0; i < n; i++)
		hf_cdb_view_warm_record(&p->base_view, hash[i], slot[i]);
}

/*
 * True if the key is that of a name, which *ret_name then is: whole, and as we would have written
 * it.
 */
static bool key_is_name(const uint8_t *key, size_t len, struct hf_name *ret_name)
{
	if (!len || key[0] > HF_LABEL_MAX)
		return false;
	if (hf_name_from_wire(key, len, ret_name) != (int)len)
		return false;
	return !memcmp(ret_name->wire, key, len);
}

/*
 * One of the two files. Names that `over` (may be an empty view) has are passed over: they are told
 * from there.
 */
static int walk_view(
    const struct hf_cdb_view *of, const struct hf_cdb_view *over, hf_picture_walk_cb cb, void *arg)
{
	struct hf_cdb_view_record r;
	struct hf_fmt_value value;
	const uint8_t *other;
	struct hf_name name;
	size_t n, at = 0;
	int rc;

	while ((rc = hf_cdb_view_next(of, &at, &r)) > 0) {
		if (!key_is_name(r.key, r.key_len, &name))
			continue;
		rc = hf_cdb_view_find(
		    over, hf_cdb_view_hash(r.key, r.key_len), r.key, r.key_len, &other, &n);
		if (rc > 0)
			continue;
		if (!rc)
			rc = hf_fmt_value_get(r.value, r.value_len, &value);
		if (!rc && value.kind != HF_FMT_GONE)
			rc = cb(&name, &value, arg);
		if (rc)
			return rc;
	}
	return rc;
}

int hf_picture_walk(const struct hf_picture *p, hf_picture_walk_cb cb, void *arg)
{
	static const struct hf_cdb_view nothing;
	int rc = walk_view(&p->delta_view, &nothing, cb, arg);

	return rc ? rc : walk_view(&p->base_view, &p->delta_view, cb, arg);
}
