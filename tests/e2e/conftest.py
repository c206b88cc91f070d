# SPDX-License-Identifier: Apache-2.0
"""Helpers that all folders of tests share are in tests/lib."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "lib"))

# holdfastctl asks the machine's own resolver for names: not the one of whoever runs the tests.
os.environ["HOLDFAST_RESOLV_CONF"] = "/dev/null"
