/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form json: a batch is one run of the program. It gets a line "begin", one a change, and a
 * line "end"; it gives one line a change, in the same order.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/hook/hook_private.h"
#include "base/error.h"

enum { ANSWER_MAX = 512 };

size_t hf_hook_output_max(size_t n)
{
	return (n + 1) * ANSWER_MAX;
}

static int json_line_put(FILE *out, json_t *line)
{
	int rc = line ? json_dumpf(line, out, JSON_COMPACT) : -1;

	json_decref(line);
	return rc || fputc('\n', out) == EOF ? -ENOMEM : 0;
}

static json_t *json_line_begin(const struct hf_adapter *a, const struct hf_batch *batch)
{
	json_t *suffixes = json_array();

	for (size_t i = 0; i < a->n_suffixes; i++) {
		char text[HF_NAME_TEXT_MAX];

		json_array_append_new(suffixes, json_string(hf_name_text(&a->suffixes[i], text)));
	}
	return json_pack("{s:s, s:i, s:s, s:I, s:I, s:I, s:o}", "op", "begin", "version", 1,
	    "adapter", a->config->name, "generation", (json_int_t)batch->generation, "changes",
	    (json_int_t)batch->n, "ttl", (json_int_t)a->ttl_s, "suffixes", suffixes);
}

/* Text of others may be no UTF-8; what is not known or not sayable is null. */
static json_t *text_or_null(const char *text)
{
	json_t *s = text ? json_string(text) : NULL;

	return s ? s : json_null();
}

static json_t *change_line(const struct hf_change *c)
{
	char name[HF_NAME_TEXT_MAX], addr[HF_ADDR_TEXT_MAX], was[HF_ADDR_TEXT_MAX];

	return json_pack("{s:s, s:s, s:s, s:s?, s:b, s:o, s:o, s:o, s:o, s:o, s:b}", "op",
	    c->op == HF_CHANGE_PUT ? "put" : "take", "name", hf_name_text(&c->record.name, name),
	    "address", hf_addr_text(c->record.addr, addr), "was",
	    c->op == HF_CHANGE_PUT && c->had ? hf_addr_text(c->was, was) : NULL, "primary",
	    c->record.primary, "source", text_or_null(c->subject.source), "owner",
	    text_or_null(c->subject.owner), "workspace", text_or_null(c->subject.workspace),
	    "agent", text_or_null(c->subject.agent), "agent_id", text_or_null(c->subject.agent_id),
	    "held", c->subject.held);
}

char *hf_hook_lines(const struct hf_adapter *a, const struct hf_batch *batch, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);
	int rc;

	if (!out)
		return NULL;
	rc = json_line_put(out, json_line_begin(a, batch));
	for (size_t i = 0; i < batch->n && !rc; i++)
		rc = json_line_put(out, change_line(&batch->at[i]));
	if (!rc)
		rc = json_line_put(out, json_pack("{s:s}", "op", "end"));
	if (fclose(out) || rc) {
		free(text);
		return NULL;
	}
	return text;
}

/* --- fates --- */

int hf_hook_fates_make(struct hf_hook_fates *f, size_t room)
{
	hf_hook_fates_free(f);
	f->at = malloc(room + 1);
	f->whys = calloc(room + 1, sizeof(*f->whys));
	return f->at && f->whys ? 0 : -ENOMEM;
}

void hf_hook_fates_free(struct hf_hook_fates *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->whys[i]);
	free(f->at);
	free(f->whys);
	memset(f, 0, sizeof(*f));
}

void hf_hook_fates_add(struct hf_hook_fates *f, uint8_t fate, const char *why)
{
	f->whys[f->n] = why ? strdup(why) : NULL;
	f->at[f->n++] = fate;
}

/* --- what comes back --- */

static int json_line_fate_of(const char *word)
{
	static const char *const words[] = {
		[HF_FATE_DONE] = "done", [HF_FATE_CLASH] = "clash", [HF_FATE_UNFIT] = "unfit"
	};

	for (int i = 0; word && i < (int)(sizeof(words) / sizeof(words[0])); i++)
		if (!strcmp(word, words[i]))
			return i;
	return -1;
}

/* The fate that one line tells, or a code; the text of that, and of what failed. */
static int json_line_read(const char *line, char text[static HF_HOOK_TEXT_MAX])
{
	json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	const char *error = json_string_value(json_object_get(o, "error"));
	int rc = json_line_fate_of(json_string_value(json_object_get(o, "fate")));

	if (error) {
		snprintf(text, HF_HOOK_TEXT_MAX, "said: %.400s", error);
		rc = HF_FATE_FAILED;
	} else if (rc < 0) {
		snprintf(text, HF_HOOK_TEXT_MAX,
		    "answered '%.200s' where {\"fate\":\"done|clash|unfit\"} or {\"error\":TEXT} was expected",
		    line);
		rc = HF_EFORMAT;
	}
	json_decref(o);
	return rc;
}

int hf_hook_receipt(
    char *output, size_t n, struct hf_hook_fates *fates, char text[static HF_HOOK_TEXT_MAX])
{
	int rc = 0;

	for (char *save, *line = strtok_r(output, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (fates->n == n) {
			snprintf(text, HF_HOOK_TEXT_MAX, "answered more than it was asked");
			return HF_EFORMAT;
		}
		rc = json_line_read(line, text);
		if (rc < 0)
			return rc;
		hf_hook_fates_add(fates, (uint8_t)rc, rc == HF_FATE_FAILED ? text : NULL);
	}
	if (fates->n < n && rc != HF_FATE_FAILED) {
		snprintf(text, HF_HOOK_TEXT_MAX, "answered %zu of %zu changes", fates->n, n);
		return HF_EFORMAT;
	}
	text[0] = '\0';
	return 0;
}
