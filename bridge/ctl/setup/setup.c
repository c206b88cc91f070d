/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/setup/setup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/adapter.h"
#include "bridge/ctl/setup/setup_fill.h"
#include "bridge/ctl/setup/setup_templates.h"
#include "bridge/ctl/suggest.h"
#include "config/config.h"

static const struct hf_setup_versions powerdns_versions = {
	.program = { "pdns_recursor", "PowerDNS Recursor " },
	.from = 5000, /* YAML */
	.oldest = 4000,
	.old_template = "powerdns-recursor-4",
	.assumed = 5000,
};

static const struct hf_setup_versions knot_versions = {
	.program = { "kresd", "Knot Resolver, version " },
	.from = 6000, /* YAML; it still reads Lua, but nobody's packages start it so */
	.oldest = 5000,
	.old_template = "knot-resolver-5",
	.assumed = 6000,
};

/* One that does not know negative trust anchors does not start with them. */
static const struct hf_setup_versions dnsmasq_versions = {
	.program = { "dnsmasq", "Dnsmasq version " },
	.from = 2093,
	.oldest = 2000,
	.old_template = "dnsmasq-forward-2",
	.assumed = 2090,
};

/* systemd says its own version, whether or not resolved is installed beside it. */
static const struct hf_setup_versions resolved_versions = {
	.program = { "systemctl", "systemd " },
	.from = 258000,   /* files of delegates */
	.oldest = 246000, /* ports of servers */
	.old_template = "systemd-resolved-257",
	.assumed = 258000,
};

const struct hf_setup_kind hf_setup_kinds[] = {
	{ "unbound", "unbound-forward", "unbound",
	    "unbound: what its adapter needs where one is configured, else unbound-forward", NULL },
	{ "unbound-forward", "unbound-forward", NULL, "unbound: forwards to holdfast-dns", NULL },
	{ "unbound-module", "unbound-module", NULL, "unbound: answers by Holdfast's module", NULL },
	{ "dnsmasq", "dnsmasq-forward", "dnsmasq",
	    "dnsmasq: what its adapter needs where one is configured, else dnsmasq-forward",
	    &dnsmasq_versions },
	{ "dnsmasq-forward", "dnsmasq-forward", NULL, "dnsmasq: forwards to holdfast-dns",
	    &dnsmasq_versions },
	{ "bind", "bind", NULL, "BIND: forwards to holdfast-dns", NULL },
	{ "knot-resolver", "knot-resolver", NULL, "Knot Resolver 5 or 6: asks holdfast-dns",
	    &knot_versions },
	{ "powerdns-recursor", "powerdns-recursor", NULL,
	    "PowerDNS Recursor 4 or 5: forwards to holdfast-dns", &powerdns_versions },
	{ "systemd-resolved", "systemd-resolved", NULL, "systemd-resolved: asks holdfast-dns",
	    &resolved_versions },
	{ "coredns", "coredns", NULL, "CoreDNS: forwards to holdfast-dns", NULL },
	{ "hosts", NULL, "hosts", "a hosts file: what its adapter needs", NULL },
	{ "hook", NULL, "hook", "a program of yours: how its adapter calls it", NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

void hf_setup_list(FILE *out)
{
	for (const struct hf_setup_kind *k = hf_setup_kinds; k->name; k++)
		fprintf(out, "%-18s %s\n", k->name, k->text);
}

/* --- words --- */

static void setup_add_suffix(struct hf_setup_words *w, const struct hf_name *suffix)
{
	for (size_t i = 0; i < w->n_suffixes; i++)
		if (hf_name_equal(&w->suffixes[i], suffix))
			return;
	if (suffix->len > 1 && w->n_suffixes < HF_SETUP_SUFFIXES_MAX)
		w->suffixes[w->n_suffixes++] = *suffix;
}

/* An address that everybody listens at is reached on this machine by loopback. */
static void set_dns(struct hf_setup_words *w, const struct hf_endpoint *at)
{
	if (at->sa.sa_family == AF_INET6) {
		struct in6_addr a = at->in6.sin6_addr;

		if (IN6_IS_ADDR_UNSPECIFIED(&a))
			a = in6addr_loopback;
		w->loopback = IN6_IS_ADDR_LOOPBACK(&a);
		w->dns_port = ntohs(at->in6.sin6_port);
		inet_ntop(AF_INET6, &a, w->dns_addr, sizeof(w->dns_addr));
	} else {
		struct in_addr a = at->in4.sin_addr;

		if (a.s_addr == htonl(INADDR_ANY))
			a.s_addr = htonl(INADDR_LOOPBACK);
		w->loopback = ntohl(a.s_addr) >> 24 == IN_LOOPBACKNET;
		w->dns_port = ntohs(at->in4.sin_port);
		inet_ntop(AF_INET, &a, w->dns_addr, sizeof(w->dns_addr));
	}
}

void hf_setup_fill_suffixes(struct hf_config *config, const json_t *status)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(status, "sources"), i, row)
	{
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *text = json_string_value(json_object_get(row, "suffix"));
		struct hf_name suffix;

		for (size_t k = 0; name && text && k < config->sources.n; k++) {
			struct hf_config_source *s = &config->sources.at[k];

			if (!s->suffix.len && !strcmp(s->name, name) &&
			    !hf_name_parse(text, &suffix))
				s->suffix = suffix;
		}
	}
}

int hf_setup_words_get(const struct hf_config *config, const json_t *status,
    struct hf_setup_words *ret_words, FILE *err)
{
	struct hf_setup_words w = { .zone = config->zone, .module = HF_MODULE_PATH };
	const json_t *source;
	size_t i;

	if (config->dns.listen.n)
		set_dns(&w, &config->dns.listen.at[0]);
	json_array_foreach(json_object_get(status, "sources"), i, source)
	{
		const char *text = json_string_value(json_object_get(source, "suffix"));
		struct hf_name suffix;

		if (text && !hf_name_parse(text, &suffix))
			setup_add_suffix(&w, &suffix);
	}
	for (i = 0; i < config->sources.n; i++)
		setup_add_suffix(&w, &config->sources.at[i].suffix);
	if (!w.n_suffixes) {
		fputs(
		    "holdfastctl: no suffix is known yet: the bridge was never live, and the configuration has none (sources[].suffix)\n",
		    err);
		return -EINVAL;
	}
	*ret_words = w;
	return 0;
}

/* --- print --- */

static const struct hf_config_adapter *setup_find_adapter(
    const struct hf_config *config, const char *type)
{
	for (size_t i = 0; i < config->adapters.n; i++) {
		const struct hf_config_adapter *a = &config->adapters.at[i];
		const struct hf_adapter_type *t = hf_adapter_type(a->kind);

		if (t && t->setup && !strcmp(t->name, type))
			return a;
	}
	return NULL;
}

/* The text of all of it, owned by the caller; NULL when memory is out. */
static char *setup_compose(const struct hf_config *config, const struct hf_setup_words *words,
    const char *template, const struct hf_config_adapter *adapter)
{
	const struct hf_setup_template *t = hf_setup_templates;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int rc = 0;

	if (!out)
		return NULL;
	if (adapter) {
		hf_adapter_type(adapter->kind)->setup(config, adapter, out);
	} else {
		while (strcmp(t->name, template))
			t++;
		rc = hf_setup_fill(t->text, words, out);
	}
	if (fclose(out) || rc) {
		free(text);
		return NULL;
	}
	return text;
}

/* Where a file's lines begin: after the line that names it; at the end: none more. */
static const char *next_file(const char *at, const char **ret_path, size_t *ret_len)
{
	const char *mark = strstr(at, " ==> "), *nl;

	if (!mark)
		return at + strlen(at);
	nl = strchrnul(mark, '\n');
	*ret_path = mark + 5;
	*ret_len = (size_t)(nl - mark - 5);
	return *nl ? nl + 1 : nl;
}

/*
 * What is before the first file's line is for people. Without any all is of one file, of no name.
 */
static json_t *split_files(const char *text)
{
	json_t *files = json_array();
	const char *path = NULL, *at;
	size_t len = 0;

	at = next_file(text, &path, &len);
	if (!path)
		json_array_append_new(files, json_pack("{s:n, s:s}", "path", "text", text));
	while (path) {
		const char *next_path = NULL, *next, *end;
		size_t next_len = 0;

		next = next_file(at, &next_path, &next_len);
		end = next;
		if (next_path) { /* without the line that names the next one */
			end = next_path;
			while (end > at && end[-1] != '\n')
				end--;
		}
		json_array_append_new(files,
		    json_pack("{s:s%, s:s%}", "path", path, len, "text", at, (size_t)(end - at)));
		at = next;
		path = next_path;
		len = next_len;
	}
	return files;
}

static const struct hf_setup_kind *find_kind(const char *name, FILE *err)
{
	const char *names[sizeof(hf_setup_kinds) / sizeof(hf_setup_kinds[0])];
	size_t n = 0;

	for (; hf_setup_kinds[n].name; n++) {
		if (!strcmp(hf_setup_kinds[n].name, name))
			return &hf_setup_kinds[n];
		names[n] = hf_setup_kinds[n].name;
	}
	hf_suggest(err, "resolver", name, names, n);
	return NULL;
}

bool hf_setup_knows(const char *resolver, FILE *err)
{
	return find_kind(resolver, err) != NULL;
}

static const char *form_of(
    const struct hf_setup_kind *kind, const struct hf_config_adapter *adapter)
{
	if (adapter)
		return "adapter";
	return strstr(kind->template, "-module") ? "module" : "forward";
}

/* The version whose lines are printed. -EINVAL: none are known for that one. */
static int choose_version(
    const struct hf_setup_kind *kind, const char *for_version, unsigned *ret_version, FILE *err)
{
	const struct hf_setup_versions *v = kind->versions;
	unsigned version = for_version ? hf_setup_version(for_version) : 0;
	char text[HF_SETUP_VERSION_TEXT_MAX];

	if (for_version && version < v->oldest) {
		fprintf(err, "holdfastctl: --for-version %s: expected %s or later\n", for_version,
		    hf_setup_version_text(v->oldest, text));
		return -EINVAL;
	}
	if (!version)
		version = hf_setup_installed(&v->program);
	if (!version) {
		version = v->assumed;
		fprintf(err,
		    "holdfastctl: no %s is installed here: these are the lines for version %s; --for-version N prints those of another one\n",
		    v->program.name, hf_setup_version_text(version, text));
	}
	*ret_version = version;
	return 0;
}

static void setup_print_json(
    const char *resolver, const char *form, unsigned version, const char *text, FILE *out)
{
	char version_text[HF_SETUP_VERSION_TEXT_MAX];
	json_t *all = json_pack("{s:s, s:s, s:s?, s:o}", "resolver", resolver, "form", form,
	    "version", version ? hf_setup_version_text(version, version_text) : NULL, "files",
	    split_files(text));

	json_dumpf(all, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(all);
}

/* Not of an adapter, whose lines are alike for all versions. */
static int choose_template(const struct hf_setup_kind *kind, const char *for_version,
    const char **ret_template, unsigned *ret_version, FILE *err)
{
	*ret_version = 0;
	*ret_template = kind->template;
	if (!kind->versions && for_version) {
		fprintf(err,
		    "holdfastctl: --for-version: the lines of %s are the same for all versions\n",
		    kind->name);
		return -EINVAL;
	}
	if (!kind->versions)
		return 0;
	if (choose_version(kind, for_version, ret_version, err))
		return -EINVAL;
	if (*ret_version < kind->versions->from)
		*ret_template = kind->versions->old_template;
	return 0;
}

int hf_setup_print(const struct hf_config *config, const struct hf_setup_words *words,
    const char *resolver, const char *for_version, bool json, FILE *out, FILE *err)
{
	const struct hf_setup_kind *kind = find_kind(resolver, err);
	const struct hf_config_adapter *adapter;
	const char *template = NULL;
	unsigned version = 0;
	char *text;

	if (!kind)
		return -EINVAL;
	adapter = kind->adapter ? setup_find_adapter(config, kind->adapter) : NULL;
	if (!adapter && !kind->template) {
		fprintf(
		    err, "holdfastctl: no adapter of the type '%s' is configured\n", kind->adapter);
		return -EINVAL;
	}
	if (!adapter && !words->dns_port) {
		fprintf(err,
		    "holdfastctl: dns.listen is empty, so there is no holdfast-dns for %s to forward to: "
		    "name its address there\n",
		    resolver);
		return -EINVAL;
	}
	if (!adapter && choose_template(kind, for_version, &template, &version, err))
		return -EINVAL;
	text = setup_compose(config, words, template, adapter);
	if (!text) {
		fputs("holdfastctl: out of memory\n", err);
		return -EINVAL;
	}
	if (kind->adapter && !json)
		fprintf(err, "holdfastctl: these are the lines for %s%s\n",
		    adapter ? "the configured adapter " : "forwarding to holdfast-dns; ",
		    adapter ? adapter->name : "no adapter feeds this resolver");
	if (json)
		setup_print_json(resolver, form_of(kind, adapter), version, text, out);
	else
		fputs(text, out);
	free(text);
	return 0;
}
