"""The contract of a detector, and how its targets lie in one tensor.

A detector is one file here with a function ``build(net, *, outputs, size)``, where ``net`` is any
net that classifies, with its weights. It learns from boxes and answers with candidates; which of
them are said is the task's affair (``tasks/detect.py``).

Shapes: B pictures (B, C, h, w); P boxes of a picture with padding; M candidates of a picture;
K classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from opsin.nets.detectors._trunk import Trunk

PADDING, PROPOSAL = -1, -2  # in place of a class: no box at all, and a place to look at
CLASS, FLAG = 4, 5  # columns of targets, after x1 y1 x2 y2


class Detector(nn.Module, ABC):
    """Is a net that gives candidates (B, M, 4 + K), or what it has yet to learn, for pictures.

    Targets are (B, P, 6), float32: x1 y1 x2 y2 in pixels of the input, the class, and 1 where the
    object is to be ignored. A class of −1 is padding, one of −2 a proposal.
    """

    proposals: ClassVar[str | None] = None  # the way (``opsin.proposals``) that targets must hold
    counted: ClassVar[bool] = False  # whether a part is computed where no runtime could take it

    def __init__(self, backbone: Trunk, outputs: int) -> None:
        super().__init__()
        self.backbone, self.outputs = backbone, outputs

    @abstractmethod
    def forward(self, images: Tensor, targets: Tensor | None = None) -> Tensor | dict[str, Tensor]:
        """Return candidates (B, M, 4 + K), or with ``targets`` the named terms of the loss.

        A candidate is a box in pixels of the input and a score in 0..1 for each class, in float32
        whatever the arithmetic; of those that only fill up M all scores are 0. Terms are means
        whose sum descends. Nothing is drawn but from torch's own generator.
        """

    def ready(self, targets: Tensor, seed: int) -> None:
        """Learn from all training targets (N, P, 6) what must be known before the first step."""

    def settle(self) -> None:
        """Begin from pretrained weights: hold what they know best (``Trunk.settle``)."""
        self.backbone.settle()

    def depth_groups(self) -> list[list[nn.Parameter]]:
        """Return all parameters in groups by depth; what stands on the backbone is the last."""
        groups = self.backbone.depth_groups()
        below = {id(parameter) for group in groups for parameter in group}
        return [*groups, [p for p in self.parameters() if id(p) not in below]]


def objects(targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return boxes (T, 4), classes (T,) and ignored boxes (I, 4) of one picture's targets (P, 6).

    >>> import torch
    >>> rows = torch.tensor([[0.0, 0, 4, 4, 2, 0], [1, 1, 3, 3, 0, 1], [0, 0, 0, 0, -1, 0]])
    >>> boxes, classes, ignored = objects(rows)
    >>> boxes.tolist(), classes.tolist(), ignored.tolist()
    ([[0.0, 0.0, 4.0, 4.0]], [2], [[1.0, 1.0, 3.0, 3.0]])
    """
    real, flagged = targets[:, CLASS] >= 0, targets[:, FLAG] > 0
    wanted = targets[real & ~flagged]
    return wanted[:, :4], wanted[:, CLASS].long(), targets[real & flagged, :4]


def proposed(targets: Tensor) -> Tensor:
    """Return the proposals (Q, 4) among one picture's targets (P, 6)."""
    return targets[targets[:, CLASS] == PROPOSAL, :4]
