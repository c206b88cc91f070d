/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/server_info.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/error.h"
#include "bridge/stream/wire/printable.h"

void hf_server_info_free(struct hf_server_info *t)
{
	if (!t)
		return;
	free(t->owners);
	free(t->words);
	free(t);
}

int hf_server_info_set_words(struct hf_server_info *t, size_t n)
{
	t->words = calloc(n ? n : 1, sizeof(*t->words));
	t->n_words = t->words ? n : 0;
	return t->words ? 0 : -ENOMEM;
}

static struct hf_owner_info *server_info_find(
    const struct hf_server_info *t, const struct hf_uuid *id)
{
	for (size_t i = 0; i < t->n_owners; i++)
		if (hf_uuid_equal(&t->owners[i].id, id))
			return &t->owners[i];
	return NULL;
}

int hf_server_info_add(struct hf_server_info *t, const struct hf_owner_info *owner)
{
	struct hf_owner_info *grown, *known = server_info_find(t, &owner->id);
	size_t room = t->room ? 2 * t->room : 8;

	if (known) {
		known->listed |= owner->listed;
		return 0;
	}
	if (t->n_owners == HF_OWNERS_MAX)
		return HF_ELIMIT;
	if (t->n_owners == t->room) {
		grown = realloc(t->owners, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		t->owners = grown;
		t->room = room;
	}
	t->owners[t->n_owners] = *owner;
	t->owners[t->n_owners++].me = hf_uuid_equal(&owner->id, &t->user);
	return 0;
}

static json_t *server_info_parse(const char *body, size_t len)
{
	json_t *root = body ? json_loadb(body, len, 0, NULL) : NULL;

	if (root && !json_is_object(root)) {
		json_decref(root);
		root = NULL;
	}
	return root;
}

/* A text of the object, made printable; "" where it is none or too long. */
static void text_of(const json_t *object, const char *key, char *out, size_t size)
{
	const json_t *value = json_object_get(object, key);
	size_t n = json_string_length(value);

	*out = '\0';
	if (n && n < size)
		hf_printable_copy(out, size, json_string_value(value), n);
}

int hf_server_info_buildinfo(struct hf_server_info *t, const char *body, size_t len)
{
	json_t *root = server_info_parse(body, len);
	bool ok = json_is_string(json_object_get(root, "version"));

	if (ok) {
		text_of(root, "version", t->version, sizeof(t->version));
		text_of(root, "deployment_id", t->deployment_id, sizeof(t->deployment_id));
	}
	json_decref(root);
	return ok ? 0 : HF_EFORMAT;
}

int hf_server_info_suffix(struct hf_server_info *t, const char *body, size_t len)
{
	json_t *root = server_info_parse(body, len);
	const json_t *suffix = json_object_get(root, "hostname_suffix");
	bool ok = root && (!suffix || json_is_null(suffix) || json_is_string(suffix));

	if (ok && json_string_length(suffix))
		text_of(root, "hostname_suffix", t->suffix, sizeof(t->suffix));
	else if (ok)
		snprintf(t->suffix, sizeof(t->suffix), "coder");
	json_decref(root);
	return ok ? 0 : HF_EFORMAT;
}

int hf_server_info_expiry(struct hf_server_info *t, const char *body, size_t len)
{
	json_t *root = server_info_parse(body, len);
	const char *text = json_string_value(json_object_get(root, "expires_at"));
	struct tm tm = { .tm_sec = 0 };
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

	/* The zero time of Go's libraries (year 1) stands for "never". */
	if (end && tm.tm_year > 70)
		t->token_expires_s = (int64_t)timegm(&tm);
	json_decref(root);
	return end ? 0 : HF_EFORMAT;
}

static int user_of(const json_t *object, struct hf_owner_info *ret_user)
{
	const char *id = json_string_value(json_object_get(object, "id"));
	struct hf_owner_info user = { .me = false };

	if (!id || hf_uuid_parse(id, &user.id) || hf_uuid_is_zero(&user.id))
		return HF_EFORMAT;
	text_of(object, "username", user.name, sizeof(user.name));
	if (!user.name[0])
		return HF_EFORMAT;
	*ret_user = user;
	return 0;
}

int hf_server_info_user(struct hf_owner_info *ret_user, const char *body, size_t len)
{
	json_t *root = server_info_parse(body, len);
	int rc = user_of(root, ret_user);

	json_decref(root);
	return rc;
}

int hf_server_info_users(
    struct hf_server_info *t, const char *body, size_t len, size_t *ret_n, size_t *ret_count)
{
	json_t *root = server_info_parse(body, len);
	const json_t *users = json_object_get(root, "users");
	const json_t *count = json_object_get(root, "count");
	struct hf_owner_info user;
	int rc = json_is_array(users) && json_is_integer(count) ? 0 : HF_EFORMAT;

	for (size_t i = 0; !rc && i < json_array_size(users); i++)
		if (user_of(json_array_get(users, i), &user) == 0) {
			user.listed = true;
			rc = hf_server_info_add(t, &user);
		}
	if (!rc) {
		*ret_n = json_array_size(users);
		*ret_count = json_integer_value(count) > 0 ? (size_t)json_integer_value(count) : 0;
	}
	json_decref(root);
	return rc;
}

int hf_server_info_workspace(
    struct hf_uuid *ret_workspace, struct hf_uuid *ret_owner, const char *body, size_t len)
{
	json_t *root = server_info_parse(body, len);
	const char *id = json_string_value(json_object_get(root, "id"));
	const char *owner_id = json_string_value(json_object_get(root, "owner_id"));
	struct hf_uuid workspace, owner;
	bool ok = id && owner_id && !hf_uuid_parse(id, &workspace) &&
		  !hf_uuid_parse(owner_id, &owner) && !hf_uuid_is_zero(&owner);

	json_decref(root);
	if (!ok)
		return HF_EFORMAT;
	*ret_workspace = workspace;
	*ret_owner = owner;
	return 0;
}

bool hf_server_info_is_message(const char *body, size_t len)
{
	json_t *root = server_info_parse(body, len);
	bool is = json_is_string(json_object_get(root, "message"));

	json_decref(root);
	return is;
}

int hf_server_info_readable(
    struct hf_server_info *t, size_t first, size_t n, const char *body, size_t len)
{
	json_t *root = server_info_parse(body, len);
	char key[24];

	for (size_t i = first; root && i < first + n; i++) {
		const json_t *value;

		snprintf(key, sizeof(key), "%zu", i);
		value = json_object_get(root, key);
		if (json_is_boolean(value))
			t->owners[i].readable = json_is_true(value) ? READABLE_YES : READABLE_NO;
	}
	json_decref(root);
	return root ? 0 : HF_EFORMAT;
}

char *hf_server_info_ask_readable(
    const struct hf_server_info *t, size_t first, size_t n, const struct hf_rights_list *rights)
{
	json_t *checks = json_object(), *root;
	char key[24], id[HF_UUID_TEXT_MAX], *text;

	for (size_t i = 0; rights && i < hf_rights_list_n_checks(rights); i++) {
		hf_rights_list_check_key(i, key);
		json_object_set_new(checks, key,
		    json_pack("{s:{s:s,s:s},s:s}", "object", "resource_type", "workspace",
			"organization_id", hf_uuid_text(&rights->orgs[i], id), "action", "read"));
	}
	for (size_t i = first; i < first + n; i++) {
		snprintf(key, sizeof(key), "%zu", i);
		json_object_set_new(checks, key,
		    json_pack("{s:{s:s,s:s,s:b},s:s}", "object", "resource_type", "workspace",
			"owner_id", hf_uuid_text(&t->owners[i].id, id), "any_org", 1, "action",
			"read"));
	}
	root = json_pack("{s:o}", "checks", checks);
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	return text;
}

bool hf_server_info_is_old(const char *version)
{
	unsigned major, minor;

	if (sscanf(version, "v%3u.%4u.", &major, &minor) != 2)
		return false;
	return major && (major < 2 || (major == 2 && minor < 18));
}
