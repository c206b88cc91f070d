/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/control/control_request.h"

#include <jansson.h>
#include <string.h>

#include "base/error.h"

static const char *const commands[] = { "status", "records", "workspaces", "near", "history",
	"accept", "reject", "resync", "verify", "preview" };

bool hf_control_request_orders(const struct hf_control_request *request)
{
	return request->command == HF_COMMAND_ACCEPT || request->command == HF_COMMAND_REJECT ||
	       request->command == HF_COMMAND_RESYNC || request->command == HF_COMMAND_VERIFY;
}

bool hf_control_request_lists(const struct hf_control_request *request)
{
	return request->command == HF_COMMAND_RECORDS ||
	       request->command == HF_COMMAND_WORKSPACES || request->command == HF_COMMAND_NEAR ||
	       request->command == HF_COMMAND_PREVIEW;
}

/*
 * A text that is not there leaves out[0] 0. False: no text, too long, or with bytes that no name
 * has.
 */
static bool take_text(const json_t *object, const char *key, char *out, size_t size)
{
	const json_t *value = json_object_get(object, key);
	size_t len;

	if (!value || json_is_null(value))
		return true;
	len = json_string_length(value);
	if (!json_is_string(value) || len >= size || strlen(json_string_value(value)) != len)
		return false;
	memcpy(out, json_string_value(value), len + 1);
	return true;
}

static bool control_take_number(
    const json_t *object, const char *key, json_int_t min, json_int_t max, json_int_t *ret_number)
{
	const json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value))
		return true;
	*ret_number = json_integer_value(value);
	return json_is_integer(value) && *ret_number >= min && *ret_number <= max;
}

static bool take_form(const json_t *object, struct hf_control_request *r)
{
	const json_t *value = json_object_get(object, "form");

	if (!value || json_is_null(value))
		return true;
	r->formed =
	    json_is_string(value) && hf_record_row_form_parse(json_string_value(value), &r->form);
	return r->formed;
}

static bool control_take_suffix(const json_t *object, struct hf_control_request *r)
{
	const json_t *value = json_object_get(object, "suffix");
	const char *text = json_string_value(value);

	if (!value || json_is_null(value))
		return true;
	return text && strlen(text) == json_string_length(value) &&
	       !hf_name_parse(text, &r->suffix);
}

static bool take_decision(const json_t *object, struct hf_control_request *r)
{
	const char *decision = json_string_value(json_object_get(object, "decision"));

	r->decision = r->command == HF_COMMAND_REJECT ? HF_COMMAND_REJECT : HF_COMMAND_ACCEPT;
	if (r->command != HF_COMMAND_PREVIEW)
		return true;
	if (!decision)
		return false;
	if (!strcmp(decision, "reject"))
		r->decision = HF_COMMAND_REJECT;
	return r->decision == HF_COMMAND_REJECT || !strcmp(decision, "accept");
}

static const char *control_fill_request(const json_t *object, struct hf_control_request *r)
{
	const char *command = json_string_value(json_object_get(object, "command"));
	json_int_t after = 0, max = HF_HISTORY_MAX;
	size_t i = 0;

	if (!command)
		return "there is no \"command\"";
	while (i < HF_COMMAND_LAST && strcmp(command, commands[i]))
		i++;
	if (i == HF_COMMAND_LAST)
		return "this command is not known; are bridge and holdfastctl of one version?";
	r->command = (enum hf_command)i;
	if (!take_text(object, "source", r->source, sizeof(r->source)) ||
	    !take_text(object, "owner", r->owner, sizeof(r->owner)) ||
	    !take_text(object, "adapter", r->adapter, sizeof(r->adapter)) ||
	    !take_text(object, "what", r->what, sizeof(r->what)) ||
	    !take_text(object, "data", r->data, sizeof(r->data)) ||
	    !take_text(object, "ticket", r->ticket, sizeof(r->ticket)) ||
	    !take_text(object, "name", r->name, sizeof(r->name)))
		return "\"source\", \"owner\", \"adapter\", \"what\", \"data\" and \"name\" are short texts";
	if (r->what[0] && strcmp(r->what, "removal") && strcmp(r->what, "deployment") &&
	    strcmp(r->what, "suffix"))
		return "\"what\" is \"removal\", \"deployment\" or \"suffix\"";
	if (!control_take_number(object, "after", 0, INT64_MAX, &after) ||
	    !control_take_number(object, "max", 1, HF_HISTORY_MAX, &max))
		return "\"after\" or \"max\" is out of range";
	if (!take_decision(object, r))
		return "\"decision\" is \"accept\" or \"reject\"";
	if (!take_form(object, r) || !control_take_suffix(object, r))
		return "\"form\" is \"json\", \"text\", \"hosts\" or \"zone\", \"suffix\" a name";
	r->stale = json_is_true(json_object_get(object, "stale"));
	r->answered = json_is_true(json_object_get(object, "answered"));
	r->recover = json_is_true(json_object_get(object, "recover"));
	r->full = json_is_true(json_object_get(object, "full"));
	r->after = (uint64_t)after;
	r->max = (unsigned)max;
	return NULL;
}

int hf_control_request_parse(
    const char *line, size_t len, struct hf_control_request *ret_request, const char **ret_why)
{
	json_t *object = len <= HF_CONTROL_REQUEST_MAX
			     ? json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL)
			     : NULL;
	struct hf_control_request r = { 0 };

	*ret_why =
	    json_is_object(object) ? control_fill_request(object, &r) : "this is no JSON object";
	json_decref(object);
	if (*ret_why)
		return HF_EREFUSED;
	*ret_request = r;
	return 0;
}
