/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/dns_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"
#include "bridge/ctl/offline.h"
#include "bridge/ctl/row_text.h"
#include "bridge/front/network.h"
#include "config/config.h"
#include "zone/addr.h"
#include "zone/answer.h"
#include "zone/own_labels.h"

enum {
	NEAR_MS = 250, /* a listener of ours, on this machine */
	FAR_MS = 700,  /* a resolver may be elsewhere */
	TRIES = 2,
	MODULES_MAX = 2 + HF_NAMESERVERS_MAX,
	HOSTS_MAX = 64 << 20,
};

static const char counters_label[] = HF_OWN_LABEL_COUNTERS, hosts_file[] = "/etc/hosts";

const char *hf_dns_probe_resolv_conf(void)
{
	const char *path = getenv("HOLDFAST_RESOLV_CONF");

	return path && *path ? path : "/etc/resolv.conf";
}

/* --- who is there to be asked --- */

static void probe_add_listener(struct hf_dns_probe *r, const struct hf_endpoint *at, bool seen)
{
	if (r->n_listeners < HF_DNS_PROBE_LISTENERS_MAX)
		r->listeners[r->n_listeners++] = (struct hf_listener){ .at = *at, .seen = seen };
}

/* A running bridge knows which ones have answered; its configuration is the one that counts. */
static void find_listeners(struct hf_dns_probe *r, const struct hf_dns_probe_opts *o)
{
	const json_t *list = json_object_get(o->status, "listeners"), *row;
	const struct hf_endpoints *own = &o->config->dns.listen;
	struct hf_endpoint at;
	size_t i;

	r->facts.given = list ? json_is_true(json_object_get(o->status, "listen_given"))
			      : o->config->dns.listen_given;
	json_array_foreach(list, i, row)
	{
		if (!hf_front_endpoint_parse(hf_ctl_row_text(row, "address", ""), &at))
			continue;
		probe_add_listener(r, &at, json_is_true(json_object_get(row, "seen")));
		if (r->elsewhere && r->n_listeners)
			r->listeners[r->n_listeners - 1].state =
			    hf_answering_state_of(hf_ctl_row_text(row, "state", ""));
	}
	for (i = 0; i < own->n && !list; i++)
		probe_add_listener(r, &own->at[i], false);
}

/* Whether the bridge that gave this status reaches other addresses than we do. */
static bool is_elsewhere(const json_t *status)
{
	const char *its = hf_ctl_row_text(json_object_get(status, "answering"), "network", "");
	char ours[HF_NETWORK_TEXT_MAX];

	return *its && hf_network_text(ours)[0] && strcmp(its, ours) != 0;
}

/* What the bridge found. */
static void take_its_word(struct hf_dns_probe *r, const json_t *status)
{
	const json_t *said = json_object_get(status, "answering");

	r->answering.missing = (size_t)json_integer_value(json_object_get(said, "missing"));
	r->answering.nobody = json_is_true(json_object_get(said, "nobody"));
	snprintf(
	    r->answering.text, sizeof(r->answering.text), "%s", hf_ctl_row_text(said, "text", ""));
}

static void probe_add_resolver(
    struct hf_dns_probe *r, const struct hf_endpoint *at, const char *adapter, bool synced)
{
	struct hf_dns_probe_resolver *to = &r->resolvers[r->n_resolvers];

	if (r->n_resolvers == HF_DNS_PROBE_RESOLVERS_MAX || !at->len)
		return;
	*to = (struct hf_dns_probe_resolver){ .at = *at, .synced = synced };
	snprintf(to->adapter, sizeof(to->adapter), "%s", adapter);
	r->n_resolvers++;
}

/*
 * Where the resolver of an adapter of the configuration answers; len 0: it has none that can be
 * asked.
 */
static struct hf_endpoint probe_ask_of(const struct hf_config_adapter *a)
{
	if (a->kind == HF_ADAPTER_UNBOUND)
		return a->unbound.ask;
	return a->kind == HF_ADAPTER_DNSMASQ ? a->dnsmasq.ask : (struct hf_endpoint){ .len = 0 };
}

static bool bridge_runs(const json_t *status)
{
	return !strcmp(hf_ctl_row_text(status, "bridge", ""), "running");
}

static void find_adapters(struct hf_dns_probe *r, const struct hf_dns_probe_opts *o)
{
	const json_t *row;
	struct hf_endpoint at;
	size_t i;

	json_array_foreach(json_object_get(o->status, "adapters"), i, row)
	{
		bool synced = !strcmp(hf_ctl_row_text(row, "state", ""), "synced") &&
			      !json_is_false(json_object_get(row, "verified"));
		const char *ask = hf_ctl_row_text(row, "ask", "");

		r->facts.others = true;
		if (r->elsewhere)
			continue;
		/* One that cannot be asked is believed. */
		r->facts.others_answer |= !*ask && synced;
		if (hf_front_endpoint_parse(ask, &at))
			probe_add_resolver(r, &at, hf_ctl_row_text(row, "name", "?"), synced);
	}
	for (i = 0; i < o->config->adapters.n && !bridge_runs(o->status); i++) {
		const struct hf_config_adapter *a = &o->config->adapters.at[i];

		at = probe_ask_of(a);
		r->facts.others = true;
		r->facts.others_answer |= !at.len;
		probe_add_resolver(r, &at, a->name, false);
	}
}

static void find_machine(struct hf_dns_probe *r, const struct hf_dns_probe_opts *o)
{
	struct hf_endpoint at[HF_NAMESERVERS_MAX];
	size_t n =
	    hf_nameservers_read(o->resolv_conf ? o->resolv_conf : hf_dns_probe_resolv_conf(), at);

	for (size_t i = 0; i < n; i++)
		probe_add_resolver(r, &at[i], "", false);
}

/* --- asking --- */

struct asking {
	struct hf_survey_question *at; /* owned */
	size_t n;
	size_t n_suffixes; /* for so many each listener is asked */
	size_t n_modules;
};

static void probe_add_question(struct asking *a, const struct hf_endpoint *at,
    const struct hf_name *name, uint16_t type, uint32_t timeout_ms)
{
	a->at[a->n++] = (struct hf_survey_question){
		.at = *at, .name = *name, .type = type, .timeout_ms = timeout_ms, .tries = TRIES
	};
}

/* Where an unbound with the module may be: it counts for clients on loopback only. */
static size_t probe_add_modules(
    struct asking *a, const struct hf_dns_probe *r, const struct hf_name *counters)
{
	struct hf_endpoint at[2 + HF_DNS_PROBE_RESOLVERS_MAX];
	size_t n = 2, before = a->n;

	hf_front_endpoint_parse("127.0.0.1@53", &at[0]);
	hf_front_endpoint_parse("::1@53", &at[1]);
	for (size_t i = 0; i < r->n_resolvers; i++)
		at[n++] = r->resolvers[i].at;
	for (size_t i = 0; i < n && a->n - before < MODULES_MAX; i++) {
		bool twice = false;

		for (size_t j = 0; j < i; j++)
			twice |= hf_front_endpoint_equal(&at[i], &at[j]);
		if (!twice && hf_front_endpoint_is_loopback(&at[i]))
			probe_add_question(a, &at[i], counters, HF_TYPE_TXT, NEAR_MS);
	}
	return a->n - before;
}

static bool is_right(const struct hf_asked *a, const uint8_t *addr)
{
	for (size_t i = 0; i < a->n_addrs; i++)
		if (!addr || !memcmp(a->addrs[i], addr, 16))
			return true;
	return false;
}

static enum hf_resolver_state probe_state_of(const struct hf_asked *a, const uint8_t *addr)
{
	if (a->code)
		return HF_RESOLVER_SILENT;
	if (is_right(a, addr))
		return HF_RESOLVER_RIGHT;
	return a->n_addrs ? HF_RESOLVER_OTHER : HF_RESOLVER_NONE;
}

/* Counters of holdfast-dns may come through a resolver that forwards to it. */
static bool probe_is_module(const struct hf_asked *a)
{
	return !a->code && !strncmp(a->text, "name=", 5) &&
	       strncmp(a->text, "name=holdfast-dns", 17) != 0;
}

static void take_answers(
    struct hf_dns_probe *r, const struct hf_dns_probe_opts *o, const struct asking *a)
{
	const struct hf_survey_question *q = a->at;

	for (size_t i = 0; a->n_suffixes && i < r->n_listeners; i++) {
		hf_answering_judge_suffixes(
		    &r->listeners[i], q, a->n_suffixes, &o->config->dns.allow);
		q += a->n_suffixes;
		r->counters[i] = (q++)->asked;
	}
	for (size_t i = 0; o->name && !r->elsewhere && i < r->n_listeners; i++, q++)
		r->answers[i] = (struct hf_dns_probe_resolver){
			.at = q->at, .state = probe_state_of(&q->asked, o->addr), .asked = q->asked
		};
	for (size_t i = 0; i < a->n_modules; i++, q++) {
		if (r->module.at.len || !probe_is_module(&q->asked))
			continue;
		r->module = (struct hf_listener){ .at = q->at, .state = HF_LISTENER_ANSWERS };
		r->module_counters = q->asked;
		r->facts.others = r->facts.others_answer = true;
	}
	for (size_t i = 0; o->name && i < r->n_resolvers; i++, q++) {
		r->resolvers[i].asked = q->asked;
		r->resolvers[i].state = probe_state_of(&q->asked, o->addr);
		r->facts.others_answer |=
		    r->resolvers[i].adapter[0] && r->resolvers[i].state == HF_RESOLVER_RIGHT;
	}
}

/* A line "ADDRESS NAME..." of the file has both. */
static bool hosts_file_has(const struct hf_name *name, const uint8_t *addr)
{
	char want[HF_NAME_TEXT_MAX], *save = NULL, *line, *words, *word;
	uint8_t *bytes = NULL, got[16];
	bool has = false;
	size_t len;

	if (hf_file_read(AT_FDCWD, hosts_file, HOSTS_MAX, &bytes, &len))
		return false;
	hf_name_text(name, want);
	line = strtok_r((char *)bytes, "\n", &save);
	for (; line && !has; line = strtok_r(NULL, "\n", &save)) {
		line[strcspn(line, "#")] = '\0';
		word = strtok_r(line, " \t", &words);
		if (!word || inet_pton(AF_INET6, word, got) != 1 || (addr && memcmp(got, addr, 16)))
			continue;
		while (!has && (word = strtok_r(NULL, " \t", &words)))
			has = !strcasecmp(word, want);
	}
	free(bytes);
	return has;
}

/* Of each listener that can be asked from here: its suffixes and counters, then the name. */
static void add_listeners(
    struct asking *a, const struct hf_dns_probe *r, const struct hf_dns_probe_opts *o)
{
	struct hf_name counters = { 0 };

	if (r->elsewhere)
		return;
	if (o->suffixes && o->suffixes->n)
		counters = o->suffixes->at[0];
	if (counters.len && !hf_name_prepend(&counters, counters_label, sizeof(counters_label) - 1))
		a->n_suffixes = hf_answering_suffixes_asked(o->suffixes, r->n_listeners);
	for (size_t i = 0; a->n_suffixes && i < r->n_listeners; i++) {
		for (size_t j = 0; j < a->n_suffixes; j++)
			probe_add_question(
			    a, &r->listeners[i].at, &o->suffixes->at[j], HF_TYPE_SOA, NEAR_MS);
		probe_add_question(a, &r->listeners[i].at, &counters, HF_TYPE_TXT, NEAR_MS);
	}
	for (size_t i = 0; o->name && i < r->n_listeners; i++)
		probe_add_question(a, &r->listeners[i].at, o->name, HF_TYPE_AAAA, NEAR_MS);
	if (a->n_suffixes)
		a->n_modules = probe_add_modules(a, r, &counters);
}

int hf_dns_probe_look(const struct hf_dns_probe_opts *o, struct hf_dns_probe *ret_reach)
{
	struct hf_dns_probe *r = ret_reach;
	struct asking a = { .n = 0 };
	size_t n_suffixes = o->suffixes ? o->suffixes->n : 0;
	int rc;

	memset(r, 0, sizeof(*r));
	r->elsewhere = is_elsewhere(o->status);
	find_listeners(r, o);
	find_adapters(r, o);
	find_machine(r, o);
	a.at =
	    calloc(r->n_listeners * (n_suffixes + 2) + r->n_resolvers + MODULES_MAX, sizeof(*a.at));
	if (!a.at)
		return -ENOMEM;
	add_listeners(&a, r, o);
	for (size_t i = 0; o->name && i < r->n_resolvers; i++)
		probe_add_question(&a, &r->resolvers[i].at, o->name, HF_TYPE_AAAA, FAR_MS);
	rc = hf_survey_wait(a.at, a.n);
	if (!rc)
		take_answers(r, o, &a);
	r->by_hosts_file = o->name && hosts_file_has(o->name, o->addr);
	if (r->elsewhere)
		take_its_word(r, o->status);
	else
		hf_answering_judge(r->listeners, r->n_listeners, &r->facts, &r->answering);
	free(a.at);
	return rc;
}

int hf_dns_probe_one(const struct hf_endpoint *at, const struct hf_name *name, uint16_t type,
    struct hf_asked *ret_asked)
{
	struct hf_survey_question q = {
		.at = *at, .name = *name, .type = type, .timeout_ms = FAR_MS, .tries = TRIES
	};
	int rc = hf_survey_wait(&q, 1);

	*ret_asked = q.asked;
	return rc ? rc : q.asked.code;
}

/* --- what follows --- */

/* After SERVFAIL, NOTIMP and REFUSED the C library asks the next one, as after silence. */
static bool resolver_decides(const struct hf_dns_probe_resolver *r)
{
	unsigned rcode = r->asked.rcode;

	return r->state != HF_RESOLVER_SILENT &&
	       (r->state != HF_RESOLVER_NONE || (rcode != 2 && rcode != 4 && rcode != 5));
}

const struct hf_dns_probe_resolver *hf_dns_probe_machine(const struct hf_dns_probe *r)
{
	const struct hf_dns_probe_resolver *last = NULL;

	for (size_t i = 0; i < r->n_resolvers; i++) {
		if (r->resolvers[i].adapter[0] || r->resolvers[i].state == HF_RESOLVER_UNASKED)
			continue;
		last = &r->resolvers[i];
		if (resolver_decides(last))
			break;
	}
	return last;
}

bool hf_dns_probe_resolves_here(const struct hf_dns_probe *r)
{
	const struct hf_dns_probe_resolver *machine = hf_dns_probe_machine(r);

	return r->by_hosts_file || !machine || machine->state == HF_RESOLVER_RIGHT;
}

char *hf_dns_probe_resolver_text(
    const struct hf_dns_probe_resolver *r, char out[static HF_DNS_PROBE_TEXT_MAX])
{
	char place[HF_ENDPOINT_TEXT_MAX], addr[HF_ADDR_TEXT_MAX], rcode[HF_RCODE_TEXT_MAX];

	hf_front_endpoint_text(&r->at, place);
	switch (r->state) {
	case HF_RESOLVER_UNASKED:
		snprintf(out, HF_DNS_PROBE_TEXT_MAX, "%s was not asked", place);
		break;
	case HF_RESOLVER_RIGHT:
		snprintf(out, HF_DNS_PROBE_TEXT_MAX, "%s answers %s", place,
		    hf_addr_text(r->asked.addrs[0], addr));
		break;
	case HF_RESOLVER_SILENT:
		snprintf(out, HF_DNS_PROBE_TEXT_MAX, "nobody answers at %s (%s)", place,
		    hf_strerror(r->asked.code));
		break;
	case HF_RESOLVER_OTHER:
		snprintf(out, HF_DNS_PROBE_TEXT_MAX, "%s answers another address, %s", place,
		    hf_addr_text(r->asked.addrs[0], addr));
		break;
	case HF_RESOLVER_NONE:
		snprintf(out, HF_DNS_PROBE_TEXT_MAX, "%s answers %s", place,
		    r->asked.rcode ? hf_answering_rcode_text(r->asked.rcode, rcode)
				   : "without an address");
		break;
	}
	return out;
}

bool hf_dns_probe_sample(const struct hf_config *config, const json_t *status,
    struct hf_name *ret_name, uint8_t ret_addr[static 16])
{
	const json_t *sample = json_object_get(status, "sample");

	if (sample && !hf_name_parse(hf_ctl_row_text(sample, "name", ""), ret_name) &&
	    ret_name->len > 1 &&
	    inet_pton(AF_INET6, hf_ctl_row_text(sample, "data", ""), ret_addr) == 1)
		return true;
	return hf_offline_sample(config->zone, ret_name, ret_addr) == 1;
}

bool hf_dns_probe_suffixes(
    const struct hf_config *config, const json_t *status, struct hf_suffixes *ret_suffixes)
{
	struct hf_name suffix;
	const json_t *source;
	size_t i;

	ret_suffixes->n = 0;
	json_array_foreach(json_object_get(status, "sources"), i,
	    source) if (!hf_name_parse(hf_ctl_row_text(source, "suffix", ""), &suffix))
	    hf_answering_suffixes_add(ret_suffixes, &suffix);
	for (i = 0; i < config->sources.n && !json_array_size(json_object_get(status, "sources"));
	     i++)
		hf_answering_suffixes_add(ret_suffixes, &config->sources.at[i].suffix);
	return ret_suffixes->n;
}

/* --- report --- */

/* "name=holdfast-dnsanswers=5negative=3...": the strings of the TXT record in a row. */
static json_t *number_at(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? json_integer(strtoll(at + strlen(key), NULL, 10)) : json_null();
}

static void add_reader(json_t *readers, const struct hf_endpoint *at, const struct hf_asked *a)
{
	char place[HF_ENDPOINT_TEXT_MAX], name[64] = "";
	const char *end = strstr(a->text, "answers=");

	if (a->code || !a->text_len)
		return;
	if (!strncmp(a->text, "name=", 5) && end && (size_t)(end - a->text) - 5 < sizeof(name))
		memcpy(name, a->text + 5, (size_t)(end - a->text) - 5);
	json_array_append_new(readers,
	    json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "name", name, "address",
		hf_front_endpoint_text(at, place), "answers", number_at(a->text, "answers="),
		"negative", number_at(a->text, "negative="), "stale", number_at(a->text, "stale="),
		"refused", number_at(a->text, "refused="), "errors",
		number_at(a->text, "errors=")));
}

static json_t *report_readers(const struct hf_dns_probe *r)
{
	json_t *readers = json_array();

	for (size_t i = 0; i < r->n_listeners; i++)
		add_reader(readers, &r->listeners[i].at, &r->counters[i]);
	if (r->module.at.len)
		add_reader(readers, &r->module.at, &r->module_counters);
	return readers;
}

static json_t *report_listeners(const struct hf_dns_probe *r)
{
	json_t *list = json_array();
	char place[HF_ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < r->n_listeners; i++) {
		const struct hf_listener *l = &r->listeners[i];

		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:b, s:b}", "address",
			      hf_front_endpoint_text(&l->at, place), "state",
			      hf_answering_state_name(l->state), "expected",
			      hf_answering_expected(l, &r->facts), "seen", l->seen));
	}
	return list;
}

static json_t *report_resolvers(const struct hf_dns_probe *r)
{
	static const char *const states[] = { "unasked", "right", "silent", "other", "none" };
	json_t *list = json_array();
	char place[HF_ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < r->n_resolvers; i++) {
		const struct hf_dns_probe_resolver *res = &r->resolvers[i];

		json_array_append_new(
		    list, json_pack("{s:s, s:s?, s:s}", "address",
			      hf_front_endpoint_text(&res->at, place), "adapter",
			      res->adapter[0] ? res->adapter : NULL, "state", states[res->state]));
	}
	return list;
}

static void probe_add_line(json_t *lines, const char *code, json_t *text)
{
	json_array_append_new(
	    lines, json_pack("{s:s, s:o, s:n}", "code", code, "text", text, "since"));
}

/* An adapter that the bridge already knows to be in trouble is not reported twice. */
static void warn_of_resolver(
    const struct hf_dns_probe_resolver *res, const char *name, json_t *warnings)
{
	char text[HF_DNS_PROBE_TEXT_MAX];

	if (res->state == HF_RESOLVER_SILENT)
		probe_add_line(warnings, "not-answering",
		    json_sprintf(
			"adapter '%s': %s", res->adapter, hf_dns_probe_resolver_text(res, text)));
	else if (res->synced && res->state != HF_RESOLVER_RIGHT &&
		 res->state != HF_RESOLVER_UNASKED)
		probe_add_line(warnings, "adapter-wrong",
		    json_sprintf("adapter '%s': %s for %s", res->adapter,
			hf_dns_probe_resolver_text(res, text), name));
}

static void note_machine(const struct hf_dns_probe *r, const char *name, json_t *notes)
{
	const struct hf_dns_probe_resolver *machine = hf_dns_probe_machine(r);
	char text[HF_DNS_PROBE_TEXT_MAX];

	if (!hf_dns_probe_resolves_here(r))
		probe_add_line(notes, "own-resolver",
		    json_sprintf(
			"programs on this machine do not find %s: %s (resolv.conf); if they should: holdfastctl doctor",
			name, hf_dns_probe_resolver_text(machine, text)));
}

/* What the headline says; NULL: all who should answer do. */
static json_t *not_answering(const struct hf_dns_probe *r)
{
	char text[HF_DNS_PROBE_TEXT_MAX];

	if (r->answering.text[0])
		return json_string(r->answering.text);
	for (size_t i = 0; i < r->n_resolvers; i++)
		if (r->resolvers[i].adapter[0] && r->resolvers[i].state == HF_RESOLVER_SILENT)
			return json_sprintf("adapter '%s': %s", r->resolvers[i].adapter,
			    hf_dns_probe_resolver_text(&r->resolvers[i], text));
	return json_null();
}

void hf_dns_probe_report(const struct hf_dns_probe *r, const struct hf_name *name, json_t *status)
{
	json_t *warnings = json_object_get(status, "warnings"), *notes = json_array();
	char text[HF_NAME_TEXT_MAX] = "";

	if (name)
		hf_name_text(name, text);
	json_object_set_new(status, "readers", report_readers(r));
	json_object_set_new(status, "listeners", report_listeners(r));
	json_object_set_new(status, "resolvers", report_resolvers(r));
	json_object_set_new(status, "not_answering", not_answering(r));
	if (r->answering.text[0])
		probe_add_line(warnings, "not-answering",
		    json_sprintf("%s: systemctl start holdfast-dns%s", r->answering.text,
			r->facts.others ? ", or take dns.listen out of the configuration" : ""));
	for (size_t i = 0; i < r->n_resolvers; i++)
		if (r->resolvers[i].adapter[0])
			warn_of_resolver(&r->resolvers[i], text, warnings);
	note_machine(r, text, notes);
	if (r->elsewhere)
		probe_add_line(notes, "elsewhere",
		    json_string(
			"the bridge is in another network namespace, such as another container: who answers is shown as it sees it; run holdfastctl there to have everybody asked"));
	json_object_set_new(status, "notes", notes);
}
