"""Freeze the lower layers, keep what they say of several views of each picture, train the rest.

The lower layers run once for each view, in the fastest runtime; the upper ones then learn from
stored activations and never see a picture again. Batch statistics stay those of the pretrained net:
a few thousand pictures estimate them worse than it did.

Shapes: N pictures, V views of each, C' channels of h' x w' at the boundary.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from opsin import nets, runtimes
from opsin.augment import Chain
from opsin.data.decode import centre
from opsin.engine import features
from opsin.engine.bank import Bank
from opsin.engine.feed import ActivationFeed, Order
from opsin.engine.plan import epoch_seconds, plan_epochs, timed
from opsin.engine.policies import probe
from opsin.engine.policies._policy import Learnt, Setting, batch_of, course_of, descend
from opsin.events import Advanced, Event, Finished, Started
from opsin.ops.depthwise import quicken

LINEAR = True  # it starts from a probe
STILL = True  # activations are stored with what is true of the picture before it moved

BATCH = 32
VIEWS = 6  # of each picture, the plain one included, where there is time; two are nearly as good
SHARE = 0.3  # of the time left may go into computing views
USUAL = {
    "batch": BATCH,
    "rates": {"adamw": 3e-4, "sgd": 0.01},
    "optimizer": "adamw",
    "decay": 0.02,
    "average": 0.98,
    "clip": 5.0,
}


def plan(setting: Setting) -> list[tuple[str, float]]:
    """Return the parts: a probe, views of each picture, and training for the rest of the time."""
    parts = probe.plan(setting)
    left = setting.clock.left() - sum(seconds for _, seconds in parts)
    views = min(SHARE * left, VIEWS * len(setting.train) / setting.rate)
    checking = len(setting.validation) / setting.rate
    rest = max(0.0, left - views - checking)
    return [*parts, ("activations", views), ("validation activations", checking), ("upper", rest)]


def learn(
    setting: Setting, start: Learnt | None, *, boundary: str | None = None
) -> Generator[Event, None, Learnt]:
    """Return the net with the layers after ``boundary`` fine-tuned, starting from a fitted head.

    Without a boundary, what works at the lowest resolution is trained.
    """
    if start is None:
        start = yield from probe.learn(setting, None)
    net = start.net
    boundary = boundary or nets.levels(net, setting.pre.size)[-2].name
    lower, upper = nets.cut(net, boundary)
    runtime = runtimes.fastest(
        lower,
        setting.pre,
        device=setting.recipe.device,
        examples=setting.examples,
    )
    train = yield from _views(setting, runtime)
    held = yield from _plain(setting, runtime)

    learning = quicken(Frozen(upper))
    for parameter in learning.parameters():
        parameter.requires_grad_(True)
    order = Order(len(setting.train), batch_of(setting, BATCH), setting.recipe.seed)
    feed = ActivationFeed(train, setting.task.encode(setting.train.truths), order)
    epochs = setting.once(
        "upper epochs",
        lambda: plan_epochs(setting, epoch_seconds(setting, learning, feed, held, **USUAL)),
    )
    course = course_of(setting, epochs, **USUAL)
    groups = [(list(learning.parameters()), 1.0)]
    score = yield from descend(setting, "upper", learning, groups, feed, course, held)
    train.close()
    return Learnt(net, "upper", score, start.outputs, f"trained above {boundary}")


class Frozen(nn.Module):
    """Is a part of a net in training whose batch norms keep to their stored statistics."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def train(self, mode: bool = True) -> Frozen:
        """Switch to training, all but the batch norms."""
        super().train(mode)
        for layer in self.modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                layer.eval()
        return self

    def forward(self, activations: Tensor) -> Tensor:
        """Return outputs (B, K) for activations (B, C', h', w')."""
        outputs: Tensor = self.part(activations.float())
        return outputs


def _plain(setting: Setting, runtime: runtimes.Runtime) -> Generator[Event, None, Tensor]:
    """Return the activations of the validation pictures as they are."""
    images = centre(setting.validation.pixels, setting.pre)
    found = yield from features.compute(
        runtime, images, setting.clock, part="validation activations"
    )
    kept = torch.from_numpy(found).to(torch.bfloat16)
    return kept.contiguous(memory_format=torch.channels_last) if kept.ndim == 4 else kept


def _views(setting: Setting, runtime: runtimes.Runtime) -> Generator[Event, None, Bank]:
    """Return a bank with the activations of several views of each training picture."""
    pixels, seed, clock = setting.train.pixels, setting.recipe.seed, setting.clock
    shape = runtime.run(setting.examples[:1]).shape[1:]
    began = clock.spent()
    count = setting.once("views", lambda: _count(setting, runtime))
    name = f"activations-{setting.fabric.global_rank}.bf16"  # a process would empty another's file
    bank = Bank(setting.store.scratch / name, count, len(pixels), shape)
    part = "activations"
    yield Started(part, count * len(pixels))
    for view in range(count):
        first = 0
        blocks = augmented(setting, view, seed)
        for outputs in runtime.stream(blocks):
            bank.write(view, first, outputs)
            first += len(outputs)
            yield Advanced(part, len(outputs))
            if clock.asked:
                break
        if clock.asked:  # what is missing does not matter: no step will be taken
            break
    yield Finished(part, clock.spent() - began, f"{count} views of {len(pixels)} pictures")
    return bank


def augmented(setting: Setting, view: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Yield blocks (B, C, h, w) of a view of the training pictures; view 0 is the plain one."""
    chain = setting.chain if view else Chain(())
    pixels = setting.train.pixels
    for first in range(0, len(pixels), features.BLOCK):
        raw = torch.from_numpy(np.ascontiguousarray(pixels[first : first + features.BLOCK]))
        pictures = np.arange(first, first + len(raw))
        draw = chain.draw_epoch(raw, setting.pre.size, seed, max(0, view - 1), pictures)
        yield draw.pictures(raw).contiguous().numpy()


def _count(setting: Setting, runtime: runtimes.Runtime) -> int:
    """Return how many views there is time for, from a few blocks that are tried."""
    if setting.clock.budget is None:
        return VIEWS
    tried = min(4, -(-len(setting.train) // features.BLOCK))
    blocks = islice(augmented(setting, 1, setting.recipe.seed), tried)
    seconds = timed(lambda: deque(runtime.stream(blocks), maxlen=0))
    view = seconds * len(setting.train) / min(len(setting.train), tried * features.BLOCK)
    return max(1, min(VIEWS, int(SHARE * setting.clock.left() / view)))
