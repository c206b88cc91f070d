/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/format.h"

#include <string.h>

#include "base/error.h"
#include "base/wire.h"

enum {
	META_FORM = 1,
	FLAG_CHILDREN = 0x80,
	FLAGS_KNOWN = HF_REC_HELD | HF_REC_PRIMARY | HF_REC_WITHDRAWN | HF_REC_RESTORED,
	TTL_MAX_S = 30,
};

const uint8_t hf_fmt_meta_key[HF_FMT_META_KEY_LEN] = { HF_FMT_META_KEY, 'm' };

void hf_fmt_ptr_key(const uint8_t addr[static 16], uint8_t ret_key[static HF_FMT_PTR_KEY_LEN])
{
	ret_key[0] = HF_FMT_PTR_KEY;
	memcpy(ret_key + 1, addr + 6, HF_FMT_PTR_KEY_LEN - 1);
}

/* The whole of `wire` is one name in canonical form. */
static bool is_canonical(const uint8_t *wire, size_t len)
{
	struct hf_name name;

	return hf_name_from_wire(wire, len, &name) == (int)len && !memcmp(name.wire, wire, len);
}

static int get_addrs(struct hf_rd *rd, struct hf_fmt_value *v)
{
	uint8_t flags = hf_rd_u8(rd);
	size_t left;

	v->flags = flags & (uint8_t)~FLAG_CHILDREN;
	v->source = hf_rd_u8(rd);
	v->owner = hf_rd_u16(rd);
	v->first_seen_s = hf_rd_u32(rd);
	v->children = flags & FLAG_CHILDREN ? hf_rd_u32(rd) : 0;
	left = hf_rd_left(rd);
	v->n_addrs = left / sizeof(*v->addrs);
	if (rd->error || left % sizeof(*v->addrs) || !v->n_addrs || v->n_addrs > HF_REC_ADDRS_MAX)
		return HF_EFORMAT;
	if ((v->flags & ~FLAGS_KNOWN) || v->source >= HF_ZONE_SOURCES_MAX)
		return HF_EFORMAT;
	/* One way to write a value only. */
	if ((flags & FLAG_CHILDREN) && !v->children)
		return HF_EFORMAT;
	v->addrs = (const uint8_t(*)[16])hf_rd_bytes(rd, left);
	for (size_t i = 0; i < v->n_addrs; i++) {
		if (!hf_addr_is_ours(v->addrs[i]))
			return HF_EFORMAT;
	}
	return 0;
}

int hf_fmt_value_get(const void *bytes, size_t len, struct hf_fmt_value *ret_value)
{
	struct hf_rd rd = hf_rd(bytes, len);
	struct hf_fmt_value v = { .kind = hf_rd_u8(&rd) };
	int rc = 0;

	if (rd.error)
		return HF_EFORMAT;
	switch (v.kind) {
	case HF_FMT_GONE:
		break;
	case HF_FMT_ADDRS:
		rc = get_addrs(&rd, &v);
		break;
	case HF_FMT_EMPTY:
		v.children = hf_rd_u32(&rd);
		break;
	case HF_FMT_PTR:
		v.ptr_len = hf_rd_left(&rd);
		v.ptr = hf_rd_bytes(&rd, v.ptr_len);
		rc = is_canonical(v.ptr, v.ptr_len) ? 0 : HF_EFORMAT;
		break;
	default:
		rc = HF_EFORMAT;
	}
	if (rc || rd.error || hf_rd_left(&rd))
		return HF_EFORMAT;
	*ret_value = v;
	return 0;
}

int hf_fmt_value_put(const struct hf_fmt_value *v, uint8_t *out, size_t size)
{
	struct hf_wr wr = hf_wr(out, size);

	hf_wr_u8(&wr, v->kind);
	switch (v->kind) {
	case HF_FMT_ADDRS:
		hf_wr_u8(&wr, v->flags | (v->children ? FLAG_CHILDREN : 0));
		hf_wr_u8(&wr, v->source);
		hf_wr_u16(&wr, v->owner);
		hf_wr_u32(&wr, v->first_seen_s);
		if (v->children)
			hf_wr_u32(&wr, v->children);
		hf_wr_bytes(&wr, v->addrs, v->n_addrs * sizeof(*v->addrs));
		break;
	case HF_FMT_EMPTY:
		hf_wr_u32(&wr, v->children);
		break;
	case HF_FMT_PTR:
		hf_wr_bytes(&wr, v->ptr, v->ptr_len);
		break;
	}
	return wr.error ? wr.error : (int)hf_wr_len(&wr);
}

static bool fmt_text_ok(const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	}
	return true;
}

static int fmt_get_source(struct hf_rd *rd, struct hf_zone_source *s)
{
	size_t name_len = hf_rd_u8(rd), suffix_len;
	const uint8_t *name = hf_rd_bytes(rd, name_len), *suffix;

	suffix_len = hf_rd_u8(rd);
	suffix = hf_rd_bytes(rd, suffix_len);
	s->fresh_ms = hf_rd_u32(rd);
	s->snapshot_ms = hf_rd_u32(rd);
	if (rd->error || name_len >= sizeof(s->name) || !fmt_text_ok(name, name_len))
		return HF_EFORMAT;
	/* The root is no suffix: everything would be ours. */
	if (suffix_len && (suffix_len == 1 || !is_canonical(suffix, suffix_len)))
		return HF_EFORMAT;
	memcpy(s->name, name, name_len);
	s->suffix.len = (uint8_t)suffix_len;
	memcpy(s->suffix.wire, suffix, suffix_len);
	return 0;
}

int hf_fmt_meta_get(
    const void *bytes, size_t len, struct hf_zone_meta *ret_meta, uint64_t *ret_n_names)
{
	struct hf_rd rd = hf_rd(bytes, len);
	uint8_t form = hf_rd_u8(&rd), not_ready, provenance, ready, n_sources;
	uint32_t ttl_s = hf_rd_u32(&rd);
	uint64_t n_names;

	not_ready = hf_rd_u8(&rd);
	provenance = hf_rd_u8(&rd);
	ready = hf_rd_u8(&rd);
	n_names = hf_rd_u64(&rd);
	n_sources = hf_rd_u8(&rd);
	if (rd.error || form != META_FORM || ttl_s < 1 || ttl_s > TTL_MAX_S || ready > 1 ||
	    not_ready > HF_NOT_READY_NXDOMAIN || provenance > HF_PROVENANCE_ON ||
	    n_sources > HF_ZONE_SOURCES_MAX)
		return HF_EFORMAT;
	memset(ret_meta, 0, sizeof(*ret_meta));
	for (size_t i = 0; i < n_sources; i++) {
		if (fmt_get_source(&rd, &ret_meta->sources[i]))
			return HF_EFORMAT;
	}
	if (rd.error || hf_rd_left(&rd))
		return HF_EFORMAT;
	ret_meta->ttl_s = ttl_s;
	ret_meta->not_ready = (enum hf_not_ready)not_ready;
	ret_meta->provenance = (enum hf_provenance)provenance;
	ret_meta->ready = ready;
	ret_meta->n_sources = n_sources;
	*ret_n_names = n_names;
	return 0;
}

static bool source_ok(const struct hf_zone_source *s)
{
	size_t len = strnlen(s->name, sizeof(s->name));

	if (len == sizeof(s->name) || !fmt_text_ok((const uint8_t *)s->name, len))
		return false;
	return !s->suffix.len || (s->suffix.len > 1 && is_canonical(s->suffix.wire, s->suffix.len));
}

static void put_source(struct hf_wr *wr, const struct hf_zone_source *s)
{
	size_t len = strlen(s->name);

	hf_wr_u8(wr, (uint8_t)len);
	hf_wr_bytes(wr, s->name, len);
	hf_wr_u8(wr, s->suffix.len);
	hf_wr_bytes(wr, s->suffix.wire, s->suffix.len);
	hf_wr_u32(wr, s->fresh_ms);
	hf_wr_u32(wr, s->snapshot_ms);
}

int hf_fmt_meta_put(const struct hf_zone_meta *meta, uint64_t n_names, uint8_t *out, size_t size)
{
	struct hf_wr wr = hf_wr(out, size);

	if (meta->ttl_s < 1 || meta->ttl_s > TTL_MAX_S || meta->n_sources > HF_ZONE_SOURCES_MAX ||
	    (unsigned)meta->not_ready > HF_NOT_READY_NXDOMAIN ||
	    (unsigned)meta->provenance > HF_PROVENANCE_ON)
		return HF_EREFUSED;
	hf_wr_u8(&wr, META_FORM);
	hf_wr_u32(&wr, meta->ttl_s);
	hf_wr_u8(&wr, (uint8_t)meta->not_ready);
	hf_wr_u8(&wr, (uint8_t)meta->provenance);
	hf_wr_u8(&wr, meta->ready);
	hf_wr_u64(&wr, n_names);
	hf_wr_u8(&wr, (uint8_t)meta->n_sources);
	for (size_t i = 0; i < meta->n_sources; i++) {
		if (!source_ok(&meta->sources[i]))
			return HF_EREFUSED;
		put_source(&wr, &meta->sources[i]);
	}
	return wr.error ? wr.error : (int)hf_wr_len(&wr);
}
