/* SPDX-License-Identifier: Apache-2.0 */
#include "examples/simulator/sim_script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/simulator/sim_script_line.h"

/* One of the strings of the world; "-": there is none. */
static int set_string(const struct sim_line *l, char **string)
{
	return hf_sim_world_set(
	    string, strcmp(hf_sim_line_word(l, 0), "-") ? hf_sim_line_word(l, 0) : NULL);
}

static int run_suffix(const struct sim_line *l)
{
	return set_string(l, &l->server->world.suffix);
}

static int run_deployment(const struct sim_line *l)
{
	return set_string(l, &l->server->world.deployment);
}

static int run_token(const struct sim_line *l)
{
	return set_string(l, &l->server->world.token);
}

static int run_expires(const struct sim_line *l)
{
	return set_string(l, &l->server->world.expires);
}

/* The text from word i on, with single spaces. */
static void line_rest(const struct sim_line *l, size_t i, char *to, size_t room)
{
	size_t n = 0;

	*to = '\0';
	for (; i < l->n_words && n < room; i++)
		n += (size_t)snprintf(to + n, room - n, "%s%s", n ? " " : "", l->words[i]);
}

static int run_scopes(const struct sim_line *l)
{
	char text[SIM_REPLY];

	line_rest(l, 0, text, sizeof(text));
	return hf_sim_world_set(&l->server->world.scopes, l->n_words ? text : NULL);
}

static int run_server_version(const struct sim_line *l)
{
	return hf_sim_world_set(&l->server->world.version, hf_sim_line_word(l, 0));
}

static int run_api(const struct sim_line *l)
{
	return hf_sim_world_set(&l->server->world.api, hf_sim_line_word(l, 0));
}

static int run_workspace_updates(const struct sim_line *l)
{
	l->server->unimplemented = !strcmp(hf_sim_line_word(l, 0), "off");
	return 0;
}

static int run_cut(const struct sim_line *l)
{
	static const struct {
		const char *name;
		enum sim_cut what;
		uint64_t code;
		bool of_user;
	} cuts[] = { { "tcp", CUT_TCP, 0, false }, { "rst", CUT_RST, 0, false },
		{ "ws", CUT_WS, 1000, false }, { "goaway", CUT_GOAWAY, 0, false },
		{ "yamux", CUT_YAMUX, 0, true }, { "call", CUT_CALL, 0, true },
		{ "error", CUT_ERROR, 0, false } };
	char text[256];
	struct sim_cut_how how = { .text = text };

	line_rest(l, 2, text, sizeof(text));
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		if (strcmp(hf_sim_line_word(l, 0), cuts[i].name))
			continue;
		how.what = cuts[i].what;
		how.user = cuts[i].of_user && l->n_words > 1 ? hf_sim_line_named(l, 1) : NULL;
		if (cuts[i].of_user ? l->n_words > 1 && !how.user
				    : hf_sim_line_number(l, 1, cuts[i].code, &how.code))
			return -EINVAL;
		hf_sim_server_cut(l->server, &how);
		return 0;
	}
	return hf_sim_line_say(l, -EINVAL, "cannot cut '%s'", hf_sim_line_word(l, 0));
}

static int run_refuse(const struct sim_line *l)
{
	struct sim_refusal r = { 0 };
	size_t n = 0;
	uint64_t status;

	if (!strcmp(hf_sim_line_word(l, 0), "off")) {
		l->server->refusal = r;
		return 0;
	}
	if (hf_sim_line_number(l, 0, 0, &status) || status < 200 || status > 599)
		return hf_sim_line_say(l, -EINVAL, "'%s' is no status", hf_sim_line_word(l, 0));
	r.status = (int)status;
	r.html = status == 200;
	for (size_t i = 1; i < l->n_words; i++) {
		const char *value = strchr(l->words[i], '=');

		if (*l->words[i] == '/')
			snprintf(r.path, sizeof(r.path), "%s", l->words[i]);
		else if (!strcmp(l->words[i], "stream"))
			r.only_stream = true;
		else if (!strcmp(l->words[i], "html"))
			r.html = true;
		else if (value && n < sizeof(r.headers))
			n += (size_t)snprintf(r.headers + n, sizeof(r.headers) - n, "%.*s: %s\r\n",
			    (int)(value - l->words[i]), l->words[i], value + 1);
		else
			return hf_sim_line_say(l, -EINVAL, "'%s' is not HEADER=VALUE", l->words[i]);
	}
	if (n >= sizeof(r.headers))
		return hf_sim_line_say(l, -EINVAL, "too many headers");
	l->server->refusal = r;
	return 0;
}

static int run_freeze(const struct sim_line *l)
{
	hf_sim_server_freeze(l->server, true);
	return 0;
}

static int run_thaw(const struct sim_line *l)
{
	hf_sim_server_freeze(l->server, false);
	return 0;
}

static int run_slow(const struct sim_line *l)
{
	const char *path = hf_sim_line_word(l, 1);
	uint32_t ms;

	if (hf_sim_line_duration(l, 0, &ms))
		return -EINVAL;
	if (path && *path != '/')
		return hf_sim_line_say(l, -EINVAL, "'%s' is no path", path);
	l->server->slow_ms = ms;
	snprintf(l->server->slow_path, sizeof(l->server->slow_path), "%s", path ? path : "");
	return 0;
}

static int run_down(const struct sim_line *l)
{
	hf_sim_server_down(l->server);
	return 0;
}

static int run_up(const struct sim_line *l)
{
	int rc = hf_sim_server_listen(l->server);

	return rc ? hf_sim_line_say(l, rc, "cannot listen: %s", strerror(-rc)) : 0;
}

static int run_ping(const struct sim_line *l)
{
	uint32_t ms;

	if (hf_sim_line_duration(l, 1, &ms))
		return -EINVAL;
	if (!strcmp(hf_sim_line_word(l, 0), "ws"))
		l->server->ws_ping_ms = ms;
	else if (!strcmp(hf_sim_line_word(l, 0), "yamux"))
		l->server->yamux_ping_ms = ms;
	else
		return hf_sim_line_say(l, -EINVAL, "ping ws or ping yamux");
	return 0;
}

static int run_wait(const struct sim_line *l)
{
	int rc = hf_sim_line_duration(l, 0, l->wait_ms);

	return rc ? rc : *l->wait_ms > 0 ? SIM_AGAIN : 0;
}

static int run_await(const struct sim_line *l)
{
	const struct sim_counts *c = &l->server->counts;
	const char *what = hf_sim_line_word(l, 0);
	const struct sim_user *u = NULL;
	uint64_t want, have;

	if (hf_sim_line_number(l, 1, 1, &want))
		return -EINVAL;
	if (l->n_words > 2 && !(u = hf_sim_line_named(l, 2)))
		return -ENOENT;
	if (!strcmp(what, "streams"))
		have = hf_sim_server_streams(l->server, u);
	else if (!strcmp(what, "sessions"))
		have = hf_sim_server_sessions(l->server);
	else if (!strcmp(what, "calls"))
		have = c->calls;
	else if (!strcmp(what, "upgrades"))
		have = c->upgrades;
	else if (!strcmp(what, "requests"))
		have = c->requests;
	else if (!strcmp(what, "connections"))
		have = c->connections;
	else
		return hf_sim_line_say(l, -EINVAL, "cannot await '%s'", what);
	if (want ? have >= want : !have)
		return 0;
	return hf_sim_line_say(l, SIM_AGAIN, "%llu %s so far", (unsigned long long)have, what);
}

static int run_status(const struct sim_line *l)
{
	const struct sim_counts *c = &l->server->counts;

	return hf_sim_line_say(l, 0,
	    "sessions=%u streams=%u connections=%llu requests=%llu upgrades=%llu calls=%llu",
	    hf_sim_server_sessions(l->server), hf_sim_server_streams(l->server, NULL),
	    (unsigned long long)c->connections, (unsigned long long)c->requests,
	    (unsigned long long)c->upgrades, (unsigned long long)c->calls);
}

static const struct sim_command commands[] = {
	{ "scopes", 0, run_scopes, "[WORD...]", "of the token, as workspace:read; else coder:all" },
	{ "wait", 1, run_wait, "TIME", "the next line is run that much later" },
	{ "await", 1, run_await, "WHAT [N] [NAME]",
	    "the next line is run when there are N streams (of that user), sessions, or since the\n"
	    "        start N calls, upgrades, requests, connections; streams 0: when there are none" },
	{ "cut", 1, run_cut, "HOW",
	    "tcp, rst: connections; ws [CODE [TEXT]]: websockets; goaway [CODE]; yamux [NAME]: reset of\n        the streams; call [NAME]: end of the calls; error [CODE [TEXT]]: the same with an error" },
	{ "refuse", 1, run_refuse, "STATUS [stream] [/PATH] [html] [HEADER=VALUE...]",
	    "the answer to everything (to the stream, to that path only); 200 is a login page; `refuse off`" },
	{ "slow", 1, run_slow, "TIME [/PATH]",
	    "REST (that path) is answered so late; off: at once" },
	{ "freeze", 0, run_freeze, "", "nothing is read or written, `thaw` ends it" },
	{ "thaw", 0, run_thaw, "", "" },
	{ "down", 0, run_down, "", "connections end, new ones are refused; `up` ends it" },
	{ "up", 0, run_up, "", "" },
	{ "token", 1, run_token, "TEXT", "the one that is good; -: any (so at the start)" },
	{ "expires", 1, run_expires, "TIME", "when the token does, as 2030-01-31T00:00:00Z" },
	{ "suffix", 1, run_suffix, "TEXT", "of hostnames; -: none is told" },
	{ "deployment", 1, run_deployment, "ID", "of the deployment; -: none is told" },
	{ "version", 1, run_server_version, "TEXT", "of the server" },
	{ "api", 1, run_api, "TEXT", "the version of the stream that is served, as 2.8" },
	{ "workspace-updates", 1, run_workspace_updates, "on|off",
	    "off: calls are answered with dRPC's code 12" },
	{ "ping", 2, run_ping, "ws|yamux TIME", "how often connections are pinged; off: never" },
	{ "status", 0, run_status, "", "answers with what there is" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct sim_command *const tables[] = { hf_sim_world_commands, commands };

static const struct sim_command *script_find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (const struct sim_command *c = tables[i]; c->name; c++) {
			if (!strcmp(name, c->name))
				return c;
		}
	}
	return NULL;
}

static int run_words(const struct sim_line *l)
{
	const struct sim_command *c = script_find_command(l->words[0]);
	struct sim_line rest = *l;

	if (!c)
		return hf_sim_line_say(l, -EINVAL, "there is no command '%s'", l->words[0]);
	rest.words++;
	rest.n_words--;
	if (rest.n_words < c->min)
		return hf_sim_line_say(l, -EINVAL, "usage: %s %s", c->name, c->help);
	return c->run(&rest);
}

int hf_sim_script_run(
    struct sim_server *s, char *text, char ret_reply[SIM_REPLY], uint32_t *ret_wait_ms)
{
	struct sim_line l = { .server = s, .reply = ret_reply, .wait_ms = ret_wait_ms };
	char *save = NULL, *hash = strchr(text, '#');
	int rc = 0;

	*ret_reply = '\0';
	*ret_wait_ms = 0;
	if (hash && (hash == text || strchr(" \t", hash[-1])))
		*hash = '\0';
	l.words = calloc(strlen(text) / 2 + 2, sizeof(*l.words));
	if (!l.words)
		return -ENOMEM;
	for (char *w = strtok_r(text, " \t\r", &save); w; w = strtok_r(NULL, " \t\r", &save))
		l.words[l.n_words++] = w;
	if (l.n_words)
		rc = run_words(&l);
	free(l.words);
	if (rc < 0 && !*ret_reply)
		snprintf(ret_reply, SIM_REPLY, "%s", strerror(-rc));
	return rc;
}

void hf_sim_script_help(void)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (const struct sim_command *c = tables[i]; c->name; c++) {
			if (*c->does)
				printf("    %s %s\n        %s\n", c->name, c->help, c->does);
		}
	}
}
