# SPDX-License-Identifier: Apache-2.0
"""
Files of ours in the three forms that dnsmasq and programs read: what is in them is ours whatever it is, and nothing of it stays that
nobody wants.
"""
import pathlib
import shutil
import signal
import subprocess

import pytest

from fed_stand import ALL, WITHOUT_WEB, Stand, ask, names, until
from zone import address

ORIGINAL = "127.0.0.1 localhost\n10.1.1.1 other\n"


class Files:
    """One adapter of the stand, the files that it writes, and how they are put back."""

    def __init__(self, stand, form):
        self.s, self.form = stand, form
        self.file = stand.folder / "own" / "names"
        if form == "hosts":
            stand.hosts.write_text(ORIGINAL)
        elif form == "hostsdir":
            stand.dnsmasq()
        else:
            self.file.parent.mkdir()
            self.file.touch()
            stand.dnsmasq(f"--addn-hosts={self.file}")

    def entry(self, more=""):
        if self.form == "hosts":
            return self.s.hosts_entry(more=more)
        if self.form == "hostsdir":
            return self.s.dnsmasq_entry(more=more)
        return (f"{{ type: dnsmasq, name: dm, hosts-file: {self.file}, pid-file: {self.s.dm.pid_file}, "
                f"ask: 127.0.0.1@{self.s.dm.port}{more} }}")

    def paths(self):
        if self.form == "hostsdir":
            return [p for p in self.s.hostsdir.iterdir() if not p.name.startswith(".")]
        return [self.s.hosts if self.form == "hosts" else self.file]

    def text(self):
        return "".join(path.read_text() for path in self.paths())

    def has(self, what, gone=()):
        return self.s.in_hosts(what, gone) if self.form == "hosts" else self.s.in_dnsmasq(what, gone)

    def save(self):
        return {path: path.read_bytes() for path in self.paths()}

    def put_back(self, saved):
        for path, data in saved.items():
            copy = path.with_name(".copy")
            copy.write_bytes(data)
            copy.rename(path)

    def left(self):
        """What is there of ours, where nothing should be."""
        if self.form == "hosts":
            return "" if self.text() == ORIGINAL else self.text()
        return "".join(line for line in self.text().splitlines() if not line.startswith("#"))


@pytest.fixture(params=["hosts", "hostsdir", "hosts-file"])
def form(request):
    return request.param


def test_a_suffix_that_was_lost_with_the_store_leaves_no_name(tmp_path, form):
    """No source has it, and no row: only the files know it."""
    with Stand(tmp_path, suffix="alpha.example") as s:
        files = Files(s, form)
        s.run(files.entry())
        until(lambda: files.has(ALL))
        s.end(signal.SIGKILL)
        for path in tmp_path.glob("store.db*"):
            path.unlink()
        shutil.rmtree(tmp_path / "zone")
        s.suffix = "beta.example"
        s.sources = [("main", s.server.url, s.suffix)]
        s.run()
        until(lambda: files.has(ALL) or ("the former suffix is there" if "alpha.example" in files.text() else ""), 15)


@pytest.mark.parametrize("how", ["taken out", "ended"])
def test_clean_right_after_an_older_state_came_back(tmp_path, form, how):
    """It has a name that is gone, which no row has."""
    with Stand(tmp_path) as s:
        files = Files(s, form)
        s.run(files.entry(", teardown: clean"))
        until(lambda: files.has(ALL))
        old = files.save()
        s.tell("-2")
        until(lambda: files.has(WITHOUT_WEB, ["web"]))
        s.synced()
        with s.hung():
            files.put_back(old)
            if how == "ended":
                s.bridge.process.send_signal(signal.SIGTERM)
            else:
                s.configure()
        if how == "ended":
            assert s.bridge.process.wait(20) == 0
            assert not files.left()
        else:
            until(files.left, 8)


GUIDE = pathlib.Path(__file__).resolve().parents[2] / "docs/dnsmasq.md"


def test_the_lines_of_the_guide_show_it_and_leave_nothing(tmp_path):
    """By hand, with the bridge dead."""
    def lines_with(word):
        """The lines of code of the guide with it, for the folders of the test."""
        lines = [line.strip() for line in GUIDE.read_text().splitlines() if line.startswith("    ") and word in line]
        assert lines, word
        return "\n".join(lines).replace("/var/lib/holdfast/dnsmasq", str(s.hostsdir)).replace("/etc/hosts", str(s.hosts))

    def run(script):
        return subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True).stdout

    with Stand(tmp_path) as s:
        s.hosts.write_text(f"# BEGIN HOLDFASTER\n{ORIGINAL}")
        s.dnsmasq()
        (s.hostsdir / "holdfast-notes.hosts").write_text("10.1.1.2 theirs\n")
        s.run(s.hosts_entry(), s.dnsmasq_entry())
        until(lambda: s.in_hosts(ALL) or s.in_dnsmasq(ALL))
        shown = run(lines_with("cat ")) + run(lines_with("sed -n"))
        assert all(shown.count(f"{address(n)} {name}\n") == 2 for w, n in ALL.items() for name in names(w)), shown
        s.end(signal.SIGKILL)
        run(lines_with("rm -f"))
        run(lines_with("sed -i"))
        assert s.hosts.read_text() == f"# BEGIN HOLDFASTER\n{ORIGINAL}"
        assert [path.name for path in s.hostsdir.iterdir()] == ["holdfast-notes.hosts"]
        until(lambda: s.in_dnsmasq({}, ALL))
        assert ask(s.dm.port, "theirs", "A") == "10.1.1.2"
