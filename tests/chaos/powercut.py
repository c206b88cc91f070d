# SPDX-License-Identifier: Apache-2.0
"""
What a power cut may leave of a folder, made out of a log of recorder.c.

A file's contents are safe once the file was synced, a name (created, renamed, removed) once its folder was. Of what
came after, up to the moment of the cut, each write may be there, missing, torn at a block's edge or there as zeros;
each name may be changed or not. This is what POSIX promises, and no more: real file systems lose less, each in its own way.
"""
import bisect
import collections
import functools
import hashlib
import os
import random
import struct
import subprocess
from typing import NamedTuple

import chaos

FOUND, CREATE, MKDIR, LINK, UNLINK, RENAME, WRITE, TRUNCATE, ALLOCATE, SYNC = range(1, 11)
NAMING = (CREATE, MKDIR, LINK, UNLINK, RENAME)
CONTENT = (WRITE, TRUNCATE, ALLOCATE)
HEAD = struct.Struct("<IIQQQQIHH")

KEEP, LOSE, TEAR, ZERO = "keep", "lose", "tear", "zero"


class Record(NamedTuple):
    op: int
    acked: int
    id: int
    dir: int
    dir2: int
    offset: int
    name: str
    name2: str
    data: bytes


def read_log(path):
    with open(path, "rb") as f:
        while head := f.read(HEAD.size):
            op, acked, ident, folder, folder2, offset, n_data, n_name, n_name2 = HEAD.unpack(head)
            name, name2, data = f.read(n_name), f.read(n_name2), f.read(n_data)
            yield Record(op, acked, ident, folder, folder2, offset, name.decode(), name2.decode(), data)


def read_tree(top):
    """{path: bytes}, None for a folder."""
    tree = {}
    for folder, subs, names in os.walk(top):
        for name in subs:
            tree[os.path.relpath(os.path.join(folder, name), top)] = None
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                tree[os.path.relpath(path, top)] = f.read()
    return tree


def write_tree(top, tree):
    os.makedirs(top)
    for path in sorted(tree):
        full = os.path.join(top, path)
        if tree[path] is None:
            os.mkdir(full, 0o700)
        else:
            with open(full, "wb") as f:
                f.write(tree[path])


def apply(data, record, choice, rng):
    """A change to a file's contents, as much of it as `choice` says."""
    if choice == LOSE:
        return
    end = record.offset + len(record.data)
    if record.op == TRUNCATE:
        del data[record.offset:]
        data.extend(bytes(record.offset - len(data)))
    elif record.op == ALLOCATE or choice == ZERO:
        data.extend(bytes(max(0, end - len(data))))
    elif choice == KEEP:
        data.extend(bytes(max(0, record.offset - len(data))))
        data[record.offset:end] = record.data
    else:
        tear(data, record, rng)


def tear(data, record, rng):
    """Blocks of a write, either some or the first ones."""
    block = rng.choice((512, 4096))
    first, last = record.offset // block, (record.offset + len(record.data) - 1) // block
    upto = rng.choice((None, rng.randint(first, last)))
    for b in range(first, last + 1):
        if rng.random() < 0.5 if upto is None else b < upto:
            start, end = max(b * block, record.offset), min((b + 1) * block, record.offset + len(record.data))
            data.extend(bytes(max(0, start - len(data))))
            data[start:end] = record.data[start - record.offset:end - record.offset]


class Recording:
    """What a program did to a folder: `before` is the folder's tree, `after` what it was in the end."""

    def __init__(self, log, before, after, stdout):
        self.records = list(read_log(log))
        self.before = before
        self.stdout = stdout
        self.content = collections.defaultdict(list)  # of an object: the numbers of its records
        self.syncs = collections.defaultdict(list)
        self.naming = []
        self.first_tree = {}  # of a folder: {name: id}
        self.first_bytes = {}
        for i, r in enumerate(self.records):
            if r.op in CONTENT:
                self.content[r.id].append(i)
            elif r.op == SYNC:
                self.syncs[r.id].append(i)
            elif r.op in NAMING:
                self.naming.append(i)
        self._take_up_before()
        self._refuse_if_incomplete(after)

    def _take_up_before(self):
        """Gives each thing that was there an id: that of the log, or a new one below 0."""
        paths = {}
        for r in self.records:
            if r.op == FOUND:
                paths[r.id] = f"{paths[r.dir]}/{r.name}".strip("/") if r.dir else r.name.strip("/")
        self.root = next((i for i, path in paths.items() if path == ""), 0)
        ids = {path: i for i, path in paths.items()}
        ids[""] = self.root
        for n, path in enumerate(sorted(self.before)):
            ids.setdefault(path, -1 - n)
        self.first_tree[self.root] = {}
        for path in sorted(self.before):
            if self.before[path] is None:
                self.first_tree[ids[path]] = {}
            else:
                self.first_bytes[ids[path]] = self.before[path]
            self.first_tree[ids[os.path.dirname(path)]][os.path.basename(path)] = ids[path]

    def _refuse_if_incomplete(self, after):
        def visible(tree):
            return {p: b for p, b in tree.items() if not p.endswith("-shm")}  # SQLite's, written through mmap

        mine, real = visible(self.state(len(self.records), lambda i: KEEP, lambda i: KEEP)), visible(after)
        differs = sorted(p for p in mine.keys() | real.keys() if mine.get(p, "") != real.get(p, ""))
        if differs:
            raise AssertionError(f"the recorder missed changes of: {', '.join(differs)}")

    def acked(self, k):
        """The last acknowledgement that was out before record k began."""
        size = self.records[k].acked if k < len(self.records) else len(self.stdout)
        return chaos.last_ack(self.stdout[:size])

    def _safe_before(self, ident, k):
        """The last sync of this object that was over before record k began: what came before it is safe."""
        at = bisect.bisect_left(self.syncs[ident], k)
        return self.syncs[ident][at - 1] if at else -1

    @functools.lru_cache(maxsize=64)
    def _safe_bytes(self, ident, sync):
        data = bytearray(self.first_bytes.get(ident, b""))
        for i in self.content[ident]:
            if i < sync:
                apply(data, self.records[i], KEEP, None)
        return bytes(data)

    def _bytes(self, ident, k, choose, rng):
        sync = self._safe_before(ident, k)
        data = bytearray(self._safe_bytes(ident, sync))
        for i in self.content[ident]:
            if sync < i <= k:
                apply(data, self.records[i], choose(i), rng)
        return bytes(data)

    def _tree(self, k, choose):
        tree = {folder: dict(names) for folder, names in self.first_tree.items()}
        for i in self.naming:
            if i > k:
                break
            r = self.records[i]
            folders = (r.dir, r.dir2) if r.op == RENAME else (r.dir,)
            if any(i > self._safe_before(f, k) for f in folders) and choose(i) == LOSE:
                continue
            names = tree.setdefault(r.dir, {})
            if r.op in (UNLINK, RENAME):
                if names.get(r.name) == r.id:
                    del names[r.name]
            else:
                names[r.name] = r.id
            if r.op == MKDIR:
                tree.setdefault(r.id, {})
            elif r.op == RENAME:
                tree.setdefault(r.dir2, {})[r.name2] = r.id
        return tree

    def state(self, k, choose_content, choose_name, rng=None):
        """The folder after a cut while record k was under way (k = number of records: after the last)."""
        tree, out = self._tree(k, choose_name), {}

        def walk(folder, path):
            for name, ident in tree[folder].items():
                if ident in tree:
                    out[path + name] = None
                    walk(ident, path + name + "/")
                else:
                    out[path + name] = self._bytes(ident, k, choose_content, rng)

        walk(self.root, "")
        return out


def chooser(mode, k, rng, choices):
    """What becomes of the unsafe record i, a number up to k."""
    if mode == "none":
        return lambda i: LOSE
    if mode == "all":
        return lambda i: KEEP
    if mode == "ordered":  # the cut came earlier for what was not synced
        last = rng.randint(max(0, k - 40), k)
        return lambda i: KEEP if i < last else TEAR if i == last else LOSE
    return functools.lru_cache(maxsize=None)(lambda i: rng.choice(choices))


MODES = ("none", "all", "ordered", "free")


def crash_states(recording, n, seed):
    """At most n different ones: (how, acknowledged, tree)."""
    seen, rng = set(), random.Random(seed)
    for number in range(3 * n):
        if len(seen) == n:
            return
        k = rng.randint(0, len(recording.records))
        contents, names = rng.choice(MODES), rng.choice(MODES)
        tree = recording.state(k, chooser(contents, k, rng, (KEEP, LOSE, TEAR, ZERO)),
                               chooser(names, k, rng, (KEEP, LOSE)), rng)
        acked = recording.acked(k)
        key = hashlib.sha1(repr((acked, sorted(tree.items()))).encode()).digest()
        if key not in seen:
            seen.add(key)
            yield f"state {number} (cut at {k}, contents {contents}, names {names})", acked, tree


def record(driver, folder, seed, steps, work):
    """Runs a driver on the folder under the recorder."""
    log, out = work / f"log-{seed}", work / f"out-{seed}"
    before = read_tree(folder)
    log.touch()
    env = dict(os.environ, LD_PRELOAD=str(chaos.BUILD / "recorder.so"), HF_RECORD_LOG=str(log),
               HF_RECORD_ROOT=os.path.realpath(folder))
    with open(out, "wb") as stdout:
        subprocess.run(driver.command(folder, seed, steps), env=env, stdout=stdout, check=True, timeout=600)
    return Recording(log, before, read_tree(folder), out.read_bytes())
