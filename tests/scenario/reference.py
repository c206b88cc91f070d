"""
What the bridge must believe, written down once more and as plainly as possible: no index, no
increments; the names are worked out anew from what is known each time. It reads the lines of a
scenario (README.md) and says which names there are, which removals wait, and which message must be
refused. test_model.py compares it with the real thing.
"""
import re

HELD, PRIMARY, WITHDRAWN, RESTORED = 1, 2, 4, 8
SETTLE, FRESH, TWIN = 100, 60_000, 100_000
EXPLAINED_MIN = 10
LABEL = re.compile(r"[a-z0-9_-]{1,63}\Z")
UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "y": 365 * 86_400_000}


def span(text):
    number, unit = re.fullmatch(r"([+-]?\d+)([a-z]+)", text).groups()
    return int(number) * UNITS[unit]


def label(text):
    """As it is published, or None if it cannot be."""
    text = text.lower()
    return text if LABEL.match(text) and not text.startswith("_holdfast") else None


def address(agent):
    n = agent % TWIN
    groups = f"{n >> 16:x}:{n & 0xffff:x}"
    return "fd60:627a:a42b::" + (groups if n >> 16 else f"{n:x}")


class Agent:
    def __init__(self, ws, seen, born):
        self.ws, self.seen, self.born = ws, seen, born
        self.name = None  # None: refused


class Workspace:
    def __init__(self, owner, seen):
        self.owner, self.seen = owner, seen
        self.name, self.held = None, False


class Owner:
    def __init__(self):
        self.name, self.confirmed = None, False
        self.forget_process()

    def forget_process(self):
        self.followed = self.accepted = self.readable = False
        self.snapshot_at = -1


class Hold:
    def __init__(self, detail=""):
        self.detail, self.rejected, self.fresh, self.due, self.slack = detail, False, 0, None, 0


class Source:
    def __init__(self, now):
        self.suffix = self.deployment = self.user = None
        self.sentinel = self.withdrawn = False
        self.owners, self.workspaces, self.agents = {}, {}, {}
        self.restored, self.restored_at_first = {}, 0  # name: (address, first seen)
        self.holds = {}  # (owner or 0, kind): Hold
        self.age, self.age_slack = 0, 0  # counted up to ...
        self.age_from = now
        self.forget_process()

    def forget_process(self):
        self.live, self.contact_at, self.window = False, None, []
        for o in self.owners.values():
            o.forget_process()

    def good(self, owner=None, held=None):
        return [i for i, w in self.workspaces.items() if w.name is not None
                and owner in (None, w.owner) and held in (None, w.held)]

    def agents_of(self, ws):
        return [i for i, a in self.agents.items() if a.ws == ws]

    def remove_workspace(self, ws):
        for a in self.agents_of(ws):
            del self.agents[a]
        del self.workspaces[ws]

    def settle(self, owner):
        """A hold ends with the last workspace that it holds."""
        if not self.good(owner, held=True):
            self.holds.pop((owner, "removal"), None)


class Refused(Exception):
    pass


class Reference:
    def __init__(self):
        self.now, self.wall = 1_000_000, 1_750_000_000_000
        self.conf, self.keys = [], {}  # sources as configured: dicts, in order
        self.users, self.sources = [], {}
        self.contact, self.born = set(), 0
        self.running = False
        self.published = {}
        self.begun, self.wall_moved = self.now, False
        self.age_known = True  # else the clock was set, or too little time passed to write it down

    # --- configuration ---

    def user(self, name):
        if name not in self.users:
            self.users.append(name)
        return self.users.index(name) + 1

    def key(self, name, default):
        return self.keys.get(name, default)

    def limit(self, of, at_least):
        percent = int(self.key("guard.max-removal", "50%")[:-1])
        return max(at_least, of * percent // 100)

    @property
    def guard_min(self):
        return int(self.key("guard.min-workspaces", "3"))

    @property
    def grace(self):
        return span(self.key("guard.grace", "10m"))

    @property
    def max_age(self):
        return span(self.keys["hold.max-age"]) if "hold.max-age" in self.keys else None

    def configure(self):
        order = [c["name"] for c in self.conf]
        for c in self.conf:
            s = self.sources.setdefault(c["name"], Source(self.now))
            s.sentinel = c.get("sentinel") == "true"
            if c["suffix"] != "auto":
                self.set_suffix(s, c["suffix"])
        leaving = {n: s for n, s in self.sources.items() if n not in order}
        for s in leaving.values():
            s.live = False
        self.sources = {n: self.sources[n] for n in order} | leaving
        self.drop_leaving()
        for s in self.sources.values():
            if s.withdrawn and (self.max_age is None or (not s.live and self.age(s) < self.max_age)):
                s.withdrawn = False

    def set_suffix(self, s, suffix):
        s.suffix = suffix
        s.restored = {n: r for n, r in s.restored.items() if n.endswith("." + suffix)}

    def drop_leaving(self):
        """What is no longer configured goes when what may bring its names is confirmed."""
        configured = {c["name"] for c in self.conf}
        for name in [n for n in self.sources if n not in configured]:
            s = self.sources[name]
            wait = any(self.sources[n].suffix in (None, s.suffix)
                       and not any(o.confirmed for o in self.sources[n].owners.values())
                       for n in configured & set(self.sources))
            if not wait or not (s.good() or s.restored):
                del self.sources[name]

    # --- time ---

    def age(self, s):
        return s.age + self.now - s.age_from

    def pass_ms(self, ms):
        for s in self.sources.values():
            end = s.contact_at + FRESH if s.live else self.now
            fresh = max(0, min(self.now + ms, end) - self.now)
            for h in s.holds.values():
                h.fresh += fresh
        self.now += ms
        self.wall += ms
        for s in self.sources.values():
            self.ripen(s)
        self.withdraw()

    def ripen(self, s):
        """Whose grace is spent: what a snapshot from now on lacks may go."""
        for h in s.holds.values() if self.running else ():
            if h.due is None and h.fresh >= self.grace:
                h.due = self.now

    def withdraw(self):
        for s in self.sources.values() if self.running else ():
            if not s.live and self.max_age is not None and self.age(s) >= self.max_age:
                s.withdrawn = True

    def in_contact(self, name):
        s = self.sources[name]
        self.ripen(s)
        s.live, s.contact_at, s.age, s.age_from = True, self.now, 0, self.now

    def pass_seconds(self, ms):
        while ms >= 1000:
            self.pass_ms(1000)
            for name in self.contact:
                self.in_contact(name)
            ms -= 1000
        self.pass_ms(ms)

    # --- names ---

    def rank(self, order, s, agent):
        """Who has a name that several claim: the lowest."""
        a = s.agents[agent]
        return (order, s.workspaces[a.ws].held, a.ws, -a.born)

    def claims(self):
        """Each (rank, name, record)."""
        for order, (source, s) in enumerate(self.sources.items()):
            if s.suffix is None:
                continue
            flags = WITHDRAWN if s.withdrawn else 0
            for name, (addr, seen) in s.restored.items():
                yield (order, 2), name, (addr, flags | RESTORED, source, seen, name)
            if s.sentinel:
                yield ((order,), f"is.coder--connect--enabled--right--now.{s.suffix}",
                       (address(0x53), flags, source, 0, "sentinel"))
            yield from self.agent_claims(order, source, s, flags)

    def agent_claims(self, order, source, s, flags):
        good = [i for i, a in s.agents.items()
                if a.name is not None and s.workspaces[a.ws].name is not None]
        best = {}
        for i in sorted(good, key=lambda i: self.rank(order, s, i)):
            best.setdefault(address(i), i)
        for i in good:
            if best[address(i)] != i:
                continue  # another agent has its address
            a = s.agents[i]
            w = s.workspaces[a.ws]
            own, owner = w.owner == s.user, s.owners[w.owner].name
            record = (address(i), flags | (HELD if w.held else 0), source, a.seen, (i, a.born))
            names = [f"{a.name}.{w.name}.me"] if own else []
            names += [f"{a.name}.{w.name}.{owner}"] if owner else []
            if own and sum(g in good for g in s.agents_of(a.ws)) == 1:
                names.append(w.name)
            for n in names:
                yield self.rank(order, s, i), f"{n}.{s.suffix}", record

    def names(self):
        """Each published name: (address, flags, source, first seen, who)."""
        won = {}
        for rank, name, record in self.claims():
            if name not in won or rank < won[name][0]:
                won[name] = (rank, record)
        first = {}  # of each address: whose name its PTR tells, and which
        for name, (rank, record) in won.items():
            if record[4] != "sentinel":
                place = (rank, self.place(name, record))
                first[record[0]] = min(first.get(record[0], (place, name)), (place, name))
        return {name: (r[0], r[1] | (PRIMARY if first.get(r[0], (0, 0))[1] == name else 0), *r[2:])
                for name, (_, r) in won.items()}

    def place(self, name, record):
        suffix = self.sources[record[2]].suffix
        labels = name[:-len(suffix) - 1].split(".")
        if record[1] & RESTORED:
            return 0
        return 2 if len(labels) == 1 else 1 if labels[2] != "me" else 0

    # --- messages ---

    def records(self, words):
        ws, agents, gone_ws, gone_agents, odd = [], [], [], [], False
        for word in words:
            sign = word[0] if word[0] in "+-" else "+"
            body = word.lstrip("+-")
            if word == "?":
                odd = True
            elif sign == "-":
                (gone_agents if body[0] == ":" else gone_ws).append(int(body.lstrip(":")))
            else:
                head, _, rest = body.partition(":")
                number, named, name = head.partition("=")
                if named:
                    ws.append((int(number), name))
                for a in filter(None, rest.split(",")):
                    agents.append((int(a.split("=")[0]), a.split("=", 1)[1], int(number)))
        return ws, agents, gone_ws, gone_agents, odd

    def upsert_workspace(self, s, owner, ws, name):
        """True if it was held until now."""
        w = s.workspaces.get(ws)
        if w is None:
            w = s.workspaces[ws] = Workspace(owner, self.wall // 1000)
        former, w.owner = w.owner, owner
        returned, w.held = w.held, False
        w.name = label(name) or w.name
        s.settle(former)
        s.settle(owner)
        return returned

    def upsert_agent(self, s, ws, agent, name):
        a = s.agents.get(agent)
        if a is None:
            self.born += 1
            a = s.agents[agent] = Agent(ws, self.wall // 1000, self.born)
        a.ws = ws
        a.name = label(name) or a.name

    def hold(self, s, owner, kind, detail=""):
        h = s.holds.setdefault((owner, kind), Hold())
        h.detail, h.fresh, h.due = detail, 0, None

    def hold_workspace(self, s, ws):
        s.workspaces[ws].held = True
        self.hold(s, s.workspaces[ws].owner, "removal")

    def snapshot(self, s, owner, words):
        ws, agents, _, _, odd = self.records(words)
        had, listed, heard = len(s.good(owner, held=False)), set(), set()
        for i, name in ws:
            if i not in listed:
                listed.add(i)
                self.upsert_workspace(s, owner, i, name)
        for i, name, of in agents:
            if of not in listed:
                odd = True
            elif i not in heard:
                heard.add(i)
                self.upsert_agent(s, of, i, name)
        if odd:
            return
        for i in [i for i, a in s.agents.items() if a.ws in listed and i not in heard]:
            del s.agents[i]
        self.guard_snapshot(s, owner, had, listed, not ws)

    def guard_snapshot(self, s, owner, had, listed, empty):
        h = s.holds.get((owner, "removal"))
        release = h and not h.rejected and h.fresh >= self.grace and s.owners[owner].readable
        absent = [i for i, w in s.workspaces.items() if w.owner == owner and i not in listed]
        gone = [i for i in absent if s.workspaces[i].name is not None and not s.workspaces[i].held]
        too_many = (empty and had) or len(gone) > self.limit(had, self.guard_min)
        for i in absent:
            if s.workspaces[i].held:
                if release:
                    s.remove_workspace(i)
            elif i in gone and too_many:
                self.hold_workspace(s, i)
            else:
                s.remove_workspace(i)
        if (empty and not had and s.restored and (owner, "removal") not in s.holds
                and (0, "restored") not in s.holds):
            self.hold(s, 0, "restored")
        s.settle(owner)

    def explained(self, s, had, n):
        s.window = [(t, k) for t, k in s.window if self.now - t < self.grace]
        before = sum(k for _, k in s.window)
        if before + n > self.limit(had + before, EXPLAINED_MIN):
            return False
        s.window.append((self.now, n))
        return True

    def diff(self, s, owner, words):
        ws, agents, gone_ws, gone_agents, _ = self.records(words)
        known = set(s.workspaces) | {i for i, _ in ws}
        if any(of in gone_ws or of not in known for _, _, of in agents):
            raise Refused
        had = len(s.good())
        returned = {i for i, name in ws if self.upsert_workspace(s, owner, i, name)}
        mine = lambda i: s.workspaces[i].owner == owner
        doomed = {i for i in gone_agents if i in s.agents and mine(s.agents[i].ws)}
        gone = [i for i in dict.fromkeys(gone_ws) if i in s.workspaces and mine(i)]
        good = [i for i in gone if s.workspaces[i].name is not None]
        too_many = good and not self.explained(s, had, len(good))
        for i in gone:
            if too_many and i in good:
                self.hold_workspace(s, i)
            else:
                s.remove_workspace(i)
        for i, name, of in agents:
            self.upsert_agent(s, of, i, name)
        doomed -= {i for i, _, _ in agents}
        for i in list(s.agents):
            w = s.workspaces[s.agents[i].ws]
            old = s.agents[i].ws in returned and i not in {a for a, _, _ in agents}
            if (i in doomed or old) and not w.held:
                del s.agents[i]
        s.settle(owner)

    def message(self, kind, source, name, words):
        s, owner = self.sources[source], self.user(name)
        o = s.owners.get(owner)
        if o is None:
            return False
        if (0, "deployment") in s.holds or (kind == "diff" and not o.accepted):
            raise Refused
        self.in_contact(source)
        getattr(self, kind)(s, owner, words)
        o.accepted = True
        if kind == "snapshot":
            o.snapshot_at = self.now
        s.withdrawn = False
        o.confirmed = True
        self.guard_restored(s)
        self.drop_leaving()
        return True

    def guard_restored(self, s):
        followed = [o for o in s.owners.items() if o[1].followed]
        h = s.holds.get((0, "restored"))
        if (not s.restored or not followed
                or any(not o.accepted or (i, "removal") in s.holds for i, o in followed)):
            return
        missing = sum(r[4] == n for n, r in self.names().items() if n in s.restored)
        if h and (h.rejected or h.due is None
                  or any(not o.readable or o.snapshot_at < h.due for _, o in followed)):
            return
        if not h and missing > self.limit(s.restored_at_first, self.guard_min):
            self.hold(s, 0, "restored")
            return
        s.restored = {}
        s.holds.pop((0, "restored"), None)

    # --- who answers ---

    def login(self, source, name, options):
        s, deployment, suffix = self.sources[source], options.get("deployment"), options.get("suffix")
        number = self.user(name)
        if deployment:
            s.deployment = s.deployment or deployment
            if s.deployment != deployment:
                if s.holds.get((0, "deployment"), Hold()).detail != deployment:
                    self.hold(s, 0, "deployment", deployment)
                return
            s.holds.pop((0, "deployment"), None)
        if suffix:
            s.suffix = s.suffix or suffix
            if s.suffix == suffix:
                s.holds.pop((0, "suffix"), None)
            elif s.holds.get((0, "suffix"), Hold()).detail != suffix:
                self.hold(s, 0, "suffix", suffix)
        s.user = number
        self.follow(s, number, options.get("renamed", name))

    def follow(self, s, number, name):
        o = s.owners.setdefault(number, Owner())
        o.followed = o.readable = True
        if name.lower() != "me":
            o.name = label(name) or o.name

    def forget(self, s, number):
        for i in [i for i, w in s.workspaces.items() if w.owner == number]:
            s.remove_workspace(i)
        s.holds.pop((number, "removal"), None)
        del s.owners[number]
        self.guard_restored(s)

    # --- the operator ---

    def held_kinds(self, source, what, owner):
        s = self.sources[source]
        return [(o, k) for o, k in s.holds if (owner is None or o == owner)
                and (what is None or k == what or (what == "removal" and k == "restored"))]

    def decide(self, accept, source, what, owner):
        s = self.sources[source]
        for o, kind in self.held_kinds(source, what, owner):
            if not accept:
                s.holds[o, kind].rejected = True
                continue
            detail = s.holds.pop((o, kind)).detail
            if kind == "removal":
                for i in s.good(o, held=True):
                    s.remove_workspace(i)
            elif kind == "restored":
                s.restored = {}
            elif kind == "deployment":
                s.deployment = detail
            else:
                self.set_suffix(s, detail)

    # --- life ---

    def end(self):
        self.running = False
        self.age_known = self.max_age is not None and self.now - self.begun > 61_000
        self.contact = set()
        self.published = self.names()
        for s in self.sources.values():
            s.forget_process()
            # What is refused is not kept, and how long something lasts is written once a minute.
            for i in [i for i, w in s.workspaces.items() if w.name is None]:
                s.remove_workspace(i)
            for i in [i for i, a in s.agents.items() if a.name is None]:
                del s.agents[i]
            s.restored_at_first = len(s.restored)
            s.age_slack = 121_000
            for h in s.holds.values():
                h.slack, h.due = 61_000, None

    def begin(self):
        self.running = True
        self.begun, self.wall_moved = self.now, False
        self.configure()

    def lose_store(self):
        """The names come back from the zone, and the suffix."""
        before, self.sources = self.sources, {}
        for c in self.conf:
            s = self.sources[c["name"]] = Source(self.now)
            old = before.get(c["name"])
            s.suffix = old.suffix if old else None
            s.restored = {n: (r[0], r[3]) for n, r in self.published.items() if r[2] == c["name"]}
            s.restored_at_first = len(s.restored)

    # --- lines ---

    def line(self, text):
        """Takes a line up. False if the bridge must not (diff!, snapshot!)."""
        words = text.split()
        verb, rest = words[0].rstrip("!"), words[1:]
        options = dict(w.split("=", 1) for w in rest if "=" in w and not w[0].isdigit())
        return getattr(self, "do_" + verb.replace("-", "_"))(rest, options)

    def do_source(self, a, options):
        self.conf.append({"name": a[0], "suffix": a[1]})

    def do_source_key(self, a, options):
        next(c for c in self.conf if c["name"] == a[0])[a[1]] = a[2]

    def do_drop(self, a, options):
        self.conf = [c for c in self.conf if c["name"] != a[0]]
        self.contact.discard(a[0])

    def do_set(self, a, options):
        self.keys[a[0]] = a[1]

    def do_unset(self, a, options):
        del self.keys[a[0]]

    def do_start(self, a, options):
        self.begin()

    def do_stop(self, a, options):
        self.end()

    do_kill = do_stop

    def do_restart(self, a, options):
        self.end()
        self.begin()

    def do_reboot(self, a, options):
        if self.running:
            self.end()
        self.age_known = self.age_known and not self.wall_moved
        down = span(a[0])
        for s in self.sources.values():
            s.age, s.age_from = self.age(s) + down, 20_000
        self.now = 20_000
        self.wall += down

    def do_lose(self, a, options):
        self.lose_store()

    def do_reload(self, a, options):
        self.configure()
        self.pass_ms(SETTLE)

    def do_login(self, a, options):
        self.login(a[0], a[1], options)
        self.pass_ms(SETTLE)

    def do_owner(self, a, options):
        self.follow(self.sources[a[0]], self.user(a[1]), options.get("renamed", a[1]))
        self.pass_ms(SETTLE)

    def do_forget(self, a, options):
        self.forget(self.sources[a[0]], self.user(a[1]))
        self.pass_ms(SETTLE)

    def do_readable(self, a, options, readable=True):
        o = self.sources[a[0]].owners.get(self.user(a[1]))
        if o:
            o.readable = readable

    def do_unreadable(self, a, options):
        self.do_readable(a, options, False)

    def do_message(self, kind, a):
        try:
            if not self.message(kind, a[0], a[1], a[2:]):
                return False  # of an owner whom nobody follows: no time passes either
        except Refused:
            self.pass_ms(SETTLE)
            return False
        self.contact.add(a[0])
        self.pass_ms(SETTLE)
        return True

    def do_snapshot(self, a, options):
        return self.do_message("snapshot", a)

    def do_diff(self, a, options):
        return self.do_message("diff", a)

    def do_contact(self, a, options):
        self.contact.add(a[0])
        self.in_contact(a[0])
        self.pass_ms(SETTLE)

    def do_away(self, a, options):
        self.contact.discard(a[0])
        self.sources[a[0]].live = False
        self.pass_ms(SETTLE)

    def do_after(self, a, options):
        self.pass_seconds(span(a[0]))

    def do_sleep(self, a, options):
        self.pass_ms(span(a[0]))
        self.pass_ms(SETTLE)

    def do_wall(self, a, options):
        self.wall += span(a[0])
        self.wall_moved = True
        self.pass_ms(SETTLE)

    def do_accept(self, a, options, accept=True):
        what = next((w for w in a[1:] if "=" not in w), None)
        owner = self.user(options["owner"]) if "owner" in options else None
        self.decide(accept, a[0], what, owner)
        self.pass_ms(SETTLE)

    def do_reject(self, a, options):
        self.do_accept(a, options, False)
