# SPDX-License-Identifier: Apache-2.0
"""
holdfastd follows a server, whatever happens to it: the simulator plays Coder, holdfast-dns answers. What upstream does
never takes a name away; what is wrong is said in plain words; and it comes back by itself.
"""
import contextlib
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time

import dns.rcode
import pytest

from bridge import TOKEN, Bridge
from certs import Authority
from peer import GoPeer, Simulator, go_peer
from server import Responder, addresses, ede, wait_for
from zone import BUILD, program

ALICE = "user alice 1\nsnapshot alice 1=dev:7=main\n"
NAME = "main.dev.me.coder"
# A list of one address and a short patience with each phase.
QUICK = ", first-message: 2s, ping-interval: 200ms, ping-timeout: 600ms"


@contextlib.contextmanager
def world_of(folder, script=ALICE, tls=None, url=None, **more):
    with Simulator(folder, script, tls=tls) as sim, Bridge(folder, url or sim.url, **more) as bridge:
        with Responder(folder, folder / "zone") as r:
            yield sim, bridge, r


@pytest.fixture
def world(tmp_path):
    with world_of(tmp_path) as w:
        yield w


def lives(r, name=NAME):
    """Answered, and as what is so now."""
    wait_for(lambda: r.ask(name).rcode() == dns.rcode.NOERROR and addresses(r.ask(name)) and not ede(r.ask(name)))


def states(bridge):
    """Of each owner, as status has it."""
    return {o["name"]: o["state"] for o in bridge.ask("status")[0]["sources"][0]["owners"]}


def answers(r, name=NAME):
    assert addresses(r.ask(name))


# --- the thread

def test_a_snapshot_becomes_an_answer(world):
    sim, bridge, r = world
    lives(r)
    assert addresses(r.ask(NAME)) == addresses(r.ask("dev.coder"))
    assert "live with" in bridge.log()


def test_diffs_are_followed(world):
    sim, bridge, r = world
    lives(r)
    sim.say("diff alice +2=gpu:9=main")
    lives(r, "main.gpu.me.coder")
    sim.say("diff alice -2")
    wait_for(lambda: r.ask("main.gpu.me.coder").rcode() == dns.rcode.NXDOMAIN)
    answers(r)


def test_owners_of_every_kind_have_a_stream_each(tmp_path):
    script = ALICE + ("user bob 2\nsnapshot bob 5=web:20=main\n" "user carol 3\nsnapshot carol 6=ci:30=main\n")
    with world_of(tmp_path, script, source="    owners: [me, bob, all]\n") as (sim, bridge, r):
        for name in NAME, "main.web.bob.coder", "main.ci.carol.coder":
            lives(r, name)
        assert sim.status()["streams"] == 3
        sim.say("diff bob +8=new:50=main")
        lives(r, "main.new.bob.coder")


def test_an_owner_who_is_not_there_harms_only_himself(tmp_path):
    with world_of(tmp_path, source="    owners: [me, nobody]\n") as (sim, bridge, r):
        lives(r)
        assert "there is no user 'nobody'" in bridge.log()


def test_an_owner_taken_out_of_the_configuration_goes_and_no_other(tmp_path):
    script = ALICE + "user bob 2\nsnapshot bob 5=web:20=main\n"
    with world_of(tmp_path, script, source="    owners: [me, bob]\n") as (sim, bridge, r):
        lives(r, "main.web.bob.coder")
        lives(r)
        bridge.configure(sim.url, "    owners: [me]\n")
        bridge.reload()
        wait_for(lambda: r.ask("main.web.bob.coder").rcode() == dns.rcode.NXDOMAIN)
        answers(r)


# --- it comes back

@pytest.mark.parametrize("how", ["tcp", "rst", "ws", "ws 1012 restart", "ws 1001", "yamux", "call", "error 5 away"])
def test_after_each_kind_of_cut_it_comes_back(world, how):
    sim, bridge, r = world
    lives(r)
    sim.say("snapshot alice 1=dev:7=main 2=new:9=main")
    sim.say(f"cut {how}")
    answers(r)
    lives(r, "main.new.me.coder")
    answers(r)


def test_a_server_that_was_down_is_found_again(world):
    sim, bridge, r = world
    lives(r)
    sim.say("down")
    bridge.wait_log("unreachable")
    answers(r)
    sim.say("snapshot alice 1=dev:7=main 2=new:9=main")
    sim.say("up")
    lives(r, "main.new.me.coder")


def test_interval_snapshots_come_on_the_same_connection(tmp_path):
    with world_of(tmp_path, source="    snapshot-interval: 300ms\n") as (sim, bridge, r):
        lives(r)
        sim.say("await calls 5")
        status = sim.status()
        assert status["upgrades"] == 1 and status["streams"] <= 2
        sim.say("diff alice +2=gpu:9=main")
        lives(r, "main.gpu.me.coder")


def test_after_goaway_the_next_snapshot_comes_on_a_new_connection(tmp_path):
    with world_of(tmp_path, source="    snapshot-interval: 1s\n") as (sim, bridge, r):
        lives(r)
        time.sleep(1.2)  # steady; before, it would count as a failure
        sim.say("cut goaway")
        sim.say("diff alice +2=gpu:9=main")
        lives(r, "main.gpu.me.coder")
        sim.say("await upgrades 2")
        wait_for(lambda: bridge.log().count("live with") == 2)
        assert "warn" not in bridge.log()


def test_a_path_that_died_is_found_by_pings(tmp_path):
    with world_of(tmp_path, timeouts=QUICK) as (sim, bridge, r):
        lives(r)
        sim.say("freeze")
        start = time.monotonic()
        bridge.wait_log("fell silent", 5)
        assert time.monotonic() - start < 2
        answers(r)
        sim.say("thaw")
        wait_for(lambda: bridge.log().count("live with") >= 2)


@pytest.mark.parametrize("times", [1000 if os.environ.get("HF_LONG") else 50])
def test_reconnects_leak_nothing_and_hand_on_nothing(world, times):
    sim, bridge, r = world
    lives(r)
    history, generations, start = bridge.ask("history"), set(), time.monotonic()

    def redial(n):
        before = bridge.log().count("live with")
        for i in range(n):
            sim.say("cut rst")
            bridge.wait_log("live with", 10, before + i + 1)
            generations.add(bridge.ask("status")[0]["generation"])
        return bridge.rss_kib()
    first = redial(10)
    last = redial(times - 10)
    answers(r)
    assert bridge.ask("history") == history
    # Only the moment of the last contact is saved, each minute.
    assert len(generations) <= 2 + (time.monotonic() - start) // 60
    if not bridge.has_asan():  # which keeps what was freed
        assert last - first < 512, f"{first} -> {last} KiB in {times - 10} reconnects"


SLEEPS = "epoll_wait,epoll_pwait,poll,ppoll,select,pselect6,futex,nanosleep,clock_nanosleep"


@pytest.mark.skipif(not os.environ.get("HF_LONG"), reason="takes minutes: in the long run")
@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_an_idle_bridge_sleeps(tmp_path):
    """At most 4 wake-ups a minute beside pings, and 0.05 % of a core. A wait for a disk that others use is none of them."""
    minutes = 3
    source = "    snapshot-interval: 1h\n    fresh-window: 30m\n"
    trace = tmp_path / "trace"
    with Simulator(tmp_path, ALICE + "ping ws off\nping yamux off\n") as sim:
        with Bridge(tmp_path, sim.url, source, timeouts=", ping-interval: 20m, second-snapshot: 1s", pulse="15s") as bridge:
            bridge.wait_log("live with")
            time.sleep(10)
            ticks = bridge.cpu_ticks()
            watch = subprocess.Popen(["strace", "-f", "-qq", "-e", f"trace={SLEEPS}", "-o", trace, "-p", str(bridge.process.pid)])
            time.sleep(60 * minutes)
            watch.terminate()
            watch.wait(10)
            slept = [line for line in trace.read_text().splitlines() if ", 0) " not in line]  # that is a look, and no sleep
            assert minutes < len(slept) <= 4 * minutes + 1, slept  # the first has begun before
            assert (bridge.cpu_ticks() - ticks) / os.sysconf("SC_CLK_TCK") <= 0.0005 * 60 * minutes


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_a_change_of_the_network_ends_a_wait(tmp_path):
    wrap = ["unshare", "-n"]
    with Bridge(tmp_path, "http://127.0.0.1:9", waits="floor: 1h, cap: 1h, events: 50ms, steady: 1s",
                wrap=wrap) as bridge:
        bridge.wait_log("attempt 1 failed")
        assert "Network is unreachable" in bridge.log() or "unreachable" in bridge.log()
        subprocess.run(["nsenter", "-n", "-t", str(bridge.process.pid), "ip", "link", "set", "lo", "up"], check=True)
        bridge.wait_log("network or routes changed")
        bridge.wait_log("attempt 2 failed", 2)
        assert "Connection refused" in bridge.log()


class Sleeper:
    """What a bridge needs to be told of sleep and of clocks that are set."""

    def __init__(self, folder):
        library = BUILD / "tests/tools/sleeper.so"
        if not library.exists():
            pytest.skip("a sanitizer's build has no preloaded library")
        self.path = folder / "sleeper"
        os.mkfifo(self.path)
        self.env = {"HF_SLEEPER": str(self.path), "LD_PRELOAD": str(library)}

    def slept(self, ms):
        fd = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
        os.write(fd, ms.to_bytes(8, "little"))
        os.close(fd)


def test_after_a_sleep_every_connection_is_dialled_anew_at_once(tmp_path):
    sleeper = Sleeper(tmp_path)
    with world_of(tmp_path, env=sleeper.env, timeouts=", ping-interval: 20s", waits="floor: 1h, cap: 1h, events: 50ms, steady: 1s") as w:
        sim, bridge, r = w
        lives(r)
        sleeper.slept(8 * 3600 * 1000)
        bridge.wait_log("the machine slept")
        bridge.wait_log("live with", 10, 2)
        assert sim.status()["upgrades"] == 2
        answers(r)


def test_a_clock_that_is_set_ends_a_wait_and_only_doubts_a_connection(tmp_path):
    sleeper = Sleeper(tmp_path)
    with world_of(tmp_path, env=sleeper.env, retry=", permanent: 1h") as (sim, bridge, r):
        lives(r)
        sleeper.slept(0)
        bridge.wait_log("the wall clock was set")
        time.sleep(0.3)
        assert sim.status()["upgrades"] == 1
        sim.say("refuse 404")  # will not mend itself: as a certificate that is not valid yet
        sim.say("cut tcp")
        bridge.wait_log("-> failed")
        sim.say("refuse off")
        sleeper.slept(0)
        bridge.wait_log("live with", 5, 2)


def test_a_flapping_server_is_not_hammered_and_told_once(tmp_path):
    with world_of(tmp_path, waits="floor: 50ms, cap: 10s, events: 50ms, steady: 10s") as (sim, bridge, r):
        lives(r)
        end = time.monotonic() + 6
        while time.monotonic() < end:
            sim.say("cut rst")
            time.sleep(0.1)
        answers(r)
        assert 4 < sim.status()["upgrades"] < 15
        assert bridge.log().count(" warn: ") <= 3  # where the cut falls differs


def test_one_owners_trouble_is_not_the_others(tmp_path):
    script = ALICE + "user bob 2\nsnapshot bob 5=web:20=main\n"
    with world_of(tmp_path, script, source="    owners: [me, bob]\n    snapshot-interval: 1s\n") as (sim, bridge, r):
        lives(r)
        lives(r, "main.web.bob.coder")
        sim.say("cut yamux bob")
        bridge.wait_log("no stream of 'bob'")
        sim.say("diff bob +6=more:21=main")
        sim.say("diff alice +2=gpu:9=main")
        lives(r, "main.gpu.me.coder")
        lives(r, "main.more.bob.coder")
        assert sim.status()["upgrades"] == 1


TWO = ALICE + "user bob 2\nsnapshot bob 5=web:20=main 9=old:90=main\n"
OF = {"alice": "main.dev.me.coder", "bob": "main.web.bob.coder"}
FORM = {"alice": "main.{}.me.coder", "bob": "main.{}.bob.coder"}


@pytest.mark.parametrize("who, how", [("alice", "late {} 1h"), ("alice", "deny {} close"), ("bob", "deny {} reset")])
def test_one_owner_without_a_snapshot_beside_another(tmp_path, who, how):
    """Whoever it is, also the token's own user; over a restart, so that what was known is served and nothing live is left of him."""
    other = "bob" if who == "alice" else "alice"
    gone = {"alice": "diff alice -4", "bob": "diff bob -9"}[other]
    old = {"alice": "main.gone.me.coder", "bob": "main.old.bob.coder"}[other]
    source = "    owners: [me, bob]\n    snapshot-interval: 1s\n"
    with Simulator(tmp_path, TWO.replace("7=main", "7=main 4=gone:40=main")) as sim, Responder(tmp_path, tmp_path / "zone", wait=False) as r:
        with Bridge(tmp_path, sim.url, source=source):
            wait_for(r.answers)
            for name in [*OF.values(), old]:
                lives(r, name)
        sim.say(how.format(who))
        sim.say(f"diff {who} +{60 if who == 'bob' else 61}=missed:66=main")
        with Bridge(tmp_path, sim.url, source=source, timeouts=", first-message: 500ms") as bridge:
            before = sim.status()["upgrades"]
            # His names stay, and nobody takes them for fresh, in status or in an answer.
            wait_for(lambda: ede(r.ask(OF[who])) and not ede(r.ask(OF[other])) and states(bridge) == {who: "stale", other: "live"})
            answers(r, OF[who])
            # What the other one has changes as ever: what comes, what goes, and what a snapshot tells.
            sim.say(f"diff {other} +70=new:70=main")
            lives(r, FORM[other].format("new"))
            sim.say(gone)
            wait_for(lambda: r.ask(old).rcode() == dns.rcode.NXDOMAIN)
            sim.say(f"lose {other} +71=quiet:71=main")
            lives(r, FORM[other].format("quiet"))
            time.sleep(1)
            lives(r, OF[other])
            answers(r, OF[who])
            assert ede(r.ask(OF[who])) and states(bridge) == {who: "stale", other: "live"}
            assert sim.status()["upgrades"] - before <= 1
            sim.say(f"{how.split()[0]} {who} off")
            lives(r, OF[who])
            lives(r, FORM[who].format("missed"))


def test_more_owners_than_streams_are_told(tmp_path):
    script = ALICE + "".join(f"user u{i} {i}\n" for i in range(2, 30))
    with world_of(tmp_path, script, source="    owners: [all]\n    limits: { streams: 20 }\n") as (sim, bridge, r):
        lives(r)
        bridge.wait_log("17 of 29 owners are not followed: limits.streams is 20")
        sim.say("await streams 12")


@pytest.mark.skipif(not go_peer(), reason="tests/peer is not built")
@pytest.mark.parametrize("how", ["tcp", "rst", "ws", "goaway", "yamux", "call"])
def test_coders_own_libraries_are_followed_too(tmp_path, how):
    with GoPeer(tmp_path, ALICE) as peer:
        with Bridge(tmp_path, peer.url, source="    snapshot-interval: 500ms\n"), Responder(
                tmp_path, tmp_path / "zone") as r:
            lives(r)
            peer.say("diff alice +2=gpu:9=main")
            lives(r, "main.gpu.me.coder")
            peer.say(f"cut {how}")
            peer.say("snapshot alice 1=dev:7=main 3=new:11=main 2=gpu:9=main")
            lives(r, "main.new.me.coder")
            answers(r)


# --- in plain words

@pytest.mark.parametrize("line, said, state", [
    ("refuse 503", "the server answered with an error (GET /api/v2/", "waiting"),
    ("refuse 500", "the server answered with an error", "waiting"),
    ("refuse 200 html", "a web page came instead of Coder's answer", "failed"),
    ("refuse 404", "this is not a Coder server", "failed"),
    ("refuse 302 location=http://portal.example/login", "to http://portal.example/login", "failed"),
    ("refuse 401", "signed out, or the session has expired", "unauthorised"),
    ("refuse 403", "the token may not do this", "unauthorised"),
    ("refuse 429 retry-after=1", "asks us to come back later", "waiting"),
    ("version v2.17.4", "too old: it is v2.17.4", "failed"),
    ("workspace-updates off", "too old: it has no workspace updates", "failed"),
    ("refuse 400 stream", "refuses the request", "failed"),
])
def test_what_is_wrong_is_said_and_the_names_stay(tmp_path, line, said, state):
    with world_of(tmp_path, retry=", permanent: 300ms, unauthorised: 300ms") as (sim, bridge, r):
        lives(r)
        sim.say(line)
        sim.say("cut tcp")
        bridge.wait_log(said)
        bridge.wait_log(f"-> {state}")
        answers(r)
        sim.say("workspace-updates on" if line.startswith("workspace") else
                "version v2.30.0" if line.startswith("version") else "refuse off")
        before = bridge.log().count("live with")
        bridge.wait_log("live with", 10, before + 1)


def test_retry_after_is_obeyed(tmp_path):
    with world_of(tmp_path) as (sim, bridge, r):
        lives(r)
        sim.say("refuse 429 retry-after=2")
        sim.say("cut tcp")
        bridge.wait_log("asks us to come back later")
        before = sim.status()["requests"]
        time.sleep(1.5)
        assert sim.status()["requests"] == before
        sim.say("refuse off")
        bridge.wait_log("live with", 5, 2)


def test_a_new_token_is_taken_without_a_restart(tmp_path):
    with world_of(tmp_path, ALICE + f"token {TOKEN}\n") as (sim, bridge, r):
        lives(r)
        sim.say("token newid00000-other-secret")
        sim.say("cut tcp")
        # Once it reads the file again by itself, at once; after that only the watch brings it on.
        bridge.wait_log("-> unauthorised", times=2)
        answers(r)
        bridge.set_token("newid00000-other-secret")
        bridge.wait_log("live with", 3, 2)


def test_a_revoked_token_is_seen_while_the_stream_runs(tmp_path):
    with world_of(tmp_path, ALICE + f"token {TOKEN}\n", source="    snapshot-interval: 500ms\n") as (sim, bridge, r):
        lives(r)
        sim.say("token other0000-other-secret")
        bridge.wait_log("-> unauthorised")
        answers(r)


def test_the_end_of_the_token_is_told_before(tmp_path):
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 5 * 86400 + 60))
    with world_of(tmp_path, ALICE + f"expires {end}\n") as (sim, bridge, r):
        bridge.wait_log("the session token expires in 120 hours")


def test_another_server_that_speaks_http(tmp_path):
    class Hello(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(4096)
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Hello) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Bridge(tmp_path, f"http://127.0.0.1:{server.server_address[1]}") as bridge:
            bridge.wait_log("this is not a Coder server (GET /api/v2/buildinfo: 200)")
            bridge.wait_log("-> failed")
        server.shutdown()


# --- TLS

@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


def test_tls_with_a_ca_of_its_own(tmp_path, authority):
    with world_of(tmp_path, tls=authority.issue("good"), source=f"    ca-file: {authority.ca}\n") as (sim, bridge, r):
        lives(r)
        sim.say("snapshot alice 1..3000=dev:main")
        bridge.wait_log("live with")
        sim.say("cut rst")
        lives(r, "main.dev2999.me.coder")


@pytest.mark.parametrize("how, said", [
    ({"start": "20200101000000Z", "end": "20210203040506Z"}, "expired on 2021-02-03 04:05:06 UTC"),
    ({"start": "20390101000000Z"}, "valid only from 2039-01-01"),
    ({"san": "DNS:elsewhere.example"}, "for another host"),
    ({"usage": "clientAuth"}, "is not trusted"),
])
def test_a_bad_certificate_is_refused_and_named(tmp_path, authority, how, said):
    with world_of(tmp_path, tls=authority.issue("bad", **how), source=f"    ca-file: {authority.ca}\n") as (sim, bridge, r):
        bridge.wait_log(said)
        bridge.wait_log("-> failed")
        assert sim.status()["requests"] == 0


def test_a_certificate_of_nobody_is_refused(tmp_path, authority):
    with world_of(tmp_path, tls=authority.issue("own")) as (sim, bridge, r):
        bridge.wait_log("is not trusted")
        assert sim.status()["requests"] == 0


class TlsServer(socketserver.ThreadingTCPServer):
    """Wants a certificate of who comes; says 503 to all."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, authority):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*authority.issue("mutual"))
        self.context.load_verify_locations(authority.ca)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.names = []
        super().__init__(("127.0.0.1", 0), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError), self.server.context.wrap_socket(self.request, server_side=True) as tls:
                tls.recv(4096)
                self.server.names.append(tls.getpeercert()["subject"][0][0][1])
                tls.sendall(b"HTTP/1.1 503 no\r\nContent-Length: 0\r\n\r\n")


def test_a_client_certificate_is_shown(tmp_path, authority):
    cert, key = authority.issue("bridge", usage="clientAuth")
    with TlsServer(authority) as server:
        with Bridge(tmp_path, f"https://127.0.0.1:{server.server_address[1]}", source=(
                f"    ca-file: {authority.ca}\n    client-cert: {cert}\n    client-key: {key}\n")) as bridge:
            bridge.wait_log("answered with an error (GET /api/v2/buildinfo: 503)")
            assert server.names[0] == "bridge"
        server.shutdown()


def test_without_the_client_certificate_that_is_wanted_it_is_said(tmp_path, authority):
    with TlsServer(authority) as server:
        with Bridge(tmp_path, f"https://127.0.0.1:{server.server_address[1]}",
                    source=f"    ca-file: {authority.ca}\n") as bridge:
            bridge.wait_log("our client certificate is refused")
            assert not server.names
        server.shutdown()


def test_plain_and_tls_mixed_up(tmp_path, authority):
    with Simulator(tmp_path, ALICE) as sim, Bridge(tmp_path, sim.url.replace("http:", "https:")) as bridge:
        bridge.wait_log("speaks no TLS on this port")


# --- the way there

def in_own_files(folder, resolv_conf, hosts=""):
    """A command before the bridge: it sees other files in /etc."""
    (folder / "resolv.conf").write_text(resolv_conf)
    (folder / "hosts").write_text(hosts)
    script = (f"mount --bind {folder}/resolv.conf /etc/resolv.conf && mount --bind {folder}/hosts /etc/hosts && "
              'exec "$@"')
    return ["unshare", "-m", "sh", "-c", script, "sh"]


def url_as(sim, host):
    return f"http://{host}:{sim.port}"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")
def test_a_refused_first_address_costs_next_to_nothing(tmp_path):
    with Simulator(tmp_path, ALICE) as sim:
        wrap = in_own_files(tmp_path, "", "127.0.0.9 coder.example\n127.0.0.8 coder.example\n127.0.0.1 coder.example\n")
        with Bridge(tmp_path, url_as(sim, "coder.example"), source="    allow-http: true\n", timeouts=", address-delay: 6s", wrap=wrap) as bridge:
            bridge.wait_log("live with", 6)  # sooner than the delay before the next address


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")
def test_a_dropped_first_address_costs_a_quarter_second_and_little_more(tmp_path):
    fill = []
    with Simulator(tmp_path, ALICE) as sim:
        # The full queue of a listener that takes nobody drops what comes.
        deaf = socket.socket()
        deaf.bind(("127.0.0.9", sim.port))
        deaf.listen(0)
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.9", sim.port))
            fill.append(s)
        wrap = in_own_files(tmp_path, "", "127.0.0.9 coder.example\n127.0.0.1 coder.example\n")
        with Bridge(tmp_path, url_as(sim, "coder.example"), source="    allow-http: true\n", wrap=wrap) as bridge:
            bridge.wait_log("waiting -> connecting")
            start = time.monotonic()
            bridge.wait_log("live with")
            assert time.monotonic() - start < 0.6
    for s in [*fill, deaf]:
        s.close()


class NameServer:
    """Answers A with one address, or nothing at all."""

    def __init__(self, host, answer=None):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 53))
        self.answer, self.asked = answer, 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        import dns.message
        import dns.rrset
        with contextlib.suppress(OSError):
            while True:
                data, who = self.socket.recvfrom(4096)
                self.asked += 1
                if not self.answer:
                    continue
                query = dns.message.from_wire(data)
                reply = dns.message.make_response(query)
                if query.question[0].rdtype == 1:
                    reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", self.answer))
                self.socket.sendto(reply.to_wire(), who)

    def close(self):
        self.socket.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="port 53 and mounts need root")
def test_names_resolve_through_resolv_conf(tmp_path):
    server = NameServer("127.0.7.53", "127.0.0.1")
    with Simulator(tmp_path, ALICE) as sim:
        wrap = in_own_files(tmp_path, "nameserver 127.0.7.53\nsearch corp.test\n")
        with Bridge(tmp_path, url_as(sim, "coder"), source="    allow-http: true\n", wrap=wrap) as bridge:
            bridge.wait_log("live with")
            assert server.asked
    server.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="port 53 and mounts need root")
def test_a_dead_name_server_holds_nothing_up_and_the_last_good_address_is_dialled(tmp_path):
    server = NameServer("127.0.8.53", "127.0.0.1")
    with Simulator(tmp_path, ALICE) as sim:
        wrap = in_own_files(tmp_path, "nameserver 127.0.8.53\n")
        with Bridge(tmp_path, url_as(sim, "coder.example.org"), source="    allow-http: true\n",
                    timeouts=", resolve: 2s", wrap=wrap) as bridge:
            bridge.wait_log("live with")
            server.answer = None
            before = server.asked
            sim.say("cut tcp")
            wait_for(lambda: server.asked > before)
            # In the middle of a question that nobody answers: does the loop answer?
            for _ in range(3):
                seen = bridge.log().count("has not changed")
                start = time.monotonic()
                bridge.reload()
                bridge.wait_log("has not changed", 2, seen + 1)
                assert time.monotonic() - start < 0.1
            bridge.wait_log("last good addresses are tried")
            bridge.wait_log("live with", 5, 2)
    server.close()


@pytest.mark.parametrize("drip", [b"", b"X-A: b\r\n"])
def test_a_server_that_says_nothing_or_drips_is_left(tmp_path, drip):
    class Slow(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):
                self.request.recv(4096)
                self.request.sendall(drip and b"HTTP/1.1 200 OK\r\n")
                while True:
                    self.request.sendall(drip)
                    time.sleep(0.1)
    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Bridge(tmp_path, f"http://127.0.0.1:{server.server_address[1]}") as bridge:
            bridge.wait_log("the server does not answer", 6)
        server.shutdown()


# --- headers

def test_headers_of_a_command_go_with_each_request(tmp_path):
    command = tmp_path / "headers.sh"
    command.write_text("#!/bin/sh\ntest -z \"$CODER_SESSION_TOKEN\" && echo X-Gateway=abc=d\n")
    command.chmod(0o700)
    seen = []

    class Look(socketserver.BaseRequestHandler):
        def handle(self):
            seen.append(self.request.recv(4096))
            self.request.sendall(b"HTTP/1.1 503 no\r\nContent-Length: 0\r\n\r\n")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Look) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Bridge(tmp_path, f"http://127.0.0.1:{server.server_address[1]}", env={"CODER_SESSION_TOKEN": "x"},
                    source=f"    header-command: [{command}]\n    headers: ['X-Other: 1']\n"):
            wait_for(lambda: seen)
        server.shutdown()
    assert b"X-Gateway:abc=d" in seen[0].replace(b": ", b":") and b"X-Other: 1" in seen[0]


def test_headers_of_a_command_are_new_at_each_asking(tmp_path):
    """A command gives what runs out; where it fails, what it gave before goes on."""
    command = tmp_path / "headers.sh"
    command.write_text(f"#!/bin/sh\ncd {tmp_path}\necho x >>runs\n[ ! -e fail ] || exit 1\necho X-Run=$(wc -l <runs)\n")
    command.chmod(0o700)
    with Simulator(tmp_path, ALICE) as sim, Bridge(
            tmp_path, sim.url, source=f"    header-command: [{command}]\n    snapshot-interval: 500ms\n") as bridge:
        bridge.wait_log("live with")
        wait_for(lambda: (tmp_path / "runs").read_text().count("x") >= 3)
        (tmp_path / "fail").touch()
        bridge.wait_log("asked again with the headers from before")
        requests = sim.status()["requests"]
        wait_for(lambda: sim.status()["requests"] > requests + 5)
        assert bridge.log().count("live with") == 1


@pytest.mark.parametrize("how", ["folder", "folder that was away", "late folder"])
def test_a_new_token_is_seen_however_it_comes(tmp_path, how):
    """A folder is renamed into its place, or comes when the bridge runs already."""
    old, new = "oldid00000-first-secret", "newid00000-other-secret"

    def make(folder, token):
        folder.mkdir()
        (folder / "token").write_text(token + "\n")
        (folder / "token").chmod(0o600)

    place = tmp_path / "secrets"
    if how != "late folder":
        make(place, old)
    with Simulator(tmp_path, ALICE + f"token {old}\n") as sim, Bridge(tmp_path, sim.url) as bridge:
        bridge.wait_log("attempt 2 failed (unauthorised)")
        bridge.config.write_text(bridge.config.read_text().replace(f"token-file: {tmp_path}/token", f"token-file: {place}/token"))
        bridge.reload()
        if how == "late folder":
            bridge.wait_log("failed (no-token)")
        else:
            bridge.wait_log("live with")
            sim.say(f"token {new}")
            sim.say("cut tcp")
            bridge.wait_log("next in 60000 ms", times=2)
        make(tmp_path / "v2", old if how == "late folder" else new)
        if how != "late folder":
            place.rename(tmp_path / "gone")
        if how == "folder that was away":
            time.sleep(1.5)  # what is seen at once is that nothing is there
        (tmp_path / "v2").rename(place)
        bridge.wait_log("live with", 10, 1 if how == "late folder" else 2)


@pytest.mark.parametrize("text, said", [
    ("#!/bin/sh\nexit 3\n", "ended with status 3"),
    ("#!/bin/sh\nsleep 60\n", "took too long"),
    ("#!/bin/sh\necho nonsense\n", "not NAME=VALUE"),
    ("no program", "cannot be run: Exec format error"),
    ("#!/bin/sh\nchmod 722 $0\nexit 1\n", "others may write it"),
])
def test_a_header_command_that_fails_is_named(tmp_path, text, said):
    command = tmp_path / "headers.sh"
    command.write_text(text)
    command.chmod(0o700)
    with Simulator(tmp_path, ALICE) as sim, Bridge(
            tmp_path, sim.url, source=f"    header-command: [{command}]\n", timeouts=", header-command: 300ms") as bridge:
        bridge.wait_log(said)


# --- without the bridge

def test_follow_prints_what_comes(tmp_path):
    with Simulator(tmp_path, ALICE + f"token {TOKEN}\n") as sim:
        follow = subprocess.Popen([program("examples/follow/holdfast-follow"), "--url", sim.url, "--interval", "1",
                                   "--seconds", "4"], env={**os.environ, "CODER_SESSION_TOKEN": TOKEN},
                                  stdout=subprocess.PIPE, text=True)
        sim.say("await streams 1")
        sim.say("diff alice +2=x%0ay:9=gpu")
        out = follow.communicate(timeout=20)[0]
    assert follow.returncode == 0
    assert "+ workspace 10000000-0000-0000-0000-000000000001 dev" in out
    assert "x\\x0ay" in out
    assert out.count("snapshot of") >= 2


def test_the_right_deployment_is_noticed_without_an_event(tmp_path):
    """... and soon, if it is back soon: nobody has to decide anything."""
    script = "deployment d1\n" + ALICE
    with world_of(tmp_path, script, retry=", permanent: 30s") as (sim, bridge, r):
        lives(r)
        sim.say("deployment d2")
        sim.say("snapshot alice 1=dev:9=main")
        sim.say("cut tcp")
        bridge.wait_log("-> failed")
        assert bridge.ask("status")[0]["sources"][0]["problem"] == "deployment-held"
        upgrades = sim.status()["upgrades"]
        sim.say("deployment d1")
        bridge.wait_log("live with", 12, 2)
        assert sim.status()["upgrades"] == upgrades + 1
        lives(r)
