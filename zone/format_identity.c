/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_identity: which deployment and which user each source of the meta was pinned to, and a sum
 * of its URL: nothing that an answer needs, but what a bridge must not lose with its store. Records
 * of their own, so that readers that do not know them pass them over.
 */
#include "zone/format.h"

#include <string.h>

#include "base/error.h"
#include "base/wire.h"

enum { IDENTITY_FORM = 1, URLS_FORM = 1 };

const uint8_t hf_fmt_identity_key[HF_FMT_META_KEY_LEN] = { HF_FMT_META_KEY, 'i' };

static bool identity_is_printable(const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	}
	return true;
}

/* `into` NULL: only whether it is one. */
static int identity_get_source(struct hf_rd *rd, struct hf_zone_source *into)
{
	size_t len = hf_rd_u8(rd);
	const uint8_t *text = hf_rd_bytes(rd, len), *user = hf_rd_bytes(rd, sizeof(into->user));

	if (rd->error || len >= sizeof(into->deployment) || !identity_is_printable(text, len))
		return HF_EFORMAT;
	if (!into)
		return 0;
	memset(into->deployment, 0, sizeof(into->deployment));
	memcpy(into->deployment, text, len);
	memcpy(into->user, user, sizeof(into->user));
	return 0;
}

static int get_all(struct hf_rd rd, size_t n_sources, struct hf_zone_meta *into)
{
	uint8_t form = hf_rd_u8(&rd), n = hf_rd_u8(&rd);
	int rc = !rd.error && form == IDENTITY_FORM && n == n_sources ? 0 : HF_EFORMAT;

	for (size_t i = 0; !rc && i < n; i++)
		rc = identity_get_source(&rd, into ? &into->sources[i] : NULL);
	return !rc && hf_rd_left(&rd) ? HF_EFORMAT : rc;
}

int hf_fmt_identity_get(const void *bytes, size_t len, struct hf_zone_meta *meta)
{
	/* All or nothing: first it is only looked at. */
	int rc = get_all(hf_rd(bytes, len), meta->n_sources, NULL);

	return rc ? rc : get_all(hf_rd(bytes, len), meta->n_sources, meta);
}

int hf_fmt_identity_put(const struct hf_zone_meta *meta, uint8_t *out, size_t size)
{
	struct hf_wr wr = hf_wr(out, size);

	if (meta->n_sources > HF_ZONE_SOURCES_MAX)
		return HF_EREFUSED;
	hf_wr_u8(&wr, IDENTITY_FORM);
	hf_wr_u8(&wr, (uint8_t)meta->n_sources);
	for (size_t i = 0; i < meta->n_sources; i++) {
		const struct hf_zone_source *s = &meta->sources[i];
		size_t len = strnlen(s->deployment, sizeof(s->deployment));

		if (len == sizeof(s->deployment) ||
		    !identity_is_printable((const uint8_t *)s->deployment, len))
			return HF_EREFUSED;
		hf_wr_u8(&wr, (uint8_t)len);
		hf_wr_bytes(&wr, s->deployment, len);
		hf_wr_bytes(&wr, s->user, sizeof(s->user));
	}
	return wr.error ? wr.error : (int)hf_wr_len(&wr);
}

/* --- URLs --- */

const uint8_t hf_fmt_urls_key[HF_FMT_META_KEY_LEN] = { HF_FMT_META_KEY, 'u' };

int hf_fmt_urls_get(const void *bytes, size_t len, struct hf_zone_meta *meta)
{
	struct hf_rd rd = hf_rd(bytes, len);
	uint8_t form = hf_rd_u8(&rd), n = hf_rd_u8(&rd);

	if (rd.error || form != URLS_FORM || n != meta->n_sources ||
	    hf_rd_left(&rd) != n * sizeof(uint64_t))
		return HF_EFORMAT;
	for (size_t i = 0; i < n; i++)
		meta->sources[i].url_sum = hf_rd_u64(&rd);
	return 0;
}

int hf_fmt_urls_put(const struct hf_zone_meta *meta, uint8_t *out, size_t size)
{
	struct hf_wr wr = hf_wr(out, size);

	if (meta->n_sources > HF_ZONE_SOURCES_MAX)
		return HF_EREFUSED;
	hf_wr_u8(&wr, URLS_FORM);
	hf_wr_u8(&wr, (uint8_t)meta->n_sources);
	for (size_t i = 0; i < meta->n_sources; i++)
		hf_wr_u64(&wr, meta->sources[i].url_sum);
	return wr.error ? wr.error : (int)hf_wr_len(&wr);
}

/* --- all --- */

int hf_fmt_settings_put(
    const struct hf_zone_meta *meta, uint64_t n_names, struct hf_fmt_settings *ret_settings)
{
	struct hf_fmt_settings *s = ret_settings;
	int meta_len = hf_fmt_meta_put(meta, n_names, s->meta, sizeof(s->meta));
	int identity_len =
	    meta_len < 0 ? meta_len : hf_fmt_identity_put(meta, s->identity, sizeof(s->identity));
	int urls_len =
	    identity_len < 0 ? identity_len : hf_fmt_urls_put(meta, s->urls, sizeof(s->urls));

	if (urls_len < 0)
		return urls_len;
	s->meta_len = (size_t)meta_len;
	s->identity_len = (size_t)identity_len;
	s->urls_len = (size_t)urls_len;
	return 0;
}

bool hf_fmt_settings_equal(const struct hf_fmt_settings *a, const struct hf_fmt_settings *b)
{
	return a->meta_len == b->meta_len && a->identity_len == b->identity_len &&
	       a->urls_len == b->urls_len && !memcmp(a->meta, b->meta, a->meta_len) &&
	       !memcmp(a->identity, b->identity, a->identity_len) &&
	       !memcmp(a->urls, b->urls, a->urls_len);
}
