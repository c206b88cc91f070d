# SPDX-License-Identifier: Apache-2.0
"""A machine that has Holdfast's users, or has them not: for what a program does when it is started as root there."""
import pathlib

BRIDGE, RESPONDER = 4711, 4712
IDS = {"holdfast": BRIDGE, "holdfast-dns": RESPONDER}
MEMBERS = {"holdfast": "holdfast-dns"}


def with_users(folder, *names):
    """
    Shell commands that, in a mount namespace of their own, make this a machine with `names` of Holdfast's users, by default all,
    and no others of them. "-" for none. Their files are left in `folder`.
    """
    names = [n for n in names or IDS if n != "-"]
    for file, form in ("passwd", "{0}:x:{1}:{1}::/:/bin/false\n"), ("group", "{0}:x:{1}:{2}\n"):
        lines = [line for line in pathlib.Path("/etc", file).read_text().splitlines(True) if line.split(":")[0] not in IDS]
        (folder / file).write_text("".join(lines) + "".join(form.format(n, IDS[n], MEMBERS.get(n, "")) for n in names))
    return " && ".join(f"mount --bind {folder}/{file} /etc/{file}" for file in ("passwd", "group"))
