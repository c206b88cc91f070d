# SPDX-License-Identifier: Apache-2.0
"""What resolvers see of a bridge, beside what the bridge believes."""
import subprocess
import time

from zone import program


def zone_names(folder):
    """The published zone of the folder, as tests/tools/zonelist reads it: generation, and addresses by name."""
    done = subprocess.run([program("tests/tools/zonelist"), folder], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        return 0, {}
    lines = done.stdout.splitlines()
    return int(lines[0].split()[0]), dict(line.split(" ") for line in lines[1:])


def model_names(bridge):
    """The same of the bridge's model, over its control socket."""
    return {row["name"]: row["data"] for row in bridge.ask("records")}


def difference(bridge):
    """In which names model and zone differ, and the model's names: "" if they do not."""
    try:
        model = model_names(bridge)
    except OSError as e:
        return f"no answer on the control socket ({e})", {}
    zone = zone_names(bridge.folder / "zone")[1]
    if model == zone:
        return "", model
    missing, extra = sorted(model.keys() - zone.keys()), sorted(zone.keys() - model.keys())
    wrong = sorted(n for n in model.keys() & zone.keys() if model[n] != zone[n])
    return (f"model {len(model)} names, zone {len(zone)}: {len(missing)} not published {missing[:3]}, "
            f"{len(extra)} that are no more {extra[:3]}, {len(wrong)} with another address {wrong[:3]}"), model


def wait_same(bridge, seconds=2, wanted=lambda model: True):
    """
    Until the zone has what the model has, and the model is as wanted; fails after so many seconds in which the bridge was not held up by
    others. The names.
    """
    end = time.monotonic() + seconds - bridge.held_up_s()
    while True:
        assert bridge.process.poll() is None, f"the bridge ended ({bridge.process.returncode})\n{bridge.log()[-4000:]}"
        why, model = difference(bridge)
        if not why and wanted(model):
            return model
        assert time.monotonic() - bridge.held_up_s() < end, f"{why or 'the model is not as wanted'}: {len(model)} names, {sorted(model)[:4]}"
        time.sleep(0.02)
