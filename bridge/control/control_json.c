/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values and lines of JSON that several answers of the control socket write.
 */
#include "bridge/control/control_json.h"

#include "base/clock.h"
#include "base/error.h"

json_t *hf_control_json_time(int64_t wall_s)
{
	char text[HF_WALL_TEXT_MAX];

	return hf_wall_text(wall_s, text) ? json_string(text) : json_null();
}

json_t *hf_control_json_text(const char *text)
{
	json_t *value = text && *text ? json_string(text) : NULL;

	return value ? value : json_null();
}

static int json_put(FILE *out, json_t *line)
{
	int rc = line ? json_dumpf(line, out, JSON_COMPACT) : -1;

	json_decref(line);
	return rc || putc('\n', out) == EOF ? HF_ECLOSED : 0;
}

int hf_control_json_row(FILE *out, json_t *row)
{
	return json_put(out, json_pack("{s:o}", "row", row));
}

void hf_control_json_end(FILE *out)
{
	json_put(out, json_pack("{s:b}", "end", true));
}

void hf_control_error(FILE *out, const char *text)
{
	json_put(out, json_pack("{s:s}", "error", text));
}

void hf_control_denied(FILE *out, const char *text)
{
	json_put(out, json_pack("{s:s, s:b}", "error", text, "denied", true));
}
