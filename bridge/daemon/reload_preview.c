/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/daemon/reload_preview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "config/config.h"
#include "zone/reader.h"

enum { TEXT_MAX = 400 };

/* Owners that a configuration may name by id are not known by it in the zone. */
enum names_owner { OWNER_NO, OWNER_YES, OWNER_UNKNOWN };

struct reload_preview {
	const struct hf_config *next;
	hf_reload_preview_cb cb;
	void *arg;
};

static const struct hf_config_source *preview_find_source(
    const struct hf_config *c, const char *name)
{
	for (size_t i = 0; i < c->sources.n; i++)
		if (!strcmp(c->sources.at[i].name, name))
			return &c->sources.at[i];
	return NULL;
}

/*
 * The same source under another name (contract, guard 7): what the configuration has for it, or
 * NULL.
 */
static const struct hf_config_source *find_renamed(
    const struct hf_config *c, const struct hf_state *state, const char *name)
{
	struct hf_state_source_conf sources[HF_ZONE_SOURCES_MAX];
	const struct hf_state_conf conf = { .sources = sources, .n_sources = c->sources.n };
	const char *now;

	for (size_t i = 0; i < c->sources.n; i++)
		sources[i] = (struct hf_state_source_conf){ .name = c->sources.at[i].name,
			.url = c->sources.at[i].url ? c->sources.at[i].url : "" };
	now = hf_state_new_name(state, &conf, name);
	return now ? preview_find_source(c, now) : NULL;
}

static const struct hf_config_source *find_in_state(
    const struct reload_preview *l, const struct hf_state *state, const char *name)
{
	const struct hf_config_source *conf = preview_find_source(l->next, name);

	return conf ? conf : find_renamed(l->next, state, name);
}

static bool other_suffix(const struct hf_config_source *conf, const struct hf_name *suffix)
{
	return conf->suffix.len && suffix->len && !hf_name_equal(&conf->suffix, suffix);
}

/* `id` may be NULL: not known. */
static enum names_owner preview_names_owner(
    const struct hf_config_source *conf, const char *name, const struct hf_uuid *id, bool own)
{
	enum names_owner named = OWNER_NO;
	struct hf_uuid other;

	for (size_t i = 0; i < conf->owners.n; i++) {
		const char *text = conf->owners.at[i];

		if (!strcmp(text, "all") || (own && !strcmp(text, "me")) || !strcasecmp(text, name))
			return OWNER_YES;
		if (hf_uuid_parse(text, &other))
			continue;
		if (id && hf_uuid_equal(&other, id))
			return OWNER_YES;
		if (!id)
			named = OWNER_UNKNOWN;
	}
	return named;
}

static void tell_suffix(const struct reload_preview *l, const char *source,
    const struct hf_name *before, const struct hf_name *after, unsigned long long n,
    const char *what)
{
	char a[HF_NAME_TEXT_MAX], b[HF_NAME_TEXT_MAX], text[TEXT_MAX];

	snprintf(text, sizeof(text),
	    "source '%s': the suffix changes from '%.100s' to '%.100s': the names of its %llu %s change",
	    source, hf_name_text(before, a), hf_name_text(after, b), n, what);
	l->cb(text, l->arg);
}

static void preview_tell_source(
    const struct reload_preview *l, const char *source, unsigned long long n, const char *what)
{
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), "source '%s' is not in the configuration: its %llu %s go",
	    source, n, what);
	l->cb(text, l->arg);
}

static void tell_owner(const struct reload_preview *l, const char *source, const char *owner,
    unsigned long long n, const char *what)
{
	char text[TEXT_MAX];

	snprintf(text, sizeof(text),
	    "source '%s': owner '%s' is no longer named: %llu %s go when the others are confirmed",
	    source, owner, n, what);
	l->cb(text, l->arg);
}

/* --- the running bridge --- */

struct workspaces {
	uint32_t source; /* of which they are counted */
	unsigned long long n;
};

static int count_workspaces(
    const struct hf_source_view *source, const struct hf_owner_view *owner, void *arg)
{
	struct workspaces *w = arg;

	if (source->row->rid == w->source)
		w->n += owner->workspaces;
	return 0;
}

struct with_state {
	const struct reload_preview *look;
	const struct hf_state *state;
	struct hf_when now;
};

static int on_owner(
    const struct hf_source_view *source, const struct hf_owner_view *owner, void *arg)
{
	const struct with_state *with = arg;
	const struct reload_preview *l = with->look;
	const struct hf_config_source *conf = find_in_state(l, with->state, source->row->name);
	bool own = hf_uuid_equal(&owner->row->id, &source->row->user);

	if (conf && owner->workspaces &&
	    preview_names_owner(conf, owner->row->name, &owner->row->id, own) == OWNER_NO)
		tell_owner(l, source->row->name, owner->row->name, owner->workspaces, "workspaces");
	return 0;
}

static int on_preview_source(const struct hf_source_view *view, void *arg)
{
	const struct with_state *with = arg;
	const struct hf_config_source *conf =
	    find_in_state(with->look, with->state, view->row->name);
	struct workspaces w = { .source = view->row->rid };

	hf_state_each_owner(with->state, with->now, count_workspaces, &w);
	if (!w.n)
		return 0;
	if (!conf)
		preview_tell_source(with->look, view->row->name, w.n, "workspaces");
	else if (other_suffix(conf, &view->row->suffix))
		tell_suffix(with->look, view->row->name, &view->row->suffix, &conf->suffix, w.n,
		    "workspaces");
	return 0;
}

void hf_reload_preview_state(const struct hf_state *state, struct hf_when now,
    const struct hf_config *next, hf_reload_preview_cb cb, void *arg)
{
	struct reload_preview look = { next, cb, arg };
	struct with_state with = { &look, state, now };

	hf_state_each_source(state, now, on_preview_source, &with);
	hf_state_each_owner(state, now, on_owner, &with);
}

/* --- the published zone --- */

struct owner_seen {
	char label[HF_LABEL_MAX + 1];
	uint16_t source;
	bool own;
	unsigned long long n;
};

struct preview_walk {
	const struct hf_zone_meta *meta;
	unsigned long long names[HF_ZONE_SOURCES_MAX];
	struct owner_seen *owners; /* [HF_ZONE_OWNERS_MAX] */
};

/* The label of AGENT.WORKSPACE.OWNER.SUFFIX that is the owner's, or NULL. */
static const uint8_t *owner_label(const struct hf_name *name, const struct hf_name *suffix)
{
	const uint8_t *at = name->wire;

	if (hf_name_labels(name) != hf_name_labels(suffix) + 3)
		return NULL;
	at += *at + 1;
	return at + *at + 1;
}

static int on_preview_name(const struct hf_name *name, const struct hf_zone_entry *e, void *arg)
{
	struct preview_walk *w = arg;
	struct owner_seen *o;
	const uint8_t *label;

	if (e->source >= w->meta->n_sources)
		return 0;
	w->names[e->source]++;
	label = owner_label(name, &w->meta->sources[e->source].suffix);
	if (!label || e->owner >= HF_ZONE_OWNERS_MAX)
		return 0;
	o = &w->owners[e->owner];
	o->source = e->source;
	o->n++;
	if (label[0] == 2 && !memcmp(label + 1, "me", 2)) {
		o->own = true;
	} else {
		memcpy(o->label, label + 1, label[0]);
		o->label[label[0]] = '\0';
	}
	return 0;
}

static bool preview_is_in_zone(const struct preview_walk *w, const char *name)
{
	for (uint16_t i = 0; i < w->meta->n_sources; i++)
		if (!strcmp(w->meta->sources[i].name, name))
			return true;
	return false;
}

/* By its name, or under another one that the zone does not know, by its URL. */
static const struct hf_config_source *find_in_zone(
    const struct reload_preview *l, const struct preview_walk *w, const struct hf_zone_source *s)
{
	const struct hf_config_source *conf = preview_find_source(l->next, s->name);

	for (size_t i = 0; !conf && s->url_sum && i < l->next->sources.n; i++) {
		const struct hf_config_source *other = &l->next->sources.at[i];

		if (other->url && hf_state_url_sum(other->url) == s->url_sum &&
		    !preview_is_in_zone(w, other->name))
			conf = other;
	}
	return conf;
}

static void tell_walked(const struct reload_preview *l, const struct preview_walk *w)
{
	for (uint16_t i = 0; i < w->meta->n_sources; i++) {
		const struct hf_zone_source *s = &w->meta->sources[i];
		const struct hf_config_source *conf = find_in_zone(l, w, s);

		if (!w->names[i])
			continue;
		if (!conf)
			preview_tell_source(l, s->name, w->names[i], "names");
		else if (other_suffix(conf, &s->suffix))
			tell_suffix(l, s->name, &s->suffix, &conf->suffix, w->names[i], "names");
	}
	for (size_t i = 0; i < HF_ZONE_OWNERS_MAX; i++) {
		const struct owner_seen *o = &w->owners[i];
		const struct hf_zone_source *s = &w->meta->sources[o->source];
		const struct hf_config_source *conf = o->n ? find_in_zone(l, w, s) : NULL;

		if (conf && preview_names_owner(conf, o->label, NULL, o->own) == OWNER_NO)
			tell_owner(l, s->name, o->label, o->n, "names");
	}
}

void hf_reload_preview_zone(
    const char *dir, const struct hf_config *next, hf_reload_preview_cb cb, void *arg)
{
	struct reload_preview look = { next, cb, arg };
	struct hf_zone_reader *reader = NULL;
	struct hf_zone *zone = NULL;
	struct preview_walk w = { .owners = calloc(HF_ZONE_OWNERS_MAX, sizeof(*w.owners)) };

	if (w.owners && hf_zone_open(dir, &hf_clock_system, &zone) == 0 &&
	    hf_zone_reader_new(zone, &reader) == 0 && hf_zone_reader_load(reader) == 0 &&
	    (w.meta = hf_zone_reader_meta(reader)) &&
	    hf_zone_reader_walk(reader, on_preview_name, &w) == 0)
		tell_walked(&look, &w);
	hf_zone_reader_free(reader);
	hf_zone_close(zone);
	free(w.owners);
}
