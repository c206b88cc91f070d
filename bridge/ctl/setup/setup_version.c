/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/setup/setup_version.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/child.h"

enum { OUTPUT_MAX = 4096, LIMIT_MS = 3000, TEXT_MAX = OUTPUT_MAX + HF_CHILD_ERRORS_MAX + 2 };

static const char *const folders[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
	"/usr/bin" };

struct version_output {
	struct event_base *base; /* borrowed */
	struct hf_child *child;  /* owned */
	char text[TEXT_MAX];
};

/* The numbers that `text` begins with; 0: it begins with none that fit. */
static unsigned read_numbers(const char *text)
{
	unsigned major = 0, minor = 0;

	if (sscanf(text, "%5u.%3u", &major, &minor) < 1 || *text < '0' || *text > '9')
		return 0;
	return major * HF_SETUP_MINORS + minor;
}

unsigned hf_setup_version(const char *text)
{
	return text[strspn(text, "0123456789.")] ? 0 : read_numbers(text);
}

const char *hf_setup_version_text(unsigned version, char out[static HF_SETUP_VERSION_TEXT_MAX])
{
	unsigned major = version / HF_SETUP_MINORS % 100000, minor = version % HF_SETUP_MINORS;

	if (minor)
		snprintf(out, HF_SETUP_VERSION_TEXT_MAX, "%u.%u", major, minor);
	else
		snprintf(out, HF_SETUP_VERSION_TEXT_MAX, "%u", major);
	return out;
}

static void on_setup_version_end(void *arg, struct hf_child_end *end)
{
	struct version_output *o = arg;

	/* Some say it on the one, some on the other. */
	snprintf(o->text, sizeof(o->text), "%s\n%s", end->output, end->errors);
	hf_child_free(o->child);
	o->child = NULL;
	event_base_loopbreak(o->base);
}

static void setup_version_run(const char *path, struct version_output *o)
{
	const char *argv[] = { path, "--version", NULL };
	const struct hf_child_opts opts = { .argv = argv,
		.output_max = OUTPUT_MAX,
		.output_clipped = true,
		.errors_kept = true,
		.limit_ms = LIMIT_MS };
	char why[HF_CHILD_WHY_MAX];

	memset(o, 0, sizeof(*o));
	o->base = event_base_new();
	if (!o->base)
		return;
	if (!hf_child_run(o->base, &opts, on_setup_version_end, o, &o->child, why))
		event_base_dispatch(o->base);
	hf_child_free(o->child);
	event_base_free(o->base);
}

unsigned hf_setup_installed(const struct hf_setup_program *program)
{
	char path[PATH_MAX];
	struct version_output o;
	const char *at;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], program->name);
		if (access(path, X_OK))
			continue;
		setup_version_run(path, &o);
		at = strstr(o.text, program->before);
		return at ? read_numbers(at + strlen(program->before)) : 0;
	}
	return 0;
}
