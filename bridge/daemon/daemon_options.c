/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/daemon/daemon_options.h"

#include <errno.h>
#include <getopt.h>

#include "config/config.h"

enum { OPT_CHECK = 256, OPT_VERSION };

static const struct option long_options[] = {
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 },
};

void hf_daemon_options_usage(FILE *out)
{
	fputs(
	    "usage: holdfastd [-c FILE]\n"
	    "       holdfastd --check [-v] [-c FILE]\n"
	    "       holdfastd --version | --help\n"
	    "\n"
	    "Without --check it runs, in the foreground, and logs to stderr.\n"
	    "\n"
	    "  --check       tell what is wrong with the configuration, one line for each problem\n"
	    "  -v            with --check: print the configuration that is in force, as YAML\n"
	    "  -c FILE       the configuration; " HF_CONFIG_PATH " if it is not given\n"
	    "  --version     print the version\n"
	    "  --help        print this\n"
	    "\n"
	    "exit status: 0 all well, 1 the configuration is refused, 2 usage, or store or zone cannot be used\n",
	    out);
}

static int option_wrong(FILE *err, const char *what)
{
	fprintf(err, "holdfastd: %s; holdfastd --help tells more\n", what);
	return -EINVAL;
}

static int option_unknown(FILE *err, char **argv, int c)
{
	/* getopt has moved on, but for an unknown letter in the middle of a word. */
	if (optopt && optopt < 256)
		fprintf(err, "holdfastd: option -%c %s; holdfastd --help tells more\n", optopt,
		    c == ':' ? "needs a value" : "is not known");
	else
		fprintf(err, "holdfastd: option %s %s; holdfastd --help tells more\n",
		    argv[optind - 1], c == ':' ? "needs a value" : "is not known");
	return -EINVAL;
}

int hf_daemon_options_parse(int argc, char **argv, struct hf_daemon_options *ret_options, FILE *err)
{
	struct hf_daemon_options o = { .config = HF_CONFIG_PATH };
	int c, modes = 0;

	optind = 0;
	while ((c = getopt_long(argc, argv, ":c:hv", long_options, NULL)) != -1) {
		switch (c) {
		case OPT_CHECK:
			o.mode = HF_DAEMON_OPTIONS_CHECK;
			modes++;
			break;
		case OPT_VERSION:
			o.mode = HF_DAEMON_OPTIONS_VERSION;
			modes++;
			break;
		case 'h':
			o.mode = HF_DAEMON_OPTIONS_HELP;
			modes++;
			break;
		case 'c':
			o.config = optarg;
			break;
		case 'v':
			o.verbose = true;
			break;
		default:
			return option_unknown(err, argv, c);
		}
	}
	if (optind < argc)
		return option_wrong(err, "it takes options only, no arguments");
	if (modes > 1)
		return option_wrong(err, "--check, --version and --help do not go together");
	if (o.verbose && o.mode != HF_DAEMON_OPTIONS_CHECK)
		return option_wrong(err, "-v belongs to --check");
	*ret_options = o;
	return 0;
}
