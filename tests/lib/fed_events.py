# SPDX-License-Identifier: Apache-2.0
"""What may happen in a random life of adapters (fed_life.py). Each does something to one of those who are there, and notes what is so from then on."""
import contextlib
import os
import shutil
import signal
import time

from fed_life import Life, Wrong, event
from fed_outputs import pointer_name
from zone import PREFIX, address

ENDS = signal.SIGTERM, signal.SIGKILL

# Faults that are known and not mended yet: what meets them is left out, but with HF_ALL=1.
OPEN = {}


def may(word):
    return bool(os.environ.get("HF_ALL")) or word not in OPEN


Life.may = staticmethod(may)


@contextlib.contextmanager
def hung(life):
    """
    The bridge sees nothing of what is done meanwhile. Where it had just connected to unbound, that reads what does not come, and does nothing
    else: a moment later it is another one.
    """
    for _ in range(50):
        life.bridge.process.send_signal(signal.SIGSTOP)
        if all(o.is_free() for o in life.outputs if o.word == "ub" and o.up):
            break
        life.bridge.process.send_signal(signal.SIGCONT)
        time.sleep(0.02)
    yield
    life.bridge.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def no_bridge(life):
    """It is killed, and comes back."""
    life.kill()
    yield
    life.start_bridge()


def unseen(life):
    """While the bridge looks, while it cannot, while it is dead."""
    how = life.rnd.choice(["seen", "hung", "dead"])
    life.story[-1] += f"({how})"
    return {"hung": hung, "dead": no_bridge}.get(how, contextlib.nullcontext)(life)


def say(life, text):
    life.story[-1] += f"({text})"


def forgotten(life):
    """What a hook was told is in the store alone: "it is never asked what it has"."""
    for o in life.outputs:
        if o.word == "hk":
            o.orphans |= o.has()


# --- the server

@event(10)
def change(life):
    say(life, life.rnd.choice(life.sources).change(life.rnd))


# --- the bridge

@event(2)
def bridge_killed(life):
    with no_bridge(life):
        if life.rnd.random() < 0.5:
            change(life)


@event(2)
def bridge_killed_in_a_change(life):
    change(life)
    time.sleep(life.rnd.random() * 0.1)
    with no_bridge(life):
        pass


@event(2)
def bridge_restarted(life):
    """Its end leaves what is to be kept, and nothing of what is to be clean."""
    if life.rnd.random() < 0.5:
        life.check()
    life.stop_bridge()
    for o in life.outputs if life.settled else ():
        if o.configured and o.teardown == "keep" and o.word in ("dm", "ho") and (wrong := o.wrong(life.want())):
            raise Wrong(f"{o.name} after the bridge's end: {wrong[:4]}")
    if life.rnd.random() < 0.5:
        change(life)
    life.start_bridge()


@event()
def bridge_hung(life):
    with hung(life):
        change(life)
        time.sleep(life.rnd.random() * 0.5)


@event()
def store_lost(life):
    """With what the published zone would tell the next bridge, or without."""
    life.check()
    life.kill()
    forgotten(life)
    for path in life.folder.glob("store.db*"):
        path.unlink()
    if life.rnd.random() < 0.6:
        say(life, "zone too")
        shutil.rmtree(life.folder / "zone")
        if life.rnd.random() < 0.7:
            change(life)
    life.start_bridge()


@event()
def store_out_of_a_backup(life):
    """Of the life before the last one, at best: what was fed since is in no row of it."""
    life.check()
    life.stop_bridge()
    kept = life.folder / "kept-store"
    if kept.exists():
        forgotten(life)
        for path in life.folder.glob("store.db*"):
            path.unlink()
        for path in kept.iterdir():
            shutil.copy(path, life.folder / path.name)
    else:
        say(life, "made")
        kept.mkdir()
        for path in life.folder.glob("store.db*"):
            shutil.copy(path, kept)
    life.start_bridge()


@event(2, "ub dm")
def resolvers_alone(life):
    """The bridge is dead, a resolver begins anew: it has what was last so."""
    life.check()
    life.kill()
    want = life.want()
    for o in life.outputs:
        if o.configured and o.word in ("ub", "dm"):
            o.restart(life.rnd.choice(ENDS))
            if lines := o.alone_wrong(want):
                raise Wrong(f"{o.name}, alone: {lines[:5]}")
    if life.rnd.random() < 0.5:
        change(life)
    life.start_bridge()


# --- the configuration

@event(2)
def adapter_renamed(life):
    if o := life.pick():
        o.number += 1
        say(life, o.name)
        life.reload()


@event(2)
def adapter_taken_out_and_put_back(life):
    if not (o := life.pick()):
        return
    if life.rnd.random() < 0.3:
        o.teardown = {"keep": "clean", "clean": "keep"}[o.teardown]
        life.reload()
    settled = life.rnd.random() < 0.7
    if settled:
        life.check()
    say(life, f"{o.name} {o.teardown} {'settled' if settled else 'at once'}")
    o.configured = False
    want = life.want()
    life.reload()
    if settled:
        life.until(lambda: [f"status still has {o.name}"] if o.name in [a["name"] for a in life.bridge.ask("status")[0]["adapters"]] else [])
        if o.teardown == "clean" and not o.foreign:
            life.until(o.left)
        elif not o.foreign and (lines := o.wrong(want)):
            raise Wrong(f"{o.name}, taken out and kept: {lines[:4]}")
        if life.rnd.random() < 0.7:
            change(life)
            life.check()
    elif life.rnd.random() < 0.5:
        change(life)
    o.configured = True
    o.number += o.word != "hk" and life.rnd.choice([0, 1])  # a hook cannot say what it was told by another one
    life.reload()


@event(2, "dm ho ub")
def adapter_moved(life):
    """Another folder, path or start file; the former one is left as `clean` says."""
    o = life.pick("dm", "ho", "ub")
    if o and o.teardown == "clean" and not (o.word == "ub" and o.form != "include"):
        say(life, o.name)
        o.place, o.backups = 1 - o.place, []
        life.reload()
        life.check()  # a bridge that dies before it has read that leaves the former place as it is, and says so


@event()
def adapters_reordered(life):
    life.rnd.shuffle(life.outputs)
    life.reload()


@event()
def sources_reordered(life):
    life.sources.reverse()
    life.reload()


@event()
def source_out_or_in(life):
    if life.away:
        say(life, "in")
        life.sources.insert(life.rnd.choice([0, 1]), life.away.pop())
    elif len(life.sources) == 2:
        life.away.append(life.sources.pop(life.rnd.choice([0, 1])))
        say(life, f"{life.away[0].name} out")
    life.reload()


@event()
def another_suffix(life):
    source = life.rnd.choice(life.sources)
    source.suffix = life.rnd.choice([s for s in life.SUFFIXES if s not in [x.suffix for x in life.sources + life.away]])
    say(life, f"{source.name} {source.suffix}")
    life.reload()
    o = life.pick("ub")
    if o and o.form == "zonefile" and life.rnd.random() < 0.5:
        life.check()
        o.told_of_its_files()


@event()
def storm_of_reloads(life):
    for _ in range(10):
        life.bridge.reload()
        time.sleep(0.005)


# --- resolvers

@event(4, "ub dm")
def resolver_reloaded(life):
    if o := life.pick("ub", "dm"):
        how = life.rnd.choice(o.reloads) if o.word == "ub" else "HUP"
        say(life, f"{o.name} {how}")
        with unseen(life):
            o.reload(how)


@event(4, "ub dm")
def resolver_restarted(life):
    if o := life.pick("ub", "dm"):
        how = life.rnd.choice(ENDS)
        say(life, f"{o.name} {how.name}")
        with unseen(life):
            o.restart(how)


@event(2, "ub dm")
def change_and_reload_at_once(life):
    """A removal's command is on its way while all is forgotten."""
    if o := life.pick("ub", "dm"):
        change(life)
        time.sleep(life.rnd.random() * 0.03)
        o.reload()


@event(2, "ub dm")
def resolver_away(life):
    """For a while, in which all others go on."""
    o = life.pick("ub", "dm")
    if not o:
        return
    say(life, o.name)
    o.resolver.stop(life.rnd.choice(ENDS))
    o.up = False
    if life.rnd.random() < 0.7:
        change(life)
    life.check()
    if o.word == "ub" or life.rounds:
        life.status_says(o, lambda row: row["state"] != "synced" or row["verified"] is not True)
    if life.rnd.random() < 0.2:
        life.kill()
        life.start_bridge()
    o.resolver.start()
    o.up = True
    if o.word == "ub":
        o.forget()


@event(1, "ub dm")
def resolver_hung(life):
    if o := life.pick("ub", "dm"):
        say(life, o.name)
        o.resolver.server.process.send_signal(signal.SIGSTOP)
        change(life)
        time.sleep(life.rnd.random() * 0.5)
        o.resolver.server.process.send_signal(signal.SIGCONT)


# --- files that come back, or go

@event(4, "ub dm ho")
def files_out_of_a_backup(life):
    o = life.pick("ub", "dm", "ho")
    if not o or not o.backups:
        return
    backup = life.rnd.choice(o.backups)
    what = life.rnd.choice(["nothing", "reload", "restart"]) if o.word != "ho" else ""
    say(life, f"{o.name} {what}")
    with unseen(life):
        o.put_back(backup, life.rnd.choice(["over", "instead"]))
        if what == "reload":
            o.reload()
        elif what == "restart":
            o.restart(life.rnd.choice(ENDS))


@event(1, "ub dm ho")
def files_spoilt(life):
    """"Written again within a few seconds"."""
    o = life.pick("ub", "dm", "ho")
    if o and (life.rounds or o.word != "ho"):
        say(life, o.name)
        o.spoil(life.rnd)
        if o.word == "ub" and o.form == "zonefile":
            life.check()  # an unbound that starts meanwhile would not come up


@event(1, "ub")
def start_folder_away(life):
    """The start file cannot follow, status says so, and then unbound reads what it had."""
    o = life.pick("ub")
    if not o or o.form == "none" or o.foreign:
        return
    life.check()
    away = life.folder / "away"
    o.start.rename(away)
    change(life)
    life.check()
    with hung(life) if life.rnd.random() < 0.7 else contextlib.nullcontext():
        away.rename(o.start)
        o.reload() if life.rnd.random() < 0.5 else o.restart(life.rnd.choice(ENDS))


# --- others

@event(2, "ub dm ho")
def others_elsewhere(life):
    """Records and lines of others, at other names: they stay."""
    if not (o := life.pick("ub", "dm", "ho")):
        return
    life.serial += 1
    say(life, o.name)
    if o.word == "ub":
        suffix = life.rnd.choice(life.suffixes())
        life.check()
        names = f"printer{life.serial}.home.invalid", f"theirs{life.serial}.{suffix}"
        o.foreign_record(life.rnd.choice(names),
                         life.rnd.choice(["AAAA 2001:db8::77", "A 192.0.2.7", "TXT theirs"]))
    elif o.word == "ho":
        o.others_add(f"10.1.2.{life.serial} added{life.serial}\n", life.rnd)
    else:
        o.others_add(f"10.1.2.{life.serial} added{life.serial}.example\n")


@event(2, "ub dm ho")
def others_at_our_name(life):
    """A record of others at a name of ours: it stays, is told of, and the rest goes on; when it is gone, ours is right."""
    o = life.pick("ub", "dm", "ho")
    if not o or o.foreign or not life.rounds:
        return
    life.check()
    name = life.rnd.choice(sorted(life.want().names))
    say(life, f"{o.name} {name}")
    o.foreign_at(name, life.rnd)
    life.check()
    if life.rnd.random() < 0.7:
        change(life)
        life.check()
    if life.rnd.random() < 0.3:
        with no_bridge(life):
            pass
        life.check()
    o.foreign_gone()


@event(2, "ub")
def others_remove_ours(life):
    """One name, or the zone with all of them."""
    o = life.pick("ub")
    if not o or o.foreign:
        return
    life.check()
    suffix = life.rnd.choice(life.suffixes())
    if life.rounds and life.rnd.random() < 0.5:
        name = life.rnd.choice(sorted(life.want().names))
        say(life, name)
        o.resolver.command(f"local_data_remove {name}")
    elif not any(suffix in line for line in o.theirs):
        say(life, suffix)
        o.resolver.command(f"local_zone_remove {suffix}")


@event(2, "ub")
def a_ghost(life):
    """Of an earlier life, perhaps: it is in no row. `verify` counts it, and what looks for it takes it."""
    o = life.pick("ub")
    if not o or o.foreign:
        return
    life.check()
    life.serial += 1
    name, addr = f"ghost{life.serial}.{life.rnd.choice(life.suffixes())}", address(0x990000 + life.serial)
    for line in f"{name}. 30 IN AAAA {addr}", f"{pointer_name(addr)}. 30 IN PTR {name}.":
        assert o.resolver.command(f"local_data {line}") == "ok\n"
    life.ever |= {name, addr}
    what = life.rnd.choice(["verify", "resync", "killed", "store"])
    say(life, what)
    if what == "verify" and life.ctl("verify", o.name, "--full").returncode != 1:
        raise Wrong(f"verify {o.name} does not count {name} {addr}")
    if what in ("verify", "resync"):
        life.ctl("resync", o.name)
    else:
        life.bridge.process.kill()
        life.bridge.process.wait()
        if what == "store":
            forgotten(life)
            for path in life.folder.glob("store.db*"):
                path.unlink()
        life.start_bridge()


@event(2, "hk")
def a_hook_that_fails(life):
    """For one workspace: the others' names are told all the same, and status says what is not."""
    o = life.pick("hk")
    if not o:
        return
    life.check()
    source = life.rnd.choice(life.sources)
    n = life.rnd.choice(sorted(source.workspaces))
    word = f"{source.workspaces[n][0]}."
    say(life, word)
    o.bad.write_text(word)
    o.foreign = {x for x in life.want().names if word in x}
    source.sim.say(f"diff {source.user} {source.rebuilt(life.rnd, n, source.agents(life.rnd, 1))}")
    if life.rnd.random() < 0.7:
        change(life)
    names = life.want().names
    o.foreign |= {x for x in names if word in x} | {x for x, _ in o.has() if word in x}
    # The change may have taken all of it again before it came to the hook: nothing fails then.
    o.quiet = not o.foreign
    o.foreign |= {word}
    # A name goes when the one that has its address now could be put.
    o.foreign |= {x for x, addr in o.has() if addr in [names[y] for y in o.foreign & names.keys()]}
    life.check()
    o.bad.write_text("")
    o.foreign, o.quiet = set(), False
