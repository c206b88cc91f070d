// SPDX-License-Identifier: Apache-2.0
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"
	"github.com/hashicorp/yamux"
	"google.golang.org/protobuf/proto"
	"storj.io/drpc"
	"storj.io/drpc/drpcconn"
	"storj.io/drpc/drpcmanager"
	"storj.io/drpc/drpcwire"

	"holdfast/tests/peer/tailnet"
)

const followRPC = "/coder.tailnet.v2.Tailnet/WorkspaceUpdates"

// encoding is what drpc's generated code uses.
type encoding struct{}

func (encoding) Marshal(m drpc.Message) ([]byte, error) { return proto.Marshal(m.(proto.Message)) }
func (encoding) Unmarshal(b []byte, m drpc.Message) error {
	return proto.Unmarshal(b, m.(proto.Message))
}

type client struct {
	url, token, version string
	owners              []string
	limit               int
	records, once       bool
	redial              bool
	http                *http.Client

	mu sync.Mutex // of standard output
}

func clientMain(args []string) error {
	c := &client{}
	var owners, ca string
	fs := flag.NewFlagSet("peer client", flag.ExitOnError)
	fs.StringVar(&c.token, "token", "any-token", "the session token")
	fs.StringVar(&c.version, "version", "2.3", "the API version to ask for")
	fs.StringVar(&owners, "owner", "me", "whose workspaces: names or ids, with commas between")
	fs.IntVar(&c.limit, "limit", 4<<20, "the largest message, in bytes; 4 MiB is Coder's")
	fs.BoolVar(&c.records, "records", true, "tell all records, not only their number")
	fs.BoolVar(&c.once, "once", false, "end after the first snapshot, and tell what it cost")
	fs.BoolVar(&c.redial, "redial", false, "dial again when the connection ends, from 50 ms to 10 s")
	fs.StringVar(&ca, "ca", "", "a file of certificates to trust")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return errors.New("one URL is needed")
	}
	c.url = strings.TrimSuffix(fs.Arg(0), "/")
	c.owners = strings.Split(owners, ",")
	c.http = &http.Client{}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		c.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	}
	return c.run()
}

func (c *client) run() error {
	wait := 50 * time.Millisecond
	for {
		start := time.Now()
		err := c.session()
		if c.once && err == nil {
			c.cost(start)
			return nil
		}
		text := strconv.Quote(fmt.Sprint(err)) // a peer's text: no line of its own, and no more than that
		c.say("ended %s", text[1:min(len(text), 1000)-1])
		if !c.redial {
			return err
		}
		if time.Since(start) > 10*time.Second {
			wait = 50 * time.Millisecond
		}
		time.Sleep(wait)
		wait = min(2*wait, 10*time.Second)
	}
}

func (c *client) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Printf(format+"\n", args...)
}

// cost tells what the whole process has used, and how long the session took.
func (c *client) cost(start time.Time) {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	ms := func(t syscall.Timeval) float64 { return float64(t.Sec)*1000 + float64(t.Usec)/1000 }
	c.say("cost cpu_ms=%.1f peak_kib=%d wall_ms=%.1f", ms(u.Utime)+ms(u.Stime), u.Maxrss,
		float64(time.Since(start).Microseconds())/1000)
}

func (c *client) ownerID(ctx context.Context, name string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", c.url+"/api/v2/users/"+name, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Coder-Session-Token", c.token)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var user struct{ ID string }
	if res.StatusCode != 200 {
		return nil, fmt.Errorf("user %s: status %d", name, res.StatusCode)
	}
	if err := json.NewDecoder(res.Body).Decode(&user); err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(strings.ReplaceAll(user.ID, "-", ""))
	if err == nil && len(id) != 16 {
		err = fmt.Errorf("user %s: id %q", name, user.ID)
	}
	return id, err
}

// session follows all owners until the connection, or one of the streams, ends.
func (c *client) session() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ids := make([][]byte, len(c.owners))
	for i, name := range c.owners {
		var err error
		if ids[i], err = c.ownerID(ctx, name); err != nil {
			return err
		}
	}
	ws, res, err := websocket.Dial(ctx, c.url+"/api/v2/tailnet?version="+c.version, &websocket.DialOptions{
		HTTPClient: c.http,
		HTTPHeader: http.Header{"Coder-Session-Token": {c.token}},
	})
	if err != nil {
		if res != nil {
			return fmt.Errorf("status %d", res.StatusCode)
		}
		return err
	}
	defer ws.CloseNow()
	config := yamux.DefaultConfig()
	config.LogOutput = os.Stderr
	session, err := yamux.Client(websocket.NetConn(ctx, ws, websocket.MessageBinary), config)
	if err != nil {
		return err
	}
	defer session.Close()
	ended := make(chan error, len(ids))
	for i := range ids {
		go func() { ended <- c.follow(ctx, session, c.owners[i], ids[i]) }()
	}
	for range ids {
		if err = <-ended; err != nil {
			return err
		}
	}
	return nil
}

// follow is one call of WorkspaceUpdates.
func (c *client) follow(ctx context.Context, session *yamux.Session, name string, id []byte) error {
	conn, err := session.Open()
	if err != nil {
		return err
	}
	rpc := drpcconn.NewWithOptions(conn, drpcconn.Options{Manager: drpcmanager.Options{
		Reader: drpcwire.ReaderOptions{MaximumBufferSize: c.limit}}})
	defer rpc.Close()
	stream, err := rpc.NewStream(ctx, followRPC, encoding{})
	if err != nil {
		return err
	}
	if err := stream.MsgSend(&tailnet.WorkspaceUpdatesRequest{WorkspaceOwnerId: id}, encoding{}); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for what := "snapshot"; ; what = "diff" {
		var update tailnet.WorkspaceUpdate
		if err := stream.MsgRecv(&update, encoding{}); err != nil {
			return err
		}
		c.tell(what, name, &update)
		if c.once {
			return stream.Close()
		}
	}
}

func (c *client) tell(what, name string, u *tailnet.WorkspaceUpdate) {
	if c.records {
		c.say("%s %s%s", what, name, updateWords(u, what == "diff"))
		return
	}
	c.say("%s %s workspaces=%d agents=%d gone_workspaces=%d gone_agents=%d", what, name,
		len(u.UpsertedWorkspaces), len(u.UpsertedAgents), len(u.DeletedWorkspaces), len(u.DeletedAgents))
}
