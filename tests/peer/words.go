// SPDX-License-Identifier: Apache-2.0
package main

import (
	"encoding/binary"
	"fmt"
	"sort"
	"strings"

	"holdfast/tests/peer/tailnet"
)

// Numbers of scripts, and the ids that they stand for.
func idOf(number uint32) []byte {
	id := make([]byte, 16)
	id[0] = 0x10
	binary.BigEndian.PutUint32(id[12:], number)
	return id
}

func agentIDOf(number uint32) []byte {
	id := idOf(number)
	id[0] = 0x20
	return id
}

func numberOf(id []byte) string {
	if len(id) != 16 {
		return fmt.Sprintf("(%x)", id)
	}
	return fmt.Sprint(binary.BigEndian.Uint32(id[12:]))
}

// quoted is a name with all that has a meaning in a script as %41.
func quoted(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("%:,=#", c) >= 0 {
			fmt.Fprintf(&b, "%%%02x", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// updateWords tells a message as a script would: workspaces by number, each with its agents. Agents of workspaces that
// the message does not have are told as "+:8=main/2". Each word has a space before it.
func updateWords(u *tailnet.WorkspaceUpdate, diff bool) string {
	plus := ""
	if diff {
		plus = "+"
	}
	agents := map[string][]string{}
	for _, a := range u.UpsertedAgents {
		at := numberOf(a.WorkspaceId)
		agents[at] = append(agents[at], numberOf(a.Id)+"="+quoted(a.Name))
	}
	var words []string
	for _, w := range u.UpsertedWorkspaces {
		at := numberOf(w.Id)
		word := " " + plus + at + "=" + quoted(w.Name)
		sort.Strings(agents[at])
		if len(agents[at]) > 0 {
			word += ":" + strings.Join(agents[at], ",")
		}
		delete(agents, at)
		words = append(words, word)
		if int64(w.Status) != statusRunning {
			words = append(words, fmt.Sprintf(" status:%s=%d", at, w.Status))
		}
	}
	for at, list := range agents {
		for _, a := range list {
			words = append(words, " "+plus+":"+a+"/"+at)
		}
	}
	for _, w := range u.DeletedWorkspaces {
		words = append(words, " -"+numberOf(w.Id))
	}
	for _, a := range u.DeletedAgents {
		words = append(words, " -:"+numberOf(a.Id))
	}
	sort.Strings(words)
	return strings.Join(words, "")
}
