"""LeNet-5 against the numbers of its paper, and learning."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from opsin import nets


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Keep small nets on one core: on a busy machine threads mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("layer", "parameters"),
    [("c1", 156), ("c3", 2416), ("c5", 48120), ("f6", 10164), ("fc", 850)],
)
def test_layers_have_the_parameters_of_the_paper(layer: str, parameters: int) -> None:
    """C3 is fully connected here (2,416), where the paper saved some connections (1,516)."""
    net = nets.build("lenet5", outputs=10, channels=1)
    assert sum(p.numel() for p in net.get_submodule(layer).parameters()) == parameters


@pytest.mark.parametrize("size", [(1, 5), (12, 12), (28, 28), (33, 47), (224, 224)])
def test_any_size_goes_in(size: tuple[int, int]) -> None:
    net = nets.build("lenet5", outputs=3, channels=3, size=size)
    assert net(torch.zeros(2, 3, *size)).shape == (2, 3)


def test_timm_knows_it() -> None:
    import timm

    nets.build("lenet5", outputs=2)
    net = timm.create_model("lenet5", num_classes=4, in_chans=2)
    assert net(torch.zeros(1, 2, 28, 28)).shape == (1, 4)


@pytest.mark.learns
def test_it_reads_handwriting_in_seconds() -> None:
    """1,797 digits of 8×8 pixels from scikit-learn, doubled to 16×16: 93 to 96 % (4 seeds)."""
    images, labels = load_digits(return_X_y=True)
    x = torch.from_numpy(np.kron(images.reshape(-1, 1, 8, 8), np.ones((2, 2))) / 16).float()
    y = torch.from_numpy(labels)
    torch.manual_seed(0)
    net = nets.build("lenet5", outputs=10, channels=1, size=(16, 16))
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    for _ in range(12):
        for chosen in torch.randperm(1400).split(50):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x[chosen]), y[chosen]).backward()
            optimizer.step()
    with torch.no_grad():
        right = net.eval()(x[1400:]).argmax(1) == y[1400:]
    assert right.float().mean() > 0.92
