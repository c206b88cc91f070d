/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/ctl_options.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "bridge/ctl/suggest.h"

enum {
	OPT_JSON = 256,
	OPT_STALE,
	OPT_NAME,
	OPT_DEPLOYMENT,
	OPT_SUFFIX,
	OPT_RECOVER,
	OPT_FULL,
	OPT_RESOLV_CONF,
	OPT_UNBOUND_CONF,
	OPT_DRY_RUN,
	OPT_VERSION,
	OPT_FOR_VERSION,
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "deployment", no_argument, NULL, OPT_DEPLOYMENT },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "for-version", required_argument, NULL, OPT_FOR_VERSION },
	{ "full", no_argument, NULL, OPT_FULL },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "recover", no_argument, NULL, OPT_RECOVER },
	{ "resolv-conf", required_argument, NULL, OPT_RESOLV_CONF },
	{ "socket", required_argument, NULL, 's' },
	{ "stale", no_argument, NULL, OPT_STALE },
	{ "suffix", no_argument, NULL, OPT_SUFFIX },
	{ "unbound-conf", required_argument, NULL, OPT_UNBOUND_CONF },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "yes", no_argument, NULL, 'y' },
	{ 0 },
};

/* Options that belong to some commands only. */
enum {
	TAKES_STALE = 1 << 0,
	TAKES_NAME = 1 << 1,
	TAKES_IDENTITY = 1 << 2,
	TAKES_RECOVER = 1 << 3,
	TAKES_FULL = 1 << 4,
	TAKES_RESOLV_CONF = 1 << 5,
	TAKES_UNBOUND_CONF = 1 << 6,
	TAKES_YES = 1 << 7,
	TAKES_FOR_VERSION = 1 << 8,
};

static const struct command_row {
	const char *name;
	enum hf_ctl_command command;
	int min, max;        /* arguments */
	unsigned takes;      /* options */
	const char *args;    /* as the usage shows them */
	const char *text[3]; /* lines of help */
} commands[] = {
	{ "status", CTL_STATUS, 0, 0, TAKES_RESOLV_CONF, " [--resolv-conf FILE]",
	    { "whether all is well, and what is served" } },
	{ "records", CTL_RECORDS, 0, 0, TAKES_STALE | TAKES_NAME, " [--stale] [--name GLOB]",
	    { "the names that are served" } },
	{ "sources", CTL_SOURCES, 0, 0, 0, "", { "the Coder servers that are followed" } },
	{ "watch", CTL_WATCH, 0, 0, 0, "", { "each change of a name, as it happens" } },
	{ "history", CTL_HISTORY, 0, 0, TAKES_NAME, " [--name NAME]",
	    { "what changed, the newest first" } },
	{ "why", CTL_WHY, 1, 1, TAKES_RESOLV_CONF, " NAME|ADDRESS [--resolv-conf FILE]",
	    { "where a name or an address is lost on its way to an", "answer" } },
	{ "adapters", CTL_ADAPTERS, 0, 0, 0, "", { "the resolvers that are fed" } },
	{ "verify", CTL_VERIFY, 0, 1, TAKES_FULL, " [ADAPTER] [--full]",
	    { "query the resolvers for a sample of what they should", "have, or for all of it" } },
	{ "resync", CTL_RESYNC, 0, 1, TAKES_RECOVER, " [ADAPTER] [--recover]",
	    { "request everything from the servers again, now; with",
		"ADAPTER fill that resolver again; --recover also allows",
		"the store's one recovery again" } },
	{ "accept", CTL_ACCEPT, 0, 2, TAKES_IDENTITY | TAKES_YES,
	    " [SOURCE [OWNER]] [--suffix|--deployment] [--dry-run] [--yes]",
	    { "let a removal that waits happen; with an option accept",
		"another suffix or deployment. Shows what it would do,", "and asks" } },
	{ "reject", CTL_REJECT, 0, 2, TAKES_IDENTITY | TAKES_YES,
	    " [SOURCE [OWNER]] [--suffix|--deployment] [--dry-run] [--yes]",
	    { "keep the names instead" } },
	{ "export", CTL_EXPORT, 1, 2, 0, " hosts|json|zone [SUFFIX]",
	    { "the names, for other programs to read" } },
	{ "doctor", CTL_DOCTOR, 0, 0, TAKES_RESOLV_CONF | TAKES_UNBOUND_CONF,
	    " [--resolv-conf FILE] [--unbound-conf FILE]",
	    { "what is wrong on this machine and with its resolvers,",
		"and the line that repairs it" } },
	{ "setup", CTL_SETUP, 0, 1, TAKES_FOR_VERSION, " [RESOLVER [--for-version N]]",
	    { "what to put into a resolver's configuration, for the",
		"installed version or for N; without RESOLVER the list", "of known resolvers" } },
	{ "version", CTL_VERSION, 0, 0, 0, "",
	    { "the versions of holdfastctl and of the running bridge" } },
	{ "help", CTL_HELP, 0, 1, 0, " [COMMAND]", { "this text, or that of one command" } },
};

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const char *const forms[] = { "hosts", "json", "zone" };

static const struct command_row *command_find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

static void print_usage(const struct command_row *c, FILE *out)
{
	fprintf(out, "usage: holdfastctl %s%s\n", c->name, c->args);
}

static void command_print(const struct command_row *c, FILE *out)
{
	int len = fprintf(out, "  %s%s", c->name, c->args);

	for (size_t i = 0; i < 3 && c->text[i]; i++) {
		if (i || len >= 31)
			fprintf(out, "\n%-32s", "");
		else
			fprintf(out, "%*s", 32 - len, "");
		fputs(c->text[i], out);
	}
	fputc('\n', out);
}

static const char common[] = "  -c FILE    the configuration; it says where socket and zone are\n"
			     "  -s SOCKET  the control socket\n"
			     "  --json     output for programs\n";

bool hf_ctl_usage(const char *topic, FILE *out)
{
	const struct command_row *c = topic ? command_find(topic) : NULL;

	if (topic && !c)
		return false;
	if (c) {
		print_usage(c, out);
		for (size_t i = 0; i < 3 && c->text[i]; i++)
			fprintf(out, "%s%s", i ? " " : "\n", c->text[i]);
		fprintf(out, "\n\n%s", common);
		return true;
	}
	fputs("usage: holdfastctl [-c FILE] [-s SOCKET] [--json] COMMAND\n\n", out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		command_print(&commands[i], out);
	fprintf(out,
	    "\n%s\n"
	    "exit status: 0 all well, 1 degraded or failed, 2 usage, 3 cannot reach bridge or zone\n",
	    common);
	return true;
}

/* --- what is wrong --- */

/* Without a command: what there is to type. */
static int no_command(FILE *err)
{
	fputs("usage: holdfastctl [-c FILE] [-s SOCKET] [--json] COMMAND\n\ncommands:", err);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(err, " %s", commands[i].name);
	fputs(
	    "\n\nholdfastctl status shows whether all is well, holdfastctl help what each command does\n",
	    err);
	return -EINVAL;
}

static int usage_wrong(FILE *err, const struct command_row *c, const char *what)
{
	fprintf(err, "holdfastctl: %s\n", what);
	if (c)
		print_usage(c, err);
	return -EINVAL;
}

static int unknown_option(FILE *err, const struct command_row *c, const char *option)
{
	if (c)
		fprintf(err, "holdfastctl: unknown option '%s' for '%s'\n", option, c->name);
	else
		fprintf(err, "holdfastctl: unknown option '%s'\n", option);
	if (c)
		print_usage(c, err);
	else
		fputs("usage: holdfastctl [-c FILE] [-s SOCKET] [--json] COMMAND\n", err);
	return -EINVAL;
}

static int word_unknown(
    FILE *err, const char *what, const char *word, const char *const *known, size_t n)
{
	hf_suggest(err, what, word, known, n);
	return -EINVAL;
}

static int unknown_command(FILE *err, const char *word)
{
	const char *names[N_COMMANDS];

	for (size_t i = 0; i < N_COMMANDS; i++)
		names[i] = commands[i].name;
	return word_unknown(err, "command", word, names, N_COMMANDS);
}

/* --- arguments --- */

static int take_export(
    struct hf_ctl_options *o, const struct command_row *c, char **args, int n, FILE *err)
{
	size_t i = 0, n_forms = sizeof(forms) / sizeof(forms[0]);

	while (i < n_forms && strcmp(args[0], forms[i]))
		i++;
	if (i == n_forms)
		return word_unknown(err, "form", args[0], forms, n_forms);
	o->form = (enum hf_export_form)i;
	if (n > 1 && o->form != EXPORT_ZONE)
		return usage_wrong(err, c, "a suffix belongs to 'export zone'");
	o->suffix = n > 1 ? args[1] : NULL;
	return 0;
}

static int take_args(
    struct hf_ctl_options *o, const struct command_row *c, char **args, int n, FILE *err)
{
	const char *first = n > 0 ? args[0] : NULL;

	switch (c->command) {
	case CTL_EXPORT:
		return take_export(o, c, args, n, err);
	case CTL_WHY:
		o->name = first;
		return 0;
	case CTL_RESYNC:
	case CTL_VERIFY:
		o->adapter = first;
		if (o->adapter && o->recover)
			return usage_wrong(
			    err, c, "--recover is about the store, not about an adapter");
		return 0;
	case CTL_SETUP:
		o->resolver = first;
		return 0;
	case CTL_HELP:
		o->topic = first;
		return first && !command_find(first) ? unknown_command(err, first) : 0;
	default:
		o->source = first;
		o->owner = n > 1 ? args[1] : NULL;
		return 0;
	}
}

/* What was typed before it is known which command it belongs to. */
struct typed {
	unsigned takes;         /* the options that belong to some commands only */
	const char *options[9]; /* as they were typed, by bit of `takes` */
	const char *bad;        /* the first option that nobody knows */
	bool valueless;         /* `bad` lacks its value */
	bool help;
	bool twice; /* --suffix and --deployment */
};

static int check_options(const struct typed *t, const struct command_row *c, FILE *err)
{
	char text[200];

	if (t->bad && t->valueless) {
		snprintf(text, sizeof(text), "option '%.80s' needs a value", t->bad);
		return usage_wrong(err, c, text);
	}
	if (t->bad)
		return unknown_option(err, c, t->bad);
	for (size_t i = 0; c && i < sizeof(t->options) / sizeof(t->options[0]); i++)
		if (t->takes & ~c->takes & 1u << i)
			return unknown_option(err, c, t->options[i]);
	return t->twice ? usage_wrong(err, c, "--deployment and --suffix: one at a time") : 0;
}

static int take_command(
    struct hf_ctl_options *o, const struct typed *t, char **args, int n, FILE *err)
{
	const struct command_row *c = n ? command_find(args[0]) : NULL;
	char text[200];
	int rc;

	if (t->help || o->command == CTL_VERSION) {
		o->topic = c ? c->name : NULL;
		return 0;
	}
	if (n && !c)
		return unknown_command(err, args[0]);
	rc = check_options(t, c, err);
	if (rc)
		return rc;
	if (!c)
		return no_command(err);
	o->command = c->command;
	if (n - 1 < c->min || n - 1 > c->max) {
		snprintf(text, sizeof(text), "too %s arguments for '%s'",
		    n - 1 < c->min ? "few" : "many", c->name);
		return usage_wrong(err, c, text);
	}
	return take_args(o, c, args + 1, n - 1, err);
}

/* --- options --- */

static void typed_note(struct typed *t, unsigned bit, const char *option)
{
	t->takes |= bit;
	for (size_t i = 0; i < sizeof(t->options) / sizeof(t->options[0]); i++)
		if (bit == 1u << i)
			t->options[i] = option;
}

static void note_bad(struct typed *t, int c, char **argv, char *out)
{
	if (t->bad)
		return;
	t->valueless = c == ':';
	t->bad = argv[optind - 1];
	/* A letter may stand among others: -wx. */
	if (optopt && optopt < 256) {
		snprintf(out, 3, "-%c", optopt);
		t->bad = out;
	}
}

static void take_option(struct hf_ctl_options *o, struct typed *t, int c)
{
	switch (c) {
	case 'c':
		o->config = optarg;
		break;
	case 's':
		o->socket = optarg;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_STALE:
		o->stale = true;
		typed_note(t, TAKES_STALE, "--stale");
		break;
	case OPT_RESOLV_CONF:
		o->resolv_conf = optarg;
		typed_note(t, TAKES_RESOLV_CONF, "--resolv-conf");
		break;
	case OPT_UNBOUND_CONF:
		o->unbound_conf = optarg;
		typed_note(t, TAKES_UNBOUND_CONF, "--unbound-conf");
		break;
	case OPT_RECOVER:
		o->recover = true;
		typed_note(t, TAKES_RECOVER, "--recover");
		break;
	case OPT_FOR_VERSION:
		o->for_version = optarg;
		typed_note(t, TAKES_FOR_VERSION, "--for-version");
		break;
	case OPT_FULL:
		o->full = true;
		typed_note(t, TAKES_FULL, "--full");
		break;
	case OPT_NAME:
		o->name = optarg;
		typed_note(t, TAKES_NAME, "--name");
		break;
	case 'y':
		o->yes = true;
		typed_note(t, TAKES_YES, "--yes");
		break;
	case OPT_DRY_RUN:
		o->dry_run = true;
		typed_note(t, TAKES_YES, "--dry-run");
		break;
	case OPT_DEPLOYMENT:
	case OPT_SUFFIX:
		t->twice |= o->what != NULL;
		o->what = c == OPT_SUFFIX ? "suffix" : "deployment";
		typed_note(t, TAKES_IDENTITY, c == OPT_SUFFIX ? "--suffix" : "--deployment");
		break;
	case 'h':
		t->help = true;
		o->command = CTL_HELP;
		break;
	case OPT_VERSION:
		o->command = CTL_VERSION;
		break;
	}
}

int hf_ctl_options_parse(int argc, char **argv, struct hf_ctl_options *ret_options, FILE *err)
{
	struct hf_ctl_options o = { 0 };
	struct typed t = { 0 };
	static char letter[3]; /* of an option that nobody knows */
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":c:s:hy", long_options, NULL)) != -1) {
		if (c == '?' || c == ':')
			note_bad(&t, c, argv, letter);
		else
			take_option(&o, &t, c);
	}
	*ret_options = o;
	return take_command(ret_options, &t, argv + optind, argc - optind, err);
}
