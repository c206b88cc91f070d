# SPDX-License-Identifier: Apache-2.0
"""plugin/unbound/build.sh where unbound's source cannot be had: one line, an exit status of its own, and nothing is built."""
import os
import pathlib
import subprocess

import pytest

BUILD_SH = pathlib.Path(__file__).parents[2] / "plugin" / "unbound" / "build.sh"

# A mirror that does not have the version of a security update; an unreachable one; a machine without source packages.
APT = {
    "404": 'case "$*" in *source*) echo "E: Failed to fetch x.dsc  404  Not Found" >&2; exit 100 ;; esac',
    "no network": 'case "$*" in *source* | *update*) echo "E: Could not resolve host" >&2; exit 100 ;; esac',
    "no sources": 'case "$*" in *source*) echo "E: You must put some deb-src URIs in your sources.list" >&2; exit 100 ;; esac',
}


@pytest.mark.parametrize("how", APT)
def test_a_source_that_cannot_be_had_is_one_line_and_status_77(tmp_path, how):
    (tmp_path / "bin").mkdir()
    apt = tmp_path / "bin" / "apt-get"
    apt.write_text(f"#!/bin/sh\n{APT[how]}\n")
    apt.chmod(0o755)
    build = tmp_path / "build"
    build.mkdir()
    (build / "build.ninja").write_text("")
    done = subprocess.run([BUILD_SH, build], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    assert done.returncode == 77, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("build.sh: no module: ") and "source" in line
    assert not (build / "plugin").exists()
