/* SPDX-License-Identifier: Apache-2.0 */
#include "config/key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/type.h"

struct hf_list hf_key_list_get(const void *field)
{
	struct hf_list list;

	memcpy(&list, field, sizeof(list));
	return list;
}

void hf_key_list_set(void *field, struct hf_list list)
{
	memcpy(field, &list, sizeof(list));
}

const struct hf_key *hf_keys_find(const struct hf_keys *keys, const char *name)
{
	for (size_t i = 0; keys && i < keys->n; i++) {
		if (!strcmp(keys->at[i].name, name))
			return &keys->at[i];
	}
	return NULL;
}

const struct hf_key *hf_keys_flagged(const struct hf_keys *keys, unsigned flag)
{
	for (size_t i = 0; i < keys->n; i++) {
		if (keys->at[i].flags & flag)
			return &keys->at[i];
	}
	return NULL;
}

const struct hf_keys *hf_keys_variant(const struct hf_key *map, const void *base)
{
	const struct hf_key *key =
	    map->variants ? hf_keys_flagged(&map->keys, HF_KEY_VARIANT) : NULL;
	int word;

	if (!key)
		return NULL;
	memcpy(&word, (const char *)base + key->offset, sizeof(word));
	for (const struct hf_variant *v = map->variants; v->word; v++) {
		if (!strcmp(v->word, key->words[word]))
			return &v->keys;
	}
	return NULL;
}

size_t hf_key_size(const struct hf_key *key)
{
	return key->type ? key->type->size : key->size;
}

void *hf_key_append(const struct hf_key *key, void *field)
{
	struct hf_list list = hf_key_list_get(field);
	size_t size = hf_key_size(key);
	char *at = reallocarray(list.at, list.n + 1, size);

	if (!at)
		return NULL;
	memset(at + list.n * size, 0, size);
	hf_key_list_set(field, (struct hf_list){ .at = at, .n = list.n + 1 });
	return at + list.n * size;
}

static int default_value(const struct hf_key *key, const char *text, size_t len, void *field)
{
	const char *why = NULL;
	char *copy = strndup(text, len);
	int rc = copy ? key->type->parse(key, copy, field, &why) : -ENOMEM;

	free(copy);
	return rc;
}

/* "[a, b]": our own table's text, so no quotes and no commas within. */
static int default_values(const struct hf_key *key, void *field)
{
	const char *at = key->def + 1;

	while (*at && *at != ']') {
		size_t len = strcspn(at, ",]");
		void *element = hf_key_append(key, field);
		int rc = element ? default_value(key, at, len, element) : -ENOMEM;

		if (rc)
			return rc;
		at += len + strspn(at + len, ", ");
	}
	return 0;
}

/* "[{}]": one entry of nothing but defaults. */
static int default_entries(const struct hf_key *key, void *field)
{
	void *entry = hf_key_append(key, field);

	return entry ? hf_keys_defaults(&key->keys, entry) : -ENOMEM;
}

int hf_key_default(const struct hf_key *key, void *field)
{
	if (key->kind == HF_KEY_MAP)
		return hf_keys_defaults(&key->keys, field);
	if (!key->def)
		return 0;
	if (key->kind == HF_KEY_VALUES)
		return default_values(key, field);
	if (key->kind == HF_KEY_ENTRIES)
		return default_entries(key, field);
	return default_value(key, key->def, strlen(key->def), field);
}

int hf_keys_defaults(const struct hf_keys *keys, void *base)
{
	for (size_t i = 0; i < keys->n; i++) {
		int rc = hf_key_default(&keys->at[i], (char *)base + keys->at[i].offset);

		if (rc)
			return rc;
	}
	return 0;
}

static void done_list(const struct hf_key *key, void *field)
{
	struct hf_list list = hf_key_list_get(field);

	for (size_t i = 0; i < list.n; i++) {
		void *element = (char *)list.at + i * hf_key_size(key);

		if (key->kind == HF_KEY_ENTRIES)
			hf_keys_done(key, element);
		else if (key->type->done)
			key->type->done(element);
	}
	free(list.at);
	hf_key_list_set(field, (struct hf_list){ 0 });
}

void hf_key_done(const struct hf_key *key, void *field)
{
	switch (key->kind) {
	case HF_KEY_VALUE:
		if (key->type->done)
			key->type->done(field);
		memset(field, 0, key->type->size);
		break;
	case HF_KEY_MAP:
		hf_keys_done(key, field);
		break;
	case HF_KEY_VALUES:
	case HF_KEY_ENTRIES:
		done_list(key, field);
		break;
	}
}

static void done_keys(const struct hf_keys *keys, void *base)
{
	for (size_t i = 0; keys && i < keys->n; i++)
		hf_key_done(&keys->at[i], (char *)base + keys->at[i].offset);
}

void hf_keys_done(const struct hf_key *map, void *base)
{
	/* The variant's first: the word that tells it goes with the others. */
	done_keys(hf_keys_variant(map, base), base);
	done_keys(&map->keys, base);
}
