"""Describing nets: the whole process of ``opsin nets NAME``, over nets drawn from all there are.

    python benchmarks/nets.py [HOW_MANY]

The sample is the first by the checksums of their names. What lies in the package is asked for at a
net's own size and at another with other classes; what does not is recorded at an odd size, with an
empty cache and then with a full one.
"""

from __future__ import annotations

import os
import sys
import tempfile
from hashlib import sha256
from typing import Any

import harness

from opsin.errors import SizeError
from opsin.nets import _zoo
from opsin.nets._blueprint import Blueprint

USUAL, ODD = (320, 320), (331, 347)


def drawn(name: str, size: tuple[int, int]) -> Blueprint | str | None:
    """Return what lies in the package of a net for pictures of ``size``, or "refused"."""
    try:
        return _zoo.find(name, size)
    except SizeError:
        return "refused"


def headed(found: Blueprint | str | None) -> bool:
    """Say whether a blueprint ends in a dense layer, so that it can have other classes."""
    return isinstance(found, Blueprint) and found.head is not None


def seconds(names: list[str], *more: str, cache: str) -> dict[str, Any]:
    """Return the seconds and the peak memory of describing each net."""
    command = [sys.executable, "-m", "opsin", "nets"]
    env = os.environ | {"XDG_CACHE_HOME": cache}
    runs = [harness.run([*command, name, *more], env=env) for name in names]
    return {
        "seconds": harness.spread([run.seconds for run in runs]),
        "peak_mb": harness.spread([run.peak_mb for run in runs]),
    }


def main() -> None:
    """Measure and write benchmarks/results/nets.json."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    ranked = sorted(_zoo.index().pieces, key=lambda name: sha256(name.encode()).hexdigest())
    sample = ranked[:many]
    usual = [name for name in sample if headed(drawn(name, USUAL))]
    odd = [name for name in sample if drawn(name, ODD) is None]
    sides = {size: "x".join(map(str, size)) for size in (USUAL, ODD)}
    with tempfile.TemporaryDirectory() as cache:
        results = {
            "own size": seconds(sample, cache=cache),
            f"{sides[USUAL]}, 9 classes": seconds(
                usual, "--input", sides[USUAL], "--classes", "9", cache=cache
            ),
            f"{sides[ODD]}, recorded": seconds(odd, "--input", sides[ODD], cache=cache),
            f"{sides[ODD]}, again": seconds(odd, "--input", sides[ODD], cache=cache),
        }
    file = {"nets": len(_zoo.index().pieces), "megabytes": _zoo.FILE.stat().st_size / 1e6}
    harness.report("nets", results | {"file": file})


if __name__ == "__main__":
    main()
