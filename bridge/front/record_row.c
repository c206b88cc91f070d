/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/front/record_row.h"

#include <string.h>

#include "base/glob.h"

static const char *const forms[] = { "json", "text", "hosts", "zone" };

const char *hf_record_row_form_name(enum hf_record_form form)
{
	return (unsigned)form < HF_RECORD_FORMS ? forms[form] : NULL;
}

bool hf_record_row_form_parse(const char *name, enum hf_record_form *ret_form)
{
	for (unsigned i = 0; i < HF_RECORD_FORMS; i++) {
		if (strcmp(name, forms[i]))
			continue;
		*ret_form = (enum hf_record_form)i;
		return true;
	}
	return false;
}

bool hf_record_row_wanted(
    const struct hf_record_filter *f, const struct hf_record_row *row, const struct hf_name *wire)
{
	if (f->stale && !strcmp(row->state, "live"))
		return false;
	if (f->answered && !strcmp(row->state, "withdrawn"))
		return false;
	if (f->data && f->data[0] && strcmp(f->data, row->data))
		return false;
	if (f->suffix && !hf_name_is_under(wire, f->suffix))
		return false;
	return !f->pattern || !f->pattern[0] || hf_glob_match(f->pattern, row->name);
}

/* --- JSON --- */

/* Names, labels and ids have no byte that needs an escape; this holds for any byte all the same. */
static void record_row_put_text(FILE *out, const char *key, const char *text)
{
	fputs(key, out);
	if (!text || !*text) {
		fputs("null", out);
		return;
	}
	putc_unlocked('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c >= 0x7f)
			fprintf(out, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else
			putc_unlocked(c, out);
	}
	putc_unlocked('"', out);
}

static void record_row_put_time(
    struct hf_record_writer *w, const char *key, unsigned memo, int64_t wall_s)
{
	if (w->memo[memo].wall_s != wall_s || !w->memo[memo].text[0]) {
		w->memo[memo].wall_s = wall_s;
		if (!hf_wall_text(wall_s, w->memo[memo].text))
			w->memo[memo].text[0] = '\0';
	}
	record_row_put_text(w->out, key, w->memo[memo].text[0] ? w->memo[memo].text : NULL);
}

static void write_json(struct hf_record_writer *w, const struct hf_record_row *r)
{
	FILE *out = w->out;

	record_row_put_text(out, "{\"name\":", r->name);
	fputs(",\"type\":\"AAAA\"", out);
	record_row_put_text(out, ",\"data\":", r->data);
	fprintf(out, ",\"ttl\":%u", r->ttl_s);
	record_row_put_text(out, ",\"source\":", r->source);
	record_row_put_text(out, ",\"owner\":", r->owner);
	record_row_put_text(out, ",\"workspace\":", r->workspace);
	record_row_put_text(out, ",\"agent\":", r->agent);
	record_row_put_text(out, ",\"agent_id\":", r->agent_id);
	record_row_put_text(out, ",\"state\":", r->state);
	record_row_put_time(w, ",\"first_seen\":", 0, r->first_seen_s);
	record_row_put_time(w, ",\"last_confirmed\":", 1, r->confirmed_s);
	putc_unlocked('}', out);
}

/* --- all --- */

void hf_record_row_write(struct hf_record_writer *w, const struct hf_record_row *r)
{
	switch (w->form) {
	case HF_RECORD_JSON:
		write_json(w, r);
		break;
	case HF_RECORD_TEXT:
		fprintf(w->out, "%-40s %-39s %s", r->name, r->data, r->state);
		break;
	case HF_RECORD_HOSTS:
		fprintf(w->out, "%s %s", r->data, r->name);
		break;
	case HF_RECORD_ZONE:
		fprintf(w->out, "%s. %u IN AAAA %s", r->name, r->ttl_s, r->data);
		break;
	case HF_RECORD_FORMS:
		break;
	}
}
