"""The page of a study in a real browser: it fits a phone, asks for nothing, nothing goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_browser import BROWSER, look
from test_study_page import write_whole

from opsin.study import page

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")


@pytest.mark.parametrize("wide", [390, 1280])
def test_page_fits_and_asks_for_nothing(wide: int, tmp_path: Path) -> None:
    text = page.write(write_whole(tmp_path / "s")).read_text("utf-8")
    told, console = look(text, wide, tmp_path)
    assert told == {"wide": wide, "frame": wide, "beyond": [], "broken": 0, "asked": []}
    assert console == []
