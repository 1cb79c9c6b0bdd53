"""Several seeds of one small net: one after the other, stacked into one model, or a core each.

    python benchmarks/seeds.py [--net lenet5] [--seeds 5] [--batch 128] [--times 9]

A step is forward, backward and SGD with momentum on random digits, each seed on a batch of its own.
``stacked`` holds the weights of all seeds as one tensor each and maps the net over them
(torch.func.vmap); ``grouped`` writes LeNet-5 as convolutions with a group for each seed and batched
matrix products, by hand. ``processes`` are whole processes side by side, with one thread each, and
``threads`` is one process with two. Ways take turns; the figure is pictures a second, all seeds
together.
"""

from __future__ import annotations

import argparse
import copy
import subprocess
import sys
import time
from collections.abc import Callable

import harness
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional

from opsin import nets

SIDE, CLASSES = 28, 10


def build(name: str, seed: int) -> nn.Module:
    """Return a fresh net in the layout that trains fastest."""
    torch.manual_seed(seed)
    net = nets.build(name, outputs=CLASSES, channels=1, size=(SIDE, SIDE), dropout=0.0)
    return net.to(memory_format=torch.channels_last)


def sgd(parameters: list[Tensor]) -> torch.optim.Optimizer:
    """Return the optimizer all ways share."""
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, nesterov=True)


def in_turn(given: argparse.Namespace, images: Tensor, labels: Tensor) -> Callable[[], None]:
    """Return a step of every seed, one after the other."""
    made = [build(given.net, seed) for seed in range(given.seeds)]
    steps = [sgd(list(net.parameters())) for net in made]
    lying = [part.contiguous(memory_format=torch.channels_last) for part in images]

    def step() -> None:
        for net, optimizer, seen, truth in zip(made, steps, lying, labels, strict=True):
            optimizer.zero_grad()
            functional.cross_entropy(net(seen), truth).backward()
            optimizer.step()

    return step


def stacked(given: argparse.Namespace, images: Tensor, labels: Tensor) -> Callable[[], None]:
    """Return a step of all seeds as one model, by vmap over stacked weights."""
    made = [build(given.net, seed) for seed in range(given.seeds)]
    weights, buffers = stack_module_state(made)
    base = copy.deepcopy(made[0]).to("meta")
    optimizer = sgd(list(weights.values()))

    def one(own: dict[str, Tensor], kept: dict[str, Tensor], seen: Tensor) -> Tensor:
        outputs: Tensor = functional_call(base, (own, kept), (seen,))
        return outputs

    def step() -> None:
        optimizer.zero_grad()
        outputs = vmap(one, randomness="different")(weights, buffers, images)  # (S, B, K)
        losses = functional.cross_entropy(outputs.flatten(0, 1), labels.flatten())
        (losses * given.seeds).backward()
        optimizer.step()

    return step


def grouped(given: argparse.Namespace, images: Tensor, labels: Tensor) -> Callable[[], None]:
    """Return a step of all seeds as one LeNet-5 with a group of channels for each seed."""
    s = given.seeds
    made = [build("lenet5", seed) for seed in range(s)]
    state = [net.state_dict() for net in made]

    def joined(name: str, *, product: bool) -> tuple[nn.Parameter, nn.Parameter]:
        kernels = [each[f"{name}.weight"] for each in state]
        biases = [each[f"{name}.bias"] for each in state]
        if product:
            flat = torch.stack([kernel.flatten(1).T for kernel in kernels])  # (S, F, K)
            return nn.Parameter(flat), nn.Parameter(torch.stack(biases)[:, None])
        return nn.Parameter(torch.cat(kernels)), nn.Parameter(torch.cat(biases))

    head = nets.head(made[0])
    ends = next(name for name, module in made[0].named_modules() if module is head)
    layers = [joined("c1", product=False), joined("c3", product=False)]
    layers += [joined(name, product=True) for name in ("c5.0", "f6.0", ends)]
    optimizer = sgd([each for layer in layers for each in layer])
    batch = images.shape[1]
    lying = images[:, :, 0].transpose(0, 1).contiguous()  # (B, S, H, W)

    def step() -> None:
        optimizer.zero_grad()
        x = functional.conv2d(lying, *layers[0], padding=2, groups=s)
        x = functional.relu(functional.max_pool2d(x, 2))
        x = functional.relu(functional.max_pool2d(functional.conv2d(x, *layers[1], groups=s), 2))
        x = x.reshape(batch, s, -1).transpose(0, 1)  # (S, B, 400)
        for weight, bias in layers[2:4]:
            x = functional.relu(torch.baddbmm(bias, x, weight))
        x = torch.baddbmm(layers[4][1], x, layers[4][0])  # (S, B, K)
        (functional.cross_entropy(x.flatten(0, 1), labels.flatten()) * s).backward()
        optimizer.step()

    return step


WAYS = {"in turn": in_turn, "stacked (vmap)": stacked, "grouped": grouped}


def rate(given: argparse.Namespace, step: Callable[[], None]) -> float:
    """Return pictures a second over some steps."""
    began = time.perf_counter()
    for _ in range(given.steps):
        step()
    return given.seeds * given.batch * given.steps / (time.perf_counter() - began)


def one_process(given: argparse.Namespace) -> dict[str, dict[str, float | int]]:
    """Return the rate of every way on one and on two threads, taken in turn."""
    draws = torch.Generator().manual_seed(0)
    shape = (given.seeds, given.batch, 1, SIDE, SIDE)
    images = torch.randn(shape, generator=draws)
    labels = torch.randint(CLASSES, shape[:2], generator=draws)
    steps = {name: make(given, images, labels) for name, make in WAYS.items()}
    if given.net != "lenet5":
        del steps["grouped"]
    found: dict[str, list[float]] = {}
    for turn in range(given.times + 1):
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for name, step in steps.items():
                taken = rate(given, step)
                if turn:  # the first one pays for memory and for choosing kernels
                    found.setdefault(f"{name}, {threads} threads", []).append(taken)
    return {name: harness.spread(values) for name, values in found.items()}


def work(given: argparse.Namespace) -> None:
    """Train in turn for some seconds, from a common start on; print the rate."""
    torch.set_num_threads(given.threads)
    one = argparse.Namespace(**vars(given) | {"seeds": 1})
    images = torch.randn(1, given.batch, 1, SIDE, SIDE)
    step = in_turn(one, images, torch.randint(CLASSES, (1, given.batch)))
    rate(one, step)
    print("ready", flush=True)
    sys.stdin.readline()
    rates, until = [], time.monotonic() + given.seconds
    while time.monotonic() < until:
        rates.append(rate(one, step))
    print(harness.statistics.median(rates), flush=True)


def side_by_side(given: argparse.Namespace, many: int, threads: int) -> float:
    """Return the rate of several processes together."""
    words = [sys.executable, __file__, "--work", "--threads", str(threads), "--net", given.net]
    words += ["--batch", str(given.batch), "--seconds", str(given.seconds)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen(words, **pipes) for _ in range(many)]
    for worker in workers:
        worker.stdout.readline()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    return sum(float(worker.communicate()[0]) for worker in workers)


def main() -> None:
    """Measure all ways in one process, then processes beside threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", default="lenet5")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given)
        return
    results = one_process(given)
    found: dict[str, list[float]] = {}
    for _ in range(max(3, given.times // 3)):
        for name, many, threads in (
            ("2 processes × 1 thread", 2, 1),
            ("1 process × 2 threads", 1, 2),
        ):
            found.setdefault(name, []).append(side_by_side(given, many, threads))
    results |= {name: harness.spread(values) for name, values in found.items()}
    harness.report(f"seeds-{given.net}", results)


if __name__ == "__main__":
    main()
