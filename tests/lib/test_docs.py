# SPDX-License-Identifier: Apache-2.0
"""What the documents say about names, codes and links is so."""
import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*TOP.glob("*.md"), *TOP.glob("docs/*.md"), *TOP.glob("docs/*/*.md")])


def read(path):
    return (TOP / path).read_text()


def prose(page):
    """Without code: what stands in it is no link."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", lambda m: m[0].replace("[", " ").replace("]", " "), re.sub(r"^    .*$", "", text, flags=re.MULTILINE))


def anchors(page):
    """As a forge makes them of headings."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        assert to.exists(), target
        assert not anchor or anchor in anchors(to), target


# --- codes ---

# Where a code of a warning or note is made: files, and how it stands there.
CODES = (
    ("bridge/control/*.c", r'\w*warn\w*\(\s*s,\s*"([a-z-]+)"'),
    ("bridge/control/*.c", r'warn\w*\(\s*warnings,\s*a->name,\s*"([a-z-]+)"'),
    ("bridge/control/*.c", r'(?:"code",\s*|warn\w*\(\s*\w+->warnings,\s*)"([a-z-]+)"'),
    ("bridge/engine/*.c", r'(?:\? |: )"(zone-[a-z-]+)"'),
    ("bridge/ctl/*.c", r'\w+\(\s*(?:warnings|notes),\s*"([a-z-]+)"'),
    ("bridge/ctl/*.c", r'"code",\s*(?:json_string\(\s*)?"([a-z-]+)"'),
    ("adapters/*.h", r'define HF_\w*WARN\w* "([a-z-]+)"'),
    ("bridge/feed/*.h", r'define HF_\w*WARN\w* "([a-z-]+)"'),
    ("adapters/dnsmasq/*.c", r'\[\w*WARN_\w+\] = "([a-z-]+)"'),
    ("adapters/*/*.c", r'->warn\(\s*\S+,\s*"([a-z-]+)"'),
    ("bridge/stream/wire/problem.h", r'X\(\w+, \w+, "([a-z-]+)"'),
)


@pytest.mark.parametrize("files, pattern", CODES, ids=[f"{files}-{i}" for i, (files, _) in enumerate(CODES)])
def test_every_code_of_status_is_in_troubleshooting(files, pattern):
    codes = {code for file in TOP.glob(files) for code in re.findall(pattern, file.read_text())} - {"none"}
    page = read("docs/troubleshooting.md")
    assert codes, f"{pattern} finds nothing: correct the pattern"
    assert not {code for code in codes if f"`{code}`" not in page}


def test_no_warning_is_made_elsewhere():
    """A room that begins to warn needs a row in CODES."""
    calls = re.compile(r'->warn\(\s*\S+,\s*"|\(\s*(?:warnings|notes),\s*"|json_pack\([^;]*"code"')
    rooms = {file for files, _ in CODES for file in TOP.glob(files)}
    found = [file for room in ("bridge", "adapters") for file in (TOP / room).rglob("*.c") if calls.search(file.read_text())]
    assert found and not set(found) - rooms


# --- names of files and functions ---

ROOMS = sorted(page for room in ("adapters", "base", "bridge", "config", "examples", "plugin", "zone")
               for page in (TOP / room).rglob("README.md"))


def listed(page):
    """What the tables of files name in their first column."""
    for table in re.findall(r"(?:^\|.*\n)+", page.read_text(), re.MULTILINE):
        head, _, *rows = table.splitlines()
        if head.split("|")[1].strip() in ("file", "here", "room"):
            for row in rows:
                yield from re.findall(r"`([\w/.]+)`", row.split("|")[1])


@pytest.mark.parametrize("page", ROOMS, ids=lambda page: str(page.parent.relative_to(TOP)))
def test_a_rooms_files_are_there(page):
    """A table of files may leave out what comes behind the dot."""
    gone = [name for name in listed(page) if not list(page.parent.glob(name)) and not list(page.parent.glob(name + ".[ch]"))]
    assert not gone


def test_rooms_list_their_files():
    assert sum(bool(list(listed(page))) for page in ROOMS) >= 9

# What the reader of a worked example makes.
MADE = {"adapters/plain/plain.c", "bridge/ctl/setup/dnsdist.in"}


@pytest.mark.parametrize("page", ["docs/walkthrough.md", "docs/architecture.md", "docs/contract.md", "CONTRIBUTING.md"])
def test_files_are_there(page):
    named = re.findall(r"`((?:adapters|base|bridge|config|docs|examples|packaging|plugin|tests|zone)/[\w/.-]+)`", read(page))
    assert not [name for name in set(named) - MADE if not re.search(r"[A-Z]{3}", name) and not (TOP / name).exists()]


def test_functions_of_the_walkthrough_are_in_their_files():
    steps = re.findall(r"^\|.*\| `(\w+)\(\)` \| `([^`]+)` \|$", read("docs/walkthrough.md"), re.MULTILINE)
    assert len(steps) > 30
    assert not [step for step in steps if not re.search(rf"^[a-z].*\b{step[0]}\(", read(step[1]), re.MULTILINE)]


def test_the_adapter_of_the_guide_compiles(tmp_path):
    """Its keys are not in the configuration, and its type is not in adapter.h: those of hosts stand for the keys."""
    (source,) = re.findall(r"^```c\n(.*?)^```", read("docs/adapters.md"), re.MULTILINE | re.DOTALL)
    file = tmp_path / "plain.c"
    file.write_text(source.replace("plain.path", "hosts.path").replace(
        "\nenum", "\nextern const struct hf_adapter_type hf_plain_adapter_type;\n\nenum", 1))
    done = subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror", "-fsyntax-only", f"-I{TOP}", file],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    code = [line for line in source.splitlines() if not re.match(r"\s*$|/\*| \*|\s*/\*.*\*/\s*$", line)]
    assert len(code) <= 150, len(code)


# --- forms ---

def test_entries_of_the_changelog_begin_with_a_program_and_are_short():
    entries = re.findall(r"^- (.*)$", read("CHANGELOG.md"), re.MULTILINE)
    assert entries
    for entry in entries:
        assert re.match(r"(`[\w./-]+`(, )?)+: |(packages|quickstart|tests|docs|build): ", entry), entry
        assert len([word for word in entry.split() if re.search(r"\w", word)]) <= 30, entry


def test_decisions_have_a_date_and_a_status():
    files = [file for file in (TOP / "docs/decisions").glob("*.md") if file.name != "README.md"]
    assert len(files) > 10
    for file in files:
        for entry in re.split(r"^## ", file.read_text(), flags=re.MULTILINE)[1:]:
            assert re.match(r"\d{4}-\d\d-\d\d \S.*\n\nStatus: (accepted|accepted, amended by \[.*\]\(\S+\)|replaced by \[.*\]\(\S+\))\.\n\n\S", entry), entry[:80]
        assert file.name in read("docs/decisions/README.md")
