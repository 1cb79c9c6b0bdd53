"""The catalogue against published counts."""

from __future__ import annotations

import time

import pytest

from opsin import nets
from opsin.nets._catalogue import KNOWN, row

# Parameters from the papers' and libraries' tables; multiply-adds (millions) as torchvision states.
PUBLISHED = {
    "alexnet": (61_100_840, 714),
    "vgg16": (138_357_544, 15_470),
    "resnet50": (25_557_032, 4_089),
    "mobilenetv2_100": (3_504_872, 301),
    "googlenet": (6_624_904, 1_498),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_counts_are_the_published_ones(name: str) -> None:
    found = row(name)
    parameters, millions = PUBLISHED[name]
    assert found["parameters"] == parameters
    assert round(found["madds"] / 1e6) == millions


def test_every_known_net_has_a_row() -> None:
    began = time.process_time()
    rows = nets.catalogue()
    assert [found["name"] for found in rows] == list(KNOWN)
    assert all(found["parameters"] > 0 and found["madds"] > 0 for found in rows)
    assert time.process_time() - began < 8


def test_best_offline_is_a_packaged_net() -> None:
    assert nets.has_weights(nets.best_offline())
