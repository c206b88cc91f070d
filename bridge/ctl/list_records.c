/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records and export: rows that the bridge has already written in the form that is wanted; without
 * a bridge they are written here, out of the published zone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/ctl/ctl.h"
#include "bridge/ctl/export.h"
#include "bridge/ctl/offline.h"
#include "bridge/ctl/colour.h"
#include "bridge/front/record_row.h"

struct records_listing {
	struct hf_ctl *c;
	enum hf_record_form form;
	struct hf_record_filter filter;
	bool coloured;
	/* A row that is written here: into `text`, of which `len` bytes count. */
	struct hf_record_writer writer;
	char *text;
	size_t len;
};

/* The state is the last word. */
static void print_coloured(const char *line, size_t len)
{
	const char *state = memrchr(line, ' ', len);
	size_t before = state ? (size_t)(state + 1 - line) : 0;
	bool live = len - before == 4 && !memcmp(line + before, "live", 4);

	fwrite(line, 1, before, stdout);
	hf_colour_print(
	    stdout, live ? COLOUR_GOOD : COLOUR_WARN, "%.*s", (int)(len - before), line + before);
	putchar('\n');
}

static int print_row(struct records_listing *l, const char *line, size_t len)
{
	if (l->form == HF_RECORD_JSON) {
		hf_ctl_print_element(l->c, line, len);
	} else {
		l->c->n++;
		if (l->coloured) {
			print_coloured(line, len);
		} else {
			fwrite(line, 1, len, stdout);
			putchar('\n');
		}
	}
	return hf_ctl_unread() ? -EPIPE : 0;
}

/* --- rows that are written here --- */

static int records_write_row(const struct hf_record_row *row, void *arg)
{
	struct records_listing *l = arg;

	rewind(l->writer.out);
	hf_record_row_write(&l->writer, row);
	return fflush(l->writer.out) ? -ENOMEM
				     : print_row(l, l->text, (size_t)ftell(l->writer.out));
}

static const char *records_text_at(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key));
}

/* A bridge of another version that knows no forms gives objects, and filters less. */
static int convert_row(struct records_listing *l, const char *line, size_t len)
{
	json_t *object = json_loadb(line, len, 0, NULL);
	struct hf_record_row row = { .name = records_text_at(object, "name"),
		.data = records_text_at(object, "data"),
		.ttl_s = (uint32_t)json_integer_value(json_object_get(object, "ttl")),
		.state = records_text_at(object, "state") };
	struct hf_name wire;
	int rc = HF_EFORMAT;

	if (row.name && row.data && row.state && !hf_name_parse(row.name, &wire)) {
		rc = 0;
		if (hf_record_row_wanted(&l->filter, &row, &wire))
			rc = l->form == HF_RECORD_JSON ? print_row(l, line, len)
						       : records_write_row(&row, l);
	}
	json_decref(object);
	return rc;
}

static int on_records_line(const char *line, size_t len, void *arg)
{
	struct records_listing *l = arg;

	if (len && line[0] == '{' && (l->form != HF_RECORD_JSON || l->filter.stale))
		return convert_row(l, line, len);
	return print_row(l, line, len);
}

/* --- a listing --- */

static int list_bridge(struct records_listing *l)
{
	struct hf_ctl *c = l->c;
	char suffix[HF_NAME_TEXT_MAX];

	return hf_ctl_client_ask_lines(c->socket,
	    json_pack("{s:s, s:s, s:b, s:b, s:s?, s:s?}", "command", "records", "form",
		hf_record_row_form_name(l->form), "stale", l->filter.stale, "answered",
		l->filter.answered, "name", l->filter.pattern, "suffix",
		l->filter.suffix ? hf_name_text(l->filter.suffix, suffix) : NULL),
	    on_records_line, l, c->why);
}

/* 0, -EPIPE where nobody reads any more, or a code. */
static int list_records(struct records_listing *l)
{
	struct hf_ctl *c = l->c;
	int rc;

	l->writer.form = l->form;
	l->writer.out = open_memstream(&l->text, &l->len);
	if (!l->writer.out)
		return -ENOMEM;
	rc = list_bridge(l);
	if (hf_ctl_goes_offline(c, rc, false)) {
		rc = hf_offline_records(c->config->zone, &l->filter, records_write_row, l);
		if (rc && rc != -EPIPE)
			hf_ctl_no_zone(c, rc);
		c->offline = true;
	}
	fclose(l->writer.out);
	free(l->text);
	return rc;
}

static int exit_of(struct records_listing *l, int rc)
{
	if (rc == -EPIPE && hf_ctl_unread())
		return HF_EXIT_DEGRADED;
	if (rc)
		return hf_ctl_failed(l->c, rc);
	if (l->form == HF_RECORD_JSON)
		hf_ctl_end_list(l->c);
	return HF_EXIT_WELL;
}

int hf_ctl_records(struct hf_ctl *c)
{
	struct records_listing l = { .c = c,
		.form = c->o.json ? HF_RECORD_JSON : HF_RECORD_TEXT,
		.filter = { .pattern = c->o.name, .stale = c->o.stale },
		.coloured = !c->o.json && hf_colour_is_on(stdout) };
	int status = exit_of(&l, list_records(&l));

	if (status == HF_EXIT_WELL && !c->n && !c->o.json && (c->o.name || c->o.stale))
		hf_ctl_explain_missing(c, "no record matches");
	return status;
}

int hf_ctl_export(struct hf_ctl *c)
{
	static const enum hf_record_form forms[] = { HF_RECORD_HOSTS, HF_RECORD_JSON,
		HF_RECORD_ZONE };
	struct records_listing l = { .c = c, .form = forms[c->o.form] };
	struct hf_name suffix;
	int rc = hf_ctl_get_status(c);

	if (rc)
		return hf_ctl_failed(c, rc);
	l.filter.answered = l.form != HF_RECORD_JSON;
	if (l.form == HF_RECORD_ZONE) {
		if (hf_export_suffix(c->kept, c->o.suffix, &suffix, stderr))
			return HF_EXIT_USAGE;
		l.filter.suffix = &suffix;
		hf_export_zone_head(&suffix,
		    (uint32_t)json_integer_value(json_object_get(c->kept, "generation")), stdout);
	}
	c->offline = false; /* the listing says so itself */
	return exit_of(&l, list_records(&l));
}
