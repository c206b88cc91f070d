"""The README's first command, on a machine that has the packages: the whole path, an outage, a dead bridge, a restart."""
import os
import pathlib
import shutil
import subprocess

import pytest

from zone import BUILD

TOP = pathlib.Path(__file__).parents[2]


@pytest.mark.skipif(BUILD != TOP / "build",
                    reason="the quickstart builds in build/ of this tree; another build is under test")
def test_the_quickstart_shows_the_whole_path(tmp_path):
    # What it makes and builds is in build/, which a test must not race for: its programs are there already.
    if not shutil.which("dig"):
        pytest.skip("dig is not installed")
    env = {k: v for k, v in os.environ.items() if not k.startswith("CODER_")}
    done = subprocess.run([TOP / "examples" / "quickstart.sh", "--once", "--port", "0"], env=env,
                          capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.split("\n== ")[1:]
    part = {section.splitlines()[0].split(":")[0]: section for section in said}
    assert "fd60:627a:a42b::7" in part["the bridge follows it, and holdfast-dns answers"]
    assert "fd60:627a:a42b::7" in part["an unbound answers the same, by the module"]
    assert part["a stock unbound and a stock dnsmasq are fed by the bridge"].count("fd60:627a:a42b::7") == 2
    assert part["a workspace is made"].count("fd60:627a:a42b::1e") == 4  # holdfast-dns, the module, unbound and dnsmasq
    assert "Stale Answer" in part["the server goes away"] and "fd60:627a:a42b::7" in part["the server goes away"]
    assert part["the bridge is killed, too"].count("fd60:627a:a42b::1e") == 2
    assert part["unbound and dnsmasq are restarted while the bridge is dead"].count("fd60:627a:a42b::1e") == 2
    assert "re-applying DNS hosts from previous session" in \
        part["the bridge begins again, the server is still away"]
    assert "Stale Answer" not in part["the server comes back"] and "fd60:627a:a42b::7" in part["the server comes back"]
