/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/host_lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/event.h>
#include <unbound.h>
#include <unbound-event.h>

#include "base/file.h"
#include "base/timing.h"
#include "bridge/stream/wire/dns_answer.h"
#include "bridge/stream/wire/resolv_conf.h"

enum { FILE_MAX = 4 << 20, TYPE_A = 1, TYPE_AAAA = 28, CLASS_IN = 1, NXDOMAIN = 3 };

struct hf_host_lookup {
	struct event_base *base; /* borrowed */
	struct ub_ctx *ctx;      /* owned; NULL where DNS need not be asked */
	struct event *again;     /* owned: the next step, out of libunbound's callbacks */
	struct event *limit;     /* owned */
	char host[HF_DNS_NAME_MAX + 2];
	struct hf_resolv_conf conf;
	size_t i;         /* which of the names that the host may stand for */
	unsigned waiting; /* answers for it */
	bool refused;     /* some server did not say what it was asked */
	bool late;
	struct hf_addresses addresses;
	hf_host_lookup_cb cb;
	void *arg;
};

/* --- what needs no DNS --- */

static bool is_localhost(const char *host)
{
	size_t n = strlen(host);

	if (n && host[n - 1] == '.')
		n--;
	return n >= 9 && !strncasecmp(host + n - 9, "localhost", 9) &&
	       (n == 9 || host[n - 10] == '.');
}

static void read_hosts(struct hf_host_lookup *r, const char *path)
{
	uint8_t *text;
	size_t len;

	if (hf_file_read(AT_FDCWD, path ? path : "/etc/hosts", FILE_MAX, &text, &len))
		return;
	hf_resolv_conf_find_host((const char *)text, len, r->host, &r->addresses);
	free(text);
}

static void read_conf(struct hf_host_lookup *r, const char *path)
{
	uint8_t *text = NULL;
	size_t len = 0;

	if (hf_file_read(AT_FDCWD, path ? path : "/etc/resolv.conf", FILE_MAX, &text, &len)) {
		text = NULL;
		len = 0;
	}
	hf_resolv_conf_parse(&r->conf, text ? (const char *)text : "", len);
	free(text);
}

static void find_without_dns(struct hf_host_lookup *r, const struct hf_host_lookup_config *config)
{
	if (hf_address_is(r->host)) {
		hf_addresses_add(&r->addresses, r->host);
		return;
	}
	read_hosts(r, config->hosts);
	if (!r->addresses.n && is_localhost(r->host)) {
		hf_addresses_add(&r->addresses, "::1");
		hf_addresses_add(&r->addresses, "127.0.0.1");
	}
}

/* --- libunbound --- */

/*
 * A context a question: nothing is cached, and none of libunbound's own zones stands before the
 * names that some networks use (RFC 6761, RFC 8375).
 */
static int make_context(struct hf_host_lookup *r)
{
	static const char *const options[][2] = { { "do-not-query-localhost:", "no" },
		{ "module-config:", "iterator" }, { "target-fetch-policy:", "0 0 0 0 0" },
		{ "minimal-responses:", "no" }, { "msg-cache-size:", "64k" },
		{ "rrset-cache-size:", "64k" }, { "infra-cache-numhosts:", "16" },
		{ "cache-max-ttl:", "0" }, { "outgoing-range:", "16" },
		{ "num-queries-per-thread:", "8" } };
	static const char *const ours_not[] = { "test.", "home.arpa.", "invalid." };

	r->ctx = ub_ctx_create_event(r->base);
	if (!r->ctx)
		return -ENOMEM;
	ub_ctx_debuglevel(r->ctx, 0);
	ub_ctx_debugout(r->ctx, NULL);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ub_ctx_set_option(r->ctx, options[i][0], options[i][1]))
			return -EINVAL;
	for (size_t i = 0; i < r->conf.n_servers; i++)
		if (ub_ctx_set_fwd(r->ctx, r->conf.servers[i]))
			return -EINVAL;
	for (size_t i = 0; i < sizeof(ours_not) / sizeof(ours_not[0]); i++)
		ub_ctx_zone_remove(r->ctx, ours_not[i]);
	return 0;
}

static void step_soon(struct hf_host_lookup *r)
{
	const struct timeval now = { 0 };

	event_add(r->again, &now);
}

/* No context is freed from within this: the next step comes through the loop. */
static void on_lookup_answer(
    void *arg, int rcode, void *packet, int len, int secure, char *why, int limited)
{
	struct hf_host_lookup *r = arg;

	if (rcode == 0 && packet && len > 0)
		hf_dns_answer(packet, (size_t)len, &r->addresses);
	else if (rcode != NXDOMAIN)
		r->refused = true;
	if (--r->waiting == 0)
		step_soon(r);
}

/* Asks for both kinds of addresses of one name. */
static void lookup_ask(struct hf_host_lookup *r, const char *name)
{
	static const int types[] = { TYPE_AAAA, TYPE_A };
	int id;

	r->waiting = 1; /* an answer may come from within */
	for (size_t i = 0; i < 2; i++) {
		r->waiting++;
		if (ub_resolve_event(r->ctx, name, types[i], CLASS_IN, r, on_lookup_answer, &id)) {
			r->refused = true;
			r->waiting--;
		}
	}
	if (--r->waiting == 0)
		step_soon(r);
}

/* --- the steps --- */

static void lookup_tell(struct hf_host_lookup *r)
{
	hf_host_lookup_cb cb = r->cb;
	void *arg = r->arg;
	struct hf_addresses found = r->addresses;
	struct hf_problem p;

	hf_addresses_interleave(&found);
	if (!found.n)
		hf_problem_set(&p, HF_PROBLEM_RESOLVE, "the name '%.200s' %s", r->host,
		    r->late      ? "does not resolve: no name server answers in time"
		    : r->refused ? "does not resolve: the name server fails"
				 : "does not exist in DNS");
	hf_host_lookup_free(r);
	cb(arg, &found, found.n ? NULL : &p);
}

static void on_lookup_again(evutil_socket_t fd, short what, void *arg)
{
	struct hf_host_lookup *r = arg;
	char name[HF_DNS_NAME_MAX + 2];

	if (r->addresses.n || r->late) {
		lookup_tell(r);
		return;
	}
	while (r->ctx && hf_resolv_conf_name(&r->conf, r->host, r->i, name)) {
		r->i++;
		if (*name) {
			lookup_ask(r, name);
			return;
		}
	}
	lookup_tell(r);
}

static void on_lookup_limit(evutil_socket_t fd, short what, void *arg)
{
	struct hf_host_lookup *r = arg;

	r->late = true;
	lookup_tell(r);
}

int hf_host_lookup_new(const struct hf_host_lookup_config *config, hf_host_lookup_cb cb, void *arg,
    struct hf_host_lookup **ret_resolve)
{
	struct hf_host_lookup *r = calloc(1, sizeof(*r));
	struct timeval tv = hf_time_of_ms(config->limit_ms);
	int rc = -ENOMEM;

	if (!r)
		return -ENOMEM;
	r->base = config->base;
	r->cb = cb;
	r->arg = arg;
	snprintf(r->host, sizeof(r->host), "%s", config->host);
	r->again = evtimer_new(r->base, on_lookup_again, r);
	r->limit = evtimer_new(r->base, on_lookup_limit, r);
	if (!r->again || !r->limit)
		goto fail;
	find_without_dns(r, config);
	if (!r->addresses.n) {
		read_conf(r, config->resolv_conf);
		rc = make_context(r);
		if (rc)
			goto fail;
		event_add(r->limit, &tv);
	}
	step_soon(r);
	*ret_resolve = r;
	return 0;
fail:
	hf_host_lookup_free(r);
	return rc;
}

void hf_host_lookup_free(struct hf_host_lookup *r)
{
	if (!r)
		return;
	if (r->ctx)
		ub_ctx_delete(r->ctx);
	if (r->again)
		event_free(r->again);
	if (r->limit)
		event_free(r->limit);
	free(r);
}

const char *hf_host_lookup_library(void)
{
	return ub_version();
}
