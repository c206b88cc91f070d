# SPDX-License-Identifier: Apache-2.0
"""A published zone for tests: made, changed and kept alive by tests/tools/mkzone."""
import os
import pathlib
import subprocess

BUILD = pathlib.Path(os.environ.get("HF_BUILD", pathlib.Path(__file__).parents[2] / "build")).resolve()
PREFIX = "fd60:627a:a42b"


def program(name):
    """The path of a program that the build made, such as "plugin/holdfast-dns"."""
    path = BUILD / name
    assert path.exists(), f"{path} is not built; HF_BUILD names the build folder"
    return path


def address(n):
    """Address number n of the /48, as mkzone's #n has it."""
    return f"{PREFIX}::{n >> 16:x}:{n & 0xffff:x}" if n >> 16 else f"{PREFIX}::{n:x}"


class Zone:
    """
    One mkzone on a folder. Lines as tests/tools/mkzone.c describes them; do() sends them and fails if one is refused.
    While it is open and live, pulses go on; close() ends it and leaves the folder as it is.
    """

    def __init__(self, folder, *lines):
        self.folder = pathlib.Path(folder)
        self.generation = 0
        self.process = None
        self.open()
        self.publish(*lines)

    def open(self):
        self.process = subprocess.Popen([program("tests/tools/mkzone"), self.folder], text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def do(self, *lines):
        answer = ""
        for line in lines:
            self.process.stdin.write(line + "\n")
            answer = self.process.stdout.readline().strip()
            assert answer.startswith("ok"), f"{line!r}: {answer!r}"
        return answer

    def publish(self, *lines):
        """The lines, and all of it made visible. Returns the generation."""
        self.generation = int(self.do(*lines, "publish").split()[1])
        return self.generation

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(20)
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()
