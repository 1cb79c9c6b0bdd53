"""What ``opsin nets`` answers: the table of nets, or one in numbers, drawn, measured, looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from opsin.errors import InputError
from opsin.events import Event, follow
from opsin.lessons.net_tables import Described, Listed
from opsin.nets import catalogue, described
from opsin.nets._catalogue import row
from opsin.nets._describe import describe
from opsin.nets._lineage import ORIGINS
from opsin.nets._named import picture
from opsin.nets._spec import parse
from opsin.nets._speeds import Speed

if TYPE_CHECKING:
    from opsin.committee import Committee

MOST_BATCH = 1_000_000


@dataclass(frozen=True)
class Asked:
    """Is what is asked of a net: pictures "HxWxC", outputs, and a batch to count memory for."""

    input: str | None = None
    classes: int | None = None
    batch: int = 32


def list_nets() -> Listed:
    """Return the table of nets."""
    return Listed(catalogue())


def answer(net: str | None, spec: str | None, asked: Asked) -> Described:
    """Return a net in numbers: one with a name, a trained one, or the one of the line ``spec``.

    Raises what ``nets.described`` raises, and ``InputError`` for an input or a batch that is none.
    """
    if not 1 <= asked.batch <= MOST_BATCH:
        raise InputError(f"batch {asked.batch}", expected=f"1 to {MOST_BATCH:,}")
    size, channels = picture(asked.input) if asked.input is not None else (None, None)
    classes = asked.classes
    if net is not None and is_model(net):
        from opsin.committee import Committee
        from opsin.model import Model

        model = Model.load(net)
        net, pre = model.net_name, model.preprocessing
        size, channels = size or pre.size, channels or pre.channels
        if isinstance(model.net, Committee):
            return _several(model.net, net, asked, (size, channels))
        classes = classes or model.task.outputs
    drawn = parse(spec) if spec is not None else net or ""
    found = described(drawn, size=size, channels=channels, classes=classes)
    return Described(found, asked.batch, row(found.name) if found.name in ORIGINS else {})


def _several(
    committee: Committee, name: str, asked: Asked, frame: tuple[tuple[int, int], int]
) -> Described:
    """Return several nets that answer as one, side by side, in numbers."""
    from opsin.nets._record import record

    if asked.classes is not None:
        raise InputError(
            f"classes {asked.classes} for a model made of {len(committee.members)}",
            expected="none: each member has its own last layer",
        )
    size, channels = frame
    return Described(describe(record(committee, channels, size, name), size), asked.batch, {})


def measure(names: Sequence[str], watch: Callable[[Event], None]) -> dict[str, Speed]:
    """Measure how many pictures a second nets take here, all known ones if none is named."""
    from opsin.runtimes._speed import measure_all

    return follow(measure_all(names or list(ORIGINS)), watch)


def is_model(net: str) -> bool:
    """Say whether a person points at a trained model: its file, or the folder of its run."""
    path = Path(net).expanduser()
    return path.suffix == ".safetensors" or (path / "model.safetensors").is_file()


def drawn(found: Described, out: str | Path) -> Described:
    """Draw a net into an SVG file; raise ``InputError`` or ``DataError`` where that cannot be."""
    from opsin.lessons.draw_net import draw_file

    path = draw_file(found.net, out, found.paper)
    return replace(found, files=(*found.files, str(path)))


def shown(
    found: Described, net: str | None, image: str | Path, out: str | Path, layer: str | None
) -> Described:
    """Write what a trained net sees in a picture to ``out``; raise as ``maps.draw_file`` does."""
    from opsin.lessons.maps import draw_file

    if net is None:
        raise InputError("maps of a net in a line", expected="a trained net")
    path = draw_file(net, image, out, layer=layer)
    return replace(found, files=(*found.files, str(path)))


def measured(found: Described, watch: Callable[[Event], None]) -> Described:
    """Return a net with its speed on this machine."""
    name = found.net.name
    speed = measure([name], watch).get(name)
    told = {"images_per_second": speed.rate, "runtime": speed.runtime} if speed else {}
    return replace(found, about=found.about | told)
