"""Several nets that answer as one: a net made of nets, each looking at pictures in its own way.

What the members say is averaged, or voted on, in the task's ``opinions`` (calibrated probabilities,
numbers in their unit) and turned back into outputs, so that whoever runs a net runs this one too.

Shapes: M members, N pictures, C channels, h and w of the input, K outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from opsin import nets
from opsin.data.preprocess import Preprocessing
from opsin.errors import ModelError
from opsin.tasks import Task

MOST = 1000  # members a file may claim to have


def mean(opinions: Sequence[Tensor], votes: Sequence[float]) -> Tensor:
    """Return the mean of M opinions (..., K), each counted as often as it has votes.

    A linear opinion pool (Genest & Zidek, Combining Probability Distributions, 1986, section 3).

    >>> mean([torch.tensor([0.9, 0.1]), torch.tensor([0.5, 0.5])], [1, 1])
    tensor([0.7000, 0.3000])
    """
    total = sum(votes)
    parts = [opinion * (vote / total) for opinion, vote in zip(opinions, votes, strict=True)]
    return torch.stack(parts).sum(0)


def majority(opinions: Sequence[Tensor], votes: Sequence[float]) -> Tensor:
    """Return how M members vote for K classes, each (..., K) for the one it thinks likeliest.

    Ties are broken by mean probability: the mean speaks as one more voter that shares its vote
    among the classes. As no share reaches a whole vote, it decides ties and nothing else.

    >>> one, two = torch.tensor([0.9, 0.1]), torch.tensor([0.4, 0.6])
    >>> majority([one, two], [1, 1])  # (1 + 0.65) / 3, a tie but for the mean
    tensor([0.5500, 0.4500])
    >>> majority([one, two, two], [1, 1, 1]).argmax()
    tensor(1)
    """
    cast = [
        functional.one_hot(opinion.argmax(-1), opinion.shape[-1]).to(opinion.dtype) * vote
        for opinion, vote in zip(opinions, votes, strict=True)
    ]
    counted = torch.stack(cast).sum(0) + mean(opinions, votes)
    return counted / (sum(votes) + 1)


RULES: Mapping[str, Callable[[Sequence[Tensor], Sequence[float]], Tensor]] = {
    "mean": mean,
    "weighted": mean,  # the same sum; only where the votes come from is different
    "majority": majority,
}


class Member(nn.Module):
    """Is one net with its own normalisation, which gives what its task makes of its outputs."""

    mean: Tensor
    std: Tensor

    def __init__(self, net: nn.Module, name: str, task: Task, pre: Preprocessing) -> None:
        super().__init__()
        self.net, self.name, self.task, self.pre = net, name, task, pre
        self.register_buffer("mean", torch.tensor(pre.mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(pre.std).view(1, -1, 1, 1))

    def seen(self, images: Tensor) -> Tensor:
        """Return pictures (N, C, h, w), floats in 0..1, as this member's net has learnt them."""
        return (images - self.mean) / self.std

    def forward(self, seen: Tensor) -> Tensor:
        """Return opinions (N, K) of pictures as ``seen``."""
        return self.task.opinions(self.net(seen).float())

    def to_dict(self) -> dict[str, Any]:
        """Return what a model file must say to build this member again."""
        return {
            "net": self.name,
            "state": dict(self.task.state),
            "preprocessing": self.pre.to_dict(),
        }


class Committee(nn.Module):
    """Is M members that answer as one by a rule; ``votes`` (M,) say how much each counts.

    It takes pictures as floats in 0..1, so it is run with the ``frame`` of its members.
    """

    def __init__(
        self, members: Sequence[Member], task: Task, vote: str, votes: Sequence[float]
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.task, self.vote, self.votes = task, vote, tuple(votes)
        self.rule = RULES[vote]

    @property
    def counted(self) -> bool:
        """Say whether a member computes where no runtime could take it over."""
        return any(getattr(member.net, "counted", False) for member in self.members)

    def forward(self, images: Tensor) -> Tensor:
        """Return joint outputs (N, K) for pictures (N, C, h, w), floats in 0..1."""
        members = [member for member in self.members if isinstance(member, Member)]
        views = [member.seen(images) for member in members]
        opinions = [member(view) for member, view in zip(members, views, strict=True)]
        return self.task.outputs_of(self.rule(opinions, self.votes))

    def to_dict(self) -> dict[str, Any]:
        """Return what a model file must say to build this committee again."""
        members = [member.to_dict() for member in self.members if isinstance(member, Member)]
        return {"vote": self.vote, "votes": list(self.votes), "members": members}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], task: Task, pre: Preprocessing) -> Committee:
        """Build the committee that ``to_dict`` described, with fresh weights.

        Raises ``ModelError`` for one that cannot be: it comes from a file.
        """
        each, votes = plain["members"], [float(vote) for vote in plain["votes"]]
        sound = 0 < len(each) == len(votes) <= MOST and min(votes) >= 0 < sum(votes) < 1e9
        if not sound or plain["vote"] not in RULES:
            raise ModelError(
                f"{len(each)} members with the votes {votes[:5]}, by {plain['vote']!r}",
                expected=f"a number from 0 for each, by one of {', '.join(RULES)}",
            )
        made = []
        for said in each:
            own = Preprocessing.from_dict(said["preprocessing"])
            if frame(own) != pre:
                raise ModelError(f"a member that sees {own.size}", expected=f"{pre.size}")
            net = built(said["net"], task.outputs, own)
            made.append(Member(net, said["net"], task.restore(task.classes, said["state"]), own))
        return cls(made, task, plain["vote"], votes)


def built(name: str, outputs: int, pre: Preprocessing) -> nn.Module:
    """Return the net called ``name`` for such pictures, with fresh weights."""
    return nets.build(name, outputs=outputs, channels=pre.channels, size=pre.size)


def frame(pre: Preprocessing) -> Preprocessing:
    """Return how pictures come before they are normalised: members may differ in that alone."""
    channels = pre.channels
    return replace(pre, mean=(0.0,) * channels, std=(1.0,) * channels)


def called(names: Sequence[str]) -> str:
    """Return what several nets are called together.

    >>> called(["lenet5", "network3", "lenet5"])
    '2 × lenet5 + network3'
    """
    counts = {name: names.count(name) for name in names}
    return " + ".join(f"{n} × {name}" if n > 1 else name for name, n in counts.items())
