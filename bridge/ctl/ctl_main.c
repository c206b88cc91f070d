/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfastctl: what people type. Asks the bridge or, where there is none, the published zone.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "bridge/ctl/ctl.h"
#include "bridge/ctl/doctor/doctor.h"
#include "bridge/ctl/row_text.h"
#include "bridge/ctl/setup/setup_fill.h"
#include "bridge/ctl/setup/setup.h"
#include "bridge/ctl/why.h"

/* --- setup, doctor, why, version: their work is elsewhere --- */

/* The suffixes are known to the bridge and to the zone; without either the configuration may do. */
static int run_setup(struct hf_ctl *c)
{
	struct hf_setup_words words;

	if (!c->o.resolver) {
		hf_setup_list(stdout);
		return HF_EXIT_WELL;
	}
	if (!hf_setup_knows(c->o.resolver, stderr))
		return HF_EXIT_USAGE;
	hf_ctl_get_status(c);
	hf_setup_fill_suffixes(c->config, c->kept);
	if (hf_setup_words_get(c->config, c->kept, &words, stderr))
		return HF_EXIT_UNREACHED;
	return hf_setup_print(
		   c->config, &words, c->o.resolver, c->o.for_version, c->o.json, stdout, stderr)
		   ? HF_EXIT_USAGE
		   : HF_EXIT_WELL;
}

static int run_doctor(struct hf_ctl *c)
{
	struct hf_doctor_opts opts = { .config = c->config,
		.errors = &c->errors,
		.resolv_conf = c->o.resolv_conf,
		.unbound_conf = c->o.unbound_conf,
		.now_s = c->now_s,
		.json = c->o.json };
	int n_bad;

	opts.unreached = hf_ctl_get_status(c) ? c->why : NULL;
	opts.status = c->kept;
	opts.denied = c->denied;
	n_bad = hf_doctor_run(&opts, stdout);
	if (n_bad < 0)
		return hf_ctl_failed(c, n_bad);
	return n_bad ? HF_EXIT_DEGRADED : HF_EXIT_WELL;
}

static int run_why(struct hf_ctl *c)
{
	const struct hf_why_opts opts = { .socket = c->socket,
		.config = c->config,
		.resolv_conf = c->o.resolv_conf,
		.name = c->o.name,
		.now_s = c->now_s,
		.json = c->o.json };

	return hf_why_run(&opts, stdout);
}

static void show_program(const json_t *p)
{
	printf("build: %s\n", hf_ctl_row_text(p, "build", "?"));
	printf("store: schema %lld, read by programs from schema %lld on\n",
	    (long long)json_integer_value(json_object_get(p, "schema")),
	    (long long)json_integer_value(json_object_get(p, "schema_oldest")));
	printf("libraries: %s\n", hf_ctl_row_text(p, "libraries", "?"));
}

/* That of the bridge, too, if one runs: after an upgrade they may differ. */
static int ctl_run_version(struct hf_ctl *c)
{
	int rc = hf_ctl_client_ask(
	    c->socket, json_pack("{s:s}", "command", "status"), hf_ctl_keep, c, c->why);
	const char *bridge = rc ? NULL : hf_ctl_row_text(c->kept, "version", NULL);
	json_t *program = rc ? NULL : json_object_get(c->kept, "program");

	if (c->o.json) {
		json_t *row = json_pack("{s:s, s:s, s:s?, s:O?}", "holdfastctl", HF_VERSION,
		    "build", HF_BUILD_NAME, "holdfastd", bridge, "program", program);

		hf_ctl_print_json(row);
		json_decref(row);
		return HF_EXIT_WELL;
	}
	puts("holdfastctl " HF_VERSION " (" HF_BUILD_NAME ")");
	if (!bridge) {
		printf("holdfastd: %s\n", c->why);
		return HF_EXIT_WELL;
	}
	printf("holdfastd %s, running\n", bridge);
	/* A bridge from before there was this tells its version only. */
	if (program)
		show_program(program);
	return HF_EXIT_WELL;
}

/* --- all --- */

static int ctl_run(struct hf_ctl *c)
{
	switch (c->o.command) {
	case CTL_STATUS:
		return hf_ctl_status(c);
	case CTL_SOURCES:
		return hf_ctl_sources(c);
	case CTL_ADAPTERS:
		return hf_ctl_adapters(c);
	case CTL_VERIFY:
		return hf_ctl_verify(c);
	case CTL_RECORDS:
		return hf_ctl_records(c);
	case CTL_WATCH:
		return hf_ctl_watch(c);
	case CTL_HISTORY:
		return hf_ctl_history(c);
	case CTL_ACCEPT:
	case CTL_REJECT:
		return hf_ctl_decide(c);
	case CTL_EXPORT:
		return hf_ctl_export(c);
	case CTL_SETUP:
		return run_setup(c);
	case CTL_DOCTOR:
		return run_doctor(c);
	case CTL_WHY:
		return run_why(c);
	case CTL_RESYNC:
		return hf_ctl_resync(c);
	case CTL_VERSION:
		return ctl_run_version(c);
	case CTL_HELP:
		break;
	}
	return HF_EXIT_USAGE;
}

/* --- the configuration --- */

/* Without a bridge's configuration setup would print wrong lines. */
static bool needs_config(const struct hf_ctl *c)
{
	return c->o.command == CTL_SETUP && c->o.resolver;
}

/*
 * A file with errors stops no command that can do without it: the bridge goes on with the
 * configuration that it had, and now is the time to ask it. A named file that cannot be read at all
 * is another matter: nothing says which bridge was meant.
 */
static bool may_go_on(const struct hf_ctl *c, int rc)
{
	if (rc == -ENOMEM || needs_config(c))
		return false;
	return rc == HF_ECONFIG || !c->o.config || c->o.socket || c->o.command == CTL_DOCTOR;
}

static void ctl_warn(const struct hf_ctl *c)
{
	char text[1024];
	size_t more = c->errors.n - 1 + c->errors.more;

	fprintf(stderr, "holdfastctl: warning: %s",
	    hf_config_error_text(&c->errors, 0, text, sizeof(text)));
	if (more)
		fprintf(stderr, " (and %zu more error%s: holdfastctl doctor)", more,
		    more == 1 ? "" : "s");
	fprintf(stderr, "; going on with '%s'\n", c->socket);
}

/* Without a configuration the defaults hold, unless one was named. */
static int ctl_load(struct hf_ctl *c)
{
	const char *path = c->o.config ? c->o.config : HF_CONFIG_PATH;
	char text[1024];
	int rc;

	if (!c->o.config && access(path, R_OK))
		rc = hf_config_parse("defaults", "", 0, 0, &c->config, &c->errors);
	else
		rc = hf_config_salvage(path, &c->config, &c->errors);
	if (c->config)
		c->socket = c->o.socket ? c->o.socket : c->config->control;
	if (!rc)
		return 0;
	if (c->config && may_go_on(c, rc)) {
		if (c->o.command != CTL_DOCTOR)
			ctl_warn(c);
		return 0;
	}
	for (size_t i = 0; i < c->errors.n; i++)
		fprintf(stderr, "%s\n", hf_config_error_text(&c->errors, i, text, sizeof(text)));
	return rc;
}

int main(int argc, char **argv)
{
	struct hf_ctl c = { .now_s = hf_wall_ms(&hf_clock_system) / 1000 };
	int status;

	if (hf_ctl_options_parse(argc, argv, &c.o, stderr))
		return HF_EXIT_USAGE;
	if (c.o.command == CTL_HELP)
		return hf_ctl_usage(c.o.topic, stdout) ? HF_EXIT_WELL : HF_EXIT_USAGE;
	status = ctl_load(&c) ? HF_EXIT_USAGE : HF_EXIT_WELL;
	/* A bridge that refuses closes early, and says why before. */
	signal(SIGPIPE, SIG_IGN);
	if (status == HF_EXIT_WELL)
		status = ctl_run(&c);
	json_decref(c.kept);
	hf_config_free(c.config);
	if (fflush(stdout) || ferror(stdout))
		return HF_EXIT_DEGRADED;
	return status;
}
