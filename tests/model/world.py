# SPDX-License-Identifier: Apache-2.0
"""
Random lives: what operators, servers, networks, disks and clocks do to a bridge, as lines for the driver. Servers are
simulated here, with users, rights and organisations; what a line says is what such a server would say (or a broken one).
"""
import random

RUNNING, STOPPED = 3, 5
NAMES = ["dev", "web", "gpu", "Main", "x", "my_ws", "a-b"]
AGENTS = ["main", "x", "gpu"]
BAD = ["b%20d", "a.b", "", "%2a", "_holdfastx", "x%0ay", "a" * 64]
USERS = {1: "alice", 2: "bob", 3: "carol", 4: "dave"}
ALL_ROLES = {"role:template-admin", "org:a", "org:b", "org-role:a:admin", "org-role:b:admin"}


class Server:
    def __init__(self, rng, number):
        self.rng = rng
        self.number = number
        self.deployment = rng.choice([f"d{number}", f"d{number}", ""])
        self.suffix = "coder"
        self.users = dict(USERS)
        self.user = 1
        self.roles = set(ALL_ROLES)
        self.unknown = set()  # users whom REST does not find
        self.rest = "ok"  # "unknown": no rights and no authcheck; "failing": nor other users
        self.ws = {}
        self.next_ws, self.next_agent = 10 * number + 1, 1000 * number + 1

    def new_ws(self, owner, n_agents=None):
        rng = self.rng
        taken = {w["name"].lower() for w in self.ws.values() if w["owner"] == owner}
        base = rng.choice(NAMES)
        name = next(x for x in [base] + [f"{base}{i}" for i in range(60)] if x.lower() not in taken)
        number = self.next_ws
        self.next_ws += rng.choice([1, 1, 3])
        w = self.ws[number] = {"id": number, "owner": owner, "name": name, "status": RUNNING, "agents": {}, "org": rng.choice("ab")}
        self.build(w, n_agents)
        return w

    def build(self, w, n_agents=None):
        n = self.rng.choice([1, 1, 1, 2, 0]) if n_agents is None else n_agents
        w["agents"] = {self.new_agent(): AGENTS[i % 3] for i in range(n)}
        w["status"] = RUNNING if n else self.rng.choice([RUNNING, STOPPED])

    def find(self, name):
        """The user of that name, or None."""
        return next((u for u, n in reversed(self.users.items()) if n == name and u not in self.unknown), None)

    def new_agent(self):
        self.next_agent += 1
        return self.next_agent

    def reads(self, roles, w):
        return w["owner"] == self.user or "role:template-admin" in roles or f"org-role:{w['org']}:admin" in roles

    def may_read(self, owner):
        """As authcheck says it, in any organisation."""
        return owner == self.user or bool(self.roles & {"role:template-admin", "org-role:a:admin", "org-role:b:admin"})


def record(w, agents=True):
    status = w["status"]
    listed = list(w["agents"].items()) if agents else []
    natural = RUNNING if listed else STOPPED
    text = f"{w['id']}={w['name']}" + ("" if status == natural else f"!{status}")
    return text + (":" + ",".join(f"{n}={t}" for n, t in listed) if listed else "")


class World:
    def __init__(self, seed, play):
        self.rng = random.Random(seed)
        self.play = play  # what was seen last
        self.servers = {}
        self.conf = {}
        self.roles = {}  # of the open connection of a source
        self.reads_as = {}
        self.running = False
        self.broken = None  # scenes that a fault has left behind

    # --- the configuration ---

    def server(self, source):
        url = self.conf[source]["url"]
        if url not in self.servers:
            self.servers[url] = Server(self.rng, len(self.servers) + 1)
        return self.servers[url]

    def conf_line(self, name):
        c = self.conf[name]
        return f"conf {name} " + " ".join(f"{k}={v}" for k, v in c.items())

    def words(self):
        return self.rng.choice(["me", "me", "me", "me,bob", "bob", "me,bob,carol", "all", "me,dave", "alice,bob", "carol,me"])

    def new_conf(self, name, url):
        rng = self.rng
        c = {"url": url, "suffix": rng.choice(["coder", "coder", "auto"]), "owners": self.words()}
        if rng.random() < 0.2:
            c["sentinel"] = "true"
        if rng.random() < 0.4:
            c["snapshot-interval"] = rng.choice(["2m", "5m", "1h"])
        self.conf[name] = c

    def begin(self):
        rng = self.rng
        self.new_conf("main", "https://a.example")
        if rng.random() < 0.4:
            self.new_conf("lab", "https://b.example")
            if rng.random() < 0.6:
                self.conf["lab"]["suffix"] = rng.choice(["lab", "auto"])
        for name in self.conf:
            yield self.conf_line(name)
        for name in self.conf:
            srv = self.server(name)
            for owner in USERS:
                for _ in range(rng.choice([0, 1, 2, 3, 5, 8, 14] if owner < 3 else [0, 1, 3])):
                    srv.new_ws(owner)
        if rng.random() < 0.3:
            yield "set guard grace=" + rng.choice(["2m", "30m"])
        if rng.random() < 0.4:
            yield "set hold policy=max-age max-age=" + rng.choice(["1h", "2h"])
        yield "start"
        for name in list(self.conf):
            yield from self.connect(name)

    # --- the server's side ---

    def told(self, source, ago=None):
        srv, rng = self.server(source), self.rng
        owners, words = {}, []
        for word in self.conf[source]["owners"].split(","):
            if word == "all":
                words.append("list" if "role:template-admin" in srv.roles and srv.rest != "failing" else "open")
                for u in srv.users if words[-1] == "list" else ():
                    owners[u] = True
                continue
            found = srv.user if word == "me" else srv.find(word)
            words.append("open" if srv.rest == "failing" and word != "me" else str(found or "unknown"))
            if words[-1].isdigit():
                owners.setdefault(found, False)
        parts = []
        for u, listed in owners.items():
            readable = "yes" if srv.may_read(u) else "no"
            parts.append(f"{u}:{srv.users[u]}:{'' if srv.rest != 'ok' else readable}" + (":listed" if listed else ""))
        line = f"told {source} user={srv.user}:{srv.users[srv.user]}"
        if srv.deployment:
            line += f" deployment={srv.deployment}"
        if self.conf[source]["suffix"] == "auto" and srv.suffix:
            line += f" suffix={srv.suffix}"
        line += f" words={','.join(words)}"
        if srv.rest == "ok" and srv.roles:
            line += " rights=" + "+".join(sorted(srv.roles))
        if parts:
            line += " owners=" + ",".join(parts)
        if ago:
            line += f" ago={ago}"
        if not self.connected(source):
            self.roles[source] = set(srv.roles)
        return line

    def client(self, source):
        return self.play.view.clients.get(source) if self.play.view else None

    def connected(self, source):
        c = self.client(source)
        return bool(c and c[0])

    def live(self, source):
        c = self.client(source)
        return bool(c and c[1])

    def followed(self, source):
        """Owners of REST's last word."""
        srv = self.server(source)
        out = []
        for word in self.conf[source]["owners"].split(","):
            if word == "all":
                out += [u for u in srv.users if u not in srv.unknown]
            else:
                out += [u for u in [srv.user if word == "me" else srv.find(word)] if u]
        return list(dict.fromkeys(out))

    def listed(self, source, owner):
        srv = self.server(source)
        return [w for w in srv.ws.values() if w["owner"] == owner and srv.reads(self.roles.get(source, set()), w)]

    def snapshot(self, source, owner, odd=None):
        rng = self.rng
        records = [record(w) for w in self.listed(source, owner)]
        rng.shuffle(records)
        odd = rng.random() < 0.06 if odd is None else odd
        if odd:
            self.spoil(source, records)
        return " ".join([f"snapshot {source} {owner}"] + records)

    def spoil(self, source, records):
        rng = self.rng
        kind = rng.randrange(5)
        if kind == 0:
            records.insert(rng.randrange(len(records) + 1), "?")
        elif kind == 1:
            records.append(f"9{rng.randrange(10, 99)}={rng.choice(BAD)}:9{rng.randrange(1000, 9999)}=main")
        elif kind == 2:
            records.append(f"8{rng.randrange(10, 99)}:9{rng.randrange(1000, 9999)}=main")
        elif kind == 3 and records:
            records.append(records[0])
        elif kind == 4 and records:
            i = rng.randrange(len(records))
            head, _, tail = records[i].partition("=")
            records[i] = f"{head}={rng.choice(BAD)}" + (":" + tail.split(":", 1)[1] if ":" in tail else "")

    def connect(self, source, part=None):
        if source not in self.conf:
            return
        yield self.told(source)
        owners = self.followed(source)
        self.rng.shuffle(owners)
        for owner in owners[:part]:
            yield self.snapshot(source, owner)

    def refresh(self, source):
        yield self.told(source, self.rng.choice([None, None, "2s", "20s"]))
        owners = self.followed(source)
        if self.rng.random() < 0.2:
            owners = owners[:1]
        for owner in owners:
            yield self.snapshot(source, owner)

    def redial(self, source):
        yield f"{self.rng.choice(['away', 'redial'])} {source}"
        yield from self.connect(source)

    def tell(self, server, owner, records):
        """A diff, on each stream that is open to that owner; some are lost."""
        for source in list(self.conf):
            if self.server(source) is not server or not self.live(source) or owner not in self.followed(source):
                continue
            if self.rng.random() < 0.1:
                continue
            reads = [r for r in records if r[0] is None or server.reads(self.roles.get(source, set()), r[0])]
            if reads:
                yield f"diff {source} {owner} " + " ".join(r[1] for r in reads)

    # --- scenes ---

    def source(self):
        return self.rng.choice(list(self.conf))

    def pick(self, server):
        return self.rng.choice(list(server.ws.values())) if server.ws else None

    def scene_create(self):
        srv = self.server(self.source())
        owner = self.rng.choice(list(srv.users))
        new = [srv.new_ws(owner) for _ in range(self.rng.choice([1, 1, 1, 2, 6]))]
        yield from self.tell(srv, owner, [(w, record(w)) for w in new])

    def scene_delete(self):
        srv = self.server(self.source())
        w = self.pick(srv)
        if not w:
            return
        mine = [v for v in srv.ws.values() if v["owner"] == w["owner"]]
        gone = self.rng.sample(mine, min(len(mine), self.rng.choice([1, 1, 1, 2, 4, 12])))
        for v in gone:
            del srv.ws[v["id"]]
        yield from self.tell(srv, w["owner"], [(v, f"-{v['id']}") for v in gone] +
                             [(v, f"-:{n}") for v in gone for n in v["agents"]])

    def scene_rebuild(self):
        srv = self.server(self.source())
        w = self.pick(srv)
        if not w:
            return
        old = list(w["agents"])
        srv.build(w)
        yield from self.tell(srv, w["owner"], [(w, record(w))] + [(w, f"-:{n}") for n in old])

    def scene_status(self):
        srv = self.server(self.source())
        w = self.pick(srv)
        if w:
            w["status"] = self.rng.choice([1, 2, 3, 4, 5])
            yield from self.tell(srv, w["owner"], [(w, record(w, agents=False))])

    def scene_rename(self):
        srv = self.server(self.source())
        w = self.pick(srv)
        if not w:
            return
        taken = {v["name"].lower() for v in srv.ws.values() if v["owner"] == w["owner"]}
        w["name"] = next(n for n in [f"r{self.rng.randrange(9)}", f"r1{w['id']}"] if n not in taken or n.startswith("r1"))
        if self.rng.random() < 0.5 and w["agents"]:
            n = self.rng.choice(list(w["agents"]))
            w["agents"][n] = f"ag{self.rng.randrange(4)}{n % 7}"
        yield from self.tell(srv, w["owner"], [(w, record(w))] +
                             ([(w, f"-:{n}") for n in w["agents"]] if self.rng.random() < 0.3 else []))

    def scene_move(self):
        srv = self.server(self.source())
        w = self.pick(srv)
        if not w:
            return
        before, w["owner"] = w["owner"], self.rng.choice(list(srv.users))
        if before == w["owner"]:
            return
        taken = {v["name"].lower() for v in srv.ws.values() if v["owner"] == w["owner"] and v is not w}
        if w["name"].lower() in taken:
            w["name"] = f"m{w['id']}"
        out = [(None, f"-{w['id']}")] + [(None, f"-:{n}") for n in w["agents"]]
        first = [(before, out), (w["owner"], [(w, record(w))])]
        if self.rng.random() < 0.5:
            first.reverse()
        for owner, records in first:
            yield from self.tell(srv, owner, records)

    def scene_dispute(self):
        """REST is asked whose a workspace is that two streams list."""
        source = self.source()
        yield f"ask {source}"
        asked = self.play.lines[-1].startswith("ask") and self.play.answer.startswith("ok")
        number = int(self.play.answer.split()[-1]) if asked else 0
        if number:
            w = self.server(source).ws.get(number)
            yield f"tells {source} {number} {w['owner'] if w else 0}"

    def scene_odd_diff(self):
        source = self.source()
        srv = self.server(source)
        owners = self.followed(source)
        if not owners:
            return
        owner = self.rng.choice(owners)
        kind = self.rng.randrange(4)
        if kind == 0:
            records = ["?"]
        elif kind == 1:
            records = [f"-{self.rng.randrange(700, 720)}"]
        elif kind == 2:
            records = [f"-:{self.rng.randrange(70000, 70020)}"]
        else:
            records = [f"{self.rng.randrange(700, 720)}:{self.rng.randrange(70000, 70020)}=main"]
        w = next((v for v in srv.ws.values() if v["owner"] == owner), None)
        if w and srv.reads(self.roles.get(source, set()), w):
            records.insert(0, record(w))
        yield f"diff {source} {owner} " + " ".join(records)

    def scene_refresh(self):
        yield from self.refresh(self.source())

    def scene_snapshot(self):
        source = self.source()
        for owner in self.followed(source):
            if self.rng.random() < 0.7:
                yield self.snapshot(source, owner)

    def scene_redial(self):
        yield from self.redial(self.source())

    def scene_away(self):
        source = self.source()
        yield f"away {source}"
        yield f"after {self.rng.choice(['3s', '40s', '5m', '30m', '70m'])}"
        yield from self.connect(source, self.rng.choice([None, None, 1]))

    def scene_silence(self):
        source = self.source()
        yield f"silence {source}"
        yield f"after {self.rng.choice(['20s', '50s', '90s'])}"
        yield f"contact {source}"

    def scene_bad_list(self):
        """A server that lists too little, for a while."""
        source = self.source()
        owners = self.followed(source)
        if not owners:
            return
        owner = self.rng.choice(owners)
        ws = self.listed(source, owner)
        keep = self.rng.choice([0, 0, 1, len(ws) // 2])
        kept = self.rng.sample(ws, min(keep, len(ws)))
        how = self.rng.random()
        if how < 0.25:
            kept = [dict(w, agents={}, status=RUNNING) for w in ws]
        elif how < 0.35:
            kept = [dict(w, name=self.rng.choice(BAD)) for w in kept]
        for _ in range(self.rng.choice([1, 1, 2, 3])):
            yield " ".join([f"snapshot {source} {owner}"] + [record(w) for w in kept])
            if self.rng.random() < 0.5:
                yield f"after {self.rng.choice(['1m', '6m', '11m'])}"
            if self.rng.random() < 0.5:
                yield f"{self.rng.choice(['away', 'redial'])} {source}"
                yield self.told(source)

    def scene_rights(self):
        source = self.source()
        srv = self.server(source)
        if self.rng.random() < 0.6 and srv.roles:
            srv.roles -= set(self.rng.sample(sorted(srv.roles), self.rng.randrange(1, len(srv.roles) + 1)))
        else:
            srv.roles = set(ALL_ROLES)
        yield from self.rng.choice([self.redial, self.refresh])(source)

    def scene_rest(self):
        srv = self.server(self.source())
        srv.rest = self.rng.choice(["ok", "unknown", "failing"])
        yield from self.refresh(self.source())
        srv.rest = self.rng.choice(["ok", srv.rest])

    def scene_users(self):
        source = self.source()
        srv = self.server(source)
        kind = self.rng.randrange(5)
        if kind == 0:
            srv.user = self.rng.choice(list(srv.users))
            yield f"away {source}"
        elif kind == 1:
            srv.unknown ^= {self.rng.choice([2, 3, 4])}
        elif kind == 2:
            u = self.rng.choice([2, 3, 4])
            srv.users[u] = self.rng.choice([USERS[u], USERS[u], USERS[u] + "2", "a%b", "me"])
        elif kind == 3:
            # The account was made again, with another id.
            u = self.rng.choice([2, 3])
            name = USERS[u]
            new = 10 + u
            if new in srv.users:
                del srv.users[new]
                srv.users[u] = name
                srv.user = u if srv.user == new else srv.user
            else:
                srv.users[u] = name + "-old"
                srv.unknown.add(u)
                srv.users[new] = name
                for _ in range(self.rng.choice([0, 1, 3])):
                    srv.new_ws(new)
        else:
            srv.user, srv.unknown, srv.users = 1, set(), {**srv.users, **USERS}
        yield from self.rng.choice([self.redial, self.refresh])(source)

    def scene_deployment(self):
        source = self.source()
        srv = self.server(source)
        srv.deployment = self.rng.choice([f"d{srv.number}", f"d{srv.number}", "other", ""])
        yield from self.redial(source)
        if self.rng.random() < 0.3:
            yield f"{self.rng.choice(['accept', 'reject'])} {source} deployment"
            yield from self.redial(source)
        if self.rng.random() < 0.7:
            srv.deployment = f"d{srv.number}"
            yield from self.redial(source)

    def scene_suffix(self):
        source = self.source()
        srv = self.server(source)
        srv.suffix = self.rng.choice(["coder", "coder", "corp", "", "com", "a.b"])
        yield from self.refresh(source)
        if self.rng.random() < 0.3:
            yield f"{self.rng.choice(['accept', 'reject'])} {source} suffix"

    def scene_decide(self):
        source = self.source()
        what = self.rng.choice(["accept", "accept", "reject"])
        kind = self.rng.choice(["removal", "removal", "removal", "deployment", "suffix"])
        owner = f" {self.rng.choice(list(USERS))}" if kind == "removal" and self.rng.random() < 0.3 else ""
        yield f"{what} {source} {kind}{owner}"

    def scene_owners(self):
        source = self.source()
        self.conf[source]["owners"] = self.words()
        yield self.conf_line(source)
        yield self.rng.choice(["reload", "reload", "restart"])
        yield from self.connect(source)

    def scene_keys(self):
        source = self.source()
        c = self.conf[source]
        kind = self.rng.randrange(6)
        if kind == 0:
            c["snapshot-interval"] = self.rng.choice(["2m", "5m", "10m", "1h"])
            yield self.conf_line(source)
        elif kind == 1:
            c["sentinel"] = self.rng.choice(["true", "false"])
            yield self.conf_line(source)
        elif kind == 2:
            yield "set guard grace=" + self.rng.choice(["2m", "10m", "30m"]) + self.rng.choice(["", " min-workspaces=1", " max-removal=20%"])
        elif kind == 3:
            yield self.rng.choice(["set hold policy=max-age max-age=1h", "set hold policy=max-age max-age=3h", "set hold policy=forever"])
        elif kind == 4:
            yield f"set ttl {self.rng.choice([5, 30])}"
        else:
            yield "set not-ready " + self.rng.choice(["nxdomain", "servfail"])
        yield "reload"
        if self.rng.random() < 0.8:
            yield from self.connect(source)

    def scene_suffix_typed(self):
        source = self.source()
        self.conf[source]["suffix"] = self.rng.choice(["coder", "corp", "ws.office.example", "auto"])
        yield self.conf_line(source)
        yield self.rng.choice(["reload", "restart"])
        yield from self.connect(source)

    def scene_calm(self):
        """A good server, for a while: whatever waited for its word has to come to an end."""
        source = self.source()
        srv = self.server(source)
        srv.roles, srv.rest, srv.unknown, srv.deployment = set(ALL_ROLES), "ok", set(), f"d{srv.number}"
        told = self.told(source).split(" ", 2)[2]
        self.roles[source] = set(srv.roles)
        parts = [f"calm {source} {told}"]
        for owner in self.followed(source):
            parts.append(" ".join([str(owner)] + [record(w) for w in self.listed(source, owner)]))
        yield " | ".join(parts)

    def scene_rename_source(self):
        source = self.source()
        free = [n for n in ("main", "lab", "prod", "east") if n not in self.conf]
        new = self.rng.choice(free)
        # In its place: the order decides who has a name.
        self.conf = {(new if n == source else n): c for n, c in self.conf.items()}
        for n in list(self.conf):
            yield f"unconf {source if n == new else n}"
        for n in list(self.conf):
            yield self.conf_line(n)
        yield self.rng.choice(["reload", "reload", "restart"])
        if self.rng.random() < 0.8:
            yield from self.connect(new)

    def scene_sources(self):
        if len(self.conf) > 1 and self.rng.random() < 0.5:
            gone = self.rng.choice(list(self.conf))
            del self.conf[gone]
            yield f"unconf {gone}"
        elif len(self.conf) < 3:
            free = [n for n in ("main", "lab", "prod", "east") if n not in self.conf]
            urls = [u for u in ("https://a.example", "https://b.example", "https://c.example")
                    if u not in {c["url"] for c in self.conf.values()}]
            new = self.rng.choice(free)
            self.new_conf(new, self.rng.choice(urls))
            yield self.conf_line(new)
        yield self.rng.choice(["reload", "restart"])
        for n in list(self.conf):
            if self.rng.random() < 0.8:
                yield from self.connect(n)

    def scene_time(self):
        yield f"after {self.rng.choice(['1s', '30s', '61s', '3m', '9m', '11m', '25m', '2h'])}"

    def scene_clock(self):
        yield self.rng.choice(["wall +40d", "wall -1d", "wall +5s", "synced no", "synced yes", "wall -1h"])

    def scene_sleep(self):
        yield f"sleep {self.rng.choice(['50s', '10m', '8h'])}"
        for n in list(self.conf):
            if self.rng.random() < 0.7:
                yield f"away {n}"
                yield from self.connect(n)

    def scene_restart(self):
        yield from self.end()
        if self.rng.random() < 0.2:
            yield f"reboot {self.rng.choice(['1m', '2h'])}"
        elif self.rng.random() < 0.3:
            yield f"after {self.rng.choice(['5s', '5m', '90m'])}"
        yield "start"
        for n in list(self.conf):
            if self.rng.random() < 0.9:
                yield from self.connect(n, self.rng.choice([None, None, None, 1]))

    def end(self):
        yield self.rng.choice(["stop", "kill"])

    def scene_loss(self):
        yield from self.end()
        for _ in range(self.rng.choice([1, 1, 1, 2])):
            yield self.rng.choice(["lose store", "lose store", "damage store", "damage store", "lose copy", "damage copy",
                                   "lose zone", "damage zone", "lose all"])
        yield "start"
        for n in list(self.conf):
            if self.rng.random() < 0.8:
                yield from self.connect(n)
        if self.rng.random() < 0.3:
            yield "rearm"

    def scene_middle(self):
        """Something comes while a changeset is being written."""
        source = self.source()
        owners = self.followed(source)
        yield f"slices {self.rng.choice([1, 1, 2, 3, 5])}"
        if owners:
            yield self.snapshot(source, self.rng.choice(owners), odd=False)
        yield self.rng.choice(["reload", "kill", "reload", f"accept {source} removal", f"away {source}"])
        if self.play.view is not None and self.play.view.store is None:
            yield "start"
            for n in list(self.conf):
                yield from self.connect(n)

    SCENES = {
        "dispute": 4, "create": 8, "delete": 7, "rebuild": 8, "status": 4, "rename": 5, "move": 4, "odd_diff": 4, "refresh": 12,
        "snapshot": 8, "redial": 6, "away": 6, "silence": 2, "bad_list": 10, "rights": 6, "rest": 3, "users": 7,
        "deployment": 3, "suffix": 2, "decide": 6, "owners": 5, "keys": 6, "rename_source": 2, "sources": 3, "time": 12,
        "clock": 2, "sleep": 3, "restart": 5, "loss": 3, "middle": 4,
    }

    def life(self):
        yield from self.begin()
        names, weights = list(self.SCENES), list(self.SCENES.values())
        while True:
            scene = self.rng.choices(names, weights)[0]
            for line in getattr(self, "scene_" + scene)():
                yield line
                if self.rng.random() < 0.02:
                    yield from getattr(self, "scene_" + self.rng.choice(["restart", "time", "keys", "decide", "sleep"]))()
            if self.play.view is not None and self.play.view.store is None and self.rng.random() < 0.9:
                yield "start"
