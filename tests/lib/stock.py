"""Stock resolvers as Debian has them, run by tests on loopback with the least configuration, in a folder of the test's."""
import os
import shutil

import pytest

from server import Server, free_port, question, wait_for

REVERSE = "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"


def need(name):
    """The path of a program that the machine may not have; the test is skipped then."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        pytest.skip(f"{name} is not installed")
    return path


def run(folder, command, port, probe="is.it.up.coder"):
    """Starts a server and waits until it answers anything at all."""
    server = Server(folder, command, port)

    def up():
        assert server.alive(), server.log()
        return server.raw(question(probe).to_wire(), timeout=0.3)

    try:
        wait_for(up, 20)
    except BaseException:
        server.process.kill()
        raise
    return server


def unbound(folder, target, suffix="coder", more=""):
    """An unbound that forwards suffix and reverse zone to `target`, a port of 127.0.0.1."""
    port = free_port()
    config = folder / "unbound.conf"
    zones = "".join(f'forward-zone:\n  name: "{zone}."\n  forward-addr: 127.0.0.1@{target}\n' for zone in (suffix, REVERSE))
    config.write_text(f"""
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
  do-not-query-localhost: no
  domain-insecure: "{suffix}."
  domain-insecure: "{REVERSE}."
  local-zone: "{REVERSE}." transparent
{more}
remote-control:
  control-enable: no
{zones}""")
    return run(folder, [need("unbound"), "-d", "-c", config], port)


def named(folder, target, suffix="coder"):
    """The same with BIND."""
    port = free_port()
    config = folder / "named.conf"
    zones = "".join(f'zone "{zone}" {{ type forward; forward only; forwarders {{ 127.0.0.1 port {target}; }}; }};\n'
                    for zone in (suffix, REVERSE))
    config.write_text(f"""
options {{
  directory "{folder}";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  pid-file none;
  session-keyfile none;
  dnssec-validation no;
  recursion yes;
  disable-empty-zone "D.F.IP6.ARPA";
}};
controls {{ }};
{zones}""")
    return run(folder, [need("named"), "-g", "-n", "1", "-c", config], port)


def kresd(folder, target, suffix="coder"):
    """The same with Knot Resolver."""
    port = free_port()
    config = folder / "kresd.conf"
    config.write_text(f"""
net.listen('127.0.0.1', {port}, {{ kind = 'dns' }})
cache.open(10 * MB)
cache.min_ttl(1)
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('priming')
modules.unload('detect_time_skew')
trust_anchors.remove('.')
policy.add(policy.suffix(policy.STUB({{ '127.0.0.1@{target}' }}),
  policy.todnames({{ '{suffix}.', '{REVERSE}.' }})))
""")
    return run(folder, [need("kresd"), "-n", "-c", config, folder], port)


def dnsmasq(folder, target, suffix="coder"):
    """The same with dnsmasq."""
    port = free_port()
    return run(folder, [need("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=",
                        "--no-resolv", "--no-hosts", "--log-facility=-", "--listen-address=127.0.0.1",
                        "--bind-interfaces", f"--port={port}", f"--server=/{suffix}/127.0.0.1#{target}",
                        f"--server=/{REVERSE}/127.0.0.1#{target}"], port)


FORWARDERS = {"unbound": unbound, "named": named, "kresd": kresd, "dnsmasq": dnsmasq}
