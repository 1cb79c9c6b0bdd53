"""The table of nets against published counts, the lecture, and the nets themselves."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from opsin import nets
from opsin.errors import SizeError
from opsin.nets import _store
from opsin.nets._catalogue import row
from opsin.nets._describe import Description, describe
from opsin.nets._lineage import ORIGINS

# Parameters from the papers' and libraries' tables; multiply-adds (millions) as torchvision states.
PUBLISHED = {
    "alexnet": (61_100_840, 714),
    "vgg16": (138_357_544, 15_470),
    "vgg19": (143_667_240, 19_632),
    "resnet18": (11_689_512, 1_814),
    "resnet34": (21_797_672, 3_664),
    "resnet50": (25_557_032, 4_089),
    "resnet101": (44_549_160, 7_801),
    "resnet152": (60_192_808, 11_514),
    "densenet121": (7_978_856, 2_834),
    "squeezenet1_1": (1_235_496, 263),
    "mobilenetv2_100": (3_504_872, 301),
    "mobilenetv3_large_100": (5_483_032, 217),
    "shufflenet_v2_x1_0": (2_278_604, 145),
    "googlenet": (6_624_904, 1_498),
    "resnext50_32x4d": (25_028_904, 4_230),
    "efficientnet_b0": (5_288_548, 386),
    "convnext_tiny": (28_589_128, 4_456),
}
# What the project's page of facts says of the lecture's table, word for word.
FACTS = """
| LeNet-5 | 1998 | | ~60 k | 61,706 with full C3 connections |
| AlexNet | 2012 | 8 | ~60 M | 60,965,224 with two towers (groups), 61,100,840 in torchvision |
| VGG-16 / 19 | 2014 | 16 / 19 | ~138 M | 138,357,544 |
| GoogLeNet (Inception v1) | 2014 | 22 | ~6.6 M | |
| Inception v2, v3 | 2015 | 47 (v3) | ~23 M (v3) | |
| Inception v4 | 2016 | | 55 M | about 42.7 M; 55.8 M is Inception-ResNet-v2 |
| ResNet-34, 50, 101, 152 | 2015 | 34 … 152 | 25.6 M (50) | |
| Xception | 2016 | 81 | 22.9 M | 79.0 % top-1, 94.5 % top-5 |
| EfficientNet | 2019 | | 5.3 M – 66 M | B0 – B7 |
"""


@pytest.mark.parametrize("name", PUBLISHED)
def test_counts_are_the_published_ones(name: str) -> None:
    found = row(name)
    parameters, millions = PUBLISHED[name]
    assert found["parameters"] == parameters
    assert round(found["madds"] / 1e6) == millions


def test_every_known_net_has_a_row_with_its_history() -> None:
    rows = nets.catalogue()
    assert [found["name"] for found in rows] == list(ORIGINS)
    assert set(_store.lines()) == set(ORIGINS)
    for found in rows:
        assert found["parameters"] > 0 and found["madds"] > 0 and found["depth"] > 1, found["name"]
        assert found["paper"]["title"] and 1980 <= found["year"] <= 2022
    years = [found["year"] for found in rows]
    assert years == sorted(years)


def test_parents_are_older_nets_of_the_table() -> None:
    seen: set[str] = set()
    for name, origin in ORIGINS.items():
        assert set(origin.parents) <= seen, name
        seen.add(name)
    assert [name for name, origin in ORIGINS.items() if not origin.parents] == ["neocognitron"]


def test_where_the_lecture_is_wrong_the_table_says_so() -> None:
    for name, true in {
        "lenet5": "61,706",
        "alexnet_two_towers": "60,965,224",
        "alexnet": "61,100,840",
    }.items():
        assert true in FACTS and f"has {true}" in row(name)["remark"]
    assert row("vgg16")["parameters"] == 138_357_544 and not row("vgg16")["remark"]
    fourth = row("inception_v4")
    assert round(fourth["parameters"] / 1e6, 1) == 42.7
    assert "lecture says 55 M" in fourth["remark"] and "55.8 M is Inception" in fourth["remark"]
    xception = row("legacy_xception")
    assert "81" in xception["remark"] and "94.5" in xception["remark"]
    for name, millions in {"resnet50": 25.6, "googlenet": 6.6, "legacy_xception": 22.9}.items():
        assert round(row(name)["parameters"] / 1e6, 1) == millions
        assert "lecture says" not in row(name)["remark"]
    smallest, largest = (row(f"efficientnet_b{i}")["parameters"] / 1e6 for i in (0, 7))
    assert (round(smallest, 1), round(largest)) == (5.3, 66)


def test_layers_are_counted_as_the_papers_count_them() -> None:
    """Where they differ, and why, is said in the remark."""
    differ = {name for name, o in ORIGINS.items() if o.layers and row(name)["depth"] != o.layers}
    assert differ == {"lenet5", "inception_v3", "legacy_xception", "shufflenet_v2_x1_0"}
    assert re.search(r"47 \(v3\)", FACTS) and row("inception_v3")["depth"] == 47 + 1


def test_the_table_needs_no_torch() -> None:
    code = """
import sys
from opsin import nets
nets.catalogue()
nets.described("efficientnet_b7", size=(600, 600), classes=9)
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_best_offline_is_a_packaged_net() -> None:
    assert nets.has_weights(nets.best_offline())


@pytest.mark.contracts
@pytest.mark.parametrize("name", ORIGINS)
def test_what_lies_in_the_package_is_what_the_net_itself_gives(name: str) -> None:
    """Recounts from the net, at its own size and at another, with the libraries installed here.

    `python -m opsin.nets._store` draws the blueprints anew.
    """
    from opsin.nets._sketch import native, sketch

    known = _store.stored(name)
    assert known is not None
    channels, size, outputs = native(name)
    stored = known.blueprint
    assert (stored.channels, stored.size) == (channels, size)
    odd = (size[0] + 33, size[1] + 8)
    for asked in (size, stored.least, *([odd] if len(stored.layers) < 300 else [])):
        drawn = told(lambda: describe(sketch(name, asked, channels=channels, outputs=outputs)))  # noqa: B023
        assert told(lambda: describe(stored, asked)) == drawn, asked  # noqa: B023
    assert told(lambda: describe(stored, size)) is not None


def told(ask: Callable[[], Description]) -> tuple[object, ...] | None:
    """Return what is said of a net, None where it refuses pictures of this size."""
    try:
        found = ask()
    except SizeError:
        return None
    return found.parameters, found.madds, found.rows[-1].shape, found.field


@pytest.mark.contracts
def test_published_weights_are_where_the_package_says() -> None:
    from opsin.nets import _remote

    for name in ORIGINS:
        known, published = _store.stored(name), _remote.known(name)
        assert known is not None
        told = known.published.get("label")
        assert told == (published.label if published else None), name
    assert set(json.loads(_store.FILE.read_text().partition("\n")[0])) == {
        "torch",
        "torchvision",
        "timm",
    }
