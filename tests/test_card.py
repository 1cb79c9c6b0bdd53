"""The card of a model: well formed, safe, and true to the digit."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from opsin.card import card

FULL = {
    "task": "classify",
    "net": "lenet5",
    "classes": ("a", "<script>", '"q"', "d", "e", "f", "g", "\udcff"),
    "metrics": {
        "macro_f1": {"value": 0.8, "low": 0.7, "high": 0.9, "n": 10},
        "accuracy": {"value": 0.88654, "low": 0.852, "high": 0.916, "n": 372},
    },
    "better": "accuracy",
    "size": (224, 192),
    "created": "2026-11-21",
    "bytes": 13_704_192,
}


def test_card_shows_the_metric_that_counts_as_the_metric_prints_itself() -> None:
    told = " ".join("".join(ElementTree.fromstring(card(FULL)).itertext()).split())
    assert "0.887 accuracy (0.852–0.916, n=372)" in told
    assert "224 × 192" in told and "13.7 MB" in told and "and 2 more" in told


def test_card_is_safe_and_encodes() -> None:
    assert "<script>" not in card(FULL)
    card({**FULL, "net": "\udcff"}).encode("utf-8")


def test_card_leaves_out_what_it_does_not_know() -> None:
    bare = card({})
    ElementTree.fromstring(bare)
    assert "None" not in bare and "classes" not in bare
