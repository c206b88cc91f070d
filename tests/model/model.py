# SPDX-License-Identifier: Apache-2.0
"""
What Holdfast promises, as plainly as it can be said: sources, owners, workspaces, agents, their names, the guard, the
hold policies, what is fresh, and what survives which loss. Nothing here was taken from the bridge: the text of the
contract was written down again, and everything that can be derived is derived afresh each time it is needed.

A model takes the lines that the driver takes (README.md has the language) and what was answered to each, and says what
must be seen afterwards. Where the contract leaves a choice, `may()` asks; the caller goes on with every choice, and each
later sight rules some out (test_model.py). The questions that the contract leaves open, and how they are read here:

Q1  Does rule 3 (a) look at explained removals too? "One user deleting their only workspace by a diff passes at once";
    read: what a diff names is judged by (c) alone, however many or few are left.
Q2  Half of what, in rule 3 (c)? Read: of what the source had before the removals of the window, counted or not counted
    as gone meanwhile, with what is held or without: all are allowed, and both readings of "50 %" (the fixed number, and `max-removal`).
Q3  Is a record that loses a name or an address to another one a "refused record" that makes its message confirm
    nothing? Read: no, where the record is good and only a name is taken; a duplicate id or an unreadable record is.
    Allowed: both.
Q4  When do the names of a former user, or of an owner whom REST lost, become held: with REST's word, or when the others
    are confirmed? Both are allowed; after every owner of REST's word is confirmed they must be held.
Q5  When does an owner that the operator took out go? At the reload or when every owner that is still named is confirmed;
    both are allowed, later is not.
Q6  Are `me` names of a former user who is still followed by name kept? "The former user's names stay in all their forms";
    both are allowed.
Q7  Does a suffix that the operator typed wait for a decision where the server has another one? "A suffix that changed
    upstream is held": read: no; allowed, since a case of tests/scenario says otherwise.
Q8  Which rights are "the token's" in rule 3 (d)? Rights are frozen when a connection opens: a removal is held if those of
    the connection or those that REST told last are less than those of the connection of the last good snapshot. (A client
    that is told other rights opens another connection, so that these are the same but for a moment.) Rights that REST does
    not tell never release; whether they hold is open, both are allowed.
Q9  May a word that REST gave after the connection was opened (the refresh of each interval) stand for the word before it
    in rule 5? The earlier word and its connection still hold; allowed: released or not, until the next connection.
Q10 Does time pass for the window of rule 3 (c) while the machine is down? Both are allowed; over a restart it does.
Q14 When does a source go that the operator took out, without another one of the same URL? "Not guarded", and "new names are
    confirmed before old ones go"; allowed: at once, or with the first clean snapshot of a source of the same suffix (or of one
    that is not known yet) that was never confirmed.
Q15 Is a workspace that its owner drops the newcomer's at once (rule 8)? Allowed: at once, or with the newcomer's next snapshot,
    which is wanted then.
    The agents that come along may be those that it had, until then.
Q16 What of a copy that is older than the zone? Read: its workspaces are known again when they are listed; until then only the
    zone's names count, and wait, as restored ones. Its suffixes are the zone's, and where that has none there is none. A deployment id
    that only the copy has counts: it can hold and not remove, and a zone does not tell "none" from "not known".
Q13 Does a workspace that never had a good name count for the guard? Read: no, it has nothing that could be missed.
Q12 What is a source that has another name and the same URL? "Its names count as restored ones of that successor and go by
    rules 3 to 5"; read: it is the same source, with its pins, holds and owners; what is not confirmed is stale.
Q17 Must the word of rule 5 come after the last removal that is held, or after the first? "After the hold opened", and each removal
    begins the grace again; allowed: released or not by a word from between the two.
Q18 A running workspace whose agents are held is absent, and then listed without them: is it one that reappears, and its agents lost
    anew, or do they wait still? Both are allowed.
Q19 When is it known who is there, for names out of the zone? Read: with the snapshots of all whom REST's last word named; where all were there before,
    allowed: with any of them.
Q11 Which records of rule 8 survive a restart (a workspace that two streams list)? Both are allowed.
"""
import copy
import dataclasses
import pickle
import re
from dataclasses import dataclass, field

SENTINEL = "is.coder--connect--enabled--right--now"
TWIN = 100000
NEVER = None
SLACK = 7_000  # what is counted in slices of time may be off by so much
PULSE = 16_000  # a proof of life is written down so seldom
INF = 10 ** 15
NOT_BY_SERVER = set("lan home corp internal intranet private local localdomain workgroup test example alt com".split())
RUNNING = 3


WITHOUT_TIME = ("conf", "unconf", "set", "unset", "lose", "damage", "synced", "silence")
OF_THE_ZONE = ("zone", "zone_suffixes", "zone_conf", "zone_ready", "zone_state")


class Unreal(Exception):
    """No machine or server could do that now."""


# --- names ---

def unescape(text):
    out = bytearray()
    i = 0
    while i < len(text):
        m = re.match(r"%([0-9a-f]{2})", text[i:])
        if m and i + 2 < len(text):
            out.append(int(m[1], 16))
            i += 3
        else:
            out += text[i].encode()
            i += 1
    return bytes(out)


def label(raw):
    """The label that upstream's bytes are, or None."""
    if not 1 <= len(raw) <= 63 or re.search(rb"[^A-Za-z0-9_-]", raw):
        return None
    text = raw.decode().lower()
    return None if text.startswith("_holdfast") else text


def owner_label(text):
    good = label(text.encode())
    return None if good == "me" else good


def address(agent):
    n = agent % TWIN
    return f"fd60:627a:a42b::{n >> 16:x}:{n & 0xffff:x}" if n >> 16 else f"fd60:627a:a42b::{n:x}"


def suffix_by_server(text):
    return bool(re.fullmatch(r"[a-z0-9-]+", text)) and len(text) > 2 and text not in NOT_BY_SERVER


def span(text):
    m = re.fullmatch(r"([+-]?\d+)(ms|s|m|h|d|y)", text)
    return int(m[1]) * {"ms": 1, "s": 1000, "m": 60000, "h": 3600000, "d": 86400000, "y": 365 * 86400000}[m[2]]


# --- what is known ---

@dataclass
class Agent:
    id: int
    name: str  # the good one; None: it never had any
    came: int  # a number that rises
    seen: int  # wall clock, seconds; None: not said


@dataclass
class Workspace:
    id: int
    name: str = None
    status: int = 0
    agents: dict = field(default_factory=dict)
    counts: bool = False  # ... and is judged by the guard all the same
    given: bool = False  # REST says that it is another owner's, who may have it now
    held: str = ""  # "absent": not listed; "agents": listed as running, without the agents that it had
    rejected: bool = False
    life: int = 0  # of the bridge, in which it was listed last
    confirmed: bool = True  # False: of a copy that is older than the zone
    seen: int = 0

    def good_agents(self):
        """Of two with one name the one that came later has it."""
        last = {}
        for a in sorted(self.agents.values(), key=lambda a: a.came):
            if a.name:
                last[a.name] = a
        return list(last.values())


@dataclass
class Hold:
    """What waits of an owner, or (of names out of the zone) of a source."""
    opened: int  # Model.mono
    more: int = 0  # when something was added to it last
    fresh: list = field(default_factory=lambda: [0, 0])  # at least, at most
    due: int = None  # when the grace was spent for certain


@dataclass
class Owner:
    id: int
    name: str = None
    words: set = field(default_factory=set)  # of the configuration, that ever named this owner
    out: bool = False  # the operator took all of these words out
    me: bool = False  # has `me` and short names
    me_held: bool = False  # ... which are those of a former user of the token: they wait
    followed: bool = True
    lost: bool = False  # REST says so; only `accept` or a new sight ends that
    ws: dict = field(default_factory=dict)
    claims: dict = field(default_factory=dict)  # workspaces of others that are listed here too
    hold: Hold = None
    rights: frozenset = NEVER  # of the connection of the last good snapshot
    sound: bool = False  # the last snapshot had no refused record
    wished: object = False  # a snapshot is wanted, since what another owner dropped may be here; None: perhaps
    clean: bool = False  # has an accepted snapshot without refused records and without a hold (for restored names)
    gone: bool = False  # REST's last word on each word that named this owner is another user, or none
    word: str = ""  # what REST said last: "yes", "no", "" (not known)
    yes: list = field(default_factory=list)  # Model.mono of each yes since the last other word


@dataclass
class Restored:
    name: str
    addr: str
    rejected: bool = False
    ptr: bool = False
    held: bool = False
    seen: int = None


@dataclass
class Source:
    name: str
    url: str = ""
    suffix: str = None
    typed: bool = False
    deployment: str = ""
    user: int = None
    owners: dict = field(default_factory=dict)
    restored: dict = field(default_factory=dict)
    hold: Hold = None  # of the restored names
    other_deployment: str = None  # waits; "" is none at all
    other_suffix: str = None
    rejected: set = field(default_factory=set)  # "deployment", "suffix"
    withdrawn: bool = False
    age: list = field(default_factory=lambda: [0, 0])  # of the outage, at least and at most, up to `aged`
    aged: tuple = None  # (boot, boottime, wall clock, synchronised)
    doubt: bool = False  # the clock was set since ages were written last, perhaps
    sentinel: bool = False
    words: list = field(default_factory=list)
    heirs: set = None  # taken out of the configuration: the sources one of which may be its successor
    confirmed: bool = False  # an accepted snapshot without refused records, ever


@dataclass
class State:
    """What the store has."""
    sources: dict = field(default_factory=dict)
    ready: bool = False
    removed: list = field(default_factory=list)  # explained removals of late: (source, Model.mono at least, at most)
    counter: int = 0


@dataclass
class Conn:
    """The life of a source in a bridge that runs."""
    open_at: int = None  # Model.mono; None: no connection
    rights: frozenset = frozenset()
    told: dict = None  # what REST said last
    told_at: int = 0
    readable: dict = field(default_factory=dict)  # as it was when the connection was opened
    live: object = False  # True, False, None: not known
    contact: int = None  # boottime
    in_contact: bool = False
    snap: dict = field(default_factory=dict)  # owner -> accepted snapshot on this connection
    todo: set = field(default_factory=set)  # owners of REST's last word whose snapshot is to come
    todo_all: set = field(default_factory=set)
    complete: bool = False  # REST knew every owner
    unknown: bool = False  # ... or knew nobody by one of the words
    settled: object = None  # `unknown` as it was when every owner of REST's word had its snapshot
    latest_rights: frozenset = frozenset()


@dataclass
class Entry:
    addr: str
    source: str
    owner: int
    held: bool = False
    withdrawn: bool = False
    restored: bool = False
    fresh: object = None  # True, False, None: either
    rank: tuple = ()  # (source, class, workspace): who has it of those who want it
    listed: bool = False  # of a workspace that is not held
    form: int = 0  # 1 `me`, 2 owner, 3 short
    seen: int = None


class Model:
    def __init__(self):
        self.boot, self.wall, self.boots, self.synced = 1_000_000, 1_750_000_000_000, 1, True
        self.mono = 0  # milliseconds, in all boots
        self.clock_set = -INF  # Model.mono: when somebody set the clock last
        self.typed = {}  # the configuration that the operator has typed: source -> keys
        self.typed_keys = {}
        self.conf = None  # the one in force
        self.keys = {}
        self.state = State()
        self.conns = {}
        self.running = False
        self.failed = False  # the store
        self.pulse = {}  # source or (source, owner) -> [boot, boottime at least, at most, live]
        self.zone = {}  # what readers see: name -> Entry
        self.zone_was = None  # ... or may see still, where a line was not worked off
        self.zone_suffixes = {}  # suffix -> sources
        self.zone_conf = {}
        self.zone_ready = False
        self.zone_state = "none"  # "ok", "lost": not there, "damaged"
        self.zone_gen = 0
        self.disk = "none"  # the store's file: "ok", "none", "damaged"
        self.copies = []  # states that the copy may hold; "damaged"
        self.copy_gen = (0, 0)
        self.copy_stamp = None
        self.spent = False  # the one recovery
        self.good = [0, 0]  # how long all was fresh since the last recovery: at least, at most
        self.middle = None  # the state before the last line, where that was not worked off
        self.before_line = None
        self.choices, self.made = [], []
        self.complaints = []
        self.gen = 0
        self.epoch = None
        self.agents = {}  # before a message
        self.lives, self.started, self.losers = 0, 0, 0
        self.handed = set()  # agents of workspaces that may go over with their history
        self.odd = False  # a record was refused since the bridge began

    def __getstate__(self):
        return {k: v for k, v in self.__dict__.items() if k not in ("before_line", "choices", "made", "complaints")}

    # --- choices ---

    def may(self, why):
        """The contract allows both."""
        at = len(self.made)
        choice = self.choices[at] if at < len(self.choices) else False
        self.made.append((choice, why))
        return choice

    def complain(self, text):
        self.complaints.append(text)

    # --- lines ---

    def line(self, text, answer):
        """One line and what was answered to it."""
        self.complaints = []
        words = text.split()
        if answer.startswith("failed"):
            self.complain(answer)
        if answer == "unreal" or answer.startswith("failed"):
            return
        if words[0] in WITHOUT_TIME and isinstance(self.middle, bytes):
            getattr(self, "do_" + words[0])(words[1:], answer.split()[1:])
            return
        self.middle, before = None, self.middle
        if words[0] == "slices":
            self.middle = "armed"
            return
        if words[0] == "kill" and isinstance(before, bytes):
            was = pickle.loads(before)
            if self.may("the kill comes before the commit"):
                self.state = was.pop("state")
                self.__dict__.update(was)
            elif self.may("the kill comes before the publication"):
                was.pop("state")
                self.__dict__.update(was)
        if before == "armed":
            self.middle = pickle.dumps({k: getattr(self, k) for k in ("state",) + OF_THE_ZONE})
        getattr(self, "do_" + words[0].replace("-", "_"))(words[1:], answer.split()[1:])
        if words[0] not in WITHOUT_TIME + ("after", "reboot") and self.running:
            self.passes(100)
        self.publish()

    # --- configuration ---

    def do_conf(self, a, answer):
        keys = {"suffix": "auto", "owners": "me", "sentinel": "false", "snapshot-interval": "10m", "fresh-window": "60s"}
        keys.update(w.split("=", 1) for w in a[1:])
        self.typed[a[0]] = keys

    def do_unconf(self, a, answer):
        del self.typed[a[0]]
        if a[0] in self.conns:
            self.conns[a[0]].in_contact = False  # the driver's pongs go by what is typed

    def do_set(self, a, answer):
        self.typed_keys[a[0]] = dict(w.split("=", 1) for w in a[1:]) if "=" in a[1] else a[1]

    def do_unset(self, a, answer):
        del self.typed_keys[a[0]]

    def key(self, name, sub, default):
        value = self.keys.get(name, {})
        return value.get(sub, default) if sub else self.keys.get(name, default)

    def grace(self):
        return span(self.key("guard", "grace", "10m"))

    def max_age(self):
        """None: forever."""
        hold = self.keys.get("hold", {})
        return span(hold["max-age"]) if hold.get("policy") == "max-age" else None

    def interval(self, name, conf=None):
        return span((conf or self.conf)[name]["snapshot-interval"])

    def take_up(self, reload):
        """The configuration that was typed comes into force."""
        before, hold_before = self.conf, self.keys.get("hold")
        self.conf, self.keys = copy.deepcopy(self.typed), copy.deepcopy(self.typed_keys)
        self.rename_sources()
        for name, keys in self.conf.items():
            self.take_up_source(name, keys)
        for name in [n for n in self.state.sources if n not in self.conf]:
            self.take_out_source(name)
        order = list(self.conf)
        order += [n for n in self.state.sources if n not in order]
        self.state.sources = {n: self.state.sources[n] for n in order}
        for s in [s for s in self.state.sources.values() if s.name in self.conf]:
            back, s.heirs = s.heirs is not None, None
            if back and (s.other_deployment, s.other_suffix) != (None, None) and self.may("what waited of a source that was taken out is asked anew"):
                s.other_deployment = s.other_suffix = None
        if reload:
            for name in list(self.conns):
                if name not in self.conf:
                    del self.conns[name]
            for name, keys in self.conf.items():
                conn = self.conns.get(name)
                if conn is None or before.get(name) != keys:
                    self.begin_client(name, conn)
            if self.keys.get("hold") != hold_before:
                for s in self.state.sources.values():
                    s.withdrawn = s.withdrawn and self.is_too_old(s)

    def begin_client(self, name, conn):
        """Another client; whether the old one's end is noted is not said. (A client may go on, if nothing of it changed.)"""
        new = Conn()
        if conn is not None and conn.live is not False:
            new.live, new.contact = None, conn.contact
            if self.pulse.get(name):
                self.pulse[name][3] = None
        new.told, new.told_at = None, 0
        self.conns[name] = new

    def take_up_source(self, name, keys):
        s = self.state.sources.get(name)
        if s is None:
            s = self.state.sources[name] = Source(name)
        s.url, s.sentinel = keys["url"], keys["sentinel"] == "true"
        if keys["suffix"] != "auto":
            if s.suffix != keys["suffix"]:
                self.change_suffix(s, keys["suffix"])
            s.typed, s.other_suffix = True, None
            s.rejected.discard("suffix")
        else:
            s.typed = False
        words, before = keys["owners"].split(","), s.words
        s.words = words
        for o in s.owners.values():
            # The configuration named this owner by its own words, and names no such word any more.
            o.out = bool(o.words) and not o.words & set(words)
            if not o.out:
                o.words &= set(words)
        if before and before != words and self.may("owners that are taken out go at once"):
            for o in [o for o in s.owners.values() if o.out]:
                self.drop_owner(s, o)

    def take_out_source(self, name):
        """At once, or (Q14) as soon as one that may have come in its place is confirmed."""
        s = self.state.sources[name]
        heirs = {n for n, t in self.state.sources.items() if n in self.conf and not t.confirmed and t.suffix in (None, s.suffix)}
        if s.heirs is None and heirs and self.may("a source that is taken out waits for a successor"):
            s.heirs = heirs
        elif s.heirs is not None:
            s.heirs &= heirs
        if s.heirs:
            if name in self.pulse:
                self.pulse[name][3] = False
            return
        del self.state.sources[name]
        for key in [k for k in self.pulse if k == name or k[0] == name]:
            del self.pulse[key]

    def rename_sources(self):
        """A source that is new in the configuration, in the place of one of the same URL that is not there any more, is that one."""
        gone = [n for n in self.state.sources if n not in self.conf]
        for new in [n for n in self.conf if n not in self.state.sources]:
            old = next((n for n in gone if self.state.sources[n].url == self.conf[new]["url"]), None)
            if old is None:
                continue
            gone.remove(old)
            s = self.state.sources[new] = self.state.sources.pop(old)
            s.name = new
            for t in self.state.sources.values():
                t.heirs = {new if n == old else n for n in t.heirs} if t.heirs else t.heirs
            self.state.removed = [(new if n == old else n, *t) for n, *t in self.state.removed]
            for key in [k for k in self.pulse if k == old or k[0] == old]:
                p = self.pulse.pop(key)
                self.pulse[new if key == old else (new, key[1])] = [p[0], p[1], p[2], False if key != old else None if p[3] else p[3]]
            if old in self.conns:
                self.conns[new] = self.conns.pop(old)

    def change_suffix(self, s, suffix):
        s.suffix = suffix
        s.restored = {n: r for n, r in s.restored.items() if n.endswith("." + suffix)}
        if not any(r.held for r in s.restored.values()):
            s.hold = None

    # --- life ---

    def do_start(self, a, answer):
        self.recover()
        self.running, self.started = True, self.mono
        self.odd, self.lives = False, self.lives + 1
        self.forget_nameless()
        self.conf = self.conf or {}
        self.conns = {}
        self.take_up(False)
        for name, s in self.state.sources.items():
            if name in self.conf:
                self.conns[name] = Conn()
            for key in [k for k in self.pulse if k == name or k[0] == name]:
                self.pulse[key][3] = False  # status tells what is answered: nothing is confirmed in this life yet
            for o in s.owners.values():
                o.word, o.yes = "", []
                if o.claims and self.may("what two streams list is forgotten at the end"):
                    o.claims = {}
        for s in self.state.sources.values():
            # Over a reboot the wall clock counts, where it does; what it is set to from now on does not.
            if s.aged and s.aged[0] != self.boots:
                s.age, s.aged = self.age_now(s), (self.boots, self.boot, self.wall, self.synced)
            if self.max_age() is None:
                s.withdrawn = False

    def forget_nameless(self):
        """What has no name that can be published need not be known in another life."""
        for s in self.state.sources.values():
            for o in s.owners.values():
                gone = [w.id for w in o.ws.values() if not w.name]
                gone_agents = [(w, n) for w in o.ws.values() for n, a in w.agents.items() if not a.name]
                if (gone or gone_agents) and self.may("records without a name are forgotten at the end"):
                    for n in gone:
                        del o.ws[n]
                    for w, n in gone_agents:
                        w.agents.pop(n, None)
                self.end_hold(o)

    def do_reload(self, a, answer):
        self.take_up(True)

    def end(self):
        self.passes(0)
        self.running = False
        for name in self.conns:
            if name in self.pulse and self.pulse[name][3]:
                self.pulse[name][3] = None
        self.conns = {}

    def do_stop(self, a, answer):
        self.end()

    def do_kill(self, a, answer):
        """What is counted is written each minute."""
        for s in self.state.sources.values():
            for hold in [s.hold] + [o.hold for o in s.owners.values()]:
                if hold:
                    hold.fresh[0] = max(0, hold.fresh[0] - 61_000)
            s.age[1] += 61_000
        self.end()

    def do_reboot(self, a, answer):
        self.boot, self.boots = 20_000, self.boots + 1
        self.wall += span(a[0])
        self.mono += 20_000 + span(a[0])
        self.state.removed = [(n, t, self.mono) for n, t, _ in self.state.removed]

    def do_lose(self, a, answer):
        if a[0] in ("store", "all"):
            self.disk = "none"
        if a[0] in ("copy", "all"):
            self.copies = []
        if a[0] in ("zone", "all"):
            self.zone_state = "lost"
            self.pulse = {}

    def do_damage(self, a, answer):
        if a[0] == "store":
            self.disk = "damaged"
        elif a[0] == "copy":
            self.copies = ["damaged"]
        else:
            self.zone_state = "damaged" if self.zone_state != "lost" else "lost"
            self.pulse = {}

    def do_rearm(self, a, answer):
        self.spent = False
        if self.failed:
            self.disk = "damaged"
            self.recover()
            self.failed = False

    # --- recovery ---

    def is_rearmed(self):
        """One hour fresh allows another recovery."""
        if self.good[0] >= 3_600_000 + 120_000:
            return True
        return self.good[1] + 60_000 >= 3_600_000 and self.may("an hour of good health")

    def count_good(self, ms):
        conns = [c for n, c in self.conns.items() if n in self.conf]
        if any(c.live is not False for c in conns):
            self.good[1] += ms
        fresh = [self.source_fresh(n) for n in self.conf]
        fresh += [self.entry_fresh(Entry("", n, o.id)) for n in self.conf for o in self.state.sources[n].owners.values() if o.followed]
        self.good[0] = self.good[0] + ms if conns and all(c.in_contact for c in conns) and all(f is True for f in fresh) else 0

    def recover(self):
        """What a bridge that begins knows."""
        self.failed = False
        if self.disk == "ok":
            return
        if self.disk == "damaged" and self.spent and not self.is_rearmed():
            self.failed = True
            return
        zone = self.zone if self.zone_state == "ok" and self.zone_ready else None
        copies = [c for c in self.copies if c != "damaged"]
        self.was_damaged = self.disk == "damaged"
        if self.was_damaged:
            self.spent = True
        elif self.spent:
            self.spent = not self.is_rearmed()
        self.good = [0, 0]
        self.epoch = None
        self.gen = self.zone_gen  # what the store had beyond that nobody has seen
        old = self.state
        self.state = State()
        self.disk = "ok"
        if copies and self.was_damaged is False and self.may("a store that is not there is not made out of its copy"):
            copies = []
        if copies:
            at = 0
            while at < len(copies) - 1 and self.may("which copy"):
                at += 1
            self.state = pickle.loads(copies[at])
            for s in self.state.sources.values():
                for o in s.owners.values():
                    o.clean = False
                    if (s.name, o.id) in self.pulse:
                        self.pulse[s.name, o.id][1] = -INF
        self.conf, conf = copy.deepcopy(self.typed), self.conf
        self.rename_sources()
        self.conf = conf
        if zone is None:
            self.gen = 0
            if not copies and self.zone_state == "ok" and self.may("a zone that is not ready pins its sources, too"):
                self.take_from_zone({}, old, self.state.ready)
            return
        newer = self.zone_gen > self.copy_gen[1] or not copies
        if not newer and (self.zone_gen > self.copy_gen[0] or self.copy_gen[0] != self.copy_gen[1]):
            newer = self.may("the zone is newer than the copy")
        if not newer:
            if self.may("names of a copy that is as new as the zone are the zone's"):
                newer = True
        if newer:
            self.take_from_zone(zone, old)

    def take_from_zone(self, zone, old, ready=True):
        """Its names are kept until each owner of their source is confirmed. It has what must not be lost beside them."""
        self.state.ready = ready
        for name, was in old.sources.items():
            if name not in self.zone_conf:
                continue
            now = self.renamed_in_zone(name, was.url)
            s = self.state.sources.setdefault(now, Source(now))
            if s.user not in (None, was.user):
                self.hear_user(s, was.user)
            # A source that was taken out and came back has none in the zone yet: the newest wins. The id of the copy counts (Q16).
            s.suffix, s.typed = was.suffix, was.typed
            s.user, s.url = was.user, was.url
            s.deployment = (was.deployment if was.suffix else None) or s.deployment
            names = {n: e for n, e in zone.items() if e.source == name and not n.startswith(SENTINEL)}
            s.withdrawn = any(e.withdrawn for e in names.values()) or (was.withdrawn and not names and self.may("withdrawn"))
            s.age = [0, INF]
            s.aged = None
            s.restored = {n: Restored(n, e.addr, ptr=e.form == 1, held=e.held, seen=e.seen)
                          for n, e in names.items()}
            if not any(r.held for r in s.restored.values()):
                s.hold = None
            elif s.hold is None or not self.may("a hold of the copy goes on"):
                s.hold = Hold(self.mono)
            for o in s.owners.values():
                # What the copy knows is known again when it is listed; its names are the zone's until then.
                for w in o.ws.values():
                    w.confirmed = False
        # What the newer zone does not have at all was taken out since the copy was made.
        there = {self.renamed_in_zone(name, was.url) for name, was in old.sources.items() if name in self.zone_conf}
        for s in self.state.sources.values():
            if ready and s.name not in there:
                s.suffix, s.typed = None, False

    def renamed_in_zone(self, name, url):
        """A source that has another name in the configuration is found by its URL."""
        if name in self.typed:
            return name
        return next((n for n, c in self.typed.items() if c["url"] == url and n not in self.zone_conf), name)

    # --- time ---

    def do_after(self, a, answer):
        self.passes(span(a[0]), pongs=True)

    def do_sleep(self, a, answer):
        self.asleep(span(a[0]))

    def asleep(self, ms):
        """Nothing runs; whether the window after the last proof of life is fresh time is not said."""
        self.passes(ms, working=False)

    def do_wall(self, a, answer):
        self.wall += span(a[0])
        self.clock_set = self.mono
        for s in self.state.sources.values():
            s.age[1] = INF  # where a reboot comes, nobody knows any more

    def do_synced(self, a, answer):
        self.synced = a[0] == "yes"
        self.clock_set = self.mono
        for s in self.state.sources.values():
            s.age[1] = INF

    def passes(self, ms, pongs=False, working=True):
        start, end = self.boot, self.boot + ms
        for name, conn in self.conns.items():
            s = self.state.sources[name]
            pong = pongs and conn.in_contact and ms >= 5000
            last = start + ms // 5000 * 5000 if pong else conn.contact
            self.count_fresh(s, conn, start, end, last, pong)
            if pong:
                self.heard(s, conn, last)
        if working and self.running and self.zone_conf == self.conf:
            self.count_good(ms)
        self.boot, self.wall, self.mono = end, self.wall + ms, self.mono + ms
        if not working or not self.running or self.failed:
            return
        for s in self.state.sources.values():
            self.withdraw(s)

    def heard(self, s, conn, at):
        """A proof of life."""
        p = self.pulse.get(s.name)
        if p and p[0] == self.boots and p[3] is not False:
            self.pulse[s.name] = [self.boots, max(p[1], at - PULSE), at, True]
        else:
            self.pulse[s.name] = [self.boots, at, at, True]
        conn.live, conn.contact = True, at
        s.age, s.aged = [0, 0], (self.boots, at, self.wall, self.synced)
        s.doubt = self.mono + at - self.boot - self.clock_set < 121_000

    def count_fresh(self, s, conn, start, end, last, pong):
        window = span(self.conf[s.name]["fresh-window"])
        if conn.live is False or conn.contact is None:
            return
        sure = end if pong and last + 5000 >= end else last if pong else start
        most = max(min(end, (last or 0) + window), start)
        for o in s.owners.values():
            self.count_hold(o.hold, s, [o], start, end, sure, most)
        self.count_hold(s.hold, s, s.owners.values(), start, end, sure, most)

    def count_hold(self, hold, s, owners, start, end, sure, most):
        if hold is None:
            return
        young = INF
        for o in owners:
            p = self.pulse.get((s.name, o.id))
            if o.followed:
                young = min(young, p[2] + 2 * self.interval(s.name) if p and p[0] == self.boots and p[3] is not False else 0)
        hold.fresh[0] += max(0, min(sure, young - PULSE) - start)
        hold.fresh[1] += max(0, min(most, young + PULSE) - start) + 100
        spent = hold.fresh[0] >= self.grace() + SLACK
        hold.due = (hold.due or self.mono + end - start) if spent else None

    def age_now(self, s):
        """How long the source is unreachable: at least, at most."""
        conn = self.conns.get(s.name)
        if s.aged is None:
            return [0, INF]
        boots, boot, wall, synced = s.aged
        low, high = s.age
        if boots == self.boots:
            gone = self.boot - boot
            return [low + gone, high + gone]
        by_wall = self.wall - wall
        if s.doubt:
            return [low, INF]
        if synced and self.synced and by_wall >= 0:
            return [low + max(0, by_wall - 121_000), high + by_wall + 121_000]
        return [low + max(0, self.boot - 20_000), INF if high >= INF else high + self.boot + 121_000 + max(0, by_wall)]

    def is_too_old(self, s):
        if self.max_age() is None:
            return False
        low, high = self.age_now(s)
        if low >= self.max_age() + SLACK:
            return True
        return high + SLACK >= self.max_age() and self.may("a source is unreachable for too long")

    def withdraw(self, s):
        conn = self.conns.get(s.name)
        if s.withdrawn or self.max_age() is None or (conn and conn.in_contact):
            return
        if conn and conn.live is not False and not self.may("a silent stream is no outage"):
            return
        s.withdrawn = self.is_too_old(s) and (self.mono - self.started > 1500 or self.may("not at once"))

    # --- REST ---

    def do_told(self, a, answer):
        name = a[0]
        told = dict(w.split("=", 1) for w in a[1:])
        s, conn = self.state.sources[name], self.conns[name]
        user, user_name = told["user"].split(":")
        user = int(user)
        deployment = told.get("deployment", "")
        held = bool(s.deployment) and deployment != s.deployment
        if self.failed:
            held = answer[0] == "held"
        self.expect(answer[0], "held" if held else "accepted", "REST's answer")
        if held:
            if s.other_deployment != deployment:
                s.rejected.discard("deployment")
            s.other_deployment = deployment
            self.gone_away(s, conn)
            return
        s.other_deployment = None
        s.rejected.discard("deployment")
        s.deployment = s.deployment or deployment
        self.hear_suffix(s, told.get("suffix", ""))
        self.hear_user(s, user)
        at = self.mono - span(told.get("ago", "0ms"))
        owners = [o.split(":") for o in told.get("owners", "").split(",") if o]
        said = dict(zip(s.words, told["words"].split(",")))
        conn.told, conn.told_at = told, at
        conn.latest_rights = frozenset(w for w in told.get("rights", "").split("+") if w)
        here = {int(o[0]): o for o in owners}
        for number, (_, text, readable, *listed) in here.items():
            words = {w for w, is_ in said.items() if is_ == str(number) or (is_ == "list" and listed)}
            # A word that is this user's name is one by which the configuration named him, also where REST finds nobody by it.
            words |= {w for w in said if w.lower() == text.lower()}
            self.hear_owner(s, number, text, words, readable, at)
        conn.todo, conn.todo_all = set(here), set(here)
        conn.complete = "open" not in said.values()
        conn.unknown = "unknown" in said.values()
        for o in list(s.owners.values()):
            if o.id not in here:
                self.not_told(s, o, said)
            if not here and conn.complete and o.lost and o.id in s.owners:
                self.drop_unconfirmed(o, ())
                if not o.ws:
                    self.drop_owner(s, o)
        if not owners and not conn.snap:
            self.gone_away(s, conn)
            return
        if conn.complete:
            conn.snap = {o: t for o, t in conn.snap.items() if o in here}
        if conn.open_at is None or not conn.snap:
            conn.open_at, conn.rights = self.mono, conn.latest_rights
            conn.readable = {n: o[2] for n, o in here.items()}
            conn.snap = {}

    def hear_user(self, s, user):
        """The token is this user's: the names that a former one had by that wait."""
        s.user = user
        for o in s.owners.values():
            o.me = o.me or o.id == user
            o.me_held = o.me and o.id != user and any(w.name and w.agents for w in o.ws.values())
            o.me = o.me and (o.id == user or o.me_held)

    def hear_suffix(self, s, told):
        if not told:
            return
        if s.typed:
            s.other_suffix = told if told != s.suffix and self.may("a typed suffix waits") else None
        elif s.suffix is None:
            if suffix_by_server(told):
                s.suffix, s.other_suffix = told, None
            elif self.may("a suffix that is not taken waits"):
                s.other_suffix = told
        elif told == s.suffix:
            s.other_suffix = None
            s.rejected.discard("suffix")
        elif suffix_by_server(told) or self.may("a bad suffix waits"):
            if s.other_suffix != told:
                s.rejected.discard("suffix")
            s.other_suffix = told

    def hear_owner(self, s, number, text, words, readable, at):
        o = s.owners.get(number)
        if o is None:
            o = s.owners[number] = Owner(number)
        if o.lost and o.hold:
            o.hold.fresh[0] = 0  # whether time counts while nobody asks for him is not said
        o.followed, o.lost = True, False
        o.name = owner_label(text) or o.name
        o.me = o.me or number == s.user
        o.words = o.words & set(s.words) | words
        o.out = False
        o.word = readable
        o.yes = o.yes + [at] if readable == "yes" else []

    def not_told(self, s, o, said):
        """REST told of others, not of this one. An error is no word on an owner."""
        o.followed = "open" in said.values()  # by a list that is not whole nobody goes
        o.word, o.yes = "", []
        o.gone = all(said.get(w) != "open" for w in o.words)
        if o.out or not o.gone:
            return
        if not o.lost and self.may("an owner whom REST lost is held at once"):
            self.lose_owner(s, o)

    def lose_owner(self, s, o):
        """All that he has is an unexplained removal, and nothing is left."""
        o.lost = True
        self.drop_unconfirmed(o, ())
        o.ws = {n: w for n, w in o.ws.items() if w.name}
        for w in o.ws.values():
            w.held = w.held or "absent"
        self.hand_over(s, o)
        if not any(w.name for w in o.ws.values()):
            self.drop_owner(s, o)
        elif o.hold is None:
            o.hold = Hold(self.mono)

    def drop_owner(self, s, o):
        del s.owners[o.id]
        self.pulse.pop((s.name, o.id), None)
        for other in s.owners.values():
            for n in [n for n in other.claims if n in o.ws]:
                self.move(s, o, o.ws[n], other)

    def all_confirmed(self, s, conn):
        """Every owner of REST's last word has an accepted snapshot: who is not named by it is no more there."""
        if conn.todo or any(n not in conn.snap for n in conn.todo_all):
            return
        if conn.complete:
            conn.settled = conn.unknown
        if conn.complete and all(s.owners[n].sound for n in conn.todo_all):
            self.succeed(s, True)
        for o in list(s.owners.values()):
            if o.id in conn.todo_all:
                continue
            if o.out:
                if conn.complete or not self.may("an owner is taken out when every word is answered"):
                    self.drop_owner(s, o)
            elif o.lost:
                self.drop_unconfirmed(o, ())
                if not o.ws:
                    self.drop_owner(s, o)
            elif o.gone and (conn.complete or self.may("nobody is lost by a list that is not whole")):
                self.lose_owner(s, o)

    # --- the stream ---

    def do_ask(self, a, answer):
        """Whose owner REST is to tell: one that two streams list, and no other."""
        s = self.state.sources[a[0]]
        disputed = {n for o in s.owners.values() for n in o.claims}
        asked = int(answer[0])
        if asked and asked not in disputed:
            self.complain(f"REST is asked for workspace {asked}, which one stream lists")

    def do_tells(self, a, answer):
        s, number, owner = self.state.sources[a[0]], int(a[1]), int(a[2])
        o = self.holder(s, number)
        new = s.owners.get(owner)
        if o and new and new is not o and number in new.claims:
            if self.may("what REST decides moves with the newcomer's next snapshot"):
                self.wish(s, number)
                o.ws[number].given = True
            else:
                self.move(s, o, o.ws[number], new)
            self.end_hold(o)

    def do_contact(self, a, answer):
        s, conn = self.state.sources[a[0]], self.conns[a[0]]
        self.heard(s, conn, self.boot)
        conn.in_contact = s.name in self.typed  # the driver's pongs go by it

    def do_silence(self, a, answer):
        if a[0] in self.conns:
            self.conns[a[0]].in_contact = False

    def do_away(self, a, answer):
        self.gone_away(self.state.sources[a[0]], self.conns[a[0]])

    def gone_away(self, s, conn):
        conn.open_at, conn.in_contact, conn.live, conn.snap = None, False, False, {}
        if s.name in self.pulse:
            self.pulse[s.name][3] = False

    def do_redial(self, a, answer):
        """The client ends a good connection for a new one."""
        conn = self.conns[a[0]]
        conn.open_at, conn.in_contact, conn.snap = None, False, {}

    def expect(self, is_, want, what):
        if is_ != want:
            self.complain(f"{what}: '{want}' was to be answered, and not '{is_}'")

    def accepted(self, s, conn, o, snapshot):
        self.state.ready = True
        s.withdrawn = False
        self.heard(s, conn, self.boot)
        conn.in_contact = s.name in self.typed  # the driver's pongs go by it
        if snapshot:
            conn.snap[o.id] = self.mono
            o.wished = False
            p = self.pulse.get((s.name, o.id))
            low = max(p[1], self.boot - PULSE) if p and p[0] == self.boots else self.boot
            self.pulse[(s.name, o.id)] = [self.boots, low, self.boot, True]

    def parse(self, records):
        """workspaces [(id, bytes, status)], agents [(id, bytes, workspace)], gone workspaces, gone agents, unreadable."""
        ws, agents, gone_ws, gone_agents, odd = [], [], [], [], 0
        for r in records:
            if r == "?":
                odd += 1
                continue
            if r[0] == "-":
                (gone_agents if r[1] == ":" else gone_ws).append(int(r.lstrip("-:")))
                continue
            head, _, tail = r.partition(":")
            number, has_name, name = head.partition("=")
            listed = [x.split("=", 1) for x in tail.split(",")] if tail else []
            if has_name:
                name, _, status = name.partition("!")
                ws.append((int(number), unescape(name), int(status) if status else RUNNING if listed else 5))
            agents += [(int(n), unescape(t), int(number)) for n, t in listed]
        return ws, agents, gone_ws, gone_agents, odd

    def do_snapshot(self, a, answer):
        s, conn = self.state.sources[a[0]], self.conns[a[0]]
        o = s.owners[int(a[1])]
        ws, agents, gone_ws, gone_agents, odd = self.parse(a[2:])
        conn.todo.discard(o.id)
        if gone_ws or gone_agents:
            self.expect(answer[0].split("-")[0], "refused", "a snapshot that deletes")
            if not conn.snap:
                self.gone_away(s, conn)
            else:
                self.heard(s, conn, self.boot)
            return
        if answer[0] not in ("accepted", "again"):
            self.complain(f"the snapshot was to be accepted: {answer[0]}")
            return
        if self.failed:
            return
        self.odd = self.odd or odd > 0 or len({w[0] for w in ws}) < len(ws) or len({n[0] for n in agents}) < len(agents) or \
            any(label(raw) is None for _, raw, _ in ws + agents) or any(a[2] not in {w[0] for w in ws} for a in agents)
        self.apply_snapshot(s, conn, o, ws, agents, odd)
        self.accepted(s, conn, o, True)
        self.all_confirmed(s, conn)
        if o.sound:
            self.judge_restored(s, conn, o)
        elif s.restored and self.may("a good record of an odd message replaces what had its name"):
            self.confirm_restored(s)

    def less(self, o, conn):
        """Are the token's rights less than at his last good state? None: REST does not say."""
        if not o.rights:
            return False
        told = [r for r in (conn.rights, conn.latest_rights) if r]
        if any(o.rights - r for r in told):
            return True
        return False if len(told) == 2 else None

    def wait_here(self, o):
        """More of his is held: its grace begins, and where nothing waited before, the hold does."""
        if o.hold is None or all(w.rejected for w in o.ws.values() if w.held):
            o.hold = Hold(self.mono)
        o.hold.fresh, o.hold.more = [0, 0], self.mono

    def holder(self, s, number):
        for o in s.owners.values():
            if number in o.ws:
                return o
        return None

    def apply_snapshot(self, s, conn, o, ws, agents, odd):
        refused = odd > 0
        self.agents = {n: a for p in s.owners.values() for w in p.ws.values() for n, a in w.agents.items()}
        # Of records with one id the first counts; an agent needs its workspace beside it.
        listed, of = {}, {}
        for number, raw, status in ws:
            if number in listed:
                refused = True
            else:
                listed[number] = (raw, status)
                of[number] = []
        seen = set()
        for number, raw, workspace in agents:
            if number in seen:
                refused = True
            elif workspace not in listed:
                refused, odd = True, odd + 1
            else:
                seen.add(number)
                of[workspace].append((number, raw))
        # What is live in another owner's stream is refused to this one until that one drops it.
        for number in list(listed):
            other = self.holder(s, number)
            if other and other is not o and self.is_live_with(conn, other, number):
                o.claims[number] = self.record(Workspace(number), listed.pop(number), of.pop(number))
                refused = self.odd = True
        for number in [n for n in o.claims if n not in {w[0] for w in ws}]:
            del o.claims[number]
        if any(label(raw) is None for raw, _ in listed.values()) or any(label(r) is None for n in of for _, r in of[n]):
            refused = True
        self.drop_unconfirmed(o, listed)
        # What never had a good name is known, but nothing that could be missed.
        had = {w.id: w for w in o.ws.values() if not w.held and w.name and (w.confirmed or w.counts)}
        if not odd:
            for w in [w for w in o.ws.values() if not w.name and w.id not in listed]:
                del o.ws[w.id]
        absent = [w for w in had.values() if w.id not in listed] if not odd else []
        moved = [w for w in absent if self.claimed_by(s, o, w.id)]
        if moved and self.may("what is dropped moves with the newcomer's next snapshot"):
            for w in moved:
                self.wish(s, w.id)
                self.handed |= set(w.agents)
            moved = []
        removed = [w for w in absent if w not in moved]
        lost = [w for w in o.ws.values() if w.id in listed and listed[w.id][1] == RUNNING and w.good_agents() and not of[w.id] and
                w.held != "agents" and w.confirmed] if not odd else []
        running = sum(1 for raw, status in listed.values() if status == RUNNING)
        good_before = [w for w in had.values() if w.name]
        good_after = [n for n, (raw, _) in listed.items() if label(raw) or (n in o.ws and o.ws[n].name)]
        good_after += [w.id for w in good_before if w.id not in listed and w not in absent]
        share = int(self.key("guard", "max-removal", "50%").rstrip("%"))
        least = int(self.key("guard", "min-workspaces", "3"))
        gone = [w for w in o.ws.values() if w.held == "agents" and w.id not in listed] if not odd else []
        if gone and self.may("whose agents were held is absent now, and live when it is listed"):
            for w in gone:
                w.held = "absent"
        agents_lost = len(lost) > max(10, running / 2)
        wait = agents_lost or bool(good_before and not good_after) or len(removed) > max(least, len(had) * share / 100)
        if removed and not wait:
            less = self.less(o, conn)
            wait = self.may("rights that are not told are less") if less is None else less
        # What was held and is missing still, before this message adds to it.
        old = [w for w in o.ws.values() if w.held and (w.id not in listed or self.still_lacks(w, listed, of))]
        for number, (raw, status) in listed.items():
            self.upsert(s, o, number, raw, status, of[number], not odd, agents_lost)
        if not refused:
            self.make_room(o, listed)
        for w in moved:
            self.move(s, o, w)
        if wait and (removed or agents_lost):
            self.wait_here(o)
            for w in removed:
                w.held = "absent"
            for w in lost if agents_lost else []:
                w.held = "agents"
            # Whose name another one has now is gone, and waits for nothing.
            if not refused:
                self.make_room(o, listed)
        else:
            for w in removed:
                del o.ws[w.id]
            if not refused:
                self.release(s, conn, o, old)
        self.end_hold(o)
        o.sound = not refused
        if not refused:
            self.succeed(s, False)
        held = [w for w in o.ws.values() if w.held]
        if not refused and not held:
            o.rights, o.clean = conn.rights, True
        elif held:
            o.clean = False
        # What the operator keeps waits for nothing, and is missing still: more rights are seen to be good, less are not.
        if not refused and held and all(w.rejected for w in held) and conn.rights >= (o.rights or frozenset()):
            o.rights = conn.rights

    def succeed(self, s, whole):
        """Whose names waited for this source needs to wait no more; once all its owners are confirmed they must not."""
        s.confirmed = s.confirmed or whole
        for name in [n for n, t in self.state.sources.items() if t.heirs and s.name in t.heirs]:
            heirs = self.state.sources[name].heirs
            if whole and len(heirs) > 1 and self.may("it waits for another one"):
                heirs.discard(s.name)
            elif (whole and not s.restored and not any(o.hold or o.me_held for o in s.owners.values())) or \
                    not self.may("it waits until nothing of its successor waits"):
                del self.state.sources[name]

    def drop_unconfirmed(self, o, listed):
        """What a copy that is older than the zone knows, and nobody lists: its names wait as the zone's, or it is judged as others are."""
        old = [w for w in o.ws.values() if not w.confirmed and not w.counts and w.id not in listed]
        if not old:
            return
        counts = self.may("what only the copy knows is judged")
        for w in old:
            if counts:
                w.counts = True
            else:
                del o.ws[w.id]
        self.end_hold(o)

    def still_lacks(self, w, listed, of):
        return w.held == "agents" and listed[w.id][1] == RUNNING and not of[w.id]

    def is_live_with(self, conn, other, number):
        """Rule 8: whether it is live in another owner's stream. Of one whose stream is not open that is not said."""
        w = other.ws[number]
        return not w.held and not w.given and (other.id in conn.snap or not self.may("without a stream nothing is live"))

    def claimed_by(self, s, o, number):
        return next((p for p in s.owners.values() if p is not o and number in p.claims), None)

    def wish(self, s, number):
        """Who was refused a workspace that is free now is asked for it again. True if somebody was."""
        any_ = False
        for o in s.owners.values():
            if o.claims.pop(number, None):
                o.wished = any_ = True
        return any_

    def move(self, s, o, w, to=None):
        to = to or self.claimed_by(s, o, w.id)
        del o.ws[w.id]
        new = to.claims.pop(w.id)
        to.wished = to.wished or None
        new.seen = w.seen
        for n, a in new.agents.items():
            a.seen = w.agents[n].seen if n in w.agents else a.seen
        if {n: a.name for n, a in new.agents.items()} != {n: a.name for n, a in w.agents.items()} and \
                self.may("its agents are those of before until the newcomer's next snapshot"):
            new.agents, to.wished = w.agents, to.wished or None
        to.ws[w.id] = new

    def hand_over(self, s, o):
        for w in [w for w in o.ws.values() if w.held and self.claimed_by(s, o, w.id)]:
            self.move(s, o, w)

    def record(self, w, record, agents):
        w.name, w.status = label(record[0]) or w.name, record[1]
        for number, raw in agents:
            self.put_agent(w, number, raw)
        return w

    def take_agent(self, s, w, number):
        """An agent that was in another workspace is this one's."""
        for o in s.owners.values():
            for v in o.ws.values():
                if v is not w and number in v.agents:
                    w.agents[number] = v.agents.pop(number)

    def put_agent(self, w, number, raw):
        a = w.agents.get(number)
        name = label(raw)
        if a is None:
            self.state.counter += 1
            if number in self.agents:
                w.agents[number] = dataclasses.replace(self.agents[number], name=name or self.agents[number].name)
                return
            known = number in self.handed or \
                any(r.addr == address(number) for s in self.state.sources.values() for r in s.restored.values())
            a = w.agents[number] = Agent(number, None, self.state.counter, None if known else self.wall // 1000)
        a.name = name or a.name

    def upsert(self, s, o, number, raw, status, agents, whole, keep_lost):
        """`whole`: the agents are all that there are."""
        holder = self.holder(s, number)
        was = holder.ws.pop(number) if holder else None
        if was:
            was.given = False
        w = was or Workspace(number, seen=self.wall // 1000)
        if holder and holder is not o:
            self.end_hold(holder)
        returns = w.held == "absent"
        if w.held == "agents" and (agents or status != RUNNING):
            returns = True
        if returns:
            w.held, w.rejected = "", False
        new = {n for n, _ in agents}
        if keep_lost and not agents and status == RUNNING and w.agents:
            new = set(w.agents)
        if w.held != "agents" and (whole or returns):
            w.agents = {n: a for n, a in w.agents.items() if n in new}
        w.name, w.status, w.confirmed, w.life = label(raw) or w.name, status, True, self.lives
        for n, text in agents:
            self.take_agent(s, w, n)
            self.put_agent(w, n, text)
        o.ws[number] = w

    def make_room(self, o, listed):
        """Names are one of a kind: a held workspace whose name one of these has is gone. (A message with a refused record ends nothing.)"""
        for w in [o.ws[n] for n in listed if n in o.ws]:
            for v in [v for v in o.ws.values() if w.name and v.held and v.name == w.name and v is not w and not w.held]:
                del o.ws[v.id]

    def end_hold(self, o):
        if not any(w.held for w in o.ws.values()):
            o.hold = None

    def release(self, s, conn, o, old):
        """Rule 5: of what waits, and this snapshot lacks still."""
        waits = [w for w in old if w.id in o.ws and w.held and not w.rejected]
        if not waits or o.hold is None or not self.may_release(s, conn, [o], o.hold):
            return
        for w in waits:
            if w.held == "agents":
                w.held, w.agents = "", {}
            else:
                del o.ws[w.id]

    def may_release(self, s, conn, owners, hold):
        if hold.fresh[1] + 1000 < self.grace():
            return False
        sure = hold.fresh[0] >= self.grace() + SLACK
        for o in owners:
            if self.less(o, conn) is not False or o.word != "yes":
                return False
            after = [t for t in o.yes if t > hold.opened]
            if not any(t <= conn.open_at for t in after):
                return False
            if max(after) > conn.open_at or not any(hold.more < t <= conn.open_at for t in after):
                sure = False
            # Of a source as a whole each owner may be asked again once the grace is over.
            if hold is s.hold and (hold.due is None or conn.snap.get(o.id, 0) < hold.due):
                sure = False
        return sure or self.may("released")

    # --- diffs ---

    def do_diff(self, a, answer):
        s, conn = self.state.sources[a[0]], self.conns[a[0]]
        o = s.owners[int(a[1])]
        ws, agents, gone_ws, gone_agents, odd = self.parse(a[2:])
        verdict = answer[0].replace("again", "accepted") if answer[0] == "again" else answer[0]
        if self.failed:
            return
        again = odd > 0
        mine = {n: w for n, w in list(o.claims.items()) + list(o.ws.items())}
        for number, raw, status in ws:
            mine[number] = None
        known_agents = {n for p in s.owners.values() for w in list(p.ws.values()) + list(p.claims.values()) for n in w.agents}
        for number in gone_ws:
            mine.pop(number, None)
        if any(w not in mine for _, _, w in agents):
            self.expect(verdict, "refused-again", "a diff with an agent of an unknown workspace")
            self.heard(s, conn, self.boot)
            conn.in_contact = s.name in self.typed  # the driver's pongs go by it
            return
        if verdict not in ("accepted",):
            self.complain(f"the diff was to be accepted: {answer[0]}")
            return
        unknown_ws = [n for n in gone_ws if not self.holder(s, n) and n not in o.claims and n not in {w[0] for w in ws}]
        unknown_agents = [n for n in gone_agents if n not in known_agents]
        if (unknown_ws or unknown_agents or odd) and answer[0] != "again":
            self.complain("a new snapshot was to be asked for")
        self.odd = self.odd or odd > 0 or any(label(raw) is None for _, raw, _ in ws + agents)
        self.apply_diff(s, conn, o, ws, agents, gone_ws, gone_agents, odd)
        self.accepted(s, conn, o, False)
        self.confirm_restored(s)

    def apply_diff(self, s, conn, o, ws, agents, gone_ws, gone_agents, odd):
        of = {}
        self.agents = {n: a for p in s.owners.values() for w in p.ws.values() for n, a in w.agents.items()}
        for number, raw, workspace in agents:
            of.setdefault(workspace, []).append((number, raw))
        fresh, upserted = set(), []
        for number, raw, status in ws:
            other = self.holder(s, number)
            if other and other is not o and self.is_live_with(conn, other, number):
                o.claims[number] = self.record(o.claims.get(number) or Workspace(number), (raw, status), [])
                self.odd = True
                continue
            if number in o.ws and o.ws[number].held == "absent":
                fresh.add(number)
            self.upsert(s, o, number, raw, status, [], False, False)
            upserted.append(number)
        kept = {}
        for p in s.owners.values():
            for w in list(p.ws.values()) + list(p.claims.values()):
                for n in gone_agents:
                    if n in w.agents and (p is o):
                        kept.setdefault(w.id, {})[n] = w.agents.pop(n)
        explained = [n for n in dict.fromkeys(gone_ws) if n in o.ws]
        for n in gone_ws:
            o.claims.pop(n, None)
        self.remove_explained(s, o, explained, kept)
        for workspace, new in of.items():
            w = o.ws.get(workspace) or o.claims.get(workspace)
            if w is None:
                continue
            if w.held == "agents" and workspace in o.ws:
                # It is live again, with the agents that are listed.
                w.held, w.rejected, w.agents = "", False, {}
            for number, raw in new:
                back = kept.get(workspace, {}).get(number)
                if back is not None:
                    w.agents[number] = back
                if workspace in o.ws:
                    self.take_agent(s, w, number)
                self.put_agent(w, number, raw)
        if not odd and len(upserted) == len(ws) and all(label(raw) for _, raw, _ in ws + agents):
            self.make_room(o, upserted)
        self.end_hold(o)

    def remove_explained(self, s, o, explained, kept):
        """Rule 3 (c). What the operator keeps stays until it is listed again."""
        for w in [o.ws[n] for n in explained if o.ws[n].rejected]:
            if w.held == "absent":
                w.agents.update(kept.get(w.id, {}))
            elif not w.agents:
                w.held, w.rejected = "", False
        explained = [n for n in explained if not o.ws[n].rejected]
        if not explained:
            return
        since = self.mono - self.grace()
        self.state.removed = [r for r in self.state.removed if r[2] > self.mono - 2 * self.grace() - 3_600_000]
        mine = [t for n, *t in self.state.removed if n == s.name]
        least, most = sum(t[0] > since for t in mine), sum(t[1] >= since - 200 for t in mine)
        left = sum(1 for p in s.owners.values() for w in p.ws.values() if not w.held)
        share = int(self.key("guard", "max-removal", "50%").rstrip("%"))
        low = max(10, min(50, share) * left / 100)
        all_ = sum(1 for p in s.owners.values() for w in p.ws.values())
        high = max(10, max(50, share) * (all_ + most + len(explained)) / 100)
        n = len(explained)
        if least + n > high:
            hold = True
        elif most + n <= low:
            hold = False
        else:
            hold = self.may("explained removals are too many")
        for number in explained:
            w = o.ws[number]
            if self.claimed_by(s, o, number):
                w.agents.update(kept.get(number, {}))
            if self.claimed_by(s, o, number) and not self.may("what is deleted moves with the newcomer's next snapshot"):
                self.move(s, o, w)
                continue
            if self.wish(s, number):
                self.handed |= set(w.agents) | set(kept.get(number, {}))
            if not hold:
                del o.ws[number]
                self.state.removed.append((s.name, self.mono, self.mono))
            else:
                w.agents.update(kept.get(number, {}))
                if not w.held:
                    self.wait_here(o)
                w.held = "absent"
        self.end_hold(o)

    # --- names out of the zone ---

    def confirm_restored(self, s):
        """A live name ends the restored one."""
        if not s.restored:
            return
        for n, e in self.claims({s.name: s}, restored=False).items():
            if e.listed:
                s.restored.pop(n, None)
        if not any(r.held for r in s.restored.values()):
            s.hold = None

    def judge_restored(self, s, conn, o):
        self.confirm_restored(s)
        if not s.restored or not conn.complete:
            return
        todo = [s.owners[n] for n in conn.todo_all]
        if not all(p.clean and p.sound for p in todo):
            return
        # A snapshot of a connection that has ended since is one, too; that is not said.
        if not all(p.id in conn.snap for p in todo) and not self.may("a snapshot of another connection counts"):
            return
        # Who is there is known when each of REST's last word has come. One whom it knows no more never has a snapshot: `accept` alone.
        if conn.todo and self.may("names of an earlier run wait until all have come"):
            return
        if conn.unknown and (not conn.todo or conn.settled or not self.may("REST does not know somebody any more")):
            return
        waits = [r for r in s.restored.values() if r.held and not r.rejected]
        missing = [r for r in s.restored.values() if not r.held]
        if missing and self.too_many_missing(s, conn, todo, missing):
            if not waits:
                s.hold = Hold(self.mono)
            s.hold.fresh, s.hold.more = [0, 0], self.mono
            for r in missing:
                r.held = True
            return
        gone = missing
        if waits and self.may_release(s, conn, todo, s.hold):
            gone = gone + waits
        for r in gone:
            del s.restored[r.name]
        if not any(r.held for r in s.restored.values()):
            s.hold = None

    def too_many_missing(self, s, conn, todo, names):
        """Each name of an earlier run counts as a workspace for rule 3."""
        live = [w for p in s.owners.values() for w in p.ws.values() if not w.held and w.name]
        share = int(self.key("guard", "max-removal", "50%").rstrip("%"))
        least = int(self.key("guard", "min-workspaces", "3"))
        low, high = max(least, len(names) * share / 100), max(least, (len(names) + 3 * len(live) + 30) * share / 100)
        if not live or any(self.less(p, conn) is True for p in todo):
            return True
        if len(names) <= low:
            return self.may("few names of an earlier run wait")
        return len(names) > high or self.may("names of an earlier run wait")

    # --- the operator ---

    def waits(self, s, kind, owner):
        if kind == "deployment":
            return s.other_deployment is not None
        if kind == "suffix":
            return s.other_suffix is not None
        found = [o for o in s.owners.values() if (o.hold or (o.me_held and any(w.name for w in o.ws.values()))) and
                 owner in (None, o.id)]
        return bool(found) or (owner is None and s.hold is not None)

    def do_accept(self, a, answer):
        s = self.state.sources.get(a[0])
        kind, owner = a[1], int(a[2]) if len(a) > 2 else None
        if self.failed or s is None:
            return
        self.expect(str(int(answer[0]) > 0), str(self.waits(s, kind, owner)), "whether something waits")
        if kind == "deployment" and s.other_deployment is not None:
            s.deployment, s.other_deployment = s.other_deployment, None
            s.rejected.discard("deployment")
        elif kind == "suffix" and s.other_suffix is not None:
            suffix, s.other_suffix = s.other_suffix, None
            s.rejected.discard("suffix")
            if not s.typed:
                self.change_suffix(s, suffix)
        elif kind == "removal":
            self.accept_removal(s, owner)

    def accept_removal(self, s, owner):
        for o in [o for o in s.owners.values() if o.me_held and owner in (None, o.id)]:
            o.me = o.me_held = False
        for o in [o for o in s.owners.values() if o.hold and owner in (None, o.id)]:
            for w in [w for w in o.ws.values() if w.held]:
                if w.held == "agents":
                    w.held, w.rejected, w.agents = "", False, {}
                else:
                    del o.ws[w.id]
            o.hold = None
            if o.lost:
                if not self.may("an owner without workspaces is known by his name still"):
                    self.drop_owner(s, o)
            elif o.id in self.conns[s.name].snap and not o.clean:
                o.clean = self.may("an accepted owner waits no more")
        if owner is None and s.hold:
            s.restored, s.hold = {n: r for n, r in s.restored.items() if not r.held}, None

    def do_reject(self, a, answer):
        s = self.state.sources.get(a[0])
        kind, owner = a[1], int(a[2]) if len(a) > 2 else None
        if self.failed or s is None:
            return
        self.expect(str(int(answer[0]) > 0), str(self.waits(s, kind, owner)), "whether something waits")
        if kind != "removal":
            if self.waits(s, kind, owner):
                s.rejected.add(kind)
            return
        for o in [o for o in s.owners.values() if o.hold and owner in (None, o.id)]:
            for w in o.ws.values():
                w.rejected = w.rejected or bool(w.held)
        if owner is None and s.hold:
            for r in s.restored.values():
                r.rejected = r.rejected or r.held

    # --- names ---

    def claims(self, sources, restored=True):
        """Who has which name: live, held, what a former user of the token had, what the zone knew; the lowest workspace."""
        agents = []
        for place, s in enumerate(sources.values()):
            for o in s.owners.values():
                for w in o.ws.values():
                    if w.name and w.confirmed and s.suffix:
                        agents += [((place, 2 if w.held else 0, w.id), s, o, w, a) for a in w.good_agents()]
        has_addr = {}
        for one in sorted(agents, key=lambda one: (one[0], one[4].came)):
            has_addr.setdefault(address(one[4].id), (one[1].name, one[4].id))
        agents = [one for one in agents if has_addr[address(one[4].id)][1] == one[4].id]
        found = {}

        self.losers = len(has_addr) < len({one[4].id for one in agents}) and 1

        def claim(name, entry):
            self.losers += name in found and entry.addr != found[name].addr
            if name not in found or entry.rank < found[name].rank:
                found[name] = entry

        for rank, s, o, w, a in agents:
            alone = sum(1 for x in w.agents.values() if x.name) == 1
            forms = {1: f"{a.name}.{w.name}.me", 2: f"{a.name}.{w.name}.{o.name}", 3: w.name}
            for form, text in forms.items():
                if (form == 2 and not o.name) or (form != 2 and not o.me) or (form == 3 and not alone):
                    continue
                former = form != 2 and o.me_held
                claim(f"{text}.{s.suffix}", Entry(address(a.id), s.name, o.id, held=bool(w.held) or former,
                                                  withdrawn=s.withdrawn, rank=(rank[0], 2.5 if former else rank[1], rank[2]), listed=not w.held,
                                                  form=form, seen=a.seen))
        for place, s in enumerate(sources.values()):
            for r in s.restored.values() if restored else []:
                claim(r.name, Entry(r.addr, s.name, None, held=r.held, withdrawn=s.withdrawn, restored=True, rank=(place, 3, 0),
                                    form=1 if r.ptr else 9, seen=r.seen))
            if s.sentinel and s.suffix:
                claim(f"{SENTINEL}.{s.suffix}", Entry("fd60:627a:a42b::53", s.name, None, withdrawn=s.withdrawn,
                                                      rank=(place, 0, 0), form=1))
        return found

    def publish(self):
        if not self.running or self.failed:
            return
        for s in self.state.sources.values():
            for o in s.owners.values():
                # A former user of the token who has no name any more never gets `me` names again.
                if o.me_held and not any(w.name and w.agents for w in o.ws.values()):
                    o.me = o.me_held = False
        if not self.state.ready and self.zone_state == "ok" and self.zone_ready:
            return
        suffixes = {}
        for s in self.state.sources.values():
            if s.suffix:
                suffixes.setdefault(s.suffix, []).append(s.name)
        self.zone_was = self.zone if isinstance(self.middle, bytes) else None
        self.zone = self.claims(self.state.sources) if self.state.ready else {}
        self.zone_ready = self.state.ready
        self.zone_suffixes, self.zone_conf = suffixes, self.conf
        if self.zone_state != "ok":
            self.zone_state = "ok" if suffixes or self.state.ready else self.zone_state

    def is_fresh(self, key, window):
        """True, False or None (either), of a source or (source, owner)."""
        p = self.pulse.get(key)
        if not p or p[0] != self.boots or p[3] is False:
            return False
        if self.boot - p[2] > window + 1000:
            return False
        return True if p[3] and self.boot - p[1] + 1000 < window else None

    def source_fresh(self, name):
        return self.is_fresh(name, span(self.zone_conf[name]["fresh-window"]))

    def entry_fresh(self, e):
        if e.held or e.restored or e.source not in self.zone_conf:
            return False
        both = [self.source_fresh(e.source)]
        if e.owner is not None:
            both.append(self.is_fresh((e.source, e.owner), 2 * self.interval(e.source, self.zone_conf)))
        return False if False in both else None if None in both else True

    def negative(self, name):
        """(rcode, fresh) of a name without address; (-1, None): not ours."""
        under = [x for x in self.zone_suffixes if name == x or name.endswith("." + x)]
        if not under:
            return -1, None
        if not self.zone_ready:
            policy = self.keys.get("not-ready", "servfail")
            apex = name in self.zone_suffixes and policy == "nxdomain"
            return (0 if apex else 2 if policy == "servfail" else 3), None
        below = [e for n, e in self.zone.items() if n.endswith("." + name)]
        inner = name in self.zone_suffixes or any(x.endswith("." + name) for x in self.zone_suffixes)
        if inner or any(not e.withdrawn for e in below):
            rcode = 0
        else:
            rcode = None if below else 3
        fresh = [self.source_fresh(s) if s in self.zone_conf else None for x in under for s in self.zone_suffixes[x]]
        return rcode, False if False in fresh else None if None in fresh else True

    def questions(self):
        """Names whose answers are worth a look beside those that are there."""
        out = set()
        for x in self.zone_suffixes:
            out |= {x, f"nope.{x}", f"me.{x}", f"x.y.z.{x}"}
        out |= {n.partition(".")[2] for n in list(self.zone)[:6]} | {"b." + n for n in list(self.zone)[:2]}
        return {n for n in out if n} | {"www.example.com"}

    def note_waiting(self, view):
        """More of what came out of the zone may be shown as held than must be; it waits then."""
        for s in self.state.sources.values():
            for r in s.restored.values():
                shown = view.names.get(r.name)
                if shown and shown[0].held and shown[0].restored and not r.held:
                    r.held = True
                    s.hold = s.hold or Hold(self.mono)
                    s.hold.fresh[0], s.hold.more, s.hold.due = 0, self.mono, None
                    if r.name in self.zone and self.zone[r.name].restored:
                        self.zone[r.name].held = True

    def note_clients(self, view):
        """A connection that a reload ended is seen by the world."""
        for name, conn in self.conns.items():
            connected, live = view.clients.get(name, (False, False))[:2]
            if conn.open_at is not None and not connected:
                conn.open_at, conn.snap = None, {}
            conn.in_contact = conn.in_contact and live

    # --- what is seen ---

    def check(self, view):
        """What is not as it must be, in words."""
        bad = list(self.complaints)
        assert (self.boot, self.wall) == (view.boot, view.wall), (self.boot, view.boot, self.wall, view.wall)
        view.was_gen = self.gen
        if self.middle is None:
            self.gen = view.gen or self.gen
        if self.middle is not None:
            if self.zone_ready and view.names_only() not in ({n: e.addr for n, e in self.zone.items()},
                                         {n: e.addr for n, e in (self.zone_was or {}).items()}):
                bad.append("in the middle of a commit readers see what is neither before it nor after it")
            return bad
        self.note_files(view)
        if self.running:
            self.check_operator(view, bad)
        if self.zone_state != "ok":
            if view.names:
                bad.append(f"there is no zone, and still {sorted(view.names)[:3]} answer")
            return bad
        for name in sorted(set(self.zone) | set(view.names)) if self.zone_ready else ():
            self.check_name(view, name, bad)
        if not self.failed:
            if self.zone_ready:
                self.check_ptr(view, bad)
            for name, rcode, ede, addr in view.asked:
                self.check_asked(name, rcode, ede, addr, bad)
        return bad

    def check_name(self, view, name, bad):
        want, seen = self.zone.get(name), view.names.get(name)
        if want is None:
            bad.append(f"{name} is published ({seen[0].addr}) and must not be")
            return
        if seen is None:
            bad.append(f"{name} is not published, and must be {want.addr}")
            return
        if len(seen) > 1:
            bad.append(f"{name} has two answers")
        seen = seen[0]
        if seen.addr != want.addr:
            bad.append(f"{name} is {seen.addr}, and must be {want.addr}")
        if self.failed:
            return
        if seen.source != want.source:
            bad.append(f"{name} is of source {seen.source}, and must be of {want.source}")
        if seen.withdrawn != want.withdrawn:
            bad.append(f"{name} is {'' if seen.withdrawn else 'not '}withdrawn, and must be the other")
            return
        if want.withdrawn:
            if seen.rcode != 3:
                bad.append(f"{name} is withdrawn, and its rcode is {seen.rcode}")
            return
        if seen.held != want.held:
            bad.append(f"{name} is {'' if seen.held else 'not '}held, and must be the other")
        if seen.restored != want.restored:
            bad.append(f"{name} is {'' if seen.restored else 'not '}of an earlier run, and must be the other")
        if want.seen is not None and abs(seen.first - want.seen) > 1:
            bad.append(f"{name} was first seen at {seen.first}, and must have been at {want.seen}")
        fresh = self.entry_fresh(want)
        if seen.rcode != 0 or (fresh is not None and (seen.ede == -1) != fresh) or seen.ede not in (-1, 3):
            bad.append(f"{name} is rcode {seen.rcode}, EDE {seen.ede}, and must be {'live' if fresh else 'stale'}")

    def check_ptr(self, view, bad):
        by_addr = {}
        for n, e in self.zone.items():
            by_addr.setdefault(e.addr, []).append((e.rank[0], e.form, n, e))
        for addr, all_ in by_addr.items():
            _, _, name, e = min(all_, key=lambda one: one[:3])
            is_ = view.ptrs.get(addr)
            if any(one[3].restored for one in all_):
                if is_ not in ["-"] + [one[2] for one in all_]:
                    bad.append(f"the PTR of {addr} is {is_}")
            elif is_ != ("-" if e.withdrawn else name) and addr != "fd60:627a:a42b::53":
                bad.append(f"the PTR of {addr} is {is_}, and must be {'-' if e.withdrawn else name}")

    def check_asked(self, name, rcode, ede, addr, bad):
        e = self.zone.get(name)
        if e is not None and self.zone_ready:
            return
        want, fresh = self.negative(name)
        if want is not None and rcode != want:
            bad.append(f"{name} has rcode {rcode}, and must have {want}")
        elif want in (0, 3) and self.zone_ready and fresh is not None and (ede == -1) != fresh:
            bad.append(f"{name} (rcode {rcode}) has EDE {ede}, and must be {'live' if fresh else 'stale'}")

    def note_files(self, view):
        """When the copy that stands by was made is not said; that it was is seen."""
        if view.copy and view.copy != self.copy_stamp and self.running:
            now = pickle.dumps(self.state)
            was = pickle.dumps(pickle.loads(self.before_line).state)
            self.copies = [was, now] if was != now else [now]
            self.copy_gen = (view.was_gen, view.gen)
        self.copy_stamp = view.copy
        if view.zone_gen:
            self.zone_gen = view.zone_gen

    def check_operator(self, view, bad):
        if view.store != ("failed" if self.failed else "ok"):
            bad.append(f"the store is {view.store}")
        if self.failed:
            return
        if self.failed:
            return
        self.check_refused(view, bad)
        for name, conn in self.conns.items():
            if conn.live is True and conn.open_at is not None and name in view.clients:
                self.check_wishes(self.state.sources[name], conn, *view.clients[name][2:], bad)
        if view.gen < view.was_gen:
            bad.append(f"the generation was {view.was_gen} and is {view.gen}")
        if self.epoch not in (None, view.epoch):
            bad.append("the store has another epoch")
        self.epoch = view.epoch
        want, seen = {}, {}
        for s in self.state.sources.values():
            if s.heirs:
                continue
            if s.other_deployment is not None:
                want[s.name, 0, "deployment"] = 1
            if s.other_suffix is not None:
                want[s.name, 0, "suffix"] = 1
            if s.hold:
                want[s.name, 0, "removal"] = 1
            for o in s.owners.values():
                if o.me_held and any(w.name for w in o.ws.values()):
                    want[s.name, o.id, "user"] = 1
                n = sum(1 for w in o.ws.values() if w.held)
                if n:
                    want[s.name, o.id, "removal"] = n
        for source, owner, kind, n, _ in view.holds:
            if source not in self.conf:
                continue
            kind = kind if kind in ("deployment", "suffix", "user") else "removal"
            at = (source, owner, kind)
            seen[at] = seen.get(at, 0) + n if owner and kind == "removal" else 1
        if want != seen:
            bad.append(f"what waits: must be {want}, is {seen}")

    def check_refused(self, view, bad):
        bad_names = sum(1 for s in self.state.sources.values() for o in s.owners.values() for w in o.ws.values()
                        if w.life == self.lives and not w.held and (not w.name or any(not a.name for a in w.agents.values())))
        if bad_names and not view.refused:
            bad.append("records are refused, and none is listed")
        if not view.refused or self.odd or self.losers:
            return
        for s in self.state.sources.values():
            for o in s.owners.values():
                if o.claims or o.wished is not False or any(w.held for w in o.ws.values()) or len(o.ws) > len({w.name for w in o.ws.values()}):
                    return
        names = [o.name for s in self.state.sources.values() for o in s.owners.values()]
        if len(self.conf) > 1 or len(names) > len(set(names)) or any(s.restored for s in self.state.sources.values()):
            return
        if any(len(w.good_agents()) < len(w.agents) for s in self.state.sources.values() for o in s.owners.values()
               for w in o.ws.values()):
            return
        bad.append(f"{view.refused} records are listed as refused, and none is")

    def check_wishes(self, s, conn, wants_connection, wants_snapshot, bad):
        """What waits for something must want it; what waits for nothing must not."""
        followed = [o for o in s.owners.values() if o.followed]
        same = conn.rights == conn.latest_rights and all(conn.readable.get(o.id, o.word) == o.word for o in followed)
        quiet = not s.restored and not any(w.held for o in s.owners.values() for w in o.ws.values())
        quiet = quiet and not any(o.claims or o.wished is not False for o in s.owners.values())
        for o in followed:
            if o.wished and o.id not in wants_snapshot and o.id in conn.snap:
                bad.append(f"{s.name} wants no snapshot of {o.id}, who was refused what is free now")
        if quiet and same and not conn.todo and wants_connection:
            bad.append(f"{s.name} wants a connection, and nothing waits for one")
        if quiet and wants_snapshot:
            bad.append(f"{s.name} wants snapshots of {wants_snapshot}, and nothing waits for one")
        for o in followed:
            if o.id not in conn.snap or not o.hold or all(w.rejected for w in o.ws.values() if w.held) or o.hold.fresh[0] < self.grace() + SLACK:
                continue
            if self.less(o, conn) is not False or o.word != "yes" or self.entry_fresh(Entry("", s.name, o.id)) is not True:
                continue
            after = [t for t in o.yes if t > o.hold.opened]
            if any(t <= conn.open_at for t in after):
                if o.id not in wants_snapshot and not wants_connection:
                    bad.append(f"{s.name} wants no snapshot of {o.id}, and what is held waits for nothing else")
            elif not wants_connection:
                bad.append(f"{s.name} wants no connection, and what is held of {o.id} waits for nothing else")

    def check_calm(self, view, name, minutes):
        """What still waits after a good while that must have ended."""
        if name not in self.conns or not self.conns[name].snap or self.failed or minutes > 100:
            return None
        s = self.state.sources[name]
        if s.other_deployment is not None or s.restored:
            left = [r.name for r in s.restored.values() if not r.rejected]
            if s.other_deployment is not None or self.conns[name].unknown:
                return None
            return f"names of an earlier run are left: {left[:4]}" if left else None
        for o in s.owners.values():
            if o.followed and not o.claims:
                left = [w.id for w in o.ws.values() if w.held and not w.rejected]
                if left:
                    return f"of owner {o.id} workspaces {left[:4]} are held still"
        return None
