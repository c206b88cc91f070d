/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml's events, not its documents: only events still tell anchors and tags, and a file can be
 * refused before it has grown.
 */
#include "config/yaml_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/error.h"
#include "config/config_errors.h"

struct builder {
	yaml_parser_t yaml;
	struct hf_config_errors *errors; /* borrowed */
	unsigned n_nodes;
};

static int yaml_refuse(struct builder *b, yaml_mark_t at, const char *what)
{
	hf_config_errors_add(
	    b->errors, (unsigned)at.line + 1, (unsigned)at.column + 1, "", "%s", what);
	return HF_ECONFIG;
}

static int refuse_syntax(struct builder *b)
{
	const yaml_parser_t *y = &b->yaml;
	yaml_mark_t at = y->problem_mark;
	const char *problem = y->problem ? y->problem : "unreadable";

	if (y->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (y->context)
		hf_config_errors_add(b->errors, (unsigned)at.line + 1, (unsigned)at.column + 1, "",
		    "not valid YAML: %s (%s that begins in line %zu)", problem, y->context,
		    y->context_mark.line + 1);
	else
		hf_config_errors_add(b->errors, (unsigned)at.line + 1, (unsigned)at.column + 1, "",
		    "not valid YAML: %s", problem);
	return HF_ECONFIG;
}

/*
 * The next event, refused if it has what we never want. The caller deletes it, also after a
 * failure.
 */
static int next_event(struct builder *b, yaml_event_t *e)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	memset(e, 0, sizeof(*e));
	if (!yaml_parser_parse(&b->yaml, e))
		return refuse_syntax(b);
	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return yaml_refuse(b, e->start_mark, "aliases (*name) are not supported");
	case YAML_SCALAR_EVENT:
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor)
		return yaml_refuse(b, e->start_mark, "anchors (&name) are not supported");
	if (tag)
		return yaml_refuse(b, e->start_mark, "tags (!name) are not supported");
	return 0;
}

/*
 * Escapes in quotes can make what the bytes of the file may not hold. C1 controls are 0xc2 0x80 to
 * 0x9f.
 */
static bool yaml_text_ok(const yaml_char_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x20 || text[i] == 0x7f)
			return false;
		if (text[i] == 0xc2 && i + 1 < len && text[i + 1] < 0xa0)
			return false;
	}
	return true;
}

static int copy_text(struct builder *b, const yaml_event_t *e, char **ret_text)
{
	if (!yaml_text_ok(e->data.scalar.value, e->data.scalar.length))
		return yaml_refuse(
		    b, e->start_mark, "control characters in a text are not supported");
	*ret_text = strdup((const char *)e->data.scalar.value);
	return *ret_text ? 0 : -ENOMEM;
}

static int build_node(
    struct builder *b, const yaml_event_t *e, unsigned depth, struct hf_node **ret_node);

/* Reads the key of a pair into the node; 0 at the end of the map, 1 otherwise. */
static int build_key(struct builder *b, struct hf_node *pair)
{
	yaml_event_t e;
	int rc = next_event(b, &e);

	if (!rc && e.type != YAML_MAPPING_END_EVENT) {
		pair->key_line = (unsigned)e.start_mark.line + 1;
		pair->key_column = (unsigned)e.start_mark.column + 1;
		if (e.type != YAML_SCALAR_EVENT)
			rc = yaml_refuse(b, e.start_mark, "a key must be a text");
		else
			rc = copy_text(b, &e, &pair->key);
		if (!rc)
			rc = 1;
	}
	yaml_event_delete(&e);
	return rc;
}

/* Builds the value that comes next. 0 with *ret_node NULL at the end of a list. */
static int build_next(struct builder *b, unsigned depth, struct hf_node **ret_node)
{
	yaml_event_t e;
	int rc = next_event(b, &e);

	if (!rc && e.type != YAML_SEQUENCE_END_EVENT)
		rc = build_node(b, &e, depth, ret_node);
	yaml_event_delete(&e);
	return rc;
}

static int build_list(struct builder *b, struct hf_node *list, unsigned depth)
{
	struct hf_node **tail = &list->first;

	for (;;) {
		int rc = build_next(b, depth, tail);

		if (rc || !*tail)
			return rc;
		tail = &(*tail)->next;
	}
}

/* Takes the pair into the map, or tells that its key is there already. */
static void add_pair(
    struct builder *b, struct hf_node *map, struct hf_node **tail, struct hf_node *value)
{
	const struct hf_node *twin = hf_yaml_tree_get(map, value->key);

	if (!twin) {
		*tail = value;
		return;
	}
	hf_config_errors_add(b->errors, value->key_line, value->key_column, value->key,
	    "given twice; the first one is in line %u", twin->key_line);
	hf_yaml_tree_free(value);
}

static int build_map(struct builder *b, struct hf_node *map, unsigned depth)
{
	struct hf_node **tail = &map->first;

	for (unsigned n = 0;; n++) {
		struct hf_node key = { 0 }, *value = NULL;
		int rc = build_key(b, &key);

		if (rc == 1 && n == HF_YAML_TREE_KEYS_MAX) {
			hf_config_errors_add(b->errors, key.key_line, key.key_column, "",
			    "more than %d keys in one map", HF_YAML_TREE_KEYS_MAX);
			rc = HF_ECONFIG;
		} else if (rc == 1) {
			rc = build_next(b, depth, &value);
		}
		if (!value) {
			free(key.key);
			return rc;
		}
		value->key = key.key;
		value->key_line = key.key_line;
		value->key_column = key.key_column;
		if (rc) {
			hf_yaml_tree_free(value);
			return rc;
		}
		add_pair(b, map, tail, value);
		if (*tail)
			tail = &(*tail)->next;
	}
}

/* On failure what was built so far is in *ret_node all the same, for its owner to free. */
static int build_node(
    struct builder *b, const yaml_event_t *e, unsigned depth, struct hf_node **ret_node)
{
	struct hf_node *n;

	if (depth > HF_YAML_TREE_DEPTH_MAX)
		return yaml_refuse(b, e->start_mark, "nested too deeply");
	if (++b->n_nodes > HF_YAML_TREE_NODES_MAX)
		return yaml_refuse(b, e->start_mark, "too many values in the file");
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	*ret_node = n;
	n->line = (unsigned)e->start_mark.line + 1;
	n->column = (unsigned)e->start_mark.column + 1;
	switch (e->type) {
	case YAML_SEQUENCE_START_EVENT:
		n->kind = HF_NODE_LIST;
		return build_list(b, n, depth + 1);
	case YAML_MAPPING_START_EVENT:
		n->kind = HF_NODE_MAP;
		return build_map(b, n, depth + 1);
	default:
		n->kind = HF_NODE_TEXT;
		n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
		return copy_text(b, e, &n->text);
	}
}

static int build_stream(struct builder *b, struct hf_node **root)
{
	for (;;) {
		yaml_event_t e;
		int rc = next_event(b, &e);
		bool end = e.type == YAML_STREAM_END_EVENT;

		if (!rc && e.type == YAML_DOCUMENT_START_EVENT && *root)
			rc = yaml_refuse(
			    b, e.start_mark, "a second document (---) is not supported");
		else if (!rc &&
			 (e.type == YAML_SCALAR_EVENT || e.type == YAML_SEQUENCE_START_EVENT ||
			     e.type == YAML_MAPPING_START_EVENT))
			rc = build_node(b, &e, 0, root);
		yaml_event_delete(&e);
		if (rc || end)
			return rc;
	}
}

/* Says where, as an editor counts. */
static int refuse_bytes(const uint8_t *bytes, size_t len, struct hf_config_errors *errors)
{
	unsigned line = 1, column = 1;

	for (size_t i = 0; i < len; i++, column++) {
		uint8_t c = bytes[i];

		if (c == '\n') {
			line++;
			column = 0;
		} else if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f) {
			hf_config_errors_add(errors, line, column, "",
			    "a control character (0x%02x) is in the file", c);
			return HF_ECONFIG;
		}
	}
	return 0;
}

int hf_yaml_tree_parse(
    const void *bytes, size_t len, struct hf_config_errors *errors, struct hf_node **ret_root)
{
	struct builder b = { .errors = errors };
	struct hf_node *root = NULL;
	int rc;

	if (len > HF_CONFIG_BYTES_MAX) {
		hf_config_errors_add(errors, 0, 0, "", "larger than %d bytes", HF_CONFIG_BYTES_MAX);
		return HF_ECONFIG;
	}
	rc = refuse_bytes(bytes, len, errors);
	if (rc)
		return rc;
	if (!yaml_parser_initialize(&b.yaml))
		return -ENOMEM;
	yaml_parser_set_encoding(&b.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.yaml, bytes, len);
	rc = build_stream(&b, &root);
	yaml_parser_delete(&b.yaml);
	if (rc) {
		hf_yaml_tree_free(root);
		return rc;
	}
	*ret_root = root;
	return 0;
}

/* Depth is limited, the length of a list is not: along `next` it goes on without recursion. */
void hf_yaml_tree_free(struct hf_node *root)
{
	while (root) {
		struct hf_node *next = root->next;

		hf_yaml_tree_free(root->first);
		free(root->text);
		free(root->key);
		free(root);
		root = next;
	}
}

bool hf_yaml_tree_is_null(const struct hf_node *n)
{
	return n->kind == HF_NODE_TEXT && !n->quoted &&
	       (!n->text[0] || !strcmp(n->text, "~") || !strcasecmp(n->text, "null"));
}

const struct hf_node *hf_yaml_tree_get(const struct hf_node *map, const char *key)
{
	for (const struct hf_node *n = map->first; n; n = n->next) {
		if (n->key && !strcmp(n->key, key))
			return n;
	}
	return NULL;
}

static const struct hf_node *get_nth(const struct hf_node *list, unsigned long i)
{
	const struct hf_node *n = list->first;

	while (n && i--)
		n = n->next;
	return n;
}

const struct hf_node *hf_yaml_tree_find(const struct hf_node *root, const char *path)
{
	const struct hf_node *at = root, *next = root;

	while (next && *path) {
		char key[64];
		size_t len = strcspn(path, ".[");

		at = next;
		if (*path == '[') {
			char *end;

			next = get_nth(at, strtoul(path + 1, &end, 10));
			path = *end ? end + 1 : end;
		} else {
			snprintf(key, sizeof(key), "%.*s", (int)len, path);
			next = hf_yaml_tree_get(at, key);
			path += len;
		}
		path += *path == '.';
	}
	return next ? next : at;
}

const char *hf_config_library(void)
{
	return yaml_get_version_string();
}
