"""One net whose weights are the mean of several nets' weights: as good as many, as fast as one.

It works for nets from one neighbourhood: the last weights of one descent (Izmailov et al.,
Averaging Weights Leads to Wider Optima and Better Generalization, 2018), or nets fine-tuned from
one start (Wortsman et al., Model soups, 2022). Nets trained from different random starts have
nothing to do with each other, weight by weight; what comes out then is noise, and is measured so.

Shapes: N pictures, C channels, h and w of the input.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from opsin.data.decode import centre
from opsin.engine.policies import Part
from opsin.ensemble.members import Candidate
from opsin.errors import ModelError
from opsin.model import Model

MOST, BLOCK = 8192, 256  # training pictures that statistics are estimated on; at a time
NORMS = nn.modules.batchnorm._BatchNorm


def averaged(
    found: Sequence[Candidate], votes: Sequence[float], train: Part | None, seen: Part
) -> Model:
    """Return the model of the mean weights, calibrated on the pictures ``seen``.

    Statistics of batch norms are no weights: they are estimated again on training pictures. Raises
    ``ModelError`` for members of different nets, and where there are norms but no such pictures.
    """
    first = found[0].model
    for other in found:
        if other.model.net_name != first.net_name:
            raise ModelError(
                f"{other.name}, a {other.model.net_name}",
                expected=f"a {first.net_name}, as {found[0].name}",
                remedy="Weights of different nets cannot be averaged: use --vote mean.",
            )
        if other.model.preprocessing != first.preprocessing:
            raise ModelError(
                f"{other.name}, which takes pictures with the mean "
                f"{other.model.preprocessing.mean} and spread {other.model.preprocessing.std}",
                expected=f"{first.preprocessing.mean} and {first.preprocessing.std}, "
                f"as {found[0].name}",
                remedy="Use --vote mean.",
            )
    net = copy.deepcopy(first.net)
    net.load_state_dict(mean([each.model.net for each in found], votes))
    if norms := [module for module in net.modules() if isinstance(module, NORMS)]:
        if train is None:
            raise ModelError(
                f"{first.net_name}, which has batch norms, without training pictures",
                expected="pictures to estimate their statistics on",
                remedy="Name the folders of runs instead of files, or use --vote mean.",
            )
        pixels = train.pixels[np.linspace(0, len(train) - 1, min(len(train), MOST)).astype(int)]
        estimate(net, norms, centre(pixels, first.preprocessing), first)
    task = first.task.restore(first.classes, first.task.state)
    made = replace(first, net=net.eval(), task=task, path=None)
    outputs = [made.outputs(seen.pixels[at : at + BLOCK]) for at in range(0, len(seen), BLOCK)]
    task.calibrate(np.concatenate(outputs), seen.truths, first.recipe.operating)
    return made


def mean(found: Sequence[nn.Module], votes: Sequence[float]) -> dict[str, torch.Tensor]:
    """Return the mean of the weights of nets, each counted as often as it has votes.

    >>> one, two = nn.Linear(1, 1), nn.Linear(1, 1)
    >>> _ = nn.init.constant_(one.weight, 1.0), nn.init.constant_(two.weight, 4.0)
    >>> mean([one, two], [2, 1])["weight"]
    tensor([[2.]])
    """
    shares = torch.tensor(votes, dtype=torch.float64) / sum(votes)
    states = [net.state_dict() for net in found]
    made = {}
    for name, first in states[0].items():
        if first.dtype.is_floating_point:
            stacked = torch.stack([state[name].double() for state in states])
            made[name] = torch.tensordot(shares, stacked, 1).to(first.dtype)
        else:  # counters
            made[name] = first.clone()
    return made


def estimate(
    net: nn.Module, norms: Sequence[NORMS], images: NDArray[np.uint8], model: Model
) -> None:
    """Set the statistics of batch norms to those over pictures (N, C, h, w), all counted alike."""
    mean, std = (
        torch.tensor(values).view(1, -1, 1, 1)
        for values in (model.preprocessing.mean, model.preprocessing.std)
    )
    momenta = [norm.momentum for norm in norms]
    net.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
        norm.train()
    with torch.no_grad():
        for some in np.array_split(images, -(-len(images) // BLOCK)):  # of nearly equal length
            net((torch.from_numpy(np.ascontiguousarray(some)).float() / 255 - mean) / std)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    net.eval()
