"""Copies a module, its loss and its inputs to float64, and asks the copy for its gradient.

In float32 seven digits are all there is, and half of them are lost in measuring a slope.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from opsin.errors import InputError
from opsin.ops._measured import Function


def doubled(
    module: nn.Module, loss: Callable[[Any], Tensor], inputs: tuple[Any, ...], seed: int
) -> tuple[Function, dict[str, Tensor]]:
    """Return the loss as a function of copies in float64, and those of them that have a slope."""
    if not isinstance(module, nn.Module):
        raise InputError(f"{type(module).__name__} as a module", expected="an nn.Module")
    if not callable(loss):
        raise InputError(
            f"{type(loss).__name__} as a loss",
            expected="a function of what the module returns",
            remedy="lambda outputs: torch.nn.functional.cross_entropy(outputs, labels)",
        )
    for name, parameter in module.named_parameters():
        if is_lazy(parameter) or parameter.is_meta or parameter.is_complex():
            raise InputError(
                f"the parameter {name}, without values or complex",
                expected="real numbers in memory",
                remedy="Run a lazy module once; move one from the meta device by to_empty.",
            )
    try:
        with torch.inference_mode(False):
            twin = copy.deepcopy(module).double()
            measured = copy.deepcopy(loss).double() if isinstance(loss, nn.Module) else loss
    except (RuntimeError, TypeError) as error:
        raise InputError(
            f"a module that cannot be copied to float64: {error}",
            expected="one that copy.deepcopy copies, on a device that knows float64",
            remedy="Make it anew, and check it before it has run.",
        ) from error
    leaves: dict[str, Tensor] = {
        name: p for name, p in twin.named_parameters() if p.requires_grad and p.numel()
    }
    for leaf in leaves.values():
        leaf.data = leaf.data.contiguous()
        leaf.grad = None
    given = list(inputs)
    for number, x in enumerate(inputs):
        if isinstance(x, Tensor) and x.is_floating_point() and x.numel():
            given[number] = _own(x)
            leaves[f"input {number}"] = given[number]
    if not leaves:
        raise InputError(
            "a module without parameters that learn, and no float inputs",
            expected="something that has a gradient",
        )
    return Function(twin, measured, given, seed), leaves


def _own(x: Tensor) -> Tensor:
    """Return a copy in float64 that a gradient ends in."""
    with torch.inference_mode(False):
        copied = x.detach().to(torch.float64, copy=True, memory_format=torch.contiguous_format)
        return copied.requires_grad_()


def analytic(function: Function, leaves: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the gradient that the module computes in each leaf; 0 where it does not reach."""
    try:
        with _Narrowings() as seen:
            found = function()
    except RuntimeError as error:
        raise InputError(
            f"a module or a loss that fails in float64: {error}",
            expected="one that runs on these inputs",
            remedy="Tensors of its own must be buffers, to be copied to float64 too.",
        ) from error
    if seen.found is not None:
        raise InputError(
            f"a module or a loss that goes from float64 to {seen.found} inside",
            expected="one that stays in the type it is given",
            remedy="Convert to torch.promote_types(x.dtype, torch.float32), not by x.float().",
        )
    _hold_to_number(found)
    found.backward()  # type: ignore[no-untyped-call, unused-ignore]
    slopes = {}
    for name, leaf in leaves.items():
        grad = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
        slopes[name] = grad.detach().to_dense().clone(memory_format=torch.contiguous_format)
        leaf.grad = None
    return slopes


class _Narrowings(TorchFunctionMode):
    """Notes where a number loses digits: a slope cannot be measured behind such a place."""

    found: torch.dtype | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        end = args[0] if result is None and args else result  # x[:] = y returns nothing
        name = getattr(func, "__name__", "")
        copies = not name.startswith("new_") and not name.endswith("_like")  # those take no numbers
        if copies and isinstance(end, Tensor) and end.is_floating_point():
            given = [x.dtype for x in args if isinstance(x, Tensor)]
            if torch.float64 in given and end.dtype != torch.float64:
                self.found = end.dtype
        return result


def _hold_to_number(found: object) -> None:
    """Raise ``InputError`` for a loss that is not one finite number in float64 with a gradient."""
    if not isinstance(found, Tensor) or found.numel() != 1:
        kind = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise InputError(
            f"a loss of {kind}", expected="one number", remedy="End it with .mean() or .sum()."
        )
    if not found.isfinite():
        raise InputError(f"a loss of {found.item()}", expected="a finite number")
    if not found.requires_grad:
        raise InputError(
            "a loss that no gradient leads back from",
            expected="one that depends on parameters or inputs",
            remedy="Take no_grad, detach and argmax off the way.",
        )
