"""Features of photos from JPEG files: ours, eager torch, and the two limits, in one process.

    python benchmarks/forward.py CLOTHING

Four rates in images/s, medians of several passes taken in turn over the same photos: decoding
alone, the runtime alone (pixels in memory), ours from files (decode and run overlapped by the
threads there are), and eager torch in float32 from files with torchvision's own transforms. The
most that decoding and the runtime allow on shared cores is 1 / (1/decode + 1/run).
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from opsin import nets, runtimes
from opsin.data.decode import centre, prepare
from opsin.data.loader import expand, prepared
from opsin.nets.weights import resolve

NET, PHOTOS, PASSES = "tf_efficientnet_lite0", 1024, 3


def rate(work: Callable[[], object]) -> float:
    """Return photos a second of one pass."""
    began = time.monotonic()
    work()
    return PHOTOS / (time.monotonic() - began)


def main() -> None:
    """Measure and print one object of JSON."""
    files = list(expand(Path(sys.argv[1]) / "train"))[:PHOTOS]
    assert len(files) == PHOTOS
    weights = resolve(NET)
    assert weights is not None
    pre = weights.preprocessing
    net = nets.build(NET, outputs=1000, size=pre.size).eval()
    weights.load(net)
    pooled = nets.headless(net).eval()

    def decode_all() -> list[np.ndarray]:
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda file: prepare(file, pre), files))

    pixels = np.ascontiguousarray(centre(np.stack(decode_all()), pre))
    runtime = runtimes.fastest(pooled, pre, examples=pixels[:8])
    named = [(str(file), file) for file in files]

    def ours() -> None:
        blocks = (
            np.ascontiguousarray(centre(np.stack(arrays), pre))
            for _, arrays, _ in prepared(named, pre, 64)
        )
        for _ in runtime.stream(blocks):
            pass

    def eager() -> None:
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (pre.mean, pre.std))
        with torch.inference_mode():
            for start in range(0, PHOTOS, 64):
                with ThreadPoolExecutor(2) as pool:
                    raw = list(pool.map(lambda f: prepare(f, pre), files[start : start + 64]))
                x = torch.from_numpy(np.ascontiguousarray(centre(np.stack(raw), pre))).float()
                pooled((x / 255 - mean) / std)

    rates: dict[str, list[float]] = {}
    for _ in range(PASSES):
        for name, work in (
            ("decode alone", decode_all),
            ("runtime alone", lambda: runtime.run(pixels)),
            ("opsin from files", ours),
            ("eager torch float32 from files", eager),
        ):
            rates.setdefault(name, []).append(rate(work))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    limit = 1 / (1 / medians["decode alone"] + 1 / medians["runtime alone"])
    told = {
        "net": NET,
        "runtime": runtime.name,
        "photos": PHOTOS,
        "n": PASSES,
        "images_per_second": medians,
        "times_eager": medians["opsin from files"] / medians["eager torch float32 from files"],
        "share_of_limit": medians["opsin from files"] / limit,
        "must": "times_eager >= 4, share_of_limit >= 0.6",
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
