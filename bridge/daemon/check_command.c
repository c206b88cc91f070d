/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/daemon/check_command.h"

#include <string.h>

#include "bridge/daemon/reload_preview.h"
#include "config/config.h"
#include "config/secret.h"

static void print_errors(const struct hf_config_errors *e, FILE *err)
{
	char line[1400];

	for (size_t i = 0; i < e->n; i++)
		fprintf(err, "%s\n", hf_config_error_text(e, i, line, sizeof(line)));
	if (e->more)
		fprintf(err, "%s: and %zu more\n", e->file, e->more);
}

/*
 * Where a source's URL and token come from, in the surroundings of this very call. That there is
 * none is told, but refuses nothing: the bridge may be started in others.
 */
static void check_tell_source(
    const struct hf_config *c, size_t i, const char *lead, FILE *out, FILE *err)
{
	const struct hf_config_source *s = &c->sources.at[i];
	char why[HF_SECRET_WHY_MAX];
	struct hf_place_url url;
	struct hf_token token;

	if (hf_secret_url(s, &url, why)) {
		fprintf(err, "warning: source '%s': %s\n", s->name, why);
		return;
	}
	if (hf_secret_token(s, url.text, c->sources.n == 1, &token, why)) {
		fprintf(err, "warning: source '%s': %s\n", s->name, why);
		return;
	}
	fprintf(out, "%ssource '%s': %s (from %s), token from %s\n", lead, s->name, url.text,
	    url.place, token.place);
	hf_secret_wipe(&token);
}

/* What is printed is often passed on. */
static void warn_of_secrets(const struct hf_config *c, FILE *out)
{
	for (size_t i = 0; i < c->sources.n; i++) {
		const struct hf_config_source *s = &c->sources.at[i];

		if (s->headers.n || (s->proxy && strchr(s->proxy, '@')))
			fprintf(out,
			    "# source '%s': its headers or proxy may hold a secret; look before you pass this on\n",
			    s->name);
	}
}

static void warn_removed(const char *text, void *err)
{
	fprintf(err, "warning: %s\n", text);
}

int hf_check_command(const char *path, bool verbose, FILE *out, FILE *err)
{
	/* What stands before the YAML of -v is a comment in it. */
	const char *lead = verbose ? "# " : "";
	struct hf_config_errors errors;
	struct hf_config *c;

	if (hf_config_load(path, HF_CONFIG_FILES | HF_CONFIG_FILES_ALL, &c, &errors)) {
		print_errors(&errors, err);
		return 1;
	}
	fprintf(out, "%s%s: ok\n", lead, errors.file);
	for (size_t i = 0; i < c->sources.n; i++)
		check_tell_source(c, i, lead, out, err);
	hf_reload_preview_zone(c->zone, c, warn_removed, err);
	if (verbose) {
		warn_of_secrets(c, out);
		hf_config_dump(c, out);
	}
	hf_config_free(c);
	return fflush(out) || ferror(out) ? 1 : 0;
}
