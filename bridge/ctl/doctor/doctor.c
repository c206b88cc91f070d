#include "bridge/ctl/doctor/doctor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/file.h"
#include "bridge/ctl/paint.h"
#include "zone/reader.h"

enum { TEXT_MAX = 900, RESOLV_CONF_MAX = 1 << 16, DNS_PORT = 53 };

static const char *const grades[] = { "good", "note", "bad" };
static const enum hf_paint paints[] = { PAINT_GOOD, PAINT_PLAIN, PAINT_BAD };

void hf_doctor_tell(struct hf_doctor *d, const char *area, enum hf_grade grade, const char *line,
    const char *format, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	d->n_bad += grade == GRADE_BAD;
	json_array_append_new(d->findings, json_pack("{s:s, s:s, s:s, s:s}", "area", area, "grade",
					       grades[grade], "text", text, "line", line));
}

/* --- what is looked for: a suffix, a name, the resolvers --- */

static int take_sample(const struct hf_name *name, const struct hf_entry *e, void *arg)
{
	struct hf_doctor *d = arg;

	if (e->n_addrs != 1 || e->flags & HF_REC_WITHDRAWN || !hf_name_is_under(name, &d->suffix))
		return 0;
	d->has_sample = true;
	d->sample = *name;
	memcpy(d->sample_addr, e->addrs[0], 16);
	return 1;
}

/* Some name out of the published zone. */
static void find_sample(struct hf_doctor *d)
{
	struct hf_zone *zone = NULL;
	struct hf_zone_reader *reader = NULL;

	if (d->has_suffix && !hf_zone_open(d->config->zone, &hf_clock_system, &zone) &&
	    !hf_zone_reader_new(zone, &reader) && !hf_zone_reader_load(reader))
		hf_zone_reader_walk(reader, take_sample, d);
	hf_zone_reader_free(reader);
	hf_zone_close(zone);
}

static void find_suffix(struct hf_doctor *d)
{
	const json_t *source;
	size_t i;

	json_array_foreach(json_object_get(d->status, "sources"), i, source) {
		const char *text = json_string_value(json_object_get(source, "suffix"));

		if (!d->has_suffix && text && !hf_name_parse(text, &d->suffix) && d->suffix.len > 1)
			d->has_suffix = true;
	}
	for (i = 0; i < d->config->sources.n && !d->has_suffix; i++) {
		d->suffix = d->config->sources.at[i].suffix;
		d->has_suffix = d->suffix.len > 1;
	}
}

static void add_resolver(
    struct hf_doctor *d, const struct hf_endpoint *at, bool ours, const char *area)
{
	struct hf_doctor_resolver *r = &d->resolvers[d->n_resolvers];

	if (d->n_resolvers == HF_DOCTOR_RESOLVERS_MAX || !at->len)
		return;
	r->at = *at;
	r->ours = ours;
	snprintf(r->area, sizeof(r->area), "%s", area);
	d->n_resolvers++;
}

static bool parse_address(const char *text, struct hf_endpoint *ret_at)
{
	struct hf_endpoint at = { .len = 0 };

	if (inet_pton(AF_INET, text, &at.in4.sin_addr) == 1) {
		at.in4.sin_family = AF_INET;
		at.in4.sin_port = htons(DNS_PORT);
		at.len = sizeof(at.in4);
	} else if (inet_pton(AF_INET6, text, &at.in6.sin6_addr) == 1) {
		at.in6.sin6_family = AF_INET6;
		at.in6.sin6_port = htons(DNS_PORT);
		at.len = sizeof(at.in6);
	}
	*ret_at = at;
	return at.len > 0;
}

static void add_nameservers(struct hf_doctor *d)
{
	uint8_t *bytes = NULL;
	char *save, *line;
	size_t len;

	if (hf_file_read(-100, d->resolv_conf, RESOLV_CONF_MAX, &bytes, &len)) /* AT_FDCWD */
		return;
	for (line = strtok_r((char *)bytes, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char word[64];
		struct hf_endpoint at;

		if (sscanf(line, " nameserver %63s", word) == 1 && parse_address(word, &at))
			add_resolver(d, &at, false, "resolv.conf");
	}
	free(bytes);
}

static void find_resolvers(struct hf_doctor *d)
{
	for (size_t i = 0; i < d->config->adapters.n; i++) {
		const struct hf_config_adapter *a = &d->config->adapters.at[i];
		char area[80];

		snprintf(area, sizeof(area), "adapter %.60s", a->name);
		if (a->kind == HF_ADAPTER_UNBOUND)
			add_resolver(d, &a->unbound.ask, true, area);
		else if (a->kind == HF_ADAPTER_DNSMASQ)
			add_resolver(d, &a->dnsmasq.ask, true, area);
	}
	add_nameservers(d);
}

/* --- all of it --- */

static void print_text(const struct hf_doctor *d, FILE *out)
{
	const json_t *f;
	size_t i;

	json_array_foreach(d->findings, i, f) {
		const char *grade = json_string_value(json_object_get(f, "grade"));
		const char *line = json_string_value(json_object_get(f, "line"));
		unsigned g = 0;

		while (strcmp(grades[g], grade))
			g++;
		hf_paint(out, paints[g], "%-4s", grade);
		fprintf(out, "  %s: %s\n", json_string_value(json_object_get(f, "area")),
		    json_string_value(json_object_get(f, "text")));
		for (; *line; line += strspn(line, "\n")) {
			size_t n = strcspn(line, "\n");

			fprintf(out, "        %.*s\n", (int)n, line);
			line += n;
		}
	}
}

int hf_doctor_run(const struct hf_doctor_opts *opts, FILE *out)
{
	struct hf_doctor d = { .config = opts->config,
		.errors = opts->errors,
		.status = opts->status,
		.unreached = opts->unreached,
		.denied = opts->denied,
		.resolv_conf = opts->resolv_conf ? opts->resolv_conf : "/etc/resolv.conf",
		.unbound_conf = opts->unbound_conf,
		.now_s = opts->now_s,
		.base = event_base_new(),
		.findings = json_array() };
	int rc = -ENOMEM;

	if (d.base && d.findings) {
		find_suffix(&d);
		find_sample(&d);
		find_resolvers(&d);
		hf_doctor_config(&d);
		hf_doctor_bridge(&d);
		hf_doctor_tokens(&d);
		hf_doctor_clock(&d);
		hf_doctor_zone(&d);
		hf_doctor_responder(&d);
		hf_doctor_adapters(&d);
		hf_doctor_resolvers(&d);
		hf_doctor_module(&d);
		if (opts->json) {
			json_dumpf(d.findings, out, JSON_INDENT(2));
			fputc('\n', out);
		} else {
			print_text(&d, out);
		}
		rc = (int)d.n_bad;
	}
	json_decref(d.findings);
	if (d.base)
		event_base_free(d.base);
	return rc;
}
