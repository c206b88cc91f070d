// SPDX-License-Identifier: Apache-2.0
// Peer is the other end of the control stream, made of the libraries that Coder is made of.
package main

import (
	"fmt"
	"os"
)

const usage = `usage: peer serve [OPTIONS] [SCRIPT]   a server, steered by lines; as holdfast-simulator, and faults
       peer client [OPTIONS] URL     a client that tells what the stream brings
       peer yamux [OPTIONS]          a session of yamux alone, for tests/yamux/yamux_ops.c
       peer faults                   the faults that "serve" knows
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	var err error
	switch os.Args[1] {
	case "serve":
		err = serveMain(os.Args[2:])
	case "client":
		err = clientMain(os.Args[2:])
	case "yamux":
		err = yamuxMain(os.Args[2:])
	case "faults":
		printFaults(os.Stdout)
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}
