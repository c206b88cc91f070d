/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast-simulator: plays a Coder server on loopback, as a script says.
 */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "examples/simulator/sim_console.h"
#include "examples/simulator/sim_script.h"
#include "examples/simulator/sim_server.h"

struct options {
	const char *script;
	const char *host;
	const char *cert, *key;
	unsigned port;
	bool until_eof;
	bool verbose;
};

static void sim_usage(void)
{
	puts(
	    "usage: holdfast-simulator [--port N] [--host ADDRESS] [--tls CERT KEY] [--until-eof]\n"
	    "                          [--verbose] [SCRIPT]\n"
	    "\n"
	    "Plays a Coder server. Runs SCRIPT up to its first wait, listens, prints\n"
	    "\"listening PORT\", and runs the rest; then takes the same commands, one a line, on its\n"
	    "standard input, and answers each with a line \"ok\" or \"error\".\n"
	    "\n"
	    "  --port N       default 3000; 0: any that is free\n"
	    "  --host ADDRESS default 127.0.0.1\n"
	    "  --tls CERT KEY https instead of http; files in PEM\n"
	    "  --until-eof    ends when its standard input does\n"
	    "  --verbose      tells on stderr what is asked\n"
	    "\n"
	    "commands:");
	hf_sim_script_help();
	puts(
	    "\nA WORD of a snapshot is 1=dev:7=main,8=gpu (workspace 1 has agents 7 and 8), or\n"
	    "1..500=dev:main (workspaces dev1 to dev500, each with an agent of its number). In a diff\n"
	    "it begins with + (new, or another name), or it is -1, -1..500 (workspaces go, with their\n"
	    "agents) or -:8 (an agent goes). %41 in a name is the byte 0x41.");
}

static int sim_parse_options(int argc, char **argv, struct options *ret_options)
{
	static const struct option longs[] = { { "port", required_argument, NULL, 'p' },
		{ "host", required_argument, NULL, 'H' }, { "tls", required_argument, NULL, 't' },
		{ "until-eof", no_argument, NULL, 'e' }, { "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' }, { 0 } };
	int c;

	*ret_options = (struct options){ .port = 3000, .host = "127.0.0.1" };
	while ((c = getopt_long(argc, argv, "p:H:t:evh", longs, NULL)) != -1) {
		if (c == 'p') {
			ret_options->port = (unsigned)strtoul(optarg, NULL, 10);
		} else if (c == 'H') {
			ret_options->host = optarg;
		} else if (c == 't' && optind < argc) {
			ret_options->cert = optarg;
			ret_options->key = argv[optind++];
		} else if (c == 'e') {
			ret_options->until_eof = true;
		} else if (c == 'v') {
			ret_options->verbose = true;
		} else {
			sim_usage();
			return c == 'h' ? 1 : -EINVAL;
		}
	}
	if (ret_options->port > 65535 || argc - optind > 1)
		return -EINVAL;
	ret_options->script = optind < argc ? argv[optind] : NULL;
	return 0;
}

static void on_sim_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

static void on_stdin_ended(void *arg)
{
	event_base_loopbreak(arg);
}

static int sim_begin(struct sim_server *s, const struct options *o, struct sim_console **ret_script)
{
	int rc = 0;

	snprintf(s->host, sizeof(s->host), "%s", o->host);
	s->port = (uint16_t)o->port;
	if (o->cert && hf_sim_server_tls(s, o->cert, o->key)) {
		fprintf(stderr, "the certificate '%s' or its key is not usable\n", o->cert);
		return -EINVAL;
	}
	if (o->script)
		rc = hf_sim_console_file(s, o->script, ret_script);
	if (rc)
		return rc;
	rc = hf_sim_server_listen(s);
	if (rc) {
		fprintf(
		    stderr, "cannot listen on %s port %u: %s\n", o->host, o->port, strerror(-rc));
		return rc;
	}
	printf("listening %u\n", s->port);
	return fflush(stdout) ? -EIO : 0;
}

static int sim_serve(struct event_base *base, const struct options *o)
{
	struct event *term = evsignal_new(base, SIGTERM, on_sim_signal, base);
	struct event *intr = evsignal_new(base, SIGINT, on_sim_signal, base);
	struct sim_console *script = NULL, *input = NULL;
	struct sim_server s;
	int rc = hf_sim_server_init(&s, base);

	evsignal_add(term, NULL);
	evsignal_add(intr, NULL);
	if (!rc)
		rc = sim_begin(&s, o, &script);
	if (!rc)
		rc = hf_sim_console_open(&s, STDIN_FILENO, STDOUT_FILENO,
		    o->until_eof ? on_stdin_ended : NULL, base, &input);
	if (!rc)
		event_base_dispatch(base);
	hf_sim_console_free(input);
	hf_sim_console_free(script);
	hf_sim_server_done(&s);
	event_free(term);
	event_free(intr);
	return rc;
}

int main(int argc, char **argv)
{
	struct event_base *base;
	struct options o;
	int rc = sim_parse_options(argc, argv, &o);

	if (rc)
		return rc > 0 ? 0 : 2;
	signal(SIGPIPE, SIG_IGN);
	hf_log_init(STDERR_FILENO, o.verbose ? HF_LOG_DEBUG : HF_LOG_WARN, HF_LOG_TEXT, NULL);
	base = event_base_new();
	if (!base)
		return 1;
	rc = sim_serve(base, &o);
	event_base_free(base);
	return rc ? 1 : 0;
}
