/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose is a workspace that two owners' streams list? REST is asked, one workspace at a time, and
 * for the same one once in a while only: a server may list what it likes in as many streams.
 */
#include "bridge/stream/client/client_private.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static bool was_asked(const struct hf_dispute *d, const struct hf_uuid *workspace, int64_t after_ms)
{
	for (size_t i = 0; i < HF_DISPUTES_MAX; i++)
		if (d->asked[i].at_ms > after_ms &&
		    hf_uuid_equal(&d->asked[i].workspace, workspace))
			return true;
	return false;
}

static void note_asked(struct hf_dispute *d, const struct hf_uuid *workspace, int64_t now_ms)
{
	size_t oldest = 0;

	for (size_t i = 1; i < HF_DISPUTES_MAX; i++)
		if (d->asked[i].at_ms < d->asked[oldest].at_ms)
			oldest = i;
	d->asked[oldest].workspace = d->workspace = *workspace;
	d->asked[oldest].at_ms = now_ms;
}

void hf_client_tell_dispute(struct hf_client *c)
{
	struct hf_dispute *d = &c->dispute;

	if (!d->answered || c->ops->busy(c->arg))
		return;
	d->answered = false;
	c->ops->workspace_owner(c->arg, &d->workspace, &d->owner);
}

/* A good answer is of that very workspace; Coder's own 404 is one too, and all else is none. */
static bool dispute_take_answer(struct hf_dispute *d, long status, const char *body, size_t len)
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
	struct hf_client *c = arg;
	char id[HF_UUID_TEXT_MAX];
	long status = 0;

	c->dispute.race = NULL;
	if (h) {
		curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
		c->dispute.answered =
		    dispute_take_answer(&c->dispute, status, h->body, h->body_len);
		hf_http_handle_free(h);
	}
	if (!c->dispute.answered)
		hf_log_debug("source '%s': whose the workspace %s is was not to be learnt (%s)",
		    c->settings->name, hf_uuid_text(&c->dispute.workspace, id),
		    problem ? problem->text : "no answer that could be read");
	hf_client_tell_dispute(c);
	c->reports->due_changed(c);
}

static void dispute_ask(struct hf_client *c, const struct hf_uuid *workspace, int64_t now_ms)
{
	char id[HF_UUID_TEXT_MAX];
	const struct hf_dial_config race = { .http = c->http,
		.clock = c->clock,
		.target = &c->target,
		.addresses = &c->addresses,
		.path = c->dispute.path };

	note_asked(&c->dispute, workspace, now_ms);
	snprintf(c->dispute.path, sizeof(c->dispute.path), "/api/v2/workspaces/%s",
	    hf_uuid_text(workspace, id));
	if (hf_dial_new(&race, on_dispute_answer, c, &c->dispute.race))
		hf_log_debug("source '%s': no memory to ask for a workspace", c->settings->name);
}

void hf_client_disputes_due(struct hf_client *c, int64_t now_ms)
{
	struct hf_dispute *d = &c->dispute;
	int64_t again = hf_client_again_ms(c);
	struct hf_uuid workspace;

	if (d->race || d->answered || !c->ops->disputed || now_ms < d->next_ms)
		return;
	d->next_ms = 0;
	if (!c->ops->disputed(c->arg, &workspace))
		return;
	d->next_ms = now_ms + again / 60;
	if (!was_asked(d, &workspace, now_ms - again))
		dispute_ask(c, &workspace, now_ms);
}

int64_t hf_client_disputes_next(const struct hf_client *c)
{
	return c->dispute.next_ms && !c->dispute.race ? c->dispute.next_ms : INT64_MAX;
}

void hf_client_drop_dispute(struct hf_client *c)
{
	hf_dial_free(c->dispute.race);
	c->dispute.race = NULL;
	c->dispute.answered = false;
}
