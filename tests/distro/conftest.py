# SPDX-License-Identifier: Apache-2.0
"""Helpers that all folders of tests share are in tests/lib."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "lib"))
