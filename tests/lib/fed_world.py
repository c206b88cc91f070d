# SPDX-License-Identifier: Apache-2.0
"""What servers list in a random life of adapters, what becomes of it at random, and which names follow from it."""
from peer import Simulator
from zone import address

LABELS = "main", "gpu"


class Source:
    """
    A simulator with one user, who owns the token. `workspaces` is what it lists, {number: (name, [(agent, label)])}; the first one stays through
    the whole life. Numbers begin at `first`, so that no two sources have one address.
    """

    def __init__(self, folder, name, user, suffix, first, rnd):
        self.name, self.user, self.suffix, self.number = name, user, suffix, first
        self.workspaces = {}
        self.pillar = self.new(rnd, 1)
        for _ in range(rnd.randrange(2, 6)):
            self.new(rnd)
        self.deleted = 0
        self.sim = Simulator(folder, f"user {user}\nsnapshot {user} {self.words()}\n", verbose=False)

    def words(self):
        return " ".join(f"{n}={name}" + (":" + ",".join(f"{a}={label}" for a, label in agents) if agents else "")
                        for n, (name, agents) in sorted(self.workspaces.items()))

    def agents(self, rnd, n=None):
        n = rnd.choice([1, 1, 1, 2, 0]) if n is None else n
        self.number += n
        return [(self.number - i, LABELS[i]) for i in range(n)]

    def new(self, rnd, n=None):
        self.number += 1
        number = self.number
        self.workspaces[number] = f"w{number}", self.agents(rnd, n)
        return number

    def names(self):
        """{name: address}, and {address: its first name}."""
        names, pointers = {}, {}
        for name, agents in self.workspaces.values():
            for a, label in agents:
                forms = [f"{label}.{name}.me.{self.suffix}", f"{label}.{name}.{self.user}.{self.suffix}"]
                forms += [f"{name}.{self.suffix}"] if len(agents) == 1 else []
                names.update((form, address(a)) for form in forms)
                pointers[address(a)] = forms[0]
        return names, pointers

    # -- changes: words of a diff

    def put(self, n):
        name, agents = self.workspaces[n]
        return f"+{n}={name}" + (":" + ",".join(f"{a}={label}" for a, label in agents) if agents else "")

    def rebuilt(self, rnd, n, agents):
        """Other agents, or none."""
        name, old = self.workspaces[n]
        self.workspaces[n] = name, agents
        return " ".join([f"-:{a}" for a, _ in old] + [self.put(n)])

    def deleted_one(self, n):
        self.deleted += 1
        del self.workspaces[n]
        return f"-{n}"

    def renamed(self, rnd, n):
        """The same agents, so the same addresses."""
        self.workspaces[n] = f"r{n}x{rnd.randrange(100)}", self.workspaces[n][1]
        return f"+{n}={self.workspaces[n][0]}"

    def agent_moved(self, n, m):
        """The address stays, in another workspace."""
        (a, _), *rest = self.workspaces[n][1]
        free = [label for label in LABELS if label not in [x for _, x in self.workspaces[m][1]]]
        if not free:
            return self.put(n)
        self.workspaces[n] = self.workspaces[n][0], rest
        self.workspaces[m] = self.workspaces[m][0], [*self.workspaces[m][1], (a, free[0])]
        return f"-:{a} +{m}={self.workspaces[m][0]}:{a}={free[0]}"

    def replaced(self, rnd, n):
        """A workspace goes, and another one has its name at once."""
        name, _ = self.workspaces[n]
        words = self.deleted_one(n)
        m = self.new(rnd, 1)
        self.workspaces[m] = name, self.workspaces[m][1]
        return f"{words} {self.put(m)}"

    def change(self, rnd):
        """One at random is told to the streams that are there, else it is in the next snapshot."""
        others = sorted(n for n in self.workspaces if n != self.pillar)
        what = rnd.choice(["new", "deleted", "rebuilt", "rebuilt", "renamed", "stopped", "moved", "replaced"])
        n = rnd.choice(others) if others else 0
        if len(others) < 2 or (what == "new" and len(others) < 7):
            words = self.put(self.new(rnd, 1))
        elif what in ("new", "deleted", "replaced") and self.deleted < 8:  # the guard holds the eleventh
            words = self.replaced(rnd, n) if what == "replaced" else self.deleted_one(n)
        elif what == "renamed":
            words = self.renamed(rnd, n)
        elif what == "stopped":
            words = self.rebuilt(rnd, n, [])
        elif what == "moved" and self.workspaces[n][1]:
            words = self.agent_moved(n, rnd.choice([m for m in others if m != n]))
        else:
            words = self.rebuilt(rnd, n, self.agents(rnd, rnd.choice([1, 1, 2])))
        self.sim.say(f"diff {self.user} {words}")
        return words
