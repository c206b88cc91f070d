#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""look.py SECONDS: what tests/live.sh finds out. CODER_URL and CODER_SESSION_TOKEN say where; tests/live.sh --help what."""
import json
import os
import string
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

from stream import WINDOW, Broken, Ended, Session, Websocket, fields

PATIENCE = 20
LABEL = set(string.ascii_letters + string.digits + "-_")


class Cannot(Exception):
    """It makes no sense to go on."""


class Look:
    """What was seen. say() prints a line of it."""

    def __init__(self):
        self.url = urllib.parse.urlsplit(os.environ["CODER_URL"])
        self.token = os.environ["CODER_SESSION_TOKEN"]
        self.otherwise = 0
        if self.url.scheme not in ("http", "https") or not self.url.hostname:
            raise Cannot("CODER_URL is no URL of a server")

    def say(self, ok, what, detail=""):
        """ok: True as expected, False otherwise, None not seen."""
        self.otherwise += ok is False
        word = "not seen" if ok is None else "as expected" if ok else "OTHERWISE"
        detail = "".join(c if c.isprintable() else "?" for c in str(detail).replace(self.token, "(token)"))[:200]
        print(f"  {word:12} {what}{': ' if detail else ''}{detail}", flush=True)

    # --- REST

    def ask(self, path, body=None, token=None):
        """(status, JSON or None) of a request. Redirects are not followed: the token goes nowhere else."""
        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None
        request = urllib.request.Request(f"{self.url.geturl().rstrip('/')}/api/v2/{path}", body and json.dumps(body).encode())
        request.add_header("Coder-Session-Token", token or self.token)
        try:
            with urllib.request.build_opener(Stay).open(request, timeout=PATIENCE) as answer:
                status, text = answer.status, answer.read(4 << 20)
        except urllib.error.HTTPError as e:
            status, text = e.code, e.read(65536)
        except (OSError, ValueError) as e:
            raise Cannot(f"{path}: {getattr(e, 'reason', e)}") from None
        try:
            return status, json.loads(text)
        except ValueError:
            return status, None

    def rest(self):
        print(f"Questions before the stream, to {self.url.hostname}:")
        status, info = self.ask("buildinfo")
        if status != 200 or not isinstance(info, dict):
            self.say(False, "buildinfo is answered with 200 and JSON", status)
            raise Cannot("this is not a Coder server")
        version = str(info.get("version"))
        self.say(self.new_enough(version), "buildinfo tells a version of v2.18 or newer", version)
        self.say(bool(info.get("deployment_id")), "buildinfo tells a deployment id")
        status, me = self.ask("users/me")
        if status != 200:
            self.say(False, "users/me is answered with 200", f"{status} {(me or {}).get('message', '')}")
            raise Cannot("the token is not good")
        self.me = uuid.UUID(me["id"])
        self.say(bool(me.get("username")), "users/me tells id and username")
        self.rights(me)
        status, suffix = self.ask("workspaceagents/connection")
        suffix = (suffix or {}).get("hostname_suffix") if status == 200 else None
        self.say(status == 200, "workspaceagents/connection tells a suffix", suffix or f"{status}, none: 'coder' is meant")
        self.rest_of_tokens_and_users(me["username"])

    def rights(self, me):
        """What the guard's rule 3 (d) goes by: roles, organisations and, below, the token's scopes."""
        roles, orgs = me.get("roles"), me.get("organization_ids")
        names = [str(r.get("name")) if isinstance(r, dict) else "?" for r in roles or []]
        self.say(isinstance(roles, list) and "?" not in names, "users/me tells roles", ", ".join(names) or "none")
        self.say(isinstance(orgs, list), "users/me tells organisations", f"{len(orgs or [])} of them")

    @staticmethod
    def scopes_of(key):
        """A list of newer servers, one word of older ones; None: neither."""
        scopes = key.get("scopes", key.get("scope"))
        return scopes if isinstance(scopes, list) or scopes is None else [scopes]

    def rest_of_tokens_and_users(self, name):
        status, user = self.ask(f"users/{urllib.parse.quote(name)}")
        self.say(status == 200 and user.get("id") == str(self.me), "users/NAME is the same user", status)
        status, _ = self.ask(f"users/holdfast-{uuid.uuid4().hex[:12]}")
        self.say(status in (400, 404), "a user that is not there is answered with 404", status)
        status, users = self.ask("users?limit=1&offset=0")
        self.say(None if status == 403 else status == 200 and {"users", "count"} <= set(users),
                 "users come in pages with a count", "" if status == 200 else status)
        status, key = self.ask(f"users/me/keys/{self.token.split('-')[0]}")
        self.say(None if status == 404 else status == 200 and "expires_at" in key, "the token's end is told",
                 (key or {}).get("expires_at", status))
        scopes = self.scopes_of(key or {})
        self.say(None if scopes is None else True, "the token's scopes are told", ", ".join(map(str, scopes or [])))
        check = {"checks": {"k": {"object": {"resource_type": "workspace", "owner_id": "me"}, "action": "read"}}}
        status, may = self.ask("authcheck", check)
        self.say(status == 200 and may.get("k") is True, "authcheck says that own workspaces may be read", may or status)
        status, refused = self.ask("users/me", token="holdfast00-looks-what-a-wrong-token-gets")
        self.say(status == 401 and "message" in (refused or {}), "a wrong token is answered with 401 and a message", status)

    @staticmethod
    def new_enough(version):
        try:
            major, minor = version.lstrip("v").split("-")[0].split("+")[0].split(".")[:2]
            return (int(major), int(minor)) >= (2, 18)
        except ValueError:
            return None  # a build of somebody's own

    # --- the upgrade

    def connect(self, version="2.3"):
        try:
            return Websocket(self.url, self.token, PATIENCE, version)
        except (OSError, ValueError, IndexError) as e:
            raise Cannot(f"the stream: {e}") from None

    def upgrade(self):
        print("The upgrade:")
        old = self.connect("99.0")
        self.say(old.status == 400, "an API version that is not there is answered with 400", old.status)
        old.socket.close()
        ws = self.connect()
        self.say(ws.status == 101, "version 2.3 is answered with 101", ws.status)
        if ws.status != 101:
            raise Cannot("there is no stream to look at")
        self.say(ws.accepted, "Sec-WebSocket-Accept is right")
        chosen = [h for h in ("sec-websocket-protocol", "sec-websocket-extensions") if h in ws.headers]
        self.say(not chosen, "no subprotocol and no extension is chosen", ", ".join(chosen))
        return ws

    # --- the stream

    def follow(self, ws, seconds):
        print(f"The stream, for {seconds} s:")
        session = Session(ws)
        start = time.monotonic()
        call = session.call(self.me.bytes)
        try:
            session.until(lambda: call.messages or call.end, max(seconds, PATIENCE))
            self.say(call.acked == (WINDOW, 0), "a stream is taken by a window update with ACK and no length", call.acked)
            self.say(bool(call.messages), "a first message comes", call.end or f"{len(call.messages[0])} bytes")
            if not call.messages:
                raise Cannot("there is no snapshot to look at")
            self.snapshot(call.messages[0])
            self.others(session, call)
            session.until(lambda: call.end, max(0, start + seconds - time.monotonic()))
            self.say(call.end is None, "the stream stays open", call.end or "")
            self.later(call.messages[1:])
            self.goodbye(session, call)
        except (Broken, Ended, OSError) as e:
            self.say(False, "the stream is as it is described", str(e) or type(e).__name__)
        self.wire(session, call, start, seconds)
        self.parting(session)

    def parting(self, session):
        """How the websocket ends: by the server's own code if it went first (1012, 1013: it is going away), else by its answer to ours."""
        seen, first = session.ws.seen, session.ws.seen["close"]
        try:
            if first is None:
                session.ws.send(b"\x03\xe8", 8)
                session.until(lambda: seen["close"] is not None, 5)
        except (Broken, Ended, OSError):
            pass
        code = seen["close"]
        if first is not None:
            self.say(None, "the server closed first, with the code", first)
        else:
            self.say(None if code is None else code == 1000, "a websocket's close is answered with the same code",
                     "no code" if code is None else code)

    def snapshot(self, message):
        try:
            self.workspaces, agents = self.records(message)
        except (Broken, TypeError) as e:
            self.say(False, "the first message is a WorkspaceUpdate", e)
            return
        kinds = {number for number, _ in fields(message)}
        print(f"  {'':12} ({len(self.workspaces)} workspaces, {len(agents)} agents)")
        self.say(kinds <= {1, 2}, "the snapshot has upserted workspaces and agents alone", kinds - {1, 2} or "")
        self.say(all(len(i) == 16 for i in [*self.workspaces, *agents]), "ids have 16 bytes")
        self.say(all(a.get(3) in self.workspaces for a in agents.values()), "each agent's workspace is in the snapshot")
        names = [r.get(2, b"") for r in [*self.workspaces.values(), *agents.values()]]
        odd = [n for n in names if not n or len(n) > 63 or not set(n.decode("latin-1")) <= LABEL]
        self.say(not odd, "names are made of letters, digits, - and _, 63 at most", f"{len(odd)} are not" if odd else "")
        self.say(all(len(v) <= 4096 for _, v in fields(message) if isinstance(v, bytes)), "no record is over 4 KiB")
        stopped = sum(r.get(3) == 5 for r in self.workspaces.values())
        with_agents = sum(self.workspaces[a[3]].get(3) == 5 for a in agents.values() if a.get(3) in self.workspaces)
        self.say(None if not stopped else True, "stopped workspaces",
                 f"{stopped}, with {with_agents} agents between them" if stopped else "")

    @staticmethod
    def records(message, workspaces=1, agents=2):
        """({id: fields}, {id: fields}) of the workspaces and agents of these numbers."""
        out = {workspaces: {}, agents: {}}
        for number, record in fields(message):
            if number in out:
                record = dict(fields(record))
                out[number][record.get(1, b"")] = record
        return out[workspaces], out[agents]

    def state_of(self, messages):
        """The ids of workspaces after these messages."""
        ids = set()
        for message in messages:
            ids = (ids | set(self.records(message)[0])) - set(self.records(message, 3, 4)[0])
        return ids

    def others(self, session, first):
        """More calls on the same session."""
        again = session.call(self.me.bytes)
        # What changes meanwhile comes over both, but not at once.
        same = session.until(lambda: again.end or again.messages and self.state_of(again.messages) == self.state_of(first.messages),
                             PATIENCE)
        self.say(same and not again.end, "a second stream beside the first tells the same workspaces", again.end or "")
        if not again.end:
            session.hang_up(again)
        nobody = session.call(uuid.uuid4().bytes)
        session.until(lambda: nobody.messages or nobody.end, PATIENCE)
        empty = nobody.messages == [b""]
        self.say(empty or (nobody.end == "close" and not nobody.messages),
                 "an owner that is not there has an empty snapshot or a clean end", "empty" if empty else nobody.end)
        if not nobody.end:
            session.hang_up(nobody)
        bad = session.call(b"not sixteen")
        session.until(lambda: bad.end, PATIENCE)
        self.say(bool(bad.end) and not bad.messages, "a malformed owner's id ends that call alone", bad.end)

    def later(self, messages):
        if not messages:
            self.say(None, "changes")
            return
        bad = [m for m in messages if {n for n, _ in fields(m)} - {1, 2, 3, 4}]
        self.say(not bad, "changes have the four fields of a WorkspaceUpdate", f"{len(messages)} changes")
        known = True
        for message in messages:
            new, agents = self.records(message)
            gone, _ = self.records(message, 3, 4)
            self.workspaces.update(new)
            known = known and all(a.get(3) in self.workspaces for a in agents.values()) and set(gone) <= set(self.workspaces)
        self.say(known, "changes are of workspaces that are known")

    def goodbye(self, session, call):
        if call.end:
            return
        session.hang_up(call)
        session.until(lambda: call.fin, PATIENCE)
        self.say(call.fin, "after Close and FIN the server ends the stream, too", call.end)

    def wire(self, session, call, start, seconds):
        seen = session.ws.seen
        self.say(not seen["text"] and not seen["masked"], "messages are binary and not masked", f"the largest of {seen['largest']} bytes")
        self.say(not call.frames or max(call.frames) <= 65536, "dRPC frames have 64 KiB at most", f"the largest of {max(call.frames, default=0)}")
        self.say(session.strays == 0, "no frame is of a stream that nobody opened", session.strays or "")
        self.say(session.goaway is None, "the server does not say GoAway", "" if session.goaway is None else session.goaway)
        for what, pings, each in ("websocket", seen["ping"], 15), ("yamux", session.pings, 30):
            first = pings[0] - start if pings else None
            ok = first <= each + 5 if pings else None if time.monotonic() - start < each + 5 else False
            self.say(ok, f"a {what} ping comes each {each} s or sooner", f"{len(pings)}, the first after {first:.0f} s" if pings else "")


def main():
    try:
        look = Look()
        look.rest()
        look.follow(look.upgrade(), int(sys.argv[1]))
    except Cannot as e:
        print(f"It cannot be looked at: {e}")
        return 2
    print(f"{look.otherwise} things are otherwise." if look.otherwise else "Nothing is otherwise.")
    return 1 if look.otherwise else 0


if __name__ == "__main__":
    sys.exit(main())
