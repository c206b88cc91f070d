# SPDX-License-Identifier: Apache-2.0
"""
The Debian packages as people meet them, in a root of each release: install, configure, start, upgrade, downgrade, remove, purge; and
holdfast-unbound beside the release's own unbound. Each test begins with a fresh machine without a network.
"""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from machine import CACHE, TOP, Machine, Prober, bash, locked, prepared, wait_for, why_not
from peer import Peer
from zone import program

RELEASES = os.environ.get("HF_PACKAGES", "bookworm trixie").split()
WORLD = "user alice 1\nsnapshot alice 1=dev:7=main 2=web:8=main\n"
NAME, ADDRESS = "main.dev.me.coder", "fd60:627a:a42b::7"
NXDOMAIN = 3
PORT = 5453
CONFIG = "control-group: holdfast-admin\nread-group: holdfast\nsources:\n  - url: {url}\n    token-file: /etc/holdfast/token\n"
STORE = "/var/lib/holdfast/store.db"

# What apt may want later, without a network by then: all of it is fetched, and nothing of it installed but Python, for systemctl.
PREPARE = r"""
mkdir -p /repo/debs
echo 'APT::Keep-Downloaded-Packages "true"; Binary::apt-get::APT::Keep-Downloaded-Packages "true";' >/etc/apt/apt.conf.d/91keep
apt-get -q update
export DEBIAN_FRONTEND=noninteractive
apt-get -qy --no-install-recommends install python3-minimal libpython3-stdlib python3
apt-get -qy --no-install-recommends --download-only install systemd unbound dns-root-data dpkg-dev /files/*.deb
cd /repo
apt-get -q source --download-only unbound || rm -f unbound_* # a mirror need not have the source of what it has
"""


def build(release, output, *options):
    """Builds the packages out of what is committed here."""
    done = subprocess.run([TOP / "packaging/debian/build.sh", "--release", release, "--output", output, *options], capture_output=True,
                          text=True, timeout=3000, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


def made_of():
    """What decides about the packages: all that is committed, but the tests; in an unpacked tarball, when which file was changed."""
    rows = subprocess.run(["git", "ls-tree", "HEAD"], cwd=TOP, capture_output=True, text=True, check=False).stdout.splitlines()
    if not rows:
        files = [p for folder in TOP.iterdir() if not folder.name.startswith("build") for p in [folder, *folder.rglob("*")]]
        rows = [f"{p} {p.stat().st_mtime_ns}" for p in sorted(files) if p.is_file()]
    return "\n".join(row for row in rows if not row.endswith("\ttests"))


def repack(deb, version, folder, change=lambda tree: None):
    """The package as another version of itself."""
    tree, out = folder / "tree", folder / f"{deb.name.split('_')[0]}_{version}_repacked.deb"
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", f"Version: {version}", control.read_text(), flags=re.M))
    change(tree)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", tree, out], check=True, stdout=subprocess.DEVNULL)
    return out


def depends(debs):
    """What they name in Depends, in one line."""
    return " ".join(subprocess.run(["dpkg-deb", "-f", deb, "Depends"], capture_output=True, text=True, check=True).stdout for deb in debs)


@pytest.fixture(scope="session", params=RELEASES)
def release(request):
    why = why_not(request.param)
    if why:
        pytest.skip(why)
    return request.param


@pytest.fixture(scope="session")
def debs(release):
    """The packages' files by name. Those of an earlier run are taken while nothing that is in them has changed."""
    output, mark = CACHE / release / "packages", CACHE / release / "packages.made-of"
    with locked(release):
        if not mark.exists() or mark.read_text() != made_of():
            mark.unlink(missing_ok=True)
            shutil.rmtree(output, ignore_errors=True)
            build(release, output)
            mark.write_text(made_of())
    return {p.name.split("_")[0]: p for p in output.glob("*.deb") if "-dbgsym" not in p.name}


@pytest.fixture(scope="session")
def earlier(debs, tmp_path_factory):
    """The same, as an earlier version."""
    return {name: repack(debs[name], "0.1.0-0.9", tmp_path_factory.mktemp(name)) for name in ("holdfast", "holdfast-dns")}


@pytest.fixture(scope="session")
def lower(release, debs):
    try:
        return prepared(release, "bare-with-debs", PREPARE, depends(debs.values()), files=debs.values())
    except AssertionError as e:
        if re.search("Temporary failure resolving|Could not (resolve|connect)", str(e)):
            pytest.skip("the release's packages cannot be fetched here")
        raise


@pytest.fixture
def machine(lower, tmp_path):
    with Machine(lower, tmp_path / "machine") as m:
        yield m
        print(m.logs()) # seen where the test failed


@pytest.fixture
def sim(machine, tmp_path):
    """A Coder server in the machine's network."""
    command = ["nsenter", "-t", machine.pid, "--net", program("examples/simulator/holdfast-simulator")]
    with Peer(tmp_path, command, WORLD) as s:
        yield s


def install(machine, debs, *names, more=()):
    for name in names:
        machine.put(f"/repo/debs/{debs[name].name}", debs[name].read_bytes())
    return machine.apt("install", *more, *(f"/repo/debs/{debs[name].name}" for name in names))


def configure(machine, sim):
    """As docs/install.md has it."""
    machine.put("/etc/holdfast/token", "tokenid000-secret000\n", 0o600, "holdfast:holdfast")
    machine.put("/etc/holdfast/holdfast.yaml", CONFIG.format(url=sim.url))
    machine.run("runuser", "-u", "holdfast", "--", "holdfastd", "--check")
    machine.systemctl("start", "holdfastd")
    wait_for(lambda: machine.addresses(NAME, port=PORT) == [ADDRESS])


def ctl(machine, *words):
    return machine.run("holdfastctl", *words, check=False)


def installed(machine, name):
    return machine.run("dpkg-query", "-W", "-f", "${Version}", name).stdout


# --- the packages themselves

def test_two_builds_are_equal(release, debs, tmp_path):
    """The second without the tests: they change nothing of what is shipped."""
    build(release, tmp_path, "--nocheck")
    for name, path in debs.items():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), name


# --- bridge and responder

def test_installed_it_waits_configured_it_answers(machine, sim, debs):
    install(machine, debs, "holdfast", "holdfast-dns")
    assert [machine.state(u) for u in ("holdfastd", "holdfast-dns")] == ["inactive", "active"]
    assert "failed" not in machine.log("holdfastd.service")
    groups = machine.run("id", "-Gn", "holdfast").stdout.split(), machine.run("id", "-Gn", "holdfast-dns").stdout.split()
    assert groups == (["holdfast", "holdfast-admin"], ["holdfast-dns", "holdfast"])
    for unit in "holdfastd", "holdfast-dns":
        assert machine.systemctl("is-enabled", unit).stdout.strip() == "enabled"
    for unit in "holdfast-hosts.path", "holdfast-dnsmasq-reload.path":
        assert machine.systemctl("is-enabled", unit, check=False).stdout.strip() == "disabled"
    configure(machine, sim)
    assert machine.addresses(NAME, port=PORT) == [ADDRESS]
    assert ctl(machine, "status").returncode == 0, ctl(machine, "status").stdout
    # Others see neither store nor zone nor token.
    assert machine.owner("/etc/holdfast/token") == "holdfast:holdfast 600"
    assert machine.owner("/var/lib/holdfast") == "holdfast:holdfast 751"
    found = machine.run("find", "/var/lib/holdfast", "/etc/holdfast/token", "-perm", "/o=rw", "!", "-type", "l").stdout
    assert found == ""
    assert machine.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "ls", "/var/lib/holdfast/zone", check=False).returncode


def test_responder_alone_has_its_user_and_the_group(machine, debs):
    install(machine, debs, "holdfast-dns")
    assert machine.state("holdfast-dns") == "active"
    assert machine.run("id", "-Gn", "holdfast-dns").stdout.split() == ["holdfast-dns", "holdfast"]
    install(machine, debs, "holdfast")
    assert machine.run("id", "-gn", "holdfast").stdout.strip() == "holdfast"


def test_names_are_answered_throughout_an_upgrade(machine, sim, debs, earlier):
    install(machine, earlier, "holdfast", "holdfast-dns")
    configure(machine, sim)
    before = ctl(machine, "status", "--json").stdout
    epoch = re.search(r'"epoch": "([^"]+)"', before)[1]
    config = machine.text("/etc/holdfast/holdfast.yaml")
    with Prober(machine, NAME, ADDRESS, PORT) as p:
        install(machine, debs, "holdfast")
        wait_for(lambda: p.asked > 50)
    assert installed(machine, "holdfast") > installed(machine, "holdfast-dns")
    assert not p.wrong and p.asked > 50
    wait_for(lambda: f'"{epoch}"' in ctl(machine, "status", "--json").stdout)
    with Prober(machine, NAME, ADDRESS, PORT) as q:
        install(machine, debs, "holdfast-dns")
        wait_for(lambda: q.asked > 50 and q.good[-1] > q.good[0])
    print(f"asked {p.asked} times while the bridge was replaced, {q.asked} while the responder was: away for {q.gaps()} s")
    assert sum(q.gaps()) < 5 and machine.addresses(NAME, port=PORT) == [ADDRESS]
    assert machine.text("/etc/holdfast/holdfast.yaml") == config
    wait_for(lambda: ctl(machine, "status").returncode == 0)


def test_removed_it_keeps_what_it_knows_and_purged_it_does_not(machine, sim, debs):
    install(machine, debs, "holdfast", "holdfast-dns")
    configure(machine, sim)
    machine.put("/etc/holdfast/own-ca.pem", "the administrator's")
    machine.apt("remove", "holdfast", "holdfast-dns")
    assert [machine.state(u) for u in ("holdfastd", "holdfast-dns")] == ["inactive", "inactive"]
    assert machine.exists(STORE) and machine.exists("/etc/holdfast/holdfast.yaml") and machine.exists("/etc/holdfast/token")
    # Installed again it goes on with all of it, also without the server.
    sim.say("down")
    install(machine, debs, "holdfast", "holdfast-dns")
    wait_for(lambda: machine.addresses(NAME, port=PORT) == [ADDRESS])
    machine.apt("purge", "holdfast", "holdfast-dns")
    for path in "/var/lib/holdfast", "/etc/holdfast/holdfast.yaml", "/etc/holdfast/token":
        assert not machine.exists(path), path
    assert machine.text("/etc/holdfast/own-ca.pem") == "the administrator's"
    left = machine.run("find", "/etc", "/var/lib", "/usr", "/lib/systemd/system", "-name", "*holdfast*").stdout.split()
    assert [p for p in left if p != "/etc/holdfast" and not p.startswith("/var/lib/dpkg/")] == []


# --- one step of the schema down

# The last program of schema 1.
FORMER = "2425fe5~1"
MAKE_FORMER = r"""
cd /former
[ -e build/bridge/holdfastd ] || { meson setup build --prefix=/usr --sysconfdir=/etc --localstatedir=/var && ninja -C build bridge/holdfastd bridge/holdfastctl; }
"""


@pytest.fixture(scope="session")
def former(release, debs, tmp_path_factory):
    """The package of the bridge, with the programs of schema 1 in it; out of the history, where there is one."""
    commit = subprocess.run(["git", "rev-parse", "--verify", "--quiet", FORMER], cwd=TOP, capture_output=True, text=True, check=False).stdout.strip()
    if not commit:
        pytest.skip("the history of this clone does not go back to schema 1")
    root = CACHE / release / "packaging"
    tree = root / "former"
    if not tree.exists():
        tree.mkdir()
        subprocess.run(f"git archive {commit} | tar -x -C {tree}", shell=True, cwd=TOP, check=True)
    done = bash('root=$1; shift; roots_enter "$root" / --net bash -ec "$@"', root, MAKE_FORMER)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]

    def change(deb):
        for name in "holdfastd", "holdfastctl":
            shutil.copy(tree / "build/bridge" / name, deb / "usr/bin" / name)
    return {"holdfast": repack(debs["holdfast"], "0.0.9-1", tmp_path_factory.mktemp("former"), change)}


def schema(machine, path=STORE):
    """Which version made the file, and the oldest whose program may use it."""
    script = f"import sqlite3; print(*sqlite3.connect('file:{path}?mode=ro', uri=True).execute('select version, oldest from meta').fetchone())"
    return tuple(map(int, machine.run("python3", "-c", script).stdout.split()))


def test_the_schema_up_and_down(machine, sim, debs, former):
    install(machine, former, "holdfast")
    install(machine, debs, "holdfast-dns")
    configure(machine, sim)
    assert schema(machine) == (1, 1)
    with Prober(machine, NAME, ADDRESS, PORT) as p:
        install(machine, debs, "holdfast")
        # What docs/upgrade.md has people look at.
        newest, oldest = map(int, re.search(r"schema (\d+), read by programs from schema (\d+) on", machine.run("holdfastd", "--version").stdout).groups())
        wait_for(lambda: schema(machine)[0] == newest and p.asked > 50)
        assert newest > oldest == 1 and schema(machine) == (newest, 1) and schema(machine, STORE + ".v1") == (1, 1)
        assert machine.owner(STORE + ".v1") == "holdfast:holdfast 600"
        # Down: the file says that programs of schema 1 may use it, and they do; the server is away meanwhile.
        sim.say("down")
        install(machine, former, "holdfast", more=["--allow-downgrades"])
        wait_for(lambda: installed(machine, "holdfast") == "0.0.9-1" and machine.state("holdfastd") == "active")
        sim.say("up")
        sim.say("diff alice +3=new:9=main")
        wait_for(lambda: machine.addresses("main.new.me.coder", port=PORT) == ["fd60:627a:a42b::9"])
        # And up again, with what the older one wrote.
        install(machine, debs, "holdfast")
        wait_for(lambda: ctl(machine, "status").returncode == 0)
        assert machine.addresses("main.new.me.coder", port=PORT) == ["fd60:627a:a42b::9"]
    assert not p.wrong
    print(f"asked {p.asked} times, each answered")


# --- what packages beside unbound do

@pytest.mark.parametrize("name", ["holdfast", "holdfast-dns", "holdfast-unbound", "holdfast-doc"])
def test_nothing_shipped_may_be_written_by_others(debs, name):
    """And nothing is a conffile: no answer of dpkg's is needed at an upgrade."""
    rows = subprocess.run(["dpkg-deb", "-c", debs[name]], capture_output=True, text=True, check=True).stdout.splitlines()
    for row in rows:
        mode, owner = row.split()[:2]
        assert owner == "root/root" and (mode[0] == "l" or mode[8] == "-") and mode[3] in "x-" and mode[6] in "x-", row
    assert not [row for row in rows if " ./etc/" in row and not row.startswith("d")]


# --- unbound

FORWARD = "/etc/unbound/unbound.conf.d/holdfast-unbound.conf"
CURRENT = "/var/lib/holdfast-unbound/current"

INDEX = r"""
cd /repo
dpkg-scansources . >Sources 2>/dev/null
printf 'Types: deb-src\nURIs: file:/repo\nSuites: ./\nTrusted: yes\n' >/etc/apt/sources.list.d/repo.sources
"""
# HIGHER HF FOLDER: a package of unbound of a higher version, with the programs of that folder; without, with the same, but not to the byte.
HIGHER = r"""
version=$(dpkg-query -W -f '${Version}' unbound)
rm -rf /tmp/deb && mkdir /tmp/deb
dpkg-deb -R /var/cache/apt/archives/unbound_*.deb /tmp/deb
[ -z "$2" ] || cp "$2"/unbound "$2"/unbound-checkconf /tmp/deb/usr/sbin/
echo "$1" >>/tmp/deb/usr/sbin/unbound
sed -i "s/^Version: .*/Version: $version+$1/" /tmp/deb/DEBIAN/control
rm -f /tmp/deb/DEBIAN/md5sums
dpkg-deb -b -Znone --root-owner-group /tmp/deb /repo/debs/unbound_$1.deb
"""
# The source package of the version that is installed.
HIGHER_SOURCE = r"""
version=$(dpkg-query -W -f '${source:Version}' unbound)
rm -rf /tmp/source && mkdir /tmp/source && cd /tmp/source
cp /repo/unbound_*.orig.tar.* .
dpkg-source --no-check -x /repo/unbound_*.dsc tree >/dev/null
sed -i "1s/([^)]*)/($version)/" tree/debian/changelog
dpkg-source -b tree >/dev/null
rm /repo/unbound_*.dsc /repo/unbound_*.debian.tar.*
mv unbound_*.dsc unbound_*.debian.tar.* /repo/
"""


def answers_by(machine):
    """"module" or "forward": who answers at port 53; None if nobody does."""
    if machine.addresses(NAME) != [ADDRESS]:
        return None
    answer = machine.ask("_holdfast-counters.coder", "TXT")
    return "module" if answer and "name=unbound" in str(answer) else "forward"


def runs(machine):
    """The program that unbound.service runs."""
    exe = machine.run("readlink", f"/proc/{machine.text('/run/systemctl/services/unbound.service/main').strip()}/exe").stdout.strip()
    return exe.removeprefix(str(machine.root))


def wait_build(machine):
    wait_for(lambda: machine.state("holdfast-unbound") == "inactive" or machine.state("holdfast-unbound") == "failed", 900)


@pytest.fixture
def resolver(machine, sim, debs):
    """A machine with unbound, and Holdfast beside it."""
    machine.apt("install", "systemd") # as on each machine; systemctl wants a part of it
    machine.apt("install", "unbound", "dns-root-data", "dpkg-dev")
    assert machine.state("unbound") == "active"
    install(machine, debs, "holdfast", "holdfast-dns")
    configure(machine, sim)
    return machine


def test_without_unbounds_source_the_names_are_forwarded(resolver, debs):
    """No network at all, and dpkg is content."""
    install(resolver, debs, "holdfast-unbound")
    wait_for(lambda: answers_by(resolver) == "forward")
    wait_build(resolver)
    log = resolver.log("holdfast-unbound.service")
    assert "no module: the source package of unbound" in log and "not in this machine's package sources" in log
    assert resolver.state("holdfast-unbound") == "inactive" and runs(resolver) == "/usr/sbin/unbound"
    done = resolver.run("holdfast-unbound", "status", check=False)
    assert done.returncode == 1 and "there is no build yet" in done.stdout
    assert "domain-insecure" in resolver.text(FORWARD)
    assert resolver.addresses("localhost.", kind="A") == ["127.0.0.1"]
    resolver.apt("remove", "holdfast-unbound")
    assert not resolver.exists(FORWARD) and runs(resolver) == "/usr/sbin/unbound" and answers_by(resolver) is None


def test_unbound_with_the_module_through_its_own_upgrades(resolver, debs):
    """HF_UNBOUND_SOURCE: a folder with that source package, where the mirror does not have it."""
    m = resolver
    for path in pathlib.Path(os.environ.get("HF_UNBOUND_SOURCE", "/nonexistent")).glob("unbound_*"):
        m.put(f"/repo/{path.name}", path.read_bytes())
    if not list(m.path("/repo").glob("*.dsc")):
        pytest.skip("the mirror has no source of the release's unbound")
    m.run("bash", "-ec", INDEX)
    with Prober(m, "localhost.", "127.0.0.1", kind="A") as world:
        install(m, debs, "holdfast-unbound")
        wait_for(lambda: answers_by(m))
        with Prober(m, NAME, ADDRESS) as names:
            wait_build(m)
            wait_for(lambda: answers_by(m) == "module")
    print(f"installed: away for {names.gaps()} s, others' names for {world.gaps()} s")
    assert m.run("dpkg", "--verify", "unbound").stdout == "" and not m.exists(FORWARD)
    assert runs(m).startswith("/var/lib/holdfast-unbound/builds/") and m.run("holdfast-unbound", "status").returncode == 0
    status = m.text(f"/proc/{m.text('/run/systemctl/services/unbound.service/main').strip()}/status")
    assert m.run("id", "-u", "unbound").stdout.strip() in re.search(r"^Uid:(.*)$", status, re.M)[1].split()
    assert m.addresses("localhost.", kind="A") == ["127.0.0.1"]
    # Nothing of ours need run.
    m.systemctl("stop", "holdfastd", "holdfast-dns")
    assert m.addresses(NAME) == [ADDRESS]
    m.systemctl("start", "holdfastd", "holdfast-dns")

    # A security update whose source is not in the mirror yet: that very unbound runs, and no name is lost.
    m.run("bash", "-ec", HIGHER, "-", "hf1", "")
    with Prober(m, NAME, ADDRESS) as names:
        m.apt("install", "/repo/debs/unbound_hf1.deb")
        assert runs(m) == "/usr/sbin/unbound"
        wait_for(lambda: answers_by(m) == "forward")
        wait_build(m)
    print(f"unbound upgraded: away for {names.gaps()} s")
    assert m.exists(FORWARD) and runs(m) == "/usr/sbin/unbound" and answers_by(m) == "forward"
    assert "+hf1 is not in this machine's package sources" in m.log("holdfast-unbound.service")

    # Then the source comes, and the timer's next look builds it.
    m.run("bash", "-ec", HIGHER_SOURCE + INDEX)
    m.systemctl("start", "holdfast-unbound")
    wait_for(lambda: answers_by(m) == "module")
    assert not m.exists(FORWARD)

    # A module that unbound cannot load: twice, and unbound runs without it.
    m.run("sh", "-c", f"echo no library >{CURRENT}/new && mv {CURRENT}/new {CURRENT}/holdfast_unbound.so")
    m.systemctl("restart", "unbound", check=False)
    wait_for(lambda: answers_by(m) == "forward")
    assert "has ended twice by a fault" in m.run("holdfast-unbound", "status", check=False).stdout

    # An unbound that can load modules itself: no other one is built.
    m.run("bash", "-ec", HIGHER, "-", "hf2", CURRENT)
    m.apt("install", "/repo/debs/unbound_hf2.deb")
    m.run("bash", "-ec", HIGHER_SOURCE + INDEX)
    wait_build(m)
    m.systemctl("start", "holdfast-unbound")
    wait_for(lambda: answers_by(m) == "module")
    assert runs(m) == "/usr/sbin/unbound" and m.run("readlink", f"{CURRENT}/unbound").stdout.strip() == "/usr/sbin/unbound"

    m.apt("remove", "holdfast-unbound")
    assert runs(m) == "/usr/sbin/unbound" and answers_by(m) is None and m.addresses("localhost.", kind="A") == ["127.0.0.1"]
    m.apt("purge", "holdfast-unbound")
    left = m.run("find", "/etc", "/var/lib", "/var/cache", "/usr/lib/systemd", "/lib/systemd/system", "-path", "*holdfast-unbound*").stdout.split()
    assert [p for p in left if not p.startswith(("/var/lib/dpkg/", "/var/lib/systemd/"))] == []
