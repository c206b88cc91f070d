# SPDX-License-Identifier: Apache-2.0
"""tests/check_includes goes red on what it is there for: each row is planted in a small tree of its own."""
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
SOUND = {"base/log.h": "", "base/error.h": "", "zone/name.h": "", "zone/reader.h": "", "bridge/types/rows.h": "",
         "bridge/store/store.h": "#include <stdint.h>\n#include \"bridge/types/rows.h\"",
         "bridge/store/db.c": "#include <sqlite3.h>\n#include \"bridge/store/store.h\"",
         "adapters/dns_client.h": "", "adapters/hook.h": "", "plugin/unbound/module.c": "#include \"util/module.h\""}


def run(tree):
    done = subprocess.run([TOP / "tests/check_includes", tree], capture_output=True, text=True)
    return done.returncode, done.stdout


def plant(tree, files):
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text + "\n")
    return run(tree)


def test_what_the_table_allows_is_silent(tmp_path):
    assert plant(tmp_path, SOUND) == (0, f"{len(SOUND)} files, 0 wrong\n")


def test_an_empty_tree_is_not_a_success(tmp_path):
    assert run(tmp_path)[0] == 1


@pytest.mark.parametrize("path, text, said", [
    ("base/x.c", '#include "zone/name.h"', "room 'base' may not include zone/name.h"),
    ("bridge/state/x.c", '#include "bridge/store/store.h"', "may not include bridge/store/store.h"),
    ("bridge/stream/client/x.c", "#include <sqlite3.h>", "may not use sqlite (<sqlite3.h>)"),
    ("bridge/state/x.c", "  #  include <sys/socket.h>", "may not use sockets"),
    ("zone/reader.c", '#include "base/log.h"', "room 'zone reader' may not include base/log.h"),
    ("plugin/x.c", "#include <event2/event.h>", "may not use event"),
    ("config/x.c", '#include "zone/reader.h"', "room 'config' may not include zone/reader.h"),
    ("adapters/dnsmasq.c", '#include "adapters/hook.h"', "may not include adapters/hook.h"),
    ("zone/name.c", "#include <gtk/gtk.h>", "in no library"),
    ("zone/name.c", '#include "name.h"', "there is no name.h"),
    ("plugin/unbound/other.c", '#include "config.h"', "only one file may see another program's headers"),
    ("misc/x.c", "", "misc/x.c: is in no room"),
    ("zone/novel.c", "", "zone/novel.c: is in no room"),
])
def test_a_planted_wrong_line_is_found(tmp_path, path, text, said):
    status, out = plant(tmp_path, {**SOUND, path: text})
    assert status == 1
    assert said in out
