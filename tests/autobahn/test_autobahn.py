# SPDX-License-Identifier: Apache-2.0
"""
Autobahn's cases of RFC 6455 on the websocket of bridge/stream: kosoku plays the server with Autobahn's own case files,
ws_echo is the client. Groups 8, 11 to 13 are empty or of the compression extension, which is never offered.
"""
import json
import subprocess
import time

import pytest

from server import free_port
from zone import BUILD, program

KOSOKU = "kosoku==0.1.0"
GROUPS = {1: 16, 2: 11, 3: 7, 4: 10, 5: 20, 6: 145, 7: 37, 9: 54, 10: 1}  # and how many cases each has


def kosoku():
    """The program, in an environment of its own; installed at the first run."""
    folder = BUILD / "kosoku"
    path = folder / "bin" / "kosoku"
    if not path.exists():
        for command in ["/usr/bin/python3", "-m", "venv", folder], [folder / "bin" / "pip", "install", "-q", KOSOKU]:
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                pytest.skip(f"{KOSOKU} cannot be installed: {(done.stderr.strip() or 'no reason').splitlines()[-1]}")
    return path


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """{case: what became of it}."""
    folder = tmp_path_factory.mktemp("autobahn")
    port = free_port()
    command = [kosoku(), "-m", "fuzzingserver", "-o", folder, f"127.0.0.1:{port}"]
    for group in GROUPS:
        command += ["-i", f"{group}.*"]
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 30
        while "listening" not in (folder / "log").read_text():
            assert server.poll() is None and time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.05)
        done = subprocess.run([program("tests/autobahn/ws_echo"), str(port), "holdfast"], capture_output=True, text=True,
                              timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        server.wait(60)
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()
    return json.loads((folder / "index.json").read_text())["holdfast"]


@pytest.mark.parametrize("group", GROUPS)
def test_no_case_fails(results, group):
    cases = {name: r for name, r in results.items() if name.split(".")[0] == str(group)}
    assert len(cases) == GROUPS[group]
    failed = {name: (r["behavior"], r["behaviorClose"]) for name, r in cases.items()
              if not {r["behavior"], r["behaviorClose"]} <= {"OK", "NON-STRICT", "INFORMATIONAL"}}
    assert not failed
