"""Peak memory of predicting over many images: flat, or not.

    python benchmarks/memory.py CLOTHING [IMAGES]

Trains a probe, then predicts over the photos again and again, and prints the resident memory after
each tenth of the way.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import tempfile
from pathlib import Path

import opsin
from opsin.data.loader import expand


def resident_mb() -> float:
    """Return the memory this process holds now, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Measure and print one object of JSON."""
    data, images = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    with tempfile.TemporaryDirectory() as folder:
        opsin.train(data, opsin.Recipe(policy="probe"), out=f"{folder}/run")
        model = opsin.Model.load(f"{folder}/run")
    files = itertools.islice(itertools.cycle(list(expand(data))), images)
    held = []
    for count, _ in enumerate(model.stream((str(file), file) for file in files), start=1):
        if count % (images // 10) == 0:
            held.append(round(resident_mb(), 1))
    told = {
        "images": count,
        "resident_mb": held,
        "growth_after_first_tenth_mb": held[-1] - held[0],
        "must": "flat",
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
