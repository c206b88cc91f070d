/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/why_missing.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "bridge/ctl/ctl_client.h"
#include "bridge/ctl/row_text.h"
#include "zone/name.h"

const char *hf_why_missing_workspace(const json_t *row, char out[static HF_WHY_MISSING_MAX])
{
	const char *name = hf_ctl_row_text(row, "workspace", "?"),
		   *owner = hf_ctl_row_text(row, "owner", "?");
	const char *status = hf_ctl_row_text(row, "status", "unknown");
	const char *refused = hf_ctl_row_text(row, "refused", NULL);

	if (refused)
		snprintf(out, HF_WHY_MISSING_MAX, "workspace '%s' of %s is refused: %s", name,
		    owner, refused);
	else if (json_integer_value(json_object_get(row, "agents")))
		return NULL;
	else if (!strcmp(status, "stopped"))
		snprintf(out, HF_WHY_MISSING_MAX,
		    "workspace '%s' of %s is stopped: the server lists no agent of it, so there is no address; the names are back when it is started",
		    name, owner);
	else
		snprintf(out, HF_WHY_MISSING_MAX,
		    "workspace '%s' of %s is known (%s) and has no agent: there is no address yet",
		    name, owner, status);
	return out;
}

/* AGENT.WORKSPACE.OWNER or WORKSPACE, under a suffix. */
struct parts {
	char workspace[HF_LABEL_MAX + 1];
	char owner[HF_LABEL_MAX + 1];  /* "": the own user's */
	char text[HF_WHY_MISSING_MAX]; /* what was found */
};

static bool missing_split(const json_t *status, const char *name, struct parts *p)
{
	const json_t *row;
	struct hf_name full, suffix;
	size_t i;

	if (hf_name_parse(name, &full))
		return false;
	json_array_foreach(json_object_get(status, "sources"), i, row)
	{
		unsigned more;

		if (hf_name_parse(hf_ctl_row_text(row, "suffix", "."), &suffix) ||
		    !hf_name_is_under(&full, &suffix))
			continue;
		more = hf_name_labels(&full) - hf_name_labels(&suffix);
		if (more == 1)
			return sscanf(name, "%63[^.]", p->workspace) == 1;
		if (more == 3)
			return sscanf(name, "%*[^.].%63[^.].%63[^.]", p->workspace, p->owner) == 2;
	}
	return false;
}

static int missing_look(json_t *row, void *arg)
{
	struct parts *p = arg;
	const char *owner = hf_ctl_row_text(row, "owner", "");

	if (p->owner[0] && strcasecmp(p->owner, "me") && strcasecmp(p->owner, owner))
		return 0;
	hf_why_missing_workspace(row, p->text);
	return 0;
}

static int missing_take_name(json_t *row, void *arg)
{
	snprintf(arg, HF_NAME_TEXT_MAX, "%s", hf_ctl_row_text(row, "name", ""));
	return 0;
}

const char *hf_why_missing_explain(
    const char *socket, const json_t *status, const char *name, char out[static HF_WHY_MISSING_MAX])
{
	struct parts p = { 0 };
	char why[HF_CTL_CLIENT_WHY_MAX], near[HF_NAME_TEXT_MAX] = "";

	if (missing_split(status, name, &p))
		hf_ctl_client_ask(socket,
		    json_pack("{s:s, s:s}", "command", "workspaces", "name", p.workspace),
		    missing_look, &p, why);
	if (!p.text[0])
		hf_ctl_client_ask(socket, json_pack("{s:s, s:s}", "command", "near", "name", name),
		    missing_take_name, near, why);
	if (p.text[0])
		memcpy(out, p.text, sizeof(p.text));
	else if (near[0])
		snprintf(out, HF_WHY_MISSING_MAX,
		    "Coder knows no such workspace; did you mean '%.255s'?", near);
	else
		snprintf(out, HF_WHY_MISSING_MAX, "Coder knows no such workspace or agent");
	return out;
}
