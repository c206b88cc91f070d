# SPDX-License-Identifier: Apache-2.0
"""The servers that play Coder, as clients see them."""
import json
import re
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from peer import GoClient, GoPeer, PeerError, Simulator, go_peer
from server import wait_for

WORLD = """
user alice          # the token's own
user bob
token abc-secret
snapshot alice 1=dev:7=main,8=gpu 2=web
"""
ALICE = "10000000-0000-0000-0000-000000000001"


needs_go = pytest.mark.skipif(not go_peer(), reason="tests/peer is not built: it needs Go 1.25 or newer")


@pytest.fixture(params=[Simulator, pytest.param(GoPeer, marks=needs_go)])
def server(request, tmp_path):
    with request.param(tmp_path, WORLD) as s:
        yield s
        s.say("status")  # it lives


def follow(server, *options):
    """A client of Coder's own libraries that follows alice."""
    return GoClient(server.log_path.parent, server.url, "-token", "abc-secret", *options)


def told(client, *lines):
    """The client tells these lines, and no others."""
    wait_for(lambda: len(client.lines()) >= len(lines))
    assert client.lines() == list(lines)


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
    "wait 2", "wait -1s", "ping tcp 1s", "await doom", "cut ws no", "lose eve +1=x", "lose alice 1=x", "me eve", "roles alice 0/x",
    "roles alice 64/x", "orgs alice 64", "orgs alice x", "place 0 1", "place 2 9", "place 2 1..9", "share 9 bob", "share 1 eve",
    "deny eve close", "deny bob softly", "late bob 2", "late eve 2s", "stopped 9", "stopped x", "remake bob 1", "remake alice 9", "remake eve 9", "slow 2", "slow 1s api",
])
def test_a_wrong_line_is_an_error_that_changes_nothing(server, line):
    with pytest.raises(PeerError, match="error"):
        server.say(line)
    assert get(server, "users/me")[1]["username"] == "alice"


def test_a_script_with_an_error_tells_its_line(tmp_path):
    with pytest.raises(PeerError, match=r"script:2: there is no user 'bob'"):
        Simulator(tmp_path, "user alice\nsnapshot bob 1=x\n")


# --- who may see what

BOB = ALICE.replace("0001", "0002")


def org(n):
    return f"30000000-0000-0000-0000-{n:012d}"


def may(server, **what):
    """What authcheck says to reading such workspaces."""
    check = {"object": {"resource_type": "workspace", **what}, "action": "read"}
    return get(server, "authcheck", body={"checks": {"k": check}})[1]["k"]


def test_a_user_tells_roles_and_organisations(server):
    me = get(server, "users/me")[1]
    assert [r["name"] for r in me["roles"]] == ["owner"] and me["organization_ids"] == [org(1)]
    server.say("roles alice auditor 2/organization-admin 5/organization-admin")
    server.say("orgs alice 2 3")
    me = get(server, "users/me")[1]
    assert [r["name"] for r in me["roles"]] == ["auditor"] and sorted(me["organization_ids"]) == [org(2), org(3)]
    assert get(server, "users/me/roles")[1] == {
        "roles": ["auditor"], "organization_roles": {org(2): ["organization-admin"], org(3): []}}
    assert get(server, "users/bob")[1]["roles"] == []
    assert get(server, "users/bob/roles")[1] == {"roles": [], "organization_roles": {org(1): []}}


def test_a_token_tells_its_scopes(server):
    assert get(server, "users/me/keys/abc")[1]["scopes"] == ["coder:all"]
    server.say("scopes workspace:read user:read")
    assert get(server, "users/me/keys/abc")[1]["scopes"] == ["workspace:read", "user:read"] and may(server, any_org=True)
    server.say("scopes user:read")
    assert not may(server, any_org=True) and not may(server, owner_id="me", any_org=True)
    server.say("scopes")
    assert may(server, any_org=True)


@pytest.mark.parametrize("roles, everybody, in_1, in_2, lists, knows_bob", [
    ("owner", True, True, True, True, True),
    ("template-admin", True, True, True, True, True),
    ("auditor", False, False, False, True, True),
    ("user-admin", False, False, False, True, True),
    ("2/organization-admin", True, False, True, True, True),
    ("2/organization-template-admin", True, False, True, False, True),
    ("3/organization-template-admin", True, False, False, False, False),
    ("organization-admin 2/owner something", False, False, False, False, False),
    ("", False, False, False, False, False),
])
def test_roles_are_what_coder_means_by_them(server, roles, everybody, in_1, in_2, lists, knows_bob):
    server.say("orgs bob 2")
    server.say(f"roles alice {roles}")
    assert may(server, owner_id=BOB, any_org=True) == may(server, any_org=True) == everybody
    assert may(server, owner_id=BOB, organization_id=org(1)) == may(server, organization_id=org(1)) == in_1
    assert may(server, owner_id=BOB, organization_id=org(2)) == in_2
    assert may(server, owner_id="me", any_org=True) and may(server, owner_id=ALICE, organization_id=org(1))
    assert not may(server, owner_id="me", organization_id="junk")
    assert len(get(server, "users")[1]["users"]) == (2 if lists else 1)
    assert get(server, "users/bob")[0] == (200 if knows_bob else 404)
    assert get(server, "users/alice")[0] == 200


def test_the_token_can_be_another_users(server):
    server.say("me bob")
    assert get(server, "users/me")[1]["username"] == "bob" and get(server, "users/me")[1]["roles"] == []
    assert get(server, "users/me/keys/abc")[1]["user_id"] == BOB
    assert get(server, "users/alice")[0] == 404
    server.say("me alice")
    assert get(server, "users/me")[1]["username"] == "alice"


def test_a_user_made_again_has_another_id(server):
    server.say("snapshot bob 5=old")
    server.say("remake bob 9")
    assert get(server, "users/bob")[1]["id"] == ALICE.replace("0001", "0009") and get(server, f"users/{BOB}")[0] == 404
    assert get(server, "workspaces/" + ALICE.replace("0001", "0005"))[0] == 404


def test_whose_a_workspace_is(server):
    path = "workspaces/" + ALICE.replace("0001", "0005")
    assert get(server, path)[0] == 404
    server.say("snapshot bob 5=web")
    server.say("place 2 5")
    seen = get(server, path)[1]
    assert (seen["owner_id"], seen["owner_name"], seen["name"], seen["organization_id"]) == (BOB, "bob", "web", org(2))
    server.say("diff alice +5=web")
    assert get(server, path)[1]["owner_id"] == ALICE
    server.say("roles alice")
    assert get(server, path)[0] == 404  # alice is no member of organisation 2


def test_a_refusal_can_be_of_one_path(server):
    server.say("refuse 500 /api/v2/users/bob Retry-After=3")
    assert get(server, "users/bob")[0] == 500 and get(server, "users/me")[0] == get(server, "users/bob/roles")[0] == 200
    server.say("refuse off")
    assert get(server, "users/bob")[0] == 200


def test_answers_can_be_late(server):
    server.say("slow 300ms /api/v2/users/bob")
    start = time.monotonic()
    assert get(server, "users/me")[0] == 200 and time.monotonic() - start < 0.25
    assert get(server, "users/bob")[0] == 200 and time.monotonic() - start >= 0.3
    server.say("slow 200ms")
    start = time.monotonic()
    assert get(server, "users/me")[0] == 200 and time.monotonic() - start >= 0.2
    server.say("slow off")
    start = time.monotonic()
    assert get(server, "users/bob")[0] == 200 and time.monotonic() - start < 0.2


SNAPSHOT = "snapshot me 1=dev:7=main,8=gpu 2=web"


@needs_go
def test_a_client_gets_snapshot_and_diffs(server):
    with follow(server) as client:
        told(client, SNAPSHOT)
        server.say("diff alice +3=new:9=main +2=web2 -:8")
        told(client, SNAPSHOT, "diff me +2=web2 +3=new:9=main -:8")
        server.say("diff alice -1 -3")
        told(client, SNAPSHOT, "diff me +2=web2 +3=new:9=main -:8", "diff me -1 -3 -:7 -:9")


@needs_go
def test_an_agent_is_renamed_in_one_message(server):
    with follow(server) as client:
        told(client, SNAPSHOT)
        server.say("diff alice -:8 +1=dev:8=gpu2")
        told(client, SNAPSHOT, "diff me +1=dev:8=gpu2 -:8")


@needs_go
def test_a_snapshot_is_not_told_to_streams_that_are_open(server):
    with follow(server, "-redial") as client:
        told(client, SNAPSHOT)
        server.say("snapshot alice 2=web:3=main")
        server.say("cut tcp")
        wait_for(lambda: len(client.lines()) == 3)
        assert client.lines()[2] == "snapshot me 2=web:3=main"


@needs_go
@pytest.mark.parametrize("cut", ["tcp", "rst", "ws", "ws 1012 restart", "yamux", "call", "error 12 sorry", "goaway"])
def test_a_client_that_was_cut_off_gets_the_new_state(server, cut):
    with follow(server, "-redial") as client:
        told(client, SNAPSHOT)
        server.say(f"cut {cut}")
        if cut == "goaway":  # open streams go on
            server.say("diff alice -1")
            server.say("cut call")
        wait_for(lambda: client.lines()[-1].startswith("snapshot") and len(client.lines()) > 2)
        server.say("diff alice +2=last")
        wait_for(lambda: client.lines()[-1] == "diff me +2=last")
        assert server.status()["upgrades"] == 2
        if cut.startswith("error"):
            assert "ended sorry" in client.lines()


@needs_go
def test_two_owners_share_a_session(server):
    server.say("snapshot bob 5=other:5=main")
    with follow(server, "-owner", "me,bob") as client:
        server.say("await streams 2")
        server.say("diff bob -5")
        server.say("diff alice -2")
        want = {SNAPSHOT, "snapshot bob 5=other:5=main", "diff bob -5 -:5", "diff me -2"}
        wait_for(lambda: len(client.lines()) == len(want))
        assert set(client.lines()) == want and server.status()["sessions"] == 1


@needs_go
def test_an_owner_who_may_not_be_read_has_an_empty_snapshot(server):
    server.say("snapshot bob 5=other")
    server.say("unreadable bob")
    with follow(server, "-owner", "bob") as client:
        told(client, "snapshot bob")


@needs_go
def test_rights_are_those_of_the_upgrade(server):
    """REST speaks with today's, a connection with those of its first second."""
    server.say("snapshot bob 5=other")
    with follow(server, "-owner", "bob", "-redial") as client:
        told(client, "snapshot bob 5=other")
        server.say("roles alice")
        assert not may(server, owner_id=BOB, any_org=True)
        server.say("diff bob +6=still")
        told(client, "snapshot bob 5=other", "diff bob +6=still")
        server.say("roles alice owner")  # for the client's question who bob is
        server.say("unreadable bob")
        server.say("cut tcp")
        wait_for(lambda: client.lines()[-1] == "snapshot bob")
        server.say("readable bob")
        assert may(server, owner_id=BOB, any_org=True)
        server.say("diff bob +7=unseen")
        time.sleep(0.2)
        assert client.lines()[-1] == "snapshot bob"
        server.say("cut ws 1012")
        wait_for(lambda: client.lines()[-1] == "snapshot bob 5=other 6=still 7=unseen")


@needs_go
def test_workspaces_of_other_organisations_are_not_told(server):
    server.say("snapshot bob 5=one:5=a 6=two:6=b")
    server.say("place 2 6")
    server.say("roles alice 1/organization-admin")
    with follow(server, "-owner", "bob,me") as client:
        wait_for(lambda: len(client.lines()) == 2)
        assert set(client.lines()) == {"snapshot bob 5=one:5=a", SNAPSHOT}
        server.say("diff bob +5=uno +6=due")
        server.say("diff bob -6")
        server.say("diff bob -:5")
        wait_for(lambda: len(client.lines()) == 4)
        assert client.lines()[2:] == ["diff bob +5=uno", "diff bob -:5"]


@needs_go
def test_an_event_that_got_lost_is_in_the_next_snapshot(server):
    with follow(server, "-redial") as client:
        told(client, SNAPSHOT)
        server.say("lose alice +3=new:9=main +2=renamed -:8")
        server.say("diff alice +4=seen")
        told(client, SNAPSHOT, "diff me +4=seen")
        server.say("cut tcp")
        wait_for(lambda: len(client.lines()) == 4)
        assert client.lines()[-1] == "snapshot me 1=dev:7=main 2=renamed 3=new:9=main 4=seen"


@needs_go
def test_a_workspace_can_be_in_two_owners_streams(server):
    server.say("snapshot bob 5=other:5=main")
    with follow(server, "-owner", "me,bob", "-redial") as client:
        wait_for(lambda: len(client.lines()) == 2)
        server.say("share 5 alice")
        wait_for(lambda: client.lines()[-1] == "diff me +5=other:5=main")
        assert get(server, "workspaces/" + ALICE.replace("0001", "0005"))[1]["owner_name"] == "bob"
        server.say("cut tcp")
        wait_for(lambda: set(client.lines()[-2:]) == {SNAPSHOT + " 5=other:5=main", "snapshot bob 5=other:5=main"})
        server.say("unshare 5 alice")
        wait_for(lambda: client.lines()[-1] == "diff me -5 -:5")


@needs_go
@pytest.mark.parametrize("how", ["close", "error", "reset"])
def test_one_owner_can_be_denied(server, how):
    server.say(f"deny bob {how}")
    with follow(server, "-owner", "bob") as client:
        client.wait()
        assert client.lines() and not client.lines()[0].startswith("snapshot")
    with follow(server) as client:
        told(client, SNAPSHOT)
        server.say("deny bob off")
    with follow(server, "-owner", "bob") as client:
        told(client, "snapshot bob")


@needs_go
def test_one_owner_can_be_late(server):
    server.say("late bob 400ms")
    start = time.monotonic()
    with follow(server, "-owner", "me,bob") as client:
        wait_for(lambda: client.lines() == [SNAPSHOT])
        server.say("diff bob +5=early")  # in the snapshot, which is not made yet
        wait_for(lambda: len(client.lines()) == 2)
        assert client.lines()[1] == "snapshot bob 5=early" and time.monotonic() - start >= 0.4


@needs_go
def test_a_stopped_workspace_says_so(server):
    server.say("stopped 2")
    with follow(server) as client:
        told(client, SNAPSHOT + " status:2=5")
        server.say("running 1..2")
        server.say("diff alice +2=web")
        told(client, SNAPSHOT + " status:2=5", "diff me +2=web")


@needs_go
def test_names_hold_any_byte_of_utf_8(server):
    server.say("snapshot alice 1=%00%0a%c3%a9:1=%25%3a")
    with follow(server) as client:
        told(client, "snapshot me 1=%00%0a%c3%a9:1=%25%3a")


@needs_go
@pytest.mark.parametrize("line, reason", [
    ("token other", "status 401"), ("api 2.2", "status 400"), ("refuse 503", "status 503"),
    ("workspace-updates off", "workspace updates not supported on this connection")])
def test_a_refused_client_is_told_why(server, line, reason):
    server.say(line)
    with follow(server) as client:
        client.wait()
        assert reason in client.lines()[0]


@needs_go
def test_a_frozen_server_says_nothing_until_it_thaws(server):
    with follow(server) as client:
        told(client, SNAPSHOT)
        server.say("freeze")
        server.say("diff alice -1")
        time.sleep(0.3)
        told(client, SNAPSHOT)
        server.say("thaw")
        told(client, SNAPSHOT, "diff me -1 -:7 -:8")


@needs_go
def test_pings_are_answered_both_ways(server):
    server.say("ping ws 50ms")
    server.say("ping yamux 50ms")
    with follow(server) as client:
        told(client, SNAPSHOT)
        time.sleep(0.6)
        server.say("diff alice -2")
        told(client, SNAPSHOT, "diff me -2")


@needs_go
def test_a_large_snapshot_arrives_whole(server):
    server.say("snapshot alice 1..50000=workspace:main")
    with follow(server, "-once", "-records=false", "-limit", 1 << 26) as client:
        assert client.wait(60) == 0
        assert client.lines()[0] == "snapshot me workspaces=50000 agents=50000 gone_workspaces=0 gone_agents=0"


@needs_go
def test_tls(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key", "-out",
                    tmp_path / "cert", "-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1"], check=True,
                   capture_output=True)
    for kind in Simulator, GoPeer:
        with kind(tmp_path, WORLD, tls=(tmp_path / "cert", tmp_path / "key")) as server:
            with follow(server, "-ca", tmp_path / "cert") as client:
                told(client, SNAPSHOT)
                server.say("diff alice -1")
                told(client, SNAPSHOT, "diff me -1 -:7 -:8")


def faults():
    """What tests/peer's program can do wrong: (name, outcome)."""
    if not go_peer():
        return []
    lines = subprocess.run([go_peer(), "faults"], check=True, capture_output=True, text=True).stdout.splitlines()
    return [tuple(line.split("\t")[:2]) for line in lines]


# Smaller than by default, so that a test is short.
SIZES = {"tcp-slow": "5", "flood": "3000", "fragments-empty": "3000"}
# Coder's libraries live with these, or wait, or they are for TLS or end by themselves much later.
LENIENT = """tcp-zero-window tcp-slow tls- http-silence ws-masked ws-length-2e40 ws-length-1g flood yamux-flags-10 yamux-unknown-stream
yamux-stream-0 yamux-syn-odd yamux-syn-even yamux-window-overflow yamux-no-pong drpc-varint-long drpc-length drpc-frame
semantic-""".split()


@needs_go
def test_each_fault_reaches_a_client_and_leaves_the_server_alive(tmp_path):
    wrong = []
    with GoPeer(tmp_path, WORLD) as server:
        for name, outcome in faults():
            if name.startswith("tls-"):
                continue
            size = next((n for word, n in SIZES.items() if word in name), "")
            server.say(f"fault {name} {size}")
            lenient = outcome == "refuse" and any(word in name for word in LENIENT)
            with follow(server) as client:
                if lenient:
                    time.sleep(0.05)
                else:
                    wait_for(lambda: client.lines())
                told_first = (client.lines() or ["nothing"])[0]
            if outcome == "accept" and not told_first.startswith("snapshot") and name != "yamux-data-after-rst":
                wrong.append(f"{name}: not accepted: {told_first}")
            server.say("fault off")
            server.say("cut tcp")
        with follow(server) as client:
            told(client, SNAPSHOT)
            for name, outcome in faults():
                if name in ("semantic-name-upper", "protobuf-nested", "protobuf-unknown", "ws-pong", "yamux-pong-unknown"):
                    server.say(f"hit {name}")
            wait_for(lambda: len(client.lines()) == 4)
    assert not wrong


@needs_go
@pytest.mark.parametrize("name, reason", [
    ("tls-expired", "expired"), ("tls-not-yet", "not yet valid"), ("tls-self-signed", "unknown authority"),
    ("tls-wrong-host", "not 127.0.0.1|doesn't contain any IP SANs"), ("tls-no-san", "doesn't contain any IP SANs"),
    ("tls-wrong-usage", "incompatible key usage"), ("tls-old", "protocol version"), ("tls-weak-cipher", "handshake failure"),
    ("tls-client-certificate", "certificate required")])
def test_faults_of_tls_are_what_they_say(tmp_path, name, reason):
    with GoPeer.with_own_ca(tmp_path, WORLD) as server:
        with follow(server, "-ca", tmp_path / "ca.pem") as client:
            told(client, SNAPSHOT)
        server.say(f"fault {name}")
        with follow(server, "-ca", tmp_path / "ca.pem") as client:
            client.wait()
            assert re.search(reason, client.lines()[0])
        server.say("fault off")
        with follow(server, "-ca", tmp_path / "ca.pem") as client:
            told(client, SNAPSHOT)
