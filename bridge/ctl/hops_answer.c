/*
 * The hops behind the zone: what the adapters were given, and what their resolvers answer. Without
 * an adapter there are none.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bridge/ctl/reach.h"
#include "bridge/ctl/show.h"
#include "bridge/ctl/why.h"
#include "config/config.h"
#include "zone/addr.h"
#include "zone/answer.h"

/* One more sentence; the worst state counts. */
static void add(struct hf_hop *hop, enum hf_hop_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(struct hf_hop *hop, enum hf_hop_state state, const char *format, ...)
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

static json_int_t number(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

void hf_hop_feed(struct hf_why *w, struct hf_hop *hop)
{
	json_int_t generation = number(w->status, "generation");
	const json_t *row;
	size_t i;

	if (w->config->adapters.n && !w->status)
		add(hop, HOP_UNKNOWN,
		    "without the bridge nobody feeds; the resolvers have what they had");
	json_array_foreach(json_object_get(w->status, "adapters"), i, row) {
		const char *name = hf_row_text(row, "name", "?"),
			   *state = hf_row_text(row, "state", "?");

		if (!strcmp(state, "synced") && number(row, "generation") == generation)
			add(hop, HOP_OK, "adapter '%.80s' has generation %lld, the newest", name,
			    (long long)generation);
		else
			add(hop, HOP_BROKEN,
			    "adapter '%.80s' is %s at generation %lld of %lld: %.200s", name, state,
			    (long long)number(row, "generation"), (long long)generation,
			    hf_row_text(row, "last_error", "it is on its way"));
	}
}

/* Where the adapter's resolver answers; NULL: it is none that can be asked. */
static const struct hf_endpoint *ask_of(const struct hf_config_adapter *a)
{
	if (a->kind == HF_ADAPTER_UNBOUND)
		return &a->unbound.ask;
	return a->kind == HF_ADAPTER_DNSMASQ ? &a->dnsmasq.ask : NULL;
}

static bool is_right(const struct hf_why *w, const struct hf_asked *a)
{
	for (size_t i = 0; i < a->n_addrs; i++)
		if (!w->has_addr || !memcmp(a->addrs[i], w->addr, 16))
			return true;
	return false;
}

static void look_at(const struct hf_why *w, const struct hf_config_adapter *a,
    const struct hf_endpoint *at, struct hf_hop *hop)
{
	char place[HF_ENDPOINT_TEXT_MAX], addr[HF_ADDR_TEXT_MAX];
	struct hf_asked asked;

	hf_endpoint_text(at, place);
	if (hf_reach(at, &w->name, HF_TYPE_AAAA, &asked))
		add(hop, HOP_BROKEN, "the resolver of adapter '%.80s' does not answer at %s: %s",
		    a->name, place, hf_strerror(asked.code));
	else if (is_right(w, &asked))
		add(hop, HOP_OK, "%s (adapter '%.80s') answers %s", place, a->name,
		    hf_addr_text(asked.addrs[0], addr));
	else if (asked.n_addrs)
		add(hop, HOP_BROKEN, "%s (adapter '%.80s') answers another address, %s", place,
		    a->name, hf_addr_text(asked.addrs[0], addr));
	else
		add(hop, HOP_BROKEN, "%s (adapter '%.80s') has no address for it (code %u)", place,
		    a->name, asked.rcode);
}

void hf_hop_resolver(struct hf_why *w, struct hf_hop *hop)
{
	for (size_t i = 0; i < w->config->adapters.n; i++) {
		const struct hf_config_adapter *a = &w->config->adapters.at[i];
		const struct hf_endpoint *at = ask_of(a);

		if (at)
			look_at(w, a, at, hop);
	}
}
