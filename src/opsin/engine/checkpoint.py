"""Tensors and a JSON header in one safetensors file: what a run needs to go on, bit for bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from opsin.errors import ModelError
from opsin.files import replacing

LARGEST = 8 << 30  # bytes; a file beyond this is refused before any memory is taken


def save(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write tensors and a JSON header to ``path``, whole or not at all."""
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as beside:
        try:
            save_file(stored, beside, metadata={"opsin": json.dumps(header)})
        except SafetensorError as error:  # safetensors wraps the error of a full disk
            raise OSError(str(error)) from error


def read_header(path: Path) -> dict[str, Any]:
    """Return the JSON header of a file that ``save`` wrote, without reading its tensors.

    Raises ``ModelError`` for a file that is missing, damaged, foreign or too large.
    """
    with _opened(path) as file:
        return _header(path, file.metadata())


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and the header that ``save`` wrote; raise ``ModelError`` otherwise."""
    with _opened(path) as file:
        header = _header(path, file.metadata())
        return {name: file.get_tensor(name) for name in file.keys()}, header  # noqa: SIM118


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of names and contents of tensors, in the order of their names.

    >>> digest({"a": torch.zeros(2)})[:8]
    '50edc262'
    """
    found = hashlib.sha256()
    for name in sorted(tensors):
        found.update(name.encode())
        flat = tensors[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        found.update(flat.numpy().data)
    return found.hexdigest()


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor in the file without reading them."""
    with _opened(path) as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118


def _opened(path: Path) -> Any:
    """Open a safetensors file; the format itself checks lengths and offsets before reading."""
    remedy = "Give the path of a file written by `opsin train`."
    if not path.is_file():
        raise ModelError(f"{path}, which is no file", expected="a model file", remedy=remedy)
    size = path.stat().st_size
    if size > LARGEST:
        raise ModelError(
            f"{path} of {size:,} bytes", expected=f"at most {LARGEST:,}", remedy=remedy
        )
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(
            f"{path}, which is damaged or of another kind ({error})",
            expected="a whole safetensors file",
            remedy=remedy,
        ) from error


def _header(path: Path, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    try:
        header = json.loads((metadata or {})["opsin"])
    except (KeyError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{path}, a safetensors file without our header",
            expected="a file written by `opsin train`",
            remedy="For weights of another origin use --weights.",
        ) from error
    if not isinstance(header, dict):
        raise ModelError(f"{path} with the header {type(header).__name__}", expected="an object")
    return header


def pack(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors under ``prefix/name``."""
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def unpack(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors that ``pack`` put under ``prefix``, without it.

    >>> unpack("net", pack("net", {"w": torch.zeros(1)}) | pack("best", {"w": torch.ones(1)}))
    {'w': tensor([0.])}
    """
    start = f"{prefix}/"
    return {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}


def pack_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the state of an optimizer as tensors named ``index.key``."""
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{key}": torch.as_tensor(value)
        for index, row in state.items()
        for key, value in row.items()
        if value is not None
    }


def unpack_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what ``pack_optimizer`` took out, into an optimizer built in the same way."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
