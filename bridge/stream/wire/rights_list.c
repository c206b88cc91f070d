/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/rights_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { WORDS_MAX = HF_RIGHTS_MAX / 4 }; /* no word is shorter than "a:b" */

static bool rights_put(struct hf_rights_list *r, char c)
{
	if (r->len == sizeof(r->words))
		return false;
	r->words[r->len++] = c;
	return true;
}

static bool rights_put_text(struct hf_rights_list *r, const char *text)
{
	bool ok = true;

	while (ok && *text)
		ok = rights_put(r, *text++);
	return ok;
}

/* `also` is one more byte that would have a meaning here; 0: none. */
static bool put_name(struct hf_rights_list *r, const char *name, size_t len, char also)
{
	bool ok = true;

	for (size_t i = 0; ok && i < len; i++) {
		unsigned char c = (unsigned char)name[i];
		char hex[4];

		if (c > ' ' && c < 0x7f && c != '%' && (char)c != also) {
			ok = rights_put(r, (char)c);
			continue;
		}
		snprintf(hex, sizeof(hex), "%%%02x", c);
		ok = rights_put_text(r, hex);
	}
	return ok;
}

/* "KIND:ID:NAME", or "KIND:NAME" where `id` is NULL. */
static void rights_add(
    struct hf_rights_list *r, const char *kind, const char *id, const json_t *name)
{
	size_t len = json_string_length(name);
	bool ok = len > 0 && r->n < WORDS_MAX && rights_put_text(r, kind) && rights_put(r, ':');

	if (ok && id)
		ok = put_name(r, id, strlen(id), ':') && rights_put(r, ':');
	if (ok && put_name(r, json_string_value(name), len, '\0') && rights_put(r, '\0'))
		r->n++;
	else
		r->unknown = true;
}

static void add_id(struct hf_rights_list *r, const char *kind, const struct hf_uuid *id)
{
	char text[HF_UUID_TEXT_MAX];
	json_t *name = json_string(hf_uuid_text(id, text));

	rights_add(r, kind, NULL, name);
	json_decref(name);
}

static json_t *rights_parse(const char *body, size_t len)
{
	json_t *root = body ? json_loadb(body, len, 0, NULL) : NULL;

	if (json_is_object(root))
		return root;
	json_decref(root);
	return NULL;
}

/* A list, which Go's libraries may write as null when it is empty. */
static bool is_list(const json_t *value)
{
	return json_is_array(value) || json_is_null(value);
}

/* A role is told as its name, or as an object that has it. */
static void rights_add_role(struct hf_rights_list *r, const char *org, const json_t *role)
{
	const json_t *name = json_is_object(role) ? json_object_get(role, "name") : role;
	const char *own = json_string_value(json_object_get(role, "organization_id"));
	struct hf_uuid id;
	char text[HF_UUID_TEXT_MAX];

	if (!org && own && hf_uuid_parse(own, &id) == 0)
		org = hf_uuid_text(&id, text);
	rights_add(r, org ? "org-role" : "role", org, name);
}

static void add_roles(struct hf_rights_list *r, const char *org, const json_t *roles)
{
	if (!is_list(roles))
		r->unknown = true;
	for (size_t i = 0; i < json_array_size(roles); i++)
		rights_add_role(r, org, json_array_get(roles, i));
}

static void add_org(struct hf_rights_list *r, const char *text)
{
	struct hf_uuid id;

	if (!text || hf_uuid_parse(text, &id)) {
		r->unknown = true;
		return;
	}
	add_id(r, "org", &id);
	if (r->n_orgs < HF_ORGS_MAX)
		r->orgs[r->n_orgs] = id;
	if (r->n_orgs <= HF_ORGS_MAX)
		r->n_orgs++;
}

void hf_rights_list_of_user(struct hf_rights_list *r, const char *body, size_t len)
{
	json_t *root = rights_parse(body, len);
	const json_t *orgs = json_object_get(root, "organization_ids");

	add_roles(r, NULL, json_object_get(root, "roles"));
	if (!is_list(orgs))
		r->unknown = true;
	for (size_t i = 0; i < json_array_size(orgs); i++)
		add_org(r, json_string_value(json_array_get(orgs, i)));
	json_decref(root);
}

void hf_rights_list_of_roles(struct hf_rights_list *r, const char *body, size_t len)
{
	json_t *root = rights_parse(body, len);
	json_t *orgs = json_object_get(root, "organization_roles"), *roles;
	const char *org;

	add_roles(r, NULL, json_object_get(root, "roles"));
	if (!json_is_object(orgs) && !json_is_null(orgs))
		r->unknown = true;
	json_object_foreach(orgs, org, roles)
	{
		struct hf_uuid id;
		char text[HF_UUID_TEXT_MAX];

		if (hf_uuid_parse(org, &id))
			r->unknown = true;
		else
			add_roles(r, hf_uuid_text(&id, text), roles);
	}
	json_decref(root);
}

void hf_rights_list_of_key(struct hf_rights_list *r, const char *body, size_t len)
{
	json_t *root = rights_parse(body, len);
	const json_t *scopes = json_object_get(root, "scopes");
	const json_t *scope = json_object_get(root, "scope");
	const json_t *allowed = json_object_get(root, "allow_list");

	if (!root)
		r->unknown = true;
	/* The older form names one. */
	if (!json_array_size(scopes) && scope)
		rights_add(r, "scope", NULL, scope);
	for (size_t i = 0; i < json_array_size(scopes); i++)
		rights_add(r, "scope", NULL, json_array_get(scopes, i));
	for (size_t i = 0; i < json_array_size(allowed); i++) {
		const json_t *one = json_array_get(allowed, i);
		const char *type = json_string_value(json_object_get(one, "type"));

		rights_add(r, "allow", type ? type : "", json_object_get(one, "id"));
	}
	json_decref(root);
}

void hf_rights_list_of_check(struct hf_rights_list *r, const char *body, size_t len)
{
	json_t *root = rights_parse(body, len);
	char key[24];

	for (size_t i = 0; i < hf_rights_list_n_checks(r); i++) {
		const json_t *value;

		hf_rights_list_check_key(i, key);
		value = json_object_get(root, key);
		if (!json_is_boolean(value))
			r->unknown = true;
		else if (json_is_true(value))
			add_id(r, "reads", &r->orgs[i]);
	}
	json_decref(root);
}

size_t hf_rights_list_n_checks(const struct hf_rights_list *r)
{
	return r->n_orgs > HF_ORGS_MAX ? 0 : r->n_orgs;
}

void hf_rights_list_check_key(size_t i, char ret_key[static 24])
{
	snprintf(ret_key, 24, "org%zu", i);
}

static int rights_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void hf_rights_list_text(const struct hf_rights_list *r, char ret_text[static HF_RIGHTS_MAX])
{
	const char *words[WORDS_MAX], *at = r->words;
	size_t n = 0;

	ret_text[0] = '\0';
	if (r->unknown)
		return;
	for (size_t i = 0; i < r->n; i++, at += strlen(at) + 1)
		words[i] = at;
	qsort(words, r->n, sizeof(words[0]), rights_compare);
	/* The spaces take the place of the NULs: it fits. */
	for (size_t i = 0; i < r->n; i++) {
		if (i && !strcmp(words[i], words[i - 1]))
			continue;
		n += (size_t)snprintf(
		    ret_text + n, HF_RIGHTS_MAX - n, "%s%s", n ? " " : "", words[i]);
	}
}
