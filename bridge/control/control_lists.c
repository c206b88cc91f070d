/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that can be long. They are written by a process of its own, out of its copy of what was
 * true at one moment.
 */
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/glob.h"
#include "bridge/control/control_json.h"
#include "bridge/control/control_private.h"
#include "bridge/engine/engine.h"
#include "bridge/front/record_row.h"
#include "config/config.h"
#include "config/nearest.h"

struct control_listing {
	const struct hf_control_env *env;
	FILE *out;
	const char *pattern; /* "": all */
};

static bool listing_matches(const struct control_listing *l, const char *text)
{
	return !l->pattern[0] || hf_glob_match(l->pattern, text);
}

static const char *record_state(const struct hf_record_view *r)
{
	if (r->flags & HF_REC_WITHDRAWN)
		return "withdrawn";
	if (r->flags & HF_REC_HELD)
		return "held";
	return r->fresh ? "live" : "stale";
}

struct control_records {
	const struct hf_control_env *env;
	FILE *out;
	struct hf_record_filter filter;
	struct hf_record_writer writer;
};

/* An object, or "=" and the line as it is to be shown. */
static int control_write_row(struct control_records *l, const struct hf_record_row *row)
{
	bool object = l->writer.form == HF_RECORD_JSON;

	fputs(object ? "{\"row\":" : "=", l->out);
	hf_record_row_write(&l->writer, row);
	fputs(object ? "}\n" : "\n", l->out);
	return ferror(l->out) ? HF_ECLOSED : 0;
}

static int list_record(const struct hf_record_view *r, void *arg)
{
	struct control_records *l = arg;
	char name[HF_NAME_TEXT_MAX], addr[HF_ADDR_TEXT_MAX], agent[HF_UUID_TEXT_MAX];
	struct hf_record_row row = { .name = hf_name_text(&r->name, name),
		.data = hf_addr_text(r->addr, addr),
		.ttl_s = (uint32_t)l->env->config->ttl_s,
		.source = r->source->name,
		.owner = r->owner ? r->owner->name : NULL,
		.workspace = r->workspace ? r->workspace->name : NULL,
		.agent = r->agent ? r->agent->name : NULL,
		.agent_id = r->agent ? hf_uuid_text(&r->agent->id, agent) : NULL,
		.state = record_state(r),
		.first_seen_s = r->first_seen_s,
		.confirmed_s = r->confirmed_s };

	return hf_record_row_wanted(&l->filter, &row, &r->name) ? control_write_row(l, &row) : 0;
}

int hf_control_records(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out)
{
	struct control_records l = { .env = env,
		.out = out,
		.filter = { .pattern = r->name,
		    .stale = r->stale,
		    .suffix = r->suffix.len ? &r->suffix : NULL,
		    .answered = r->answered,
		    .data = r->data },
		.writer = { .out = out, .form = r->formed ? r->form : HF_RECORD_JSON } };

	return hf_state_each_record(
	    hf_engine_state(env->engine), hf_engine_now(env->engine), list_record, &l);
}

/* --- workspaces --- */

static const char *status_name(uint8_t status)
{
	static const char *const names[] = { "unknown", "pending", "starting", "running",
		"stopping", "stopped", "failed", "canceling", "canceled", "deleting", "deleted" };

	return status < sizeof(names) / sizeof(names[0]) ? names[status] : "unknown";
}

static int list_workspace(const struct hf_workspace_view *w, void *arg)
{
	const struct control_listing *l = arg;
	char id[HF_UUID_TEXT_MAX];

	if (!listing_matches(l, w->row->name))
		return 0;
	return hf_control_json_row(l->out,
	    json_pack("{s:o, s:o, s:o, s:s, s:s, s:I, s:b, s:o, s:o}", "source",
		hf_control_json_text(w->source->name), "owner",
		hf_control_json_text(w->owner->name), "workspace",
		hf_control_json_text(w->row->name), "workspace_id", hf_uuid_text(&w->row->id, id),
		"status", status_name(w->row->status), "agents", (json_int_t)w->agents, "held",
		w->row->held, "refused", hf_control_json_text(w->bad), "first_seen",
		hf_control_json_time(w->row->first_seen_s)));
}

int hf_control_workspaces(const struct hf_control_env *env, const char *pattern, FILE *out)
{
	struct control_listing l = { env, out, pattern };

	return hf_state_each_workspace(hf_engine_state(env->engine), list_workspace, &l);
}

/* --- the nearest name --- */

enum { SLIPS_MAX = 3 };

struct near {
	const char *word;
	char name[HF_NAME_TEXT_MAX];
	unsigned slips;
};

static int look_near(const struct hf_record_view *r, void *arg)
{
	struct near *n = arg;
	char name[HF_NAME_TEXT_MAX];
	size_t len = strlen(hf_name_text(&r->name, name)), want = strlen(n->word);
	unsigned slips;

	/* Each letter more or less is a slip. */
	if (len > want + SLIPS_MAX || want > len + SLIPS_MAX)
		return 0;
	slips = hf_nearest_distance(n->word, name);
	if (slips < n->slips) {
		n->slips = slips;
		memcpy(n->name, name, len + 1);
	}
	return 0;
}

int hf_control_near(const struct hf_control_env *env, const char *word, FILE *out)
{
	struct near n = { .word = word, .slips = SLIPS_MAX + 1 };

	hf_state_each_record(
	    hf_engine_state(env->engine), hf_engine_now(env->engine), look_near, &n);
	return n.name[0] ? hf_control_json_row(out, json_pack("{s:s}", "name", n.name)) : 0;
}
