"""OpenVINO: the fastest way forward on x86, one picture a request, several requests at a time.

A batch of one keeps what a net passes between its layers in the cache of a core; on two Zen 5 cores
MobileNetV2 at 224 px runs 746 images/s so, and 409 in batches of 32. It also makes what is said of
a picture independent of the others by construction.

Requests are waited for in turn. OpenVINO's queue would call back into Python instead, and a net
that is dropped while one of its threads still holds a callback waits for that thread for ever, with
the interpreter's lock that the thread needs (seen within 600 loads; not in 3,000 this way).

The graph goes straight from a torch trace into OpenVINO's front end. ``openvino.convert_model``
would do the same in five times the time, and report the call to its maker.

Shapes: N pictures, C channels, h and w of the net's input.
"""

from __future__ import annotations

import importlib.util
import platform
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from opsin.data.preprocess import Preprocessing
from opsin.runtimes._runtime import Normalised, expect

if TYPE_CHECKING:
    from opsin.runtimes._runtime import Outputs, Pictures

HINTS = {"bf16": "bf16", "float32": "f32"}


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
    """Runs a compiled net, one picture a request."""

    def __init__(self, compiled: Any, shape: tuple[int, ...], device: str, precision: str) -> None:
        self.compiled, self.shape = compiled, shape
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
        idle = [self.compiled.create_infer_request() for _ in range(self.requests)]
        busy: deque[tuple[Any, _Batch, int]] = deque()
        under_way: deque[_Batch] = deque()

        def collect() -> None:
            request, batch, index = busy.popleft()
            request.wait()
            batch.outputs[index] = request.get_output_tensor(0).data[0]
            batch.left -= 1
            idle.append(request)

        try:
            for images in batches:
                batch = _Batch(expect(images, self.shape), self.output)
                under_way.append(batch)
                for index in range(batch.left):
                    if not idle:
                        collect()
                    request = idle.pop()
                    request.start_async({0: batch.images[index : index + 1]})
                    busy.append((request, batch, index))
                while under_way and not under_way[0].left:
                    yield under_way.popleft().outputs
            while under_way:
                while under_way[0].left:
                    collect()
                yield under_way.popleft().outputs
        finally:  # who leaves early must not leave work behind
            for request, _, _ in busy:
                request.wait()


class _Batch:
    """Gathers the outputs of one batch; ``left`` counts those that are still to come."""

    def __init__(self, images: Pictures, output: tuple[int, ...]) -> None:
        self.images = images
        self.outputs = np.empty((len(images), *output), np.float32)
        self.left = len(images)


def load(net: nn.Module, pre: Preprocessing, *, device: str, precision: str) -> OpenVINO:
    """Compile the net for this processor; it is left as it was."""
    import openvino

    shape = (pre.channels, *pre.size)
    model = _converted(net, pre, shape)
    model.input(0).get_node().set_element_type(openvino.Type.u8)
    model.reshape([1, *shape])
    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": HINTS[precision]}
    compiled = openvino.Core().compile_model(model, device.upper(), settings)
    return OpenVINO(compiled, shape, device, precision)


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
