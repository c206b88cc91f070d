"""The servers that play Coder, as clients see them."""
import json
import urllib.error
import urllib.request

import pytest

from peer import PeerError, Simulator

WORLD = """
user alice          # the token's own
user bob
token abc-secret
snapshot alice 1=dev:7=main,8=gpu 2=web
"""
ALICE = "10000000-0000-0000-0000-000000000001"


@pytest.fixture
def server(tmp_path):
    with Simulator(tmp_path, WORLD) as s:
        yield s
        s.say("status")  # it lives


def get(server, path, token="abc-secret", body=None):
    """Status and answer of a question."""
    request = urllib.request.Request(f"{server.url}/api/v2/{path}", body and json.dumps(body).encode(),
                                     {"Coder-Session-Token": token} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def test_questions_before_a_stream_are_answered(server):
    assert get(server, "buildinfo", token=None)[1]["deployment_id"]
    assert get(server, "users/me")[1]["id"] == ALICE
    assert get(server, "users/bob")[1]["username"] == "bob"
    assert get(server, "users/eve")[0] == 404
    assert get(server, "workspaceagents/connection")[1]["hostname_suffix"] == "coder"
    assert get(server, "users/me/keys/abc")[1]["expires_at"]
    assert get(server, "users/me", token="wrong")[0] == get(server, "users/me", token=None)[0] == 401


def test_users_come_in_pages(server):
    for n in range(3, 8):
        server.say(f"user user{n}")
    pages = [get(server, f"users?limit=3&offset={at}")[1] for at in (0, 3, 6, 9)]
    assert [[u["username"] for u in p["users"]] for p in pages] == [
        ["alice", "bob", "user3"], ["user4", "user5", "user6"], ["user7"], []]
    assert all(p["count"] == 7 for p in pages)


def test_an_authcheck_answers_each_of_its_checks(server):
    server.say("unreadable bob")

    def check(owner):
        return {"object": {"resource_type": "workspace", "owner_id": owner}, "action": "read"}

    asked = {"checks": {"own": check("me"), "id": check(ALICE), "bob": check("bob"), "eve": check("eve")}}
    assert get(server, "authcheck", body=asked) == (200, {"own": True, "id": True, "bob": False, "eve": False})
    assert get(server, "authcheck", body=[1])[0] == 400


def test_what_a_script_says_is_told(server):
    server.say("suffix -")
    server.say("deployment other")
    server.say("version v2.17.0")
    server.say("rename bob robert")
    server.say("token new-secret")
    assert "hostname_suffix" not in get(server, "workspaceagents/connection", token="new-secret")[1]
    assert get(server, "buildinfo")[1]["deployment_id"] == "other"
    assert get(server, "buildinfo")[1]["version"] == "v2.17.0"
    assert get(server, "users/bob", token="new-secret")[0] == 404
    assert get(server, "users/robert", token="new-secret")[0] == 200
    assert get(server, "users/me")[0] == 401


def test_refusals_are_of_everything_or_of_the_stream(server):
    server.say("refuse 503 stream Retry-After=7")
    assert get(server, "users/me")[0] == 200
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{server.url}/api/v2/tailnet?version=2.3")
    assert refused.value.code == 503 and refused.value.headers["Retry-After"] == "7"
    server.say("refuse 429")
    assert get(server, "users/me")[0] == 429
    server.say("refuse off")
    assert get(server, "users/me")[0] == 200


def test_a_server_that_is_down_refuses_connections_and_comes_up_at_the_same_port(server):
    server.say("down")
    with pytest.raises(urllib.error.URLError):
        get(server, "buildinfo")
    server.say("up")
    assert get(server, "buildinfo")[0] == 200


@pytest.mark.parametrize("line", [
    "bogus", "user", "user alice", "user carol 1", "snapshot eve", "snapshot alice 0=x", "snapshot alice 1", "diff alice 1=x",
    "snapshot alice 1=x:7", "snapshot alice 5..1=x", "snapshot alice 99999999=x", "cut hair", "refuse 42", "refuse 200 junk",
    "wait 2", "wait -1s", "ping tcp 1s", "await doom", "cut ws no",
])
def test_a_wrong_line_is_an_error_that_changes_nothing(server, line):
    with pytest.raises(PeerError, match="error"):
        server.say(line)
    assert get(server, "users/me")[1]["username"] == "alice"


def test_a_script_with_an_error_tells_its_line(tmp_path):
    with pytest.raises(PeerError, match=r"script:2: there is no user 'bob'"):
        Simulator(tmp_path, "user alice\nsnapshot bob 1=x\n")
