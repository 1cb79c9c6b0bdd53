"""Every number and figure of labels against their truths.

It works from labels and their scores alone, so that predictions read back from a file give the same
digits as those just made.

Shapes: n samples, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from opsin.figures import Bars, Lines, Matrix, Measures
from opsin.metrics import bootstrap
from opsin.metrics.accuracy import accuracy, top
from opsin.metrics.balanced import balanced_accuracy
from opsin.metrics.calibration import calibration_error, reliability
from opsin.metrics.confusion import confusion
from opsin.metrics.logloss import costs, log_loss
from opsin.metrics.prf import macro_f1, per_class
from opsin.results import Label
from opsin.tasks._scores import table

MATRIX = 100  # classes a heat map can show; of more, those that are mistaken most
BARS = 40  # classes a bar chart can show; of more, the weakest


def measure(known: tuple[str, ...], said: Sequence[Label], true: Sequence[Label]) -> Measures:
    """Return the measures of labels (n,) by a model that knows the classes ``known``."""
    named = {label.name for label in (*said, *true)}
    classes = known + tuple(sorted(named.difference(known)))
    columns = {name: place for place, name in enumerate(classes)}
    k = len(classes)
    truth = np.array([columns[label.name] for label in true], np.int64)
    answer = np.array([columns[label.name] for label in said], np.int64)
    scores = np.zeros((len(said), k))
    scores[:, : len(known)] = table(said, known)
    sure = np.array([label.score for label in said])

    metrics = {"accuracy": accuracy(truth, answer)}
    if len(known) > 5:
        metrics["top5"] = top(5, scores, truth)
    metrics |= {
        "balanced_accuracy": balanced_accuracy(truth, answer, k),
        "macro_f1": macro_f1(truth, answer, k),
        "log_loss": bootstrap.metric(log_loss, costs(scores, truth)),
        "calibration_error": bootstrap.metric(calibration_error, sure, truth == answer),
    }
    columns_of_table = per_class(truth, answer, k)
    rows = {
        name: {
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "support": int(support),
        }
        for name, precision, recall, f1, support in zip(classes, *columns_of_table, strict=True)
    }
    counts = confusion(truth, answer, k)
    f1 = {name: row["f1"] for name, row in rows.items() if row["support"]}
    figures = (_matrix(classes, counts), _diagram(sure, truth == answer), _bars(f1))
    return Measures(metrics, rows, tuple(map(tuple, counts.tolist())), classes, figures)


def _matrix(classes: tuple[str, ...], counts: NDArray[np.int64]) -> Matrix:
    """Return the heat map of a confusion (K, K), of its most mistaken classes if there are many."""
    title, shown = "Confusion", np.arange(len(classes))
    if len(classes) > MATRIX:
        wrong = counts.sum(0) + counts.sum(1) - 2 * counts.diagonal()
        shown = np.sort(np.argsort(-wrong, kind="stable")[:MATRIX])
        title = f"Confusion of the {MATRIX} most mistaken classes"
    names = tuple(classes[place] for place in shown)
    return Matrix(title, names, names, tuple(map(tuple, counts[np.ix_(shown, shown)].tolist())))


def _diagram(sure: NDArray[np.float64], right: NDArray[np.bool_]) -> Lines:
    """Return the reliability diagram: how sure, and how often right."""
    order = np.lexsort((right, sure))  # so that sums do not depend on the order of pictures
    found = reliability(sure[order], right[order])
    full = found.samples > 0
    points = zip(found.confidence[full].tolist(), found.accuracy[full].tolist(), strict=True)
    return Lines("Reliability", "score", "share right", {"pictures": tuple(points)}, diagonal=True)


def _bars(f1: dict[str, float]) -> Bars:
    """Return the F1 of each class, of the weakest if there are many."""
    weakest = sorted(f1, key=lambda name: f1[name])[:BARS]
    few = {name: value for name, value in f1.items() if name in set(weakest)}
    title = "F1 of each class" if len(f1) <= BARS else f"F1 of the {BARS} weakest classes"
    return Bars(title, "", few)
