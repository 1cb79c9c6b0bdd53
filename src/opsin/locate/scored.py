"""How good the boxes are that a searcher finds, by the measures that detectors are held to.

Shapes: I pictures, P boxes said of all of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.decode import decode
from opsin.data.opening import PictureError
from opsin.errors import DataError
from opsin.figures import Measures, Metric
from opsin.locate.searcher import Searcher, TooSmall
from opsin.results import Boxes
from opsin.tasks._located import Found

USUAL = 0.5  # the score from which on boxes are told where no validation pictures choose one


def measured(searcher: Searcher, data: Dataset) -> Measures:
    """Measure a searcher on pictures with boxes; those that cannot be read are left out.

    Where the data has a test split, that is what is measured, else all but what was learnt and
    chosen from. The threshold is that of the best F1 on validation pictures, 0.5 without any; its n
    counts these. Raises ``DataError`` for truths that are no boxes, or of other classes.
    """
    if data.kind is not Boxes:
        raise DataError(f"truths of kind {data.kind.kind}", expected="boxes to be found")
    if data.classes and not set(data.classes) & set(searcher.classes):
        raise DataError(
            f"boxes of {', '.join(data.classes[:5])}",
            expected=f"some of what is looked for: {', '.join(searcher.classes[:5])}",
        )
    validation, test = data.split("validation"), data.split("test")
    other = data.keep(s for s in data.samples if s.split is None)
    rest = test if len(test) else other
    if not len(rest):  # nothing was held out but what the threshold would be chosen on
        rest, validation = (validation if len(validation) else data), data.keep(())
    threshold = _beside(searcher, validation).point("f1").threshold if len(validation) else USUAL
    found = _beside(searcher, rest).at(threshold)
    told = Metric(threshold, threshold, threshold, len(validation))
    return replace(found, metrics={**found.metrics, "threshold": told})


def _beside(searcher: Searcher, data: Dataset) -> Found:
    """Search all pictures and lay what was said beside what is true.

    However many objects a picture has, all count: COCO's rule looks at the 100 surest, and an
    aerial photograph shows more shrubs. In a picture too small for any window nothing is found.
    """
    said, true = [], []
    for sample in data.samples:
        if not isinstance(sample.truth, Boxes):
            continue
        try:
            said.append(searcher.find(decode(sample.image)))
        except PictureError:
            continue
        except TooSmall:
            said.append(Boxes(np.zeros((0, 4), np.float32)))
        true.append(sample.truth)
    if not said:
        raise DataError(
            f"{len(data)} pictures, none of which could be read",
            expected="at least one picture with boxes",
            remedy="See `opsin check`.",
        )
    most = max(1, *(len(boxes) for boxes in said))
    return Found(searcher.classes, said, true, most=most)
