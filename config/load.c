#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "config/check.h"
#include "config/config.h"
#include "config/errors.h"
#include "config/table.h"
#include "config/tree.h"

static int no_memory(struct hf_config_errors *errors)
{
	hf_config_errors_add(errors, 0, 0, "", "out of memory");
	return -ENOMEM;
}

/* From the tree to a checked configuration. */
static int read_tree(const struct hf_node *root, unsigned flags, struct hf_config *c,
    struct hf_config_errors *errors)
{
	int rc = hf_keys_read(&hf_config_table, root, c, errors);

	if (rc)
		return rc;
	hf_config_check(c, root, errors);
	if (!errors->n && flags)
		hf_config_check_files(c, root, flags, errors);
	return errors->n ? HF_ECONFIG : 0;
}

static int parse(const void *bytes, size_t len, unsigned flags, struct hf_config **ret_config,
    struct hf_config_errors *errors)
{
	struct hf_node *root = NULL;
	struct hf_config *c;
	int rc = hf_tree_parse(bytes, len, errors, &root);

	if (rc)
		return rc == -ENOMEM ? no_memory(errors) : rc;
	c = calloc(1, sizeof(*c));
	rc = c ? read_tree(root, flags, c, errors) : -ENOMEM;
	hf_tree_free(root);
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
	rc = parse(bytes, len, flags, ret_config, ret_errors);
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
	rc = parse(bytes, len, flags, ret_config, ret_errors);
	hf_config_errors_sort(ret_errors);
	free(bytes);
	return rc;
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

const struct hf_config_source *hf_config_source(const struct hf_config *c, const char *name)
{
	for (size_t i = 0; i < c->sources.n; i++) {
		if (!strcmp(c->sources.at[i].name, name))
			return &c->sources.at[i];
	}
	return NULL;
}
