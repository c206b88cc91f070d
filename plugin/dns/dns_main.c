/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast-dns: answers the names of the published zone by UDP and TCP. This file only wires:
 * arguments, configuration, sockets, rights, server, signals.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/no_dump.h"
#include "base/notify.h"
#include "config/config.h"
#include "plugin/dns/dns_rights.h"
#include "plugin/dns/sandbox.h"
#include "plugin/dns/server.h"
#include "plugin/dns/sock.h"
#include "plugin/dns/worker.h"

enum { EXIT_USAGE = 2, WATCH_S = 10, WHY_MAX = 300 };

struct program {
	const char *file; /* NULL: the defaults, there is no file */
	bool file_given;
	struct hf_config *config; /* owned */
	struct hf_socks socks;
	struct hf_server *server; /* owned */
};

static const char usage_text[] =
    "usage: holdfast-dns [-c FILE]\n"
    "Answers DNS questions from the published zone, in the foreground; logs to stderr.\n"
    "  -c FILE  the configuration (default " HF_CONFIG_PATH ", if it is there)\n"
    "  -h, --help; -V, --version\n"
    "SIGHUP reads dns.allow and log.level again, SIGTERM stops it. See holdfast-dns(8).\n";

/* Returns -1 to go on, else the exit status. */
static int read_arguments(struct program *p, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:hV", long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
			p->file = optarg;
			p->file_given = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		case 'V':
			puts("holdfast-dns " HF_VERSION);
			return 0;
		default:
			fputs(usage_text, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(
	    stderr, "holdfast-dns: '%s' is one argument too many\n%s", argv[optind], usage_text);
	return EXIT_USAGE;
}

static void tell_errors(const struct hf_config_errors *errors)
{
	char text[1024];

	for (size_t i = 0; i < errors->n; i++)
		hf_log_error("%s", hf_config_error_text(errors, i, text, sizeof(text)));
	if (errors->more)
		hf_log_error("%zu more errors in '%s'", errors->more, errors->file);
}

/* The file that was named; else the usual one, if there; else what holds without any. */
static int load_config(struct program *p, struct hf_config **ret_config)
{
	struct hf_config_errors errors;
	int rc;

	if (!p->file && access(HF_CONFIG_PATH, F_OK) == 0)
		p->file = HF_CONFIG_PATH;
	rc = p->file ? hf_config_load(p->file, 0, ret_config, &errors)
		     : hf_config_parse("defaults", "", 0, 0, ret_config, &errors);
	if (rc)
		tell_errors(&errors);
	return rc;
}

static int no_address(char why[static WHY_MAX])
{
	snprintf(why, WHY_MAX,
	    "dns.listen is empty: expected an address to answer at, such as 127.0.0.1@5453");
	return -EDESTADDRREQ;
}

static int open_sockets(struct program *p)
{
	const struct hf_config_dns *dns = &p->config->dns;
	char why[WHY_MAX];
	int rc = hf_socks_inherit((size_t)dns->threads, &p->socks, why, sizeof(why));

	if (!rc && p->socks.n)
		hf_log_info(
		    "using %zu sockets of the service manager; dns.listen is ignored", p->socks.n);
	else if (!rc && !dns->listen.n)
		rc = no_address(why);
	else if (!rc)
		rc = hf_socks_open(&dns->listen, (size_t)dns->threads, &p->socks, why, sizeof(why));
	if (rc)
		hf_log_error("%s", why);
	return rc;
}

/*
 * A folder that is not there yet is fine, it may come at any time. One that can never be read is
 * not.
 */
static int check_zone(const char *path)
{
	struct stat st;
	DIR *dir;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
		hf_log_error(
		    "zone '%s': expected the folder that holdfastd publishes, not a file", path);
		return -ENOTDIR;
	}
	dir = opendir(path);
	if (dir) {
		closedir(dir);
		return 0;
	}
	if (errno == ENOENT)
		return 0;
	hf_log_error(
	    "zone '%s' cannot be read by user %u: expected a folder that one of its groups may read (%s)",
	    path, (unsigned)geteuid(), strerror(errno));
	return -EACCES;
}

/* What is read once, or kept open, while it still can be. */
static void prepare_for_sandbox(void)
{
	uint8_t id[16];

	hf_boot_id(id);
	hf_notify_keep();
}

static int dns_start(struct program *p)
{
	const struct hf_config_dns *dns = &p->config->dns;
	char why[WHY_MAX];
	struct hf_server_opts opts = {
		.zone = p->config->zone,
		.socks = &p->socks,
		.allow = &dns->allow,
		.clock = &hf_clock_system,
		.tcp = { .connections = (size_t)dns->tcp_connections,
		    .per_client = (size_t)dns->tcp_per_client,
		    .idle_ms = dns->tcp_idle_ms },
	};
	int rc = open_sockets(p);

	if (rc)
		return rc;
	prepare_for_sandbox();
	rc = hf_dns_rights_drop(p->config->zone, why, sizeof(why));
	if (rc) {
		hf_log_error("%s", why);
		return rc;
	}
	rc = check_zone(p->config->zone);
	if (rc)
		return rc;
	hf_sandbox_enter(p->config->zone, p->file ? p->file : HF_CONFIG_PATH);
	hf_worker_setup();
	rc = hf_server_start(&opts, &p->server);
	if (rc)
		hf_log_error("cannot start: %s", hf_strerror(rc));
	return rc;
}

static void tell_listeners(const struct program *p)
{
	for (size_t i = 0; i < p->socks.n; i++)
		if (p->socks.at[i].stream)
			hf_log_info("listening on %s, UDP and TCP", p->socks.at[i].text);
}

static void tell_change(const struct hf_config_change *change, void *arg)
{
	(void)arg;
	if (change->restart && (!strncmp(change->path, "dns.", 4) || !strcmp(change->path, "zone")))
		hf_log_warn("'%s' takes effect at the next start", change->path);
}

/* All or nothing: a file with a fault changes nothing. */
static void dns_reload(struct program *p)
{
	struct hf_config *config;

	hf_notify_reloading();
	if (load_config(p, &config) || hf_server_allow(p->server, &config->dns.allow)) {
		hf_log_warn("reload rejected: the configuration has errors; the running one stays");
	} else {
		hf_config_diff(p->config, config, tell_change, NULL);
		hf_log_set_level(config->log.level);
		hf_config_free(p->config);
		p->config = config;
		hf_log_info("configuration reloaded");
	}
	hf_notify("READY=1");
}

/* Until SIGTERM or SIGINT. */
static void wait_for_signals(struct program *p, const sigset_t *signals)
{
	struct timespec wait = { .tv_sec = WATCH_S };

	for (;;) {
		switch (sigtimedwait(signals, NULL, &wait)) {
		case SIGTERM:
		case SIGINT:
			return;
		case SIGHUP:
			dns_reload(p);
			break;
		default:
			hf_server_watch(p->server);
		}
	}
}

static void block_signals(sigset_t *ret_signals)
{
	sigemptyset(ret_signals);
	sigaddset(ret_signals, SIGTERM);
	sigaddset(ret_signals, SIGINT);
	sigaddset(ret_signals, SIGHUP);
	sigprocmask(SIG_BLOCK, ret_signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
	struct program p = { 0 };
	sigset_t signals;
	bool private;
	int status = read_arguments(&p, argc, argv);

	if (status >= 0)
		return status;
	/* The configuration is the bridge's too, and may hold secrets in its headers. */
	private = hf_no_dump();
	block_signals(&signals);
	status = EXIT_USAGE;
	if (load_config(&p, &p.config) == 0) {
		hf_log_init(STDERR_FILENO, p.config->log.level, p.config->log.format, NULL);
		if (!private)
			hf_log_warn(
			    "HOLDFAST_DUMPABLE is set: core files and debuggers show this process's memory");
		if (dns_start(&p) == 0) {
			tell_listeners(&p);
			hf_notify("READY=1");
			wait_for_signals(&p, &signals);
			hf_notify("STOPPING=1");
			status = EXIT_SUCCESS;
		}
	}
	hf_server_free(p.server);
	hf_socks_close(&p.socks);
	hf_config_free(p.config);
	return status;
}
