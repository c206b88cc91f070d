/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/print.h"

#include <string.h>

#include "bridge/ctl/ctl_adapters.h"
#include "bridge/ctl/colour.h"
#include "bridge/ctl/row_text.h"

enum { OWNERS_SHOWN = 10, REFUSED_SHOWN = 5 };

static const char *print_plural(long long n)
{
	return n == 1 ? "" : "s";
}

int hf_print_status_is_well(const json_t *status)
{
	return !strcmp(hf_ctl_row_text(status, "bridge", ""), "running") &&
	       json_is_true(json_object_get(status, "fresh")) &&
	       json_array_size(json_object_get(status, "warnings")) == 0 &&
	       hf_ctl_adapters_are_well(json_object_get(status, "adapters"));
}

/* --- headline --- */

/* The first source that is not as it should be, of those that have names or of the others. */
static const json_t *source_find_troubled(const json_t *status, bool with_names)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(status, "sources"), i,
	    row) if (json_is_string(json_object_get(row, "reason")) &&
		     (hf_ctl_row_number(row, "names") > 0) == with_names) return row;
	return NULL;
}

/* The oldest last contact of the sources; NULL: of one of them none is known. */
static const json_t *oldest_last_contact(const json_t *status)
{
	const json_t *row, *oldest = NULL;
	size_t i;

	json_array_foreach(json_object_get(status, "sources"), i, row)
	{
		const json_t *at = json_object_get(row, "last_contact");

		if (!json_is_string(at))
			return NULL;
		if (!oldest || strcmp(json_string_value(at), json_string_value(oldest)) < 0)
			oldest = at;
	}
	return oldest;
}

static void show_count(const json_t *states, const char *state, const char **between, FILE *out)
{
	long long n = hf_ctl_row_number(states, state);

	if (!n)
		return;
	fputs(*between, out);
	*between = ", ";
	hf_colour_print(
	    out, !strcmp(state, "live") ? COLOUR_GOOD : COLOUR_WARN, "%lld %s", n, state);
}

/* What the names are: all of one state, or so many of each. */
static void show_states(const json_t *status, int64_t now_s, FILE *out)
{
	static const char *const all[] = { "live", "stale", "held", "withdrawn" };
	const json_t *states = json_object_get(status, "name_states"),
		     *since = json_object_get(status, "stale_since");
	long long names = hf_ctl_row_number(status, "names");
	const char *between = ": ";
	char when[HF_WHEN_MAX];

	if (names ? hf_ctl_row_number(states, "live") == names
		  : json_is_true(json_object_get(status, "fresh"))) {
		fputs(", ", out);
		hf_colour_print(out, COLOUR_GOOD, "live");
		return;
	}
	if (hf_ctl_row_number(states, "stale") == names) {
		fputs(", ", out);
		if (json_is_string(since))
			hf_colour_print(out, COLOUR_WARN, "stale since %s",
			    hf_ctl_when_text(since, now_s, when));
		else
			hf_colour_print(out, COLOUR_WARN, "%s", names ? "stale" : "not live");
		return;
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		show_count(states, all[i], &between, out);
}

/* What waits for the operator, but for what was rejected: that is decided. */
static void show_waiting(const json_t *status, FILE *out)
{
	const json_t *row;
	size_t i, n = 0, removals = 0;

	json_array_foreach(json_object_get(status, "guard"), i, row)
	{
		const char *kind = hf_ctl_row_text(row, "reason", "");

		if (json_is_true(json_object_get(row, "rejected")))
			continue;
		n++;
		removals += strcmp(kind, "suffix") && strcmp(kind, "deployment");
	}
	if (n == 1)
		fprintf(out, " (a %s waits for you)", removals ? "removal" : "decision");
	else if (n)
		fprintf(out, " (%zu %s wait for you)", n, removals == n ? "removals" : "decisions");
}

static void show_headline(const json_t *status, int64_t now_s, FILE *out)
{
	const char *not_answering = hf_ctl_row_text(status, "not_answering", NULL);
	const json_t *source = source_find_troubled(status, true),
		     *other = source_find_troubled(status, false);
	bool running = !strcmp(hf_ctl_row_text(status, "bridge", ""), "running");
	long long names = hf_ctl_row_number(status, "names");
	char when[HF_WHEN_MAX];

	if (not_answering) {
		hf_colour_print(out, COLOUR_BAD, "NOT ANSWERING");
		fprintf(
		    out, ": %s; %lld name%s published", not_answering, names, print_plural(names));
	} else if (!running) {
		fprintf(out, "%lld name%s published", names, print_plural(names));
	} else {
		fprintf(out, "serving %lld name%s", names, print_plural(names));
	}
	if (running) {
		show_states(status, now_s, out);
		show_waiting(status, out);
	} else {
		fputs(", ", out);
		hf_colour_print(out, COLOUR_WARN, "%s",
		    !strcmp(hf_ctl_row_text(status, "bridge", ""), "unknown")
			? "the bridge cannot be asked"
			: "the bridge is down");
		if (oldest_last_contact(status))
			fprintf(out, ": last confirmed %s",
			    hf_ctl_when_text(oldest_last_contact(status), now_s, when));
	}
	if (source || (other && !names))
		fprintf(out, ": %s", hf_ctl_row_text(source ? source : other, "reason", ""));
	else if (other)
		fprintf(out, "; source %s: %s", hf_ctl_row_text(other, "name", "?"),
		    hf_ctl_row_text(other, "reason", ""));
	fputc('\n', out);
}

/* --- status --- */

/* Why an owner's changes do not come, and what is done about it. */
static void show_owner_line(const json_t *line, FILE *out)
{
	const char *why = hf_ctl_row_text(line, "reason", NULL),
		   *next = hf_ctl_row_text(line, "next_try", NULL);

	if (!why)
		return;
	fprintf(out, "; %s: %s",
	    !strcmp(hf_ctl_row_text(line, "state", ""), "live") ? "no new snapshot"
								: "not followed",
	    why);
	if (next)
		fprintf(out, ", tried again at %.8s", strlen(next) > 11 ? next + 11 : next);
}

static void show_owners(const json_t *owners, FILE *out)
{
	size_t n = json_array_size(owners);

	for (size_t i = 0; i < n && i < OWNERS_SHOWN; i++) {
		const json_t *o = json_array_get(owners, i);

		fprintf(out, "    owner %s: %s, %lld workspace%s, %lld agent%s",
		    hf_ctl_row_text(o, "name", "?"), hf_ctl_row_text(o, "state", "?"),
		    hf_ctl_row_number(o, "workspaces"),
		    print_plural(hf_ctl_row_number(o, "workspaces")),
		    hf_ctl_row_number(o, "agents"), print_plural(hf_ctl_row_number(o, "agents")));
		if (json_is_false(json_object_get(o, "readable")))
			fputs("; the token may not read them", out);
		show_owner_line(json_object_get(o, "line"), out);
		if (hf_ctl_row_number(o, "without_agents"))
			fprintf(out, "; %lld stopped or without agents, so without names",
			    hf_ctl_row_number(o, "without_agents"));
		fputc('\n', out);
	}
	if (n > OWNERS_SHOWN)
		fprintf(out, "    and %zu more owners\n", n - OWNERS_SHOWN);
}

static void print_source(const json_t *s, int64_t now_s, FILE *out)
{
	char when[HF_WHEN_MAX];

	fprintf(out, "  source %s: %s", hf_ctl_row_text(s, "name", "?"),
	    hf_ctl_row_text(s, "state", "not followed"));
	if (json_is_string(json_object_get(s, "since")))
		fprintf(
		    out, " since %s", hf_ctl_when_text(json_object_get(s, "since"), now_s, when));
	fprintf(out, ", %s, suffix %s", hf_ctl_row_text(s, "url", "url not known"),
	    hf_ctl_row_text(s, "suffix", "not known yet"));
	if (json_is_string(json_object_get(s, "user")))
		fprintf(out, ", as %s", hf_ctl_row_text(s, "user", ""));
	fputc('\n', out);
	if (json_is_string(json_object_get(s, "reason")))
		fprintf(out, "    %s\n", hf_ctl_row_text(s, "reason", ""));
	fprintf(out, "    last contact %s",
	    hf_ctl_when_text(json_object_get(s, "last_contact"), now_s, when));
	if (hf_ctl_row_number(s, "attempts"))
		fprintf(out, ", %lld attempt%s failed", hf_ctl_row_number(s, "attempts"),
		    print_plural(hf_ctl_row_number(s, "attempts")));
	if (json_is_string(json_object_get(s, "next_try")))
		fprintf(out, ", next try %s",
		    hf_ctl_when_text(json_object_get(s, "next_try"), now_s, when));
	if (json_is_string(json_object_get(s, "token_expires")))
		fprintf(out, ", token expires %s",
		    hf_ctl_when_text(json_object_get(s, "token_expires"), now_s, when));
	fputc('\n', out);
	show_owners(json_object_get(s, "owners"), out);
}

void hf_print_sources(const json_t *status, int64_t now_s, FILE *out)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(status, "sources"), i, row)
	    print_source(row, now_s, out);
}

static void print_refused(const json_t *status, FILE *out)
{
	const json_t *refused = json_object_get(status, "refused");
	size_t n = json_array_size(refused);

	for (size_t i = 0; i < n && i < REFUSED_SHOWN; i++) {
		const json_t *r = json_array_get(refused, i);

		fprintf(out, "  refused: %s '%s': %s\n", hf_ctl_row_text(r, "source", "?"),
		    hf_ctl_row_text(r, "name", ""), hf_ctl_row_text(r, "reason", "?"));
	}
	if (n > REFUSED_SHOWN)
		fprintf(out, "  and more that was refused: holdfastctl status --json\n");
}

static void show_readers(const json_t *status, FILE *out)
{
	const json_t *r;
	size_t i;

	json_array_foreach(json_object_get(status, "readers"), i, r) fprintf(out,
	    "  reader %s at %s: %lld answers, %lld of them negative, %lld stale; %lld refused, %lld errors\n",
	    hf_ctl_row_text(r, "name", "?"), hf_ctl_row_text(r, "address", "?"),
	    hf_ctl_row_number(r, "answers"), hf_ctl_row_number(r, "negative"),
	    hf_ctl_row_number(r, "stale"), hf_ctl_row_number(r, "refused"),
	    hf_ctl_row_number(r, "errors"));
}

static void show_notes(const json_t *status, FILE *out)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(status, "notes"), i, row)
	    fprintf(out, "note: %s\n", hf_ctl_row_text(row, "text", "?"));
}

void hf_print_status(const json_t *status, int64_t now_s, FILE *out)
{
	char when[HF_WHEN_MAX];
	const json_t *row;
	size_t i;

	show_headline(status, now_s, out);
	json_array_foreach(json_object_get(status, "warnings"), i, row)
	{
		hf_colour_print(out, COLOUR_WARN, "warning:");
		fprintf(out, " %s", hf_ctl_row_text(row, "text", "?"));
		if (json_is_string(json_object_get(row, "since")))
			fprintf(out, ", since %s",
			    hf_ctl_when_text(json_object_get(row, "since"), now_s, when));
		fputc('\n', out);
	}
	show_notes(status, out);
	hf_print_sources(status, now_s, out);
	hf_ctl_adapters_print(json_object_get(status, "adapters"), now_s, out);
	show_readers(status, out);
	print_refused(status, out);
	fprintf(out, "  bridge %s, store %s, generation %lld, holdfast %s\n",
	    hf_ctl_row_text(status, "bridge", "?"),
	    hf_ctl_row_text(json_object_get(status, "store"), "state", "not known"),
	    hf_ctl_row_number(status, "generation"), hf_ctl_row_text(status, "version", "?"));
}

/* --- rows --- */

void hf_print_record(const json_t *r, FILE *out)
{
	const char *state = hf_ctl_row_text(r, "state", "?");

	fprintf(
	    out, "%-40s %-39s ", hf_ctl_row_text(r, "name", "?"), hf_ctl_row_text(r, "data", "?"));
	hf_colour_print(out, strcmp(state, "live") ? COLOUR_WARN : COLOUR_GOOD, "%s", state);
	fputc('\n', out);
}

void hf_print_history(const json_t *line, int64_t now_s, FILE *out)
{
	char when[HF_WHEN_MAX];

	/* So many names that a line for each helps nobody, as at the first fill. */
	if (!strcmp(hf_ctl_row_text(line, "what", ""), "summary")) {
		fprintf(out, "%s  many at once: %s, not listed one by one  (%s)\n",
		    hf_ctl_when_text(json_object_get(line, "time"), now_s, when),
		    hf_ctl_row_text(line, "detail", "?"), hf_ctl_row_text(line, "reason", "?"));
		return;
	}
	fprintf(out, "%s  %s  %s  %s  (%s)\n",
	    hf_ctl_when_text(json_object_get(line, "time"), now_s, when),
	    hf_ctl_row_text(line, "name", "-"), hf_ctl_row_text(line, "what", "?"),
	    hf_ctl_row_text(line, "detail", ""), hf_ctl_row_text(line, "reason", "?"));
}
