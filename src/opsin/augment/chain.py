"""A chain of operations, drawn for pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from opsin.augment._operation import (
    Bent,
    Colour,
    Cover,
    Frame,
    Geometry,
    Operation,
    Pixels,
    identities,
)
from opsin.augment.draw import Draw
from opsin.augment.lots import Floats, Keys, Lots, keys
from opsin.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Copies:
    """Says that each picture has ``count`` fixed copies; the first may be the ``plain`` picture."""

    count: int
    plain: bool = False

    def __str__(self) -> str:
        return f"copies {self.count}{' plain' * self.plain}"


@dataclass(frozen=True, slots=True)
class Chain:
    """Applies its operations in order; ``str`` gives the line that ``parse`` reads back.

    With ``copies`` every picture has so many versions, the same for ever; without, each epoch shows
    new ones.
    """

    operations: tuple[Operation, ...] = ()
    copies: Copies | None = None

    def __str__(self) -> str:
        words = [*map(str, self.operations)] or ["none"]
        return ", ".join([*words, str(self.copies)] if self.copies else words)

    @property
    def looks(self) -> bool:
        """Say whether some operation looks at the pictures."""
        return any(operation.looks for operation in self.operations)

    def draw(
        self, n: int, working: tuple[int, int], out: tuple[int, int], seed: tuple[int, ...]
    ) -> Draw:
        """Draw everything that will happen to ``n`` pictures: a pure function of ``seed``.

        ``working`` is the (height, width) the pictures have, ``out`` what the net sees. Each
        operation has a stream of its own, so a longer chain repeats the draws of a shorter one.
        Raises ``DataError`` for a chain that looks at the pictures: see ``draw_for``.

        >>> Chain().draw(1, (9, 9), (8, 8), (0,)).geometry[0].tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
        """
        if self.looks:
            raise DataError(
                f"no pictures to draw '{self}' for",
                expected="pictures, since a part of it looks at them",
                remedy="Call draw_for with the batch.",
            )
        return self._draw(Frame(n, working, out), keys(seed, np.arange(n)))

    def draw_for(
        self,
        batch: Tensor,
        out: tuple[int, int],
        seed: tuple[int, ...],
        pictures: ArrayLike | None = None,
    ) -> Draw:
        """Draw for a uint8 ``batch`` (N, C, H, W), which the chain may look at.

        What is drawn for a picture is a function of ``seed`` and of its number among ``pictures``
        (N,), by itself: in any other batch the same is drawn for it. Numbers are 0..N-1 if not
        given, and the draw is then that of ``draw``.
        """
        frame = Frame(len(batch), (batch.shape[2], batch.shape[3]), out)
        if self.looks:
            from opsin.augment import look

            frame = look.at(batch, frame)
        return self._draw(
            frame, keys(seed, np.arange(len(batch)) if pictures is None else pictures)
        )

    def draw_epoch(
        self,
        batch: Tensor,
        out: tuple[int, int],
        seed: int,
        epoch: int,
        pictures: ArrayLike,
    ) -> Draw:
        """Draw what an epoch (0, 1, ...) shows of ``pictures`` (N,) of a data set, given as pixels.

        Where there are copies, epoch e shows copy e mod their number; otherwise each epoch draws
        anew. A function of (seed, epoch, picture) and of nothing else.
        """
        copy = epoch % self.copies.count if self.copies else epoch
        plain = self.copies is not None and self.copies.plain and copy == 0
        chain = Chain() if plain else self
        return chain.draw_for(batch, out, (seed, copy), pictures)

    def _draw(self, frame: Frame, drawn_for: Keys) -> Draw:
        """Draw each operation in its place and compose what can be composed."""
        geometry, colour, bend, holes, pixels = identities(frame.n), None, None, [], []
        for place, operation in enumerate(self.operations):
            lots = Lots(drawn_for, place)
            if isinstance(operation, Geometry):
                move = operation.matrices(lots, _moved(frame, geometry))
                geometry = move @ geometry
            elif isinstance(operation, Bent):
                more = operation.bend(lots, frame)
                bend = more if bend is None else bend.plus(more)
            elif isinstance(operation, Colour):
                light = operation.matrices(lots, _lit(frame, colour))
                colour = light if colour is None else _compose(light, colour)
            elif isinstance(operation, Pixels):
                pixels.append((operation, operation.settle(lots, frame)))
            elif isinstance(operation, Cover):
                holes.append(operation.holes(lots, frame))
        covered = np.stack(holes, axis=1) if holes else np.empty((frame.n, 0, 4), np.int64)
        plain = Frame(frame.n, frame.working, frame.out)
        return Draw(plain, geometry, colour, covered, bend, tuple(pixels))


def _moved(frame: Frame, geometry: Floats) -> Frame:
    """Return the frame as it is seen after some geometry: the mass has moved."""
    if frame.mass is None:
        return frame
    moved = (geometry[:, :, :2] @ frame.mass[:, :, None])[:, :, 0] + geometry[:, :, 2]  # (n, 3)
    return replace(frame, mass=moved[:, :2] / moved[:, 2:])


def _lit(frame: Frame, colour: Floats | None) -> Frame:
    """Return the frame as it is seen after some colour: the mean colour has changed."""
    if frame.light is None or colour is None:
        return frame
    return replace(
        frame, light=(colour[:, :, :3] @ frame.light[:, :, None])[:, :, 0] + colour[:, :, 3]
    )


def _compose(second: Floats, first: Floats) -> Floats:
    """Return the colour matrix that does ``first``, then ``second``, all (n, 3, 4)."""
    both = second[:, :, :3] @ first
    both[:, :, 3] += second[:, :, 3]
    return both
