// SPDX-License-Identifier: Apache-2.0
package main

import (
	"net"
	"sync"
	"time"
)

// wire is a TCP connection that can be frozen, and broken in the middle of a write.
type wire struct {
	*net.TCPConn
	mu         sync.Mutex
	changed    *sync.Cond
	noRead     bool
	noWrite    bool
	ended      bool
	breakNext  bool
	slow       time.Duration // between bytes that are written; 0: all at once
	onClose    func(*wire)
	closeOnce  sync.Once
	closeError error
}

func newWire(c *net.TCPConn, onClose func(*wire)) *wire {
	w := &wire{TCPConn: c, onClose: onClose}
	w.changed = sync.NewCond(&w.mu)
	return w
}

// set changes what the flags say, and wakes who waits for it.
func (w *wire) set(change func(w *wire)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w)
	w.changed.Broadcast()
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.TCPConn.Read(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.noRead && !w.ended {
		w.changed.Wait()
	}
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	for w.noWrite && !w.ended {
		w.changed.Wait()
	}
	broken, slow := w.breakNext, w.slow
	w.mu.Unlock()
	if broken {
		_, _ = w.TCPConn.Write(p[:len(p)/2])
		time.Sleep(20 * time.Millisecond) // the half is read as such
		w.abort()
		return 0, net.ErrClosed
	}
	if slow == 0 {
		return w.TCPConn.Write(p)
	}
	for i := range p {
		if _, err := w.TCPConn.Write(p[i : i+1]); err != nil {
			return i, err
		}
		time.Sleep(slow)
	}
	return len(p), nil
}

func (w *wire) Close() error {
	w.closeOnce.Do(func() {
		w.set(func(w *wire) { w.ended = true })
		w.closeError = w.TCPConn.Close()
		w.onClose(w)
	})
	return w.closeError
}

// abort ends it with a reset.
func (w *wire) abort() {
	_ = w.SetLinger(0)
	_ = w.Close()
}

// edge is what HTTP is spoken on: the wire, or TLS over it.
type edge struct {
	net.Conn
	wire *wire
	mu   sync.Mutex
	glue []byte // goes out together with the next write
	// The next bytes go out one by one.
	split int
}

func (e *edge) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.glue != nil {
		glued := append(append([]byte{}, p...), e.glue...)
		e.glue = nil
		_, err := e.Conn.Write(glued)
		return len(p), err
	}
	at := 0
	for ; at < len(p) && e.split > 0; at++ {
		e.split--
		if _, err := e.Conn.Write(p[at : at+1]); err != nil {
			return at, err
		}
		time.Sleep(time.Millisecond)
	}
	n, err := e.Conn.Write(p[at:])
	return at + n, err
}

// muxConn is what yamux writes to. It can keep frames back.
type muxConn struct {
	net.Conn
	mu      sync.Mutex
	noPongs bool
	muted   map[uint32]bool // streams whose frames are kept back
	left    uint32          // of a body
	drop    bool            // that body
}

// Write gets a frame's header alone, and its body after it: so yamux calls it.
func (m *muxConn) Write(p []byte) (int, error) {
	m.mu.Lock()
	if m.left > 0 {
		m.left -= min(m.left, uint32(len(p)))
	} else {
		h := header(p)
		m.drop = m.muted[h.stream()] || (m.noPongs && h.kind() == yamuxPing && h.flags()&yamuxACK != 0)
		if h.kind() == yamuxData {
			m.left = h.length()
		}
	}
	drop := m.drop
	m.mu.Unlock()
	if drop {
		return len(p), nil
	}
	return m.Conn.Write(p)
}

func (m *muxConn) mute(stream uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.muted[stream] = true
}
