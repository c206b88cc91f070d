#include "zone/agent_names.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

static int refuse(const char *why, const char **ret_why)
{
	if (ret_why)
		*ret_why = why;
	return HF_ENAME;
}

/* All under `_holdfast...` is provenance, told by Holdfast itself. */
static bool is_reserved(const char *text, size_t len)
{
	static const char reserved[] = "_holdfast";
	const size_t n = sizeof(reserved) - 1;

	return len >= n && !strncasecmp(text, reserved, n);
}

int hf_agent_label_check(const char *text, size_t len, const char **ret_why)
{
	if (len == 0)
		return refuse("the name is empty", ret_why);
	if (len > HF_LABEL_MAX)
		return refuse("the name is longer than 63 octets", ret_why);
	if (!hf_label_ok(text, len))
		return refuse("the name has other characters than letters, digits, '-' and '_'",
		    ret_why);
	if (is_reserved(text, len))
		return refuse("names that begin \"_holdfast\" are Holdfast's own", ret_why);
	return 0;
}

int hf_owner_label_check(const char *text, size_t len, const char **ret_why)
{
	int rc = hf_agent_label_check(text, len, ret_why);

	if (!rc && len == 2 && !strncasecmp(text, "me", len))
		return refuse("an owner cannot be called \"me\"", ret_why);
	return rc;
}

static int prepend_agent(struct hf_name *name, const char *label)
{
	size_t len = strlen(label);
	int rc = hf_agent_label_check(label, len, NULL);

	return rc ? rc : hf_name_prepend(name, label, len);
}

static int prepend_owner(struct hf_name *name, const char *label)
{
	size_t len = strlen(label);
	int rc = hf_owner_label_check(label, len, NULL);

	return rc ? rc : hf_name_prepend(name, label, len);
}

int hf_agent_name(const struct hf_agent_label *label, unsigned which, struct hf_name *ret_name)
{
	struct hf_name name = *label->suffix;
	int rc = HF_ENAME;

	if (which == HF_NAME_ME)
		rc = hf_name_prepend(&name, "me", 2);
	else if (which == HF_NAME_OWNER)
		rc = prepend_owner(&name, label->owner);
	else if (which == HF_NAME_SHORT)
		rc = 0;
	if (!rc)
		rc = prepend_agent(&name, label->workspace);
	if (!rc && which != HF_NAME_SHORT)
		rc = prepend_agent(&name, label->agent);
	if (!rc)
		*ret_name = name;
	return rc;
}
