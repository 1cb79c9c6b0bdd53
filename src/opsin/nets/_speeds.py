"""How fast nets were measured to be on this machine: a file in the user's cache folder.

A speed holds for the machine, the threads and the versions it was measured with; with others the
net counts as not measured.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from opsin.files import write_json

RUNTIMES = ("torch", "openvino")  # what computes: another version is another speed


@dataclass(frozen=True, slots=True)
class Speed:
    """Is how many pictures a second a net takes, forward, and in which runtime."""

    rate: float
    runtime: str


def file() -> Path:
    """Return the file: in $XDG_CACHE_HOME, or ~/.cache."""
    general = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(general).expanduser() / "opsin" / "speed.json"


def here() -> str:
    """Return what a speed depends on, in one line: processor, cores, threads, versions."""
    versions = [f"{name} {_version(name)}" for name in RUNTIMES]
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    return ", ".join([_processor(), f"{_cores()} cores, {threads} threads", *versions])


def _cores() -> int:
    """Return the cores this process may use."""
    able = getattr(os, "sched_getaffinity", None)
    return len(able(0)) if able else os.cpu_count() or 1


def _processor() -> str:
    """Return the processor's name."""
    listed = Path("/proc/cpuinfo")
    if listed.is_file():
        for line in listed.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def read() -> dict[str, Speed]:
    """Return what was measured here, by net; a file that is damaged or foreign holds nothing."""
    try:
        found = json.loads(file().read_text(encoding="utf-8"))[here()]
        return {str(name): Speed(float(n["rate"]), str(n["runtime"])) for name, n in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def remember(net: str, speed: Speed) -> None:
    """Add one speed to the file; raise ``DataError`` where the cache cannot be written."""
    try:
        every = json.loads(file().read_text(encoding="utf-8"))
        known = every.get(here(), {})
    except (OSError, ValueError, AttributeError):
        every, known = {}, {}
    write_json(file(), every | {here(): known | {net: asdict(speed)}})
