"""Choosing the fastest runtime that agrees with plain torch, and measuring how fast it is.

Shapes: N pictures, C channels, h and w of the net's input, n examples.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from opsin.data.preprocess import Preprocessing
from opsin.errors import ModelError
from opsin.runtimes import openvino
from opsin.runtimes._runtime import Runtime, find

if TYPE_CHECKING:
    from opsin.runtimes._int8 import Ranges
    from opsin.runtimes._runtime import Outputs, Pictures

# Root mean square, of the spread of the outputs, in the worst example. bf16 was measured at 0.05 to
# 0.09 on photographs, where features so disturbed train heads of the same accuracy.
TOLERANCE = 0.15
STEADY = 1e-3  # of the largest output: what varies by less is as good as constant
CLEAR = 0.25  # a winner this far ahead of the second, of its own height, must win again
ORDER = ("openvino", "torch")  # on a processor; a GPU has torch alone
EXAMPLES = 8  # pictures the runtimes are compared on


def load(
    name: str, net: nn.Module, pre: Preprocessing, *, device: str = "auto", precision: str = "auto"
) -> Runtime:
    """Return the net in the runtime called ``name``, unchecked: see ``fastest``."""
    device, runtime = resolved(device), find(name)
    chosen = runtime.precisions(device)[0] if precision == "auto" else precision
    return runtime.load(net, pre, device=device, precision=chosen)


def fastest(
    net: nn.Module,
    pre: Preprocessing,
    *,
    device: str = "auto",
    precision: str = "auto",
    examples: Pictures | None = None,
) -> Runtime:
    """Return the fastest runtime of this machine that says what plain torch in float32 says.

    ``examples`` (n, C, h, w) are what they are compared on, noise where none are given. A runtime
    that differs by more than ``TOLERANCE``, or that fails, gives way to the next: lower precision
    before higher, OpenVINO before torch. A net that is ``counted`` computes outside of all of them.
    """
    device = resolved(device)
    reference = find("torch").load(net, pre, device=device, precision="float32")
    if getattr(net, "counted", False):
        return reference
    pictures = _noise(pre) if examples is None or not len(examples) else examples[:EXAMPLES]
    wanted = reference.run(pictures)
    for name in ORDER:
        runtime = find(name)
        if not runtime.available(device):
            continue
        able = runtime.precisions(device)
        for arithmetic in able if precision == "auto" else [precision]:
            if (name, arithmetic) == ("torch", "float32"):
                return reference
            found = _tried(name, net, pre, device, arithmetic)
            if found is not None and agrees(found.run(pictures), wanted):
                return found
    return reference


def in_int8(
    net: nn.Module, pre: Preprocessing, ranges: Ranges, *, device: str = "auto"
) -> Runtime | None:
    """Return the net in whole numbers of 8 bits, None where this machine cannot run it so.

    How well it agrees with plain torch was measured when ``ranges`` were (``opsin quantize``).
    """
    device = resolved(device)
    if not openvino.available(device):
        return None
    try:
        found = openvino.quantized(net, pre, ranges, device=device)
    except Exception:  # as in ``_tried``
        return None
    return found if np.isfinite(found.run(_noise(pre)[:1])).all() else None


def ranges(
    net: nn.Module, pre: Preprocessing, pictures: Pictures, *, device: str = "auto"
) -> list[tuple[float, float]]:
    """Return what each convolution reads of pictures (N, C, h, w), for ``in_int8``.

    Raises ``ModelError`` where nothing on this machine computes in 8 bits.
    """
    device = resolved(device)
    if not openvino.available(device):
        raise ModelError(
            f"{device} without OpenVINO",
            expected="an x86 processor and the package openvino",
            remedy="Run this on a processor (--device cpu).",
        )
    if getattr(net, "counted", False):
        raise ModelError("a net that computes outside of OpenVINO", expected="one that does not")
    try:
        return openvino.ranges(net, pre, pictures, device=device)
    except Exception as error:  # as in ``_tried``
        why = " ".join(str(error).split())[:120]
        raise ModelError(
            f"a net that OpenVINO cannot take ({why})", expected="one that it runs"
        ) from error


def resolved(device: str) -> str:
    """Return cpu or cuda; ``auto`` is a GPU where there is one."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def difference(found: Outputs, wanted: Outputs) -> float:
    """Return how far outputs (n, ...) are off: root mean square over spread, the worst example.

    The spread is the standard deviation over all examples. Candidates (n, M, 4 + K) are judged
    column by column, and the worst counts: scores are a hundredth of what pixels are, and would
    never be missed beside them.

    >>> wanted = np.array([[0.0, 2.0], [2.0, 0.0]], np.float32)
    >>> round(difference(wanted + np.float32(0.1), wanted), 3)
    0.1
    """
    if not np.isfinite(found).all() or found.shape != wanted.shape:
        return float("inf")
    if wanted.ndim == 3:
        columns = zip(np.moveaxis(found, 2, 0), np.moveaxis(wanted, 2, 0), strict=True)
        return max((_off(one, other) for one, other in columns), default=0.0)
    return _off(found, wanted)


def _off(found: Outputs, wanted: Outputs) -> float:
    """Return the difference of outputs (n, ...) of one kind."""
    off = (found - wanted).reshape(len(wanted), -1).astype(np.float64)
    spread = max(float(wanted.astype(np.float64).std()), STEADY * float(np.abs(wanted).max()))
    worst = float(np.sqrt((off**2).mean(1)).max())
    return worst / max(spread, 1e-12) if worst else 0.0


def agrees(found: Outputs, wanted: Outputs) -> bool:
    """Say whether outputs (n, ...) are close, with the same winner wherever it was clear.

    >>> wanted = np.array([[0.0, 4.0, 1.0], [5.0, 1.0, 0.0]], np.float32)
    >>> agrees(wanted + np.float32(0.1), wanted), agrees(wanted[::-1], wanted)
    (True, False)
    """
    if difference(found, wanted) > TOLERANCE:
        return False
    if wanted.ndim != 2 or wanted.shape[1] < 2:
        return True
    second, first = np.sort(wanted, axis=1)[:, -2:].T
    clear = first - second > CLEAR * (first - wanted.mean(axis=1))
    return bool((found.argmax(1) == wanted.argmax(1))[clear].all())


def throughput(runtime: Runtime, pictures: Pictures, *, seconds: float = 0.3) -> float:
    """Return how many pictures a second a runtime takes, measured for about that long.

    ``pictures`` (n, C, h, w) are run again and again, after one warm-up.
    """
    runtime.run(pictures[:1])
    done, began = 0, time.perf_counter()
    deadline = began + seconds

    def again() -> Iterator[Pictures]:
        while time.perf_counter() < deadline:
            yield pictures

    for outputs in runtime.stream(again()):
        done += len(outputs)
    return done / (time.perf_counter() - began)


def _tried(
    name: str, net: nn.Module, pre: Preprocessing, device: str, precision: str
) -> Runtime | None:
    """Return a runtime, or None where it cannot take this net (an operator it does not know)."""
    try:
        return find(name).load(net, pre, device=device, precision=precision)
    except Exception:  # each library fails in words of its own; torch itself always remains
        return None


def _noise(pre: Preprocessing) -> Pictures:
    """Draw pictures of noise, the same each time."""
    draws = np.random.default_rng(0)
    return draws.integers(0, 256, (EXAMPLES, pre.channels, *pre.size), dtype=np.uint8)
