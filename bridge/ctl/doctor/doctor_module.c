/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_module: unbound's module. Only where unbound is to load it, or somebody has installed it,
 * is there anything to say.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/child.h"
#include "base/file.h"
#include "bridge/ctl/doctor/doctor.h"
#include "bridge/ctl/doctor/doctor_report.h"
#include "bridge/ctl/dns_probe.h"
#include "zone/answer.h"
#include "zone/own_labels.h"

enum { OUTPUT_MAX = 8192, LIMIT_MS = 5000, RULES_MAX = 1 << 16, QUERIES_MIN = 4096 };

static const char unbound_path[] = "/usr/sbin/unbound";
static const char checkconf_path[] = "/usr/sbin/unbound-checkconf";
static const char profile[] = "/etc/apparmor.d/usr.sbin.unbound";
static const char own_rules[] = "/etc/apparmor.d/local/usr.sbin.unbound";

struct checkconf_output {
	struct event_base *base;
	struct hf_child *child;
	char text[OUTPUT_MAX + 1];
	bool well;
};

static void on_checkconf_end(void *arg, struct hf_child_end *end)
{
	struct checkconf_output *o = arg;

	o->well = !end->code;
	memcpy(o->text, end->output, end->output_len + 1);
	hf_child_free(o->child);
	o->child = NULL;
	event_base_loopbreak(o->base);
}

/* What the program prints; false if it cannot be run or fails. */
static bool checkconf_run(struct hf_doctor *d, const char *const *argv, struct checkconf_output *o)
{
	const struct hf_child_opts opts = {
		.argv = argv, .output_max = OUTPUT_MAX, .errors_kept = true, .limit_ms = LIMIT_MS
	};
	char why[HF_CHILD_WHY_MAX];

	memset(o, 0, sizeof(*o));
	o->base = d->base;
	if (hf_child_run(d->base, &opts, on_checkconf_end, o, &o->child, why))
		return false;
	event_base_dispatch(d->base);
	hf_child_free(o->child);
	return o->well;
}

/* The value of one option in unbound's configuration, lines in a row; false if it is not known. */
static bool checkconf_option(struct hf_doctor *d, const char *name, struct checkconf_output *o)
{
	const char *argv[] = { checkconf_path, "-o", name, d->unbound_conf, NULL };

	return checkconf_run(d, argv, o);
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && (at[len] == '\n' || !at[len]))
			return true;
	return false;
}

/* Whether the module answers at one of the resolvers. */
static void look_whether_on(struct hf_doctor *d)
{
	static const char label[] = HF_OWN_LABEL_COUNTERS, name[] = "name=unbound";
	struct hf_name question = d->suffix;
	char place[HF_ENDPOINT_TEXT_MAX];
	struct hf_asked a;

	if (!d->has_suffix || hf_name_prepend(&question, label, sizeof(label) - 1))
		return;
	for (size_t i = 0; i < d->n_resolvers; i++)
		if (!hf_dns_probe_one(&d->resolvers[i].at, &question, HF_TYPE_TXT, &a) &&
		    !strncmp(a.text, name, sizeof(name) - 1)) {
			hf_doctor_report(d, "module", GRADE_GOOD, "", "unbound answers by it at %s",
			    hf_front_endpoint_text(&d->resolvers[i].at, place));
			return;
		}
	hf_doctor_report(d, "module", GRADE_BAD, "systemctl restart unbound; journalctl -u unbound",
	    "unbound is told to load it, and nobody answers by it at the resolvers that are known here");
}

static void look_whether_built_in(struct hf_doctor *d)
{
	const char *argv[] = { unbound_path, "-V", NULL };
	struct checkconf_output o;

	if (!checkconf_run(d, argv, &o))
		return;
	if (strstr(o.text, " dynlib"))
		hf_doctor_report(d, "module", GRADE_GOOD, "", "this unbound can load it");
	else
		hf_doctor_report(d, "module", GRADE_BAD, "plugin/unbound/build.sh",
		    "this unbound was built without --with-dynlibmodule, and cannot load it");
}

/* What has to stand beside the module; holdfastctl setup unbound-module has the reasons. */
static void look_at_lines(struct hf_doctor *d)
{
	static const struct {
		const char *option, *value; /* NULL: at least QUERIES_MIN */
		const char *line, *text;
	} rows[] = {
		{ "wait-limit", "0", "server: wait-limit: 0",
		    "with the way to the world dead, one busy client loses our names" },
		{ "num-queries-per-thread", NULL, "server: num-queries-per-thread: 16000",
		    "with the way to the world dead, our names are lost soon" },
		{ "do-not-query-localhost", "no", "server: do-not-query-localhost: no",
		    "it does not ask holdfast-dns, which stands beside the module" },
	};
	char suffix[HF_NAME_TEXT_MAX], dotted[HF_NAME_TEXT_MAX + 1], line[HF_DOCTOR_LINE_MAX];
	struct checkconf_output o;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (checkconf_option(d, rows[i].option, &o) &&
		    (rows[i].value ? !has_line(o.text, rows[i].value) : atoi(o.text) < QUERIES_MIN))
			hf_doctor_report(d, "module", GRADE_BAD, rows[i].line, "%s", rows[i].text);
	if (!d->has_suffix || !checkconf_option(d, "domain-insecure", &o))
		return;
	hf_name_text(&d->suffix, suffix);
	snprintf(dotted, sizeof(dotted), "%s.", suffix);
	snprintf(line, sizeof(line), "server: domain-insecure: \"%.400s\"", dotted);
	if (!has_line(o.text, suffix) && !has_line(o.text, dotted))
		hf_doctor_report(d, "module", GRADE_BAD, line,
		    "a CNAME that leads to a name of ours is taken for forged");
}

/* A profile that is there is taken to be in force. */
static void look_at_apparmor(struct hf_doctor *d)
{
	char line[HF_DOCTOR_LINE_MAX];
	uint8_t *rules = NULL;
	size_t len;

	if (access(profile, F_OK) || access("/sys/kernel/security/apparmor", F_OK))
		return;
	if (hf_file_read(-100, own_rules, RULES_MAX, &rules, &len) || /* AT_FDCWD */
	    !strstr((char *)rules, d->modules) || !strstr((char *)rules, d->config->zone)) {
		snprintf(line, sizeof(line), "%s: %.200s mr,\n%.200s/** r,\n%s", own_rules,
		    d->modules, d->config->zone,
		    "holdfastctl setup unbound-module has all of them");
		hf_doctor_report(d, "module", GRADE_BAD, line,
		    "AppArmor does not let unbound read the module and the zone");
	}
	free(rules);
}

void hf_doctor_module(struct hf_doctor *d)
{
	struct checkconf_output o;

	d->modules = HF_MODULE_PATH;
	if (access(checkconf_path, X_OK) || !checkconf_option(d, "module-config", &o) ||
	    !strstr(o.text, "dynlib"))
		return;
	look_whether_built_in(d);
	look_whether_on(d);
	look_at_lines(d);
	look_at_apparmor(d);
}
