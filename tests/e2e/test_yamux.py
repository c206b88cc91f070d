# SPDX-License-Identifier: Apache-2.0
"""Our yamux beside hashicorp's: long random sessions, of which both sides must have seen the same; and which of its own
tests has which counterpart here."""
import os
import pathlib
import re
import subprocess

import pytest

from peer import go_peer
from zone import program

LONG = bool(os.environ.get("HF_LONG"))
TESTS = pathlib.Path(__file__).parents[1]
CASES = TESTS / "unit" / "stream" / "yamux_cases.md"


def transcript(lines):
    """{stream: (bytes written, hash, bytes read, hash, how it ended)}"""
    words = [line.split(" ", 7) for line in lines if line[0].isdigit()]
    return {int(w[0]): (w[2], w[3], w[5], w[6], w[7]) for w in words}


def session(seed, operations, *options):
    """(what we saw, what hashicorp's saw, the lines of ours)"""
    with subprocess.Popen([go_peer(), "yamux", "-seed", str(seed), *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as other:
        try:
            port = other.stdout.readline().split()[1]
            ours = subprocess.run([program("tests/yamux/yamux_ops"), port, str(seed), str(operations)], capture_output=True,
                                  text=True, timeout=120, check=False)
            assert ours.returncode == 0, ours.stderr
            theirs = other.communicate(timeout=60)[0]
        finally:
            other.kill()
    return transcript(ours.stdout.splitlines()), transcript(theirs.splitlines()), ours.stdout


def compare(ours, theirs):
    for stream, (wrote, wrote_hash, read, read_hash, how) in ours.items():
        if how in ("rst", "given-up") and stream not in theirs:
            continue  # refused after GoAway
        if how == "given-up" and theirs[stream][4] != "fin":
            continue  # too many at once are given up by a reset, which overtakes what was not read yet
        assert theirs[stream][2:4] == (wrote, wrote_hash), f"stream {stream}: {theirs[stream]} has not read what we wrote"
        if how != "given-up":  # whose data is not read to its end
            assert how == "fin" and theirs[stream][4] == "fin", f"stream {stream}: {how}, {theirs[stream]}"
            assert theirs[stream][:2] == (read, read_hash), f"stream {stream}: we have not read what it wrote"


@pytest.mark.skipif(not go_peer(), reason="tests/peer is not built")
@pytest.mark.parametrize("seed", range(200 if LONG else 6))
def test_random_sessions_have_equal_transcripts(seed):
    ours, theirs, _ = session(seed, 20000 if LONG else 3000)
    assert len(ours) > 100 and set(ours) == set(theirs)
    compare(ours, theirs)


@pytest.mark.skipif(not go_peer(), reason="tests/peer is not built")
@pytest.mark.parametrize("seed", range(100, 120 if LONG else 102))
def test_after_goaway_what_is_open_goes_on_to_its_end(seed):
    ours, theirs, text = session(seed, 3000, "-goaway", "50")
    assert "goaway 1" in text and 50 <= len(theirs) <= len(ours)
    compare(ours, theirs)


def test_each_case_has_tests_that_are_there():
    sources = "".join(p.read_text() for p in [*TESTS.glob("unit/stream/*.c"), *TESTS.glob("e2e/*.py")])
    rows = [line.strip("| ").split(" | ") for line in CASES.read_text().splitlines() if line.startswith("| Test")]
    assert len(rows) > 20
    for case, counterpart in rows:
        for name in re.findall(r"`(\w+)`", counterpart):
            assert re.search(rf"(START_TEST\(|def ){name}[()]", sources), f"{case}: there is no test {name}"


@pytest.mark.skipif(not go_peer(), reason="tests/peer is not built")
def test_no_case_of_theirs_is_left_out():
    go = subprocess.run(["go", "list", "-m", "-f", "{{.Dir}}", "github.com/hashicorp/yamux"], cwd=TESTS / "peer", text=True,
                        capture_output=True, check=False, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/local/go/bin"})
    if go.returncode or not go.stdout.strip():
        pytest.skip("hashicorp/yamux is not in Go's module cache")
    theirs = re.findall(r"^func (Test\w+)", (pathlib.Path(go.stdout.strip()) / "session_test.go").read_text(), re.M)
    assert theirs and set(theirs) == set(re.findall(r"^\| (Test\w+)", CASES.read_text(), re.M))
