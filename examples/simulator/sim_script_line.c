/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a line, read as numbers, times and users; and the reply to it. */
#include "examples/simulator/sim_script_line.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int hf_sim_line_say(const struct sim_line *l, int rc, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(l->reply, SIM_REPLY, format, ap);
	va_end(ap);
	return rc;
}

const char *hf_sim_line_word(const struct sim_line *l, size_t i)
{
	return i < l->n_words ? l->words[i] : NULL;
}

int hf_sim_line_number(const struct sim_line *l, size_t i, uint64_t otherwise, uint64_t *ret_number)
{
	const char *text = hf_sim_line_word(l, i);
	char *end;

	*ret_number = otherwise;
	if (!text)
		return 0;
	*ret_number = strtoull(text, &end, 10);
	return *end || end == text ? hf_sim_line_say(l, -EINVAL, "'%s' is no number", text) : 0;
}

struct sim_user *hf_sim_line_named(const struct sim_line *l, size_t i)
{
	const char *name = hf_sim_line_word(l, i);
	struct sim_user *u = name ? hf_sim_world_user(&l->server->world, name) : NULL;

	if (!u)
		hf_sim_line_say(l, -ENOENT, "there is no user '%s'", name ? name : "");
	return u;
}

int hf_sim_line_duration(const struct sim_line *l, size_t i, uint32_t *ret_ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	const char *text = hf_sim_line_word(l, i);
	double value;
	char *end;

	*ret_ms = 0;
	if (text && !strcmp(text, "off"))
		return 0;
	value = text ? strtod(text, &end) : -1;
	for (size_t u = 0; text && u < sizeof(units) / sizeof(units[0]); u++) {
		if (strcmp(end, units[u].unit) || value < 0 || value * units[u].ms > UINT32_MAX)
			continue;
		*ret_ms = (uint32_t)(value * units[u].ms);
		return 0;
	}
	return hf_sim_line_say(
	    l, -EINVAL, "'%s' is no time such as 500ms, 2s, 10m", text ? text : "");
}
