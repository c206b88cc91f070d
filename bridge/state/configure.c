/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/configure.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "bridge/state/claims.h"
#include "bridge/state/edit.h"
#include "bridge/state/holds.h"
#include "bridge/state/owner_words.h"
#include "bridge/state/removal.h"
#include "bridge/state/settle_claims.h"

static const struct hf_state_source_conf *conf_of(
    const struct hf_state_conf *conf, const char *name)
{
	for (uint32_t i = 0; i < conf->n_sources; i++)
		if (!strcmp(conf->sources[i].name, name))
			return &conf->sources[i];
	return NULL;
}

/* --- one source --- */

static bool names_depend(
    const struct st_source *src, const struct hf_state_source_conf *c, uint32_t order)
{
	return src->order != order || src->sentinel != c->sentinel ||
	       (c->suffix && !hf_name_equal(c->suffix, &src->row.suffix));
}

static void configure_source(
    struct hf_state *s, struct st_source *src, const struct hf_state_source_conf *c, uint32_t order)
{
	bool again = names_depend(src, c, order);
	uint32_t ix = hf_st_source_ix(s, src);

	if (again)
		hf_st_source_unclaim(s, ix);
	src->order = order;
	src->fresh_ms = c->fresh_ms;
	src->snapshot_ms = c->snapshot_ms;
	src->configured = true;
	src->leaving = false;
	src->sentinel = c->sentinel;
	src->suffix_typed = c->suffix;
	if (strcmp(src->row.url, c->url)) {
		memset(src->row.url, 0, sizeof(src->row.url));
		memcpy(src->row.url, c->url, strnlen(c->url, sizeof(src->row.url) - 1));
		src->dirty = true;
	}
	if (c->suffix && !hf_name_equal(c->suffix, &src->row.suffix)) {
		src->row.suffix = *c->suffix;
		src->dirty = true;
	}
	if (again)
		hf_st_source_claim(s, ix);
}

/* --- the same server under another name --- */

/*
 * Its length without a '/' at the end, which says nothing; *ret_host: of scheme and host, which are
 * the same in upper case.
 */
static size_t url_len(const char *url, size_t *ret_host)
{
	size_t n = strlen(url), host;

	while (n && url[n - 1] == '/')
		n--;
	host = strcspn(url, ":");
	host += strspn(url + host, ":/");
	host += strcspn(url + host, "/");
	*ret_host = host < n ? host : n;
	return n;
}

static bool same_url(const char *a, const char *b)
{
	size_t host, other, n = url_len(a, &host), m = url_len(b, &other);

	return n == m && !strncasecmp(a, b, host) && !memcmp(a + host, b + host, n - host);
}

/* FNV-1a: whoever may write a URL into the configuration needs no collision. */
uint64_t hf_state_url_sum(const char *url)
{
	size_t host, n = url_len(url, &host);
	uint64_t sum = 0xcbf29ce484222325U;

	if (!n)
		return 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)url[i];

		if (i < host && c >= 'A' && c <= 'Z')
			c |= 0x20;
		sum = (sum ^ c) * 0x100000001b3U;
	}
	return sum ? sum : 1;
}

/* One that the configuration does not name, at the URL of one that it names for the first time. */
static bool source_is_former(
    const struct st_source *src, const struct hf_state_conf *conf, const char *url)
{
	return src->used && same_url(src->row.url, url) && !conf_of(conf, src->row.name);
}

const char *hf_state_new_name(
    const struct hf_state *s, const struct hf_state_conf *conf, const char *source)
{
	bool taken[HF_ZONE_SOURCES_MAX] = { false };
	uint32_t rid, owner;

	for (uint32_t i = 0; i < conf->n_sources; i++) {
		const char *name = conf->sources[i].name;
		uint32_t former = 0;

		if (hf_state_find(s, name, NULL, &rid, &owner))
			continue;
		while (former < HF_ZONE_SOURCES_MAX &&
		       (taken[former] ||
			   !source_is_former(&s->sources[former], conf, conf->sources[i].url)))
			former++;
		if (former == HF_ZONE_SOURCES_MAX)
			continue;
		taken[former] = true;
		if (!strcmp(s->sources[former].row.name, source))
			return name;
	}
	return NULL;
}

static struct st_source *former_of(
    struct hf_state *s, const struct hf_state_conf *conf, const char *url)
{
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		if (source_is_former(&s->sources[i], conf, url))
			return &s->sources[i];
	return NULL;
}

/*
 * All that it has stays, under the guard: what its first messages do not list is missing from a
 * source that was there before. Until then it is as at a start: nothing was said yet.
 */
static void rename_source(
    struct hf_state *s, struct st_source *src, const char *name, struct hf_when now)
{
	uint32_t ix = hf_st_source_ix(s, src);

	hf_st_hold_count(s, ix, now);
	memset(src->row.name, 0, sizeof(src->row.name));
	memcpy(src->row.name, name, strnlen(name, sizeof(src->row.name) - 1));
	src->dirty = true;
	src->live = src->settled = false;
	src->contact_boot_ms = 0;
	for (uint32_t i = 0; i < s->n_owners; i++) {
		if (!s->owners[i].used || s->owners[i].row.source != ix)
			continue;
		s->owners[i].accepted = s->owners[i].whole = s->owners[i].followed = false;
		s->owners[i].readable = READABLE_UNKNOWN;
		s->owners[i].readable_ms = 0;
	}
}

static struct st_source *find_or_make(struct hf_state *s, const struct hf_state_conf *conf,
    const struct hf_state_source_conf *c, struct hf_when now)
{
	struct st_source *src = hf_st_source_find(s, c->name);

	if (src)
		return src;
	src = former_of(s, conf, c->url);
	if (src)
		rename_source(s, src, c->name, now);
	else
		src = hf_st_source_add(s, c->name);
	return src;
}

/* --- what the operator took out --- */

/*
 * A configured source that may yet bring these names: of that suffix, and never confirmed in all
 * its owners. One that was is no successor: whom it follows or loses later has nothing to do with
 * what was taken out.
 */
static bool source_awaits(
    const struct hf_state *s, const struct st_source *src, const struct st_source *of)
{
	bool any = false;

	if (!src->used || !src->configured || src->row.marks & HF_SOURCE_CONFIRMED ||
	    (src->row.suffix.len && !hf_name_equal(&src->row.suffix, &of->row.suffix)))
		return false;
	for (size_t i = 0; i < s->n_owners; i++) {
		const struct st_owner *o = &s->owners[i];

		if (!o->used || o->row.source != src->row.rid)
			continue;
		if (!o->row.confirmed_s)
			return true;
		any = true;
	}
	return !any;
}

void hf_st_drop_leaving(struct hf_state *s)
{
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		struct st_source *src = &s->sources[i];
		bool wait = false;

		if (!src->used || !src->leaving)
			continue;
		for (size_t k = 0; k < HF_ZONE_SOURCES_MAX; k++)
			wait = wait || source_awaits(s, &s->sources[k], src);
		if (wait && (src->n_workspaces || src->n_restored))
			continue;
		s->why = HF_WHY_CONFIG;
		hf_st_source_remove(s, src);
	}
}

/* Nobody follows it any more, and it is behind all others. */
static void source_leave(struct hf_state *s, struct st_source *src)
{
	uint32_t ix = hf_st_source_ix(s, src);

	if (src->leaving)
		return;
	hf_st_source_unclaim(s, ix);
	src->leaving = true;
	src->configured = src->live = false;
	src->order = HF_ZONE_SOURCES_MAX + ix;
	hf_st_source_claim(s, ix);
}

/* --- all --- */

/* A policy that would not have withdrawn these names takes back what the former one did. */
static void reconsider_withdrawn(struct hf_state *s)
{
	for (uint32_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		struct st_source *src = &s->sources[i];
		bool young = !src->live && src->row.away_ms < s->conf.max_age_ms;

		if (!src->used || !src->row.withdrawn || (s->conf.max_age_ms && !young))
			continue;
		hf_st_source_touch(s, i);
		src->row.withdrawn = false;
		src->dirty = true;
	}
}

int hf_state_configure(struct hf_state *s, const struct hf_state_conf *conf, struct hf_when now)
{
	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	s->conf = *conf;
	s->conf.sources = NULL;
	s->why = HF_WHY_CONFIG;
	/* New names first, so that one that moves from source to source never goes in between. */
	for (uint32_t i = 0; i < conf->n_sources; i++) {
		struct st_source *src = find_or_make(s, conf, &conf->sources[i], now);

		if (!src)
			return HF_ELIMIT;
		if (hf_st_words_set(src, conf->sources[i].owners, conf->sources[i].n_owners) < 0) {
			s->failed = true;
			return -ENOMEM;
		}
		if (!src->configured)
			src->away_from_ms = now.boot_ms;
		configure_source(s, src, &conf->sources[i], i);
	}
	for (uint32_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		if (s->sources[i].used && !conf_of(conf, s->sources[i].row.name))
			source_leave(s, &s->sources[i]);
	hf_st_drop_leaving(s);
	reconsider_withdrawn(s);
	hf_st_resolve(s);
	return s->failed ? -ENOMEM : 0;
}
