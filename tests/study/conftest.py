"""A drawn study that the tests of this room read."""

from __future__ import annotations

from pathlib import Path

import pytest

from drawn_study import write_study


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a whole study: three nets, four policies, five seeds."""
    return write_study(tmp_path_factory.mktemp("studies") / "whole", pictures=4000)
