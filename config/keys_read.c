/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the tree of a file into the struct that a table describes. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/config_errors.h"
#include "config/key.h"
#include "config/nearest.h"
#include "config/yaml_tree.h"
#include "config/type.h"

struct reader {
	const struct hf_key *root;       /* borrowed */
	struct hf_config_errors *errors; /* borrowed */
	char path[192];
	size_t len; /* of path */
};

/* What is called after its kind where it was given no name. */
static int name_after_variant(const struct hf_key *map, const struct hf_node *node, void *base)
{
	const struct hf_key *kind = hf_keys_flagged(&map->keys, HF_KEY_VARIANT);
	const struct hf_key *key = hf_keys_flagged(&map->keys, HF_KEY_AS_VARIANT);
	const char *why = NULL;
	char *word;
	int rc;

	if (!kind || !key || hf_yaml_tree_get(node, key->name))
		return 0;
	word = hf_key_plain(kind, (const char *)base + kind->offset);
	hf_key_done(key, (char *)base + key->offset);
	rc = word ? key->type->parse(key, word, (char *)base + key->offset, &why) : -ENOMEM;
	free(word);
	return rc;
}

static int read_map(
    struct reader *r, const struct hf_key *map, const struct hf_node *node, void *base);

/* Adds to the path; the returned length goes to read_path_back(). What does not fit is cut. */
static size_t read_path_add(struct reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static size_t read_path_add(struct reader *r, const char *format, ...)
{
	size_t before = r->len, room = sizeof(r->path) - r->len;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(r->path + r->len, room, format, ap);
	va_end(ap);
	r->len += (size_t)n < room ? (size_t)n : room - 1;
	return before;
}

static void read_path_back(struct reader *r, size_t len)
{
	r->len = len;
	r->path[len] = '\0';
}

static size_t read_path_key(struct reader *r, const char *name)
{
	return read_path_add(r, "%s%.60s", r->len ? "." : "", name);
}

#define problem(r, node, ...)                                                                      \
	hf_config_errors_add((r)->errors, (node)->line, (node)->column, (r)->path, __VA_ARGS__)

static const char *const kind_nouns[] = {
	[HF_NODE_TEXT] = "a single value",
	[HF_NODE_LIST] = "a list",
	[HF_NODE_MAP] = "keys of its own",
};

/* True if the node is of this kind; else it says what was expected. */
static bool want_kind(
    struct reader *r, const struct hf_node *node, enum hf_node_kind kind, const char *expected)
{
	if (hf_yaml_tree_is_null(node)) {
		problem(r, node, "has no value; expected %s (leave the key out for its default)",
		    expected);
		return false;
	}
	if (node->kind != kind) {
		problem(r, node, "is %s; expected %s", kind_nouns[node->kind], expected);
		return false;
	}
	return true;
}

static void tell_bad_value(struct reader *r, const struct hf_key *key, const struct hf_node *node,
    int code, const char *why)
{
	bool untold = key->flags & (HF_KEY_SECRET | HF_KEY_UNTOLD);
	char expected[HF_EXPECT_MAX], shown[64], quoted[72];

	key->type->expect(key, expected);
	hf_config_errors_printable(node->text, shown, sizeof(shown));
	snprintf(quoted, sizeof(quoted), "'%s'", shown);
	if (untold)
		snprintf(quoted, sizeof(quoted), "the value");
	if (code == HF_EREFUSED)
		problem(r, node, "%s cannot be used: %s; expected %s", quoted, why, expected);
	else if (code == HF_ELIMIT)
		problem(
		    r, node, "%s is out of range; expected %s", untold ? quoted : shown, expected);
	else
		problem(r, node, "%s is not %s; expected %s", quoted, key->type->noun, expected);
}

/* Into a zeroed field. 1 if it was read, 0 if it was refused, -ENOMEM. */
static int keys_read_value(
    struct reader *r, const struct hf_key *key, const struct hf_node *node, void *field)
{
	char expected[HF_EXPECT_MAX];
	const char *why = NULL;
	int rc;

	key->type->expect(key, expected);
	if (!want_kind(r, node, HF_NODE_TEXT, expected))
		return 0;
	rc = key->type->parse(key, node->text, field, &why);
	if (rc == -ENOMEM)
		return rc;
	if (rc)
		tell_bad_value(r, key, node, rc, why);
	return !rc;
}

/* In place of the default, which stays where the value is refused. */
static int replace_value(
    struct reader *r, const struct hf_key *key, const struct hf_node *node, void *field)
{
	union {
		char bytes[512];
		max_align_t align;
	} fresh;
	int rc;

	assert(key->type->size <= sizeof(fresh));
	memset(&fresh, 0, sizeof(fresh));
	rc = keys_read_value(r, key, node, &fresh);
	if (rc <= 0)
		return rc;
	hf_key_done(key, field);
	memcpy(field, &fresh, key->type->size);
	return 0;
}

/* Takes back the last element, which holds nothing. */
static void drop_last(void *field)
{
	struct hf_list list = hf_key_list_get(field);

	list.n--;
	hf_key_list_set(field, list);
}

static int read_element(
    struct reader *r, const struct hf_key *key, const struct hf_node *node, void *field)
{
	void *element = hf_key_append(key, field);
	int rc;

	if (!element)
		return -ENOMEM;
	if (key->kind == HF_KEY_ENTRIES)
		return read_map(r, key, node, element);
	rc = keys_read_value(r, key, node, element);
	if (rc <= 0)
		drop_last(field);
	return rc < 0 ? rc : 0;
}

static int read_elements(
    struct reader *r, const struct hf_key *key, const struct hf_node *list, void *field)
{
	unsigned max = key->n_max ? key->n_max : HF_LIST_MAX, i = 0;

	for (const struct hf_node *n = list->first; n; n = n->next, i++) {
		size_t before = read_path_add(r, "[%u]", i);
		int rc = 0;

		if (i == max)
			problem(r, n, "too many; expected at most %u", max);
		else
			rc = read_element(r, key, n, field);
		read_path_back(r, before);
		if (rc || i == max)
			return rc;
	}
	if (!i && (key->flags & HF_KEY_NONEMPTY))
		problem(r, list, "is an empty list; expected at least one");
	return 0;
}

static int read_list(
    struct reader *r, const struct hf_key *key, const struct hf_node *node, void *field)
{
	/* One value needs no brackets. */
	if (key->kind == HF_KEY_VALUES && node->kind == HF_NODE_TEXT &&
	    !hf_yaml_tree_is_null(node)) {
		hf_key_done(key, field);
		return read_element(r, key, node, field);
	}
	if (!want_kind(r, node, HF_NODE_LIST,
		key->kind == HF_KEY_ENTRIES ? "a list ('- ' before each)" : "a list"))
		return 0;
	hf_key_done(key, field);
	return read_elements(r, key, node, field);
}

/* Entries that are told apart by a key must differ in it. */
static int check_identity(
    struct reader *r, const struct hf_key *key, const struct hf_node *node, const void *field)
{
	const struct hf_key *id = hf_keys_flagged(&key->keys, HF_KEY_IDENTITY);
	struct hf_list list = hf_key_list_get(field);
	const struct hf_node *n = node->first;

	for (size_t i = 0; id && i < list.n && n; i++, n = n->next) {
		const struct hf_node *at = hf_yaml_tree_get(n, id->name);
		const char *base = list.at;
		char *mine = hf_key_plain(id, base + i * key->size + id->offset);

		/* What is no entry at all was told already. */
		for (size_t j = 0; mine && n->kind == HF_NODE_MAP && j < i; j++) {
			char *other = hf_key_plain(id, base + j * key->size + id->offset);
			size_t before = read_path_add(r, "[%zu].%s", i, id->name);

			if (other && !strcasecmp(mine, other)) {
				problem(r, at ? at : n,
				    "'%s' is also that of %s[%zu]; each needs its own", mine,
				    key->name, j);
				j = i;
			}
			read_path_back(r, before);
			free(other);
		}
		free(mine);
		if (!mine)
			return -ENOMEM;
	}
	return 0;
}

static int read_key(
    struct reader *r, const struct hf_key *key, const struct hf_node *node, void *field)
{
	int rc;

	switch (key->kind) {
	case HF_KEY_VALUE:
		return replace_value(r, key, node, field);
	case HF_KEY_VALUES:
		return read_list(r, key, node, field);
	case HF_KEY_ENTRIES:
		rc = read_list(r, key, node, field);
		return rc ? rc : check_identity(r, key, node, field);
	case HF_KEY_MAP:
		/* Its defaults are made by read_map(). */
		hf_key_done(key, field);
		return read_map(r, key, node, field);
	}
	return 0;
}

static void keys_tell_unknown(struct reader *r, const struct hf_key *map,
    const struct hf_keys *more, const struct hf_node *node)
{
	const struct hf_key *near = hf_key_nearest(&map->keys, more, node->key);
	char hint[200] = "", where[128];

	if (near)
		snprintf(hint, sizeof(hint), "; did you mean '%s'?", near->name);
	else if (hf_key_elsewhere(r->root, node->key, where, sizeof(where)))
		snprintf(hint, sizeof(hint), "; did you mean '%s'?", where);
	hf_config_errors_add(
	    r->errors, node->key_line, node->key_column, r->path, "unknown key%s", hint);
}

static void keys_tell_missing(
    struct reader *r, const struct hf_keys *keys, const struct hf_node *node)
{
	for (size_t i = 0; keys && i < keys->n; i++) {
		const struct hf_key *key = &keys->at[i];

		if ((key->flags & (HF_KEY_REQUIRED | HF_KEY_VARIANT)) &&
		    !hf_yaml_tree_get(node, key->name))
			problem(r, node, "needs the key '%s'", key->name);
	}
}

/* Reads the word that decides which further keys there are. False: it is missing or unknown. */
static bool read_variant(struct reader *r, const struct hf_key *map, const struct hf_node *node,
    void *base, const struct hf_keys **ret_more)
{
	const struct hf_key *key =
	    map->variants ? hf_keys_flagged(&map->keys, HF_KEY_VARIANT) : NULL;
	const struct hf_node *word = key ? hf_yaml_tree_get(node, key->name) : NULL;
	size_t before;
	int rc;

	*ret_more = NULL;
	if (!key)
		return true;
	if (!word)
		return false;
	before = read_path_key(r, key->name);
	rc = keys_read_value(r, key, word, (char *)base + key->offset);
	read_path_back(r, before);
	if (rc == 1)
		*ret_more = hf_keys_variant(map, base);
	return rc == 1;
}

/* One pair of a map, `more` being the variant's keys. */
static int read_pair(struct reader *r, const struct hf_key *map, const struct hf_keys *more,
    const struct hf_node *pair, void *base)
{
	const struct hf_key *key = hf_keys_find(&map->keys, pair->key);
	size_t before = read_path_key(r, pair->key);
	int rc = 0;

	if (!key)
		key = hf_keys_find(more, pair->key);
	if (!key)
		keys_tell_unknown(r, map, more, pair);
	else if (!(key->flags & HF_KEY_VARIANT))
		rc = read_key(r, key, pair, (char *)base + key->offset);
	read_path_back(r, before);
	return rc;
}

static int read_map(
    struct reader *r, const struct hf_key *map, const struct hf_node *node, void *base)
{
	const struct hf_keys *more = NULL;
	int rc = hf_keys_defaults(&map->keys, base);
	bool known;

	if (rc || !node || !want_kind(r, node, HF_NODE_MAP, "keys of its own ('key: value')"))
		return rc;
	known = read_variant(r, map, node, base, &more);
	if (known && more)
		rc = hf_keys_defaults(more, base);
	keys_tell_missing(r, &map->keys, node);
	keys_tell_missing(r, more, node);
	for (const struct hf_node *n = node->first; n && known && !rc; n = n->next)
		rc = read_pair(r, map, more, n, base);
	return rc || !known ? rc : name_after_variant(map, node, base);
}

int hf_keys_read(const struct hf_key *map, const struct hf_node *node, void *base,
    struct hf_config_errors *errors)
{
	struct reader r = { .root = map, .errors = errors };

	/* An empty file is one that leaves everything to the defaults. */
	return read_map(&r, map, node && hf_yaml_tree_is_null(node) ? NULL : node, base);
}
