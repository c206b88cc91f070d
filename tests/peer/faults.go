// SPDX-License-Identifier: Apache-2.0
package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"storj.io/drpc"
)

// fault is one way to fail. It has some of the functions; n is a number that the script may give.
type fault struct {
	name    string
	accept  bool // a client must live with it; else it must drop the connection, or refuse a record
	what    string
	n       int                                   // by default
	wire    func(w *wire, n int)                  // a connection was accepted
	tls     func(c *tlsChoice)                    // before its handshake
	http    func(e *edge, r *http.Request, n int) // instead of the answer to the upgrade; then it is closed
	upgrade func(x *session, n int)               // before the answer to the upgrade is written
	session func(x *session, n int)               // after it
	live    func(c *call, n int) error            // on a call; armed: before its snapshot
	hold    bool                                  // after that no snapshot comes
	message func(c *call, n int) []byte           // a message; armed: instead of the snapshot
}

// layer is the part of the name before the first dash.
func (f *fault) layer() string { return f.name[:strings.IndexByte(f.name, '-')] }

func allFaults() []fault {
	return slices.Concat(tcpFaults, tlsFaults, httpFaults, wsFaults(), yamuxFaults, drpcFaults, protobufFaults(),
		semanticFaults())
}

func printFaults(w io.Writer) {
	for _, f := range allFaults() {
		outcome := "refuse"
		if f.accept {
			outcome = "accept"
		}
		how := "fault"
		if f.live != nil || f.message != nil {
			how = "fault,hit"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.name, outcome, how, f.what)
	}
}

// armed is the fault that new connections meet; nil is none.
type armed struct {
	fault
	n int
}

func findFault(words []string) (*armed, error) {
	for _, f := range allFaults() {
		if f.name == words[0] {
			n, err := number(words, 1, f.n)
			return &armed{f, n}, err
		}
	}
	return nil, fmt.Errorf("there is no fault '%s'", words[0])
}

// arm is "fault NAME [N]" and "fault off".
func (s *server) arm(words []string) error {
	var a *armed
	if words[0] != "off" {
		var err error
		if a, err = findFault(words); err != nil {
			return err
		}
		if a.tls != nil && (s.certs == nil || s.certs.ca == nil) {
			return errors.New("this needs --tls-dir")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = a
	return nil
}

// hit is "hit NAME [N]": the fault on all calls that are open, now. What takes long goes on after the answer.
func (s *server) hit(words []string) error {
	a, err := findFault(words)
	if err != nil {
		return err
	}
	if a.live == nil && a.message == nil {
		return fmt.Errorf("'%s' is for new connections: fault %s", a.name, a.name)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.eachCall(nil, func(c *call) {
			if a.message != nil {
				c.send(a.message(c, a.n))
				return
			}
			c.held.Store(a.hold)
			_ = a.live(c, a.n)
		})
	}()
	select {
	case <-done:
	case <-time.After(300 * time.Millisecond):
	}
	return nil
}

func (a *armed) accepted(w *wire) {
	if a != nil && a.wire != nil {
		a.wire(w, a.n)
	}
}

// answered says if the upgrade was answered by the fault.
func (a *armed) answered(w http.ResponseWriter, r *http.Request, e *edge) bool {
	if a == nil || a.http == nil {
		return false
	}
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		a.http(e, r, a.n)
		conn.Close()
	}
	return true
}

func (a *armed) upgrading(e *edge) {
	if a != nil && a.upgrade != nil {
		a.upgrade(&session{edge: e}, a.n)
	}
}

func (a *armed) upgraded(x *session) {
	if a != nil && a.session != nil {
		a.session(x, a.n)
	}
}

// called says if the call is over.
func (a *armed) called(c *call, stream drpc.Stream, first *[]byte) (bool, error) {
	if a == nil {
		return false, nil
	}
	if a.message != nil {
		*first = a.message(c, a.n)
	}
	if a.live == nil {
		return false, nil
	}
	if err := a.live(c, a.n); err != nil {
		return true, err
	}
	if a.hold {
		<-stream.Context().Done()
		return true, nil
	}
	return false, nil
}

var tcpFaults = []fault{
	{name: "tcp-rst-mid-record", what: "half of the next write, then a reset", live: func(c *call, _ int) error {
		c.x.edge.wire.set(func(w *wire) { w.breakNext = true })
		return c.x.sendYamux(yamuxFrame(yamuxPing, yamuxSYN, 0, 1))
	}},
	{name: "tcp-zero-window", what: "nothing is read any more, and the client is made to send", hold: true,
		wire: func(w *wire, _ int) { _ = w.SetReadBuffer(4096) },
		live: func(c *call, _ int) error {
			c.x.edge.wire.set(func(w *wire) { w.noRead = true })
			for i := uint32(0); ; i++ {
				if err := c.x.sendYamux(yamuxFrame(yamuxPing, yamuxSYN, 0, i)); err != nil {
					return err
				}
				time.Sleep(10 * time.Millisecond)
			}
		}},
	{name: "tcp-slow-start", n: 10000, what: "a byte each N ms, from the first on: TLS, or the head",
		wire: func(w *wire, n int) { w.slow = time.Duration(n) * time.Millisecond }},
	{name: "tcp-slow-head", n: 10000, what: "a byte each N ms of the answer to the upgrade",
		upgrade: func(x *session, n int) { x.slow(n) }},
	{name: "tcp-slow-frame", n: 10000, what: "a byte each N ms after the upgrade",
		session: func(x *session, n int) { x.slow(n) }},
	{name: "tcp-slow-message", n: 10000, what: "a byte each N ms of a message",
		live: func(c *call, n int) error { c.x.slow(n); return nil }},
	{name: "tcp-eof", what: "the connection closes without the websocket's closing handshake",
		live: func(c *call, _ int) error { c.x.drop(); return nil }, hold: true},
}

func (x *session) slow(n int) {
	x.edge.wire.set(func(w *wire) { w.slow = time.Duration(n) * time.Millisecond })
}
