"""Holds the contract of a runtime over all that this machine has."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from opsin import nets, runtimes
from opsin.data.preprocess import Preprocessing
from opsin.errors import ModelError

pytestmark = pytest.mark.contracts
PRE = Preprocessing((48, 40), crop=1.0)
HERE = [
    (name, device, precision)
    for device in ("cpu", "cuda")
    for name in runtimes.names()
    if runtimes.find(name).available(device)
    for precision in runtimes.find(name).precisions(device)
]
if runtimes.find("openvino").available("cpu"):
    HERE.append(("openvino", "cpu", "int8"))
LIMITS = {("cpu", "float32"): 1e-4, ("cuda", "float32"): 0.02}  # a GPU multiplies in TF32
LIMITS["cpu", "int8"] = 0.3  # of noise, in a net that has learnt nothing


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Keep small nets on one core: on a busy machine threads mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@cache
def lived_in() -> nn.Module:
    """Draw a small net that has every kind of layer, in training mode with lived-in statistics."""
    torch.manual_seed(0)
    made = nets.build("mobilenetv3_small_050", outputs=6, size=PRE.size)
    for _ in range(3):
        made(torch.randn(8, 3, *PRE.size))
    return made


def net() -> nn.Module:
    """Copy that net."""
    return copy.deepcopy(lived_in())


def pictures(n: int) -> np.ndarray:
    shape = (n, PRE.channels, *PRE.size)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(scope="module", params=HERE, ids="-".join)
def runtime(request: pytest.FixtureRequest) -> runtimes.Runtime:
    return loaded(net(), PRE, *request.param)


def loaded(
    made: nn.Module, pre: Preprocessing, name: str, device: str, precision: str
) -> runtimes.Runtime:
    """Return a net in a runtime; in 8 bits by ranges that noise has."""
    if precision != "int8":
        return runtimes.load(name, made, pre, device=device, precision=precision)
    shape = (16, pre.channels, *pre.size)
    noise = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    spans = runtimes.ranges(made, pre, noise, device=device)
    found = runtimes.in_int8(made, pre, spans, device=device)
    assert found is not None
    return found


def test_it_says_what_torch_says(runtime: runtimes.Runtime) -> None:
    images = pictures(11)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (PRE.mean, PRE.std))
    with torch.no_grad():
        floats = (torch.from_numpy(images).float() / 255 - mean) / std
        wanted = net().eval()(floats).numpy()
    found = runtime.run(images)
    assert found.dtype == np.float32 and found.shape == (11, 6)
    limit = LIMITS.get((runtime.device, runtime.precision), 0.15)
    assert runtimes.difference(found, wanted) < limit


def test_neither_batch_nor_position_matters(runtime: runtimes.Runtime) -> None:
    images = pictures(21)
    wanted = runtime.run(images)
    for start, stop in ((0, 1), (20, 21), (3, 12), (8, 21)):
        assert np.array_equal(runtime.run(images[start:stop]), wanted[start:stop])
    order = np.random.default_rng(1).permutation(21)
    assert np.array_equal(runtime.run(images[order]), wanted[order])
    streamed = runtime.stream(iter([images[:2], images[2:2], images[2:15], images[15:]]))
    parts = list(streamed)
    assert [len(part) for part in parts] == [2, 0, 13, 6]
    assert np.array_equal(np.concatenate(parts), wanted)


def test_streams_are_lazy_and_can_be_left(runtime: runtimes.Runtime) -> None:
    asked = []

    def endless():  # type: ignore[no-untyped-def]
        while True:
            asked.append(1)
            yield pictures(2)

    stream = runtime.stream(endless())
    assert next(stream).shape == (2, 6)
    assert len(asked) < 20
    stream.close()  # type: ignore[attr-defined]


def test_an_error_of_the_reader_comes_through(runtime: runtimes.Runtime) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield pictures(2)
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        list(runtime.stream(broken()))


def test_pictures_of_another_shape_or_kind_are_refused(runtime: runtimes.Runtime) -> None:
    with pytest.raises(ModelError, match="48, 40"):
        runtime.run(pictures(1)[:, :, 1:])
    with pytest.raises(ModelError, match="uint8"):
        runtime.run(pictures(1).astype(np.float32))  # type: ignore[arg-type]


def test_no_pictures_no_outputs(runtime: runtimes.Runtime) -> None:
    assert runtime.run(pictures(0)).shape == (0, 6)


def test_a_view_that_is_not_side_by_side(runtime: runtimes.Runtime) -> None:
    images = pictures(4)
    assert np.array_equal(runtime.run(images[::2]), runtime.run(images)[::2])


@pytest.mark.parametrize(("name", "device", "precision"), HERE)
def test_halves_and_features_run_too(name: str, device: str, precision: str) -> None:
    made = net().eval()
    lower, _ = nets.cut(made, nets.stages(made)[3])
    for part, ndim in ((lower, 4), (nets.headless(made), 2)):
        ready = loaded(part, PRE, name, device, precision)
        floats = (torch.from_numpy(pictures(3)).float() / 255 - 0.45) / 0.225
        assert ready.run(pictures(3)).ndim == ndim
        assert ready.run(pictures(3)).shape[1:] == tuple(part(floats).shape[1:])


@pytest.mark.parametrize(("name", "device", "precision"), HERE)
def test_the_net_is_left_as_it_was_and_the_runtime_too(
    name: str, device: str, precision: str
) -> None:
    made = net().train()
    before = {key: value.clone() for key, value in made.state_dict().items()}
    ready = loaded(made, PRE, name, device, precision)
    wanted = ready.run(pictures(2))
    assert made.training and all(m.training for m in made.modules())
    assert all(torch.equal(value, before[key]) for key, value in made.state_dict().items())
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(1)
    assert np.array_equal(ready.run(pictures(2)), wanted)


OWN = {  # channels and side
    "lenet5": (1, 28),
    "network3": (1, 28),
    "dropconnect": (1, 28),
    "neocognitron": (1, 28),
    "squeezenet1_0": (3, 32),
    "squeezenet1_1": (3, 32),
    "inception_v2": (3, 40),
    "plain34": (3, 40),
    "alexnet_two_towers": (3, 72),
    "zfnet": (3, 72),
}


@pytest.mark.parametrize("own", OWN)
def test_nets_of_our_own_run_everywhere(own: str) -> None:
    """At a size that is not their own: framing and averaging run, too."""
    channels, side = OWN[own]
    pre = Preprocessing((side, side + 3), mean=(0.5,) * channels, std=(0.25,) * channels)
    torch.manual_seed(0)
    made = nets.build(own, outputs=6, channels=channels, size=pre.size)
    with torch.no_grad():
        for _ in range(2):  # norms see something
            made(torch.randn(4, channels, *pre.size))
        shape = (3, channels, *pre.size)
        images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        wanted = made.eval()((torch.from_numpy(images).float() / 255 - 0.5) / 0.25).numpy()
    for name, device, precision in HERE:
        ready = loaded(made, pre, name, device, precision)
        limit = LIMITS.get((device, precision), 0.15)
        assert runtimes.difference(ready.run(images), wanted) < limit, (name, device, precision)


def test_nets_come_and_go_without_waiting_for_each_other() -> None:
    """A callback held by a worker thread once stopped the process, within 600 loads."""
    small = nets.build("lenet5", outputs=2, channels=1).eval()
    pre = Preprocessing((28, 28), mean=(0.5,), std=(0.5,))
    for _ in range(20):
        for name, device, precision in HERE:
            ready = loaded(small, pre, name, device, precision)
            ready.run(np.zeros((3, 1, 28, 28), np.uint8))
            del ready
