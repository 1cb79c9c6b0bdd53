"""The blueprints of all nets in the package against the nets themselves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest

from opsin.errors import SizeError
from opsin.nets import _zoo
from opsin.nets._describe import describe


def test_describing_a_net_of_the_zoo_needs_no_torch() -> None:
    code = """
import sys
from opsin import nets
assert nets.described("regnety_008", size=(160, 192), channels=1, classes=9).rows[-1].shape == (9,)
assert nets.described("vit_base_patch16_224").parameters == 86_567_656
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_counts_are_the_published_ones() -> None:
    """Of the papers, and of torchvision's page of nets (parameters, and multiply-adds in G)."""
    for name, millions, billions in (
        ("vit_base_patch16_224", 86.6, 17.58),
        ("regnet_y_1_6gf", 11.2, 1.61),
        ("regnet_x_3_2gf", 15.3, 3.18),
        ("mnasnet1_3", 6.3, 0.53),
        ("wide_resnet50_2", 68.9, 11.4),
    ):
        drawn = _zoo.find(name)
        assert drawn is not None
        found = describe(drawn)
        assert round(found.parameters / 1e6, 1) == millions, name
        assert found.madds / 1e9 == pytest.approx(billions, rel=0.05), name


def test_where_a_blueprint_holds_is_said() -> None:
    every = _zoo.find("regnety_008")
    assert every is not None and every == _zoo.find("regnety_008", (97, 300), 1)
    assert _zoo.find("regnety_008", (5, 5)) is None  # smaller than any that was tried
    with pytest.raises(SizeError, match=r"256×256.*expected a size this net takes, as 224×224"):
        _zoo.find("vit_base_patch16_224", (256, 256))
    usual, larger = _zoo.find("shvit_s2"), _zoo.find("shvit_s2", (384, 384))
    assert usual is not None and larger is not None and usual.layers != larger.layers
    assert _zoo.find("shvit_s2", (225, 224)) is None
    assert _zoo.find("tresnet_m") is not None  # sorts pixels of three channels into 48
    assert _zoo.find("tresnet_m", channels=1) is None


def test_tags_stand_for_their_net_or_for_their_own() -> None:
    same = _zoo.find("regnety_008.pycls_in1k")
    assert same is not None and same.name == "regnety_008.pycls_in1k"
    own = _zoo.find("convnext_tiny.fb_in22k")
    assert own is not None and describe(own).rows[-1].shape == (21_841,)
    assert _zoo.find("regnety_008.no_such_tag") is None and _zoo.find("no_such_net") is None


def test_with_another_version_of_the_library_nothing_is_claimed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_zoo, "version", lambda library: "0.9.1+cpu")
    assert _zoo.find("regnety_008") is None and _zoo.find("regnet_y_1_6gf") is None


@pytest.mark.contracts
def test_every_net_lies_in_the_package_or_it_is_said_why_not() -> None:
    from opsin.nets._draw_zoo import names

    found = _zoo.index()
    assert found.versions == {
        library: version(library).partition("+")[0] for library in ("timm", "torchvision")
    }, "draw it anew: python -m opsin.nets._draw_zoo WORK"
    assert set(names()) == {*found.pieces, *found.refused}
    assert len(found.refused) < 0.01 * len(found.pieces)


@pytest.mark.contracts
def test_a_sample_recounted_from_the_nets_is_what_lies_in_the_package() -> None:
    """The first by the checksums of their names."""
    from opsin.nets._draw_zoo import draw, names

    for name in names()[:8]:
        assert [head.before(text) for head, text in _zoo.lines(name)] == draw(name), name


@pytest.mark.contracts
@pytest.mark.parametrize("size", [(224, 224), (192, 320), (331, 331), (256, 256), (48, 48)])
def test_what_is_read_is_what_would_be_recorded(size: tuple[int, int]) -> None:
    """At sizes that were not tried when the blueprints were drawn, too, and of other nets."""
    from opsin.nets._draw_zoo import names
    from opsin.nets._sketch import native, sketch

    def live(name: str) -> object:
        channels, _, outputs = native(name)
        return told(lambda: describe(sketch(name, size, channels=channels, outputs=outputs)))

    def read(name: str) -> object:
        drawn = _zoo.find(name, size)
        return describe(drawn, size) if drawn else None

    found = {name: told(lambda: read(name)) for name in names()[-8:]}  # noqa: B023
    found = {name: each for name, each in found.items() if each is not None}
    assert found == {name: live(name) for name in found}
    assert len(found) >= 5


def told(ask: Callable[[], Any]) -> object:
    """Return all that is said of a net; where it refuses pictures of this size, that alone."""
    try:
        found = ask()
    except SizeError:
        return "refused"
    return found and found.to_dict()
