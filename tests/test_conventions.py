"""CONVENTIONS.md and the tutorials say what the code does."""

import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["CONVENTIONS.md", "docs/tutorial.md"])
def test_page_runs(name: str) -> None:
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    text = ROOT / name
    failed, tried = doctest.testfile(str(text), module_relative=False, optionflags=options)
    assert tried > 0
    assert failed == 0
