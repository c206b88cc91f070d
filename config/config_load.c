/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "config/config_check.h"
#include "config/config.h"
#include "config/config_errors.h"
#include "config/config_table.h"
#include "config/yaml_tree.h"

static int no_memory(struct hf_config_errors *errors)
{
	hf_config_errors_add(errors, 0, 0, "", "out of memory");
	return -ENOMEM;
}

static bool listen_given(const struct hf_node *root)
{
	const struct hf_node *dns = root ? hf_yaml_tree_get(root, "dns") : NULL;

	return dns && hf_yaml_tree_get(dns, "listen");
}

/* From the tree to a checked configuration. */
static int read_tree(const struct hf_node *root, unsigned flags, struct hf_config *c,
    struct hf_config_errors *errors)
{
	int rc = hf_keys_read(&hf_config_table, root, c, errors);

	if (rc)
		return rc;
	c->dns.listen_given = listen_given(root);
	hf_config_check(c, root, errors);
	if (!errors->n && flags)
		hf_config_check_files(c, root, flags, errors);
	return errors->n ? HF_ECONFIG : 0;
}

static int config_parse_bytes(const void *bytes, size_t len, unsigned flags,
    struct hf_config **ret_config, struct hf_config_errors *errors)
{
	struct hf_node *root = NULL;
	struct hf_config *c;
	int rc = hf_yaml_tree_parse(bytes, len, errors, &root);

	if (rc)
		return rc == -ENOMEM ? no_memory(errors) : rc;
	c = calloc(1, sizeof(*c));
	rc = c ? read_tree(root, flags, c, errors) : -ENOMEM;
	hf_yaml_tree_free(root);
	if (rc) {
		hf_config_free(c);
		return rc == -ENOMEM ? no_memory(errors) : rc;
	}
	*ret_config = c;
	return 0;
}

int hf_config_parse(const char *name, const void *bytes, size_t len, unsigned flags,
    struct hf_config **ret_config, struct hf_config_errors *ret_errors)
{
	int rc;

	hf_config_errors_init(ret_errors, name);
	rc = config_parse_bytes(bytes, len, flags, ret_config, ret_errors);
	hf_config_errors_sort(ret_errors);
	return rc;
}

/* One byte more than may be is read, so that the parser sees that it is too large. */
static int read_checked(
    const char *path, uint8_t **ret_bytes, size_t *ret_len, struct hf_config_errors *errors)
{
	size_t max = HF_CONFIG_BYTES_MAX + 1, len = 0;
	char why[512] = "";
	uint8_t *bytes;
	ssize_t n = 1;
	int fd, rc = 0;

	fd = hf_file_open_checked(path, HF_FILE_OWN | HF_FILE_NO_OTHER_WRITE, why, sizeof(why));
	if (fd < 0) {
		hf_config_errors_add(errors, 0, 0, "", "%s: %s",
		    why[0] ? "refused" : "cannot be read", why[0] ? why : hf_strerror(fd));
		return fd;
	}
	bytes = malloc(max);
	while (bytes && n > 0 && len < max) {
		n = read(fd, bytes + len, max - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			rc = -errno;
		else
			len += (size_t)n;
	}
	close(fd);
	if (!bytes)
		return no_memory(errors);
	if (rc) {
		hf_config_errors_add(errors, 0, 0, "", "cannot be read: %s", hf_strerror(rc));
		free(bytes);
		return rc;
	}
	*ret_bytes = bytes;
	*ret_len = len;
	return 0;
}

int hf_config_load(const char *path, unsigned flags, struct hf_config **ret_config,
    struct hf_config_errors *ret_errors)
{
	uint8_t *bytes;
	size_t len;
	int rc;

	hf_config_errors_init(ret_errors, path);
	rc = read_checked(path, &bytes, &len, ret_errors);
	if (rc)
		return rc;
	rc = config_parse_bytes(bytes, len, flags, ret_config, ret_errors);
	hf_config_errors_sort(ret_errors);
	free(bytes);
	return rc;
}

/* --- what is left of a file with errors --- */

enum { BEFORE_TRIES = 50 };

/*
 * Where the last part begins that a line of the error or one before it belongs to: a line that
 * begins with a key. 0: nothing stands before it.
 */
static size_t part_before(const char *bytes, size_t len, unsigned error_line)
{
	size_t at = 0, part = 0;

	for (unsigned line = 1; at < len && line <= error_line; line++) {
		const char *end = memchr(bytes + at, '\n', len - at);

		if (strchr(" \t#-\r\n]}", bytes[at]) == NULL)
			part = at;
		at = end ? (size_t)(end - bytes) + 1 : len;
	}
	return part;
}

/* The tree of what stands before the broken part. NULL: of nothing. */
static struct hf_node *tree_before(const char *bytes, size_t len, unsigned error_line)
{
	struct hf_node *root = NULL;

	for (int tries = 0; error_line > 1 && tries < BEFORE_TRIES; tries++) {
		struct hf_config_errors again;
		size_t part = part_before(bytes, len, error_line);

		hf_config_errors_init(&again, "");
		if (!part)
			break;
		if (hf_yaml_tree_parse(bytes, part, &again, &root) == 0)
			return root;
		error_line =
		    again.n && again.at[0].line < error_line ? again.at[0].line : error_line - 1;
		len = part;
	}
	return NULL;
}

/* A list in which something was refused may lack what its users count on. */
static int drop_list(struct hf_config *c, const char *name, const struct hf_config_errors *errors)
{
	const struct hf_key *key = hf_keys_find(&hf_config_table.keys, name);
	void *field = (char *)c + key->offset;
	bool wrong = errors->more > 0;

	for (size_t i = 0; i < errors->n; i++)
		wrong |= !strncmp(errors->at[i].path, name, strlen(name));
	if (!wrong)
		return 0;
	hf_key_done(key, field);
	return hf_key_default(key, field);
}

static int config_salvage_bytes(
    const void *bytes, size_t len, struct hf_config *c, struct hf_config_errors *errors)
{
	struct hf_node *root = NULL;
	int rc = hf_yaml_tree_parse(bytes, len, errors, &root);
	bool whole = rc == 0;

	if (rc == HF_ECONFIG)
		root = tree_before(bytes, len, errors->n ? errors->at[errors->n - 1].line : 0);
	rc = rc == -ENOMEM ? rc : hf_keys_read(&hf_config_table, root, c, errors);
	if (!rc) {
		c->dns.listen_given = listen_given(root);
		if (whole)
			hf_config_check(c, root, errors);
		rc = drop_list(c, "sources", errors);
	}
	if (!rc)
		rc = drop_list(c, "adapters", errors);
	hf_yaml_tree_free(root);
	return rc;
}

int hf_config_salvage(
    const char *path, struct hf_config **ret_config, struct hf_config_errors *ret_errors)
{
	struct hf_config *c = calloc(1, sizeof(*c));
	uint8_t *bytes = NULL;
	size_t len = 0;
	int rc, code;

	hf_config_errors_init(ret_errors, path);
	code = c ? read_checked(path, &bytes, &len, ret_errors) : -ENOMEM;
	rc = code == -ENOMEM
		 ? code
		 : config_salvage_bytes(bytes ? bytes : (uint8_t *)"", len, c, ret_errors);
	free(bytes);
	if (rc) {
		hf_config_free(c);
		return no_memory(ret_errors);
	}
	hf_config_errors_sort(ret_errors);
	*ret_config = c;
	return code ? code : ret_errors->n ? HF_ECONFIG : 0;
}

void hf_config_free(struct hf_config *c)
{
	if (!c)
		return;
	hf_keys_done(&hf_config_table, c);
	free(c);
}

int hf_config_dump(const struct hf_config *c, FILE *out)
{
	hf_keys_print(&hf_config_table, c, out);
	return fflush(out) || ferror(out) ? -EIO : 0;
}

int hf_config_diff(const struct hf_config *before, const struct hf_config *after,
    hf_config_change_cb cb, void *arg)
{
	return hf_keys_diff(&hf_config_table, before, after, cb, arg);
}
