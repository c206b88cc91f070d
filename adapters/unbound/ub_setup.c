/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_setup: what goes into unbound's configuration. Exact lines: a test starts the real one with
 * them.
 */
#include "adapters/unbound/ub_private.h"

#include <string.h>

static void print_auth_zone(FILE *out, const char *zone, const char *file, const char *more)
{
	fprintf(out,
	    "auth-zone:\n"
	    "  name: \"%s.\"\n"
	    "  zonefile: \"%s%s%s\"\n"
	    "  for-downstream: yes\n"
	    "  for-upstream: no\n"
	    "  fallback-enabled: no\n",
	    zone, file, *more ? "." : "", more);
}

/*
 * Each suffix once. The file without a suffix in its name is that of the one that it was written
 * for before, or else of the first one that has no file under its own name.
 */
static void print_zonefiles(FILE *out, const struct hf_config *config, const char *file)
{
	char text[HF_NAME_TEXT_MAX];
	struct hf_name bare;
	bool fixed = hf_ub_start_file_zone(file, &bare), known, given = false;

	fprintf(out, "server:\n  local-zone: \"%s.\" transparent\n",
	    hf_name_text(&hf_addr_reverse_apex, text));
	for (size_t i = 0; i < config->sources.n; i++) {
		const struct hf_name *suffix = &config->sources.at[i].suffix;
		known = false;
		for (size_t k = 0; k < i && suffix->len; k++)
			known |= hf_name_equal(&config->sources.at[k].suffix, suffix);
		if (known)
			continue;
		if (!suffix->len)
			fprintf(out,
			    "# 'coder' stands for the suffix that the server says: holdfastctl status has it.\n");
		hf_name_text(suffix, text);
		if (!suffix->len)
			snprintf(text, sizeof(text), "coder");
		known = suffix->len && fixed
			    ? hf_name_equal(&bare, suffix)
			    : !given && !(suffix->len && hf_ub_start_file_is_own(file, suffix));
		given |= known;
		print_auth_zone(out, text, file, known ? "" : text);
	}
	print_auth_zone(out, hf_name_text(&hf_addr_reverse_apex, text), file, "ptr");
}

void hf_ub_setup(const struct hf_config *config, const struct hf_config_adapter *adapter, FILE *out)
{
	const struct hf_config_unbound *u = &adapter->unbound;
	const char *slash = u->start_file ? strrchr(u->start_file, '/') : NULL;

	fprintf(out,
	    "# For the adapter '%s' of Holdfast, which gives unbound the names by its control socket.\n"
	    "# The user of holdfastd must be in the group of the socket:\n"
	    "#   usermod -a -G unbound holdfast\n"
	    "remote-control:\n"
	    "  control-enable: yes\n"
	    "  control-interface: \"%s\"\n"
	    "  control-use-cert: no\n",
	    adapter->name, u->control);
	if (!slash)
		return;
	fprintf(out,
	    "# What unbound knows at its own start. First the folder:\n"
	    "#   install -d -o holdfast -g unbound -m 0755 %.*s\n"
	    "# The bridge writes the file into it; only then give unbound these lines, since it does not start without the file.\n",
	    (int)(slash == u->start_file ? 1 : slash - u->start_file), u->start_file);
	if (u->start_form == HF_START_INCLUDE)
		fprintf(out, "server:\n  include: \"%s\"\n", u->start_file);
	else
		print_zonefiles(out, config, u->start_file);
}
