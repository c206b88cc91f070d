/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/unbound/module_location.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"

enum { FILE_MAX = 16384, LINE_SIZE = PATH_MAX + 64 };

static int location_set_zone(struct hf_module_location *p, const char *value, const char **ret_why)
{
	size_t len = strlen(value);

	if (value[0] != '/' || len >= sizeof(p->zone)) {
		*ret_why = "it is no absolute path of a folder";
		return HF_ECONFIG;
	}
	memcpy(p->zone, value, len + 1);
	return 0;
}

static int location_add_suffix(
    struct hf_module_location *p, const char *value, const char **ret_why)
{
	if (p->n_suffixes == HF_MODULE_LOCATION_SUFFIXES_MAX) {
		*ret_why = "it is one suffix too many";
		return HF_ELIMIT;
	}
	if (hf_suffix_check(value, HF_SUFFIX_TYPED, &p->suffixes[p->n_suffixes], ret_why))
		return HF_ESUFFIX;
	p->n_suffixes++;
	return 0;
}

static int location_set_not_ready(
    struct hf_module_location *p, const char *value, const char **ret_why)
{
	if (!strcmp(value, "servfail")) {
		p->not_ready = HF_NOT_READY_SERVFAIL;
	} else if (!strcmp(value, "nxdomain")) {
		p->not_ready = HF_NOT_READY_NXDOMAIN;
	} else {
		*ret_why = "it is neither servfail nor nxdomain";
		return HF_ECONFIG;
	}
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct hf_module_location *p, const char *value, const char **ret_why);
} keys[] = { { "zone", location_set_zone }, { "suffix", location_add_suffix },
	{ "not-ready", location_set_not_ready } };

/* Cuts white space off both ends, in place. */
static char *location_trim(char *s)
{
	size_t len;

	s += strspn(s, " \t\r");
	len = strlen(s);
	while (len && strchr(" \t\r", s[len - 1]))
		len--;
	s[len] = '\0';
	return s;
}

static int location_read_line(struct hf_module_location *p, char *line, const char **ret_why)
{
	char *value;

	line = location_trim(line);
	if (!*line || *line == '#')
		return 0;
	value = strchr(line, ':');
	*ret_why = "it is not one of zone: suffix: not-ready:";
	if (!value)
		return HF_ECONFIG;
	*value++ = '\0';
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(location_trim(line), keys[i].key))
			return keys[i].set(p, location_trim(value), ret_why);
	return HF_ECONFIG;
}

int hf_module_location_read(const char *name, const char *text, struct hf_module_location *place,
    char ret_why[static HF_MODULE_LOCATION_WHY_MAX])
{
	int first = 0;

	for (unsigned n = 1; *text; n++) {
		size_t len = strcspn(text, "\n");
		const char *why = "it is too long";
		char line[LINE_SIZE];
		int rc = HF_ECONFIG;

		if (len < sizeof(line)) {
			memcpy(line, text, len);
			line[len] = '\0';
			rc = location_read_line(place, line, &why);
		}
		if (rc && !first) {
			first = rc;
			snprintf(ret_why, HF_MODULE_LOCATION_WHY_MAX, "%.256s:%u: '%.*s': %s", name,
			    n, (int)(len < 80 ? len : 80), text, why);
		}
		text += len + (text[len] == '\n');
	}
	return first;
}

/* The file beside holdfast_unbound.so is holdfast_unbound.conf. */
static bool name_beside(const char *so, char *out, size_t size)
{
	size_t len = strlen(so);

	if (len > 3 && !strcmp(so + len - 3, ".so"))
		len -= 3;
	return snprintf(out, size, "%.*s.conf", (int)len, so) < (int)size;
}

static int read_beside(const char *so, struct hf_module_location *place,
    char ret_why[static HF_MODULE_LOCATION_WHY_MAX])
{
	char name[PATH_MAX];
	uint8_t *bytes;
	size_t len;
	int rc;

	if (!name_beside(so, name, sizeof(name)))
		return 0;
	rc = hf_file_read(AT_FDCWD, name, FILE_MAX, &bytes, &len);
	if (rc == -ENOENT)
		return 0;
	if (rc) {
		snprintf(ret_why, HF_MODULE_LOCATION_WHY_MAX, "%.400s: %s", name, hf_strerror(rc));
		return rc;
	}
	rc = hf_module_location_read(name, (const char *)bytes, place, ret_why);
	free(bytes);
	return rc;
}

int hf_module_location_find(const char *so, const char *env, struct hf_module_location *ret_place,
    char ret_why[static HF_MODULE_LOCATION_WHY_MAX])
{
	const char *why;
	int rc, env_rc;

	memset(ret_place, 0, sizeof(*ret_place));
	memcpy(ret_place->zone, HF_MODULE_LOCATION_ZONE_DEFAULT,
	    sizeof(HF_MODULE_LOCATION_ZONE_DEFAULT));
	ret_why[0] = '\0';
	rc = read_beside(so, ret_place, ret_why);
	if (!env || !*env)
		return rc;
	env_rc = location_set_zone(ret_place, env, &why);
	if (env_rc && !rc) {
		snprintf(ret_why, HF_MODULE_LOCATION_WHY_MAX, "%s: '%.80s': %s",
		    HF_MODULE_LOCATION_ZONE_ENV, env, why);
		rc = env_rc;
	}
	return rc;
}
