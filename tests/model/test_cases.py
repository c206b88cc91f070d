# SPDX-License-Identifier: Apache-2.0
"""
Lives that were cut down to what they show: each line on the bridge and on the model, as in test_model.py.
"""
import pathlib

import pytest

from play import play

HERE = pathlib.Path(__file__).parent / "cases"
CASES = sorted(HERE.glob("*.txt"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_bridge_does_what_the_model_says(path):
    assert not play(path.read_text().splitlines())
