/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What status shows. Every field is either known or null.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "bridge/control/control_guard.h"
#include "bridge/control/control_json.h"
#include "bridge/control/control_private.h"
#include "bridge/engine/engine.h"
#include "bridge/front/network.h"
#include "bridge/control/listeners.h"
#include "bridge/follow/sources.h"
#include "bridge/version.h"
#include "config/config.h"

enum { REFUSED_MAX = 100 };

struct status {
	const struct hf_control_env *env;
	json_t *root; /* borrowed, as all below */
	json_t *warnings;
	json_t *sources;
	json_t *guard;
	json_t *refused;
	json_t *owners;                 /* of the source that is being shown */
	const struct hf_client *client; /* its; NULL: it is not followed */
	uint32_t source;                /* its rid */
	bool fresh;
	int64_t stale_since_s;
	uint64_t refused_total;
	json_int_t held;
	struct hf_tally tallies[HF_ZONE_SOURCES_MAX];
};

static void status_warn(struct status *s, const char *code, json_t *text, json_t *since)
{
	json_array_append_new(
	    s->warnings, json_pack("{s:s, s:o, s:o}", "code", code, "text", text, "since", since));
}

/* The moment of the oldest picture that is still served counts. */
static void note_stale(struct status *s, int64_t since_s)
{
	s->fresh = false;
	if (since_s && (!s->stale_since_s || since_s < s->stale_since_s))
		s->stale_since_s = since_s;
}

/* --- names --- */

static json_t *show_tally(const struct status *s)
{
	struct hf_tally sum = { 0 };

	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		sum.live += s->tallies[i].live;
		sum.stale += s->tallies[i].stale;
		sum.held += s->tallies[i].held;
		sum.withdrawn += s->tallies[i].withdrawn;
	}
	return json_pack("{s:I, s:I, s:I, s:I}", "live", (json_int_t)sum.live, "stale",
	    (json_int_t)sum.stale, "held", (json_int_t)sum.held, "withdrawn",
	    (json_int_t)sum.withdrawn);
}

static json_int_t status_names_of(const struct hf_tally *t)
{
	return (json_int_t)(t->live + t->stale + t->held + t->withdrawn);
}

/* --- sources --- */

/* null where it is negative: never. */
static json_t *time_in(const struct status *s, int64_t ms)
{
	return ms < 0 ? json_null() : hf_control_json_time((hf_wall_ms(s->env->clock) + ms) / 1000);
}

/*
 * An owner of a fresh source is stale when no snapshot has come for two intervals; or none has
 * since the start.
 */
static int64_t owner_stale_since_s(
    const struct status *s, const struct hf_source_view *source, const struct hf_owner_view *o)
{
	int64_t since = o->row->confirmed_s + 2 * (int64_t)source->snapshot_ms / 1000;
	int64_t now = hf_wall_ms(s->env->clock) / 1000;

	return !o->row->confirmed_s ? 0 : since < now ? since : now;
}

/* What the client does about one owner; null: it does not follow that one. */
static json_t *line_of(const struct status *s, const struct hf_owner_view *o)
{
	struct hf_client_owner_status line;

	if (!s->client || !hf_client_owner(s->client, &o->row->id, &line))
		return json_null();
	return json_pack("{s:s, s:o, s:o}", "state",
	    line.opening ? "opening"
	    : line.live  ? "live"
			 : "waiting",
	    "reason", hf_control_json_text(line.problem), "next_try", time_in(s, line.next_try_ms));
}

static int status_show_owner(
    const struct hf_source_view *source, const struct hf_owner_view *o, void *arg)
{
	struct status *s = arg;
	char id[HF_UUID_TEXT_MAX];

	if (source->row->rid != s->source)
		return 0;
	if (!o->fresh && source->fresh)
		note_stale(s, owner_stale_since_s(s, source, o));
	json_array_append_new(s->owners,
	    json_pack("{s:o, s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o}", "name",
		hf_control_json_text(o->row->name), "id", hf_uuid_text(&o->row->id, id), "state",
		o->held    ? "held"
		: o->fresh ? "live"
			   : "stale",
		"workspaces", (json_int_t)o->workspaces, "agents", (json_int_t)o->agents,
		"without_agents", (json_int_t)o->idle, "last_confirmed",
		hf_control_json_time(o->row->confirmed_s), "readable",
		o->readable == READABLE_UNKNOWN ? json_null()
						: json_boolean(o->readable == READABLE_YES),
		"line", line_of(s, o)));
	return 0;
}

static void status_count(json_t *counts, const char *name, uint64_t n)
{
	if (n)
		json_object_set_new(counts, name, json_integer((json_int_t)n));
}

/* How often each has been since the bridge began, by names that stay. */
static json_t *count_failures(const struct hf_client_status *c)
{
	json_t *counts = json_object();

	for (int i = HF_PROBLEM_NONE + 1; i < HF_PROBLEM_LAST; i++)
		status_count(counts, hf_problem_name(i), c->problems[i]);
	return counts;
}

static json_t *count_faults(const struct hf_client_status *c)
{
	json_t *counts = json_object();

	for (int i = HF_STREAM_FAULT_NONE + 1; i < HF_STREAM_FAULT_LAST; i++)
		status_count(counts, hf_stream_fault_name(i), c->troubles[i]);
	return counts;
}

/* What the client knows; a source that has none has not begun. */
static void add_client(struct status *s, json_t *row, const char *name)
{
	struct hf_source *source = hf_sources_find(s->env->sources, name);
	struct hf_client_status c;
	const char *why = NULL;

	s->client = source ? hf_source_client(source) : NULL;
	if (!source)
		return;
	/* Where it is dialled, also where the configuration leaves that to the environment. */
	if (hf_source_url(source)[0])
		json_object_set_new(row, "url", hf_control_json_text(hf_source_url(source)));
	hf_client_status(hf_source_client(source), &c);
	if (c.problem && c.problem->code != HF_PROBLEM_NONE)
		why = c.problem->text[0] ? c.problem->text : hf_problem_name(c.problem->code);
	json_object_set_new(row, "state", json_string(hf_client_state_name(c.state)));
	json_object_set_new(row, "reason", hf_control_json_text(why));
	json_object_set_new(
	    row, "problem", hf_control_json_text(why ? hf_problem_name(c.problem->code) : NULL));
	json_object_set_new(row, "since", hf_control_json_time(c.since_wall_s));
	json_object_set_new(
	    row, "token_expires", hf_control_json_time(c.told ? c.told->token_expires_s : 0));
	json_object_set_new(row, "attempts", json_integer(c.attempts));
	json_object_set_new(row, "next_try", time_in(s, c.next_try_ms));
	json_object_set_new(row, "failures", count_failures(&c));
	json_object_set_new(row, "faults", count_faults(&c));
	if (c.state != CLIENT_LIVE && why)
		json_array_append_new(s->warnings,
		    json_pack("{s:s, s:o, s:o, s:b}", "code", hf_problem_name(c.problem->code),
			"text", json_sprintf("source '%s': %s", name, why), "since",
			hf_control_json_time(c.since_wall_s), "source_state", true));
}

static int status_show_source(const struct hf_source_view *v, void *arg)
{
	struct status *s = arg;
	char suffix[HF_NAME_TEXT_MAX] = "";
	json_t *row;

	s->refused_total += v->refused_total;
	if (!v->fresh)
		note_stale(s, v->stale_since_s);
	if (v->row->suffix.len)
		hf_name_text(&v->row->suffix, suffix);
	s->owners = json_array();
	s->source = v->row->rid;
	row = json_pack(
	    "{s:o, s:o, s:n, s:n, s:n, s:o, s:o, s:o, s:n, s:n, s:n, s:{}, s:{}, s:b, s:b, s:o}",
	    "name", hf_control_json_text(v->row->name), "url", hf_control_json_text(v->row->url),
	    "state", "reason", "since", "last_contact", hf_control_json_time(v->row->contact_s),
	    "suffix", hf_control_json_text(suffix), "deployment_id",
	    hf_control_json_text(v->row->deployment_id), "token_expires", "attempts", "next_try",
	    "failures", "faults", "fresh", v->fresh, "withdrawn", v->row->withdrawn, "owners",
	    s->owners);
	if (!row)
		return 0;
	json_object_set_new(row, "user", hf_control_json_text(v->row->user_name));
	json_object_set_new(row, "former_user", hf_control_json_text(v->former_user));
	json_object_set_new(row, "rights", hf_control_json_text(v->rights));
	json_object_set_new(row, "missing_rights", hf_control_json_text(v->missing_rights));
	json_object_set_new(row, "disputed", json_integer(v->disputed));
	json_object_set_new(row, "names", json_integer(status_names_of(&s->tallies[v->row->rid])));
	json_array_append_new(s->sources, row);
	add_client(s, row, v->row->name);
	if (v->leaving) {
		json_object_set_new(row, "state", json_string("waiting"));
		json_object_set_new(row, "reason",
		    json_string(
			"no longer configured; its names stay until a source of its suffix is confirmed"));
	}
	hf_state_each_owner(
	    hf_engine_state(s->env->engine), hf_engine_now(s->env->engine), status_show_owner, s);
	return 0;
}

/* --- refused --- */

static int status_show_refused(const struct hf_refused_view *r, void *arg)
{
	struct status *s = arg;

	if (json_array_size(s->refused) == REFUSED_MAX)
		return 1;
	json_array_append_new(s->refused,
	    json_pack("{s:o, s:o, s:o}", "source", hf_control_json_text(r->source), "name",
		hf_control_json_text(r->name), "reason", hf_control_json_text(r->reason)));
	return 0;
}

/* --- store --- */

enum { WAL_MUCH = 64 << 20 };

/*
 * What is committed is written back into the store's file unless somebody reads an older state of
 * it.
 */
static void look_at_wal(struct status *s)
{
	struct hf_store_stats stats;

	hf_store_get_stats(hf_engine_store(s->env->engine), &stats);
	if (stats.wal_bytes >= WAL_MUCH)
		status_warn(s, "store-wal",
		    json_sprintf(
			"store: its -wal file is %llu MB: a program that has been reading the store for long keeps it from being written back (fuser %s)",
			(unsigned long long)(stats.wal_bytes >> 20), s->env->config->store),
		    json_null());
}

static json_t *show_store(struct status *s)
{
	const char *reason = "";
	int64_t since_s = 0;
	enum hf_store_state state =
	    hf_store_get_state(hf_engine_store(s->env->engine), &reason, &since_s);

	if (state != HF_STORE_OK)
		status_warn(s, "store",
		    json_sprintf("store: %s: %s", hf_store_state_name(state), reason),
		    hf_control_json_time(since_s));
	return json_pack("{s:s, s:o, s:o}", "state", hf_store_state_name(state), "reason",
	    hf_control_json_text(reason), "since", hf_control_json_time(since_s));
}

static json_t *show_reloads(const struct hf_reloads *r)
{
	return json_pack("{s:I, s:I, s:I}", "done", (json_int_t)r->done, "rejected",
	    (json_int_t)r->rejected, "waited", (json_int_t)r->waited);
}

/* Where what is shown here is not what is answered. */
static void status_look_at_zone(struct status *s)
{
	struct hf_engine_trouble t;

	if (hf_engine_trouble(s->env->engine, &t))
		status_warn(s, t.code, json_string(t.text), hf_control_json_time(t.since_s));
}

static int note_line(const struct hf_history_line *line, void *arg)
{
	(void)line;
	*(bool *)arg = true;
	return 1;
}

/* --- who answers --- */

/* As the bridge sees it, for one who does not reach the same addresses. */
static json_t *show_answering(const struct hf_control_env *env)
{
	char network[HF_NETWORK_TEXT_MAX];
	struct hf_answering a;

	hf_listeners_answering(env->listeners, &a);
	return json_pack("{s:o, s:I, s:b, s:o}", "network",
	    hf_control_json_text(hf_network_text(network)), "missing", (json_int_t)a.missing,
	    "nobody", a.nobody, "text", hf_control_json_text(a.text));
}

static json_t *show_listeners(const struct hf_control_env *env)
{
	json_t *list = json_array();
	char place[HF_ENDPOINT_TEXT_MAX];
	size_t n;
	const struct hf_listener *l = hf_listeners_get(env->listeners, &n);

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:b}", "address", hf_front_endpoint_text(&l[i].at, place),
			"state", hf_answering_state_name(l[i].state), "seen", l[i].seen));
	return list;
}

enum { SAMPLE_LOOKED_AT = 1000, SAMPLE_AGE_S = 10 };

struct status_sample {
	json_t *row; /* owned */
	int64_t now_s;
	unsigned n;
};

/* Resolvers have had their time with one that is not quite new. */
static int status_take_sample(const struct hf_record_view *r, void *arg)
{
	struct status_sample *s = arg;
	char name[HF_NAME_TEXT_MAX], addr[HF_ADDR_TEXT_MAX];
	bool old = r->first_seen_s + SAMPLE_AGE_S <= s->now_s;

	if (r->flags & HF_REC_WITHDRAWN)
		return ++s->n > SAMPLE_LOOKED_AT;
	if (!s->row || old) {
		json_decref(s->row);
		s->row = json_pack("{s:s, s:s}", "name", hf_name_text(&r->name, name), "data",
		    hf_addr_text(r->addr, addr));
	}
	return old || ++s->n > SAMPLE_LOOKED_AT;
}

/* A name that whoever answers for us should have; null: there is none. */
static json_t *show_sample(const struct hf_control_env *env)
{
	struct status_sample s = { .now_s = hf_wall_ms(env->clock) / 1000 };

	hf_state_each_record(
	    hf_engine_state(env->engine), hf_engine_now(env->engine), status_take_sample, &s);
	return s.row ? s.row : json_null();
}

/* Nothing is served, and once there was something. */
static void look_for_names(struct status *s)
{
	bool had = false;

	if (hf_state_n_names(hf_engine_state(s->env->engine)))
		return;
	hf_store_history(hf_engine_store(s->env->engine), NULL, 1, note_line, &had);
	if (had)
		status_warn(
		    s, "no-names", json_string("no names are served any more"), json_null());
}

static json_t *epoch_of(const struct hf_control_env *env)
{
	char text[HF_UUID_TEXT_MAX];
	struct hf_uuid epoch;

	memcpy(epoch.b, hf_store_epoch(hf_engine_store(env->engine)), sizeof(epoch.b));
	return json_string(hf_uuid_text(&epoch, text));
}

json_t *hf_control_status(const struct hf_control_env *env)
{
	const struct hf_state *state = hf_engine_state(env->engine);
	struct status s = { .env = env, .fresh = true };

	hf_engine_look(env->engine);
	s.warnings = json_array();
	s.sources = json_array();
	s.guard = json_array();
	s.refused = json_array();
	s.root = json_pack("{s:s, s:s, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:[], s:o}", "version",
	    HF_VERSION, "bridge", "running", "epoch", epoch_of(env), "generation",
	    (json_int_t)hf_engine_published(env->engine), "names",
	    (json_int_t)hf_state_n_names(state), "warnings", s.warnings, "sources", s.sources,
	    "guard", s.guard, "refused", s.refused, "readers", "adapters",
	    hf_control_adapters(env, s.warnings));
	if (!s.root)
		return NULL;
	hf_state_tally(state, hf_engine_now(env->engine), s.tallies);
	json_object_set_new(s.root, "name_states", show_tally(&s));
	hf_state_each_source(state, hf_engine_now(env->engine), status_show_source, &s);
	s.held = (json_int_t)hf_control_guard(env, s.tallies, s.guard, s.warnings);
	hf_control_token_rights(env, s.warnings);
	hf_state_each_refused(state, status_show_refused, &s);
	json_object_set_new(s.root, "store", show_store(&s));
	look_at_wal(&s);
	json_object_set_new(s.root, "reloads", show_reloads(env->reloads));
	status_look_at_zone(&s);
	json_object_set_new(s.root, "listeners", show_listeners(env));
	json_object_set_new(s.root, "answering", show_answering(env));
	json_object_set_new(s.root, "listen_given", json_boolean(env->config->dns.listen_given));
	json_object_set_new(s.root, "sample", show_sample(env));
	json_object_set_new(s.root, "program", hf_version_json());
	look_for_names(&s);
	s.fresh = s.fresh && json_array_size(s.sources) > 0;
	json_object_set_new(s.root, "fresh", json_boolean(s.fresh));
	json_object_set_new(
	    s.root, "stale_since", hf_control_json_time(s.fresh ? 0 : s.stale_since_s));
	json_object_set_new(s.root, "held_removals", json_integer(s.held));
	json_object_set_new(s.root, "refused_total", json_integer((json_int_t)s.refused_total));
	return s.root;
}
