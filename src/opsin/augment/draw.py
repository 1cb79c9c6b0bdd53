"""What was drawn for a batch, applied to pictures, masks, points and boxes.

Shapes: N pictures of C channels; H, W the working size, h, w what the net sees; P points or boxes.
Coordinates are continuous, (x, y) in pixels: the pixel in column i and row j covers i..i+1, j..j+1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from opsin.augment import places
from opsin.augment._operation import Frame, Pixels
from opsin.augment.lots import Floats, Ints
from opsin.augment.waves import Waves
from opsin.errors import DataError

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Holds what happens to each of N pictures; it can be applied any number of times.

    ``geometry`` (N, 3, 3) moves points measured from the centre of the window; ``colour``
    (N, 3, 4) acts on RGB in 0..1 and is None where colours stay (a fourth band becomes what grey
    would: brighter, of more contrast, of no other hue); ``holes`` (N, holes, 4) are boxes
    x1 y1 x2 y2 of the window; ``bend`` moves points once more, after ``geometry``; ``pixels`` are
    operations on what was warped, each with its numbers (N, K). ``draw[chosen]`` is the draw of
    some of the pictures.
    """

    frame: Frame
    geometry: Floats
    colour: Floats | None
    holes: Ints
    bend: Waves | None = None
    pixels: tuple[tuple[Pixels, Floats], ...] = ()

    def __len__(self) -> int:
        return len(self.geometry)

    def __getitem__(self, chosen: Any) -> Draw:
        geometry = self.geometry[chosen]
        if geometry.ndim != 3:
            raise DataError(f"draw[{chosen!r}]", expected="a slice, numbers or a mask of pictures")
        return Draw(
            replace(self.frame, n=len(geometry)),
            geometry,
            None if self.colour is None else self.colour[chosen],
            self.holes[chosen],
            None if self.bend is None else self.bend[chosen],
            tuple((operation, numbers[chosen]) for operation, numbers in self.pixels),
        )

    def images(
        self,
        batch: Tensor,
        mean: Sequence[float] = (0.0,),
        std: Sequence[float] = (1.0,),
        *,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """Return the net's input ``(x / 255 - mean) / std`` for a uint8 ``batch``.

        (N, C, H, W) -> (N, C, h, w) in float32 or ``dtype``, channels last where C is no 1. What is
        hidden becomes 0, the mean colour. Raises ``DataError`` for another shape or type.
        """
        import torch

        from opsin.augment import warp

        self._check(tuple(batch.shape[:1] + batch.shape[2:]))
        if batch.dtype != torch.uint8:
            raise DataError(f"pictures in {batch.dtype}", expected="uint8, 0 to 255")
        if batch.shape[1] not in (1, 3, 4):
            raise DataError(
                f"pictures of {batch.shape[1]} channels",
                expected="1 (grey), 3 (RGB) or 4 (RGB and one more)",
            )
        seen = self._seen(batch, np.reshape(mean, (-1, 1)), np.reshape(std, (-1, 1)))
        if self.holes.size:
            warp.cover(seen, self.holes)
        layout = torch.channels_last if batch.shape[1] > 1 else torch.contiguous_format
        return seen.to(dtype or torch.float32).contiguous(
            memory_format=layout
        )  # in one step: 3 times slower

    def pictures(self, batch: Tensor) -> Tensor:
        """Return what ``images`` shows as pictures again: uint8 (N, C, H, W) -> uint8 (N, C, h, w).

        Colours are cut to 0..255 and rounded; what is hidden is black.
        """
        seen = self.images(batch, (0.0,) * batch.shape[1], (1 / 255,) * batch.shape[1])
        return seen.round_().clamp_(0, 255).byte()

    def masks(self, masks: Tensor) -> Tensor:
        """Return masks moved like the pictures, nearest pixel: (N, H, W) -> (N, h, w).

        Class numbers must be below 2**24; the type stays.
        """
        self._check(tuple(masks.shape))
        moved = self._resample(masks[:, None], smooth=False)  # (N, 1, h, w)
        return moved[:, 0].to(masks.dtype)  # (N, h, w)

    def points(self, points: Tensor) -> Tensor:
        """Return where points of the working pictures lie in the window, (N, P, 2), x y.

        Points may land outside; whoever asks decides what that means.
        """
        import torch

        moved = places.moved(points.double().cpu().numpy(), self._to_window(), self.bend)
        return torch.from_numpy(moved).to(points)  # (N, P, 2)

    def boxes(
        self, boxes: Tensor, *, least: float = 0.1, outline: str = "rectangle"
    ) -> tuple[Tensor, Tensor]:
        """Return boxes moved like the pictures and which of them remain: (N, P, 4), (N, P).

        A moved box x1 y1 x2 y2 encloses what became of the old one, clipped to the window; it
        remains where at least the share ``least`` of it is inside. With the ``ellipse`` as its
        ``outline`` it encloses what became of the ellipse in the old box: objects seldom fill its
        corners, and boxes round turned corners are too large for them (Kalra et al., Towards
        Rotation Invariance in Object Detection, 2021, section 3).
        """
        import torch

        found = places.boxes(boxes.double().cpu().numpy(), self._to_window(), self.bend, outline)
        clipped, visible = places.clipped(found, self.frame.out)
        remain = torch.from_numpy(visible >= max(least, 1e-9)).to(boxes.device)
        return torch.from_numpy(clipped).to(boxes), remain

    def _check(self, shape: tuple[int, ...]) -> None:
        """Raise ``DataError`` unless ``shape`` is (N, H, W)."""
        if shape != (expected := (len(self), *self.frame.working)):
            raise DataError(
                f"a batch of (N, H, W) {shape}", expected=f"{expected}, what was drawn for"
            )

    def _to_window(self) -> Floats:
        """Return the matrices from points of the picture to points of the window, (N, 3, 3)."""
        (top, left), (h, w) = self.frame.corner, self.frame.out
        to_centre, from_centre = np.eye(3), np.eye(3)
        to_centre[:2, 2] = -(left + w / 2), -(top + h / 2)
        from_centre[:2, 2] = w / 2, h / 2
        return from_centre @ self.geometry @ to_centre

    def _seen(self, batch: Tensor, mean: Floats, std: Floats) -> Tensor:
        """Return pictures warped, recoloured, changed and normalised, (N, C, h, w), float32.

        mean and std (C, 1)
        """
        from opsin.augment import warp

        gain, offset = self._light(batch.shape[1])
        if not self.pixels:
            return self._warped(batch, gain / (255 * std), (offset - mean) / std)
        seen = self._warped(batch, gain / 255, offset)
        for operation, numbers in self.pixels:
            seen = operation.change(seen, numbers)
        return warp.recolour(seen, 1 / std[None], -(mean / std)[None])

    def _warped(self, batch: Tensor, gain: Floats, offset: Floats) -> Tensor:
        """Return the window of each picture recoloured, (N, C, H, W) -> (N, C, h, w), float32."""
        from opsin.augment import opencv, warp

        out, mirrors = self.frame.out, self.frame.mirrors
        if not opencv.suits(batch, out):
            return warp.recolour(self._resample(batch, smooth=True), gain, offset)
        total = self._to_window()
        if self._keeps_pixels(total):
            move = opencv.cutting(total, self.frame.working, out, mirrors)
        else:
            move = opencv.sampling(_inverse(total), out, self.bend, mirrors)
        return opencv.shown(batch, move, out, gain, offset)

    def _resample(self, batch: Tensor, *, smooth: bool) -> Tensor:
        """Return the window of each picture, (N, C, H, W) -> (N, C, h, w), in float32."""
        from opsin.augment import warp

        out, mirrors, total = self.frame.out, self.frame.mirrors, self._to_window()
        if self._keeps_pixels(total):
            return warp.cut(batch, total, out, mirrors=mirrors)
        to_picture = _inverse(total)
        return warp.sample(batch, to_picture, out, smooth=smooth, bend=self.bend, mirrors=mirrors)

    def _keeps_pixels(self, total: Floats) -> bool:
        """Say whether matrices (N, 3, 3) only mirror and shift by whole pixels, unbent."""
        turn, shift = total[:, :2, :2], total[:, :2, 2]
        return bool(
            self.bend is None
            and (total[:, 2] == [0, 0, 1]).all()
            and (turn[:, [0, 1], [1, 0]] == 0).all()
            and (np.abs(turn[:, [0, 1], [0, 1]]) == 1).all()
            and (shift == np.rint(shift)).all()
        )

    def _light(self, channels: int) -> tuple[Floats, Floats]:
        """Return what becomes of colours: gain (N or 1, C, C or 1), offset (N or 1, C, 1).

        A gain of width 1 scales each channel for itself.
        """
        if self.colour is None:
            return np.ones((1, channels, 1)), np.zeros((1, channels, 1))
        gain, offset = self.colour[:, :, :3], self.colour[:, :, 3:]
        grey = gain[:, :1].sum(axis=2, keepdims=True)  # grey is R = G = B
        if channels == 1:
            return grey, offset[:, :1]
        if channels == 4:
            both = np.zeros((len(gain), 4, 4))
            both[:, :3, :3], both[:, 3:, 3:] = gain, grey
            return both, np.concatenate([offset, offset[:, :1]], axis=1)
        return gain, offset


def _inverse(matrices: Floats) -> Floats:
    """Return the inverse of each matrix (N, 3, 3)."""
    found: Floats = np.linalg.inv(matrices).astype(np.float64, copy=False)
    return found
