/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/row_text.h"

#include <stdio.h>
#include <time.h>

const char *hf_ctl_row_text(const json_t *row, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : otherwise;
}

long long hf_ctl_row_number(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

char *hf_ctl_age_text(int64_t seconds, char out[static HF_AGE_MAX])
{
	long long s = seconds > 0 ? seconds : 0;

	if (s < 120)
		snprintf(out, HF_AGE_MAX, "%lld s", s);
	else if (s < 2 * 3600)
		snprintf(out, HF_AGE_MAX, "%lld min", s / 60);
	else if (s < 2 * 86400)
		snprintf(out, HF_AGE_MAX, "%lld h", s / 3600);
	else
		snprintf(out, HF_AGE_MAX, "%lld d", s / 86400);
	return out;
}

char *hf_ctl_when_text(const json_t *time, int64_t now_s, char out[static HF_WHEN_MAX])
{
	const char *text = json_string_value(time);
	time_t at, now = (time_t)now_s;
	struct tm tm = { 0 }, then, today;
	char clock[32] = "", age[HF_AGE_MAX];

	snprintf(out, HF_WHEN_MAX, "never");
	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return out;
	at = timegm(&tm);
	if (!localtime_r(&at, &then) || !localtime_r(&now, &today))
		return out;
	if (then.tm_year == today.tm_year && then.tm_yday == today.tm_yday)
		strftime(clock, sizeof(clock), "%H:%M", &then);
	else
		strftime(clock, sizeof(clock), "%Y-%m-%d %H:%M", &then);
	if (at > now)
		snprintf(out, HF_WHEN_MAX, "%s (in %s)", clock, hf_ctl_age_text(at - now, age));
	else
		snprintf(out, HF_WHEN_MAX, "%s (%s ago)", clock, hf_ctl_age_text(now - at, age));
	return out;
}
