#include "examples/simulator/rest.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CREATED "2025-01-01T00:00:00Z"

/* Ends `body`. */
static int answer_json(struct evbuffer *out, const struct sim_request *r, int status, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	json_decref(body);
	if (!text)
		return -ENOMEM;
	sim_answer(out, r, status, "", "application/json; charset=utf-8", text);
	free(text);
	return 0;
}

static int answer_message(
    struct evbuffer *out, const struct sim_request *r, int status, const char *message)
{
	return answer_json(out, r, status, json_pack("{s:s}", "message", message));
}

bool sim_rest_knows(const struct sim_world *w, const struct sim_request *r)
{
	return *r->token && (!w->token || !strcmp(w->token, r->token));
}

void sim_rest_signed_out(struct evbuffer *out, const struct sim_request *r)
{
	answer_json(out, r, 401,
	    json_pack("{s:s,s:s}", "message",
		"You are signed out or your session has expired. Please sign in again to continue.",
		"detail", "Try logging in using 'coder login'."));
}

bool sim_rest_version_refused(
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

static json_t *user_json(const struct sim_user *u)
{
	char id[SIM_ID_TEXT];

	sim_id_text(u->id, id);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:[],s:[]}", "id", id, "username", u->name,
	    "name", u->name, "status", "active", "created_at", CREATED, "login_type", "password",
	    "is_service_account", 0, "organization_ids", "roles");
}

static int users(const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	unsigned limit = sim_request_number(r, "limit", 0);
	unsigned offset = sim_request_number(r, "offset", 0), n = 0;
	json_t *list = json_array();

	for (struct sim_user *u = w->users; u; u = u->next, n++) {
		if (n >= offset && (!limit || n < offset + limit))
			json_array_append_new(list, user_json(u));
	}
	return answer_json(out, r, 200, json_pack("{s:o,s:i}", "users", list, "count", (int)n));
}

static int key(const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	const char *id = strrchr(r->path, '/') + 1;
	char user[SIM_ID_TEXT];

	if (!w->users || strncmp(r->token, id, strlen(id)) || r->token[strlen(id)] != '-')
		return answer_message(
		    out, r, 404, "Resource not found or you do not have access to this resource");
	sim_id_text(w->users->id, user);
	return answer_json(out, r, 200,
	    json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:[s],s:[{s:s,s:s}]}", "id", id, "user_id", user,
		"created_at", CREATED, "expires_at",
		w->expires ? w->expires : "2099-01-01T00:00:00Z", "login_type", "token", "scope",
		"all", "scopes", "coder:all", "allow_list", "type", "*", "id", "*"));
}

static int user(const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	const char *name = r->path + strlen("/api/v2/users/");
	const struct sim_user *u;

	if (!strncmp(name, "me/keys/", 8))
		return key(w, r, out);
	u = sim_world_user(w, name);
	if (!u)
		return answer_message(
		    out, r, 404, "Resource not found or you do not have access to this resource");
	return answer_json(out, r, 200, user_json(u));
}

static int buildinfo(const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	json_t *body =
	    json_pack("{s:s,s:s,s:s,s:s,s:b,s:b}", "external_url", "https://github.com/coder/coder",
		"version", w->version, "dashboard_url", "http://simulator.invalid",
		"agent_api_version", w->api, "telemetry", 0, "workspace_proxy", 0);

	if (body && w->deployment)
		json_object_set_new(body, "deployment_id", json_string(w->deployment));
	return answer_json(out, r, 200, body);
}

static int connection(const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	json_t *body = json_pack("{s:{},s:b,s:b}", "derp_map", "derp_force_websockets", 0,
	    "disable_direct_connections", 0);

	if (body && w->suffix)
		json_object_set_new(body, "hostname_suffix", json_string(w->suffix));
	return answer_json(out, r, 200, body);
}

/* May the token do what this check asks? Of workspaces that is what the script says. */
static bool allowed(const struct sim_world *w, const json_t *check)
{
	const json_t *object = json_object_get(check, "object");
	const char *type = json_string_value(json_object_get(object, "resource_type"));
	const char *owner = json_string_value(json_object_get(object, "owner_id"));
	const struct sim_user *u = owner ? sim_world_user(w, owner) : NULL;

	return type && !strcmp(type, "workspace") && u && !u->unreadable;
}

static int authcheck(const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	json_t *asked = json_loadb(r->body, r->body_len, 0, NULL), *body = json_object();
	json_t *checks = json_object_get(asked, "checks"), *check;
	const char *name;

	if (!json_is_object(checks)) {
		json_decref(asked);
		json_decref(body);
		return answer_message(out, r, 400, "Request body must be valid JSON.");
	}
	json_object_foreach(checks, name, check)
	    json_object_set_new(body, name, json_boolean(allowed(w, check)));
	json_decref(asked);
	return answer_json(out, r, 200, body);
}

int sim_rest_answer(const struct sim_world *w, const struct sim_request *r, struct evbuffer *out)
{
	static const struct {
		const char *method, *path;
		bool below; /* also what begins with it */
		bool open;  /* without a token */
		int (*answer)(
		    const struct sim_world *w, const struct sim_request *r, struct evbuffer *out);
	} routes[] = {
		{ "GET", "/api/v2/buildinfo", false, true, buildinfo },
		{ "GET", "/api/v2/users", false, false, users },
		{ "GET", "/api/v2/users/", true, false, user },
		{ "GET", "/api/v2/workspaceagents/connection", false, false, connection },
		{ "POST", "/api/v2/authcheck", false, false, authcheck },
	};

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		size_t len = strlen(routes[i].path);

		if (strcmp(r->method, routes[i].method) || strncmp(r->path, routes[i].path, len) ||
		    (r->path[len] && !routes[i].below))
			continue;
		if (routes[i].open || sim_rest_knows(w, r))
			return routes[i].answer(w, r, out);
		sim_rest_signed_out(out, r);
		return 0;
	}
	return answer_message(out, r, 404, "Route not found.");
}
