# SPDX-License-Identifier: Apache-2.0
"""The way to the server, end to end: proxies of each kind, certificates of both sides, and the name through the resolver that we feed."""
import contextlib
import os
import shutil
import socket
import struct
import threading
import time

import dns.resolver
import pytest

from bridge import TOKEN, Bridge
from certs import Authority
from peer import GoPeer, Simulator, go_peer
from proxy import Proxy, Socks
from server import Responder, Server, addresses, free_port, wait_for

ALICE = "user alice 1\nsnapshot alice 1=dev:7=main\n"
NAME = "main.dev.me.coder"
# Of a server whose name only the proxy knows.
HIDDEN = "coder.behind.invalid"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def cert(authority):
    return authority.issue("server", san=f"IP:127.0.0.1,DNS:localhost,DNS:{HIDDEN}")


@contextlib.contextmanager
def lives(folder, script=ALICE, tls=None, host=None, **more):
    """A bridge that must become live."""
    with Simulator(folder, script, tls=tls) as sim:
        url = sim.url.replace("127.0.0.1", host) if host else sim.url
        with Bridge(folder, url, **more) as bridge, Responder(folder, folder / "zone") as r:
            wait_for(lambda: addresses(r.ask(NAME)))
            yield sim, bridge


PROXIES = {
    "http": lambda cert, **m: Proxy(**m),
    "https": lambda cert, **m: Proxy(tls=cert, **m),
    "socks4a": lambda cert, **m: Socks("socks4a", **m),
    "socks5": lambda cert, **m: Socks("socks5", **m),
    "socks5h": lambda cert, **m: Socks("socks5h", **m),
}


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("kind", PROXIES)
def test_through_a_proxy_of_each_kind(tmp_path, authority, cert, kind, tls):
    with PROXIES[kind](cert) as proxy:
        with lives(tmp_path, tls=cert if tls else None, source=f"    proxy: {proxy.url}\n    ca-file: {authority.ca}\n") as (sim, bridge):
            assert set(proxy.connects) == {"127.0.0.1"} and not proxy.refused
            before = len(proxy.connects)
            sim.say("cut rst")
            bridge.wait_log("live with", times=2)
            assert len(proxy.connects) > before
            sim.say("snapshot alice 1..3000=dev:main")  # more than one buffer
            sim.say("cut ws")
            bridge.wait_log("3000 workspaces")


@pytest.mark.parametrize("kind", ["http", "https", "socks4a", "socks5h"])
def test_the_proxy_resolves_the_servers_name(tmp_path, authority, cert, kind):
    with PROXIES[kind](cert, to="127.0.0.1") as proxy:
        with lives(tmp_path, tls=cert, host=HIDDEN, source=f"    proxy: {proxy.url}\n    ca-file: {authority.ca}\n"):
            assert set(proxy.connects) == {HIDDEN}


@pytest.mark.parametrize("kind", ["http", "https", "socks5h"])
def test_a_proxy_gets_its_login_and_nobody_else(tmp_path, authority, cert, kind):
    with PROXIES[kind](cert, login="some:body") as proxy:
        with lives(tmp_path, source=f"    proxy: '{proxy.url}'\n    ca-file: {authority.ca}\n") as (sim, bridge):
            assert proxy.connects and "body" not in bridge.log()
        proxy.login = "some:other"
        with Bridge(tmp_path, "http://127.0.0.1:9", source=f"    proxy: '{proxy.url.replace('other', 'body')}'\n"
                    f"    ca-file: {authority.ca}\n") as bridge:
            bridge.wait_log("the proxy refuses")
            assert "body" not in bridge.log()


@pytest.mark.parametrize("kind", PROXIES)
def test_a_proxy_that_refuses_gets_no_token(tmp_path, authority, cert, kind):
    with PROXIES[kind](cert, refuse=True) as proxy, Simulator(tmp_path, ALICE) as sim:
        with Bridge(tmp_path, sim.url, source=f"    proxy: {proxy.url}\n    ca-file: {authority.ca}\n") as bridge:
            bridge.wait_log("the proxy refuses")
            assert sim.status()["connections"] == 0
        assert proxy.refused and not any(TOKEN.encode() in what for what in proxy.refused)


def test_a_proxy_whose_certificate_is_not_trusted_is_not_spoken_to(tmp_path, cert):
    with Proxy(tls=cert) as proxy, Simulator(tmp_path, ALICE) as sim:
        with Bridge(tmp_path, sim.url, source=f"    proxy: {proxy.url}\n") as bridge:
            bridge.wait_log("is not trusted")
        assert not proxy.connects and not proxy.refused and sim.status()["connections"] == 0


@pytest.mark.parametrize("name, tls, used", [
    ("http_proxy", False, True), ("all_proxy", False, True), ("ALL_PROXY", True, True), ("https_proxy", True, True),
    ("HTTPS_PROXY", True, True), ("http_proxy", True, False), ("https_proxy", False, False), ("HTTP_PROXY", False, False)])
def test_the_usual_variables_name_the_proxy(tmp_path, authority, cert, name, tls, used):
    with Proxy() as proxy:
        source = f"    ca-file: {authority.ca}\n"
        with lives(tmp_path, tls=cert if tls else None, source=source, env={name: proxy.url}):
            assert bool(proxy.connects) == used


@pytest.mark.parametrize("no_proxy, used", [
    ("127.0.0.1", False), ("*", False), ("example.com, 127.0.0.1", False), ("127.0.0.2,example.com", True), ("", True)])
def test_no_proxy_names_what_is_reached_without(tmp_path, no_proxy, used):
    with Proxy(refuse=not used) as proxy:
        with lives(tmp_path, env={"http_proxy": proxy.url, "no_proxy": no_proxy}):
            assert bool(proxy.connects) == used and not proxy.refused


@pytest.mark.skipif(not go_peer(), reason="tests/peer is not built")
def test_a_client_certificate_opens_the_stream(tmp_path, authority):
    cert, key = authority.issue("bridge", usage="clientAuth")
    with GoPeer.with_own_ca(tmp_path, ALICE) as peer:
        peer.say("fault tls-client-certificate")
        with Bridge(tmp_path, peer.url, source=f"    ca-file: {tmp_path}/ca.pem\n    client-cert: {cert}\n    client-key: {key}\n") as bridge:
            bridge.wait_log("live with")
            peer.say("cut tcp")
            bridge.wait_log("live with", times=2)


def weak_hello(cipher):
    """A ServerHello of TLS 1.2 that chooses `cipher`, which nobody offered."""
    body = b"\x03\x03" + bytes(32) + b"\x00" + cipher.to_bytes(2, "big") + b"\x00"
    message = b"\x02" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message


@pytest.mark.parametrize("cipher", [0x0000, 0x0001, 0x0002, 0x003b, 0xc006, 0x0003, 0x0006, 0x0008, 0x0017, 0x0034, 0x0004],
                         ids="null null-md5 null-sha null-sha256 ecdhe-null exp-rc4 exp-rc2 exp-des exp-anon anon-aes rc4".split())
def test_null_export_and_anonymous_ciphers_are_refused(tmp_path, authority, cipher):
    said = []

    def serve(listener):
        with contextlib.suppress(OSError):
            while True:
                conn, _ = listener.accept()
                with conn, contextlib.suppress(OSError):
                    conn.settimeout(2)
                    conn.recv(4096)
                    conn.sendall(weak_hello(cipher))
                    said.append(conn.recv(4096))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        with Bridge(tmp_path, f"https://127.0.0.1:{listener.getsockname()[1]}", source=f"    ca-file: {authority.ca}\n") as bridge:
            bridge.wait_log("the TLS handshake failed")
            bridge.wait_log("-> failed")
    assert said and said[0][:1] == b"\x15", "an alert, and nothing else"


class Cutter:
    """A listener of TCP alone that ends each connection in mid handshake; dials: how many came."""

    def __init__(self, how):
        self.how, self.dials, self.over = how, 0, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.1)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over:
            with contextlib.suppress(OSError):
                conn, _ = self.listener.accept()
                self.dials += 1
                with conn:
                    if "hello" in self.how:
                        conn.recv(4096)
                    if "half" in self.how:
                        conn.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03")
                    if "rst" in self.how:
                        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def stop(self):
        self.over = True
        self.thread.join(5)
        self.listener.close()


@pytest.mark.parametrize("how", ["fin", "rst", "fin hello", "rst hello", "fin hello half", "rst hello half"])
def test_a_handshake_that_is_cut_is_tried_again_soon(tmp_path, authority, cert, how):
    """A balancer without a backend, a server that restarts: ten seconds of that are not five minutes."""
    cutter = Cutter(how)
    with Bridge(tmp_path, f"https://127.0.0.1:{cutter.port}", f"    ca-file: {authority.ca}\n") as bridge:
        wait_for(lambda: cutter.dials >= 5)
        # A reset that comes at once is sometimes one of the connecting itself.
        assert "-> failed" not in bridge.log() and ("the connection broke" in bridge.log() or how == "rst" and "unreachable" in bridge.log())
        cutter.stop()
        with Simulator(tmp_path, ALICE, port=cutter.port, tls=cert), Responder(tmp_path, tmp_path / "zone") as r:
            wait_for(lambda: addresses(r.ask(NAME)), 5)


# --- the resolver that we feed

def in_own_files(folder, resolv_conf):
    """A command before the bridge: it sees another resolv.conf, and no hosts."""
    (folder / "resolv.conf").write_text(resolv_conf)
    (folder / "hosts").write_text("")
    script = f"mount --bind {folder}/resolv.conf /etc/resolv.conf && mount --bind {folder}/hosts /etc/hosts && exec \"$@\""
    return ["unshare", "-m", "sh", "-c", script, "sh"]


def system_resolver(folder, address, target):
    """An unbound at port 53 of `address` that has our names from holdfast-dns, and Coder's own as its local data."""
    conf = folder / "system.conf"
    conf.write_text(f"""
server:
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  interface: {address}
  port: 53
  do-not-query-localhost: no
  module-config: "iterator"
  local-zone: "company.example." static
  local-data: "coder.company.example. 60 IN A 127.0.0.1"
  domain-insecure: "coder"
  local-zone: "coder." nodefault
forward-zone:
  name: "coder."
  forward-addr: 127.0.0.1@{target}
""")
    return Server(folder, [shutil.which("unbound", path=os.environ["PATH"] + ":/usr/sbin"), "-d", "-c", conf], 53)


@pytest.mark.skipif(os.geteuid() != 0, reason="port 53 and mounts need root")
@pytest.mark.skipif(not shutil.which("unbound", path=os.environ["PATH"] + ":/usr/sbin"), reason="unbound is not installed")
def test_the_name_resolves_through_the_resolver_that_we_feed_and_without_it(tmp_path):
    address = "127.0.9.53"
    asks = dns.resolver.Resolver(configure=False)
    asks.nameservers, asks.lifetime = [address], 2
    port = free_port()

    def resolves(name, kind):
        with contextlib.suppress(dns.exception.DNSException):
            return [r.address for r in asks.resolve(name, kind)]
        return None

    wrap = in_own_files(tmp_path, f"nameserver {address}\n")
    with Simulator(tmp_path, ALICE) as sim, system_resolver(tmp_path, address, port) as resolver:
        wait_for(lambda: resolves("coder.company.example", "A"))
        url = f"http://coder.company.example:{sim.port}"
        with Bridge(tmp_path, url, source="    allow-http: true\n", timeouts=", resolve: 1s", wrap=wrap) as bridge:
            with Responder(tmp_path, tmp_path / "zone", port=port):
                wait_for(lambda: resolves(NAME, "AAAA"), 20)
                resolver.stop()
                # The resolver is away, and with it the name of the server: the last good address is dialled.
                start = time.monotonic()
                sim.say("cut tcp")
                bridge.wait_log("last good addresses are tried")
                bridge.wait_log("live with", times=2)
                assert time.monotonic() - start < 5
                sim.say("diff alice +2=new:9=main")
                with system_resolver(tmp_path, address, port):
                    wait_for(lambda: resolves("main.new.me.coder", "AAAA"), 20)
        # A bridge that begins while the resolver is away finds the address in its store.
        with Bridge(tmp_path, url, source="    allow-http: true\n", timeouts=", resolve: 1s", wrap=wrap) as bridge:
            bridge.wait_log("last good addresses are tried")
            bridge.wait_log("live with")
