"""Blueprints kept in the user's cache: read the second time, and only where they still hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import timm
from torch import nn

from opsin import nets
from opsin.nets import _kept, _named, _sketch
from opsin.nets._record import record


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a cache folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "opsin" / "blueprints"


ASKED = ("resnet18", (19, 19), 3)  # smaller than its blueprint in the package holds for
DRAWN = record(nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU()), 3, (32, 32), "two layers")


def test_a_net_is_recorded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = nets.described(ASKED[0], size=ASKED[1])
    monkeypatch.setattr(_named, "_recorded", None)  # whoever asks for it now breaks
    assert nets.described(ASKED[0], size=ASKED[1]) == first


def test_what_is_kept_is_what_was_recorded() -> None:
    assert _kept.read(*ASKED) is None
    _kept.keep(DRAWN, *ASKED)
    assert _kept.read(*ASKED) == DRAWN
    assert _kept.read("resnet18", (18, 18), 3) is None and _kept.read("resnet18", None, 3) is None


def test_other_versions_and_other_files_of_ours_are_recorded_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _kept.keep(DRAWN, *ASKED)
    with monkeypatch.context() as changed:
        changed.setattr(_kept, "installed", lambda library: "0.9.1")
        assert _kept.read(*ASKED) is None
    (tmp_path / "_kept.py").touch()
    monkeypatch.setattr(_kept, "__file__", str(tmp_path / "_kept.py"))
    assert _kept.read(*ASKED) is None


@pytest.mark.parametrize("damaged", ["", "{", "[]", "{}", '{"layers": 3}', '"text"'])
def test_a_damaged_file_holds_nothing(damaged: str) -> None:
    _kept.keep(DRAWN, *ASKED)
    _kept.file(*ASKED).write_text(damaged)
    assert _kept.read(*ASKED) is None


def test_a_cache_that_cannot_be_written_is_done_without(cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    _kept.keep(DRAWN, *ASKED)
    assert _kept.read(*ASKED) is None


def test_a_net_that_a_user_registered_is_not_kept(cache: Path) -> None:
    """Its next version would have the same name."""

    def of_a_user(pretrained: bool = False, num_classes: int = 2, **_: object) -> nn.Module:
        layers = nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        return nn.Sequential(*layers, nn.Linear(4, num_classes))

    timm.models.register_model(of_a_user)
    assert not _sketch.from_libraries("of_a_user") and _sketch.from_libraries("resnet18")
    assert nets.described("of_a_user", size=(32, 32)).parameters > 0
    assert not cache.exists()
    assert json.loads(DRAWN.line())["name"] == "two layers"
