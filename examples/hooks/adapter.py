#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
A hook of the form json: keeps a JSON file of names, as an adapter for something that Holdfast does not know would keep that.

    adapters:
      - { type: hook, form: json, command: [/usr/local/lib/holdfast/adapter.py, /var/lib/holdfast/names.json] }

It is run once for each batch. A JSON object a line comes in: "begin", then "put" (this name is to have this address, and not `was`) and
"take" (what was put there is to go), then "end". A line goes out for each put and take, in their order: {"fate": "done"}, "clash" (somebody
else's record has the name: left alone) or "unfit" (it cannot be held), or {"error": TEXT}: this one is tried again later, by itself. To
do a batch twice must do no harm.
"""
import json
import os
import sys


def do(names, change):
    """Changes `names`; the fate."""
    name, address = change["name"], change["address"]
    there = names.get(name)
    if change["op"] == "take":
        if there and there["address"] == address:
            del names[name]
        return "done"
    if there and there.get("by") != "holdfast":
        return "clash"
    names[name] = {"address": address, "by": "holdfast", "owner": change["owner"], "workspace": change["workspace"]}
    return "done"


def main():
    path = sys.argv[1]
    batch = [json.loads(line) for line in sys.stdin]
    if not batch or batch[0] != {**batch[0], "op": "begin", "version": 1} or batch[-1]["op"] != "end":
        sys.exit("this is no whole batch of version 1")
    try:
        with open(path, encoding="utf-8") as f:
            names = json.load(f)
    except FileNotFoundError:
        names = {}
    fates = [do(names, change) for change in batch[1:-1]]
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump(names, f, indent=1, sort_keys=True)
    os.replace(path + ".new", path)
    # Only now is it done.
    for fate in fates:
        print(json.dumps({"fate": fate}))


if __name__ == "__main__":
    main()
