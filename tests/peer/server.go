// SPDX-License-Identifier: Apache-2.0
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

type refusal struct {
	status     int // 0: nothing is refused
	onlyStream bool
	path       string // "": every one
	html       bool
	headers    http.Header
}

type server struct {
	host    string
	port    int
	certs   *certs // nil: plain
	verbose bool
	http    *http.Server

	mu          sync.Mutex // of all below
	world       *world
	listener    net.Listener
	wires       map[*wire]bool
	sessions    map[*session]bool
	refusal     refusal
	frozen      bool
	slow        time.Duration // REST is answered so late
	slowPath    string        // that path only; "": every one
	noUpdates   bool
	wsPing      time.Duration
	yamuxPing   time.Duration
	armed       *armed // the fault that connections meet; nil: none
	connections int
	requests    int
	upgrades    int
	calls       int
}

type edgeKey struct{}

func newServer() *server {
	s := &server{world: newWorld(), wires: map[*wire]bool{}, sessions: map[*session]bool{},
		wsPing: 15 * time.Second, yamuxPing: 30 * time.Second}
	s.http = &http.Server{
		Handler:  s,
		ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, edgeKey{}, c)
		},
	}
	return s
}

// listener is of edges.
type listener struct {
	*net.TCPListener
	s *server
}

func (l listener) Accept() (net.Conn, error) {
	tcp, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	w := newWire(tcp, func(w *wire) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.wires, w)
	})
	w.noRead, w.noWrite = s.frozen, s.frozen
	s.wires[w] = true
	s.connections++
	s.armed.accepted(w)
	e := &edge{Conn: w, wire: w}
	if s.certs != nil {
		e.Conn = tls.Server(w, s.certs.config(s.armed))
	}
	return e, nil
}

func (s *server) up() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort(s.host, fmt.Sprint(s.port)))
	if err != nil {
		return err
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	s.listener = l
	go func() { _ = s.http.Serve(listener{l.(*net.TCPListener), s}) }()
	return nil
}

func (s *server) down() {
	s.mu.Lock()
	if s.listener != nil {
		s.listener.Close()
	}
	s.listener = nil
	s.mu.Unlock()
	s.eachWire(func(w *wire) { w.Close() })
}

// eachWire calls without the lock, which closing takes.
func (s *server) eachWire(do func(w *wire)) {
	s.mu.Lock()
	var wires []*wire
	for w := range s.wires {
		wires = append(wires, w)
	}
	s.mu.Unlock()
	for _, w := range wires {
		do(w)
	}
}

func (s *server) eachSession(do func(x *session)) {
	s.mu.Lock()
	var sessions []*session
	for x := range s.sessions {
		sessions = append(sessions, x)
	}
	s.mu.Unlock()
	for _, x := range sessions {
		do(x)
	}
}

func (s *server) freeze(frozen bool) {
	s.mu.Lock()
	s.frozen = frozen
	s.mu.Unlock()
	s.eachWire(func(w *wire) { w.set(func(w *wire) { w.noRead, w.noWrite = frozen, frozen }) })
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := r.Context().Value(edgeKey{}).(*edge)
	stream := r.URL.Path == "/api/v2/tailnet"
	s.mu.Lock()
	s.requests++
	refused, fault := s.refusal, s.armed
	slow := s.slow
	if stream || s.slowPath != "" && s.slowPath != r.URL.Path {
		slow = 0
	}
	s.mu.Unlock()
	if s.verbose {
		log.Printf("%s %s", r.Method, r.URL.Path)
	}
	time.Sleep(slow)
	switch {
	case refused.status != 0 && (stream || !refused.onlyStream) && (refused.path == "" || refused.path == r.URL.Path):
		refuse(w, refused)
	case stream:
		s.stream(w, r, e, fault)
	default:
		s.rest(w, r)
	}
}

func refuse(w http.ResponseWriter, r refusal) {
	for name, values := range r.headers {
		w.Header()[name] = values
	}
	body := `{"message":"The peer refuses, as its script says."}`
	w.Header().Set("Content-Type", "application/json")
	if r.html {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		body = "<!DOCTYPE html>\n<html><title>Sign in to the network</title></html>\n"
	}
	w.WriteHeader(r.status)
	_, _ = io.WriteString(w, body)
}

// serveMain runs the script's lines, listens, and takes lines on standard input.
func serveMain(args []string) error {
	// "--tls CERT KEY" as holdfast-simulator has it.
	for i, a := range args {
		if (a == "--tls" || a == "-tls") && i+2 < len(args) {
			args = append(append(append([]string{}, args[:i]...), "--cert="+args[i+1], "--key="+args[i+2]), args[i+3:]...)
			break
		}
	}
	s := newServer()
	var cert, key, dir string
	var untilEOF bool
	fs := flag.NewFlagSet("peer serve", flag.ExitOnError)
	fs.StringVar(&s.host, "host", "127.0.0.1", "the address to listen on")
	fs.IntVar(&s.port, "port", 3000, "the port; 0 is any that is free")
	fs.StringVar(&cert, "cert", "", "https: the certificate; --tls CERT KEY does both")
	fs.StringVar(&key, "key", "", "its key")
	fs.StringVar(&dir, "tls-dir", "", "https with certificates of an own CA, which is written there as ca.pem; needed for TLS faults")
	fs.BoolVar(&untilEOF, "until-eof", false, "end when standard input does")
	fs.BoolVar(&s.verbose, "verbose", false, "tell on stderr what is asked")
	if err := fs.Parse(args); err != nil {
		return err
	}
	var err error
	switch {
	case dir != "":
		s.certs, err = makeCerts(dir)
	case cert != "":
		s.certs, err = loadCerts(cert, key)
	}
	if err != nil {
		return err
	}
	var rest []string
	if fs.NArg() > 0 {
		if rest, err = s.runFile(fs.Arg(0)); err != nil {
			return err
		}
	}
	if err := s.up(); err != nil {
		return err
	}
	fmt.Printf("listening %d\n", s.port)
	go func() {
		for _, line := range rest {
			if _, err := s.run(line); err != nil {
				log.Printf("script: %s: %v", line, err)
			}
		}
	}()
	s.runInput(os.Stdin)
	if !untilEOF {
		select {}
	}
	return nil
}

// runInput answers each line.
func (s *server) runInput(in io.Reader) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		if blank(lines.Text()) {
			continue
		}
		reply, err := s.run(lines.Text())
		switch {
		case err != nil:
			fmt.Println("error", err)
		case reply != "":
			fmt.Println("ok", reply)
		default:
			fmt.Println("ok")
		}
	}
}

// runFile runs lines up to the first that waits, and returns the others.
func (s *server) runFile(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var rest []string
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 4<<20)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if blank(line) {
			continue
		}
		if len(rest) > 0 || waits(line) {
			rest = append(rest, line)
			continue
		}
		if _, err := s.run(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	return rest, errors.Join(lines.Err())
}
