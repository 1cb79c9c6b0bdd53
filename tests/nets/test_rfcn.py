"""R-FCN: parts vote on a drawn map."""

from __future__ import annotations

import pytest
import torch
from boxed import LINE

from opsin import nets
from opsin.nets.detectors import rfcn


def test_the_class_whose_parts_are_in_their_places_wins() -> None:
    torch.manual_seed(0)
    net = nets.build(f"rfcn on {LINE}", outputs=2, size=(96, 96)).eval()
    assert isinstance(net, rfcn.Rfcn)
    stride = net.backbone.strides[0]
    maps = torch.zeros(1, 3 * 9, 12, 12)  # two classes, background, nine parts each
    for part in range(9):  # of an object of 6 x 6 places from 3, 3 on: each part is 2 x 2 places
        row, column = 3 + part // 3 * 2, 3 + part % 3 * 2
        maps[0, part, row : row + 2, column : column + 2] = (
            1  # class 0 sees its parts where they are
        )
        turned = 8 - part
        maps[0, 9 + turned, row : row + 2, column : column + 2] = 1  # class 1 sees it upside down
    net.classes, net.boxes = torch.nn.Identity(), torch.nn.Conv2d(27, 36, 1)
    object_ = torch.tensor([[3.0, 3, 9, 9]]) * stride
    beside = torch.tensor([[5.0, 3, 11, 9]]) * stride  # a third to the right
    logits, codes = net.judge(torch.zeros(1), [maps], [torch.cat([object_, beside])])
    # By equation 1 each cell is averaged over its own map only. Bilinear samples at the quarters
    # of 2 x 2 places lie a quarter of a place from their middles: within the part everything is 1,
    # beyond it 0, so that a sample by the edge weighs 3/4 along each axis.
    assert logits[0, 0].item() == pytest.approx(1.0)
    assert logits[0, 1].item() == pytest.approx(1 / 9)  # only the middle is where it should be
    assert logits[0, 2].item() == 0
    assert logits[1, 0].item() < 0.2
    assert codes.shape == (2, 4)
