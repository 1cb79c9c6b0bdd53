"""The pyramid keeps sizes, and each of its maps sees all that come in."""

from __future__ import annotations

import pytest
import torch

from opsin.nets.detectors._pyramid import Pyramid


@pytest.mark.parametrize("sides", [(40, 20, 10), (9, 4, 2), (7, 4, 2), (1,)])
def test_sizes_stay(sides: tuple[int, ...]) -> None:
    channels = [8, 12, 16][: len(sides)]
    maps = [torch.rand(2, c, side, side + 1) for c, side in zip(channels, sides, strict=True)]
    made = Pyramid(channels, 24)(maps)
    assert [m.shape for m in made] == [(2, 24, side, side + 1) for side in sides]


def test_every_map_sees_every_map() -> None:
    torch.manual_seed(0)
    pyramid = Pyramid([4, 6, 8], 16).eval()
    maps = [torch.rand(1, c, s, s, requires_grad=True) for c, s in ((4, 8), (6, 4), (8, 2))]
    for made in pyramid(maps):
        grads = torch.autograd.grad(made.square().sum(), maps, retain_graph=True)
        assert all(float(grad.abs().max()) > 0 for grad in grads)


def test_all_of_it_learns() -> None:
    torch.manual_seed(0)
    pyramid = Pyramid([4, 6, 8], 16)
    maps = [torch.rand(2, c, s, s) for c, s in ((4, 8), (6, 4), (8, 2))]
    torch.stack([m.square().mean() for m in pyramid(maps)]).sum().backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in pyramid.parameters())
