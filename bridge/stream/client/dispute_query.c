/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/dispute_query.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static bool was_asked(
    const struct hf_dispute_query *d, const struct hf_uuid *workspace, int64_t after_ms)
{
	for (size_t i = 0; i < HF_DISPUTES_MAX; i++)
		if (d->asked[i].at_ms > after_ms &&
		    hf_uuid_equal(&d->asked[i].workspace, workspace))
			return true;
	return false;
}

static void note_asked(struct hf_dispute_query *d, const struct hf_uuid *workspace, int64_t now_ms)
{
	size_t oldest = 0;

	for (size_t i = 1; i < HF_DISPUTES_MAX; i++)
		if (d->asked[i].at_ms < d->asked[oldest].at_ms)
			oldest = i;
	d->asked[oldest].workspace = d->workspace = *workspace;
	d->asked[oldest].at_ms = now_ms;
}

void hf_dispute_query_tell(struct hf_dispute_query *d)
{
	if (!d->answered || d->ops->busy(d->ops_arg))
		return;
	d->answered = false;
	d->ops->workspace_owner(d->ops_arg, &d->workspace, &d->owner);
}

/* A good answer is of that very workspace; Coder's own 404 is one too, and all else is none. */
static bool dispute_take_answer(
    struct hf_dispute_query *d, long status, const char *body, size_t len)
{
	struct hf_uuid workspace;

	d->owner = (struct hf_uuid){ { 0 } };
	if (status == 200)
		return hf_server_info_workspace(&workspace, &d->owner, body, len) == 0 &&
		       hf_uuid_equal(&workspace, &d->workspace);
	return status == 404 && hf_server_info_is_message(body, len);
}

static void on_dispute_answer(
    void *arg, struct hf_http_handle *h, size_t which, const struct hf_problem *problem)
{
	struct hf_dispute_query *d = arg;
	char id[HF_UUID_TEXT_MAX];
	long status = 0;

	d->race = NULL;
	if (h) {
		curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
		d->answered = dispute_take_answer(d, status, h->body, h->body_len);
		hf_http_handle_free(h);
	}
	if (!d->answered)
		hf_log_debug("source '%s': whose the workspace %s is was not to be learnt (%s)",
		    d->settings->name, hf_uuid_text(&d->workspace, id),
		    problem ? problem->text : "no answer that could be read");
	hf_dispute_query_tell(d);
	d->changed(d->arg);
}

static void dispute_ask(struct hf_dispute_query *d, const struct hf_target *target,
    const struct hf_addresses *addresses, const struct hf_uuid *workspace)
{
	char id[HF_UUID_TEXT_MAX];
	const struct hf_dial_config race = { .http = d->http,
		.clock = d->clock,
		.target = target,
		.addresses = addresses,
		.path = d->path };

	snprintf(d->path, sizeof(d->path), "/api/v2/workspaces/%s", hf_uuid_text(workspace, id));
	if (hf_dial_new(&race, on_dispute_answer, d, &d->race))
		hf_log_debug("source '%s': no memory to ask for a workspace", d->settings->name);
}

void hf_dispute_query_due(struct hf_dispute_query *d, const struct hf_target *target,
    const struct hf_addresses *addresses, int64_t again_ms, int64_t now_ms)
{
	struct hf_uuid workspace;

	if (d->race || d->answered || !d->ops->disputed || now_ms < d->next_ms)
		return;
	d->next_ms = 0;
	if (!d->ops->disputed(d->ops_arg, &workspace))
		return;
	d->next_ms = now_ms + again_ms / 60;
	if (was_asked(d, &workspace, now_ms - again_ms))
		return;
	note_asked(d, &workspace, now_ms);
	dispute_ask(d, target, addresses, &workspace);
}

int64_t hf_dispute_query_next(const struct hf_dispute_query *d)
{
	return d->next_ms && !d->race ? d->next_ms : INT64_MAX;
}

void hf_dispute_query_drop(struct hf_dispute_query *d)
{
	hf_dial_free(d->race);
	d->race = NULL;
	d->answered = false;
}
