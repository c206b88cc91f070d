/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/control/control_answer.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "bridge/control/control_json.h"
#include "bridge/control/control_private.h"
#include "bridge/engine/engine.h"
#include "bridge/follow/sources.h"
#include "config/config.h"

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
	return hf_control_json_row(h->out,
	    json_pack("{s:o, s:I, s:o, s:o, s:o, s:o}", "time", hf_control_json_time(line->wall_s),
		"generation", (json_int_t)line->generation, "name",
		hf_control_json_text(line->name), "what", hf_control_json_text(line->what),
		"reason", hf_control_json_text(line->reason), "detail",
		hf_control_json_text(line->detail)));
}

/* --- resync --- */

/* Everything is asked for anew, now. */
static void answer_resync(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out)
{
	int rc;

	if (r->adapter[0]) {
		hf_control_refill(env, r, out);
		return;
	}
	rc = r->recover ? hf_engine_rearm(env->engine) : 0;
	if (rc < 0) {
		hf_control_error(out, hf_strerror(rc));
		return;
	}
	hf_log_info("control: the operator asks for everything anew%s",
	    r->recover ? ", and allows the store's one recovery again" : "");
	hf_sources_redial(env->sources);
	env->work(env->work_arg);
	hf_control_json_row(
	    out, json_pack("{s:I, s:b, s:b}", "sources", (json_int_t)hf_sources_n(env->sources),
		     "rearmed", r->recover, "recovering", rc > 0));
	hf_control_json_end(out);
}

/* --- all --- */

static void answer_one_row(FILE *out, json_t *row)
{
	if (row)
		hf_control_json_row(out, row);
}

void hf_control_answer(
    const struct hf_control_env *env, const struct hf_control_request *request, FILE *out)
{
	struct history h = { out, request->after };
	int rc = 0;

	switch (request->command) {
	case HF_COMMAND_STATUS:
		answer_one_row(out, hf_control_status(env));
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
		rc = hf_store_history(hf_engine_store(env->engine),
		    request->name[0] ? request->name : NULL, request->max, list_history, &h);
		break;
	case HF_COMMAND_ACCEPT:
	case HF_COMMAND_REJECT:
		hf_control_decide(env, request, out);
		return;
	case HF_COMMAND_PREVIEW:
		hf_control_preview(env, request, out);
		return;
	case HF_COMMAND_RESYNC:
		answer_resync(env, request, out);
		return;
	case HF_COMMAND_VERIFY:
		hf_control_verify(env, request, out);
		return;
	case HF_COMMAND_LAST:
		break;
	}
	/* A read may have found the store damaged: the engine is to mend it. */
	if (rc == HF_EDAMAGED)
		env->work(env->work_arg);
	if (rc < 0)
		hf_control_error(out, hf_strerror(rc));
	else
		hf_control_json_end(out);
}
