"""``opsin augment``: a sheet of a picture or of a data set, and what goes wrong on the way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from opsin import cli, verbs
from opsin.data.samples import shapes
from opsin.errors import DataError, InputError, RecipeError


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Give a picture file."""
    path = tmp_path / "photo.png"
    Image.fromarray(
        np.arange(120 * 90 * 3, dtype=np.uint32).reshape(90, 120, 3).astype(np.uint8)
    ).save(path)
    return path


def test_a_photo_fills_the_sheet(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = photo.with_name("sheet.png")
    words = ["augment", str(photo), "--policy", "rotation-elastic", "--out", str(out)]
    assert cli.run(words) == 0
    said = capsys.readouterr().out
    assert "rotation-elastic: rotate 15, elastic 24 4" in said and str(out) in said
    with Image.open(out) as opened:
        assert opened.size == (8 * 124 + 4, 8 * 94 + 4)
    first = out.read_bytes()
    assert cli.run([*words, "--seed", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["line"] == "rotate 15, elastic 24 4"
    assert out.read_bytes() != first


def test_a_data_set_shows_a_row_of_each_class_first(tmp_path: Path) -> None:
    done = verbs.augment(shapes.read(40), policy="digits, copies 2", out=tmp_path / "a.png")
    assert done.pictures == 8
    assert done.line.endswith("copies 2")
    assert "a row each" in done.lines()[1]


def test_auto_is_chosen_from_the_pictures(tmp_path: Path) -> None:
    digits = verbs.augment("samples:digits", out=tmp_path / "a.png")
    assert digits.policy == "auto" and "flip" not in digits.line
    assert "flip" in verbs.augment("samples:discs", out=tmp_path / "b.png").line


def test_what_is_wrong_is_said_before_anything_is_written(photo: Path) -> None:
    out = photo.with_name("sheet.png")
    with pytest.raises(RecipeError, match="at character 11"):
        verbs.augment(photo, policy="rotate 5, flipp", out=out)
    with pytest.raises(InputError, match="no out"):
        verbs.augment(photo)
    with pytest.raises(InputError, match="the picture itself"):
        verbs.augment(photo, policy="flip", out=photo)
    with pytest.raises(InputError, match="ending in"):
        verbs.augment(photo, policy="flip", out=photo.with_name("sheet.txt"))
    with pytest.raises(DataError):
        verbs.augment(photo.with_name("none.png"), policy="flip", out=out)
    assert not out.exists()
