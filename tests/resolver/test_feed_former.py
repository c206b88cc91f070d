# SPDX-License-Identifier: Apache-2.0
"""
A suffix that left, and comes back with an older start file: unbound has read it by the time the bridge looks. Names, pointers, SOA and zone
are to go again; what others have below it stays, and so does what another bridge feeds.
"""
import signal

import pytest

from fed_stand import ALL, Stand, ask, names, pointer, until
from peer import Simulator
from zone import address

FORMER, OTHER = "beta.example", "other.example"
WORLD = "user bob\nsnapshot bob 11=dev2:17=main 12=web2:18=main\n"
# As the start file of another bridge, which is not there now.
OTHERS_FILE = f"""  local-zone: "{OTHER}." static
  local-data: "{OTHER}. 30 SOA holdfast.invalid. nobody.invalid. 1 60 60 2419200 30"
  local-data: "theirs.{OTHER}. 30 AAAA {address(99)}"
"""


@pytest.fixture(params=["include", "zonefile"])
def form(request):
    return request.param


class Former:
    """A stand whose second suffix has left, and `files`, the start files of before. `leaving` is called as it begins to leave."""

    def __init__(self, stand, form, world=WORLD, more="", gate=False, leaving=lambda: None):
        self.s = stand
        other = Simulator(stand.folder, world)
        stand.servers.append(other)
        stand.sources = [("main", stand.server.url, "coder"), ("two", other.url, FORMER)]
        server = OTHERS_FILE + (stand.include() if form == "include" else "")
        stand.unbound(server=server, gate=gate)
        stand.run(stand.unbound_entry(form, file="start.conf" if form == "include" else "start.zone", more=more))
        until(lambda: stand.in_unbound(ALL))
        if form == "zonefile":
            stand.ub.configure(stand.setup_lines(), server)
            stand.ub.restart()
        until(self.not_fed)
        self.files = {p: p.read_bytes() for p in self.paths()}
        leaving()
        stand.sources.pop()
        stand.configure(*stand.feeds)
        until(self.left)
        stand.synced()

    def paths(self):
        return [p for p in self.s.start.iterdir() if not p.name.startswith(".")]

    def text(self):
        return "".join(p.read_text() for p in self.paths())

    def not_fed(self):
        text = self.text()
        missing = [n for n in names("web2", FORMER, "bob") if ask(self.s.ub.port, n) != address(18) or f"{n}." not in text]
        return f"missing: {missing}" if missing else self.s.in_unbound(ALL)

    def left(self, but="-"):
        """What is there of the former suffix: in unbound, by questions, in the files."""
        ub = self.s.ub
        left = [line for line in ub.data() if FORMER in line and but not in line]
        left += [f"{z} {kind}" for z, kind in ub.zones().items() if FORMER in z and (but == "-" or kind != "transparent")]
        left += [n for n in names("web2", FORMER, "bob") if ask(ub.port, n) == address(18)]
        left += [p for n in (17, 18) if FORMER in (p := pointer(ub.port, n))]
        left += [w for w in self.text().split() if f"web2.{FORMER}" in w]
        return f"left: {len(left)}, such as {left[:4]}" if left else self.s.in_unbound(ALL)

    def put_back(self):
        for path, data in self.files.items():
            path.write_bytes(data)

    def comes_back(self, how=signal.SIGTERM):
        self.put_back()
        self.s.ub.restart(how)
        assert ask(self.s.ub.port, names("web2", FORMER)[0]) == address(18)


@pytest.mark.parametrize("bridge", ["dead", "alive"])
def test_an_older_start_file_brings_no_former_suffix_back_for_long(tmp_path, form, bridge):
    with Stand(tmp_path) as s:
        former = Former(s, form)
        if bridge == "dead":
            s.end(signal.SIGKILL)
            former.comes_back()
            s.run(synced=False)
        else:
            former.put_back()
            s.ub.restart()
        until(former.left)
        s.synced()
        assert ask(s.ub.port, f"theirs.{OTHER}") == address(99)
        assert s.ub.zones()[f"{OTHER}."] == "static"


def test_nor_does_one_that_unbound_cannot_list(tmp_path):
    """The start file says what there is."""
    with Stand(tmp_path) as s:
        former = Former(s, "include", WORLD.strip() + "".join(f" {n}=work{n}:{n}=main" for n in range(100, 500)) + "\n")
        with s.hung():
            former.comes_back(signal.SIGKILL)
            assert sum(len(line) + 2 for line in s.ub.data()) > 64 * 1024
        until(former.left, 30)
        s.synced()


def test_a_zone_without_names_goes_too(tmp_path):
    """Nothing below it is ever taken, so no canary is there either."""
    with Stand(tmp_path) as s:
        former = Former(s, "include")
        s.end(signal.SIGKILL)
        for path, data in former.files.items():
            lines = data.decode().splitlines(True)
            path.write_text("".join(line for line in lines if FORMER not in line or "SOA" in line or "local-zone" in line))
        s.ub.restart()
        assert f"{FORMER}." in s.ub.zones()
        s.run(synced=False)
        until(former.left)


def test_the_file_is_without_it_before_the_zone_goes(tmp_path):
    """Else a reload between the two brings it back, out of a file that is written anew by the time anybody looks."""
    with Stand(tmp_path) as s:
        seen = []
        Former(s, "include", gate=True, leaving=lambda: s.gate.at(
            f"local_zone_remove {FORMER}", lambda: seen.append(FORMER in (s.start / "start.conf").read_text())))
        assert seen == [False]


def test_what_others_have_below_it_stays(tmp_path):
    with Stand(tmp_path) as s:
        former = Former(s, "include")
        with s.hung():
            former.comes_back(signal.SIGKILL)
            assert s.ub.command(f"local_data theirs.{FORMER}. 300 IN AAAA 2001:db8::66") == "ok\n"
        until(lambda: former.left(f"theirs.{FORMER}"))
        assert ask(s.ub.port, f"theirs.{FORMER}") == "2001:db8::66"
        assert s.ub.zones()[f"{FORMER}."] == "transparent"


def test_a_clean_end_right_after_it_leaves_nothing(tmp_path, form):
    with Stand(tmp_path) as s:
        former = Former(s, form, more=", teardown: clean")
        with s.hung():
            former.comes_back(signal.SIGKILL)
            s.bridge.process.send_signal(signal.SIGTERM)
        assert s.bridge.process.wait(20) == 0
        assert "such as" not in former.left()
        assert not [line for line in s.ub.data() if "coder" in line]


def test_a_bridge_that_dies_meanwhile_goes_on_with_it(tmp_path):
    """Also where the file that told of it is gone."""
    with Stand(tmp_path) as s:
        former = Former(s, "include", gate=True)
        new = {p: p.read_bytes() for p in former.paths()}
        s.gate.at("local_datas_remove", s.bridge.process.kill)
        with s.hung():
            former.comes_back(signal.SIGKILL)
        s.bridge.process.wait(20)
        assert "such as" in former.left()
        for path, data in new.items():
            path.write_bytes(data)
        s.run(synced=False)
        until(former.left)


def test_a_file_that_unbound_has_not_read_touches_nothing(tmp_path):
    """The suffix may be somebody else's by now."""
    with Stand(tmp_path) as s:
        former = Former(s, "include", gate=True)
        s.gate.commands.clear()
        former.put_back()
        s.verify()
        until(lambda: "the file is there" if f"web2.{FORMER}" in former.text() else "")
        s.verify()
        assert any(b"list_local_data" in c for c in s.gate.commands)
        assert not [c for c in s.gate.commands if FORMER.encode() in c]
