#include "bridge/control_answer.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "bridge/control_json.h"
#include "bridge/core.h"
#include "bridge/sources.h"
#include "config/config.h"

/* --- lines --- */

json_t *hf_json_time(int64_t wall_s)
{
	char text[HF_WALL_TEXT_MAX];

	return hf_wall_text(wall_s, text) ? json_string(text) : json_null();
}

json_t *hf_json_text(const char *text)
{
	json_t *value = text && *text ? json_string(text) : NULL;

	return value ? value : json_null();
}

static int put(FILE *out, json_t *line)
{
	int rc = line ? json_dumpf(line, out, JSON_COMPACT) : -1;

	json_decref(line);
	return rc || putc('\n', out) == EOF ? HF_ECLOSED : 0;
}

int hf_json_row(FILE *out, json_t *row)
{
	return put(out, json_pack("{s:o}", "row", row));
}

void hf_json_end(FILE *out)
{
	put(out, json_pack("{s:b}", "end", true));
}

void hf_control_error(FILE *out, const char *text)
{
	put(out, json_pack("{s:s}", "error", text));
}

void hf_control_denied(FILE *out, const char *text)
{
	put(out, json_pack("{s:s, s:b}", "error", text, "denied", true));
}

/* --- history --- */

struct history {
	FILE *out;
	uint64_t after;
};

static int list_history(const struct hf_history_line *line, void *arg)
{
	const struct history *h = arg;

	if (line->generation <= h->after)
		return 1;
	return hf_json_row(h->out,
	    json_pack("{s:o, s:I, s:o, s:o, s:o, s:o}", "time", hf_json_time(line->wall_s),
		"generation", (json_int_t)line->generation, "name", hf_json_text(line->name), "what",
		hf_json_text(line->what), "reason", hf_json_text(line->reason), "detail",
		hf_json_text(line->detail)));
}

/* --- accept, reject --- */

struct decision {
	const struct hf_request *request;
	char source[HF_LABEL_MAX + 1];
	struct hf_uuid owner;
	unsigned n;       /* holds that are meant */
	bool ambiguous;   /* of more than one source or owner, none was named */
};

static bool names_owner(const struct hf_request *r, const struct hf_owner_row *owner)
{
	struct hf_uuid id;

	if (!r->owner[0])
		return true;
	if (!owner)
		return false;
	if (hf_uuid_parse(r->owner, &id) == 0 && hf_uuid_equal(&id, &owner->id))
		return true;
	return !strcasecmp(owner->name, r->owner);
}

static bool names_kind(const struct hf_request *r, const struct hf_hold_row *hold)
{
	bool identity = !strcmp(hold->kind, "deployment") || !strcmp(hold->kind, "suffix");

	if (!r->what[0])
		return true;
	return strcmp(r->what, "removal") ? !strcmp(hold->kind, r->what) : !identity;
}

static int find_hold(const struct hf_hold_row *hold, const struct hf_source_row *source,
    const struct hf_owner_row *owner, uint32_t workspaces, void *arg)
{
	struct decision *d = arg;
	static const struct hf_uuid none;
	const struct hf_uuid *id = owner ? &owner->id : &none;

	(void)workspaces;
	if ((d->request->source[0] && strcasecmp(source->name, d->request->source)) ||
	    !names_owner(d->request, owner) || !names_kind(d->request, hold))
		return 0;
	if (d->n && !d->request->source[0] &&
	    (strcmp(d->source, source->name) || !hf_uuid_equal(&d->owner, id)))
		d->ambiguous = true;
	snprintf(d->source, sizeof(d->source), "%s", source->name);
	d->owner = *id;
	d->n++;
	return 0;
}

/* A client that waits for the operator need not wait longer. */
static void tell_client(const struct hf_control_env *env, const char *source)
{
	struct hf_source *s = hf_sources_find(env->sources, source);

	if (s)
		hf_client_decided(hf_source_client(s));
}

static void decide(const struct hf_control_env *env, const struct hf_request *r, FILE *out)
{
	bool accept = r->command == HF_COMMAND_ACCEPT;
	struct decision d = { .request = r };
	int rc;

	if (hf_core_busy(env->core)) {
		hf_control_error(out, "a large change is being written; try again in a second");
		return;
	}
	hf_state_each_hold(hf_core_state(env->core), find_hold, &d);
	if (d.ambiguous) {
		hf_control_error(out, "more than one thing is held: name the source");
		return;
	}
	/* With an owner named, all that was found is of that one. */
	rc = d.n ? hf_core_decide(env->core, d.source, r->owner[0] ? &d.owner : NULL,
		       r->what[0] ? r->what : NULL,
		       accept ? HF_DECISION_ACCEPT : HF_DECISION_REJECT)
		 : 0;
	if (rc < 0) {
		hf_control_error(out, hf_strerror(rc));
		return;
	}
	if (rc > 0) {
		hf_log_info("control: %d held %s of source '%s' %s by the operator", rc,
		    rc == 1 ? "change" : "changes", d.source, accept ? "accepted" : "rejected");
		if (accept)
			tell_client(env, d.source);
		env->work(env->work_arg);
	}
	hf_json_row(out,
	    json_pack("{s:o, s:i}", "source", hf_json_text(d.source), "settled", rc));
	hf_json_end(out);
}

/* --- resync --- */

/* Everything is asked for anew, now. */
static void resync(const struct hf_control_env *env, const struct hf_request *r, FILE *out)
{
	int rc;

	if (r->adapter[0]) {
		hf_control_refill(env, r, out);
		return;
	}
	rc = r->recover ? hf_core_rearm(env->core) : 0;
	if (rc < 0) {
		hf_control_error(out, hf_strerror(rc));
		return;
	}
	hf_log_info("control: the operator asks for everything anew%s",
	    r->recover ? ", and allows the store's one recovery again" : "");
	hf_sources_redial(env->sources);
	env->work(env->work_arg);
	hf_json_row(out, json_pack("{s:I, s:b, s:b}", "sources", (json_int_t)hf_sources_n(env->sources),
			     "rearmed", r->recover, "recovering", rc > 0));
	hf_json_end(out);
}

/* --- all --- */

static void one_row(FILE *out, json_t *row)
{
	if (row)
		hf_json_row(out, row);
}

void hf_control_answer(
    const struct hf_control_env *env, const struct hf_request *request, FILE *out)
{
	struct history h = { out, request->after };
	int rc = 0;

	switch (request->command) {
	case HF_COMMAND_STATUS:
		one_row(out, hf_control_status(env));
		break;
	case HF_COMMAND_RECORDS:
		rc = hf_control_records(env, request, out);
		break;
	case HF_COMMAND_WORKSPACES:
		rc = hf_control_workspaces(env, request->name, out);
		break;
	case HF_COMMAND_NEAR:
		rc = hf_control_near(env, request->name, out);
		break;
	case HF_COMMAND_HISTORY:
		rc = hf_store_history(hf_core_store(env->core),
		    request->name[0] ? request->name : NULL, request->max, list_history, &h);
		break;
	case HF_COMMAND_ACCEPT:
	case HF_COMMAND_REJECT:
		decide(env, request, out);
		return;
	case HF_COMMAND_RESYNC:
		resync(env, request, out);
		return;
	case HF_COMMAND_VERIFY:
		hf_control_verify(env, request, out);
		return;
	case HF_COMMAND_LAST:
		break;
	}
	/* A read may have found the store damaged: the core is to mend it. */
	if (rc == HF_EDAMAGED)
		env->work(env->work_arg);
	if (rc < 0)
		hf_control_error(out, hf_strerror(rc));
	else
		hf_json_end(out);
}
