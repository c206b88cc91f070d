/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history and watch: what changed, as lines of the store's history.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "bridge/ctl/ctl.h"
#include "bridge/ctl/print.h"
#include "bridge/ctl/row_text.h"

enum { WATCH_EVERY_MS = 500, WATCH_MOST = 1000 }; /* lines at once: as many as the bridge tells */

static int history_show_line(json_t *row, void *arg)
{
	struct hf_ctl *c = arg;
	char *text;

	if (c->o.json) {
		text = json_dumps(row, JSON_COMPACT);
		if (!text)
			return -ENOMEM;
		hf_ctl_print_element(c, text, strlen(text));
		free(text);
	} else {
		hf_print_history(row, c->now_s, stdout);
		c->n++;
	}
	return hf_ctl_unread() ? -EPIPE : 0;
}

/* A served name without a line of its own: when it came, and why there is none. */
static bool explain_served(struct hf_ctl *c)
{
	char when[HF_WHEN_MAX];
	json_t *row;

	json_decref(c->kept);
	c->kept = NULL;
	if (strpbrk(c->o.name, "*?[\\") ||
	    hf_ctl_client_ask(c->socket,
		json_pack("{s:s, s:s}", "command", "records", "name", c->o.name), hf_ctl_keep, c,
		c->why) ||
	    !c->kept)
		return false;
	row = c->kept;
	printf(
	    "%s is served since %s and has no line of its own: it came with many others at once, which are one line in history, or longer ago than history reaches\n",
	    hf_ctl_row_text(row, "name", "?"),
	    hf_ctl_when_text(json_object_get(row, "first_seen"), c->now_s, when));
	return true;
}

int hf_ctl_history(struct hf_ctl *c)
{
	int rc = hf_ctl_client_ask(c->socket,
	    json_pack("{s:s, s:s?}", "command", "history", "name", c->o.name), history_show_line, c,
	    c->why);

	if (rc == -EPIPE && hf_ctl_unread())
		return HF_EXIT_DEGRADED;
	if (rc)
		return hf_ctl_failed(c, rc);
	if (c->o.json)
		hf_ctl_end_list(c);
	else if (!c->n && c->o.name && !explain_served(c))
		hf_ctl_explain_missing(c, "no history of that name");
	return HF_EXIT_WELL;
}

/* --- watch --- */

static int history_collect_row(json_t *row, void *arg)
{
	return json_array_append(arg, row) ? -ENOMEM : 0;
}

/* Lines after generation *after, the oldest first; *after moves on. */
static int watch_once(struct hf_ctl *c, json_int_t *after)
{
	json_t *lines = json_array();
	int rc = hf_ctl_client_ask(c->socket,
	    json_pack("{s:s, s:I, s:i}", "command", "history", "after", *after, "max", WATCH_MOST),
	    history_collect_row, lines, c->why);

	/* So many lines are told at once, the newest. */
	if (!rc && json_array_size(lines) == WATCH_MOST)
		fprintf(stderr,
		    "holdfastctl: %d changes or more at once; the first of them may be left out (holdfastctl records shows what there is)\n",
		    WATCH_MOST);
	c->now_s = hf_wall_ms(&hf_clock_system) / 1000;
	for (size_t i = json_array_size(lines); !rc && i-- > 0;) {
		const json_t *row = json_array_get(lines, i);

		*after = json_integer_value(json_object_get(row, "generation"));
		if (c->o.json) {
			json_dumpf(row, stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			hf_print_history(row, c->now_s, stdout);
		}
	}
	json_decref(lines);
	return rc;
}

/* Until somebody ends it. A bridge that goes is waited for. */
int hf_ctl_watch(struct hf_ctl *c)
{
	const struct timespec pause = { .tv_nsec = WATCH_EVERY_MS * 1000000L };
	int rc = hf_ctl_client_ask(
	    c->socket, json_pack("{s:s}", "command", "status"), hf_ctl_keep, c, c->why);
	json_int_t after = json_integer_value(json_object_get(c->kept, "generation"));
	bool away = false;

	if (rc)
		return hf_ctl_failed(c, rc);
	while (fflush(stdout) == 0 && !hf_ctl_unread()) {
		nanosleep(&pause, NULL);
		rc = watch_once(c, &after);
		if (rc && !away)
			fprintf(stderr, "holdfastctl: %s; waiting for it\n", c->why);
		else if (!rc && away)
			fputs("holdfastctl: the bridge is back\n", stderr);
		away = rc != 0;
	}
	return HF_EXIT_WELL;
}
