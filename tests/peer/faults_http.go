// SPDX-License-Identifier: Apache-2.0
package main

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"strings"
)

func acceptOf(r *http.Request) string {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// head makes a fault of the answer's text; ACCEPT stands for what the client wants to see.
func head(lines ...string) func(e *edge, r *http.Request, n int) {
	return func(e *edge, r *http.Request, _ int) {
		text := strings.Join(lines, "\r\n") + "\r\n\r\n"
		_, _ = e.Write([]byte(strings.ReplaceAll(text, "ACCEPT", acceptOf(r))))
	}
}

const (
	switching = "HTTP/1.1 101 Switching Protocols"
	toWS      = "Upgrade: websocket"
	connect   = "Connection: Upgrade"
	accepted  = "Sec-WebSocket-Accept: ACCEPT"
)

var httpFaults = []fault{
	{name: "http-header-large", n: 1 << 20, what: "a header of N bytes", http: func(e *edge, r *http.Request, n int) {
		head(switching, toWS, connect, accepted, "X-Large: "+strings.Repeat("x", n))(e, r, n)
	}},
	{name: "http-headers-many", n: 100000, what: "N headers", http: func(e *edge, r *http.Request, n int) {
		head(switching, toWS, connect, accepted, strings.Repeat("X-Many: x\r\n", n)+"X-Last: x")(e, r, n)
	}},
	{name: "http-no-crlf", n: 1 << 20, what: "N bytes without the end of a line", http: func(e *edge, _ *http.Request, n int) {
		_, _ = e.Write([]byte("HTTP/1.1 101 " + strings.Repeat("x", n)))
	}},
	{name: "http-nul", what: "a header with a NUL", http: head(switching, toWS, connect, accepted, "X-Nul: a\x00b")},
	{name: "http-fold", what: "a header that goes on in the next line", http: head(switching, toWS, connect, accepted, "X-Fold: a", " b")},
	{name: "http-two-lengths", what: "two Content-Length that differ",
		http: head("HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 2", "", "ab")},
	{name: "http-no-accept", what: "101 without Sec-WebSocket-Accept", http: head(switching, toWS, connect)},
	{name: "http-wrong-accept", what: "101 with another one",
		http: head(switching, toWS, connect, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")},
	{name: "http-wrong-upgrade", what: "101 to h2c", http: head(switching, "Upgrade: h2c", connect, accepted)},
	{name: "http-no-connection", what: "101 without Connection", http: head(switching, toWS, accepted)},
	{name: "http-1.0", what: "101 of HTTP/1.0", http: head("HTTP/1.0 101 Switching Protocols", toWS, connect, accepted)},
	{name: "http-extension", what: "101 with an extension that nobody asked for",
		http: head(switching, toWS, connect, accepted, "Sec-WebSocket-Extensions: permessage-deflate")},
	{name: "http-junk", what: "no HTTP at all", http: head("SSH-2.0-OpenSSH_9.2")},
	{name: "http-nothing", what: "the connection closes", http: func(*edge, *http.Request, int) {}},
	{name: "http-silence", what: "no answer at all, for as long as the client waits", http: func(e *edge, _ *http.Request, _ int) {
		_, _ = e.Conn.Read(make([]byte, 1))
	}},
	{name: "http-half", what: "half of the answer, and the end",
		http: func(e *edge, _ *http.Request, _ int) { _, _ = e.Write([]byte(switching + "\r\nUpgr")) }},
	{name: "http-glued", accept: true, what: "frames in one write with the answer",
		upgrade: func(x *session, _ int) {
			x.edge.glue = append(wsFrame(true, 9, nil), wsFrame(true, 2, yamuxFrame(yamuxPing, yamuxSYN, 0, 7))...)
		}},
	{name: "http-split", accept: true, what: "the answer and what follows byte by byte",
		upgrade: func(x *session, _ int) { x.edge.split = 600 }},
}
