"""Each detector learns eight drawn pictures by heart, from nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from opsin import nets, tasks
from opsin.data.sample import Sample
from opsin.data.samples import scattered
from opsin.nets import detectors
from opsin.results import Boxes

pytestmark = pytest.mark.learns

LINE = ", ".join(f"conv 3x3x{c} stride 2 pad 1, bn" for c in (16, 24, 32, 64)) + ", dense 10"
STEPS = {
    "yolo": 200,
    "yolo9000": 200,
    "ssd": 200,
    "faster_rcnn": 60,
    "rfcn": 150,
    "fast_rcnn": 80,
    "rcnn": 80,
}
NARROWEST = 12  # pixels: what selective search proposes at least


def test_every_detector_is_asked() -> None:
    assert sorted(STEPS) == detectors.names()


@pytest.mark.parametrize("kind", STEPS)
def test_eight_pictures_by_heart(kind: str) -> None:
    torch.manual_seed(0)
    net = nets.build(f"{kind} on {LINE}", outputs=2, size=(64, 64))
    assert isinstance(net, detectors.Detector)
    samples = scattered.read(60, seed=2).samples
    if net.proposals:
        samples = tuple(sample for sample in samples if _large(sample))
    truths = [sample.truth for sample in samples[:8] if sample.truth is not None]
    pixels = np.stack([np.asarray(sample.image) for sample in samples[:8]])
    images = torch.from_numpy(pixels).float() / 64 - 2
    task = tasks.find("detect").restore(scattered.KINDS, {"threshold": 0.5})
    targets = task.ready(net, pixels, task.encode(truths), 0)
    descent = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.02)
    rates = torch.optim.lr_scheduler.OneCycleLR(descent, 4e-3, STEPS[kind])
    for _ in range(STEPS[kind]):
        descent.zero_grad()
        torch.stack(list(net(images, targets).values())).sum().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        descent.step()
        rates.step()
    with torch.no_grad():
        assert task.score(net.eval()(images).numpy(), truths) > 0.95


def _large(sample: Sample) -> bool:
    """Say whether there are objects, all wide enough to be proposed."""
    boxes = sample.truth.boxes if isinstance(sample.truth, Boxes) else np.zeros((0, 4))
    return bool(len(boxes) and (boxes[:, 2:] - boxes[:, :2]).min() > NARROWEST)
