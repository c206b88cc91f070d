# SPDX-License-Identifier: Apache-2.0
"""Helpers that all folders of tests share are in tests/lib."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "lib"))

# holdfastctl asks the machine's own resolver for names: not the one of whoever runs the tests.
os.environ["HOLDFAST_RESOLV_CONF"] = "/dev/null"


@pytest.fixture(autouse=True)
def patience(request, monkeypatch):
    """A test that is known to fail waits in vain: it need not wait for long."""
    if request.node.get_closest_marker("xfail"):
        monkeypatch.setattr("fed_stand.soon_s", 2)
