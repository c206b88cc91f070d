/* SPDX-License-Identifier: Apache-2.0 */
#include "examples/simulator/sim_rest.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/simulator/sim_rights.h"

#define CREATED "2025-01-01T00:00:00Z"

/* Ends `body`. */
static int answer_json(struct evbuffer *out, const struct sim_request *r, int status, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	json_decref(body);
	if (!text)
		return -ENOMEM;
	hf_sim_http_answer(out, r, status, "", "application/json; charset=utf-8", text);
	free(text);
	return 0;
}

static int answer_message(
    struct evbuffer *out, const struct sim_request *r, int status, const char *message)
{
	return answer_json(out, r, status, json_pack("{s:s}", "message", message));
}

bool hf_sim_rest_knows(const struct sim_world *w, const struct sim_request *r)
{
	return *r->token && (!w->token || !strcmp(w->token, r->token));
}

void hf_sim_rest_signed_out(struct evbuffer *out, const struct sim_request *r)
{
	answer_json(out, r, 401,
	    json_pack("{s:s,s:s}", "message",
		"You are signed out or your session has expired. Please sign in again to continue.",
		"detail", "Try logging in using 'coder login'."));
}

bool hf_sim_rest_version_refused(
    const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	const char *at = strstr(r->query, "version=");
	unsigned major, minor, api_major, api_minor;
	char detail[128];

	if (!at || sscanf(at, "version=%u.%u", &major, &minor) != 2)
		major = minor = 1; /* what a server takes for a client that says nothing */
	if (sscanf(w->api, "%u.%u", &api_major, &api_minor) != 2)
		return false;
	if (major == api_major ? minor <= api_minor : major < api_major)
		return false;
	snprintf(detail, sizeof(detail),
	    "server is at version %u.%u, behind requested version %u.%u", api_major, api_minor,
	    major, minor);
	answer_json(out, r, 400,
	    json_pack("{s:s,s:[{s:s,s:s}]}", "message", "Unknown or unsupported API version",
		"validations", "field", "version", "detail", detail));
	return true;
}

static int answer_not_found(struct evbuffer *out, const struct sim_request *r)
{
	return answer_message(
	    out, r, 404, "Resource not found or you do not have access to this resource");
}

static json_t *org_json(unsigned org)
{
	uint8_t id[SIM_ID];
	char text[SIM_ID_TEXT];

	hf_sim_world_org_id(org, id);
	hf_sim_id_text(id, text);
	return json_string(text);
}

static json_t *user_json(const struct sim_user *u)
{
	char id[SIM_ID_TEXT];
	json_t *orgs = json_array(), *roles = json_array();

	hf_sim_id_text(u->id, id);
	for (unsigned n = 1; n <= SIM_ORG_MAX; n++) {
		if (u->orgs & SIM_ORG_BIT(n))
			json_array_append_new(orgs, org_json(n));
	}
	for (size_t i = 0; i < u->n_roles; i++) {
		if (!u->roles[i].org)
			json_array_append_new(
			    roles, json_pack("{s:s,s:s}", "name", u->roles[i].name, "display_name",
				       u->roles[i].name));
	}
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:o,s:o}", "id", id, "username", u->name,
	    "name", u->name, "status", "active", "created_at", CREATED, "login_type", "password",
	    "is_service_account", 0, "organization_ids", orgs, "roles", roles);
}

static int rest_users(const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	unsigned limit = hf_sim_request_number(r, "limit", 0);
	unsigned offset = hf_sim_request_number(r, "offset", 0), n = 0;
	json_t *list = json_array();
	struct sim_rights rights;

	if (hf_sim_rights_take(w, &rights))
		return -ENOMEM;
	for (struct sim_user *u = w->users; u; u = u->next) {
		if (!rights.lists && memcmp(u->id, rights.user, SIM_ID))
			continue;
		if (n >= offset && (!limit || n < offset + limit))
			json_array_append_new(list, user_json(u));
		n++;
	}
	hf_sim_rights_done(&rights);
	return answer_json(out, r, 200, json_pack("{s:o,s:i}", "users", list, "count", (int)n));
}

/* The roles in organisations are told here and nowhere else. */
static int rest_roles(const struct sim_user *u, const struct sim_request *r, struct evbuffer *out)
{
	json_t *site = json_array(), *orgs = json_object();

	for (unsigned n = 1; n <= SIM_ORG_MAX; n++) {
		json_t *id = org_json(n);

		if (u->orgs & SIM_ORG_BIT(n))
			json_object_set_new(orgs, json_string_value(id), json_array());
		json_decref(id);
	}
	for (size_t i = 0; i < u->n_roles; i++) {
		json_t *id = org_json(u->roles[i].org);
		json_t *to = u->roles[i].org ? json_object_get(orgs, json_string_value(id)) : site;

		if (to)
			json_array_append_new(to, json_string(u->roles[i].name));
		json_decref(id);
	}
	return answer_json(
	    out, r, 200, json_pack("{s:o,s:o}", "roles", site, "organization_roles", orgs));
}

static int rest_key(const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	const char *id = strrchr(r->path, '/') + 1;
	const struct sim_user *me = hf_sim_world_user(w, "me");
	char user[SIM_ID_TEXT], words[512], *save = NULL;
	json_t *scopes = json_array();

	if (!me || strncmp(r->token, id, strlen(id)) || r->token[strlen(id)] != '-') {
		json_decref(scopes);
		return answer_not_found(out, r);
	}
	hf_sim_id_text(me->id, user);
	snprintf(words, sizeof(words), "%s", w->scopes ? w->scopes : "coder:all");
	for (char *s = strtok_r(words, " ", &save); s; s = strtok_r(NULL, " ", &save))
		json_array_append_new(scopes, json_string(s));
	return answer_json(out, r, 200,
	    json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:[{s:s,s:s}]}", "id", id, "user_id", user,
		"created_at", CREATED, "expires_at",
		w->expires ? w->expires : "2099-01-01T00:00:00Z", "login_type", "token", "scope",
		"all", "scopes", scopes, "allow_list", "type", "*", "id", "*"));
}

static int rest_user(const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	const char *rest, *name = r->path + strlen("/api/v2/users/");
	const struct sim_user *u;
	struct sim_rights rights;
	char who[256];

	if (!strncmp(name, "me/keys/", 8))
		return rest_key(w, r, out);
	rest = strchr(name, '/');
	snprintf(who, sizeof(who), "%.*s", rest ? (int)(rest - name) : (int)strlen(name), name);
	u = hf_sim_world_user(w, who);
	if (hf_sim_rights_take(w, &rights))
		return -ENOMEM;
	if (u && !hf_sim_rights_know(&rights, u))
		u = NULL;
	hf_sim_rights_done(&rights);
	if (u && rest && !strcmp(rest, "/roles"))
		return rest_roles(u, r, out);
	return u && !rest ? answer_json(out, r, 200, user_json(u)) : answer_not_found(out, r);
}

/* Whose a workspace is. */
static int rest_workspace(
    const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	const char *id = r->path + strlen("/api/v2/workspaces/");
	const struct sim_workspace *ws = NULL;
	uint8_t bytes[SIM_ID];
	char text[SIM_ID_TEXT], owner[SIM_ID_TEXT];
	struct sim_rights rights;
	json_t *name;

	for (uint32_t n = 0; !ws && n < w->n_workspaces; n++) {
		hf_sim_world_id(n, bytes);
		hf_sim_id_text(bytes, text);
		if (!strcmp(text, id))
			ws = hf_sim_world_workspace(w, n);
	}
	if (hf_sim_rights_take(w, &rights))
		return -ENOMEM;
	if (ws && !hf_sim_rights_read(&rights, ws->owner->id, ws->org))
		ws = NULL;
	hf_sim_rights_done(&rights);
	if (!ws)
		return answer_not_found(out, r);
	name = json_stringn((const char *)ws->name.at, ws->name.len);
	hf_sim_id_text(ws->owner->id, owner);
	return answer_json(out, r, 200,
	    json_pack("{s:s,s:s,s:s,s:o,s:o}", "id", id, "owner_id", owner, "owner_name",
		ws->owner->name, "name", name ? name : json_string("?"), "organization_id",
		org_json(ws->org)));
}

static int rest_buildinfo(
    const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	json_t *body =
	    json_pack("{s:s,s:s,s:s,s:s,s:b,s:b}", "external_url", "https://github.com/coder/coder",
		"version", w->version, "dashboard_url", "http://simulator.invalid",
		"agent_api_version", w->api, "telemetry", 0, "workspace_proxy", 0);

	if (body && w->deployment)
		json_object_set_new(body, "deployment_id", json_string(w->deployment));
	return answer_json(out, r, 200, body);
}

static int rest_connection(
    const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	json_t *body = json_pack("{s:{},s:b,s:b}", "derp_map", "derp_force_websockets", 0,
	    "disable_direct_connections", 0);

	if (body && w->suffix)
		json_object_set_new(body, "hostname_suffix", json_string(w->suffix));
	return answer_json(out, r, 200, body);
}

/* May the token do what this check asks? An organisation that is not there has number 0: none. */
static bool rest_allows(
    const struct sim_world *w, const struct sim_rights *rights, const json_t *check)
{
	const json_t *object = json_object_get(check, "object");
	const char *type = json_string_value(json_object_get(object, "resource_type"));
	const char *owner = json_string_value(json_object_get(object, "owner_id"));
	const char *org = json_string_value(json_object_get(object, "organization_id"));
	const struct sim_user *u = owner ? hf_sim_world_user(w, owner) : NULL;
	unsigned n = org ? hf_sim_world_org(org) : 0;

	if (!type || strcmp(type, "workspace") || (org && !n) || (owner && !u))
		return false;
	return u ? hf_sim_rights_read(rights, u->id, n) : hf_sim_rights_read_all(rights, n);
}

static int rest_authcheck(
    const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	json_t *asked = json_loadb(r->body, r->body_len, 0, NULL), *body = json_object();
	json_t *checks = json_object_get(asked, "checks"), *check;
	struct sim_rights rights;
	const char *name;

	if (!json_is_object(checks)) {
		json_decref(asked);
		json_decref(body);
		return answer_message(out, r, 400, "Request body must be valid JSON.");
	}
	if (hf_sim_rights_take(w, &rights)) {
		json_decref(asked);
		json_decref(body);
		return -ENOMEM;
	}
	json_object_foreach(checks, name, check)
	    json_object_set_new(body, name, json_boolean(rest_allows(w, &rights, check)));
	hf_sim_rights_done(&rights);
	json_decref(asked);
	return answer_json(out, r, 200, body);
}

int hf_sim_rest_answer(const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	static const struct {
		const char *method, *path;
		bool below; /* also what begins with it */
		bool open;  /* without a token */
		int (*answer)(
		    const struct sim_world *w, const struct sim_request *r, struct evbuffer *out);
	} routes[] = {
		{ "GET", "/api/v2/buildinfo", false, true, rest_buildinfo },
		{ "GET", "/api/v2/users", false, false, rest_users },
		{ "GET", "/api/v2/users/", true, false, rest_user },
		{ "GET", "/api/v2/workspaces/", true, false, rest_workspace },
		{ "GET", "/api/v2/workspaceagents/connection", false, false, rest_connection },
		{ "POST", "/api/v2/authcheck", false, false, rest_authcheck },
	};

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		size_t len = strlen(routes[i].path);

		if (strcmp(r->method, routes[i].method) || strncmp(r->path, routes[i].path, len) ||
		    (r->path[len] && !routes[i].below))
			continue;
		if (routes[i].open || hf_sim_rest_knows(w, r))
			return routes[i].answer(w, r, out);
		hf_sim_rest_signed_out(out, r);
		return 0;
	}
	return answer_message(out, r, 404, "Route not found.");
}
