# SPDX-License-Identifier: Apache-2.0
"""tests/live.sh, against servers that play a Coder deployment, and some that are otherwise."""
import os
import pathlib
import subprocess

import pytest

from bridge import TOKEN
from peer import GoPeer, Simulator, go_peer
from zone import BUILD

LIVE = pathlib.Path(__file__).parents[1] / "live.sh"
WORLD = f"""
user alice 1
user bob 2
token {TOKEN}
ping ws 500ms
ping yamux 700ms
snapshot alice 1=secret-name:7=main,8=gpu 2=stopped
"""
PEERS = [Simulator, pytest.param(GoPeer, marks=pytest.mark.skipif(not go_peer(), reason="tests/peer is not built"))]


def look(url, seconds=3, token=TOKEN):
    env = {**os.environ, "CODER_URL": url, "CODER_SESSION_TOKEN": token, "HF_BUILD": str(BUILD)}
    process = subprocess.Popen([LIVE, str(seconds)], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return process


def told(process):
    """(exit status, what was printed)"""
    out = process.communicate(timeout=60)[0]
    assert TOKEN.split("-")[1] not in out and "secret-name" not in out, out
    return process.returncode, out


@pytest.mark.parametrize("kind", PEERS)
def test_a_deployment_as_it_should_be(tmp_path, kind):
    with kind(tmp_path, WORLD) as server:
        process = look(server.url)
        server.say("await streams 1")
        server.say("diff alice +3=later:9=main")
        status, out = told(process)
        assert status == 0 and "Nothing is otherwise" in out and "OTHERWISE" not in out, out
        for line in ("as expected  the snapshot has upserted workspaces and agents alone", "(2 workspaces, 2 agents)",
                     "as expected  changes have the four fields", "as expected  a websocket ping", "as expected  a yamux ping",
                     "as expected  a second stream beside the first tells", "1 snapshots, 0 diffs",
                     "as expected  users/me tells roles: ", "as expected  users/me tells organisations: 1 of them",
                     "as expected  the token's scopes are told: coder:all", "as expected  a websocket's close is answered with the same code: 1000"):
            assert line in out, out


@pytest.mark.parametrize("kind", PEERS)
@pytest.mark.parametrize("line, otherwise", [
    ("version v2.17.3", "buildinfo tells a version of v2.18 or newer: v2.17.3"),
    ("api 2.2", "version 2.3 is answered with 101: 400"),
    ("token -", "a wrong token is answered with 401"),
    ("snapshot alice 1=a.b:7=main", "names are made of letters, digits, - and _, 63 at most: 1 are not"),
    ("snapshot alice 1=%s" % ("x" * 64), "names are made of"),
])
def test_what_is_otherwise_is_told(tmp_path, kind, line, otherwise):
    with kind(tmp_path, WORLD.replace(f"token {TOKEN}\n", "") if line.startswith("token") else WORLD) as server:
        if not line.startswith("token"):
            server.say(line)
        status, out = told(look(server.url, 1))
        assert status == (2 if line.startswith("api") else 1) and f"OTHERWISE    {otherwise}" in out, out


@pytest.mark.skipif(not go_peer(), reason="tests/peer is not built")
@pytest.mark.parametrize("fault, otherwise", [
    ("ws-masked", "the stream is as it is described: a masked frame"),
    ("ws-close-1011", "the stream is as it is described: the server closed the websocket (1011"),
    ("http-wrong-accept", "Sec-WebSocket-Accept is right"),
    ("yamux-version-1", "a yamux frame of version 1"),
    ("yamux-goaway-normal", "the server does not say GoAway"),
    ("yamux-unknown-stream", "no frame is of a stream that nobody opened"),
    ("drpc-id-back", "dRPC ids go from (1, 9) to (1, 3)"),
    ("protobuf-type-6", "the first message is a WorkspaceUpdate: protobuf wire type 6"),
    ("protobuf-truncated", "the first message is a WorkspaceUpdate: a protobuf message that ends in the middle"),
    ("semantic-id", "ids have 16 bytes"),
    ("semantic-unknown-workspace", "each agent's workspace is in the snapshot"),
    ("semantic-record-large", "no record is over 4 KiB"),
    ("semantic-delete-unknown", "the snapshot has upserted workspaces and agents alone"),
])
def test_faults_of_the_stream_are_told(tmp_path, fault, otherwise):
    with GoPeer(tmp_path, WORLD) as server:
        server.say(f"fault {fault}")
        status, out = told(look(server.url, 1))
        assert status in (1, 2) and otherwise in out and "OTHERWISE" in out, out
        assert not fault.startswith("ws-close") or f"the server closed first, with the code: {fault[9:]}" in out, out


def test_what_cannot_be_looked_at_is_2(tmp_path):
    with Simulator(tmp_path, WORLD) as server:
        server.say("refuse 200 html")
        status, out = told(look(server.url, 1))
        assert status == 2 and "this is not a Coder server" in out
        server.say("refuse off")
        status, out = told(look(server.url, 1, "wrong-token"))
        assert status == 2 and "the token is not good" in out
    status, out = told(look(server.url, 1))
    assert status == 2 and "refused" in out
    for words in ["0"], ["soon"]:
        assert subprocess.run([LIVE, *words], env={**os.environ, "CODER_URL": "x", "CODER_SESSION_TOKEN": "x"},
                              capture_output=True, check=False).returncode == 2
