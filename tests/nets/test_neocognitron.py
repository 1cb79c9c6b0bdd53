"""The Neocognitron's cells against the equations of 1980, written out cell by cell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from opsin import nets
from opsin.nets.neocognitron import CCells, SCells, falling


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Keep small nets on one core: on a busy machine threads mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def window(maps: np.ndarray, row: int, column: int) -> np.ndarray:
    """Return the 5×5 of (C, H, W) around a place, zeros outside."""
    padded = np.pad(maps, ((0, 0), (2, 2), (2, 2)))
    return padded[:, row : row + 5, column : column + 5]


def test_weights_that_fall_with_distance_sum_to_one() -> None:
    """Eq. 4, and what section 2.2 asks of c and d."""
    c = falling().double().numpy()
    assert c.sum() == pytest.approx(1, abs=1e-6)
    assert c.argmax() == 12 and (np.diff(c[2, 2:]) < 0).all() and np.allclose(c, c.T)


def test_s_cells_are_those_of_equations_1_to_3() -> None:
    torch.manual_seed(0)
    r = 1.5
    cells = SCells(3, 4, r).double()
    x = np.random.default_rng(0).random((3, 6, 7))
    a, b = cells.excite.weight.detach().numpy(), cells.inhibit.detach().numpy()
    c = falling().double().numpy() / 3
    wanted = np.zeros((4, 6, 7))
    for k, row, column in np.ndindex(4, 6, 7):
        seen = window(x, row, column)
        v = np.sqrt((c * seen**2).sum())
        ratio = (1 + (a[k] * seen).sum()) / (1 + 2 * r / (1 + r) * b[k] * v)
        wanted[k, row, column] = r * max(ratio - 1, 0)
    with torch.no_grad():
        found = cells(torch.from_numpy(x)[None])[0].numpy()
    assert (wanted > 0).any() and (wanted == 0).any()
    assert np.allclose(found, wanted, atol=1e-4)


def test_c_cells_are_those_of_equations_5_to_7() -> None:
    cells = CCells(4).double()
    x = np.random.default_rng(0).random((4, 6, 8))
    d = falling().double().numpy()
    wanted = np.zeros((4, 3, 4))
    for row, column in np.ndindex(3, 4):
        blurs = (d * window(x, 2 * row, 2 * column)).sum((1, 2))
        y = np.maximum((1 + blurs) / (1 + blurs.mean()) - 1, 0)
        wanted[:, row, column] = y / (0.5 + y)
    assert np.allclose(cells(torch.from_numpy(x)[None])[0].numpy(), wanted, atol=1e-9)


def test_what_it_says_bears_a_shift_of_the_picture() -> None:
    """Unaffected by Shift in Position; not at all where the strides, 8 pixels, divide it."""
    torch.manual_seed(0)
    net = nets.build("neocognitron", outputs=5, channels=1).eval()
    x = torch.zeros(1, 1, 144, 144)
    x[:, :, 56:66, 56:66] = torch.randn(1, 1, 10, 10)
    with torch.no_grad():
        assert torch.allclose(net(x.roll((8, 16), (2, 3))), net(x), atol=1e-5)


def test_dark_pictures_have_gradients() -> None:
    net = nets.build("neocognitron", outputs=5, channels=1)
    net(torch.zeros(2, 1, 28, 28)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
