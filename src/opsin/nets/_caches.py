"""Published weights on this machine: what a file is called, and in which cache it would lie.

Nothing here needs torch or the network.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Published:
    """Is a weight file on the network: a Hugging Face repository, or an address."""

    label: str
    licence: str
    repository: str = ""
    address: str = ""

    @property
    def sha256(self) -> str:
        """Return the start of the checksum that torch hub file names carry, or nothing."""
        found = re.search(r"-([0-9a-f]{8,})\.pth$", self.address)
        return found[1] if found else ""


def folders() -> list[Path]:
    """Return the caches: Hugging Face's and torch hub's, as the environment sets them."""
    home = Path(os.environ.get("HF_HOME") or "~/.cache/huggingface").expanduser()
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
    general = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    torch = Path(os.environ.get("TORCH_HOME") or general / "torch").expanduser()
    return [hub, torch / "hub" / "checkpoints"]


def cached(published: Published) -> Path | None:
    """Return the file in a cache, or None."""
    hub, checkpoints = folders()
    if published.address:
        path = checkpoints / published.address.rpartition("/")[2]
        return path if path.is_file() else None
    folder = hub / f"models--{published.repository.replace('/', '--')}"
    head = folder / "refs" / "main"
    if not head.is_file():
        return None
    path = folder / "snapshots" / head.read_text().strip() / "model.safetensors"
    return path if path.is_file() else None
