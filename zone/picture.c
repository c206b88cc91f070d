#include "zone/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { CDB_TOC = 2048, SLOT = 8, CACHE_LINE = 64, WARM_AT_ONCE = 64, WARM_SLOTS = 16 };

/*
 * A view as cdb_init() makes one, but of memory that is mapped already: cdb_init() maps shared,
 * which Linux before 6.7 refuses for write-sealed memory.
 */
static int view_init(struct cdb *view, const struct hf_sealed *s)
{
	unsigned end;

	if (s->len < CDB_TOC)
		return HF_EFORMAT;
	memset(view, 0, sizeof(*view));
	view->cdb_fd = -1;
	view->cdb_mem = s->bytes;
	view->cdb_fsize = (unsigned)s->len;
	/* The records end where the first hash table begins. */
	end = cdb_unpack(s->bytes);
	if (end < CDB_TOC)
		end = CDB_TOC;
	view->cdb_dend = end < view->cdb_fsize ? end : view->cdb_fsize;
	return 0;
}

/* Returns 1 and where the value lies, 0 or HF_EFORMAT. tinycdb stays within the view whatever is in it. */
static int view_find(const struct cdb *view, const uint8_t *key, size_t len,
    const uint8_t **ret_value, size_t *ret_len)
{
	struct cdb c = *view;
	int rc;

	if (!c.cdb_mem)
		return 0;
	rc = cdb_find(&c, key, (unsigned)len);
	if (rc <= 0)
		return rc < 0 ? HF_EFORMAT : 0;
	*ret_value = cdb_getdata(&c);
	*ret_len = cdb_datalen(&c);
	return *ret_value ? 1 : HF_EFORMAT;
}

/*
 * The next record, at *at. Returns 1, 0 at the end or HF_EFORMAT. cdb_seqnext() adds up lengths that may overflow, and
 * would then go back; where key and value lie within the view, as cdb_get() makes sure, it went on.
 */
static int view_next(struct cdb *view, unsigned *at, const uint8_t **ret_key,
    const uint8_t **ret_value)
{
	int rc;

	if (!view->cdb_mem)
		return 0;
	rc = cdb_seqnext(at, view);
	if (rc <= 0)
		return rc < 0 ? HF_EFORMAT : 0;
	*ret_key = cdb_getkey(view);
	*ret_value = cdb_getdata(view);
	return *ret_key && *ret_value ? 1 : HF_EFORMAT;
}

static int load_meta(struct hf_picture *p)
{
	const uint8_t *bytes = NULL;
	size_t len = 0;
	int rc = view_find(&p->delta_cdb, hf_fmt_meta_key, HF_FMT_META_KEY_LEN, &bytes, &len);

	if (rc == 0)
		rc = view_find(&p->base_cdb, hf_fmt_meta_key, HF_FMT_META_KEY_LEN, &bytes, &len);
	if (rc <= 0)
		return HF_EFORMAT;
	return hf_fmt_meta_get(bytes, len, &p->meta, &p->stamp.n_names);
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
	rc = view_init(&p->base_cdb, base);
	if (!rc && delta)
		rc = view_init(&p->delta_cdb, delta);
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

int hf_picture_get(const struct hf_picture *p, const uint8_t *key, size_t len,
    struct hf_fmt_value *ret_value)
{
	const uint8_t *bytes;
	size_t n;
	int rc = view_find(&p->delta_cdb, key, len, &bytes, &n);

	if (rc == 0)
		rc = view_find(&p->base_cdb, key, len, &bytes, &n);
	if (rc <= 0)
		return rc;
	rc = hf_fmt_value_get(bytes, n, ret_value);
	if (rc)
		return rc;
	return ret_value->kind != HF_FMT_GONE;
}

/* A read that the compiler keeps: unlike a prefetch it is not dropped where the page must be looked up. */
static void touch(const uint8_t *at)
{
	(void)*(const volatile uint8_t *)at;
}

/* The slots from where the search for `hash` begins to the end of its table. Returns their number. */
static size_t slots_of(const struct cdb *view, unsigned hash, const uint8_t **ret_slot)
{
	const uint8_t *table = view->cdb_mem + (hash % 256) * SLOT;
	unsigned at = cdb_unpack(table), n = cdb_unpack(table + 4), first;

	if (!n || at > view->cdb_fsize || n > (view->cdb_fsize - at) / SLOT)
		return 0;
	first = (hash >> 8) % n;
	*ret_slot = view->cdb_mem + at + (size_t)first * SLOT;
	return n - first;
}

/* Touches the record that the slots name for `hash`. */
static void touch_record(const struct cdb *view, unsigned hash, const uint8_t *slot, size_t n)
{
	for (size_t i = 0; i < n && i < WARM_SLOTS; i++, slot += SLOT) {
		size_t at = cdb_unpack(slot + 4);

		if (!at)
			return;
		if (cdb_unpack(slot) != hash || at + CACHE_LINE > view->cdb_fsize)
			continue;
		touch(view->cdb_mem + at);
		touch(view->cdb_mem + at + CACHE_LINE - 1);
		return;
	}
}

void hf_picture_warm(const struct hf_picture *p, const struct hf_name *const *names, size_t n)
{
	const uint8_t *slot[WARM_AT_ONCE];
	size_t n_slots[WARM_AT_ONCE];
	unsigned hash[WARM_AT_ONCE];

	if (n > WARM_AT_ONCE)
		n = WARM_AT_ONCE;
	/* In loops of their own: the less there is between two reads, the more of them are on their way. */
	for (size_t i = 0; i < n; i++)
		hash[i] = names[i] ? cdb_hash(names[i]->wire, names[i]->len) : 0;
	for (size_t i = 0; i < n; i++) {
		n_slots[i] = names[i] ? slots_of(&p->base_cdb, hash[i], &slot[i]) : 0;
		if (n_slots[i])
			touch(slot[i]);
	}
	for (size_t i = 0; i < n; i++)
		if (n_slots[i])
			touch_record(&p->base_cdb, hash[i], slot[i], n_slots[i]);
}

/* True if the key is that of a name, which *ret_name then is: whole, and as we would have written it. */
static bool key_is_name(const uint8_t *key, size_t len, struct hf_name *ret_name)
{
	if (!len || key[0] > HF_LABEL_MAX)
		return false;
	if (hf_name_from_wire(key, len, ret_name) != (int)len)
		return false;
	return !memcmp(ret_name->wire, key, len);
}

/* One of the two files. Names that `over` (may be an empty view) has are passed over: they are told from there. */
static int walk_view(const struct cdb *of, const struct cdb *over, hf_picture_walk_cb cb, void *arg)
{
	struct cdb view = *of;
	struct hf_fmt_value value;
	const uint8_t *key, *bytes, *other;
	struct hf_name name;
	unsigned at;
	size_t n;
	int rc;

	cdb_seqinit(&at, &view);
	while ((rc = view_next(&view, &at, &key, &bytes)) > 0) {
		if (!key_is_name(key, cdb_keylen(&view), &name))
			continue;
		rc = view_find(over, key, cdb_keylen(&view), &other, &n);
		if (rc > 0)
			continue;
		if (!rc)
			rc = hf_fmt_value_get(bytes, cdb_datalen(&view), &value);
		if (!rc && value.kind != HF_FMT_GONE)
			rc = cb(&name, &value, arg);
		if (rc)
			return rc;
	}
	return rc;
}

int hf_picture_walk(const struct hf_picture *p, hf_picture_walk_cb cb, void *arg)
{
	static const struct cdb nothing;
	int rc = walk_view(&p->delta_cdb, &nothing, cb, arg);

	return rc ? rc : walk_view(&p->base_cdb, &p->delta_cdb, cb, arg);
}
