"""Describing nets: the whole process of ``opsin nets NAME``, over nets drawn from all there are.

    python benchmarks/nets.py [HOW_MANY]

The sample is the first by the checksums of their names. What lies in the package is asked for at a
net's own size and at another with other classes; what does not is recorded at an odd size, with an
empty cache and then with a full one.
"""

from __future__ import annotations

import sys
import tempfile
from hashlib import sha256
from typing import Any

import harness

from opsin.errors import SizeError
from opsin.nets import _zoo
from opsin.nets._describe import describe
from opsin.nets._sketch import sketch

USUAL, ODD = (320, 320), (352, 416)


def stored(name: str) -> bool:
    """Say whether the package describes a net for ``USUAL`` pictures and other classes."""
    try:
        found = _zoo.find(name, USUAL)
        return bool(found and found.head is not None and describe(found, USUAL))
    except SizeError:
        return False


def unknown(name: str) -> bool:
    """Say whether a net takes ``ODD`` pictures and the package holds nothing for them."""
    try:
        return _zoo.find(name, ODD) is None and bool(sketch(name, ODD))
    except SizeError:
        return False


def seconds(names: list[str], *more: str, cache: str) -> dict[str, Any]:
    """Return the seconds of describing each net."""
    command = [sys.executable, "-m", "opsin", "nets"]
    env = {"XDG_CACHE_HOME": cache}
    return harness.spread([harness.run([*command, n, *more], env=env).seconds for n in names])


def main() -> None:
    """Measure and write benchmarks/results/nets.json."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    ranked = sorted(_zoo.index().pieces, key=lambda name: sha256(name.encode()).hexdigest())
    sample = ranked[:many]
    usual = [name for name in sample if stored(name)]
    odd = [name for name in sample if unknown(name)]
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
