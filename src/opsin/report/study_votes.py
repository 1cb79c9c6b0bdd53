"""The part of a study's page about ensembles: what votes reach, and the pictures all of them miss.

Shapes: C channels, h, w height and width of a picture.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from opsin.figures import count
from opsin.report.markup import data, name, paragraph, safe, table
from opsin.report.study_cells import scale
from opsin.report.study_story import Missed, StudyStory
from opsin.report.words import NARROW, number, opened

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHOWN = 60  # missed pictures that are shown
SIDE = 112  # pixels that a small picture is enlarged to, at least


def ensembles(story: StudyStory) -> str:
    """Return every ensemble: its members, how they vote and differ, and what it reaches."""
    if not story.ensembles:
        return ""
    written = scale(story)
    measures = list(dict.fromkeys(key for each in story.ensembles for key in each.diversity))
    rows = []
    for each in sorted(story.ensembles, key=lambda e: -e.accuracy.value):
        members = ", ".join(each.members)
        rows.append(
            [
                f'{name(each.name)}<span class="sense">{safe(members)}</span>',
                safe(each.how),
                str(len(each.members)),
                data(each.accuracy.value, written.score(each.accuracy.value)),
                safe(written.range(each.accuracy)),
                *(_share(each.diversity.get(key)) for key in measures),
            ]
        )
    heads = ["Ensemble", "Vote", "Members", "Right", f"95{NARROW}% interval"]
    heads += [safe(opened(key.replace("_", " "))) for key in measures]
    n = max(each.accuracy.n for each in story.ensembles)
    return table(f"Ensembles on {n:,} pictures", heads, rows, numbers="tt" + "n" * (len(heads) - 2))


def _share(value: float | None) -> str:
    return "–" if value is None else number(value)


def missed(story: StudyStory) -> str:
    """Return the pictures that every ensemble gets wrong: true, and what they said."""
    if not story.missed:
        return ""
    told = f"{count(len(story.missed), 'picture')} that every ensemble gets wrong."
    plates = "".join(_plate(each) for each in story.missed[:SHOWN])
    rest = len(story.missed) - SHOWN
    more = paragraph(f"And {rest:,} more.", "soft") if rest > 0 else ""
    return paragraph(told) + f'<ul class="gallery missed">{plates}</ul>{more}'


def _plate(each: Missed) -> str:
    """Return one missed picture with its caption, as in a table (true, said)."""
    said = ", ".join(dict.fromkeys(each.said))
    alt = f"labelled {each.true}, said {said}"
    image = "" if each.image is None else picture(each.image, alt)
    return (
        f"<li><figure>{image}<figcaption>"
        f'<span class="said">said <b>{name(said)}</b></span>'
        f'<span class="truth">labelled <b>{name(each.true)}</b></span>'
        f'<span class="path">no. {each.index}</span></figcaption></figure></li>'
    )


def picture(image: NDArray[np.uint8], alt: str) -> str:
    """Return an image (C, h, w) as an inline PNG, small ones enlarged without smoothing."""
    import numpy as np
    from PIL import Image

    pixels = np.ascontiguousarray(image.transpose(1, 2, 0))  # (h, w, C)
    drawn = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])
    drawn.thumbnail((256, 256))
    times = max(1, -(-SIDE // max(drawn.size)))
    stream = io.BytesIO()
    drawn.save(stream, "PNG", optimize=True)
    code = base64.b64encode(stream.getvalue()).decode("ascii")
    return (
        f'<img src="data:image/png;base64,{code}" alt="{safe(alt)}" '
        f'width="{times * drawn.width}" height="{times * drawn.height}"/>'
    )
