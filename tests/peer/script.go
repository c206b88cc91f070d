// SPDX-License-Identifier: Apache-2.0
package main

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"storj.io/drpc/drpcerr"
)

const awaitLimit = 30 * time.Second

func blank(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#'
}

func waits(line string) bool {
	word := strings.Fields(line)[0]
	return word == "wait" || word == "await"
}

func duration(word string) (time.Duration, error) {
	if word == "off" {
		return 0, nil
	}
	d, err := time.ParseDuration(word)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no time such as 500ms, 2s, 10m", word)
	}
	return d, nil
}

func number(words []string, i, otherwise int) (int, error) {
	if i >= len(words) {
		return otherwise, nil
	}
	n, err := strconv.Atoi(words[i])
	if err != nil || n < 0 {
		return 0, fmt.Errorf("'%s' is no number", words[i])
	}
	return n, nil
}

type command struct {
	min int // words that must follow
	run func(s *server, words []string) (string, error)
}

var commands map[string]command

func init() {
	quiet := func(min int, run func(s *server, w []string) error) command {
		return command{min, func(s *server, w []string) (string, error) { return "", run(s, w) }}
	}
	text := func(field func(w *world) *string) command {
		return quiet(1, func(s *server, w []string) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			*field(s.world) = strings.TrimPrefix(w[0], "-")
			return nil
		})
	}
	onUser := func(min int, run func(s *server, u *user, w []string) error) command {
		return quiet(min, func(s *server, w []string) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			u, err := s.find(w[0])
			if err != nil {
				return err
			}
			return run(s, u, w[1:])
		})
	}
	commands = map[string]command{
		"user":     quiet(1, (*server).addUser),
		"snapshot": onUser(1, func(s *server, u *user, w []string) error { return s.world.setSnapshot(u, w) }),
		"diff":     onUser(2, func(s *server, u *user, w []string) error { return s.change(true)(u, w) }),
		"lose":     onUser(2, func(s *server, u *user, w []string) error { return s.change(false)(u, w) }),
		"deny":     onUser(2, (*server).setDeny),
		"late": onUser(2, func(_ *server, u *user, w []string) (err error) {
			d, err := duration(w[0])
			if err == nil {
				u.late = d
			}
			return err
		}),
		"stopped":    quiet(1, func(s *server, w []string) error { return s.setStatus(statusStopped)(w) }),
		"running":    quiet(1, func(s *server, w []string) error { return s.setStatus(statusRunning)(w) }),
		"share":      quiet(2, func(s *server, w []string) error { return s.share(true)(w) }),
		"unshare":    quiet(2, func(s *server, w []string) error { return s.share(false)(w) }),
		"me":         onUser(1, func(s *server, u *user, _ []string) error { s.world.me = u; return nil }),
		"roles":      onUser(1, (*server).setRoles),
		"orgs":       onUser(1, (*server).setOrgs),
		"place":      quiet(2, (*server).place),
		"scopes":     quiet(0, (*server).setScopes),
		"remake":     onUser(2, (*server).remake),
		"slow":       quiet(1, (*server).setSlow),
		"wait":       quiet(1, wait),
		"await":      quiet(1, (*server).await),
		"cut":        quiet(1, (*server).cut),
		"refuse":     quiet(1, (*server).refuse),
		"freeze":     quiet(0, func(s *server, _ []string) error { s.freeze(true); return nil }),
		"thaw":       quiet(0, func(s *server, _ []string) error { s.freeze(false); return nil }),
		"down":       quiet(0, func(s *server, _ []string) error { s.down(); return nil }),
		"up":         quiet(0, func(s *server, _ []string) error { return s.up() }),
		"token":      text(func(w *world) *string { return &w.token }),
		"expires":    text(func(w *world) *string { return &w.expires }),
		"suffix":     text(func(w *world) *string { return &w.suffix }),
		"deployment": text(func(w *world) *string { return &w.deployment }),
		"version":    text(func(w *world) *string { return &w.version }),
		"api":        text(func(w *world) *string { return &w.api }),
		"workspace-updates": quiet(1, func(s *server, w []string) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.noUpdates = w[0] == "off"
			return nil
		}),
		"rename":     onUser(2, func(_ *server, u *user, w []string) error { u.name = w[0]; return nil }),
		"forget":     onUser(1, (*server).forget),
		"unreadable": onUser(1, func(_ *server, u *user, _ []string) error { u.unreadable = true; return nil }),
		"readable":   onUser(1, func(_ *server, u *user, _ []string) error { u.unreadable = false; return nil }),
		"ping":       quiet(2, (*server).setPing),
		"fault":      quiet(1, (*server).arm),
		"hit":        quiet(1, (*server).hit),
		"status":     {0, func(s *server, _ []string) (string, error) { return s.status(), nil }},
	}
}

// run runs one line, and returns when it is done.
func (s *server) run(line string) (string, error) {
	if at := strings.IndexByte(line, '#'); at == 0 || at > 0 && strings.IndexByte(" \t", line[at-1]) >= 0 {
		line = line[:at]
	}
	words := strings.Fields(line)
	c, ok := commands[words[0]]
	if !ok {
		return "", fmt.Errorf("there is no command '%s'", words[0])
	}
	if len(words)-1 < c.min {
		return "", fmt.Errorf("%s needs more words", words[0])
	}
	return c.run(s, words[1:])
}

func (s *server) find(name string) (*user, error) {
	if u := s.world.user(name); u != nil {
		return u, nil
	}
	return nil, fmt.Errorf("there is no user '%s'", name)
}

func (s *server) addUser(words []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := number(words, 1, len(s.world.users)+1)
	if err != nil {
		return err
	}
	if s.world.user(words[0]) != nil || s.world.userByID(idOf(uint32(n))) != nil || n > numberMax {
		return errors.New("there is a user of that name or number")
	}
	u := &user{name: words[0], id: idOf(uint32(n)), orgs: map[int]bool{1: true}}
	if len(s.world.users) == 0 {
		u.roles = []role{{name: "owner"}}
	}
	s.world.users = append(s.world.users, u)
	return nil
}

func (s *server) setDeny(u *user, words []string) error {
	switch words[0] {
	case "off":
		u.deny = ""
	case "close", "error", "reset":
		u.deny = words[0]
	default:
		return fmt.Errorf("'%s' is none of close, error, reset, off", words[0])
	}
	return nil
}

func (s *server) setScopes(words []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.scopes = words
	if len(words) == 0 {
		s.world.scopes = nil
	}
	return nil
}

func (s *server) setSlow(words []string) error {
	d, err := duration(words[0])
	if err == nil && len(words) > 1 && words[1][0] != '/' {
		err = fmt.Errorf("'%s' is no path", words[1])
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow, s.slowPath = d, ""
	if len(words) > 1 {
		s.slowPath = words[1]
	}
	return nil
}

func (s *server) forget(u *user, _ []string) error {
	s.world.clear(u)
	if s.world.me == u {
		s.world.me = nil
	}
	for i := range s.world.users {
		if s.world.users[i] == u {
			s.world.users = append(s.world.users[:i:i], s.world.users[i+1:]...)
			break
		}
	}
	return nil
}

// change is told to the user's streams, or gets lost.
func (s *server) change(told bool) func(u *user, words []string) error {
	return func(u *user, words []string) error {
		m, err := s.world.diff(u, words)
		if err == nil && told {
			s.update(u, m)
		}
		return err
	}
}

// update tells all streams of a user, as far as the rights of each go; with the lock.
func (s *server) update(u *user, m message) {
	for x := range s.sessions {
		for c := range x.calls {
			if string(c.owner) != string(u.id) {
				continue
			}
			if seen := m.seen(x.rights, u.id); len(seen) > 0 {
				c.send(seen)
			}
		}
	}
}

func wait(_ *server, words []string) error {
	d, err := duration(words[0])
	time.Sleep(d)
	return err
}

func (s *server) count(what string, u *user) (int, bool) {
	switch what {
	case "streams":
		n := 0
		s.eachCall(u, func(*call) { n++ })
		return n, true
	case "sessions":
		n := 0
		s.eachSession(func(*session) { n++ })
		return n, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := map[string]int{"calls": s.calls, "upgrades": s.upgrades, "requests": s.requests,
		"connections": s.connections}[what]
	return n, ok
}

func (s *server) await(words []string) error {
	want, err := number(words, 1, 1)
	var u *user
	if err == nil && len(words) > 2 {
		s.mu.Lock()
		u, err = s.find(words[2])
		s.mu.Unlock()
	}
	if err != nil {
		return err
	}
	for end := time.Now().Add(awaitLimit); ; time.Sleep(5 * time.Millisecond) {
		have, ok := s.count(words[0], u)
		switch {
		case !ok:
			return fmt.Errorf("cannot await '%s'", words[0])
		case want == 0 && have == 0, want > 0 && have >= want:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("%d %s so far", have, words[0])
		}
	}
}

func (s *server) status() string {
	streams, _ := s.count("streams", nil)
	sessions, _ := s.count("sessions", nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("sessions=%d streams=%d connections=%d requests=%d upgrades=%d calls=%d", sessions, streams,
		s.connections, s.requests, s.upgrades, s.calls)
}

func (s *server) setPing(words []string) error {
	d, err := duration(words[1])
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch words[0] {
	case "ws":
		s.wsPing = d
	case "yamux":
		s.yamuxPing = d
	default:
		return errors.New("ping ws or ping yamux")
	}
	return nil
}

// cutUser is whose calls are cut: nil for all.
func (s *server) cutUser(words []string) (*user, error) {
	if len(words) < 2 {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(words[1])
}

func (s *server) cut(words []string) error {
	switch words[0] {
	case "tcp":
		s.eachWire(func(w *wire) { w.Close() })
		return nil
	case "rst":
		s.eachWire((*wire).abort)
		return nil
	case "yamux", "call":
		u, err := s.cutUser(words)
		if err != nil {
			return err
		}
		s.eachCall(u, func(c *call) {
			if words[0] == "call" {
				c.finish(nil)
			} else {
				c.reset()
			}
		})
		return nil
	case "ws", "goaway", "error":
		return s.cutWithCode(words)
	}
	return fmt.Errorf("cannot cut '%s'", words[0])
}

func (s *server) cutWithCode(words []string) error {
	otherwise := 0
	if words[0] == "ws" {
		otherwise = 1000
	}
	code, err := number(words, 1, otherwise)
	if err != nil {
		return err
	}
	text := strings.Join(words[min(2, len(words)):], " ")
	switch words[0] {
	case "ws":
		s.eachSession(func(x *session) { go x.closeWS(code, text) })
	case "goaway":
		s.eachSession(func(x *session) {
			_ = x.mux.GoAway()
			if code != 0 {
				_ = x.sendYamux(yamuxFrame(yamuxGoAway, 0, 0, uint32(code)))
			}
		})
	case "error":
		s.eachCall(nil, func(c *call) { c.finish(drpcerr.WithCode(errors.New(text), uint64(code))) })
	}
	return nil
}

func (s *server) refuse(words []string) error {
	r := refusal{headers: http.Header{}}
	if words[0] != "off" {
		var err error
		if r.status, err = number(words, 0, 0); err != nil || r.status < 200 || r.status > 599 {
			return fmt.Errorf("'%s' is no status", words[0])
		}
		r.html = r.status == 200
		for _, word := range words[1:] {
			name, value, ok := strings.Cut(word, "=")
			switch {
			case word[0] == '/':
				r.path = word
			case word == "stream":
				r.onlyStream = true
			case word == "html":
				r.html = true
			case ok:
				r.headers.Add(name, value)
			default:
				return fmt.Errorf("'%s' is not HEADER=VALUE", word)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = r
	return nil
}
