# SPDX-License-Identifier: Apache-2.0
"""holdfastd --check as a person or a unit file calls it, and the two files that are made of the table of keys."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("HF_BUILD", os.path.join(TOP, "build"))
HOLDFASTD = os.path.join(BUILD, "bridge", "holdfastd")
GEN = os.path.join(BUILD, "config", "hf-config-gen")
SAMPLE = os.path.join(TOP, "examples", "holdfast.yaml")


@pytest.fixture
def folder(tmp_path):
    tmp_path.chmod(0o700)
    return tmp_path


def put(path, text, mode=0o600):
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def holdfastd(folder, *words, **env):
    """Runs it in an environment of the test's own: no variable of Coder's, a home of its own."""
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **env}
    return subprocess.run([HOLDFASTD, *map(str, words)], env=env, capture_output=True, text=True, timeout=20)


def check(folder, text, *words, **env):
    return holdfastd(folder, "--check", *words, "-c", put(folder / "holdfast.yaml", text), **env)


def minimal(folder):
    token = put(folder / "token", "abc-def\n")
    return f"sources:\n  - url: https://coder.example.com\n    token-file: {token}\n"


def test_a_good_file_is_ok_and_tells_where_things_come_from(folder):
    r = check(folder, minimal(folder))
    assert (r.returncode, r.stderr) == (0, "")
    assert r.stdout.splitlines() == [
        f"{folder}/holdfast.yaml: ok",
        "source 'main': https://coder.example.com (from the key url), "
        f"token from {folder}/token"]
    assert "abc-def" not in r.stdout


def test_the_environment_fills_in(folder):
    r = check(folder, "ttl: 5\n", CODER_URL="https://env.example", CODER_SESSION_TOKEN="s3cret")
    assert r.returncode == 0
    assert "source 'main': https://env.example (from CODER_URL), token from CODER_SESSION_TOKEN" in r.stdout
    assert "s3cret" not in r.stdout + r.stderr


def test_the_files_of_the_coder_cli_fill_in(folder):
    put(folder / ".config/coderv2/url", "https://cli.example")
    put(folder / ".config/coderv2/session", "s3cret")
    r = check(folder, "")
    assert r.returncode == 0
    assert f"https://cli.example (from {folder}/.config/coderv2/url)" in r.stdout
    assert f"token from {folder}/.config/coderv2/session" in r.stdout


def test_a_systemd_credential_fills_in(folder):
    put(folder / "creds/holdfast-token", "s3cret", 0o400)
    r = check(folder, "sources: [ { url: https://x.example } ]\n", CREDENTIALS_DIRECTORY=str(folder / "creds"))
    assert r.returncode == 0
    assert f"token from {folder}/creds/holdfast-token" in r.stdout


def test_no_token_anywhere_is_a_warning(folder):
    r = check(folder, "sources: [ { url: https://x.example } ]\n")
    assert r.returncode == 0
    assert r.stderr.startswith("warning: source 'main': no token: expected the key token-file")


def test_verbose_prints_what_loads_to_the_same(folder):
    first = check(folder, minimal(folder) + "ttl: 7\nhold: { policy: max-age, max-age: 90m }\n", "-v")
    again = check(folder, first.stdout, "-v")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == again.stdout
    assert "\nttl: 7\n" in first.stdout and "\n  max-age: 90m\n" in first.stdout
    assert first.stdout.startswith("# ")


def test_verbose_warns_before_secrets_are_passed_on(folder):
    r = check(folder, minimal(folder) + '    headers: ["X-Gateway: s3cret"]\n', "--verbose")
    assert "# source 'main': its headers or proxy may hold a secret; look before you pass this on\n" in r.stdout


def test_each_problem_is_a_line(folder):
    r = check(folder, "sources:\n  - tokn-file: /x\n    url: https://x\nttl: 90\nhold: { policy: max-age }\n")
    at = f"{folder}/holdfast.yaml"
    assert (r.returncode, r.stdout) == (1, "")
    assert r.stderr.splitlines() == [
        f"{at}:2:5: sources[0].tokn-file: unknown key; did you mean 'token-file'?",
        f"{at}:4:6: ttl: 90 is out of range; expected 1 to 30 (seconds)",
        f"{at}:5:17: hold.policy: max-age needs the key max-age beside it, such as max-age: 7d"]


def test_many_problems_end_with_their_number(folder):
    r = check(folder, "".join(f"nonsense{i}: 1\n" for i in range(25)))
    assert r.returncode == 1
    assert len(r.stderr.splitlines()) == 21
    assert r.stderr.endswith("holdfast.yaml: and 5 more\n")


@pytest.mark.parametrize("mode, why", [
    (0o666, "refused: others may write it (mode 0666); chmod go-w it"),
    (0o620, "refused: others may write it (mode 0620); chmod go-w it")])
def test_a_file_that_others_may_write_is_refused(folder, mode, why):
    path = put(folder / "holdfast.yaml", minimal(folder), mode)
    r = holdfastd(folder, "--check", "-c", path)
    assert (r.returncode, r.stdout, r.stderr) == (1, "", f"{path}: {why}\n")


def test_a_token_file_that_others_may_read_is_refused(folder):
    text = minimal(folder)
    (folder / "token").chmod(0o644)
    r = check(folder, text)
    assert r.returncode == 1
    assert r.stderr == (f"{folder}/holdfast.yaml:3:17: sources[0].token-file: {folder}/token: others may read it "
                        "(mode 0644); chmod 0600 it\n")


def test_a_token_file_that_is_a_symlink_is_refused(folder):
    text = minimal(folder)
    (folder / "token").rename(folder / "real")
    (folder / "token").symlink_to("real")
    r = check(folder, text)
    assert r.returncode == 1
    assert r.stderr.endswith("token: it is a symlink\n")


def test_a_missing_file_is_said_to_be_missing(folder):
    r = holdfastd(folder, "--check", "-c", folder / "nope")
    assert (r.returncode, r.stderr) == (1, f"{folder}/nope: cannot be read: No such file or directory\n")


@pytest.mark.parametrize("words, says", [
    (["-v"], "-v belongs to --check"),
    (["-v", "--version"], "-v belongs to --check"),
    (["--check", "--help"], "do not go together"),
    (["--nope"], "option --nope is not known"),
    (["-x"], "option -x is not known"),
    (["--check", "-c"], "option -c needs a value"),
    (["--check", "--config"], "needs a value"),
    (["--check", "file"], "takes options only"),
    (["--check", "--check"], "do not go together"),
    (["--token", "abc"], "option --token is not known")])
def test_wrong_usage_is_status_2(folder, words, says):
    r = holdfastd(folder, *words)
    assert (r.returncode, r.stdout) == (2, "")
    assert says in r.stderr and len(r.stderr.splitlines()) == 1


def test_version_and_help(folder):
    r = holdfastd(folder, "--version")
    assert r.returncode == 0
    version, build, store, libraries = r.stdout.splitlines()
    assert re.fullmatch(r"holdfastd \d+\.\d+\.\d+", version) and re.fullmatch(r"build: \S.*, compiler \S.*", build)
    # What an operator needs who wants to go back: see docs/upgrade.md.
    schema = (pathlib.Path(__file__).parents[2] / "bridge/store/schema.c").read_text()
    newest, oldest = re.search(r"hf_schema = \{\s*\.version = (\d+),\s*\.oldest = (\d+)", schema).groups()
    assert store == f"store: schema {newest}, read by programs from schema {oldest} on"
    for name in "libcurl", "OpenSSL", "SQLite", "libunbound", "libevent", "jansson", "libyaml":
        assert re.search(rf"\b{name}/\d+\.\d+", libraries), name
    r = holdfastd(folder, "--help")
    assert r.returncode == 0 and "--check" in r.stdout and "exit status" in r.stdout


def test_a_full_disk_is_not_ok(folder):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    path = put(folder / "holdfast.yaml", minimal(folder))
    with open("/dev/full", "w") as full:
        r = subprocess.run([HOLDFASTD, "--check", "-v", "-c", path], stdout=full, env={"HOME": str(folder)}, timeout=20)
    assert r.returncode == 1


# --- the sample file and the manual page

@pytest.mark.parametrize("what, path", [("sample", SAMPLE),
                                        ("manual", os.path.join(TOP, "docs", "man", "holdfast.yaml.5"))])
def test_the_generated_files_are_fresh(what, path):
    now = subprocess.run([GEN, what], capture_output=True, text=True, check=True).stdout
    with open(path, encoding="utf-8") as f:
        assert f.read() == now


def test_the_generator_knows_two_words():
    r = subprocess.run([GEN, "nonsense"], capture_output=True, text=True)
    assert r.returncode == 2 and r.stderr.startswith("usage:")


def switched(lines, wanted):
    """The sample with the commented keys of `wanted` (line numbers) switched on."""
    return "".join(re.sub("#", "", line, count=1) if i in wanted else line for i, line in enumerate(lines))


def commented_keys():
    """For each key that is switched off in the sample: its lines, those of the maps that it is in first."""
    with open(SAMPLE, encoding="utf-8") as f:
        lines = f.readlines()
    above = []
    for i, line in enumerate(lines):
        m = re.match(r"( *)#( *)([a-z-]+):(.*)\n", line)
        if not m or not (m[2] == "" or above) or i in adapter_lines(lines):
            continue
        depth = len(m[1]) + len(m[2])
        above = [a for a in above if a[0] < depth and a[2] == m[1] and m[2]]
        if m[4]:
            yield lines, [a[1] for a in above] + [i], m[3]
        else:
            above.append((depth, i, m[1]))


def adapter_lines(lines):
    """The list of adapters, whose entries are of several kinds."""
    begin = lines.index("#adapters:\n")
    return range(begin, begin + lines[begin:].index("\n"))


# What an entry of its kind must have; the second is instead of the first.
NEEDED = {"unbound": ["control"], "dnsmasq": ["hostsdir", "hosts-file"], "hosts": ["path"], "hook": ["command"]}


def adapter_keys():
    """For each key of each kind of adapter: the lines to switch on, those that it needs among them."""
    with open(SAMPLE, encoding="utf-8") as f:
        lines = f.readlines()
    entries, above = [], []
    for i in adapter_lines(lines):
        m = re.match(r"#( +)(- )?([a-z-]+):(.*)\n", lines[i])
        if m and m[2]:
            entries.append((m[4].strip(), i, {}))
        elif m:
            above = [a for a in above if a[0] < len(m[1])]
            entries[-1][2][m[3]] = [a[1] for a in above] + [i]
            if not m[4]:
                above.append((len(m[1]), i))
    for kind, head, keys in entries:
        for name, wanted in keys.items():
            if lines[wanted[-1]].endswith(":\n"):
                continue  # switched on with what is in it
            needed = NEEDED[kind][-1 if name in ("hosts-file", "pid-file") else 0]
            yield lines, {adapter_lines(lines)[0], head, *keys[needed], *wanted}, f"{kind}: {name}"


# Keys that are of use only together.
PAIRS = {"client-cert": "client-key", "client-key": "client-cert"}


def test_every_key_of_the_sample_can_be_switched_on(folder):
    """Each alone, with what is written there: the default, or the example."""
    keys = list(commented_keys())
    assert len(keys) > 45
    lines = keys[0][0]
    names = {name: wanted for _, wanted, name in keys}
    default = switched(lines, set())
    for _, wanted, name in keys:
        on = set(wanted) | set(names.get(PAIRS.get(name), []))
        text = switched(lines, on)
        assert text != default
        if name == "max-age":
            text = text.replace("  max-age:", "  policy: max-age\n  max-age:")
        r = check(folder, text)
        # The files and groups of the examples are not there; that is all that may be said.
        said = [line for line in r.stderr.splitlines()
                if "No such file or directory" not in line and "there is no group" not in line]
        assert said == [], name


def test_every_key_of_every_adapter_can_be_switched_on(folder):
    rows = list(adapter_keys())
    assert len(rows) > 15
    for lines, wanted, name in rows:
        r = check(folder, switched(lines, wanted))
        # What an adapter feeds is not there; that is all that may be said.
        said = [line for line in r.stderr.splitlines() if "No such file or directory" not in line and "there is no" not in line]
        assert said == [], name
        assert not re.search(r"expected|unknown|needs the key", r.stderr), name


def test_the_manual_page_is_clean_roff():
    if not shutil.which("groff"):
        pytest.skip("no groff")
    r = subprocess.run(["groff", "-man", "-Tutf8", "-ww", os.path.join(TOP, "docs", "man", "holdfast.yaml.5")],
                       capture_output=True, text=True, timeout=60)
    assert (r.returncode, r.stderr) == (0, "")
    assert "holdfast.yaml - configuration of Holdfast" in re.sub(r"\x1b\[[0-9;]*m|.\x08", "", r.stdout)
