# SPDX-License-Identifier: Apache-2.0
"""An unbound with Holdfast's module, as plugin/unbound/build.sh makes it, configured by the lines that holdfastctl prints."""
import pathlib
import random
import re
import subprocess

import pytest

from server import LOOPBACK, Server, free_port, question, wait_for
from stock import REVERSE
from zone import BUILD

TEMPLATE = pathlib.Path(__file__).parents[2] / "bridge/ctl/setup/unbound-module.conf.in"
UNBOUND = BUILD / "unbound/unbound"
MODULE = BUILD / "plugin/holdfast_unbound.so"


def setup_lines(module, zone, dns, suffixes=("coder",)):
    """The template filled in: a paragraph that names @suffix@ comes once for each suffix."""
    words = {"module": module, "module-conf": pathlib.Path(module).with_suffix(".conf"), "zone": zone, "dns": dns,
             "reverse": REVERSE}
    out = []
    for paragraph in TEMPLATE.read_text().strip().split("\n\n"):
        for suffix in suffixes if "@suffix@" in paragraph else ("",):
            out.append(re.sub(r"@([a-z-]+)@", lambda m: str({**words, "suffix": suffix}[m[1]]), paragraph))
    return "\n\n".join(out) + "\n"


def need_module():
    if not UNBOUND.exists() or not MODULE.exists():
        pytest.skip("plugin/unbound/build.sh has not made the module")


class Unbound(Server):
    """
    A running unbound in `folder`. zone: with the module, on that folder; None: without. dns: the port of a holdfast-dns
    beside it. upstream: a port of 127.0.0.1 that all other names are forwarded to; None: nobody is there. more: further lines; lines: instead of those of the
    template. modules: another order than the template's. forward: with the template's forward-zones.
    """

    def __init__(self, folder, zone, dns=9, upstream=None, threads=1, more="", lines=None, module=MODULE, program=UNBOUND,
                 suffixes=("coder",), modules=None, forward=True, env=None, wait=True, wrap=(), start_s=30):
        need_module()
        folder = pathlib.Path(folder)
        port = free_port()
        self.control_path = folder / f"control-{port}"
        self.config = folder / f"unbound-{port}.conf"
        if lines is None:
            lines = setup_lines(module, zone, f"{LOOPBACK}@{dns}", suffixes) if zone else 'server:\n  do-not-query-localhost: no\n'
        if not forward:
            lines = re.sub(r"^forward-zone:\n(\t.*\n?)+", "", lines, flags=re.MULTILINE)
        if modules:
            lines = lines.replace("dynlib validator iterator", modules)
        self.program = program
        self.config.write_text(f"""
server:
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  log-time-ascii: yes
  interface: {LOOPBACK}@{port}
  port: {port}
  num-threads: {threads}
  so-reuseport: yes
  target-fetch-policy: "0 0 0 0 0"
{more}
remote-control:
  control-enable: yes
  control-interface: {self.control_path}
  control-use-cert: no
forward-zone:
  name: "."
  forward-addr: {LOOPBACK}@{upstream or 9}
{lines}""")
        env = {**({"HOLDFAST_ZONE": str(zone)} if zone else {}), **(env or {})}
        super().__init__(folder, [*wrap, program, "-d", "-c", self.config], port, env=env)
        if wait:
            try:
                wait_for(self.is_up, start_s)
            except BaseException:
                self.process.kill()
                raise

    def is_up(self):
        assert self.alive(), self.log()
        return self.raw(question("version.bind", "TXT", rdclass="CH").to_wire(), timeout=0.3)

    def control(self, *words):
        done = subprocess.run([UNBOUND.parent / "unbound-control", "-c", self.config, *words], capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def wait_log(self, text, seconds=10):
        """Until the log has it. The module looks for what there is to tell when it is asked, once a second."""
        wait_for(lambda: self.ask(f"x{random.getrandbits(40)}.coder", timeout=10) and text in self.log(), seconds, every=0.1)

    def __exit__(self, *what):
        super().__exit__(*what)
        log = self.log()
        assert "Sanitizer" not in log and "runtime error" not in log and "assertion fail" not in log, log

    def counters(self, suffix="coder"):
        answer = self.ask(f"_holdfast-counters.{suffix}", "TXT").answer
        return dict(s.decode().split("=", 1) for s in answer[0][0].strings) if answer else None


