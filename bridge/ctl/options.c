#include "bridge/ctl/options.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "bridge/ctl/suggest.h"

enum { OPT_JSON = 256, OPT_STALE, OPT_NAME, OPT_DEPLOYMENT, OPT_SUFFIX, OPT_RECOVER, OPT_FULL,
	OPT_RESOLV_CONF, OPT_UNBOUND_CONF, OPT_VERSION };

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "deployment", no_argument, NULL, OPT_DEPLOYMENT },
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
	{ 0 },
};

static const struct command {
	const char *name;
	enum hf_ctl_command command;
	int min, max; /* arguments */
	bool stale, named, identity, recover, full; /* which options belong to it */
} commands[] = {
	{ "status", CTL_STATUS, 0, 0, false, false, false, false, false },
	{ "records", CTL_RECORDS, 0, 0, true, true, false, false, false },
	{ "sources", CTL_SOURCES, 0, 0, false, false, false, false, false },
	{ "watch", CTL_WATCH, 0, 0, false, false, false, false, false },
	{ "history", CTL_HISTORY, 0, 0, false, true, false, false, false },
	{ "accept", CTL_ACCEPT, 0, 2, false, false, true, false, false },
	{ "reject", CTL_REJECT, 0, 2, false, false, true, false, false },
	{ "export", CTL_EXPORT, 1, 2, false, false, false, false, false },
	{ "setup", CTL_SETUP, 0, 1, false, false, false, false, false },
	{ "doctor", CTL_DOCTOR, 0, 0, false, false, false, false, false },
	{ "why", CTL_WHY, 1, 1, false, false, false, false, false },
	{ "resync", CTL_RESYNC, 0, 1, false, false, false, true, false },
	{ "adapters", CTL_ADAPTERS, 0, 0, false, false, false, false, false },
	{ "verify", CTL_VERIFY, 0, 1, false, false, false, false, true },
};

static const char *const forms[] = { "hosts", "json", "zone" };

void hf_ctl_usage(FILE *out)
{
	fputs("usage: holdfastctl [-c FILE] [-s SOCKET] [--json] COMMAND\n"
	      "\n"
	      "  status                        whether all is well, and what is served\n"
	      "  records [--stale] [--name GLOB]\n"
	      "                                the names that are served\n"
	      "  sources                       who is followed, and how that goes\n"
	      "  watch                         what changes, as it changes\n"
	      "  history [--name NAME]         what changed, the newest first\n"
	      "  why NAME                      where a name is lost on its way to an answer\n"
	      "  adapters                      the resolvers that are fed, and how that goes\n"
	      "  verify [ADAPTER] [--full]     ask the resolvers for a sample of what they should\n"
	      "                                have, or for all of it\n"
	      "  resync [ADAPTER]              fill a resolver anew; without ADAPTER ask the servers\n"
	      "                                for everything anew, now\n"
	      "  resync --recover              the same, and allow the store's one recovery again\n"
	      "  accept|reject [SOURCE [OWNER]] [--deployment] [--suffix]\n"
	      "                                decide about a removal, a deployment or a suffix\n"
	      "                                that waits\n"
	      "  export hosts|json|zone [SUFFIX]\n"
	      "                                the names, for others to read\n"
	      "  doctor [--resolv-conf FILE] [--unbound-conf FILE]\n"
	      "                                what is wrong on this machine and with its resolvers, and\n"
	      "                                the line that mends it\n"
	      "  setup [RESOLVER]              what to put into a resolver's configuration; without\n"
	      "                                RESOLVER which ones are known\n"
	      "\n"
	      "  -c FILE    the configuration, which says where socket and zone are\n"
	      "  -s SOCKET  the control socket\n"
	      "  --json     for programs\n"
	      "\n"
	      "exit status: 0 all well, 1 degraded or failed, 2 usage, 3 cannot reach bridge or "
	      "zone\n",
	    out);
}

static int wrong(FILE *err, const char *what)
{
	fprintf(err, "holdfastctl: %s; holdfastctl --help tells more\n", what);
	return -EINVAL;
}

static int unknown(FILE *err, const char *what, const char *word, const char *const *known, size_t n)
{
	hf_suggest(err, what, word, known, n);
	return -EINVAL;
}

static int take_export(struct hf_ctl_options *o, char **args, int n, FILE *err)
{
	size_t i = 0, n_forms = sizeof(forms) / sizeof(forms[0]);

	while (i < n_forms && strcmp(args[0], forms[i]))
		i++;
	if (i == n_forms)
		return unknown(err, "form", args[0], forms, n_forms);
	o->form = (enum hf_export_form)i;
	if (n > 1 && o->form != EXPORT_ZONE)
		return wrong(err, "a suffix belongs to 'export zone'");
	o->suffix = n > 1 ? args[1] : NULL;
	return 0;
}

static int take_command(struct hf_ctl_options *o, char **args, int n, FILE *err)
{
	const char *names[sizeof(commands) / sizeof(commands[0])];
	const size_t n_commands = sizeof(commands) / sizeof(commands[0]);
	const struct command *c = commands;

	for (size_t i = 0; i < n_commands; i++)
		names[i] = commands[i].name;
	if (!n)
		return wrong(err, "which command?");
	while (c < commands + n_commands && strcmp(args[0], c->name))
		c++;
	if (c == commands + n_commands)
		return unknown(err, "command", args[0], names, n_commands);
	o->command = c->command;
	if (n - 1 < c->min || n - 1 > c->max)
		return wrong(err, "too few or too many arguments for this command");
	if ((o->stale && !c->stale) || (o->name && !c->named) || (o->what && !c->identity) ||
	    (o->recover && !c->recover) || (o->full && !c->full) ||
	    ((o->resolv_conf || o->unbound_conf) && c->command != CTL_DOCTOR))
		return wrong(err, "an option does not belong to this command");
	if (c->command == CTL_EXPORT)
		return take_export(o, args + 1, n - 1, err);
	if (c->command == CTL_WHY) {
		o->name = args[1];
		return 0;
	}
	if (c->command == CTL_RESYNC || c->command == CTL_VERIFY) {
		o->adapter = n > 1 ? args[1] : NULL;
		if (o->adapter && o->recover)
			return wrong(err, "--recover is about the store, not about an adapter");
		return 0;
	}
	if (c->command == CTL_SETUP) {
		o->resolver = n > 1 ? args[1] : NULL;
		return 0;
	}
	o->source = n > 1 ? args[1] : NULL;
	o->owner = n > 2 ? args[2] : NULL;
	return 0;
}

int hf_ctl_options_parse(int argc, char **argv, struct hf_ctl_options *ret_options, FILE *err)
{
	struct hf_ctl_options o = { 0 };
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, ":c:s:h", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			o.config = optarg;
			break;
		case 's':
			o.socket = optarg;
			break;
		case OPT_JSON:
			o.json = true;
			break;
		case OPT_STALE:
			o.stale = true;
			break;
		case OPT_RESOLV_CONF:
			o.resolv_conf = optarg;
			break;
		case OPT_UNBOUND_CONF:
			o.unbound_conf = optarg;
			break;
		case OPT_RECOVER:
			o.recover = true;
			break;
		case OPT_FULL:
			o.full = true;
			break;
		case OPT_NAME:
			o.name = optarg;
			break;
		case OPT_DEPLOYMENT:
		case OPT_SUFFIX:
			if (o.what)
				return wrong(err, "--deployment and --suffix: one at a time");
			o.what = c == OPT_SUFFIX ? "suffix" : "deployment";
			break;
		case 'h':
		case OPT_VERSION:
			o.command = c == 'h' ? CTL_HELP : CTL_VERSION;
			*ret_options = o;
			return 0;
		default:
			return wrong(err, c == ':' ? "an option needs a value"
						   : "an option is not known");
		}
	}
	*ret_options = o;
	return take_command(ret_options, argv + optind, argc - optind, err);
}
