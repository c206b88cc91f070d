/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hops of why, in the order of the data. A new one is a function and a row of the table at the
 * end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/error.h"
#include "bridge/ctl/ctl_client.h"
#include "bridge/ctl/why_missing.h"
#include "bridge/ctl/dns_probe.h"
#include "bridge/ctl/row_text.h"
#include "bridge/ctl/why.h"
#include "config/config.h"
#include "zone/addr.h"
#include "zone/answer.h"
#include "zone/reader.h"

static void hop_say(struct hf_hop *hop, enum hf_hop_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void hop_say(struct hf_hop *hop, enum hf_hop_state state, const char *format, ...)
{
	va_list ap;

	hop->state = state;
	va_start(ap, format);
	vsnprintf(hop->text, sizeof(hop->text), format, ap);
	va_end(ap);
}

static bool is_live(const json_t *source)
{
	return source && !strcmp(hf_ctl_row_text(source, "state", ""), "live");
}

/* --- name: is it one of ours? --- */

static int hop_take_name(json_t *row, void *arg)
{
	snprintf(arg, HF_NAME_TEXT_MAX, "%s", hf_ctl_row_text(row, "name", ""));
	return 0;
}

static bool is_served(const struct hf_why *w, const char *name, char *ret_name)
{
	char why[HF_CTL_CLIENT_WHY_MAX];

	ret_name[0] = '\0';
	return hf_ctl_client_ask(w->socket,
		   json_pack("{s:s, s:s}", "command", "records", "name", name), hop_take_name,
		   ret_name, why) == 0 &&
	       ret_name[0];
}

/* The suffix was left out: under which one is there such a name? */
static bool complete_name(const struct hf_why *w, char ret_name[static HF_NAME_TEXT_MAX])
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(w->status, "sources"), i, row)
	{
		const char *suffix = hf_ctl_row_text(row, "suffix", NULL);
		char name[2 * HF_NAME_TEXT_MAX];

		if (!suffix)
			continue;
		snprintf(name, sizeof(name), "%s.me.%s", w->text, suffix);
		if (is_served(w, name, ret_name))
			return true;
		snprintf(name, sizeof(name), "%s.%s", w->text, suffix);
		if (is_served(w, name, ret_name))
			return true;
	}
	return false;
}

static void look_name(struct hf_why *w, struct hf_hop *hop)
{
	const json_t *row;
	char known[200] = "", name[HF_NAME_TEXT_MAX];
	bool waits = false;
	size_t i;

	if (!w->status || w->source)
		return;
	json_array_foreach(json_object_get(w->status, "sources"), i, row)
	{
		const char *suffix = hf_ctl_row_text(row, "suffix", NULL);

		waits |= !suffix;
		if (suffix)
			snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%.60s",
			    *known ? ", " : "", suffix);
	}
	if (complete_name(w, name))
		hop_say(hop, HOP_BROKEN,
		    "not a Holdfast name: it lacks its suffix; did you mean '%.255s'?", name);
	else
		hop_say(hop, HOP_BROKEN, "not a Holdfast name (%s: %s)%s",
		    strchr(known, ',') ? "suffixes" : "suffix",
		    *known ? known : "none is known yet",
		    *known && waits ? "; a source that was never reached has none yet" : "");
}

/* --- stream: does the server send updates? --- */

static void look_stream(struct hf_why *w, struct hf_hop *hop)
{
	char when[HF_WHEN_MAX];
	const char *name;

	if (!w->status) {
		hop_say(hop, HOP_UNKNOWN, "%.400s", w->denied);
		return;
	}
	if (!w->source)
		return;
	name = hf_ctl_row_text(w->source, "name", "?");
	hf_ctl_when_text(json_object_get(w->source, "since"), w->now_s, when);
	if (is_live(w->source))
		hop_say(hop, HOP_OK, "source '%s' is live since %s", name, when);
	else
		hop_say(hop, HOP_BROKEN,
		    "source '%s' is %s since %s: %.300s; the names that were known stay", name,
		    hf_ctl_row_text(w->source, "state", "not followed"), when,
		    hf_ctl_row_text(w->source, "reason", "no reason is known"));
}

/* --- state: do we believe in it? --- */

static int keep_row(json_t *row, void *arg)
{
	struct hf_why *w = arg;

	json_decref(w->record);
	w->record = json_incref(row);
	return 0;
}

static void say_record(struct hf_why *w, struct hf_hop *hop)
{
	const char *state = hf_ctl_row_text(w->record, "state", "?");
	char seen[HF_WHEN_MAX], confirmed[HF_WHEN_MAX], addr[HF_ADDR_TEXT_MAX];

	hf_ctl_when_text(json_object_get(w->record, "first_seen"), w->now_s, seen);
	hf_ctl_when_text(json_object_get(w->record, "last_confirmed"), w->now_s, confirmed);
	w->has_addr = inet_pton(AF_INET6, hf_ctl_row_text(w->record, "data", ""), w->addr) == 1;
	hop_say(hop, strcmp(state, "withdrawn") ? HOP_OK : HOP_BROKEN,
	    "%s: %s, agent '%s' of workspace '%s' of %s, first seen %s, last confirmed %s%s", state,
	    w->has_addr ? hf_addr_text(w->addr, addr) : "?",
	    hf_ctl_row_text(w->record, "agent", "?"), hf_ctl_row_text(w->record, "workspace", "?"),
	    hf_ctl_row_text(w->record, "owner", "?"), seen, confirmed,
	    !strcmp(state, "held")        ? "; Coder no longer lists it, the guard keeps it"
	    : !strcmp(state, "withdrawn") ? "; the hold policy took it out of the answers"
					  : "");
}

static void look_state(struct hf_why *w, struct hf_hop *hop)
{
	char why[HF_CTL_CLIENT_WHY_MAX], missing[HF_WHY_MISSING_MAX];
	int rc;

	if (!w->status) {
		hop_say(hop, HOP_UNKNOWN, "only the bridge knows");
		return;
	}
	if (!w->source)
		return;
	rc = hf_ctl_client_ask(w->socket,
	    json_pack("{s:s, s:s}", "command", "records", "name", w->text), keep_row, w, why);
	if (rc)
		hop_say(hop, HOP_UNKNOWN, "%s", why);
	else if (w->record)
		say_record(w, hop);
	else
		hop_say(hop, HOP_BROKEN, "%s",
		    hf_why_missing_explain(w->socket, w->status, w->text, missing));
}

/* --- store: is it on disk? --- */

static int keep_line(json_t *row, void *arg)
{
	json_t **line = arg;

	*line = json_incref(row);
	return 1;
}

static void look_store(struct hf_why *w, struct hf_hop *hop)
{
	const json_t *store = json_object_get(w->status, "store");
	const char *state = hf_ctl_row_text(store, "state", "not known");
	char why[HF_CTL_CLIENT_WHY_MAX], when[HF_WHEN_MAX];
	json_t *line = NULL;

	if (!w->status) {
		hop_say(hop, HOP_UNKNOWN, "only the bridge knows");
		return;
	}
	if (!w->source)
		return;
	hf_ctl_client_ask(w->socket,
	    json_pack("{s:s, s:s, s:i}", "command", "history", "name", w->text, "max", 1),
	    keep_line, &line, why);
	hf_ctl_when_text(json_object_get(line, "time"), w->now_s, when);
	if (strcmp(state, "ok"))
		hop_say(hop, HOP_BROKEN, "the store is %s: %.300s", state,
		    hf_ctl_row_text(store, "reason", "?"));
	else if (line)
		hop_say(hop, HOP_OK, "%s %s (%s)", hf_ctl_row_text(line, "what", "?"), when,
		    hf_ctl_row_text(line, "reason", "?"));
	else
		hop_say(hop, HOP_OK, "the store is ok; it has no history of this name");
	json_decref(line);
}

/* --- zone: do readers see it? --- */

struct hop_view {
	struct hf_zone *zone;
	struct hf_zone_reader *reader;
};

static int hop_view_open(struct hop_view *v, const char *dir)
{
	int rc = hf_zone_open(dir, &hf_clock_system, &v->zone);

	if (!rc)
		rc = hf_zone_reader_new(v->zone, &v->reader);
	return rc ? rc : hf_zone_reader_load(v->reader);
}

static void hop_view_close(struct hop_view *v)
{
	hf_zone_reader_free(v->reader);
	hf_zone_close(v->zone);
}

static bool entry_has_addr(const struct hf_zone_entry *e, const uint8_t addr[16])
{
	for (size_t i = 0; i < e->n_addrs; i++)
		if (!memcmp(e->addrs[i], addr, 16))
			return true;
	return false;
}

static void say_entry(
    struct hf_why *w, const struct hop_view *v, const struct hf_zone_entry *e, struct hf_hop *hop)
{
	bool fresh = hf_zone_reader_fresh(v->reader, e->source, e->owner);
	char addr[HF_ADDR_TEXT_MAX];

	if (!e->n_addrs) {
		hop_say(
		    hop, HOP_BROKEN, "the published zone has names below it, but none of its own");
		return;
	}
	hf_addr_text(e->addrs[0], addr);
	if (w->has_addr && !entry_has_addr(e, w->addr)) {
		hop_say(hop, HOP_BROKEN, "the published zone has another address, %s", addr);
		return;
	}
	memcpy(w->addr, e->addrs[0], 16);
	w->has_addr = true;
	hop_say(hop, e->flags & HF_REC_WITHDRAWN ? HOP_BROKEN : HOP_OK, "published%s: %s",
	    e->flags & HF_REC_WITHDRAWN  ? ", withdrawn by the hold policy"
	    : e->flags & HF_REC_HELD     ? ", held"
	    : e->flags & HF_REC_RESTORED ? ", as it was before the store was lost"
	    : fresh                      ? ", live"
					 : ", stale",
	    addr);
}

static void look_zone(struct hf_why *w, struct hf_hop *hop)
{
	struct hop_view v = { 0 };
	struct hf_zone_entry e;
	int rc;

	if (w->status && !w->source)
		return;
	rc = hop_view_open(&v, w->config->zone);
	if (rc)
		hop_say(hop, rc == -EACCES ? HOP_UNKNOWN : HOP_BROKEN,
		    "'%.200s' cannot be read: %s", w->config->zone, hf_strerror(rc));
	else if (hf_zone_reader_find(v.reader, w->name.wire, w->name.len, &e) == 1)
		say_entry(w, &v, &e, hop);
	else
		hop_say(hop, HOP_BROKEN, "it is not in the published zone");
	hop_view_close(&v);
}

const struct hf_hop_kind hf_why_hops[] = {
	{ "name", look_name },
	{ "stream", look_stream },
	{ "state", look_state },
	{ "store", look_store },
	{ "zone", look_zone },
	{ "answer", hf_why_hop_answer },
	{ "feed", hf_why_hop_feed },
	{ "resolver", hf_why_hop_resolver },
	{ "machine", hf_why_hop_machine },
};
const size_t hf_why_n_hops = sizeof(hf_why_hops) / sizeof(hf_why_hops[0]);
