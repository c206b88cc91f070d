#include "bridge/ctl/why.h"

#include <string.h>

#include "bridge/ctl/ask.h"
#include "bridge/ctl/paint.h"
#include "bridge/ctl/show.h"
#include "config/config.h"

enum { EXIT_WELL, EXIT_BROKEN, EXIT_USAGE, EXIT_UNREACHED };

static const char *const state_names[] = { "ok", "broken", "unknown" };
static const enum hf_paint paints[] = { PAINT_GOOD, PAINT_BAD, PAINT_PLAIN };

static int keep(json_t *row, void *arg)
{
	json_t **kept = arg;

	json_decref(*kept);
	*kept = json_incref(row);
	return 0;
}

/* The source whose suffix the name is under; of several the longest. */
static json_t *find_source(const struct hf_why *w)
{
	json_t *row, *best = NULL;
	unsigned labels = 0;
	size_t i;

	json_array_foreach(json_object_get(w->status, "sources"), i, row) {
		struct hf_name suffix;

		if (hf_name_parse(hf_row_text(row, "suffix", "."), &suffix) ||
		    !hf_name_is_under(&w->name, &suffix) || hf_name_labels(&suffix) <= labels)
			continue;
		labels = hf_name_labels(&suffix);
		best = row;
	}
	return best;
}

static void print_text(const struct hf_why *w, const struct hf_hop *hops, const char *broken, FILE *out)
{
	bool unknown = false;

	for (size_t i = 0; i < hf_n_hops; i++)
		unknown |= *hops[i].text && hops[i].state == HOP_UNKNOWN;
	if (broken)
		fprintf(out, "%s is not as it should be; the first that is not: %s\n", w->text, broken);
	else
		fprintf(out, "%s is answered%s\n", w->text,
		    unknown ? ", as far as could be looked" : "");
	for (size_t i = 0; i < hf_n_hops; i++) {
		if (!*hops[i].text)
			continue;
		fprintf(out, "  %-8s ", hf_hops[i].name);
		hf_paint(out, paints[hops[i].state], "%-8s", state_names[hops[i].state]);
		fprintf(out, " %s\n", hops[i].text);
	}
}

static void print_json(const struct hf_why *w, const struct hf_hop *hops, const char *broken, FILE *out)
{
	json_t *list = json_array(), *row;

	for (size_t i = 0; i < hf_n_hops; i++) {
		if (!*hops[i].text)
			continue;
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s}", "hop", hf_hops[i].name, "state",
			state_names[hops[i].state], "text", hops[i].text));
	}
	row = json_pack("{s:s, s:b, s:s?, s:o}", "name", w->text, "answered", !broken, "broken", broken,
	    "hops", list);
	json_dumpf(row, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(row);
}

static int look(struct hf_why *w, bool json, FILE *out)
{
	struct hf_hop hops[16] = { 0 };
	const char *broken = NULL;
	size_t known = 0;

	for (size_t i = 0; i < hf_n_hops; i++) {
		hf_hops[i].look(w, &hops[i]);
		known += *hops[i].text && hops[i].state != HOP_UNKNOWN;
		if (hops[i].state == HOP_BROKEN && !broken)
			broken = hf_hops[i].name;
	}
	if (json)
		print_json(w, hops, broken, out);
	else
		print_text(w, hops, broken, out);
	if (!known)
		return EXIT_UNREACHED;
	return broken ? EXIT_BROKEN : EXIT_WELL;
}

int hf_why_run(const char *socket, const struct hf_config *config, const char *name, int64_t now_s,
    bool json, FILE *out)
{
	struct hf_why w = { .socket = socket, .config = config, .now_s = now_s };
	char why[HF_ASK_WHY_MAX];
	int status;

	if (hf_name_parse(name, &w.name)) {
		fprintf(stderr, "holdfastctl: '%s' is no name that Holdfast can serve: letters, digits, "
				"'-', '_' and dots\n",
		    name);
		return EXIT_USAGE;
	}
	hf_name_text(&w.name, w.text);
	hf_ask(socket, json_pack("{s:s}", "command", "status"), keep, &w.status, why);
	w.source = find_source(&w);
	status = look(&w, json, out);
	json_decref(w.status);
	json_decref(w.record);
	return status;
}
