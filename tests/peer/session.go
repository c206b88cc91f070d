// SPDX-License-Identifier: Apache-2.0
package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/hashicorp/yamux"
	"storj.io/drpc"
	"storj.io/drpc/drpcerr"
	"storj.io/drpc/drpcserver"

	"holdfast/tests/peer/tailnet"
)

// session is one upgraded connection.
type session struct {
	s      *server
	edge   *edge
	ws     *websocket.Conn
	conn   *muxConn
	mux    *yamux.Session
	fault  *armed
	rights *rights        // those of the upgrade, for ever
	calls  map[*call]bool // under the server's lock
}

// call is one WorkspaceUpdates that is answered.
type call struct {
	x      *session
	stream *yamux.Stream
	owner  []byte
	mu     sync.Mutex
	queue  [][]byte
	sent   atomic.Uint64
	held   atomic.Bool // nothing is sent any more
	wake   chan struct{}
	end    chan error // how it is to end
}

// raw is a message whose bytes are there already.
type raw struct{}

func (raw) Marshal(m drpc.Message) ([]byte, error)   { return m.([]byte), nil }
func (raw) Unmarshal(b []byte, m drpc.Message) error { return encoding{}.Unmarshal(b, m) }
func (x *session) drop()                             { x.edge.wire.Close() }
func (x *session) sendWS(bytes []byte) error         { _, err := x.edge.Write(bytes); return err }
func (x *session) sendYamux(frame []byte) error      { _, err := x.conn.Conn.Write(frame); return err }
func (x *session) closeWS(code int, text string)     { _ = x.ws.Close(websocket.StatusCode(code), text) }

// stream answers the upgrade, and serves until the connection ends.
func (s *server) stream(w http.ResponseWriter, r *http.Request, e *edge, fault *armed) {
	s.mu.Lock()
	knows := s.world.knows(r)
	refused := knows && s.world.versionRefused(w, r)
	wsPing, yamuxPing := s.wsPing, s.yamuxPing
	rights := s.world.rights()
	s.mu.Unlock()
	if !knows {
		signedOut(w)
		return
	}
	if refused || fault.answered(w, r, e) {
		return
	}
	fault.upgrading(e)
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	x := &session{s: s, edge: e, ws: ws, fault: fault, rights: rights, calls: map[*call]bool{}}
	x.conn = &muxConn{Conn: websocket.NetConn(ctx, ws, websocket.MessageBinary), muted: map[uint32]bool{}}
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	if s.verbose {
		config.LogOutput = os.Stderr
	}
	config.EnableKeepAlive = yamuxPing > 0
	if yamuxPing > 0 {
		config.KeepAliveInterval = yamuxPing
	}
	fault.upgraded(x)
	if x.mux, err = yamux.Server(x.conn, config); err != nil {
		return
	}
	s.mu.Lock()
	s.upgrades++
	s.sessions[x] = true
	s.mu.Unlock()
	if wsPing > 0 {
		go x.ping(ctx, wsPing)
	}
	x.serve(ctx)
	s.mu.Lock()
	delete(s.sessions, x)
	s.mu.Unlock()
	x.drop()
}

// ping is what Coder's server does: a connection that does not answer is closed.
func (x *session) ping(ctx context.Context, every time.Duration) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
		timed, cancel := context.WithTimeout(ctx, every)
		err := x.ws.Ping(timed)
		cancel()
		if err != nil {
			x.closeWS(int(websocket.StatusGoingAway), "ping timeout")
			return
		}
	}
}

func (x *session) serve(ctx context.Context) {
	for {
		stream, err := x.mux.AcceptStream()
		if err != nil {
			return
		}
		c := &call{x: x, stream: stream, wake: make(chan struct{}, 1), end: make(chan error, 1)}
		go func() { _ = drpcserver.New(c).ServeOne(ctx, stream) }()
	}
}

// HandleRPC answers one call; drpc calls it.
func (c *call) HandleRPC(stream drpc.Stream, rpc string) error {
	if rpc != followRPC {
		return drpc.ProtocolError.New("unknown rpc: %q", rpc)
	}
	var request tailnet.WorkspaceUpdatesRequest
	if err := stream.MsgRecv(&request, raw{}); err != nil {
		return err
	}
	s := c.x.s
	s.mu.Lock()
	s.calls++
	noUpdates := s.noUpdates
	s.mu.Unlock()
	if noUpdates {
		return drpcerr.WithCode(errors.New("workspace updates not supported on this connection"), 12)
	}
	if len(request.WorkspaceOwnerId) != 16 {
		return nil
	}
	c.owner = request.WorkspaceOwnerId
	if denied, err := c.denied(); denied {
		return err
	}
	if !c.wait(stream) {
		return stream.Context().Err()
	}
	first := c.begin()
	defer c.done()
	if done, err := c.x.fault.called(c, stream, &first); done {
		return err
	}
	if err := c.write(stream, first); err != nil {
		return err
	}
	return c.follow(stream)
}

// denied ends the call at once where the script says so.
func (c *call) denied() (bool, error) {
	how := ""
	s := c.x.s
	s.mu.Lock()
	if u := s.world.userByID(c.owner); u != nil {
		how = u.deny
	}
	s.mu.Unlock()
	switch how {
	case "error":
		return true, errors.New("the peer denies this owner, as its script says")
	case "reset":
		c.reset()
	}
	return how != "", nil
}

// wait is until the first message is due; false: the call has ended.
func (c *call) wait(stream drpc.Stream) bool {
	var late time.Duration
	s := c.x.s
	s.mu.Lock()
	if u := s.world.userByID(c.owner); u != nil {
		late = u.late
	}
	s.mu.Unlock()
	if late == 0 {
		return true
	}
	select {
	case <-stream.Context().Done():
		return false
	case <-time.After(late):
		return true
	}
}

// begin returns the first message; from here on changes are queued.
func (c *call) begin() []byte {
	s := c.x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	c.x.calls[c] = true
	if u := s.world.userByID(c.owner); u != nil {
		return s.world.snapshot(u, c.x.rights)
	}
	return nil
}

func (c *call) done() {
	c.x.s.mu.Lock()
	defer c.x.s.mu.Unlock()
	delete(c.x.calls, c)
}

func (c *call) follow(stream drpc.Stream) error {
	for {
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case err := <-c.end:
			return err
		case <-c.wake:
		}
		c.mu.Lock()
		queue := c.queue
		c.queue = nil
		c.mu.Unlock()
		for _, message := range queue {
			if err := c.write(stream, message); err != nil {
				return err
			}
		}
	}
}

func (c *call) write(stream drpc.Stream, message []byte) error {
	if c.held.Load() {
		return nil
	}
	err := stream.MsgSend(message, raw{})
	c.sent.Add(1)
	return err
}

func (c *call) send(message []byte) {
	c.mu.Lock()
	c.queue = append(c.queue, message)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *call) finish(err error) {
	select {
	case c.end <- err:
	default:
	}
}

// reset ends a stream as yamux's own library never does.
func (c *call) reset() {
	_ = c.x.sendYamux(yamuxFrame(yamuxWindow, yamuxRST, c.stream.StreamID(), 0))
	c.x.conn.mute(c.stream.StreamID())
	c.finish(nil)
}

// eachCall is of a user (nil: of all), without the lock.
func (s *server) eachCall(u *user, do func(c *call)) {
	s.mu.Lock()
	var calls []*call
	for x := range s.sessions {
		for c := range x.calls {
			if u == nil || bytes.Equal(c.owner, u.id) {
				calls = append(calls, c)
			}
		}
	}
	s.mu.Unlock()
	for _, c := range calls {
		do(c)
	}
}
