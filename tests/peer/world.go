// SPDX-License-Identifier: Apache-2.0
package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

const numberMax = 4000000

type user struct {
	name       string
	id         []byte
	orgs       map[int]bool // the organisations of which it is a member
	roles      []role
	unreadable bool
	deny       string        // how new streams end at once; "": they do not
	late       time.Duration // new streams begin so late
}

// statuses of the wire
const (
	statusRunning = 3
	statusStopped = 5
)

type workspace struct {
	owner  *user
	name   string
	agents map[uint32]bool
	org    int
	status uint64
	shared map[*user]bool // whose streams list it, too
}

type agent struct {
	workspace uint32
	name      string
}

// world is what the deployment is. Whoever uses it holds the server's lock.
type world struct {
	token, version, api, deployment, suffix, expires string   // "": none
	scopes                                           []string // of the token; nil: coder:all
	users                                            []*user
	me                                               *user // the token's own; nil: the first
	workspaces                                       map[uint32]*workspace
	agents                                           map[uint32]*agent
}

func newWorld() *world {
	return &world{version: "v2.30.0", api: "2.8", deployment: "5a9d1c3e-0000-4000-8000-000000000001",
		suffix: "coder", workspaces: map[uint32]*workspace{}, agents: map[uint32]*agent{}}
}

func idText(id []byte) string {
	h := hex.EncodeToString(id)
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// user by name, id or "me".
func (w *world) user(name string) *user {
	if name == "me" {
		return w.own()
	}
	for _, u := range w.users {
		if u.name == name || idText(u.id) == name {
			return u
		}
	}
	return nil
}

func (w *world) userByID(id []byte) *user {
	return w.user(idText(id))
}

// fields of WorkspaceUpdate
const (
	upsertedWorkspace protowire.Number = iota + 1
	upsertedAgent
	deletedWorkspace
	deletedAgent
)

func appendBytes(b []byte, field protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), value)
}

func workspaceRecord(id []byte, name string) []byte {
	return statusRecord(id, name, statusRunning)
}

func statusRecord(id []byte, name string, status uint64) []byte {
	b := appendBytes(appendBytes(nil, 1, id), 2, []byte(name))
	return protowire.AppendVarint(protowire.AppendTag(b, 3, protowire.VarintType), status)
}

func agentRecord(id []byte, name string, workspaceID []byte) []byte {
	return appendBytes(appendBytes(appendBytes(nil, 1, id), 2, []byte(name)), 3, workspaceID)
}

func (w *world) tellWorkspace(m *message, field protowire.Number, n uint32) {
	body, org := workspaceRecord(idOf(n), ""), 0
	if ws := w.workspaces[n]; ws != nil {
		body, org = statusRecord(idOf(n), ws.name, ws.status), ws.org
	}
	m.add(org, field, body)
}

func (w *world) tellAgent(m *message, field protowire.Number, n uint32) {
	body, org := appendBytes(nil, 1, agentIDOf(n)), 0
	if a := w.agents[n]; a != nil {
		body, org = agentRecord(agentIDOf(n), a.name, idOf(a.workspace)), w.workspaces[a.workspace].org
	}
	m.add(org, field, body)
}

func (w *world) setWorkspace(n uint32, owner *user, name string) {
	ws := w.workspaces[n]
	if ws == nil {
		ws = &workspace{agents: map[uint32]bool{}, org: 1, status: statusRunning, shared: map[*user]bool{}}
		w.workspaces[n] = ws
	}
	ws.owner, ws.name = owner, name
}

func (w *world) dropAgent(n uint32) {
	if a := w.agents[n]; a != nil {
		delete(w.workspaces[a.workspace].agents, n)
		delete(w.agents, n)
	}
}

func (w *world) setAgent(n, workspace uint32, name string) {
	w.dropAgent(n)
	w.agents[n] = &agent{workspace, name}
	w.workspaces[workspace].agents[n] = true
}

func (w *world) dropWorkspace(n uint32) {
	for a := range w.workspaces[n].agents {
		delete(w.agents, a)
	}
	delete(w.workspaces, n)
}

func (w *world) clear(u *user) {
	for n, ws := range w.workspaces {
		if ws.owner == u {
			w.dropWorkspace(n)
		}
	}
}

// snapshot is the first message of a stream: what the rights let one see.
func (w *world) snapshot(u *user, r *rights) []byte {
	seen := func(ws *workspace) bool {
		return (ws.owner == u || ws.shared[u]) && r.read(ws.owner.id, ws.org)
	}
	var m message
	for n, ws := range w.workspaces {
		if seen(ws) {
			w.tellWorkspace(&m, upsertedWorkspace, n)
		}
	}
	for n, a := range w.agents {
		if seen(w.workspaces[a.workspace]) {
			w.tellAgent(&m, upsertedAgent, n)
		}
	}
	b := []byte{}
	for _, part := range m {
		b = append(b, part.bytes...)
	}
	return b
}

var errWord = errors.New("not of the form 1=workspace:7=agent,8=agent")

func takeNumber(s string) (uint32, string, error) {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(s)
	}
	n, err := strconv.ParseUint(s[:end], 10, 32)
	if err != nil || n == 0 || n > numberMax {
		return 0, "", errWord
	}
	return uint32(n), s[end:], nil
}

// unquoted has %41 as A.
func unquoted(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.Write(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// put is "1=dev:7=main,8=gpu" or "1..500=dev:main". The message is told where m is not nil; nothing is changed where
// check is true.
func (w *world) put(m *message, u *user, word string, check bool) error {
	first, rest, err := takeNumber(word)
	if err != nil {
		return err
	}
	if after, many := strings.CutPrefix(rest, ".."); many {
		return w.putMany(m, u, first, after, check)
	}
	name, agents, has := strings.Cut(rest, ":")
	if !strings.HasPrefix(name, "=") {
		return errWord
	}
	if !check {
		w.setWorkspace(first, u, unquoted(name[1:]))
		if m != nil {
			w.tellWorkspace(m, upsertedWorkspace, first)
		}
	}
	if !has {
		return nil
	}
	for _, a := range strings.Split(agents, ",") {
		n, rest, err := takeNumber(a)
		if err != nil || !strings.HasPrefix(rest, "=") {
			return errWord
		}
		if check {
			continue
		}
		w.setAgent(n, first, unquoted(rest[1:]))
		if m != nil {
			w.tellAgent(m, upsertedAgent, n)
		}
	}
	return nil
}

func (w *world) putMany(m *message, u *user, first uint32, rest string, check bool) error {
	last, rest, err := takeNumber(rest)
	if err != nil || last < first || !strings.HasPrefix(rest, "=") {
		return errWord
	}
	prefix, agentName, has := strings.Cut(rest[1:], ":")
	for n := first; !check && n <= last; n++ {
		w.setWorkspace(n, u, unquoted(prefix)+fmt.Sprint(n))
		if has {
			w.setAgent(n, n, unquoted(agentName))
		}
		if m != nil {
			w.tellWorkspace(m, upsertedWorkspace, n)
			if has {
				w.tellAgent(m, upsertedAgent, n)
			}
		}
	}
	return nil
}

// drop is "2", "2..5" or ":8". The server tells of a workspace's agents, too; another user's is told of, but stays.
func (w *world) drop(m *message, u *user, word string, check bool) error {
	at, isAgent := strings.CutPrefix(word, ":")
	first, rest, err := takeNumber(at)
	last := first
	if after, many := strings.CutPrefix(rest, ".."); err == nil && many && !isAgent {
		last, rest, err = takeNumber(after)
	}
	if err != nil || rest != "" {
		return errWord
	}
	for n := first; !check && n <= last; n++ {
		if isAgent {
			w.tellAgent(m, deletedAgent, n)
			w.dropAgent(n)
			continue
		}
		w.tellWorkspace(m, deletedWorkspace, n)
		if ws := w.workspaces[n]; ws != nil && ws.owner == u {
			for a := range ws.agents {
				w.tellAgent(m, deletedAgent, a)
			}
			w.dropWorkspace(n)
		}
	}
	return nil
}

func (w *world) setSnapshot(u *user, words []string) error {
	for _, word := range words {
		if err := w.put(nil, u, word, true); err != nil {
			return err
		}
	}
	w.clear(u)
	for _, word := range words {
		if err := w.put(nil, u, word, false); err != nil {
			return err
		}
	}
	return nil
}

// diff changes the world, and returns the message that tells of it.
func (w *world) diff(u *user, words []string) (message, error) {
	var m message
	for _, check := range []bool{true, false} {
		for _, word := range words {
			err := errWord
			if after, ok := strings.CutPrefix(word, "+"); ok {
				err = w.put(&m, u, after, check)
			} else if after, ok := strings.CutPrefix(word, "-"); ok {
				err = w.drop(&m, u, after, check)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}
