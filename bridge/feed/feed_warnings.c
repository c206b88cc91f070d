/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/feed_warnings.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

static size_t warning_at(const struct hf_feed_warnings *w, const char *code)
{
	size_t i = 0;

	while (i < w->n && strcmp(w->at[i].code, code) != 0)
		i++;
	return i;
}

static void warning_end(struct hf_feed_warnings *w, size_t i)
{
	if (i == w->n)
		return;
	hf_log_info("%s: no longer: %s", w->peer->who, w->at[i].text);
	w->at[i] = w->at[--w->n];
}

void hf_feed_warnings_set(struct hf_feed_warnings *w, const char *code, const char *text)
{
	size_t i = warning_at(w, code);
	struct hf_feed_warning *at = &w->at[i];

	if (!text) {
		warning_end(w, i);
		return;
	}
	if (i == HF_FEED_WARNINGS_MAX)
		return;
	if (i == w->n) {
		w->n++;
		memset(at, 0, sizeof(*at));
		snprintf(at->code, sizeof(at->code), "%s", code);
		at->since_s = hf_wall_ms(w->peer->clock) / 1000;
	}
	if (!strncmp(at->text, text, HF_FEED_TEXT_MAX - 1))
		return;
	snprintf(at->text, sizeof(at->text), "%s", text);
	hf_log_warn("%s: %s", w->peer->who, text);
}

const char *hf_feed_warnings_text(const struct hf_feed_warnings *w, const char *code)
{
	size_t i = warning_at(w, code);

	return i < w->n ? w->at[i].text : NULL;
}
