"""OpenVINO: the fastest way forward on x86, one photo a request, several requests at a time.

A batch of one keeps what a net passes between its layers in the cache of a core; on two Zen 5 cores
MobileNetV2 at 224 px runs 746 images/s so, and 409 in batches of 32. It also makes what is said of
a picture independent of the others by construction. Small pictures go together, as many as fill a
third of a photo: a request costs 0.15 ms in Python, a digit 0.01 ms in LeNet. Their number is
fixed, whatever is left of other pictures fills the last request, and company still changes nothing.

Requests are waited for in turn. OpenVINO's queue would call back into Python instead, and a net
that is dropped while one of its threads still holds a callback waits for that thread for ever, with
the interpreter's lock that the thread needs (seen within 600 loads; not in 3,000 this way).

The graph goes straight from a torch trace into OpenVINO's front end. ``openvino.convert_model``
would do the same in five times the time, and report the call to its maker.

Shapes: N pictures, C channels, h and w of the net's input.
"""

from __future__ import annotations

import importlib.util
import math
import platform
import sys
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from opsin.data.preprocess import Preprocessing
from opsin.runtimes import _int8
from opsin.runtimes._runtime import Normalised, expect

if TYPE_CHECKING:
    from opsin.runtimes._int8 import Ranges
    from opsin.runtimes._runtime import Outputs, Pictures

# OpenVINO reports its use to its maker from a process that it forks, which holds on to all that a
# worker had open, long after that one was killed. Without the package that reports it uses a stub.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

HINTS = {"bf16": "bf16", "float32": "f32"}
FILLED = 50_000  # numbers in a request, below which pictures go together: 64 digits


def available(device: str) -> bool:
    """Say whether OpenVINO is installed and made for this processor."""
    here = platform.machine().lower() in ("x86_64", "amd64")
    return device == "cpu" and here and importlib.util.find_spec("openvino") is not None


def precisions(device: str) -> list[str]:
    """Return bf16 first where the processor has it."""
    import openvino

    able = openvino.Core().get_property(device.upper(), "OPTIMIZATION_CAPABILITIES")
    return ["bf16", "float32"] if "BF16" in able else ["float32"]


class OpenVINO:
    """Runs a compiled net, ``together`` pictures a request."""

    def __init__(self, compiled: Any, shape: tuple[int, ...], device: str, precision: str) -> None:
        self.compiled, self.shape = compiled, shape
        self.together = int(compiled.input(0).shape[0])
        self.device, self.precision = device, precision
        self.name = f"OpenVINO on {device} in {precision}"
        self.output = tuple(compiled.output(0).shape)[1:]
        # Twice what the cores take at a time, so that none waits for Python to hand it the next.
        self.requests = 2 * int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    def run(self, images: Pictures) -> Outputs:
        """Return what the net gives for pictures (N, C, h, w): an array (N, ...)."""
        return next(self.stream([images]))

    def stream(self, batches: Iterable[Pictures]) -> Iterator[Outputs]:
        """Yield the outputs of each batch (n, C, h, w), in order, working ahead on the next."""
        idle = [_Request(self.compiled) for _ in range(self.requests)]
        busy: deque[tuple[_Request, _Batch, int]] = deque()  # request, batch, its first picture
        under_way: deque[_Batch] = deque()

        def collect() -> None:
            request, batch, start = busy.popleft()
            some = batch.outputs[start : start + self.together]
            some[:] = request.answer()[: len(some)]
            batch.left -= len(some)
            idle.append(request)

        try:
            for images in batches:
                images = expect(images, self.shape)
                batch = _Batch(len(images), self.output)
                under_way.append(batch)
                for start in range(0, len(images), self.together):
                    if not idle:
                        collect()
                    request = idle.pop()
                    request.ask(images[start : start + self.together])
                    busy.append((request, batch, start))
                while under_way and not under_way[0].left:
                    yield under_way.popleft().outputs
            while under_way:
                while under_way[0].left:
                    collect()
                yield under_way.popleft().outputs
        finally:  # who leaves early must not leave work behind
            for request, _, _ in busy:
                request.answer()


class _Request:
    """Is a place for pictures, and for what is said of them.

    Pictures are written where OpenVINO reads them: its own way of handing arrays over took a tenth
    of what patches of 80 pixels take in a small net.
    """

    def __init__(self, compiled: Any) -> None:
        self.request = compiled.create_infer_request()
        self.pictures = self.request.get_input_tensor(0).data
        self.outputs = self.request.get_output_tensor(0).data

    def ask(self, images: Pictures) -> None:
        """Start on pictures, as many as it takes or fewer: others say nothing about them."""
        self.pictures[: len(images)] = images
        self.request.start_async()

    def answer(self) -> Outputs:
        """Return what is said of all places, once it is; it is overwritten by the next."""
        self.request.wait()
        outputs: Outputs = self.outputs
        return outputs


class _Batch:
    """Gathers the outputs of a batch of n; ``left`` counts those that are still to come."""

    def __init__(self, n: int, output: tuple[int, ...]) -> None:
        self.outputs = np.empty((n, *output), np.float32)
        self.left = n


def load(net: nn.Module, pre: Preprocessing, *, device: str, precision: str) -> OpenVINO:
    """Compile the net for this processor; it is left as it was."""
    return _compiled(_graph(net, pre), pre, device, precision, HINTS[precision])


def quantized(net: nn.Module, pre: Preprocessing, ranges: Ranges, *, device: str) -> OpenVINO:
    """Compile the net so that its convolutions multiply whole numbers, by ``ranges`` (R, 2)."""
    model = _graph(net, pre)
    _int8.put_in(model, ranges)
    return _compiled(model, pre, device, "int8", HINTS[precisions(device)[0]])


def ranges(
    net: nn.Module, pre: Preprocessing, pictures: Pictures, *, device: str
) -> list[tuple[float, float]]:
    """Return what each convolution of the net reads of pictures (N, C, h, w): see ``quantized``."""
    model = _graph(net, pre)
    model.reshape([1, *pictures.shape[1:]])
    alone = (np.ascontiguousarray(pictures[place : place + 1]) for place in range(len(pictures)))
    return _int8.ranges(model, device, alone)


def _compiled(model: Any, pre: Preprocessing, device: str, precision: str, hint: str) -> OpenVINO:
    """Return the runtime of a graph; ``hint`` is what is multiplied where it says nothing else."""
    import openvino

    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": hint}
    compiled = openvino.Core().compile_model(model, device.upper(), settings)
    return OpenVINO(compiled, (pre.channels, *pre.size), device, precision)


def _graph(net: nn.Module, pre: Preprocessing) -> Any:
    """Return the net as an OpenVINO graph of as many uint8 pictures as go together."""
    import openvino

    shape = (pre.channels, *pre.size)
    model = _converted(net, pre, shape)
    model.input(0).get_node().set_element_type(openvino.Type.u8)
    model.reshape([max(1, FILLED // math.prod(shape)), *shape])
    return model


def _converted(net: nn.Module, pre: Preprocessing, shape: tuple[int, ...]) -> Any:
    """Return the net as an OpenVINO graph, by way of a frozen torch trace."""
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    training = net.training
    example = torch.zeros((1, *shape), dtype=torch.uint8)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch announces the end of tracing; see the tests
        trace: Any = torch.jit.trace  # has no types of its own
        traced = trace(Normalised(net, pre).eval(), example, check_trace=False)
        decoder = TorchScriptPythonDecoder(torch.jit.freeze(traced))
        front = FrontEndManager().load_by_framework("pytorch")
        model = front.convert(front.load(decoder))
    net.train(training)
    return model
