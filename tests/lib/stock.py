# SPDX-License-Identifier: Apache-2.0
"""Stock resolvers as Debian has them, run by tests on loopback in a folder of the test's, configured by `holdfastctl setup`."""
import os
import re
import shutil
import subprocess
import time

import pytest

from server import Server, free_port, question, wait_for
from setup import setup_files, setup_text

REVERSE = "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"


def need(name, more="/usr/sbin:/sbin"):
    """The path of a program that the machine may not have; the test is skipped then."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{more}")
    if not path:
        pytest.skip(f"{name} is not installed")
    return path


def run(folder, command, port, probe="is.it.up.coder", host="127.0.0.1"):
    """Starts a server and waits until it answers anything at all."""
    server = Server(folder, command, port)

    def up():
        assert server.alive(), server.log()
        return server.raw(question(probe).to_wire(), timeout=0.3, host=host)

    try:
        wait_for(up, 20)
    except BaseException:
        server.process.kill()
        raise
    return server


ROOT_ANCHOR = ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"

# Each function below starts one resolver with the lines that `holdfastctl setup` prints for it, where `target` is the port of
# holdfast-dns. `upstream` is a port of 127.0.0.1 that all other names are forwarded to (0: nobody). `guarded`: it validates, with
# the root's trust anchor, and takes private addresses out of answers.


def unbound(folder, target, suffixes=("coder",), upstream=0, guarded=False):
    port = free_port()
    path = folder / "unbound.conf"
    other = f'forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@{upstream}\n' if upstream else ""
    guards = f"""server:
  private-address: fc00::/7
  private-address: 10.0.0.0/8
  trust-anchor: "{ROOT_ANCHOR}"
  module-config: "validator iterator"
""" if guarded else 'server:\n  module-config: "iterator"\n'
    path.write_text(f"""
server:
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  interface: 127.0.0.1@{port}
  port: {port}
  num-threads: 1
remote-control:
  control-enable: no
{guards}{other}
{setup_text(folder, "unbound-forward", target, suffixes)}""")
    return run(folder, [need("unbound"), "-d", "-c", path], port)


def named(folder, target, suffixes=("coder",), upstream=0, guarded=False):
    port = free_port()
    path = folder / "named.conf"
    files = setup_files(folder, "bind", target, suffixes)
    (folder / "db.holdfast").write_text(files["/etc/bind/db.holdfast"])
    zones = files["/etc/bind/named.conf.local"].replace("/etc/bind/db.holdfast", str(folder / "db.holdfast"))
    excepted = " ".join(f'"{s}";' for s in suffixes)
    guards = f"""
  dnssec-validation yes;
  deny-answer-addresses {{ fc00::/7; 10.0.0.0/8; }} except-from {{ {excepted} }};
""" if guarded else "dnssec-validation no;"
    words = ROOT_ANCHOR.split()
    anchor = f'trust-anchors {{ . static-ds {" ".join(words[3:6])} "{words[6]}"; }};' if guarded else ""
    other = f"forward only; forwarders {{ 127.0.0.1 port {upstream}; }};" if upstream else ""
    path.write_text(f"""
options {{
  directory "{folder}";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  pid-file none;
  session-keyfile none;
  recursion yes;
  {guards}
  {other}
{files["/etc/bind/named.conf.options"]}
}};
controls {{ }};
{anchor}
{zones}""")
    return run(folder, [need("named"), "-g", "-n", "1", "-c", path], port)


def authority(folder, records):
    """A BIND that is the authority for everything: `records` are lines of the root zone, beside what each zone must have."""
    port = free_port()
    (folder / "root.zone").write_text("$TTL 300\n. IN SOA root.example. nobody.example. 1 3600 600 86400 60\n. IN NS root.example.\n"
                                      "root.example. IN A 127.0.0.1\n" + "\n".join(records) + "\n")
    config = folder / "authority.conf"
    config.write_text(f"""
options {{
  directory "{folder}";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  pid-file none;
  session-keyfile none;
  recursion no;
  minimal-responses no;
  rrset-order {{ order none; }};
}};
controls {{ }};
zone "." {{ type primary; file "root.zone"; }};
""")
    return run(folder, [need("named"), "-g", "-n", "1", "-c", config], port)


def kresd(folder, target, suffixes=("coder",), upstream=0, guarded=False):
    said = subprocess.run([need("kresd"), "--version"], capture_output=True, text=True, check=False)
    is_5 = "version 5." in said.stdout + said.stderr
    return (kresd_5 if is_5 else kresd_6)(folder, target, suffixes, upstream, guarded)


def kresd_6(folder, target, suffixes, upstream, guarded):
    """With its manager, which reads the YAML and starts the servers, as its package starts it."""
    port = free_port()
    (folder / "root.keys").write_text(ROOT_ANCHOR + "\n")
    text = setup_text(folder, "knot-resolver", target, suffixes)
    if upstream:
        text = text.replace("forward:\n", f'''forward:
  - subtree: "."
    servers: ["127.0.0.1@{upstream}"]
    options:
      dnssec: false
''')
    guards = f"""
dnssec:
  trust-anchors-files:
    - file: {folder}/root.keys
      read-only: true
""" if guarded else "dnssec: { enable: false }\n"
    (folder / "config.yaml").write_text(f"""
rundir: {folder}
workers: 1
management:
  unix-socket: {folder}/kres-api.sock
options:
  priming: false
  time-jump-detection: false
  rebinding-protection: {"true" if guarded else "false"}
network:
  listen:
    - interface: 127.0.0.1@{port}
cache:
  storage: {folder}
  size-max: 10M
  ttl-min: 1s
{guards}
{text}""")
    server = run(folder, [need("knot-resolver"), "-c", folder / "config.yaml"], port)
    # The manager tries the configuration in a server that answers, and ends that one before it starts another.
    good = [time.monotonic()]

    def stays_up():
        if not server.raw(question("is.it.up.coder").to_wire(), timeout=0.3):
            good[0] = time.monotonic()
        return time.monotonic() - good[0] > 2

    wait_for(stays_up, 30, 0.05)
    return server


def kresd_5(folder, target, suffixes, upstream, guarded):
    port = free_port()
    path = folder / "kresd.conf"
    (folder / "root.keys").write_text(ROOT_ANCHOR + "\n")
    guards = f"""
trust_anchors.remove('.')
trust_anchors.add_file('{folder}/root.keys', true)
modules.load('rebinding < iterate')
""" if guarded else "trust_anchors.remove('.')"
    other = f"policy.add(policy.all(policy.STUB('127.0.0.1@{upstream}')))" if upstream else ""
    path.write_text(f"""
net.listen('127.0.0.1', {port}, {{ kind = 'dns' }})
cache.open(10 * MB)
cache.min_ttl(1)
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('priming')
modules.unload('detect_time_skew')
{guards}
{setup_text(folder, "knot-resolver", target, suffixes)}
{other}
""")
    return run(folder, [need("kresd"), "-n", "-c", path, folder], port)


def dnsmasq(folder, target, suffixes=("coder",), upstream=0, guarded=False):
    port = free_port()
    path = folder / "dnsmasq.conf"
    words = ROOT_ANCHOR.split()
    guards = f"stop-dns-rebind\nbogus-priv\ndnssec\ntrust-anchor=.,{','.join(words[3:])}\n" if guarded else ""
    other = f"server=127.0.0.1#{upstream}\n" if upstream else ""
    path.write_text(f"""
no-resolv
no-hosts
log-facility=-
listen-address=127.0.0.1
bind-interfaces
port={port}
{guards}{other}
{setup_text(folder, "dnsmasq-forward", target, suffixes)}""")
    return run(folder, [need("dnsmasq"), "--keep-in-foreground", f"--conf-file={path}", "--pid-file=", "--user="], port)


def dnsmasq_version():
    said = subprocess.run([need("dnsmasq"), "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(map(int, re.search(r"version (\d+)\.(\d+)", said).groups()))


def pdns_version():
    said = subprocess.run([need("pdns_recursor"), "--version"], capture_output=True, text=True, check=False)
    return int(re.search(r"PowerDNS Recursor (\d+)", said.stdout + said.stderr)[1])


def pdns_recursor(folder, target, suffixes=("coder",), upstream=0, guarded=False):
    return (pdns_recursor_4 if pdns_version() < 5 else pdns_recursor_5)(folder, target, suffixes, upstream, guarded)


def pdns_recursor_4(folder, target, suffixes, upstream, guarded):
    port = free_port()
    files = setup_files(folder, "powerdns-recursor", target, suffixes)
    (folder / "recursor.lua").write_text(files["/etc/powerdns/recursor.lua"])
    other = f"forward-zones-recurse=.=127.0.0.1:{upstream}\n" if upstream else ""
    (folder / "recursor.conf").write_text(f"""
local-address=127.0.0.1
local-port={port}
socket-dir={folder}
daemon=no
threads=1
disable-syslog=yes
security-poll-suffix=
lua-config-file={folder}/recursor.lua
dnssec={"validate" if guarded else "off"}
{other}
{files["/etc/powerdns/recursor.d/holdfast.conf"]}""")
    return run(folder, [need("pdns_recursor"), f"--config-dir={folder}"], port)


def pdns_recursor_5(folder, target, suffixes, upstream, guarded):
    """As Debian 13 has it: YAML, and a folder of further files that setup's goes into."""
    port = free_port()
    ((path, text),) = setup_files(folder, "powerdns-recursor", target, suffixes).items()
    (folder / "recursor.d").mkdir(exist_ok=True)
    (folder / "recursor.d" / path.rsplit("/", 1)[1]).write_text(text)
    other = f"""
  forward_zones_recurse:
    - {{ zone: ".", forwarders: ["127.0.0.1:{upstream}"] }}""" if upstream else ""
    (folder / "recursor.conf").write_text(f"""
incoming:
  listen: ["127.0.0.1"]
  port: {port}
logging:
  disable_syslog: true
dnssec:
  validation: {"validate" if guarded else "off"}
recursor:
  socket_dir: {folder}
  daemon: false
  threads: 1
  security_poll_suffix: ''
  include_dir: {folder}/recursor.d{other}
""")
    return run(folder, [need("pdns_recursor"), f"--config-dir={folder}"], port)


def resolved(folder, target, suffixes=("coder",), upstream=0, guarded=False):
    """
    systemd-resolved as a program: it reads its files where they are, so /etc/systemd and /run are its own here. It is not installed
    by the tests, since its package takes the machine's /etc/resolv.conf; a root of tests/distro has it.
    """
    program = need("systemd-resolved", more="/usr/lib/systemd:/lib/systemd")
    if os.geteuid() or subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("systemd-resolved needs files in /etc of its own: only root can give it these")
    said = subprocess.run(["ip", "-o", "addr", "show", "up", "scope", "global"], capture_output=True, text=True, check=False).stdout
    if not [line for line in said.splitlines() if line.split()[1] != "lo"]:
        pytest.skip("systemd-resolved asks nobody, not even servers of this machine, where no link has an address")
    port = free_port()
    files = setup_files(folder, "systemd-resolved", target, suffixes)
    (folder / "holdfast.negative").write_text(files.pop("/etc/dnssec-trust-anchors.d/holdfast.negative"))
    (folder / "root.positive").write_text(ROOT_ANCHOR + "\n")
    ((path, text),) = files.items()
    place = folder / path.removeprefix("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    if upstream and "resolved.conf.d" in path:
        pytest.skip("this systemd-resolved has one list of servers: others' names have theirs by link, which a test has not")
    other = f"DNS=127.0.0.1:{upstream}\nDomains=~.\n" if upstream else ""
    (folder / "etc/systemd/resolved.conf").write_text(f"""[Resolve]
DNSStubListener=no
DNSStubListenerExtra=127.0.0.1:{port}
DNSSEC={"yes" if guarded else "no"}
LLMNR=no
MulticastDNS=no
FallbackDNS=
{other}""")
    script = folder / "resolved.sh"
    script.write_text(f"""set -e
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /etc/systemd
cp -r {folder}/etc/systemd/. /etc/systemd/
mkdir /run/systemd /run/dnssec-trust-anchors.d
cp {folder}/holdfast.negative {folder}/root.positive /run/dnssec-trust-anchors.d/
exec {program}
""")
    return run(folder, ["unshare", "--mount", "--propagation", "private", "sh", script], port)


FORWARDERS = {"unbound": unbound, "named": named, "kresd": kresd, "dnsmasq": dnsmasq, "pdns_recursor": pdns_recursor, "resolved": resolved}
