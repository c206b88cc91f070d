/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * yaml_tree: a YAML file as maps, lists and text, each with its line and column. Only the plain
 * part of YAML: no anchors, aliases, tags, further documents, keys that are no text, and no key
 * twice; of limited depth and number of nodes. All text is UTF-8 without control characters.
 */
#include <stdbool.h>
#include <stddef.h>

struct hf_config_errors;

enum {
	HF_YAML_TREE_DEPTH_MAX = 12,
	HF_YAML_TREE_NODES_MAX = 20000,
	HF_YAML_TREE_KEYS_MAX = 200, /* of one map */
};

enum hf_node_kind { HF_NODE_TEXT, HF_NODE_LIST, HF_NODE_MAP };

struct hf_node {
	enum hf_node_kind kind;
	unsigned line; /* from 1 */
	unsigned column;
	char *text;  /* owned; TEXT only */
	bool quoted; /* TEXT: 'null' and the like mean what they say */
	char *key;   /* owned; children of a MAP only */
	unsigned key_line;
	unsigned key_column;
	struct hf_node *first; /* owned; LIST, MAP */
	struct hf_node *next;  /* owned */
};

/*
 * *ret_root is NULL for an empty file. End it with hf_yaml_tree_free(). 0, -ENOMEM, or HF_ECONFIG
 * with the reason in `errors`. A key given twice is added to `errors` and is not in the tree twice;
 * it returns 0.
 */
int hf_yaml_tree_parse(
    const void *bytes, size_t len, struct hf_config_errors *errors, struct hf_node **ret_root);
void hf_yaml_tree_free(struct hf_node *root);

/* Plain and empty, "~" or "null": nothing was written. */
bool hf_yaml_tree_is_null(const struct hf_node *n);
/* The child of a map with that key, or NULL. */
const struct hf_node *hf_yaml_tree_get(const struct hf_node *map, const char *key);
/* The node at "sources[1].url", or the nearest above it that is there. NULL for an empty tree. */
const struct hf_node *hf_yaml_tree_find(const struct hf_node *root, const char *path);
