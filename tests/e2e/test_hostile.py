# SPDX-License-Identifier: Apache-2.0
"""
Whatever a server sends, on a socket to the whole bridge: a peer of Coder's own libraries commits every fault that it
knows. Each has its reason, counted and named in the status; none costs a name, writes to the store, or ends the bridge;
and what comes after it is taken again.
"""
import collections
import pathlib
import socket
import subprocess
import time

import pytest

from bridge import Bridge
from peer import GoPeer, go_peer
from server import Responder, addresses, ede, wait_for

pytestmark = pytest.mark.skipif(not go_peer(), reason="tests/peer is not built")

WORKSPACES = range(101, 107)
WORLD = "user alice\nsnapshot alice " + " ".join(f"{n}=w{n}:{n}=main" for n in WORKSPACES) + "\n"
NAMES = [f"main.w{n}.me.coder" for n in WORKSPACES]
SHORT = {"retry": ", permanent: 50ms, unauthorised: 50ms",
         "timeouts": ", first-message: 1s, ping-interval: 150ms, ping-timeout: 600ms"}

# The outcome of each fault, as the status tells it: a failure of the connection (its name in "failures"), and with it
# what was wrong (its name in "faults"); or, with the connection alive, LIVE, REFUSED (records, alone), HELD (the removal).
CUT, PROTOCOL, CLOSED, CALL = "cut", "protocol", "closed", "call-failed"
LIVE, REFUSED, HELD = "live", "refused", "held"
Split = collections.namedtuple("Split", "new open")  # where it ends otherwise on a stream that is open; None: not tried
FAULTS = {
    "tcp-rst-mid-record": (CUT, "ws-eof"),
    # By the kernel's patience or by that for the snapshot, which with these times are about the same; the buffers of a
    # connection that was there before are too large.
    "tcp-zero-window": Split(f"{CUT}|no-snapshot", None),
    "tcp-slow-start": "timeout",
    "tcp-slow-head": "timeout",
    "tcp-slow-frame": "dead-path",
    "tcp-slow-message": "dead-path",
    "tcp-eof": (CUT, "ws-eof"),
    "tls-expired": "certificate-expired",
    "tls-not-yet": "certificate-not-yet-valid",
    "tls-self-signed": "certificate",
    "tls-wrong-host": "certificate-host",
    "tls-no-san": "certificate-host",
    "tls-wrong-usage": "certificate",
    "tls-weak-key": "certificate",
    "tls-sha1": "certificate",
    "tls-old": "tls",
    "tls-weak-cipher": "tls",
    "tls-client-certificate": "client-certificate",
    "tls-plain": "no-tls",
    "tls-eof-notify": (CUT, "ws-eof"),
    "http-header-large": (PROTOCOL, "http-size"),
    "http-headers-many": (PROTOCOL, "http-size"),
    "http-no-crlf": (PROTOCOL, "http-size"),
    "http-nul": (PROTOCOL, "http-field"),
    "http-fold": (PROTOCOL, "http-field"),
    "http-two-lengths": (PROTOCOL, "http-field"),
    "http-no-accept": (PROTOCOL, "http-accept"),
    "http-wrong-accept": (PROTOCOL, "http-accept"),
    "http-wrong-upgrade": (PROTOCOL, "http-upgrade"),
    "http-no-connection": (PROTOCOL, "http-upgrade"),
    "http-1.0": (PROTOCOL, "http-version"),
    "http-extension": (PROTOCOL, "http-extension"),
    "http-junk": (PROTOCOL, "http-form"),
    "http-nothing": (CUT, "http-eof"),
    "http-silence": "timeout",
    "http-half": (CUT, "http-eof"),
    "http-glued": LIVE,
    "http-split": LIVE,
    "ws-masked": (PROTOCOL, "ws-protocol"),
    "ws-length-top-bit": (PROTOCOL, "ws-protocol"),
    "ws-length-2e40": (PROTOCOL, "ws-size"),
    "ws-length-1g": (PROTOCOL, "ws-size"),
    "ws-length-form-16": (PROTOCOL, "ws-protocol"),
    "ws-length-form-64": (PROTOCOL, "ws-protocol"),
    "ws-control-long": (PROTOCOL, "ws-protocol"),
    "ws-control-fragmented": (PROTOCOL, "ws-protocol"),
    "ws-continuation": (PROTOCOL, "ws-protocol"),
    "ws-new-in-fragment": (PROTOCOL, "ws-protocol"),
    "ws-rsv": (PROTOCOL, "ws-protocol"),
    "ws-opcode-3": (PROTOCOL, "ws-protocol"),
    "ws-opcode-11": (PROTOCOL, "ws-protocol"),
    "ws-text": (PROTOCOL, "ws-text"),
    "ws-text-bad-utf8": (PROTOCOL, "ws-text"),
    "ws-ping-flood": (PROTOCOL, "unsent|ws-flood"),  # whichever limit is met first
    "ws-ping-flood-empty": (PROTOCOL, "unsent|ws-flood"),
    "ws-ping-flood-unread": (PROTOCOL, "unsent|ws-flood"),
    "ws-pong": LIVE,
    "ws-fragments-empty": LIVE,
    "ws-fragments": Split(HELD, (PROTOCOL, "drpc-id")),  # it is message 1, again
    "ws-close-one-byte": (PROTOCOL, "ws-protocol"),
    "ws-close-bad-utf8": (PROTOCOL, "ws-utf8"),
    "ws-close-empty": (CLOSED, "ws-closed"),
    **{f"ws-close-{code}": (CLOSED, "ws-closed") for code in [*range(1000, 1004), *range(1007, 1015), 3000]},
    **{f"ws-close-{code}": (PROTOCOL, "ws-protocol") for code in [0, 999, 1004, 1005, 1006, 1015, 5000, 65535]},
    "yamux-version-1": (PROTOCOL, "yamux-version"),
    "yamux-type-4": (PROTOCOL, "yamux-type"),
    "yamux-type-255": (PROTOCOL, "yamux-type"),
    "yamux-flags-10": (PROTOCOL, "yamux-flags"),
    "yamux-flags-all": (PROTOCOL, "yamux-flags"),
    "yamux-unknown-stream": (PROTOCOL, "yamux-stream"),
    "yamux-stream-0": (PROTOCOL, "yamux-stream"),
    "yamux-syn-odd": (PROTOCOL, "yamux-syn"),
    "yamux-syn-even": (PROTOCOL, "yamux-syn"),
    "yamux-syn-duplicate": (PROTOCOL, "yamux-syn"),
    "yamux-syn-flood": (PROTOCOL, "yamux-syn"),
    "yamux-window-overflow": (PROTOCOL, "yamux-overflow"),
    "yamux-window-flood": (PROTOCOL, "yamux-flood"),
    "yamux-over-window": (PROTOCOL, "yamux-window"),
    "yamux-length-4g": (PROTOCOL, "yamux-window"),
    "yamux-ping-flood": (PROTOCOL, "unsent|yamux-flood"),
    "yamux-ping-flood-unread": (PROTOCOL, "unsent|yamux-flood"),
    "yamux-pong-unknown": (PROTOCOL, "yamux-pong"),
    "yamux-no-pong": "dead-path",
    "yamux-goaway-normal": LIVE,
    "yamux-goaway-protocol": (CLOSED, "yamux-goaway"),
    "yamux-goaway-internal": (CLOSED, "yamux-goaway"),
    "yamux-goaway-unknown": (CLOSED, "yamux-goaway"),
    "yamux-rst-mid": (PROTOCOL, "yamux-cut"),
    "yamux-fin-mid": (PROTOCOL, "yamux-cut"),
    "yamux-data-after-fin": Split((CALL, "call-empty"), (CALL, "call-ended")),
    "yamux-data-after-rst": (CALL, "call-reset"),
    "drpc-varint-11": (PROTOCOL, "drpc-varint"),
    "drpc-varint-long": (PROTOCOL, "drpc-varint"),
    "drpc-length-2e63": (PROTOCOL, "drpc-varint"),
    "drpc-frame-large": (PROTOCOL, "drpc-frame"),
    "drpc-message-large": (PROTOCOL, "drpc-message"),
    "drpc-frames-many": (PROTOCOL, "drpc-frames"),
    "drpc-call-0": (PROTOCOL, "drpc-stream"),
    "drpc-message-0": (PROTOCOL, "drpc-id"),
    "drpc-call-other": (PROTOCOL, "drpc-stream"),
    "drpc-id-back": (PROTOCOL, "drpc-id"),
    "drpc-id-again": (PROTOCOL, "drpc-id"),
    "drpc-error-short": (PROTOCOL, "drpc-error"),
    "drpc-error-long": (CALL, "call-error"),
    "drpc-error-text": (CALL, "call-error"),
    "drpc-close-then-message": Split((CALL, "call-empty"), (CALL, "call-ended")),
    "drpc-cancel-mid": (PROTOCOL, "drpc-cut"),
    "drpc-close-mid": (PROTOCOL, "drpc-cut"),
    "drpc-kind-0": (PROTOCOL, "drpc-kind"),
    "drpc-kind-30": (PROTOCOL, "drpc-kind"),
    "drpc-invoke": (PROTOCOL, "drpc-kind"),
    "drpc-control": Split(HELD, LIVE),
    "protobuf-field-0": (PROTOCOL, "protobuf-tag"),
    "protobuf-field-large": (PROTOCOL, "protobuf-tag"),
    "protobuf-truncated": (PROTOCOL, "protobuf-truncated"),
    "protobuf-length": (PROTOCOL, "protobuf-truncated"),
    "protobuf-length-inner": (PROTOCOL, "protobuf-record"),
    "protobuf-varint": (PROTOCOL, "protobuf-length"),
    "protobuf-nested": Split(HELD, LIVE),
    "protobuf-duplicate": Split(HELD, LIVE),
    "protobuf-packed": Split(HELD, LIVE),
    "protobuf-status": Split(HELD, LIVE),
    "protobuf-unknown": Split(HELD, LIVE),
    **{f"protobuf-type-{kind}": (PROTOCOL, "protobuf-wire") for kind in (3, 4, 6, 7)},
    "semantic-id": Split(REFUSED, (LIVE, "update-record")),
    "semantic-id-zero": REFUSED,
    "semantic-agent-twice": Split(REFUSED, LIVE),
    "semantic-name-twice": Split(HELD, LIVE),
    "semantic-workspace-twice": Split(HELD, LIVE),
    "semantic-record-large": REFUSED,
    "semantic-unknown-workspace": Split(REFUSED, LIVE),
    "semantic-delete-unknown": Split((CALL, "update-deletes"), LIVE),
    "semantic-delete-and-upsert": Split((CALL, "update-deletes"), LIVE),
    "semantic-empty": Split(HELD, LIVE),
    "semantic-no-end": Split("no-snapshot", None),  # in mid stream it is only late
    **{f"semantic-name-{word}": REFUSED for word in (
        "empty long dot space star nul newline quote semicolon backslash utf8 bad-utf8").split()},
    **{f"semantic-name-{word}": Split(HELD, LIVE) for word in "dash upper xn 63".split()},
}
# Smaller than by default, so that a test is short.
SIZES = {"tcp-slow-start": "2000", "tcp-slow-head": "500", "tcp-slow-frame": "500", "tcp-slow-message": "500"}


def listed():
    """What the peer can do wrong: (name, whether a stream that is open can be hit by it)."""
    if not go_peer():
        return []
    lines = subprocess.run([go_peer(), "faults"], check=True, capture_output=True, text=True).stdout.splitlines()
    return [(f[0], "hit" in f[2]) for f in (line.split("\t") for line in lines)]


def expected(name, hit):
    """(failure or outcome, names of faults of which one is counted) for a fault, armed or on an open stream."""
    outcome = FAULTS[name]
    if isinstance(outcome, Split):
        outcome = outcome[hit]
    if isinstance(outcome, tuple):
        return outcome[0], outcome[1].split("|")
    return outcome, []


class Place:
    """A peer, a bridge that follows it, and what answers its names."""

    def __init__(self, peer, bridge, dns):
        self.peer, self.bridge, self.dns = peer, bridge, dns
        bridge.wait_log("live with")
        self.settle()

    def status(self):
        status = self.bridge.ask("status")[0]
        return {**status, **status["sources"][0], "names": status["names"]}

    def before(self):
        return {**self.status(), "history": self.bridge.ask("history")}

    def written(self, before):
        """What was stored since, but for the moment of the last contact, which is saved each minute."""
        return [line for line in self.bridge.ask("history") if line not in before["history"]]

    def count(self, kind, *names):
        status = self.status()
        return sum(status[kind].get(name, 0) for name in names)

    def names_stay(self):
        for name in NAMES:
            answer = self.dns.ask(name)
            assert len(addresses(answer)) == 1, f"{name}: {answer}"
            assert all(r.ttl <= 30 for r in answer.answer)

    def settle(self):
        """As it was at the start: live, with the names of WORLD and no others."""
        self.peer.say("fault off")
        self.peer.say("refuse off")
        if self.status()["state"] != "live" or self.status()["names"] != 3 * len(NAMES) or self.status()["held_removals"]:
            self.peer.say("cut tcp")
        wait_for(lambda: (s := self.status())["state"] == "live" and s["names"] == 3 * len(NAMES) and not s["held_removals"])
        wait_for(lambda: all(addresses(self.dns.ask(name)) for name in NAMES) and not ede(self.dns.ask(NAMES[0])))

    def new_connection(self):
        self.peer.say("cut tcp")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    yield from place(tmp_path_factory.mktemp("plain"), GoPeer)


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    yield from place(folder, GoPeer.with_own_ca, f"    ca-file: {folder}/ca.pem\n")


def place(folder, kind, source=""):
    with kind(folder, WORLD) as peer, Bridge(folder, peer.url, source, **SHORT) as bridge:
        with Responder(folder, folder / "zone") as dns:
            yield Place(peer, bridge, dns)
        if not bridge.has_asan():
            peak = int(next(line for line in pathlib.Path(f"/proc/{bridge.process.pid}/status").read_text().splitlines()
                            if line.startswith("VmHWM")).split()[1])
            assert peak < (64 + 2 * 64) << 10, f"{peak} KiB"


def test_every_fault_of_the_peer_has_its_row_here():
    assert {name for name, _ in listed()} == set(FAULTS)


def meet(it, name, hit, size=None):
    """Commits the fault and sees its outcome. Returns the status before it."""
    outcome, faults = expected(name, hit)
    before = it.before()
    it.peer.say(f"{'hit' if hit else 'fault'} {name} {SIZES.get(name, '') if size is None else size}")
    if not hit:
        it.new_connection()
    at = {"failures": before["failures"].copy(), "faults": before["faults"].copy()}
    if not hit:  # the cut itself
        at["failures"][CUT] = at["failures"].get(CUT, 0) + 1
        at["faults"]["ws-eof"] = at["faults"].get("ws-eof", 0) + 1

    def more(status, kind, names):
        return sum(status[kind].get(n, 0) - at[kind].get(n, 0) for n in names) > 0

    def seen():
        status = it.status()
        if faults and not more(status, "faults", faults):
            return False
        if outcome == LIVE:
            return status["state"] == "live" and (hit or status["failures"][CUT] > before["failures"].get(CUT, 0))
        if outcome == HELD:
            return status["held_removals"] and status["state"] == "live"
        if outcome == REFUSED:
            return status["refused_total"] > before["refused_total"] and status["state"] == "live" and status["refused"]
        return more(status, "failures", outcome.split("|"))

    try:
        wait_for(seen, 30, 0.02)
    except AssertionError:
        after = it.status()
        raise AssertionError(f"{outcome} {faults}: {after['failures']} {after['faults']} after {at}\n{after}") from None
    if outcome not in (LIVE, HELD, REFUSED):
        assert it.status()["reason"] or it.status()["state"] in ("live", "connecting")
    return before


def writes(name, hit):
    """Whether the fault comes along with a message that is taken."""
    outcome, faults = expected(name, hit)
    return outcome in (LIVE, HELD, REFUSED) or name.startswith("drpc-id-")


@pytest.mark.parametrize("name, hit", [(n, h) for n, can in listed() for h in (False, True)[:1 + can]
                                       if n in FAULTS and expected(n, h)[0]],
                         ids=lambda v: v if isinstance(v, str) else "open" if v else "new")
def test_a_fault_has_its_reason_and_costs_no_name(name, hit, request):
    it = request.getfixturevalue("tls" if name.startswith("tls-") else "plain")
    pid = it.bridge.process.pid
    before = meet(it, name, hit)
    it.names_stay()
    if not writes(name, hit):
        assert not it.written(before)
    it.settle()
    assert it.bridge.process.poll() is None and it.bridge.process.pid == pid
    log = it.bridge.log()
    assert all(line.isprintable() for line in log.split("\n")), "a peer's text has made a line"


@pytest.mark.parametrize("name", ["tcp-rst-mid-record", "tcp-eof", "tcp-slow-start", "tcp-slow-message", "http-half", "ws-length-2e40"])
def test_faults_below_and_above_tls_are_no_others_with_it(tls, name):
    """A reset in a record, an end without close_notify, a handshake that drips."""
    before = meet(tls, name, False)
    tls.names_stay()
    assert not tls.written(before)
    tls.settle()


@pytest.mark.parametrize("hit", [False, True], ids=["new", "open"])
@pytest.mark.parametrize("name, size", [("semantic-id", 0), ("semantic-id", 17), ("semantic-id", 1000000),
                                        *(("protobuf-truncated", n) for n in (1, 2, 19, 21, 40))])
def test_other_sizes_of_a_fault_end_as_it_does(plain, name, size, hit):
    meet(plain, name, hit, size)
    plain.names_stay()
    plain.settle()


# --- statuses

STATUSES = {200: "captive-portal", 301: "redirect", 302: "redirect", 303: "redirect", 307: "redirect", 308: "redirect", 400: "refused",
            401: "unauthorised", 403: "forbidden", 404: "not-coder", 409: "refused", 429: "rate-limit", 500: "http-status",
            502: "http-status", 503: "http-status"}


@pytest.mark.parametrize("where", ["", "stream"])
@pytest.mark.parametrize("status", STATUSES)
def test_a_status_has_its_reason_and_the_token_goes_nowhere_else(plain, status, where):
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.05)
        before = plain.before()
        location = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/"
        plain.peer.say(f"refuse {status} {where} {'html' if status == 200 else ''} Location={location}")
        plain.new_connection()
        wait_for(lambda: plain.count("failures", STATUSES[status]) > before["failures"].get(STATUSES[status], 0))
        plain.names_stay()
        assert not plain.written(before)
        with pytest.raises(TimeoutError):
            elsewhere.accept()
    plain.settle()


@pytest.mark.parametrize("value, seconds", [
    ("0", 0), ("1000000000", 3600), ("Fri,%2031%20Dec%202100", 0), ("-7", 0), ("9e9", 0), ("junk", 0), ("", 0)])
def test_retry_after_is_obeyed_within_bounds(tmp_path, value, seconds):
    with GoPeer(tmp_path, WORLD) as peer, Bridge(tmp_path, peer.url, **SHORT) as bridge:
        bridge.wait_log("live with")
        it = Place.__new__(Place)
        it.bridge = bridge
        peer.say(f"refuse 503 Retry-After={value}")
        peer.say("cut tcp")
        wait_for(lambda: it.count("failures", "http-status"))
        lines = [line for line in bridge.log().splitlines() if "failed (http-status)" in line]
        waits = int(lines[0].split("next in ")[1].split()[0])
        assert 900 * seconds <= waits <= max(1000 * seconds, 500)


def test_a_lower_api_version_is_a_server_that_is_too_old(plain):
    plain.peer.say("api 2.2")
    plain.new_connection()
    wait_for(lambda: plain.count("failures", "server-too-old"))
    plain.names_stay()
    plain.peer.say("api 2.3")
    plain.settle()


# --- what is no fault of the bytes, but of what they mean

def test_another_deployment_behind_the_url_is_held_and_nothing_of_it_is_applied(plain):
    own = "5a9d1c3e-0000-4000-8000-000000000001"
    plain.peer.say("deployment 5a9d1c3e-0000-4000-8000-0000000000ff")
    plain.peer.say("snapshot alice 999=other:999=main")
    plain.new_connection()
    wait_for(lambda: plain.count("failures", "deployment-held"))
    plain.names_stay()
    assert not addresses(plain.dns.ask("main.other.me.coder"))
    plain.peer.say(f"deployment {own}")
    plain.peer.say(WORLD.split("\n")[1])
    plain.settle()


def test_a_renamed_owner_keeps_his_workspaces(plain):
    plain.peer.say("rename alice alison")
    plain.new_connection()
    wait_for(lambda: addresses(plain.dns.ask("main.w101.alison.coder")))
    plain.names_stay()
    plain.peer.say("rename alison alice")
    plain.new_connection()
    wait_for(lambda: addresses(plain.dns.ask("main.w101.alice.coder")))
    plain.settle()


def test_half_a_snapshot_is_nothing(plain):
    before = plain.before()
    # The fault first: a snapshot that the bridge takes on its own meanwhile is slow, too.
    plain.peer.say("fault tcp-slow-message 20")  # some 50 bytes a second, so far from the end
    plain.peer.say("snapshot alice " + " ".join(f"{n}=x{n}:{n}=main" for n in range(201, 2200)))
    calls = plain.peer.status()["calls"]
    plain.new_connection()
    wait_for(lambda: plain.peer.status()["calls"] > calls)
    time.sleep(0.3)
    plain.peer.say(WORLD.split("\n")[1])
    plain.peer.say("fault off")
    plain.peer.say("cut rst")
    plain.settle()
    assert not plain.written(before)


def test_a_fault_that_stays_is_told_once_and_dialled_by_backoff(plain):
    log = plain.bridge.log()
    plain.peer.say("fault ws-masked")
    plain.new_connection()
    before = plain.count("faults", "ws-protocol")
    wait_for(lambda: plain.count("faults", "ws-protocol") >= before + 10)
    plain.peer.say("fault off")
    new = plain.bridge.log()[len(log):]
    assert sum(" warn: " in line and "malformed" in line for line in new.splitlines()) <= 1
    plain.settle()
