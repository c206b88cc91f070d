/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/agent_names.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "zone/own_labels.h"

static int label_refuse(const char *why, const char **ret_why)
{
	if (ret_why)
		*ret_why = why;
	return HF_ENAME;
}

/* All under `_holdfast...` is provenance, told by Holdfast itself. */
static bool label_is_reserved(const char *text, size_t len)
{
	static const char reserved[] = HF_OWN_LABEL;
	const size_t n = sizeof(reserved) - 1;

	return len >= n && text[0] == '_' && !strncasecmp(text, reserved, n);
}

int hf_agent_label_check(const char *text, size_t len, const char **ret_why)
{
	if (len == 0)
		return label_refuse("the name is empty", ret_why);
	if (len > HF_LABEL_MAX)
		return label_refuse("the name is longer than 63 octets", ret_why);
	if (!hf_label_ok(text, len))
		return label_refuse(
		    "the name has other characters than letters, digits, '-' and '_'", ret_why);
	if (label_is_reserved(text, len))
		return label_refuse("names that begin \"_holdfast\" are Holdfast's own", ret_why);
	return 0;
}

int hf_agent_owner_check(const char *text, size_t len, const char **ret_why)
{
	int rc = hf_agent_label_check(text, len, ret_why);

	if (!rc && len == 2 && !strncasecmp(text, "me", len))
		return label_refuse("an owner cannot be called \"me\"", ret_why);
	return rc;
}

/*
 * A name that is written from its first label on; each in one pass, since a start makes those of
 * all agents.
 */
struct label_run {
	uint8_t wire[HF_NAME_MAX];
	size_t at; /* beyond HF_NAME_MAX: it cannot be */
};

/* The same labels as of hf_agent_label_check() and hf_agent_owner_check(). */
static void add_label(struct label_run *run, const char *label, bool owner)
{
	size_t len = strnlen(label, HF_LABEL_MAX + 1);
	bool fits = run->at + 1 + len <= HF_NAME_MAX;
	bool me = owner && len == 2 && !strncasecmp(label, "me", len);

	if (!fits || me || label_is_reserved(label, len) ||
	    !hf_label_put(label, len, run->wire + run->at))
		run->at = HF_NAME_MAX + 1;
	else
		run->at += 1 + len;
}

static void label_run_add_me(struct label_run *run)
{
	if (run->at + 3 <= HF_NAME_MAX)
		memcpy(run->wire + run->at, "\2me", 3);
	run->at += 3;
}

int hf_agent_name(const struct hf_agent_label *label, unsigned which, struct hf_name *ret_name)
{
	const struct hf_name *suffix = label->suffix;
	struct label_run run;

	run.at = 0;
	if (which != HF_NAME_ME && which != HF_NAME_OWNER && which != HF_NAME_SHORT)
		return HF_ENAME;
	if (which != HF_NAME_SHORT)
		add_label(&run, label->agent, false);
	add_label(&run, label->workspace, false);
	if (which == HF_NAME_OWNER)
		add_label(&run, label->owner, true);
	else if (which == HF_NAME_ME)
		label_run_add_me(&run);
	if (run.at + suffix->len > HF_NAME_MAX)
		return HF_ENAME;
	memcpy(ret_name->wire, run.wire, run.at);
	memcpy(ret_name->wire + run.at, suffix->wire, suffix->len);
	ret_name->len = (uint8_t)(run.at + suffix->len);
	return 0;
}
