# SPDX-License-Identifier: Apache-2.0
"""What `holdfastctl setup` prints, for tests that give it to the real resolver."""
import json
import os
import pathlib
import subprocess

from zone import program


def config(folder, target, suffixes=("coder",), top=""):
    """A configuration whose holdfast-dns answers at `target`, a port of 127.0.0.1 or ADDRESS@PORT; its path."""
    at = target if isinstance(target, str) else f"127.0.0.1@{target}"
    path = pathlib.Path(folder) / f"setup-{os.urandom(3).hex()}.yaml"
    sources = "".join(f"  - {{ name: s{i}, url: 'https://coder.invalid', suffix: {s} }}\n" for i, s in enumerate(suffixes))
    path.write_text(f"zone: {folder}/no-zone\ncontrol: {folder}/no.sock\ndns: {{ listen: ['{at}'] }}\n{top}sources:\n{sources}")
    path.chmod(0o600)
    return path


def ctl(config_path, *args):
    return subprocess.run([program("bridge/holdfastctl"), "-c", config_path, "setup", *args], capture_output=True, text=True,
                          timeout=30, check=False)


def setup_files(folder, resolver, target, suffixes=("coder",), version=None):
    """{path: text} of what goes into that resolver's files; of the version that is installed, or the one given."""
    done = ctl(config(folder, target, suffixes), resolver, "--json", *(["--for-version", version] if version else []))
    assert done.returncode == 0, done.stderr
    return {f["path"]: f["text"] for f in json.loads(done.stdout)["files"]}


def setup_text(folder, resolver, target, suffixes=("coder",)):
    """All of it, where it goes into one file."""
    (text,) = setup_files(folder, resolver, target, suffixes).values()
    return text
