// SPDX-License-Identifier: Apache-2.0
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

type object = map[string]any

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (w *world) knows(r *http.Request) bool {
	token := r.Header.Get("Coder-Session-Token")
	return token != "" && (w.token == "" || w.token == token)
}

func signedOut(w http.ResponseWriter) {
	answer(w, 401, object{
		"message": "You are signed out or your session has expired. Please sign in again to continue.",
		"detail":  "Try logging in using 'coder login'."})
}

func notFound(w http.ResponseWriter) {
	answer(w, 404, object{"message": "Resource not found or you do not have access to this resource"})
}

func userJSON(u *user) object {
	orgs, roles := []string{}, []object{}
	for org := range u.orgs {
		orgs = append(orgs, orgID(org))
	}
	for _, r := range u.roles {
		if r.org == 0 {
			roles = append(roles, object{"name": r.name, "display_name": r.name})
		}
	}
	return object{"id": idText(u.id), "username": u.name, "name": u.name, "status": "active",
		"created_at": "2025-01-01T00:00:00Z", "login_type": "password", "is_service_account": false,
		"organization_ids": orgs, "roles": roles}
}

// rest answers what is asked before a stream.
func (s *server) rest(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	route := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/api/v2")
	if route == "GET /buildinfo" {
		s.world.buildinfo(w)
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/api/v2/") {
		answer(w, 404, object{"message": "Route not found."})
		return
	}
	if !s.world.knows(r) {
		signedOut(w)
		return
	}
	switch name, isUser := strings.CutPrefix(route, "GET /users/"); {
	case route == "GET /users":
		s.world.page(w, r)
	case isUser && strings.HasPrefix(name, "me/keys/"):
		s.world.key(w, r, strings.TrimPrefix(name, "me/keys/"))
	case isUser:
		s.world.oneUser(w, name)
	case strings.HasPrefix(route, "GET /workspaces/"):
		s.world.whose(w, strings.TrimPrefix(route, "GET /workspaces/"))
	case route == "GET /workspaceagents/connection":
		body := object{"derp_map": object{}, "derp_force_websockets": false, "disable_direct_connections": false}
		if s.world.suffix != "" {
			body["hostname_suffix"] = s.world.suffix
		}
		answer(w, 200, body)
	case route == "POST /authcheck":
		s.world.authcheck(w, r)
	default:
		answer(w, 404, object{"message": "Route not found."})
	}
}

func (w *world) buildinfo(res http.ResponseWriter) {
	body := object{"external_url": "https://github.com/coder/coder", "version": w.version,
		"dashboard_url": "http://peer.invalid", "agent_api_version": w.api, "telemetry": false,
		"workspace_proxy": false}
	if w.deployment != "" {
		body["deployment_id"] = w.deployment
	}
	answer(res, 200, body)
}

// oneUser is asked for by "NAME" or "NAME/roles".
func (w *world) oneUser(res http.ResponseWriter, path string) {
	name, rest, more := strings.Cut(path, "/")
	u := w.user(name)
	switch {
	case u == nil || !w.rights().know(u):
		notFound(res)
	case !more:
		answer(res, 200, userJSON(u))
	case rest == "roles":
		rolesOf(res, u)
	default:
		notFound(res)
	}
}

func (w *world) page(res http.ResponseWriter, r *http.Request) {
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
	users, i, today := []object{}, 0, w.rights()
	for _, u := range w.users {
		if !today.lists && string(u.id) != today.user {
			continue
		}
		if i >= offset && (limit == 0 || i < offset+limit) {
			users = append(users, userJSON(u))
		}
		i++
	}
	answer(res, 200, object{"users": users, "count": i})
}

func (w *world) key(res http.ResponseWriter, r *http.Request, id string) {
	if !strings.HasPrefix(r.Header.Get("Coder-Session-Token"), id+"-") || len(w.users) == 0 {
		notFound(res)
		return
	}
	expires := w.expires
	if expires == "" {
		expires = "2099-01-01T00:00:00Z"
	}
	answer(res, 200, object{"id": id, "user_id": idText(w.own().id), "created_at": "2025-01-01T00:00:00Z",
		"expires_at": expires, "login_type": "token", "scope": "all", "scopes": w.scopeWords(),
		"allow_list": []object{{"type": "*", "id": "*"}}})
}

func (w *world) authcheck(res http.ResponseWriter, r *http.Request) {
	var asked struct {
		Checks map[string]struct {
			Object struct {
				ResourceType string `json:"resource_type"`
				OwnerID      string `json:"owner_id"`
				OrgID        string `json:"organization_id"`
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Checks == nil {
		answer(res, 400, object{"message": "Request body must be valid JSON."})
		return
	}
	body, today := object{}, w.rights()
	for name, check := range asked.Checks {
		o := check.Object
		u, org := w.user(o.OwnerID), orgOf(o.OrgID)
		switch {
		case o.ResourceType != "workspace", o.OrgID != "" && org == 0, o.OwnerID != "" && u == nil:
			body[name] = false
		case u != nil:
			body[name] = today.read(u.id, org)
		default:
			body[name] = today.readAll(org)
		}
	}
	answer(res, 200, body)
}

// versionRefused answers an upgrade whose version is not served.
func (w *world) versionRefused(res http.ResponseWriter, r *http.Request) bool {
	asked, own := [2]int{1, 1}, [2]int{}
	_, _ = fmt.Sscanf(r.URL.Query().Get("version"), "%d.%d", &asked[0], &asked[1])
	_, _ = fmt.Sscanf(w.api, "%d.%d", &own[0], &own[1])
	if asked[0] < own[0] || (asked[0] == own[0] && asked[1] <= own[1]) {
		return false
	}
	answer(res, 400, object{"message": "Unknown or unsupported API version", "validations": []object{{
		"field": "version",
		"detail": fmt.Sprintf("server is at version %d.%d, behind requested version %d.%d", own[0], own[1],
			asked[0], asked[1])}}})
	return true
}
