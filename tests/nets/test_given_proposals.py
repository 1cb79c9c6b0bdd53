"""R-CNN and Fast R-CNN: regions that come from outside of the net."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from boxed import LINE, targets

from opsin import nets, proposals
from opsin.nets.detectors import _given, _regions, rcnn
from opsin.nets.detectors._detector import Detector

DEEP = LINE.replace(", dense 10", ", conv 3x3x40 stride 2 pad 1, bn, dense 10")  # stride 16 is cut


def made(kind: str, line: str = LINE, **options: int) -> Detector:
    torch.manual_seed(0)
    net = nets.build(f"{kind} on {line}", outputs=2, size=(64, 64), **options)
    assert isinstance(net, Detector)
    return net


def square() -> torch.Tensor:
    """Return a picture (3, 64, 64) in a net's units with one square in it."""
    picture = torch.full((3, 64, 64), -1.5)
    picture[:, 20:40, 10:40] = torch.tensor([0.5, 1.0, 2.0])[:, None, None]
    return picture


@pytest.mark.parametrize("channels", [1, 3])
def test_regions_are_found_in_what_the_net_sees(channels: int) -> None:
    boxes = _given.found(square()[-channels:])
    assert [10.0, 20.0, 40.0, 40.0] in boxes.tolist()
    assert len(boxes) <= 300
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert float(boxes.min()) >= 0
    assert float(boxes.max()) <= 64
    plain = torch.full((channels, 64, 64), 3.0)  # nothing to see
    assert (_given.found(plain) >= 0).all()


def test_a_picture_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = []

    def propose(way: str, picture: np.ndarray, given: dict[str, int]) -> proposals.Proposals:
        assert given == {"side": 64}
        searched.append(picture[0, 0, 0])
        return proposals.Proposals(np.array([[1, 2, 3, 4]], np.float32), np.ones(1, np.float32))

    monkeypatch.setattr(_given.proposals, "propose", propose)
    _given._searched.cache_clear()
    dark = torch.linspace(0, 1, 3 * 16 * 16).reshape(3, 16, 16)
    pictures = torch.stack([dark, 1 - dark, dark.roll(5)])
    first = _given.regions(pictures[:2], None, 3)
    again = _given.regions(pictures[:2], None, 3)
    assert len(searched) == 2
    assert torch.stack(first).equal(torch.stack(again))
    assert first[0].tolist() == [[1, 2, 3, 4], [0, 0, 0, 0], [0, 0, 0, 0]]
    _given.regions(pictures, None, 3)
    assert len(searched) == 3
    forget = made("fast_rcnn").forget
    assert callable(forget)
    forget()
    _given.regions(pictures[:1], None, 3)
    assert len(searched) == 4
    _given._searched.cache_clear()  # the stand-in's answers are nobody else's


@pytest.mark.parametrize("kind", ["rcnn", "fast_rcnn"])
def test_every_layer_learns_on_a_net_of_several_maps(kind: str) -> None:
    net = made(kind, DEEP)
    rows = targets(
        [[10, 20, 40, 40, 1, 0], [12, 18, 40, 44, -2, 0], [40, 0, 64, 20, -2, 0]],
        [[0, 0, 64, 64, -2, 0], [5, 5, 20, 20, -2, 0]],
    )
    images = torch.stack([square(), torch.rand(3, 64, 64)])
    assert len(net.backbone.strides) == 2
    descent = torch.optim.AdamW(net.parameters(), 1e-3)
    moved = {name: 0.0 for name, _ in net.named_parameters()}
    for _ in range(4):
        descent.zero_grad()
        found = net(images, rows)
        assert isinstance(found, dict)
        assert set(found) == {"classes", "boxes"}
        torch.stack(list(found.values())).sum().backward()  # type: ignore[no-untyped-call]
        for name, parameter in net.named_parameters():
            assert parameter.grad is not None, name
            moved[name] += float(parameter.grad.abs().sum())
        descent.step()
    assert [name for name, much in moved.items() if not much > 0] == []


def test_a_map_is_the_sum_of_all_enlarged() -> None:
    merged = _regions.Merged([2, 2], 2).eval()
    for layer in merged.lateral:
        layer[0].weight.data.copy_(torch.eye(2)[..., None, None])
    merged.after = torch.nn.Sequential()
    fine, coarse = torch.rand(1, 2, 5, 7), torch.rand(1, 2, 3, 4)
    found = merged([fine, coarse])
    for row in range(5):
        for column in range(7):
            below = coarse[..., row * 3 // 5, column * 4 // 7]
            wanted = (fine[..., row, column] + below) / (1 + 1e-5) ** 0.5
            assert torch.allclose(found[..., row, column], wanted, atol=1e-6)


def test_what_r_cnn_sees_of_a_region() -> None:
    net = made("rcnn").eval()
    seen = []
    net.backbone.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    across = torch.arange(64.0).expand(3, 64, 64) + 0.5  # the middle of each pixel
    region = torch.tensor([[20.0, 8.0, 40.0, 48.0]])
    assert isinstance(net, rcnn.Rcnn)
    net.judge(across[None], [], [region])
    row = seen[0][0, 0, 32]
    width = 20 * (1 + 2 * rcnn.CONTEXT)  # of the picture, stretched over the pixels of a region
    wanted = 30 - width / 2 + (torch.arange(64) + 0.5) * width / 64
    assert torch.allclose(row, wanted, atol=1e-4)
    net.judge(across[None], [], [torch.tensor([[-60.0, 0.0, 4.0, 64.0]])])
    assert float(seen[1][0, 0, 32, :30].abs().max()) == 0  # beyond the picture is its mean, 0
    assert float(seen[1][0, 0, 32, 60].abs()) > 0
