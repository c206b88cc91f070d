/*
 * holdfastctl: what people type. Asks the bridge or, where there is none, the published zone.
 */
#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "bridge/ctl/adapters.h"
#include "bridge/ctl/ask.h"
#include "bridge/ctl/doctor/doctor.h"
#include "bridge/ctl/export.h"
#include "bridge/ctl/offline.h"
#include "bridge/ctl/explain.h"
#include "bridge/ctl/options.h"
#include "bridge/ctl/reach.h"
#include "bridge/ctl/setup/fill.h"
#include "bridge/ctl/setup/setup.h"
#include "bridge/ctl/show.h"
#include "bridge/ctl/why.h"
#include "config/config.h"

enum { EXIT_WELL, EXIT_DEGRADED, EXIT_USAGE, EXIT_UNREACHED };
enum { WATCH_EVERY_MS = 500 };

struct ctl {
	struct hf_ctl_options o;
	struct hf_config *config; /* owned */
	const char *socket;
	int64_t now_s;
	bool offline; /* the answer is the zone's */
	size_t n;     /* rows that were shown */
	json_t *kept; /* owned: the row that hf_ctl_keep() kept, or a list */
	struct hf_export export;
	char why[HF_ASK_WHY_MAX];
};

/* No bridge is there, as opposed to one that does not answer as it should. */
static bool is_down(int rc)
{
	return rc == -ENOENT || rc == -ECONNREFUSED;
}

static int failed(const struct ctl *c, int rc)
{
	fprintf(stderr, "holdfastctl: %s\n", c->why[0] ? c->why : hf_strerror(rc));
	return rc == HF_EREFUSED ? EXIT_DEGRADED : EXIT_UNREACHED;
}

/* A read: of the bridge, else of the zone. 0 or a code. */
static int ask_either(struct ctl *c, const char *command,
    int (*offline)(const char *zone, hf_row_cb cb, void *arg), hf_row_cb cb)
{
	int rc = hf_ask(c->socket, json_pack("{s:s, s:s?}", "command", command, "name", c->o.name), cb, c,
	    c->why);

	if (!is_down(rc))
		return rc;
	rc = offline(c->config->zone, cb, c);
	if (rc) {
		size_t len = strlen(c->why);

		snprintf(c->why + len, sizeof(c->why) - len, "; nor is there a zone in '%s' (%s)",
		    c->config->zone, hf_strerror(rc));
		return rc;
	}
	if (!c->offline && strcmp(command, "status"))
		fputs("holdfastctl: the bridge is down; this is the published zone\n", stderr);
	c->offline = true;
	return 0;
}

static int keep(json_t *row, void *arg)
{
	struct ctl *c = arg;

	json_decref(c->kept);
	c->kept = json_incref(row);
	return 0;
}

static void print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
}

/* Whoever answers DNS for us is asked by DNS, bridge or no bridge. */
static void add_readers(struct ctl *c)
{
	const json_t *row;
	const char *suffix = NULL;
	size_t i;

	json_array_foreach(json_object_get(c->kept, "sources"), i, row)
		suffix = suffix ? suffix : hf_row_text(row, "suffix", NULL);
	json_object_set_new(c->kept, "readers", hf_reach_readers(c->config, suffix));
}

static int run_status(struct ctl *c)
{
	int rc = ask_either(c, "status", hf_offline_status, keep);

	if (rc || !c->kept)
		return failed(c, rc ? rc : HF_EFORMAT);
	if (c->o.command == CTL_ADAPTERS) {
		const json_t *adapters = json_object_get(c->kept, "adapters");

		if (c->o.json)
			print_json(adapters);
		else
			hf_show_adapters(adapters, c->now_s, stdout);
		return hf_adapters_are_well(adapters) ? EXIT_WELL : EXIT_DEGRADED;
	}
	if (c->o.command == CTL_SOURCES) {
		if (c->o.json)
			print_json(json_object_get(c->kept, "sources"));
		else
			hf_show_sources(c->kept, c->now_s, stdout);
		return EXIT_WELL;
	}
	add_readers(c);
	if (c->o.json)
		print_json(c->kept);
	else
		hf_show_status(c->kept, c->now_s, stdout);
	return hf_status_is_well(c->kept) ? EXIT_WELL : EXIT_DEGRADED;
}

/* An element of a list that is printed while it comes. */
static void print_element(struct ctl *c, const json_t *row)
{
	fputs(c->n++ ? ",\n" : "[\n", stdout);
	json_dumpf(row, stdout, JSON_COMPACT);
}

static void end_list(const struct ctl *c)
{
	puts(c->n ? "\n]" : "[]");
}

static int show_record(json_t *row, void *arg)
{
	struct ctl *c = arg;

	if (c->o.stale && !strcmp(hf_row_text(row, "state", ""), "live"))
		return 0;
	if (c->o.name &&
	    fnmatch(c->o.name, hf_row_text(row, "name", ""), FNM_CASEFOLD))
		return 0;
	if (c->o.json) {
		print_element(c, row);
	} else {
		hf_show_record(row, stdout);
		c->n++;
	}
	return 0;
}

/* Nothing was found: why might that be? A pattern can mean anything, a name cannot. */
static void tell_missing(struct ctl *c, const char *what)
{
	char why[HF_EXPLAIN_MAX];

	fprintf(stderr, "holdfastctl: %s", what);
	json_decref(c->kept);
	c->kept = NULL;
	if (!c->offline && c->o.name && !strpbrk(c->o.name, "*?[\\") &&
	    hf_ask(c->socket, json_pack("{s:s}", "command", "status"), keep, c, c->why) == 0)
		fprintf(stderr, ": %s", hf_explain_missing(c->socket, c->kept, c->o.name, why));
	fputc('\n', stderr);
}

static int run_records(struct ctl *c)
{
	int rc = ask_either(c, "records", hf_offline_records, show_record);

	if (rc)
		return failed(c, rc);
	if (c->o.json)
		end_list(c);
	else if (!c->n && (c->o.name || c->o.stale))
		tell_missing(c, "no record is like that");
	return EXIT_WELL;
}

static int show_history(json_t *row, void *arg)
{
	struct ctl *c = arg;

	if (c->o.json) {
		print_element(c, row);
	} else {
		hf_show_history(row, c->now_s, stdout);
		c->n++;
	}
	return 0;
}

static int run_history(struct ctl *c)
{
	int rc = hf_ask(c->socket,
	    json_pack("{s:s, s:s?}", "command", "history", "name", c->o.name), show_history, c,
	    c->why);

	if (rc)
		return failed(c, rc);
	if (c->o.json)
		end_list(c);
	else if (!c->n && c->o.name)
		tell_missing(c, "there is no history of that name");
	return EXIT_WELL;
}

/* --- watch --- */

static int collect(json_t *row, void *arg)
{
	struct ctl *c = arg;

	return json_array_append(c->kept, row) ? -ENOMEM : 0;
}

/* Lines after generation *after, the oldest first; *after moves on. */
static int watch_once(struct ctl *c, json_int_t *after)
{
	int rc;

	c->kept = json_array();
	rc = hf_ask(c->socket, json_pack("{s:s, s:I}", "command", "history", "after", *after),
	    collect, c, c->why);
	c->now_s = hf_wall_ms(&hf_clock_system) / 1000;
	for (size_t i = json_array_size(c->kept); !rc && i-- > 0;) {
		json_t *row = json_array_get(c->kept, i);

		*after = json_integer_value(json_object_get(row, "generation"));
		if (c->o.json) {
			json_dumpf(row, stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			hf_show_history(row, c->now_s, stdout);
		}
	}
	json_decref(c->kept);
	c->kept = NULL;
	return rc;
}

/* Until somebody ends it. A bridge that goes is waited for. */
static int run_watch(struct ctl *c)
{
	const struct timespec pause = { .tv_nsec = WATCH_EVERY_MS * 1000000L };
	int rc = hf_ask(
	    c->socket, json_pack("{s:s}", "command", "status"), keep, c, c->why);
	json_int_t after = json_integer_value(json_object_get(c->kept, "generation"));
	bool away = false;

	if (rc)
		return failed(c, rc);
	json_decref(c->kept);
	c->kept = NULL;
	while (fflush(stdout) == 0 && !ferror(stdout)) {
		nanosleep(&pause, NULL);
		rc = watch_once(c, &after);
		if (rc && !away)
			fprintf(stderr, "holdfastctl: %s; waiting for it\n", c->why);
		else if (!rc && away)
			fputs("holdfastctl: the bridge is back\n", stderr);
		away = rc != 0;
	}
	return EXIT_WELL;
}

/* --- orders --- */

static int run_decide(struct ctl *c)
{
	bool accept = c->o.command == CTL_ACCEPT;
	int rc = hf_ask(c->socket,
	    json_pack("{s:s, s:s?, s:s?, s:s?}", "command", accept ? "accept" : "reject", "source",
		c->o.source, "owner", c->o.owner, "what", c->o.what),
	    keep, c, c->why);
	long long settled = json_integer_value(json_object_get(c->kept, "settled"));

	if (rc)
		return failed(c, rc);
	if (c->o.json)
		print_json(c->kept);
	else if (settled)
		printf("%s of source '%s': %lld\n", accept ? "accepted" : "rejected",
		    hf_row_text(c->kept, "source", ""), settled);
	else
		puts("nothing like that is held");
	return settled ? EXIT_WELL : EXIT_DEGRADED;
}

static int run_verify(struct ctl *c)
{
	int rc = hf_adapters_verify(c->socket, c->o.adapter, c->o.full, &c->kept, c->why);

	if (rc)
		return failed(c, rc);
	if (c->o.json)
		print_json(c->kept);
	else
		hf_show_verified(c->kept, stdout);
	return hf_adapters_verified(c->kept) ? EXIT_WELL : EXIT_DEGRADED;
}

static int run_resync(struct ctl *c)
{
	int rc = hf_ask(c->socket,
	    json_pack("{s:s, s:b, s:s?}", "command", "resync", "recover", c->o.recover, "adapter",
		c->o.adapter),
	    keep, c, c->why);

	if (rc)
		return failed(c, rc);
	if (c->o.json) {
		print_json(c->kept);
		return EXIT_WELL;
	}
	if (c->o.adapter) {
		printf("adapter %s is filled anew\n", hf_row_text(c->kept, "name", "?"));
		return EXIT_WELL;
	}
	if (json_is_true(json_object_get(c->kept, "recovering")))
		puts("the store is made anew out of memory");
	else if (c->o.recover)
		puts("the store's one recovery is allowed again");
	printf("sources that are asked anew: %lld\n",
	    (long long)json_integer_value(json_object_get(c->kept, "sources")));
	return EXIT_WELL;
}

/* --- export --- */

static int export_record(json_t *row, void *arg)
{
	struct ctl *c = arg;

	if (c->o.form == EXPORT_JSON)
		print_element(c, row);
	else
		hf_export_record(&c->export, row);
	return 0;
}

static int run_export(struct ctl *c)
{
	int rc = ask_either(c, "status", hf_offline_status, keep);

	if (rc)
		return failed(c, rc);
	c->export = (struct hf_export){ .form = c->o.form, .out = stdout };
	if (c->o.form == EXPORT_ZONE &&
	    hf_export_suffix(c->kept, c->o.suffix, &c->export.suffix, stderr))
		return EXIT_USAGE;
	hf_export_begin(&c->export,
	    (uint32_t)json_integer_value(json_object_get(c->kept, "generation")));
	c->offline = false;
	rc = ask_either(c, "records", hf_offline_records, export_record);
	if (rc)
		return failed(c, rc);
	if (c->o.form == EXPORT_JSON)
		end_list(c);
	return EXIT_WELL;
}

/* --- setup --- */

/* The suffixes are known to the bridge and to the zone; without either the configuration may do. */
static int run_setup(struct ctl *c)
{
	struct hf_setup_words words;

	if (!c->o.resolver) {
		hf_setup_list(stdout);
		return EXIT_WELL;
	}
	ask_either(c, "status", hf_offline_status, keep);
	hf_setup_fill_suffixes(c->config, c->kept);
	if (hf_setup_words_get(c->config, c->kept, &words, stderr))
		return EXIT_UNREACHED;
	return hf_setup_print(c->config, &words, c->o.resolver, c->o.json, stdout, stderr)
	    ? EXIT_USAGE
	    : EXIT_WELL;
}

static int run_doctor(struct ctl *c)
{
	struct hf_doctor_opts opts = { .config = c->config,
		.resolv_conf = c->o.resolv_conf,
		.unbound_conf = c->o.unbound_conf,
		.now_s = c->now_s,
		.json = c->o.json };
	int n_bad;

	ask_either(c, "status", hf_offline_status, keep);
	opts.status = c->kept;
	n_bad = hf_doctor_run(&opts, stdout);
	if (n_bad < 0)
		return failed(c, n_bad);
	return n_bad ? EXIT_DEGRADED : EXIT_WELL;
}

/* --- all --- */

static int run(struct ctl *c)
{
	switch (c->o.command) {
	case CTL_STATUS:
	case CTL_SOURCES:
	case CTL_ADAPTERS:
		return run_status(c);
	case CTL_VERIFY:
		return run_verify(c);
	case CTL_RECORDS:
		return run_records(c);
	case CTL_WATCH:
		return run_watch(c);
	case CTL_HISTORY:
		return run_history(c);
	case CTL_ACCEPT:
	case CTL_REJECT:
		return run_decide(c);
	case CTL_EXPORT:
		return run_export(c);
	case CTL_SETUP:
		return run_setup(c);
	case CTL_DOCTOR:
		return run_doctor(c);
	case CTL_WHY:
		return hf_why_run(c->socket, c->config, c->o.name, c->now_s, c->o.json, stdout);
	case CTL_RESYNC:
		return run_resync(c);
	case CTL_HELP:
		hf_ctl_usage(stdout);
		return EXIT_WELL;
	case CTL_VERSION:
		puts("holdfastctl " HF_VERSION);
		return EXIT_WELL;
	}
	return EXIT_USAGE;
}

/* Without a configuration the defaults are in force, unless one was named. */
static int load(struct ctl *c)
{
	struct hf_config_errors errors;
	char text[1024];
	int rc;

	if (!c->o.config && access(HF_CONFIG_PATH, R_OK))
		rc = hf_config_parse("defaults", "", 0, 0, &c->config, &errors);
	else
		rc = hf_config_load(
		    c->o.config ? c->o.config : HF_CONFIG_PATH, 0, &c->config, &errors);
	if (rc && errors.n)
		fprintf(stderr, "%s\n", hf_config_error_text(&errors, 0, text, sizeof(text)));
	return rc;
}

int main(int argc, char **argv)
{
	struct ctl c = { .now_s = hf_wall_ms(&hf_clock_system) / 1000 };
	int status;

	if (hf_ctl_options_parse(argc, argv, &c.o, stderr) || load(&c))
		return EXIT_USAGE;
	/* One that refuses us closes early, and says why before. */
	signal(SIGPIPE, SIG_IGN);
	c.socket = c.o.socket ? c.o.socket : c.config->control;
	status = run(&c);
	json_decref(c.kept);
	hf_config_free(c.config);
	if (fflush(stdout) || ferror(stdout))
		return EXIT_DEGRADED;
	return status;
}
