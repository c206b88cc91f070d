/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast-follow: prints what the control stream of a Coder server brings, live. It writes and
 * changes nothing. An example of how bridge/stream is used without the bridge.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/no_dump.h"
#include "bridge/stream/client/client.h"
#include "bridge/stream/wire/printable.h"
#include "bridge/stream/client/http.h"

enum { OWNERS_MAX = 64 };

struct follow {
	struct event_base *base;
	const char *token_file; /* NULL: CODER_SESSION_TOKEN */
	const char *owners[OWNERS_MAX];
	size_t n_owners;
	bool totals; /* records are counted, not shown */
	bool once;
	struct hf_stream_settings settings;
	uint64_t snapshots;
	uint64_t diffs;
};

/* --- what the client asks and tells --- */

static int follow_get_token(void *arg, char ret_token[static HF_CLIENT_TOKEN_MAX + 1],
    char ret_why[static HF_CLIENT_WHY_MAX])
{
	struct follow *f = arg;
	const char *text = getenv("CODER_SESSION_TOKEN");
	uint8_t *bytes = NULL;
	size_t len = 0;
	int rc = 0;

	if (f->token_file) {
		rc = hf_file_read(AT_FDCWD, f->token_file, HF_CLIENT_TOKEN_MAX, &bytes, &len);
		text = (const char *)bytes;
	}
	if (!rc && (!text || !*text || strlen(text) > HF_CLIENT_TOKEN_MAX))
		rc = -ENOENT;
	if (rc)
		snprintf(ret_why, HF_CLIENT_WHY_MAX, "%s: %s",
		    f->token_file ? f->token_file : "CODER_SESSION_TOKEN", hf_strerror(rc));
	else
		snprintf(
		    ret_token, HF_CLIENT_TOKEN_MAX + 1, "%.*s", (int)strcspn(text, " \r\n"), text);
	if (bytes)
		explicit_bzero(bytes, len);
	free(bytes);
	return rc;
}

static enum hf_verdict follow_identify(void *arg, const struct hf_server_info *told)
{
	printf("server: Coder %s, deployment %s, user %s, suffix %s\n",
	    told->version[0] ? told->version : "(unknown)",
	    told->deployment_id[0] ? told->deployment_id : "(unknown)", told->user_name,
	    told->suffix[0] ? told->suffix : "(not asked)");
	return HF_VERDICT_ACCEPTED;
}

static void follow_show_owner(void *arg, const struct hf_owner_info *owner, int64_t asked_ms)
{
	static const char *const readable[] = { "may be read, as far as is known",
		"MAY NOT BE READ", "may be read" };
	char id[HF_UUID_TEXT_MAX];

	printf("owner: %s %s, workspaces %s\n", owner->name, hf_uuid_text(&owner->id, id),
	    readable[owner->readable]);
}

static void show_workspaces(const char *what, const struct hf_update_workspace *at, size_t n)
{
	char id[HF_UUID_TEXT_MAX], name[80];

	for (size_t i = 0; i < n; i++)
		printf("  %s workspace %s %s status %d\n", what, hf_uuid_text(&at[i].id, id),
		    hf_printable_copy(name, sizeof(name), at[i].name.at, at[i].name.len),
		    at[i].status);
}

static void show_agents(const char *what, const struct hf_update_agent *at, size_t n)
{
	char id[HF_UUID_TEXT_MAX], workspace[HF_UUID_TEXT_MAX], name[80];

	for (size_t i = 0; i < n; i++)
		printf("  %s agent %s %s of %s\n", what, hf_uuid_text(&at[i].id, id),
		    hf_printable_copy(name, sizeof(name), at[i].name.at, at[i].name.len),
		    hf_uuid_text(&at[i].workspace, workspace));
}

static int show_update(void *arg, struct hf_update *u, struct hf_judgement *ret_judgement)
{
	struct follow *f = arg;
	char owner[HF_UUID_TEXT_MAX];
	bool snapshot = u->kind == HF_UPDATE_SNAPSHOT;

	f->snapshots += snapshot;
	f->diffs += !snapshot;
	printf(
	    "%s of %s: %zu workspaces, %zu agents; gone: %zu workspaces, %zu agents; refused: %" PRIu64
	    "\n",
	    snapshot ? "snapshot" : "diff", hf_uuid_text(&u->owner, owner),
	    u->n_upserted_workspaces, u->n_upserted_agents, u->n_deleted_workspaces,
	    u->n_deleted_agents, u->refused_total);
	if (!f->totals) {
		show_workspaces("+", u->upserted_workspaces, u->n_upserted_workspaces);
		show_agents("-", u->deleted_agents, u->n_deleted_agents);
		show_workspaces("-", u->deleted_workspaces, u->n_deleted_workspaces);
		show_agents("+", u->upserted_agents, u->n_upserted_agents);
	}
	for (size_t i = 0; i < u->n_refused; i++)
		printf("  refused %s %s: %s\n", u->refused[i].what, u->refused[i].name,
		    u->refused[i].reason);
	fflush(stdout);
	*ret_judgement = (struct hf_judgement){ .verdict = HF_VERDICT_ACCEPTED };
	return 0;
}

static void show_settled(void *arg, const struct hf_server_info *told)
{
	const struct follow *f = arg;

	printf("settled: %zu owners\n", told->n_owners);
	fflush(stdout);
	if (f->once)
		event_base_loopbreak(f->base);
}

static bool follow_never(void *arg, const struct hf_uuid *owner)
{
	return false;
}

static bool follow_no(void *arg)
{
	return false;
}

static void show_contact(void *arg)
{
	hf_log_debug("the server is there");
}

static void show_away(void *arg)
{
	printf("away\n");
	fflush(stdout);
}

static const struct hf_client_ops ops = {
	.token = follow_get_token,
	.identify = follow_identify,
	.owner = follow_show_owner,
	.settled = show_settled,
	.update = show_update,
	.wants_snapshot = follow_never,
	.wants_connection = follow_no,
	.busy = follow_no,
	.contact = show_contact,
	.away = show_away,
};

/* --- life --- */

static void follow_usage(FILE *out)
{
	fputs(
	    "usage: holdfast-follow [--url URL] [--token-file FILE] [--owner NAME]... [--ca-file FILE]\n"
	    "                       [--interval SECONDS] [--seconds SECONDS] [--once] [--totals]\n"
	    "                       [--verbose]\n"
	    "\n"
	    "Prints what the control stream of a Coder server brings; changes nothing.\n"
	    "\n"
	    "  --url URL         default: CODER_URL\n"
	    "  --token-file FILE default: the token is in CODER_SESSION_TOKEN\n"
	    "  --owner NAME      me (default), all, a user name or id\n"
	    "  --ca-file FILE    certificate authorities to trust\n"
	    "  --interval N      a new snapshot is taken so often; default 600\n"
	    "  --seconds N       ends after so long; else at SIGINT\n"
	    "  --once            ends when there was a snapshot of each owner\n"
	    "  --totals          only the numbers of each message, not its records\n"
	    "  --verbose         tells each step on stderr\n"
	    "\n"
	    "Ends with 0 if there was a snapshot, else with 1.\n",
	    out);
}

static void fill_defaults(struct follow *f)
{
	f->settings = (struct hf_stream_settings){
		.name = "follow",
		.url = getenv("CODER_URL"),
		.ask_suffix = true,
		.snapshot_interval_ms = 600 * 1000,
		.limits = HF_STREAM_LIMITS_DEFAULT,
		.timeouts = { .resolve_ms = 5000,
		    .address_delay_ms = 250,
		    .connect_ms = 10000,
		    .head_ms = 10000,
		    .request_ms = 30000,
		    .first_message_ms = 60000,
		    .second_snapshot_ms = 30000,
		    .header_command_ms = 10000,
		    .ping_interval_ms = 15000,
		    .ping_timeout_ms = 20000,
		    .doubt_ms = 3000 },
		.retry = { .floor_ms = 50,
		    .cap_ms = 10000,
		    .steady_ms = 10000,
		    .permanent_ms = 300000,
		    .unauthorised_ms = 60000,
		    .events_ms = 5000,
		    .per_minute = 20 },
	};
}

static int read_options(struct follow *f, int argc, char **argv, long *ret_seconds)
{
	static const struct option options[] = { { "url", required_argument, NULL, 'u' },
		{ "token-file", required_argument, NULL, 't' },
		{ "owner", required_argument, NULL, 'o' },
		{ "ca-file", required_argument, NULL, 'c' },
		{ "interval", required_argument, NULL, 'i' },
		{ "seconds", required_argument, NULL, 's' }, { "once", no_argument, NULL, '1' },
		{ "totals", no_argument, NULL, 'n' }, { "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'u':
			f->settings.url = optarg;
			break;
		case 't':
			f->token_file = optarg;
			break;
		case 'o':
			if (f->n_owners == OWNERS_MAX)
				return 2;
			f->owners[f->n_owners++] = optarg;
			break;
		case 'c':
			f->settings.ca_file = optarg;
			break;
		case 'i':
			f->settings.snapshot_interval_ms = 1000 * strtol(optarg, NULL, 10);
			break;
		case 's':
			*ret_seconds = strtol(optarg, NULL, 10);
			break;
		case '1':
			f->once = true;
			break;
		case 'n':
			f->totals = true;
			break;
		case 'v':
			hf_log_set_level(HF_LOG_DEBUG);
			break;
		case 'h':
			follow_usage(stdout);
			exit(0);
		default:
			return 2;
		}
	}
	if (optind != argc || !f->settings.url || f->settings.snapshot_interval_ms <= 0)
		return 2;
	if (!f->n_owners)
		f->owners[f->n_owners++] = "me";
	f->settings.owners = (struct hf_texts){ .at = f->owners, .n = f->n_owners };
	return 0;
}

static void on_follow_end(evutil_socket_t fd, short what, void *arg)
{
	struct follow *f = arg;

	event_base_loopbreak(f->base);
}

/* Follows until a signal or the time ends it. 0 or -ENOMEM. */
static int follow_run(struct follow *f, long seconds)
{
	const struct timeval tv = { .tv_sec = seconds };
	struct event *sigint = evsignal_new(f->base, SIGINT, on_follow_end, f);
	struct event *sigterm = evsignal_new(f->base, SIGTERM, on_follow_end, f);
	struct event *over = evtimer_new(f->base, on_follow_end, f);
	struct hf_http *http = NULL;
	struct hf_client *client = NULL;
	int rc = -ENOMEM;

	if (sigint && sigterm && over && !event_add(sigint, NULL) && !event_add(sigterm, NULL) &&
	    !hf_http_new(f->base, &http) &&
	    !hf_client_new(http, &hf_clock_system, &f->settings, NULL, &ops, f, &client)) {
		if (seconds > 0)
			event_add(over, &tv);
		event_base_dispatch(f->base);
		rc = 0;
	}
	hf_client_free(client);
	hf_http_free(http);
	if (over)
		event_free(over);
	if (sigterm)
		event_free(sigterm);
	if (sigint)
		event_free(sigint);
	return rc;
}

int main(int argc, char **argv)
{
	struct follow f = { .base = NULL };
	long seconds = 0;
	int rc;

	if (!hf_no_dump())
		fputs(
		    "holdfast-follow: HOLDFAST_DUMPABLE is set: a core file would hold the session token\n",
		    stderr);
	fill_defaults(&f);
	if (read_options(&f, argc, argv, &seconds)) {
		follow_usage(stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	f.base = event_base_new();
	rc = f.base ? follow_run(&f, seconds) : -ENOMEM;
	if (f.base)
		event_base_free(f.base);
	if (rc)
		fprintf(stderr, "holdfast-follow: %s\n", hf_strerror(rc));
	else
		printf("%" PRIu64 " snapshots, %" PRIu64 " diffs\n", f.snapshots, f.diffs);
	return rc || !f.snapshots ? 1 : 0;
}
