/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hops behind the zone: holdfast-dns, what the adapters were given, what their resolvers
 * answer, and what this machine's own resolver answers.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/ctl/dns_probe.h"
#include "bridge/ctl/row_text.h"
#include "bridge/ctl/why.h"
#include "config/config.h"
#include "zone/addr.h"
#include "zone/answer.h"

void hf_why_hop_add(struct hf_hop *hop, enum hf_hop_state state, const char *format, ...)
{
	size_t len = strlen(hop->text);
	va_list ap;

	if (!len || state == HOP_BROKEN || hop->state == HOP_OK)
		hop->state = state;
	if (len)
		len += (size_t)snprintf(hop->text + len, sizeof(hop->text) - len, "; ");
	if (len >= sizeof(hop->text))
		return;
	va_start(ap, format);
	vsnprintf(hop->text + len, sizeof(hop->text) - len, format, ap);
	va_end(ap);
}

/* NULL: out of memory. */
static const struct hf_dns_probe *reach_of(struct hf_why *w)
{
	struct hf_suffixes suffixes;
	const struct hf_dns_probe_opts opts = { .config = w->config,
		.status = w->status,
		.resolv_conf = w->resolv_conf,
		.suffixes = &suffixes,
		.name = &w->name,
		.addr = w->has_addr ? w->addr : NULL };

	/* A name that is none of ours is asked of nobody. */
	if (w->status && !w->source)
		return NULL;
	if (!w->reach)
		w->reach = calloc(1, sizeof(*w->reach));
	else
		return w->reach;
	if (!hf_dns_probe_suffixes(w->config, w->source ? w->status : NULL, &suffixes))
		hf_answering_suffixes_add(&suffixes, &w->name);
	if (w->reach && hf_dns_probe_look(&opts, w->reach)) {
		free(w->reach);
		w->reach = NULL;
	}
	return w->reach;
}

static void add_place(struct hf_why *w, const struct hf_endpoint *at)
{
	char place[HF_ENDPOINT_TEXT_MAX];
	size_t len = strlen(w->answered_by);

	hf_front_endpoint_text(at, place);
	if (!strstr(w->answered_by, place))
		snprintf(w->answered_by + len, sizeof(w->answered_by) - len, "%s%s",
		    len ? ", " : "", place);
}

/* --- answer: what does a query to holdfast-dns see? --- */

static const char *stale_text(const struct hf_asked *a)
{
	return a->ede == HF_EDE_STALE ? ", as stale" : "";
}

static void hop_add_listener(
    struct hf_why *w, const struct hf_dns_probe_resolver *r, struct hf_hop *hop)
{
	char text[HF_DNS_PROBE_TEXT_MAX];

	hf_dns_probe_resolver_text(r, text);
	if (r->state == HF_RESOLVER_RIGHT) {
		hf_why_hop_add(
		    hop, HOP_OK, "%s, TTL %u%s", text, r->asked.ttl_s, stale_text(&r->asked));
		add_place(w, &r->at);
	} else {
		hf_why_hop_add(hop, HOP_BROKEN, "%s%s", text,
		    r->state == HF_RESOLVER_SILENT ? ": is holdfast-dns running?" : "");
	}
}

/* The bridge sees whom we do not reach. */
static void answer_elsewhere(const struct hf_dns_probe *r, struct hf_hop *hop)
{
	char place[HF_ENDPOINT_TEXT_MAX];

	if (r->answering.text[0] || r->answering.nobody)
		hf_why_hop_add(hop, HOP_BROKEN,
		    "%s, says the bridge, which is in another network namespace",
		    r->answering.text[0] ? r->answering.text : "nobody answers");
	for (size_t i = 0; i < r->n_listeners; i++)
		if (r->listeners[i].state == HF_LISTENER_ANSWERS)
			hf_why_hop_add(hop, HOP_OK,
			    "holdfast-dns answers at %s, says the bridge, which is in another network namespace",
			    hf_front_endpoint_text(&r->listeners[i].at, place));
}

/* Of listeners that nobody expects to answer only those that answer right are shown. */
void hf_why_hop_answer(struct hf_why *w, struct hf_hop *hop)
{
	const struct hf_dns_probe *r = reach_of(w);

	if (r && r->elsewhere) {
		answer_elsewhere(r, hop);
		return;
	}
	for (size_t i = 0; r && i < r->n_listeners; i++) {
		bool absent = r->listeners[i].state == HF_LISTENER_ABSENT && !r->facts.given;

		if (r->answers[i].state != HF_RESOLVER_RIGHT &&
		    (absent || !hf_answering_expected(&r->listeners[i], &r->facts)))
			continue;
		hop_add_listener(w, &r->answers[i], hop);
	}
}

/* --- feed: does the adapter say that its resolver has everything? --- */

void hf_why_hop_feed(struct hf_why *w, struct hf_hop *hop)
{
	json_int_t generation = hf_ctl_row_number(w->status, "generation");
	const json_t *row;
	size_t i;

	if (w->status && !w->source)
		return;
	if (w->config->adapters.n && !w->status)
		hf_why_hop_add(hop, HOP_UNKNOWN,
		    "without the bridge nothing is fed; the resolvers keep what they have");
	json_array_foreach(json_object_get(w->status, "adapters"), i, row)
	{
		const char *name = hf_ctl_row_text(row, "name", "?"),
			   *state = hf_ctl_row_text(row, "state", "?");

		if (!strcmp(state, "synced") && hf_ctl_row_number(row, "generation") == generation)
			hf_why_hop_add(hop, HOP_OK,
			    "adapter '%.80s' has generation %lld, the newest", name,
			    (long long)generation);
		else
			hf_why_hop_add(hop, HOP_BROKEN,
			    "adapter '%.80s' is %s at generation %lld of %lld: %.200s", name, state,
			    hf_ctl_row_number(row, "generation"), (long long)generation,
			    hf_ctl_row_text(row, "last_error", "it is on its way"));
	}
}

/* --- resolver: those that are fed --- */

void hf_why_hop_resolver(struct hf_why *w, struct hf_hop *hop)
{
	const struct hf_dns_probe *r = reach_of(w);
	char text[HF_DNS_PROBE_TEXT_MAX];

	for (size_t i = 0; r && i < r->n_resolvers; i++) {
		const struct hf_dns_probe_resolver *res = &r->resolvers[i];

		if (!res->adapter[0])
			continue;
		hf_dns_probe_resolver_text(res, text);
		hf_why_hop_add(hop, res->state == HF_RESOLVER_RIGHT ? HOP_OK : HOP_BROKEN,
		    "adapter '%.63s': %s", res->adapter, text);
		if (res->state == HF_RESOLVER_RIGHT)
			add_place(w, &res->at);
	}
}

/* --- machine: what do programs on this machine see? --- */

void hf_why_hop_machine(struct hf_why *w, struct hf_hop *hop)
{
	const struct hf_dns_probe *r = reach_of(w);
	const struct hf_dns_probe_resolver *machine = r ? hf_dns_probe_machine(r) : NULL;
	char text[HF_DNS_PROBE_TEXT_MAX];

	if (r && r->by_hosts_file)
		hf_why_hop_add(hop, HOP_OK, "/etc/hosts has it");
	if (!machine || hop->text[0])
		return;
	hf_dns_probe_resolver_text(machine, text);
	if (machine->state == HF_RESOLVER_RIGHT)
		hf_why_hop_add(hop, HOP_OK, "resolv.conf: %s", text);
	else
		hf_why_hop_add(hop, HOP_BROKEN,
		    "this machine's own resolver (resolv.conf) does not find it: %s; for the lines that make it: holdfastctl setup",
		    text);
}
