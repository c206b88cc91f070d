// SPDX-License-Identifier: Apache-2.0
package main

import (
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand"
	"net"
	"os"
	"sort"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// yamuxStream is what was seen of a stream.
type yamuxStream struct {
	id                    uint32
	read, wrote           int
	readHash, wroteHash   uint64
	readError, writeError error
}

// yamuxMain is the other end of yamux_ops.c: takes one connection and its streams, reads all, writes at random, and tells
// at the end what it saw of each: "ID wrote BYTES HASH read BYTES HASH HOW", where HOW is fin or the error.
func yamuxMain(args []string) error {
	fs := flag.NewFlagSet("peer yamux", flag.ExitOnError)
	seed := fs.Int64("seed", 1, "of what is random")
	goAway := fs.Int("goaway", 0, "after so many streams it says GoAway; 0: never")
	if err := fs.Parse(args); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listening %d\n", l.Addr().(*net.TCPAddr).Port)
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	config := yamux.DefaultConfig()
	config.LogOutput = os.Stderr
	config.KeepAliveInterval = 20 * time.Millisecond
	config.AcceptBacklog = 1 << 14 // or it resets streams when they come faster than they are accepted
	session, err := yamux.Server(conn, config)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	var streams []*yamuxStream
	for {
		s, err := session.AcceptStream()
		if err != nil {
			break
		}
		seen := &yamuxStream{id: s.StreamID()}
		streams = append(streams, seen)
		all.Add(2)
		r := rand.New(rand.NewSource(*seed*1_000_003 + int64(seen.id)))
		go func() { defer all.Done(); seen.reader(s, rand.New(rand.NewSource(r.Int63()))) }()
		go func() { defer all.Done(); seen.writer(s, r) }()
		if len(streams) == *goAway {
			_ = session.GoAway()
		}
	}
	all.Wait()
	sort.Slice(streams, func(i, j int) bool { return streams[i].id < streams[j].id })
	for _, s := range streams {
		how := "fin"
		if !errors.Is(s.readError, io.EOF) {
			how = fmt.Sprint(s.readError)
		}
		fmt.Printf("%d wrote %d %016x read %d %016x %s\n", s.id, s.wrote, s.wroteHash, s.read, s.readHash, how)
	}
	return nil
}

func (y *yamuxStream) reader(s *yamux.Stream, r *rand.Rand) {
	sum := fnv.New64a()
	buffer := make([]byte, 100000)
	for y.readError == nil {
		var n int
		n, y.readError = s.Read(buffer[:1+r.Intn(len(buffer)-1)])
		y.read += n
		_, _ = sum.Write(buffer[:n])
	}
	y.readHash = sum.Sum64()
}

func (y *yamuxStream) writer(s *yamux.Stream, r *rand.Rand) {
	sum := fnv.New64a()
	left := r.Intn(1000)
	if r.Intn(3) == 0 {
		left = r.Intn(1_000_000)
	}
	buffer := make([]byte, 70000)
	for left > 0 && y.writeError == nil {
		piece := buffer[:min(left, 1+r.Intn(len(buffer)-1))]
		_, _ = r.Read(piece)
		var n int
		n, y.writeError = s.Write(piece)
		left -= n
		y.wrote += n
		_, _ = sum.Write(piece[:n])
	}
	y.wroteHash = sum.Sum64()
	if y.writeError == nil {
		y.writeError = s.Close()
	}
}
