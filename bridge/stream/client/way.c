/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/way.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bridge/stream/client/dial.h"
#include "bridge/stream/client/header_command.h"
#include "bridge/stream/client/host_lookup.h"
#include "bridge/stream/client/inquiry.h"
#include "bridge/stream/client/proxy.h"

struct hf_way {
	struct hf_way_config config;
	struct hf_target target;
	struct hf_addresses addresses; /* being tried */
	bool again;                    /* REST answered before: a connection may be open */
	/* What is under way, one at most; all owned. */
	struct hf_host_lookup *lookup;
	struct hf_header_command *command;
	struct hf_inquiry *inquiry;
	struct hf_dial *dial;
};

static void way_fail(struct hf_way *w, enum hf_problem_code code)
{
	struct hf_problem p;

	hf_problem_set(&p, code, NULL);
	w->config.reports->failed(w->config.arg, &p);
}

/* --- the connection --- */

static void on_dialled(
    void *arg, struct hf_http_handle *winner, size_t which, const struct hf_problem *problem)
{
	struct hf_way *w = arg;

	w->dial = NULL;
	if (!winner) {
		w->config.reports->failed(w->config.arg, problem);
		return;
	}
	hf_addresses_prefer(&w->addresses, which);
	w->config.reports->dialled(w->config.arg, winner);
}

int hf_way_dial(struct hf_way *w, struct hf_problem *ret_problem)
{
	const struct hf_dial_config race = { .http = w->config.http,
		.clock = w->config.clock,
		.target = &w->target,
		.addresses = &w->addresses };

	if (hf_dial_new(&race, on_dialled, w, &w->dial) == 0)
		return 0;
	hf_problem_set(ret_problem, HF_PROBLEM_MEMORY, NULL);
	return -1;
}

/* --- REST --- */

static void on_told(
    void *arg, struct hf_server_info *told, size_t which, const struct hf_problem *problem)
{
	struct hf_way *w = arg;

	w->inquiry = NULL;
	if (!told) {
		w->config.reports->failed(w->config.arg, problem);
		return;
	}
	if (!w->again)
		hf_addresses_prefer(&w->addresses, which);
	w->again = true;
	w->config.reports->told(w->config.arg, told);
}

/* Returns 0, or -ENOMEM. */
static int way_ask(struct hf_way *w)
{
	struct hf_inquiry_config config = { .http = w->config.http,
		.clock = w->config.clock,
		.target = &w->target,
		.addresses = &w->addresses,
		.partial = !w->again };

	config.all = w->config.reports->listing(w->config.arg, &config.n_all);
	return hf_inquiry_new(&config, on_told, w, &w->inquiry);
}

/* --- headers --- */

static int add_lines(struct curl_slist **list, const struct hf_texts *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		struct curl_slist *more = curl_slist_append(*list, lines->at[i]);

		if (!more)
			return -ENOMEM;
		*list = more;
	}
	return 0;
}

/*
 * The operator's headers and, after them, the command's (NULL: none). Returns 0, or -ENOMEM; then
 * the headers are as they were.
 */
static int way_set_headers(struct hf_way *w, const struct hf_texts *lines)
{
	struct curl_slist *next = NULL;

	if (add_lines(&next, &w->config.settings->headers) || (lines && add_lines(&next, lines))) {
		curl_slist_free_all(next);
		return -ENOMEM;
	}
	curl_slist_free_all(w->target.headers);
	w->target.headers = next;
	return 0;
}

static void on_headers(void *arg, const struct hf_texts *lines, const struct hf_problem *problem)
{
	struct hf_way *w = arg;

	w->command = NULL;
	if (problem && !w->again) {
		w->config.reports->failed(w->config.arg, problem);
		return;
	}
	if (problem)
		hf_log_debug("source '%s': asked again with the headers from before: %s",
		    w->config.settings->name, problem->text);
	else if (way_set_headers(w, lines) && !w->again) {
		way_fail(w, HF_PROBLEM_MEMORY);
		return;
	}
	if (way_ask(w))
		way_fail(w, HF_PROBLEM_MEMORY);
}

/* Returns 0, or -1 and *ret_problem says why the command cannot be run. */
static int run_command(struct hf_way *w, struct hf_problem *ret_problem)
{
	const struct hf_stream_settings *s = w->config.settings;

	return hf_header_command_new(hf_http_base(w->config.http), &s->header_command,
	    s->timeouts.header_command_ms, on_headers, w, &w->command, ret_problem);
}

/* The headers, then REST. Returns 0, or -1 and *ret_problem. */
static int way_begin_asking(struct hf_way *w, struct hf_problem *ret_problem)
{
	hf_problem_set(ret_problem, HF_PROBLEM_MEMORY, NULL);
	if (way_set_headers(w, NULL))
		return -1;
	if (w->config.settings->header_command.n)
		return run_command(w, ret_problem) ? -1 : 0;
	return way_ask(w) ? -1 : 0;
}

/* What the command told may have run out meanwhile. */
int hf_way_ask_again(struct hf_way *w)
{
	struct hf_problem p;

	if (w->config.settings->header_command.n && run_command(w, &p) == 0)
		return 0;
	return way_ask(w);
}

bool hf_way_is_asking(const struct hf_way *w)
{
	return w->inquiry || w->command;
}

/* --- begin and end --- */

static void on_resolved(
    void *arg, const struct hf_addresses *addresses, const struct hf_problem *problem)
{
	struct hf_way *w = arg;
	const struct hf_addresses *good = w->config.good;
	struct hf_problem p;

	w->lookup = NULL;
	if (problem && !good->n) {
		w->config.reports->failed(w->config.arg, problem);
		return;
	}
	if (problem)
		hf_log_debug("source '%s': %s; its last good addresses are tried",
		    w->config.settings->name, problem->text);
	w->addresses = problem ? *good : *addresses;
	if (way_begin_asking(w, &p))
		w->config.reports->failed(w->config.arg, &p);
}

/* Not the token is missing, but what it takes to read it. */
static bool is_shortage(int rc)
{
	return rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE;
}

static int find_token(struct hf_way *w, struct hf_problem *ret_problem)
{
	char why[HF_CLIENT_WHY_MAX];
	int rc = w->config.ops->token(w->config.ops_arg, w->target.token, why);

	if (!rc)
		return 0;
	hf_problem_set(
	    ret_problem, is_shortage(rc) ? HF_PROBLEM_MEMORY : HF_PROBLEM_NO_TOKEN, "%.300s", why);
	return -1;
}

static int way_begin(struct hf_way *w, struct hf_problem *ret_problem)
{
	const struct hf_stream_settings *s = w->config.settings;
	struct hf_server_url *place = &w->target.place;
	struct hf_host_lookup_config config = { .base = hf_http_base(w->config.http),
		.host = place->host,
		.resolv_conf = s->resolv_conf,
		.hosts = s->hosts,
		.limit_ms = s->timeouts.resolve_ms };
	int rc = hf_server_url_parse(s->url, place);

	if (rc) {
		hf_problem_set(
		    ret_problem, rc == -ENOMEM ? HF_PROBLEM_MEMORY : HF_PROBLEM_URL, NULL);
		return -1;
	}
	if (find_token(w, ret_problem))
		return -1;
	snprintf(w->target.proxy, sizeof(w->target.proxy), "%s",
	    hf_proxy_for(s->proxy, place->tls, place->host, place->port, getenv));
	if (w->target.proxy[0])
		return way_begin_asking(w, ret_problem); /* the proxy resolves */
	if (hf_host_lookup_new(&config, on_resolved, w, &w->lookup) == 0)
		return 0;
	hf_problem_set(ret_problem, HF_PROBLEM_MEMORY, NULL);
	return -1;
}

int hf_way_new(
    const struct hf_way_config *config, struct hf_way **ret_way, struct hf_problem *ret_problem)
{
	struct hf_way *w = calloc(1, sizeof(*w));

	if (!w) {
		hf_problem_set(ret_problem, HF_PROBLEM_MEMORY, NULL);
		return -1;
	}
	w->config = *config;
	w->target.settings = config->settings;
	if (way_begin(w, ret_problem)) {
		hf_way_free(w);
		return -1;
	}
	*ret_way = w;
	return 0;
}

void hf_way_free(struct hf_way *w)
{
	if (!w)
		return;
	hf_host_lookup_free(w->lookup);
	hf_header_command_free(w->command);
	hf_inquiry_free(w->inquiry);
	hf_dial_free(w->dial);
	explicit_bzero(w->target.token, sizeof(w->target.token));
	curl_slist_free_all(w->target.headers);
	free(w);
}

const struct hf_target *hf_way_target(const struct hf_way *w)
{
	return &w->target;
}

const struct hf_addresses *hf_way_addresses(const struct hf_way *w)
{
	return &w->addresses;
}
