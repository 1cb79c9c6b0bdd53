"""Each detector that needs nothing given learns eight drawn pictures by heart, from nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from opsin import nets
from opsin.data.samples import scattered
from opsin.metrics import average_precision, detections
from opsin.nets.detectors._detector import Detector
from opsin.results import Boxes
from opsin.tasks import _candidates, _targets

pytestmark = pytest.mark.learns

LINE = ", ".join(f"conv 3x3x{c} stride 2 pad 1, bn" for c in (16, 24, 32, 64)) + ", dense 10"
KINDS = {"disc": 0, "square": 1}


STEPS = {"yolo": 200, "ssd": 200, "yolo9000": 200, "faster_rcnn": 60, "rfcn": 150}


@pytest.mark.parametrize("kind", STEPS)
def test_eight_pictures_by_heart(kind: str) -> None:
    samples = scattered.read(8, seed=2).samples
    truths = [sample.truth for sample in samples if isinstance(sample.truth, Boxes)]
    images = torch.stack([torch.from_numpy(np.asarray(s.image)).float() / 64 - 2 for s in samples])
    targets = _targets.encoded(truths, KINDS)
    torch.manual_seed(0)
    net = nets.build(f"{kind} on {LINE}", outputs=2, size=(64, 64))
    assert isinstance(net, Detector)
    net.ready(targets, 0)
    descent = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.02)
    steps = torch.optim.lr_scheduler.OneCycleLR(descent, 4e-3, STEPS[kind])
    for _ in range(STEPS[kind]):
        descent.zero_grad()
        torch.stack(list(net(images, targets).values())).sum().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        descent.step()
        steps.step()
    with torch.no_grad():
        found = _candidates.boxes(net.eval()(images).numpy(), list(KINDS))
    assert _ap50(found, truths) > 0.95


def _ap50(found: list[Boxes], truths: list[Boxes]) -> float:
    """Return the average precision at an IoU of 0.5, over both classes."""

    def columns(of: list[Boxes]) -> tuple[list[int], list[int], np.ndarray]:
        image = [n for n, boxes in enumerate(of) for _ in boxes.names]
        label = [KINDS[name] for boxes in of for name in boxes.names]
        return image, label, np.concatenate([boxes.boxes for boxes in of])

    said = detections.said(*columns(found), np.concatenate([boxes.scores for boxes in found]))
    return average_precision.coco(said, detections.truths(*columns(truths)), len(truths), 2)["AP50"]
