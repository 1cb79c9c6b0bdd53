"""Which setting is better, on the same seeds and the same pictures, and how sure that is.

Three questions can be asked of the gain of one setting over another, and each has its own test:

* **seeds**: would other trainings differ the same way on these pictures? The differences of seed
  pairs, their signs flipped in all ways. It assumes nothing, but five seeds cannot give less than
  p = 2/32 = 0.0625, whatever they show.
* **pictures**: would these very nets differ the same way on other pictures of this kind? For each
  picture, how many seeds of one are right less how many of the other, signs flipped, counted
  exactly; with one seed it is McNemar's test. Thousands of pictures give it power, but it speaks of
  the nets that were trained, not of those that might have been.
* **both**: would other trainings differ on other pictures? A t test whose variance is the sum of
  that over seeds and that over pictures (chance that belongs to both is counted twice, so it errs
  on the careful side), with Satterthwaite's degrees of freedom. It assumes that seeds differ about
  normally (Bouthillier et al., Accounting for Variance in Machine Learning Benchmarks, 2021).

A setting is called better by the last alone. In a simulation of two settings that are alike, five
seeds each, 2,000 or 10,000 pictures, scores with an sd of 0.06 to 0.23 points over seeds, p < 0.05
came out over pictures in 4 % to 58 % of 400 studies, over both in 1 % to 5 %.

Comparisons are corrected by Holm within their family. The best setting is found by looking at all,
so its lead is corrected as one of all pairs that might have been looked at.

Shapes: S common seeds, N pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from opsin.figures import Metric
from opsin.metrics.means import margin, mean
from opsin.metrics.paired import flipped, flipped_whole, holm, shift, smallest
from opsin.report.study_story import Cell, Difference, Evidence, Family, Setting
from opsin.study.pictures import Answers
from opsin.study.rows import Row, Study

BASELINES = ("original", "none", "baseline", "off")  # values that mean: without it


def best(cells: Sequence[Cell], sign: int) -> Cell | None:
    """Return the cell with the best mean, the first of equals."""
    return max(cells, key=lambda cell: sign * cell.score.value, default=None)


def against_best(study: Study, cells: Sequence[Cell], answers: Answers) -> Family:
    """Compare the best setting with every other, the closest first, as one of all pairs."""
    first = best(cells, study.sign)
    if first is None:
        return Family((), 0)
    pairs = [(first, cell) for cell in cells if cell is not first]
    pairs.sort(key=lambda pair: -study.sign * pair[1].score.value)
    return _family(study, pairs, answers, of=len(cells) * (len(cells) - 1) // 2)


def against_baseline(study: Study, cells: Sequence[Cell], answers: Answers) -> tuple[str, Family]:
    """Compare every setting with the one that differs in having no augmentation, say, at all.

    The baseline is the first field's value that is named in ``BASELINES``; "" where none is.
    """
    found = {cell.setting: cell for cell in cells}
    for name, values in study.fields.items():
        plain = next((value for value in values if value.lower() in BASELINES), None)
        if plain is None or len(values) < 2:
            continue
        pairs = []
        for cell in cells:
            base = tuple((k, plain if k == name else v) for k, v in cell.setting)
            if base != cell.setting and base in found:
                pairs.append((cell, found[base]))
        return plain, _family(study, pairs, answers)
    return "", Family((), 0)


def _family(
    study: Study, pairs: Sequence[tuple[Cell, Cell]], answers: Answers, of: int = 0
) -> Family:
    """Compare pairs of cells and correct for as many as were made, each question for itself."""
    rows: dict[Setting, dict[int, Row]] = {}
    for row in study.done:
        rows.setdefault(row.setting, {})[row.seed] = row
    found = [_difference(study, a, b, rows, answers) for a, b in pairs]
    for question in ("seeds", "pictures", "both"):
        asked = [i for i, each in enumerate(found) if getattr(each, question) is not None]
        wanted = holm([getattr(found[i], question).p for i in asked], of)
        for i, p in zip(asked, wanted, strict=True):
            evidence = replace(getattr(found[i], question), corrected=p)
            found[i] = replace(found[i], **{question: evidence})
    return Family(tuple(found), max(of, len(pairs)))


def _difference(
    study: Study,
    first: Cell,
    second: Cell,
    rows: dict[Setting, dict[int, Row]],
    answers: Answers,
) -> Difference:
    """Compare two cells on the seeds that both have, not corrected yet."""
    ours, theirs = rows[first.setting], rows[second.setting]
    shared = sorted(set(ours) & set(theirs))
    scores = [(ours[s].scores[study.split], theirs[s].scores[study.split]) for s in shared]
    gains = study.sign * np.array([a - b for a, b in scores], np.float64)  # (S,)
    plain = study.sign * (first.score.value - second.score.value)
    seeds = _over_seeds(gains)
    parts = _over_pictures(study.sign, [(ours[s].id, theirs[s].id) for s in shared], answers)
    pictures = None if parts is None else _pictures(parts, len(shared))
    return Difference(
        first=first.name,
        second=second.name,
        gain=float(gains.mean()) if shared else plain,
        pairs=len(shared),
        ahead=int(np.count_nonzero(gains > 0)),
        behind=int(np.count_nonzero(gains < 0)),
        seeds=seeds,
        pictures=pictures,
        both=None if seeds is None or parts is None else _both(gains, parts / len(shared)),
    )


def _over_seeds(gains: NDArray[np.float64]) -> Evidence | None:
    """Ask about other trainings; one pair of them says nothing."""
    if len(gains) < 2:
        return None
    p = flipped(gains)
    return Evidence(mean(gains), p, p, smallest(len(gains)))


def _over_pictures(
    sign: int, pairs: Sequence[tuple[str, str]], answers: Answers
) -> NDArray[np.int64] | NDArray[np.float64] | None:
    """Return the gain (N,) of the first on each picture, summed over pairs, if all are known."""
    kept = answers.parts
    if not pairs or not all(a in kept and b in kept for a, b in pairs):
        return None
    return sign * sum((kept[a] - kept[b] for a, b in pairs), np.zeros_like(kept[pairs[0][0]]))


def _pictures(gains: NDArray[np.int64] | NDArray[np.float64], seeds: int) -> Evidence:
    """Ask about other pictures, given gains (N,) summed over ``seeds``."""
    whole = gains.dtype.kind == "i"
    p = flipped_whole(gains.astype(np.int64)) if whole else flipped(gains.astype(np.float64))
    reach = 1.0 if whole else float(np.abs(gains).max()) / seeds
    differing = int(np.count_nonzero(gains))
    return Evidence(shift(gains / seeds, reach), p, p, smallest(differing))


def _both(gains: NDArray[np.float64], parts: NDArray[np.float64]) -> Evidence | None:
    """Ask about other trainings on other pictures, given gains (S,) and (N,)."""
    from scipy.special import stdtr

    s, n, value = len(gains), len(parts), float(gains.mean())
    of_seeds = float(gains.var(ddof=1)) / s
    of_pictures = float(parts.var(ddof=1)) / n if n > 1 else math.nan
    variance = of_seeds + of_pictures
    if not variance > 0:
        return Evidence(Metric(value, value, value, s), 1.0, 1.0) if variance == 0 else None
    freedom = variance**2 / (of_seeds**2 / (s - 1) + of_pictures**2 / (n - 1))
    half = margin(variance, freedom)
    p = 2 * float(stdtr(freedom, -abs(value) / math.sqrt(variance)))
    return Evidence(Metric(value, value - half, value + half, s), p, p)
