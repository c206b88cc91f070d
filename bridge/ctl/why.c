/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/why.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/ctl/ctl_client.h"
#include "bridge/ctl/offline.h"
#include "bridge/ctl/colour.h"
#include "bridge/ctl/dns_probe.h"
#include "bridge/ctl/row_text.h"
#include "config/config.h"
#include "zone/addr.h"

enum { EXIT_WELL, EXIT_BROKEN, EXIT_USAGE, EXIT_UNREACHED, HOPS_MAX = 16 };

static const char *const state_names[] = { "ok", "broken", "unknown" };
static const enum hf_colour paints[] = { COLOUR_GOOD, COLOUR_BAD, COLOUR_PLAIN };

static int why_keep_row(json_t *row, void *arg)
{
	json_t **kept = arg;

	json_decref(*kept);
	*kept = json_incref(row);
	return 0;
}

/* The source whose suffix the name is under; of several the longest. */
static json_t *why_find_source(const struct hf_why *w)
{
	json_t *row, *best = NULL;
	unsigned labels = 0;
	size_t i;

	json_array_foreach(json_object_get(w->status, "sources"), i, row)
	{
		struct hf_name suffix;

		if (hf_name_parse(hf_ctl_row_text(row, "suffix", "."), &suffix) ||
		    !hf_name_is_under(&w->name, &suffix) || hf_name_labels(&suffix) <= labels)
			continue;
		labels = hf_name_labels(&suffix);
		best = row;
	}
	return best;
}

/* --- the outcome --- */

static bool any_unknown(const struct hf_hop *hops)
{
	for (size_t i = 0; i < hf_why_n_hops; i++)
		if (*hops[i].text && hops[i].state == HOP_UNKNOWN)
			return true;
	return false;
}

/* Who answers it, and what is wrong: never "is answered" alone where somebody does not. */
static void print_outcome(
    const struct hf_why *w, const struct hf_hop *hops, const struct hf_hop *broken, FILE *out)
{
	if (!broken)
		fprintf(out, "%s is answered%s%s%s\n", w->text, *w->answered_by ? " by " : "",
		    w->answered_by, any_unknown(hops) ? ", as far as could be checked" : "");
	else if (*w->answered_by)
		fprintf(
		    out, "%s is answered by %s, but %s\n", w->text, w->answered_by, broken->text);
	else
		fprintf(out, "%s does not resolve: %s\n", w->text, broken->text);
}

static void why_print_text(
    const struct hf_why *w, const struct hf_hop *hops, const struct hf_hop *broken, FILE *out)
{
	print_outcome(w, hops, broken, out);
	for (size_t i = 0; i < hf_why_n_hops; i++) {
		if (!*hops[i].text)
			continue;
		fprintf(out, "  %-8s ", hf_why_hops[i].name);
		hf_colour_print(out, paints[hops[i].state], "%-8s", state_names[hops[i].state]);
		fprintf(out, " %s\n", hops[i].text);
	}
}

static void why_print_json(
    const struct hf_why *w, const struct hf_hop *hops, const char *broken, FILE *out)
{
	json_t *list = json_array(), *row;

	for (size_t i = 0; i < hf_why_n_hops; i++) {
		if (!*hops[i].text)
			continue;
		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s}", "hop", hf_why_hops[i].name, "state",
			      state_names[hops[i].state], "text", hops[i].text));
	}
	row = json_pack("{s:s, s:s?, s:b, s:s?, s:s, s:o}", "name", w->text, "address",
	    *w->address ? w->address : NULL, "answered", !broken, "broken", broken, "answered_by",
	    w->answered_by, "hops", list);
	json_dumpf(row, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(row);
}

static int why_look(struct hf_why *w, bool json, FILE *out)
{
	struct hf_hop hops[HOPS_MAX] = { 0 };
	size_t known = 0, broken = HOPS_MAX;

	for (size_t i = 0; i < hf_why_n_hops; i++) {
		hf_why_hops[i].look(w, &hops[i]);
		known += *hops[i].text && hops[i].state != HOP_UNKNOWN;
		if (*hops[i].text && hops[i].state == HOP_BROKEN && broken == HOPS_MAX)
			broken = i;
	}
	if (json)
		why_print_json(w, hops, broken < HOPS_MAX ? hf_why_hops[broken].name : NULL, out);
	else
		why_print_text(w, hops, broken < HOPS_MAX ? &hops[broken] : NULL, out);
	if (!known)
		return EXIT_UNREACHED;
	return broken < HOPS_MAX ? EXIT_BROKEN : EXIT_WELL;
}

/* --- an address: which names have it? --- */

enum { NAMES_MAX = 16 };

struct names {
	size_t n;
	char at[NAMES_MAX][HF_NAME_TEXT_MAX];
};

static void why_add_name(struct names *names, const char *name)
{
	if (names->n < NAMES_MAX)
		snprintf(names->at[names->n], HF_NAME_TEXT_MAX, "%s", name);
	names->n++;
}

static int why_take_record(json_t *row, void *arg)
{
	why_add_name(arg, hf_ctl_row_text(row, "name", "?"));
	return 0;
}

static int why_take_row(const struct hf_record_row *row, void *arg)
{
	why_add_name(arg, row->name);
	return 0;
}

static void find_names(const struct hf_why_opts *o, const char *address, struct names *ret_names)
{
	const struct hf_record_filter filter = { .data = address };
	char why[HF_CTL_CLIENT_WHY_MAX];

	ret_names->n = 0;
	if (hf_ctl_client_ask(o->socket,
		json_pack("{s:s, s:s}", "command", "records", "data", address), why_take_record,
		ret_names, why))
		hf_offline_records(o->config->zone, &filter, why_take_row, ret_names);
}

/* True if `text` is an address or the name of its PTR record. */
static bool is_address(const char *text, uint8_t ret_addr[static 16])
{
	struct hf_name name;

	return inet_pton(AF_INET6, text, ret_addr) == 1 ||
	       (!hf_name_parse(text, &name) && hf_ptr_parse(&name, ret_addr) == HF_PTR_ADDR);
}

static void print_no_name(
    const struct hf_why_opts *o, const char *address, const uint8_t *addr, FILE *out)
{
	const char *text = hf_addr_is_ours(addr)
			       ? "no published name has this address"
			       : "not an address of Coder's network, fd60:627a:a42b::/48";
	json_t *row;

	if (!o->json) {
		fprintf(out, "%s: %s\n", address, text);
		return;
	}
	row = json_pack("{s:n, s:s, s:b, s:s, s:s, s:[{s:s, s:s, s:s}]}", "name", "address",
	    address, "answered", false, "broken", "name", "answered_by", "", "hops", "hop", "name",
	    "state", "broken", "text", text);
	json_dumpf(row, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(row);
}

/* Names the address has; the first of them is asked for. False: it has none, which was said. */
static bool take_address(
    struct hf_why *w, const struct hf_why_opts *o, const uint8_t *addr, char *ret_name, FILE *out)
{
	struct names *names = calloc(1, sizeof(*names));
	bool found;

	hf_addr_text(addr, w->address);
	if (names)
		find_names(o, w->address, names);
	found = names && names->n;
	if (found)
		memcpy(ret_name, names->at[0], HF_NAME_TEXT_MAX);
	else
		print_no_name(o, w->address, addr, out);
	if (found && !o->json) {
		fprintf(out, "%s is", w->address);
		for (size_t i = 0; i < names->n && i < NAMES_MAX; i++)
			fprintf(out, "%s %s", i ? "," : "", names->at[i]);
		fputs(names->n > NAMES_MAX ? " and more\n" : "\n", out);
	}
	free(names);
	return found;
}

/* --- all --- */

int hf_why_run(const struct hf_why_opts *o, FILE *out)
{
	struct hf_why w = { .socket = o->socket,
		.config = o->config,
		.resolv_conf = o->resolv_conf,
		.now_s = o->now_s };
	char why[HF_CTL_CLIENT_WHY_MAX], name[HF_NAME_TEXT_MAX];
	uint8_t addr[16];
	int status;

	snprintf(name, sizeof(name), "%s", o->name);
	if (is_address(o->name, addr) && !take_address(&w, o, addr, name, out))
		return EXIT_BROKEN;
	if (hf_name_parse(name, &w.name)) {
		fprintf(stderr,
		    "holdfastctl: '%s' is no name that Holdfast can serve: letters, digits, '-', '_' and dots; nor is it an IPv6 address\n",
		    o->name);
		return EXIT_USAGE;
	}
	hf_name_text(&w.name, w.text);
	if (hf_ctl_client_ask(
		o->socket, json_pack("{s:s}", "command", "status"), why_keep_row, &w.status, why))
		snprintf(w.denied, sizeof(w.denied), "%.199s", why);
	w.source = why_find_source(&w);
	status = why_look(&w, o->json, out);
	json_decref(w.status);
	json_decref(w.record);
	free(w.reach);
	return status;
}
