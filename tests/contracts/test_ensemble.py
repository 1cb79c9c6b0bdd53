"""What several nets need of a task, and of a runtime, to answer as one: held over all there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from opsin import nets, runtimes, tasks
from opsin.committee import Committee, Member, frame
from opsin.data.preprocess import Preprocessing
from opsin.ensemble import choose
from opsin.ensemble.diversity import diversity
from opsin.errors import InputError
from opsin.model import Model
from opsin.recipe import Recipe

pytestmark = pytest.mark.contracts
PRE = Preprocessing((28, 28), crop=1.0, mean=(0.5,) * 3, std=(0.25,) * 3)
HERE = [
    (name, device)
    for device in ("cpu", "cuda")
    for name in runtimes.names()
    if runtimes.find(name).available(device)
    if "float32" in runtimes.find(name).precisions(device)
]


@pytest.fixture(params=[name for name in tasks.names() if tasks.find(name).linear])
def task(request: pytest.FixtureRequest) -> Any:
    kind = tasks.find(request.param)
    return kind.of(kind.example(60, seed=1))


def outputs(task: Any, n: int, seed: int = 0) -> torch.Tensor:
    drawn = np.random.default_rng(seed).normal(size=(n, task.outputs))
    return torch.from_numpy(3 * drawn)


@pytest.mark.parametrize("name", [n for n in tasks.names() if not tasks.find(n).linear])
def test_nets_that_look_at_different_places_do_not_vote(name: str) -> None:
    kind = tasks.find(name)
    task = kind.of(kind.example(20))
    with pytest.raises(InputError, match="vote"):
        kind.together([task, task])


def test_opinions_are_calibrated_and_go_back(task: Any) -> None:
    given = outputs(task, 40)
    truths = [sample.truth for sample in type(task).example(40, seed=2).samples]
    task.calibrate(given.numpy(), truths)
    opinions = task.opinions(given)
    assert opinions.shape == given.shape
    again = task.opinions(task.outputs_of(opinions))
    torch.testing.assert_close(again, opinions)
    one, other = (task.decode(each.numpy()) for each in (given, task.outputs_of(opinions)))
    for a, b in zip(one, other, strict=True):
        assert a.words() == b.words()
        for left, right in zip(a.rows()[0].values(), b.rows()[0].values(), strict=True):
            assert left == pytest.approx(right) if isinstance(left, float) else left == right


def test_one_together_with_itself_says_the_same(task: Any) -> None:
    truths = [sample.truth for sample in type(task).example(40, seed=2).samples]
    given = outputs(task, 40)
    task.calibrate(given.numpy(), truths)
    joint = task.together([task, task, task])
    assert joint.classes == task.classes and joint.outputs == task.outputs
    said = joint.decode(joint.outputs_of(task.opinions(given)).numpy())
    for a, b in zip(said, task.decode(given.numpy()), strict=True):
        assert a.rows()[0] == {
            name: pytest.approx(value) if isinstance(value, float) else value
            for name, value in b.rows()[0].items()
        }


def test_weights_and_diversity_know_every_task(task: Any) -> None:
    truths = [sample.truth for sample in type(task).example(40, seed=2).samples]
    each = torch.stack([task.opinions(outputs(task, 40, seed)) for seed in range(4)])
    found = choose.weights(task, each, truths)
    assert sum(found) == pytest.approx(1) and min(found) >= 0
    assert sum(choose.greedy(task, each, truths, 3)) == 3
    plain, targets = Recipe(smoothing=0.0), task.encode(truths)
    targets = targets.double() if targets.is_floating_point() else targets

    def loss(weights: list[float]) -> float:
        pooled = torch.tensordot(torch.tensor(weights, dtype=torch.float64), each, 1)
        return float(sum(task.loss(task.outputs_of(pooled), targets, plain).values()))

    corners = [[float(place == own) for place in range(4)] for own in range(4)]
    assert loss(found) <= min(map(loss, [*corners, [0.25] * 4])) + 1e-9
    said = [task.decode(task.outputs_of(one).numpy()) for one in each]
    assert diversity(task, said, truths).words()


def committee(task: Any, vote: str) -> Committee:
    made = []
    for seed, name in enumerate(("lenet5", "network3", "hog")):
        torch.manual_seed(seed)
        net = nets.build(name, outputs=task.outputs, channels=3, size=PRE.size).eval()
        zero = name == "hog"
        made.append(Member(net, name, task, frame(PRE) if zero else PRE))
    return Committee(made, task.together([task] * 3), vote, [2, 1, 1]).eval()


@pytest.mark.parametrize("vote", ["mean", "majority"])
def test_a_model_file_holds_it(task: Any, vote: str, tmp_path: Any) -> None:
    if vote == "majority" and not task.classes:
        pytest.skip("numbers are not voted on")
    net = committee(task, vote)
    model = Model(net, "three", task.together([task] * 3), frame(PRE), Recipe())
    again = Model.load(model.save(tmp_path / "a.safetensors"))
    pictures = np.random.default_rng(0).integers(0, 256, (9, 3, 28, 28), dtype=np.uint8)
    assert np.array_equal(model.outputs(pictures), again.outputs(pictures))
    assert np.array_equal(again.outputs(pictures[3:5]), again.outputs(pictures)[3:5])
    assert again.runtime.precision == "float32"  # hog counts outside of all runtimes
    parts = [member.seen(torch.from_numpy(pictures).float() / 255) for member in net.members]
    with torch.no_grad():
        each = [member(part) for member, part in zip(net.members, parts, strict=True)]
    wanted = net.task.outputs_of(net.rule(each, net.votes)).numpy()
    np.testing.assert_allclose(model.outputs(pictures), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "device"), HERE)
def test_every_runtime_takes_it(task: Any, name: str, device: str) -> None:
    net = committee(task, "mean")
    net.members, net.votes = net.members[:2], net.votes[:2]
    pictures = np.random.default_rng(0).integers(0, 256, (40, 3, 28, 28), dtype=np.uint8)
    with torch.no_grad():
        wanted = net(torch.from_numpy(pictures).float() / 255).numpy()
    ready = runtimes.load(name, net, frame(PRE), device=device, precision="float32")
    limit = 1e-3 if device == "cpu" else 0.05  # a GPU multiplies in TF32
    assert runtimes.difference(ready.run(pictures), wanted) < limit
    chosen = runtimes.fastest(net, frame(PRE), device=device, examples=pictures[:8])
    assert runtimes.difference(chosen.run(pictures[:8]), wanted[:8]) < 0.15
