// SPDX-License-Identifier: Apache-2.0
package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

const orgMax = 63

// role is one of the whole deployment (org 0), or of an organisation.
type role struct {
	org  int
	name string
}

// knownRoles is what Coder's roles let one do here, as its documentation of 2026 has them.
var knownRoles = map[string]struct{ ofOrg, reads, lists bool }{
	"owner":                       {false, true, true},
	"template-admin":              {false, true, true},
	"auditor":                     {false, false, true},
	"user-admin":                  {false, false, true},
	"organization-admin":          {true, true, true},
	"organization-template-admin": {true, true, false},
}

// rights are what a token may read at one moment. REST asks today's; a connection keeps those of its upgrade.
type rights struct {
	user       string // id of the token's own
	workspaces bool   // the token's scopes let it read some
	all        bool   // of everybody
	member     map[int]bool
	everyone   map[int]bool // organisations of which it reads everybody's
	lists      bool
	hidden     map[string]bool // ids of users whom the script made unreadable
}

func (w *world) own() *user {
	if w.me == nil && len(w.users) > 0 {
		return w.users[0]
	}
	return w.me
}

// rights of now.
func (w *world) rights() *rights {
	r := &rights{member: map[int]bool{}, everyone: map[int]bool{}, hidden: map[string]bool{}}
	for _, s := range w.scopeWords() {
		r.workspaces = r.workspaces || s == "all" || s == "coder:all" || s == "workspace:*" || s == "workspace:read"
	}
	for _, u := range w.users {
		if u.unreadable {
			r.hidden[string(u.id)] = true
		}
	}
	me := w.own()
	if me == nil {
		return r
	}
	r.user = string(me.id)
	for org := range me.orgs {
		r.member[org] = true
	}
	for _, has := range me.roles {
		k, ok := knownRoles[has.name]
		if !ok || k.ofOrg != (has.org != 0) {
			continue
		}
		r.lists = r.lists || k.lists
		switch {
		case k.reads && has.org != 0:
			r.everyone[has.org] = true
		case k.reads:
			r.all = true
		}
	}
	return r
}

// in says whether a set has that organisation; 0 is any.
func in(set map[int]bool, org int) bool {
	return org == 0 && len(set) > 0 || set[org]
}

// readAll is of all owners' workspaces in an organisation (0: any).
func (r *rights) readAll(org int) bool {
	return r.workspaces && (r.all || in(r.everyone, org))
}

func (r *rights) read(owner []byte, org int) bool {
	if !r.workspaces || r.hidden[string(owner)] {
		return false
	}
	return r.readAll(org) || r.user == string(owner) && in(r.member, org)
}

// know says whether that user is known to the token at all.
func (r *rights) know(u *user) bool {
	for org := range u.orgs {
		if r.everyone[org] {
			return true
		}
	}
	return r.lists || r.all || r.user == string(u.id)
}

func (w *world) scopeWords() []string {
	if w.scopes == nil {
		return []string{"coder:all"}
	}
	return w.scopes
}

// record is one of a message, and the organisation of its workspace; 0: nobody knows, it is told to all.
type record struct {
	org   int
	bytes []byte
}

// message is what streams are told.
type message []record

func (m *message) add(org int, field protowire.Number, body []byte) {
	*m = append(*m, record{org, appendBytes(nil, field, body)})
}

// seen is what of it the rights let one see.
func (m message) seen(r *rights, owner []byte) []byte {
	b := []byte{}
	for _, part := range m {
		if r.read(owner, part.org) {
			b = append(b, part.bytes...)
		}
	}
	return b
}

func orgID(n int) string {
	id := idOf(uint32(n))
	id[0] = 0x30
	return idText(id)
}

func orgOf(id string) int {
	for n := 1; n <= orgMax; n++ {
		if orgID(n) == id {
			return n
		}
	}
	return 0
}

func orgNumber(word string) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 || n > orgMax {
		return 0, fmt.Errorf("'%s' is no organisation", word)
	}
	return n, nil
}

// --- commands

func (s *server) setRoles(u *user, words []string) error {
	var roles []role
	for _, word := range words {
		r := role{name: word}
		if number, name, ok := strings.Cut(word, "/"); ok {
			org, err := orgNumber(number)
			if err != nil {
				return err
			}
			r = role{org, name}
		}
		roles = append(roles, r)
	}
	u.roles = roles
	return nil
}

func (s *server) setOrgs(u *user, words []string) error {
	orgs := map[int]bool{}
	for _, word := range words {
		n, err := orgNumber(word)
		if err != nil {
			return err
		}
		orgs[n] = true
	}
	u.orgs = orgs
	return nil
}

// workspacesOf are those of the words "2" and "5..9", which must all be there.
func (s *server) workspacesOf(words []string) ([]*workspace, error) {
	var list []*workspace
	for _, word := range words {
		first, rest, err := takeNumber(word)
		last := first
		if after, many := strings.CutPrefix(rest, ".."); err == nil && many {
			last, rest, err = takeNumber(after)
		}
		if err != nil || rest != "" {
			return nil, fmt.Errorf("'%s' is no number, and not of the form 5..9", word)
		}
		for n := first; n <= last; n++ {
			ws := s.world.workspaces[n]
			if ws == nil {
				return nil, fmt.Errorf("there is no workspace %d", n)
			}
			list = append(list, ws)
		}
	}
	return list, nil
}

func (s *server) place(words []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	org, err := orgNumber(words[0])
	if err != nil {
		return err
	}
	list, err := s.workspacesOf(words[1:])
	for _, ws := range list {
		ws.org = org
	}
	return err
}

func (s *server) setStatus(status uint64) func(words []string) error {
	return func(words []string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		list, err := s.workspacesOf(words)
		for _, ws := range list {
			ws.status = status
		}
		return err
	}
}

// share lists a workspace in another user's streams, too; or no longer.
func (s *server) share(shared bool) func(words []string) error {
	return func(words []string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		u, err := s.find(words[1])
		if err != nil {
			return err
		}
		n, rest, err := takeNumber(words[0])
		ws := s.world.workspaces[n]
		if err != nil || rest != "" || ws == nil {
			return fmt.Errorf("'%s' is no workspace", words[0])
		}
		workspaceField, agentField := upsertedWorkspace, upsertedAgent
		if !shared {
			workspaceField, agentField = deletedWorkspace, deletedAgent
		}
		var m message
		s.world.tellWorkspace(&m, workspaceField, n)
		for a := range ws.agents {
			s.world.tellAgent(&m, agentField, a)
		}
		if shared {
			ws.shared[u] = true
		} else {
			delete(ws.shared, u)
		}
		s.update(u, m)
		return nil
	}
}

// remake deletes a user and makes another of the same name.
func (s *server) remake(u *user, words []string) error {
	n, err := number(words, 0, 0)
	if err != nil || n < 1 || n > numberMax || s.world.userByID(idOf(uint32(n))) != nil || u == s.world.own() {
		return fmt.Errorf("'%s' is no number of a new user, or the token is that user's", words[0])
	}
	name := u.name
	if err := s.forget(u, nil); err != nil {
		return err
	}
	s.world.users = append(s.world.users, &user{name: name, id: idOf(uint32(n)), orgs: map[int]bool{1: true}})
	return nil
}

// --- REST

// roles in organisations are told here and nowhere else.
func rolesOf(res http.ResponseWriter, u *user) {
	site, orgs := []string{}, map[string][]string{}
	for org := range u.orgs {
		orgs[orgID(org)] = []string{}
	}
	for _, r := range u.roles {
		if r.org == 0 {
			site = append(site, r.name)
		} else if u.orgs[r.org] {
			orgs[orgID(r.org)] = append(orgs[orgID(r.org)], r.name)
		}
	}
	answer(res, 200, object{"roles": site, "organization_roles": orgs})
}

// whose answers a question about a workspace.
func (w *world) whose(res http.ResponseWriter, id string) {
	for n, ws := range w.workspaces {
		if idText(idOf(n)) != id || !w.rights().read(ws.owner.id, ws.org) {
			continue
		}
		answer(res, 200, object{"id": id, "owner_id": idText(ws.owner.id), "owner_name": ws.owner.name, "name": ws.name,
			"organization_id": orgID(ws.org)})
		return
	}
	notFound(res)
}
