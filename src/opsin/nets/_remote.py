"""What timm and torchvision publish: where a net's weights are, in which cache, how they are named.

Nothing here touches the network but ``fetch``.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from opsin.data.preprocess import Preprocessing
from opsin.nets._aliases import canonical
from opsin.nets._build import in_timm, in_torchvision, quiet
from opsin.nets._caches import Published, folders

if TYPE_CHECKING:
    from torch import Tensor

IMAGENET = Preprocessing((224, 224), interpolation="bilinear")


def known(net: str) -> Published | None:
    """Return what is published for a net, or None."""
    net = canonical(net)
    if in_timm(net):
        config = _config(net)
        licence = str(config.get("license") or "see its page")
        if repository := config.get("hf_hub_id"):
            return Published(f"huggingface.co/{repository}", licence, repository=repository)
        if address := config.get("url"):
            return Published(address, licence, address=address)
    elif in_torchvision(net):
        from torchvision.models import get_model_weights

        default: Any = get_model_weights(net).DEFAULT
        return Published(default.url, "BSD-3-Clause (torchvision)", address=default.url)
    return None


def preprocessing(net: str) -> Preprocessing:
    """Return how pictures are prepared for the weights that are published for a net."""
    if in_timm(net):
        config = _config(net)
        usable = config.get("interpolation") in ("bilinear", "bicubic")
        mean = tuple(config.get("mean") or IMAGENET.mean)
        return Preprocessing(
            size=tuple(config.get("input_size", (3, 224, 224))[1:]),
            crop=config.get("crop_pct") or 0.875,
            interpolation=config["interpolation"] if usable else "bicubic",
            mean=mean,
            std=tuple(config.get("std") or IMAGENET.std),
        )
    if in_torchvision(net):
        from torchvision.models import get_model_weights

        steps = get_model_weights(net).DEFAULT.transforms()
        size = steps.crop_size[0]
        return Preprocessing(
            size=(size, size),
            crop=round(size / steps.resize_size[0], 4),
            interpolation=steps.interpolation.value,
            mean=tuple(steps.mean),
            std=tuple(steps.std),
        )
    return IMAGENET


def _config(net: str) -> dict[str, Any]:
    """Return timm's notes on the default weights of a net."""
    with quiet():
        from timm.models import get_pretrained_cfg

        found = get_pretrained_cfg(net)
    return dict(found.to_dict()) if found else {}


def fetch(published: Published) -> Path:
    """Download into the usual cache and return the file; raise ``OSError`` where that fails."""
    hub, checkpoints = folders()
    hugging = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    _reach(published.address or hugging)
    try:
        if published.repository:
            from huggingface_hub import hf_hub_download

            return Path(hf_hub_download(published.repository, "model.safetensors", cache_dir=hub))
        import torch

        path = checkpoints / published.address.rpartition("/")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        prefix = published.sha256 or None
        torch.hub.download_url_to_file(published.address, str(path), prefix, progress=False)
        return path
    except Exception as error:  # each client has error classes of its own
        raise OSError(f"{type(error).__name__}: {error}") from error


def _reach(address: str) -> None:
    """Raise ``OSError`` at once where there is no network: the clients would retry for 24 s.

    Behind a proxy nothing can be said beforehand.
    """
    host = urlsplit(address).hostname
    if host and not getproxies():
        socket.create_connection((host, 443), timeout=5).close()


def renamed(net: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors of an older file under the names timm uses today."""
    if not in_timm(net):
        return tensors
    import importlib

    import timm

    with quiet():
        module = importlib.import_module(timm.model_entrypoint(net).__module__)
    rename = getattr(module, "checkpoint_filter_fn", None)
    if rename is None:
        return tensors
    import torch

    with torch.device("meta"), quiet():
        return dict(rename(tensors, timm.create_model(net)))
