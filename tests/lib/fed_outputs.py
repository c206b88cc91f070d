# SPDX-License-Identifier: Apache-2.0
"""
The four kinds of adapters as a random life sees them: what a resolver was made with, what it has now, all of it, and what differs from what
it should have. What is read is what is there: listings, files, answers, never what the bridge thinks of them.
"""
import json
import os
import select
import signal
import socket
import struct
import time

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.reversename

from fed_dnsmasq import Dnsmasq
from fed_unbound import CANARY, Unbound
from server import wait_for
from stock import REVERSE
from zone import address

FILL = "_holdfast-fill"  # who fills it
BEGIN, END = "# BEGIN HOLDFAST", "# END HOLDFAST"


def pointer_name(addr):
    return dns.reversename.from_address(addr).to_text(True)


def ask_all(port, questions, seconds=2):
    """All at once: {(name, type): (code, sorted texts of the answer)}; what is not answered has the code "silence"."""
    asked = {i: q for i, q in enumerate(sorted(questions), 1)}
    left, said, end = dict(asked), {}, time.monotonic() + seconds
    packets = {i: struct.pack("!6H", i, 0x0100, 1, 0, 0, 0) + dns.name.from_text(name).to_wire() +
               struct.pack("!2H", dns.rdatatype.from_text(rdtype), 1) for i, (name, rdtype) in asked.items()}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        s.setblocking(False)
        while left and time.monotonic() < end:
            try:
                for i in list(left)[:64]:
                    s.send(packets[i])
                while left and select.select([s], [], [], 0.3)[0]:
                    message = dns.message.from_wire(s.recv(4096), ignore_trailing=True)
                    if message.id in left:
                        texts = sorted(r.to_text() for rrset in message.answer for r in rrset)
                        said[left.pop(message.id)] = dns.rcode.to_text(message.rcode()), texts
            except OSError:  # nobody is there
                time.sleep(0.05)
    return {q: said.get(q, ("silence", [])) for q in asked.values()}


class Wanted:
    """
    What all resolvers should have: {name: address}, {address: its first name}, and the suffixes; `ever` are all names and addresses that
    once were so.
    """

    def __init__(self, names, pointers, suffixes, ever):
        self.names, self.pointers, self.suffixes, self.ever = names, pointers, suffixes, ever

    def of(self, suffixes):
        """What of it is below these."""
        below = tuple(f".{s}" for s in suffixes)
        unknown = {n for n in self.names if not n.endswith(below)}
        pointers = {a: n for a, n in self.pointers.items() if n not in unknown}
        return Wanted({n: a for n, a in self.names.items() if n not in unknown}, pointers, suffixes,
                      self.ever - unknown - (set(self.pointers) - set(pointers)))

    def is_ours(self, name):
        return name.endswith(tuple(f".{s}" for s in self.suffixes))


def differs(what, got, want, excused):
    """Lines on what is in only one of two sets of pairs, whose first is a name."""
    return [f"{what}: {pair} {'should not be there' if pair in got else 'is missing'}"
            for pair in sorted(got ^ want) if pair[0] not in excused]


class Output:
    """
    One adapter and what it feeds. `place` tells which of two paths it has. Foreign names carry records of others: what differs there is no
    fault when status tells of it.
    """

    kind = word = ""

    def __init__(self, life, rnd):
        self.life, self.folder, self.number, self.place = life, life.folder, 0, 0
        self.teardown, self.configured, self.up = rnd.choice(["keep", "clean"]), True, True
        self.foreign, self.quiet = set(), False  # quiet: nobody who asks sees a difference
        self.backups = []

    @property
    def name(self):
        return f"{self.word}{self.number or ''}"

    def keys(self):
        raise NotImplementedError

    def entry(self):
        return f"{{ type: {self.kind}, name: {self.name}, teardown: {self.teardown}, {self.life.waits}, {self.keys()} }}"

    def shape(self):
        """Of this life, to be read by people."""
        return f"{self.word}:{self.teardown}"

    def begin(self):
        """Before there is a bridge."""

    def fed(self):
        """The first time that it has all names."""

    def end(self):
        pass

    def wrong(self, want):
        raise NotImplementedError

    def left(self):
        """What is left of ours, after a clean end."""
        raise NotImplementedError

    def answers_wrong(self, want, port, gone_code):
        """By questions, for each name and address that ever was."""
        addresses = set(want.pointers) | {it for it in want.ever if ":" in it}
        names = set(want.names) | {it for it in want.ever if ":" not in it}
        said = ask_all(port, [(n, "AAAA") for n in names] + [(pointer_name(a), "PTR") for a in addresses])
        wrong = []
        for name in sorted(names - self.foreign):
            code, texts = said[name, "AAAA"]
            if name in want.names:
                good = texts == [want.names[name]]
            else:
                good = not texts and (code == gone_code or not want.is_ours(name))
            if not good:
                wrong.append(f"{name} is {texts or code}, not {want.names.get(name, 'gone')}")
        for addr in sorted(addresses):
            _, texts = said[pointer_name(addr), "PTR"]
            first = want.pointers.get(addr)
            allowed = {f"{n}." for n in self.foreign} | ({f"{first}."} if first else set())
            if set(texts) - allowed or (first and not texts and first not in self.foreign):
                wrong.append(f"the pointer of {addr} is {texts}, not {first}")
        return wrong


def pairs_of_unbound(lines):
    """(name, type, data) of lines of local data, or of a start file."""
    found = []
    for line in lines:
        words = [w for w in line.replace('local-data: "', "").replace('"', "").split() if w != "IN"]
        if len(words) >= 4:
            found.append((words[0].rstrip("."), words[2], " ".join(words[3:]).lower()))
    return found


class Ub(Output):
    """A stock unbound. `form` is that of its start file, "none" where it has none; `start_set` once it reads the file at its start."""

    kind, word = "unbound", "ub"
    reloads = "reload", "reload", "reload_keep_cache", "fast_reload"

    def __init__(self, life, rnd):
        super().__init__(life, rnd)
        self.form = rnd.choice(["none", "include", "include", "zonefile"])
        self.nodefault = rnd.random() < 0.2
        self.start = life.folder / "start"
        self.start.mkdir()
        self.known = set()  # suffixes of which it has been told where their zone files are
        self.theirs = []    # lines of others' local data
        server = f'  local-zone: "{REVERSE.split(".", 12)[-1]}." nodefault\n' if self.nodefault else ""
        self.server = server + (f'  include: "{self.start}/*.conf"\n' if self.form == "include" else "")
        self.resolver = Unbound(life.folder, server=self.server)

    def shape(self):
        return f"{super().shape()}:{self.form}{':nodefault' if self.nodefault else ''}"

    def file(self):
        return ("one.conf", "two.conf")[self.place] if self.form == "include" else "start.zone"

    def keys(self):
        start = f", start-file: {self.start / self.file()}, start-form: {self.form}, start-interval: 100ms" if self.form != "none" else ""
        return f"control: {self.resolver.control}, ask: 127.0.0.1@{self.resolver.port}{start}"

    def begin(self):
        self.resolver.start()
        self.note()

    def note(self):
        self.base_data, self.base_zones = set(self.resolver.data()), self.resolver.zones()

    def fed(self):
        if self.form == "zonefile":
            self.told_of_its_files()

    def told_of_its_files(self):
        """As setup says: each suffix has its file."""
        self.known = set(self.life.suffixes())
        self.resolver.configure(self.life.setup_lines(), self.server)
        self.restart(signal.SIGTERM)

    def end(self):
        self.resolver.stop(signal.SIGKILL)

    # -- what happens to it

    def restart(self, how):
        self.resolver.restart(how)
        self.forget()

    def forget(self):
        """What others gave it, it has no longer."""
        self.theirs, self.foreign = [], set()

    def reload(self, how="reload"):
        said = self.resolver.command(how, 30)
        if "unknown command" in said:
            said = self.resolver.command("reload", 30)
        assert "error" not in said, said
        wait_for(lambda: ask_all(self.resolver.port, [("localhost", "AAAA")])["localhost", "AAAA"][1], 20)
        self.forget()

    def is_free(self):
        """It takes commands now."""
        try:
            return bool(self.resolver.command("status", 0.5))
        except OSError:
            return False

    def foreign_record(self, name, rdata):
        line = f"{name}. 300 IN {rdata}"
        assert self.resolver.command(f"local_data {line}") == "ok\n"
        self.theirs.append(line)

    def foreign_at(self, name, rnd):
        rdata = rnd.choice(["AAAA 2001:db8::66", "AAAA 2001:db8::66", "A 192.0.2.6", "TXT theirs", 'TLSA 3 1 1 ' + "ab" * 32])
        self.foreign, self.quiet = {name}, "AAAA" not in rdata
        self.foreign_record(name, rdata)

    def foreign_gone(self):
        """The whole name: ours is put again."""
        for name in self.foreign:
            self.resolver.command(f"local_data_remove {name}")
        self.theirs = [line for line in self.theirs if line.split()[0].rstrip(".") not in self.foreign]
        self.foreign = set()

    def backup(self):
        return self.start_files()

    def put_back(self, files, _):
        for name, text in files.items():
            (self.start / name).write_text(text)

    def spoil(self, rnd):
        for path in list(self.start.iterdir()):
            if rnd.random() < 0.5 or self.form == "include":
                path.unlink()
            else:
                path.write_text(path.read_text()[:rnd.randrange(60)])

    # -- what it has

    def wrong(self, want):
        data, wrong = set(self.resolver.data()) - self.base_data, []
        theirs = set(pairs_of_unbound(self.theirs))
        found = set(pairs_of_unbound(data))
        wrong += [f"local data: {line} of others is gone" for line in sorted(theirs - found)]
        found -= theirs
        expected = {(n, "AAAA", a) for n, a in want.names.items()}
        expected |= {(pointer_name(a), "PTR", n + ".") for a, n in want.pointers.items()}
        excused = self.foreign | {pointer_name(a) for a, n in want.pointers.items() if n in self.foreign}
        excused |= {pointer_name(a) for _, _, a in found if ":" in a and _ == "AAAA"} if self.foreign else set()
        ours = {t for t in found if t[1] in ("AAAA", "PTR")}
        wrong += differs("local data", ours, expected, excused)
        for name, kind, rdata in sorted(found - ours):
            if not (kind == "SOA" and name in (*want.suffixes, REVERSE)) and \
                    not (kind == "TXT" and name in [f"{label}.{s}" for s in want.suffixes for label in (CANARY, FILL)]):
                wrong.append(f"local data: {name} {kind} {rdata} should not be there")
        whole = {name for name, kind, rdata in found if kind == "TXT" and rdata.startswith("w")}
        wrong += [f"local data: the canary of {s} is not there" for s in want.suffixes if f"{CANARY}.{s}" not in whole and want.names]
        zones = {z.rstrip("."): kind for z, kind in self.resolver.zones().items() if z not in self.base_zones}
        theirs = [t[0] for t in theirs]
        for zone, kind in sorted(zones.items()):
            if zone in want.suffixes:
                wrong += [f"local zone {zone} is {kind}"] if kind != "static" and not any(t.endswith(zone) for t in theirs) else []
            elif zone != REVERSE and not any(t == zone or t.endswith("." + zone) for t in theirs):
                wrong.append(f"local zone {zone} {kind} should not be there")
        wrong += [f"local zone {zone} is missing" for zone in want.suffixes if zone not in zones and want.names]
        return wrong + self.start_wrong(want) or self.answers_wrong(want, self.resolver.port, "NXDOMAIN")

    def start_files(self):
        return {p.name: p.read_text() for p in self.start.iterdir() if not p.name.startswith(".")}

    def start_wrong(self, want):
        """All start files that are there, whatever they are called."""
        if self.form == "none" or not self.start.exists():
            return []
        files = self.start_files()
        if self.form == "include" and self.teardown == "clean":
            former = {t for name, text in files.items() if name != self.file() for t in pairs_of_unbound(text.splitlines())}
            if names := sorted(t for t in former if t[1] in ("AAAA", "PTR")):
                return [f"former start file: {names[:3]}"]
        found = {t for text in files.values() for t in pairs_of_unbound(text.splitlines())}
        expected = {(n, "AAAA", a) for n, a in want.names.items()}
        expected |= {(pointer_name(a), "PTR", n + ".") for a, n in want.pointers.items()}
        excused = self.foreign | {pointer_name(a) for a, n in want.pointers.items() if n in self.foreign}
        return differs("start file", {t for t in found if t[1] in ("AAAA", "PTR")}, expected, excused)

    def left(self):
        theirs = set(pairs_of_unbound(self.theirs))
        left = [f"local data {t}" for t in sorted(set(pairs_of_unbound(set(self.resolver.data()) - self.base_data)) - theirs)]
        base = {z.rstrip(".") for z in self.base_zones} | ({REVERSE} if self.form == "zonefile" else set())
        zones = {z.rstrip(".") for z in self.resolver.zones()} - base
        left += [f"local zone {z}" for z in sorted(zones) if not any(t[0] == z or t[0].endswith("." + z) for t in theirs)]
        left += [f"start file {name}: {t}" for name, text in self.start_files().items() for t in pairs_of_unbound(text.splitlines())
                 if t[1] in ("AAAA", "PTR")]
        said = ask_all(self.resolver.port, [(n, "AAAA") for n in sorted(n for n in self.life.ever if ":" not in n)[-8:]])
        return left + [f"{n} is {texts}" for (n, _), (_, texts) in said.items() if texts and n not in self.foreign]

    def alone_wrong(self, want):
        """After its own restart while the bridge is dead: by questions alone."""
        if self.form == "none":
            return []
        if self.form == "zonefile":
            # "A name may be unknown to a resolver that restarts", where the sources are others since; "but never SERVFAIL".
            want = want.of([s for s in want.suffixes if s in self.known])
        return self.answers_wrong(want, self.resolver.port, "NXDOMAIN")


def hosts_pairs(text):
    lines = [line.split("#")[0].split() for line in text.splitlines()]
    return {(name, words[0]) for words in lines if words for name in words[1:]}


class Dm(Output):
    """A dnsmasq with two folders, or two files, of which one is the adapter's."""

    kind, word = "dnsmasq", "dm"

    def __init__(self, life, rnd):
        super().__init__(life, rnd)
        self.by_folder = rnd.random() < 0.7
        self.places = [life.folder / "d0", life.folder / "d1"]
        self.mine = life.folder / "mine"
        self.mine.write_text("")
        self.others_file = None
        for place in self.places:
            if self.by_folder:
                place.mkdir()
            else:
                place.write_text("")
        option = "hostsdir" if self.by_folder else "addn-hosts"
        self.resolver = Dnsmasq(life.folder, *(f"--{option}={p}" for p in self.places), f"--addn-hosts={self.mine}", "--local-ttl=30",
                                *(f"--local=/{s}/" for s in life.SUFFIXES), f"--local=/{REVERSE}/")

    def shape(self):
        return f"{super().shape()}:{'hostsdir' if self.by_folder else 'hosts-file'}"

    def keys(self):
        path = self.places[self.place]
        where = f"hostsdir: {path}" if self.by_folder else f"hosts-file: {path}, pid-file: {self.resolver.pid_file}"
        return f"{where}, ask: 127.0.0.1@{self.resolver.port}"

    def begin(self):
        self.resolver.start()

    def end(self):
        self.resolver.stop(signal.SIGKILL)

    def restart(self, how):
        self.resolver.stop(how)
        self.resolver.start()

    def reload(self, _=None):
        self.resolver.server.process.send_signal(signal.SIGHUP)

    def files(self, place=None):
        """{name: bytes} of what lies in a place: the adapter's, if none is given."""
        path = self.places[self.place if place is None else place]
        if not self.by_folder:
            return {path.name: path.read_bytes()} if path.exists() else {}
        found = {}
        for p in path.iterdir():
            try:
                found[p.name] = p.read_bytes()
            except FileNotFoundError:  # replaced at this moment
                pass
        return found

    def others_add(self, line):
        """A file of their own in our folder; where there is only a file, in theirs."""
        if self.by_folder:
            self.others_file = self.places[self.place] / "others.hosts", line.encode()
            self.others_file[0].write_text(line)
        else:
            self.mine.write_text(self.mine.read_text() + line)

    def foreign_at(self, name, rnd):
        addr = rnd.choice(["2001:db8::66", self.life.want().names[name]])
        self.foreign, self.quiet = {name}, addr != "2001:db8::66"
        self.mine.write_text(f"{addr} {name}\n")
        self.reload() if rnd.random() < 0.5 else self.restart(signal.SIGKILL)

    def foreign_gone(self):
        self.foreign = set()
        self.mine.write_text("")
        self.reload()

    def backup(self):
        return {name: data for name, data in self.files().items() if not self.others_file or name != self.others_file[0].name}

    def spoil(self, rnd):
        for name, data in self.backup().items():
            if rnd.random() < 0.5:
                path = self.places[self.place] / name if self.by_folder else self.places[self.place]
                path.write_bytes(data[:rnd.randrange(len(data) + 1)]) if rnd.random() < 0.7 else path.unlink(missing_ok=True)

    def put_back(self, files, how):
        """Older files. how: over the newer ones, or instead of them."""
        path = self.places[self.place] if self.by_folder else self.places[self.place].parent
        for name in self.backup() if how == "instead" and self.by_folder else ():
            if name not in files:
                (path / name).unlink(missing_ok=True)
        for name, data in files.items():
            (path / name).write_bytes(data)

    def place_wrong(self, place, want):
        files = self.files(place)
        if self.others_file:
            data = files.pop(self.others_file[0].name, None) if self.others_file[0].parent == self.places[place] else self.others_file[1]
            if data != self.others_file[1]:
                return [f"the file of others is {data!r}"]
        pairs = {p for data in files.values() for p in hosts_pairs(data.decode())}
        wrong = differs(f"files of {self.places[place].name}", pairs, set(want.items()), self.foreign)
        if self.by_folder and not want and files:
            wrong.append(f"files of {self.places[place].name}: {sorted(files)} are left")
        return wrong

    def wrong(self, want):
        wrong = self.place_wrong(self.place, want.names)
        if self.teardown == "clean":
            wrong += self.place_wrong(1 - self.place, {})
        return wrong or (self.answers_wrong(want, self.resolver.port, "NXDOMAIN") if self.up else [])

    def left(self):
        left = self.place_wrong(self.place, {})
        said = ask_all(self.resolver.port, [(n, "AAAA") for n in sorted(n for n in self.life.ever if ":" not in n)[-8:]])
        return left + [f"{n} is {texts}" for (n, _), (_, texts) in said.items() if texts and n not in self.foreign]

    def alone_wrong(self, want):
        return self.answers_wrong(want, self.resolver.port, "NXDOMAIN")


class Ho(Output):
    """Two hosts files, of which one is the adapter's. `outside` is what others have there."""

    kind, word = "hosts", "ho"

    def __init__(self, life, rnd):
        super().__init__(life, rnd)
        self.places = [life.folder / "h0", life.folder / "h1"]
        self.outside = [rnd.choice(["127.0.0.1 localhost\n", "127.0.0.1 localhost\n# no end of its last line\n10.1.1.1 other", ""])
                        for _ in self.places]
        for path, text in zip(self.places, self.outside):
            path.write_text(text)
        self.edited = False

    def keys(self):
        return f"path: {self.places[self.place]}"

    def parts(self, place=None):
        """(what others have, the pairs of our block) of a file."""
        text = self.places[self.place if place is None else place].read_text()
        outside, inside, at = [], [], "outside"
        for line in text.splitlines(True):
            if line.startswith(BEGIN):
                at = "inside"
            elif line.startswith(END):
                at = "outside"
            else:
                (outside if at == "outside" else inside).append(line)
        return "".join(outside), hosts_pairs("".join(inside))

    def place_wrong(self, place, want):
        outside, pairs = self.parts(place)
        wrong = differs(f"block in {self.places[place].name}", pairs, set(want.items()), self.foreign)
        if outside.rstrip("\n") != self.outside[place].rstrip("\n"):
            wrong.append(f"{self.places[place].name}: others have {outside!r}, not {self.outside[place]!r}")
        return wrong

    def wrong(self, want):
        return self.place_wrong(self.place, want.names) + (self.place_wrong(1 - self.place, {}) if self.teardown == "clean" else [])

    def left(self):
        left = self.place_wrong(self.place, {})
        text, was = self.places[self.place].read_text(), self.outside[self.place]
        if self.edited:  # whoever wrote it has seen the end of our block, and the line before it that needed one
            text, was = text.rstrip("\n"), was.rstrip("\n")
        return left or ([f"{text!r}, which was {was!r}"] if text != was else [])

    def replace(self, text):
        self.edited = True
        new = self.places[self.place].with_suffix(".edited")
        new.write_text(text)
        new.rename(self.places[self.place])

    def others_add(self, line, rnd):
        """As `echo >>` does, or as an editor, which renames."""
        path = self.places[self.place]
        text = path.read_text()
        begin = "" if text.endswith("\n") or not text else "\n"
        self.edited = True
        if rnd.random() < 0.5:
            with open(path, "a", encoding="ascii") as file:
                file.write(begin + line)
        else:
            self.replace(text + begin + line)
        was = self.outside[self.place]
        self.outside[self.place] += ("" if was.endswith("\n") or not was else "\n") + line

    def foreign_at(self, name, rnd):
        self.foreign = {name}
        self.others_add(f"{rnd.choice(['2001:db8::66', self.life.want().names[name]])} {name}\n", rnd)

    def foreign_gone(self):
        for name in self.foreign:
            lines = self.outside[self.place].splitlines(True)
            self.outside[self.place] = "".join(line for line in lines if not line.endswith(f"{name}\n"))
            begin, middle, end = self.split()
            self.replace(begin.replace(next(x for x in lines if name in x), "") + middle +
                         end.replace(next(x for x in lines if name in x), ""))
        self.foreign = set()

    def split(self):
        """Before our block, the block, and after it."""
        text = self.places[self.place].read_text()
        if BEGIN not in text:
            return text, "", ""
        begin, rest = text[:text.index(BEGIN)], text[text.index(BEGIN):]
        end = rest.index("\n", rest.index(END)) + 1
        return begin, rest[:end], rest[end:]

    def backup(self):
        return self.places[self.place].read_text(), self.outside[self.place]

    def put_back(self, backup, _):
        text, self.outside[self.place] = backup
        self.replace(text)

    def spoil(self, rnd):
        """Our block is gone, or some of its lines."""
        begin, middle, end = self.split()
        lines = middle.splitlines(True)
        self.replace(begin + "".join(lines[:1] + [x for x in lines[1:-1] if rnd.random() < 0.5] + lines[-1:] if rnd.random() < 0.5 else "") + end)


DHCP_SCRIPT = """#!/bin/sh
for word in $(cat {bad}); do case "$4" in *"$word"*) echo "cannot hold $word"; exit 3;; esac; done
echo "$1 $3 $4" >>{log}
"""
JSON = """#!/bin/sh
exec awk -v bad="$(cat {bad})" '
/"op":"(put|take)"/ {{
	match($0, /"name":"[^"]*"/); name = substr($0, RSTART + 8, RLENGTH - 9)
	if (bad != "" && index(name, bad)) {{ print "{{\\"error\\":\\"cannot hold " bad "\\"}}"; next }}
	print >>"{log}"; fflush("{log}"); print "{{\\"fate\\":\\"done\\"}}"
}}'
"""


class Hk(Output):
    """A program of the operator's, which has what it was told, and does what it is told unless a word of `bad` is in the name."""

    kind, word = "hook", "hk"

    def __init__(self, life, rnd):
        super().__init__(life, rnd)
        self.form = rnd.choice(["dhcp-script", "json"])
        self.log, self.bad, self.program = life.folder / "calls", life.folder / "bad", life.folder / "hook"
        self.log.write_text("")
        self.bad.write_text("")
        self.program.write_text((DHCP_SCRIPT if self.form == "dhcp-script" else JSON).format(log=self.log, bad=self.bad))
        self.program.chmod(0o755)
        self.orphans = set()

    def shape(self):
        return f"{super().shape()}:{self.form}"

    def keys(self):
        return f"command: [{self.program}], form: {self.form}, timeout: 5s"

    def has(self):
        has = set()
        for line in self.log.read_text().splitlines():
            if self.form == "json":
                it = json.loads(line)
                if it["op"] == "put" and it["was"]:
                    has.discard((it["name"], it["was"]))
                (has.add if it["op"] == "put" else has.discard)((it["name"], it["address"]))
            else:
                op, addr, name = line.split()
                (has.discard if op == "del" else has.add)((name, addr))
        return has

    def wrong(self, want):
        names = set(want.names.items())
        return differs("what the hook was told", self.has() - (self.orphans - names), names, self.foreign)

    def left(self):
        return [f"the hook has {pair}" for pair in sorted(self.has() - self.orphans)]


KINDS = {"ub": Ub, "dm": Dm, "ho": Ho, "hk": Hk}
