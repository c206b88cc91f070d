/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/config/config_kit.h"

#include <check.h>
#include <ftw.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "config/key.h"
#include "config/type.h"

struct hf_config *config_of(const char *yaml)
{
	struct hf_config_errors e;
	struct hf_config *c = NULL;
	char line[1400] = "";
	int rc = hf_config_parse("t.yaml", yaml, strlen(yaml), 0, &c, &e);

	ck_assert_msg(rc == 0, "refused: %s\n%s",
	    e.n ? hf_config_error_text(&e, 0, line, sizeof(line)) : "", yaml);
	return c;
}

const char *errors_of(const char *yaml, unsigned flags)
{
	static char text[HF_CONFIG_ERRORS_MAX * 800];
	struct hf_config_errors e;
	struct hf_config *c = NULL;
	int rc = hf_config_parse("t.yaml", yaml, strlen(yaml), flags, &c, &e);
	size_t n = 0;

	*text = '\0';
	for (size_t i = 0; i < e.n; i++) {
		char line[1400];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? "\n" : "",
		    hf_config_error_text(&e, i, line, sizeof(line)));
	}
	ck_assert_int_eq(rc == 0, e.n == 0);
	hf_config_free(c);
	return text;
}

char *dump_of(const struct hf_config *c)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(hf_config_dump(c, out), 0);
	fclose(out);
	return text;
}

char *file_text(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	ck_assert_msg(in != NULL, "%s", path);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, in), 0);
	fclose(in);
	return text;
}

static char temp_root[] = "/tmp/hf-config-test-XXXXXX";

static int unlink_cb(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static void temp_clean(void)
{
	nftw(temp_root, unlink_cb, 8, FTW_DEPTH | FTW_PHYS);
}

const char *temp_folder(void)
{
	static char path[64];
	static unsigned n;

	/* One for the process, with all the others in it; it goes with the process. */
	if (!n) {
		ck_assert_ptr_nonnull(mkdtemp(temp_root));
		atexit(temp_clean);
	}
	snprintf(path, sizeof(path), "%s/%u", temp_root, n++);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	return path;
}

const char *temp_file(const char *name, const char *text, unsigned mode)
{
	static char path[PATH_MAX];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", temp_folder(), name);
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

const char *through(const struct hf_type *type, const struct hf_key *key, const char *text)
{
	static char shown[1200];
	union {
		char bytes[512];
		max_align_t align;
	} value = { .bytes = { 0 } };
	const char *why = NULL;
	int rc = type->parse(key, text, &value, &why);
	char *plain;

	if (rc == HF_EREFUSED) {
		snprintf(shown, sizeof(shown), "refused: %s", why);
		return shown;
	}
	if (rc)
		return rc == HF_EFORMAT ? "format" : rc == HF_ELIMIT ? "range" : hf_errname(rc);
	plain = hf_key_plain(key, &value);
	snprintf(shown, sizeof(shown), "%s", plain);
	free(plain);
	if (type->done)
		type->done(&value);
	return shown;
}
