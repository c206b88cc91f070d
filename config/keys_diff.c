/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/key.h"
#include "config/type.h"

struct differ {
	hf_config_change_cb cb;
	void *arg;
	char path[192];
	int n;
	bool no_memory;
};

static void diff_map(
    struct differ *d, const struct hf_key *map, const void *before, const void *after);

static void diff_tell(struct differ *d, const char *before, const char *after, unsigned flags)
{
	struct hf_config_change change = {
		.path = d->path,
		.before = before,
		.after = after,
		.restart = flags & HF_KEY_RESTART,
	};

	if (flags & HF_KEY_SECRET) {
		change.before = before ? "(hidden)" : NULL;
		change.after = after ? "(hidden)" : NULL;
	}
	d->n++;
	d->cb(&change, d->arg);
}

static size_t diff_path_add(struct differ *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static size_t diff_path_add(struct differ *d, const char *format, ...)
{
	size_t len = strlen(d->path);
	va_list ap;

	va_start(ap, format);
	vsnprintf(d->path + len, sizeof(d->path) - len, format, ap);
	va_end(ap);
	return len;
}

static void diff_values(
    struct differ *d, const struct hf_key *key, const void *before, const void *after)
{
	char *a = hf_key_text(key, before), *b = hf_key_text(key, after);
	bool had = hf_key_is_set(key, before), has = hf_key_is_set(key, after);

	if (!a || !b)
		d->no_memory = true;
	else if (had != has || strcmp(a, b))
		diff_tell(d, had ? a : NULL, has ? b : NULL, key->flags);
	free(a);
	free(b);
}

static const char *entry_at(const struct hf_key *key, struct hf_list list, size_t i)
{
	return (const char *)list.at + i * key->size;
}

/* The entry of that name, or NULL. */
static const char *entry_named(const struct hf_key *key, const struct hf_key *id,
    struct hf_list list, const char *name, size_t *ret_i)
{
	for (size_t i = 0; i < list.n; i++) {
		char *text = hf_key_plain(id, entry_at(key, list, i) + id->offset);
		bool same = text && !strcmp(text, name);

		free(text);
		if (same) {
			*ret_i = i;
			return entry_at(key, list, i);
		}
	}
	return NULL;
}

/* Tells which entries of `from` are not in `to`; those in both are compared where `both` is set. */
static bool diff_side(
    struct differ *d, const struct hf_key *key, struct hf_list from, struct hf_list to, bool both)
{
	const struct hf_key *id = hf_keys_flagged(&key->keys, HF_KEY_IDENTITY);
	size_t last = 0, at = 0;
	bool moved = false;

	for (size_t i = 0; i < from.n; i++) {
		const char *entry = entry_at(key, from, i);
		char *name = hf_key_plain(id, entry + id->offset);
		const char *other = name ? entry_named(key, id, to, name, &at) : NULL;
		size_t before = diff_path_add(d, "[%s]", name ? name : "");

		d->no_memory |= !name;
		if (!other)
			diff_tell(d, both ? name : NULL, both ? NULL : name, 0);
		else if (both)
			diff_map(d, key, entry, other);
		if (other) {
			moved |= at < last;
			last = at;
		}
		d->path[before] = '\0';
		free(name);
	}
	return moved;
}

static void diff_entries(
    struct differ *d, const struct hf_key *key, const void *before, const void *after)
{
	struct hf_list a = hf_key_list_get(before), b = hf_key_list_get(after);

	if (diff_side(d, key, a, b, true))
		diff_tell(d, "another order", "this order", 0);
	diff_side(d, key, b, a, false);
}

static void diff_key(
    struct differ *d, const struct hf_key *key, const void *before, const void *after)
{
	size_t len = diff_path_add(d, "%s%s", d->path[0] ? "." : "", key->name);

	switch (key->kind) {
	case HF_KEY_VALUE:
	case HF_KEY_VALUES:
		diff_values(d, key, before, after);
		break;
	case HF_KEY_MAP:
		diff_map(d, key, before, after);
		break;
	case HF_KEY_ENTRIES:
		diff_entries(d, key, before, after);
		break;
	}
	d->path[len] = '\0';
}

static void diff_keys(
    struct differ *d, const struct hf_keys *keys, const void *before, const void *after)
{
	for (size_t i = 0; keys && i < keys->n; i++)
		diff_key(d, &keys->at[i], (const char *)before + keys->at[i].offset,
		    (const char *)after + keys->at[i].offset);
}

static void diff_map(
    struct differ *d, const struct hf_key *map, const void *before, const void *after)
{
	const struct hf_keys *a = hf_keys_variant(map, before), *b = hf_keys_variant(map, after);

	diff_keys(d, &map->keys, before, after);
	/* Another variant has other keys: that its word changed says it all. */
	if (a == b)
		diff_keys(d, a, before, after);
}

int hf_keys_diff(const struct hf_key *map, const void *before, const void *after,
    void (*cb)(const struct hf_config_change *change, void *arg), void *arg)
{
	struct differ d = { .cb = cb, .arg = arg };

	diff_map(&d, map, before, after);
	return d.no_memory ? -ENOMEM : d.n;
}
