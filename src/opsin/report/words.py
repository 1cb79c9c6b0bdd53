"""Numbers and findings in words: every figure on the page is written by a function of this file."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from opsin.figures import Metric, count
from opsin.report.axis import fit
from opsin.report.story import Story

LETTERS = 60  # of a name that are shown in a sentence
NARROW = "\u202f"  # a narrow space that does not break, between a number and its unit


@dataclass(frozen=True, slots=True)
class Term:
    """Explains a metric: ``share`` means that it is shown in per cent, ``sign`` as in ``Task``."""

    title: str
    share: bool
    sign: int
    meaning: str


GLOSSARY = {
    "accuracy": Term("Accuracy", True, 1, "pictures whose first answer is right"),
    "top5": Term("Top-5 accuracy", True, 1, "the right class is among the first five answers"),
    "balanced_accuracy": Term("Balanced accuracy", True, 1, "recall, every class counting alike"),
    "macro_f1": Term("Macro F1", True, 1, "F1, every class counting alike"),
    "precision": Term("Precision", True, 1, "of those said to be this class, how many are"),
    "recall": Term("Recall", True, 1, "of those that are this class, how many were found"),
    "f1": Term("F1", True, 1, "harmonic mean of precision and recall"),
    "ap50": Term(
        "AP50", True, 1, "area under precision over recall, boxes right from an IoU of 0.5"
    ),
    "ap75": Term("AP75", True, 1, "the same, boxes right from an IoU of 0.75"),
    "ap": Term("AP", True, 1, "mean over IoUs of 0.5 to 0.95, as COCO counts"),
    "ap_small": Term("AP, small objects", True, 1, "below 32 × 32 pixels"),
    "ap_medium": Term("AP, medium objects", True, 1, "up to 96 × 96 pixels"),
    "ap_large": Term("AP, large objects", True, 1, "above 96 × 96 pixels"),
    "pictures_right": Term("Pictures right", True, 1, "rightly said to show something, or nothing"),
    "localised": Term("Localised", True, 1, "the right class and a box with an IoU of 0.5 or more"),
    "placed": Term("Placed", True, 1, "a box with an IoU of 0.5 or more, whatever its class"),
    "mean_iou": Term("Mean IoU", True, 1, "what boxes share with true ones, of what both cover"),
    "log_loss": Term("Log loss", False, -1, "surprise at the truth, in nats"),
    "ece": Term("Calibration error", True, -1, "mean gap between score and share of right answers"),
    "brier": Term("Brier score", False, -1, "squared distance between scores and truth"),
    "mae": Term("Mean absolute error", False, -1, "typical distance from the true number"),
    "median_error": Term("Median error", False, -1, "half of all pictures are off by less"),
    "rmse": Term(
        "Root mean squared error", False, -1, "typical distance, large misses counting more"
    ),
    "r2": Term("R²", False, 1, "share of the spread that is explained; 0 is guessing the mean"),
}
ALIASES = {
    "top_5": "top5",
    "top5_accuracy": "top5",
    "top_5_accuracy": "top5",
    "f1_macro": "macro_f1",
    "calibration_error": "ece",
    "expected_calibration_error": "ece",
    "mean_absolute_error": "mae",
}


def key(name: str) -> str:
    """Return the glossary's spelling of a metric's name."""
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    return ALIASES.get(plain, plain)


def term(name: str) -> Term:
    """Explain a metric by its name; one that is not in the glossary keeps its own name.

    >>> term("top-5").title, term("bumps_per_mile").title
    ('Top-5 accuracy', 'Bumps per mile')
    """
    return GLOSSARY.get(key(name), Term(opened(name.replace("_", " ").strip()), False, 0, ""))


def opened(text: str) -> str:
    """Return a text that begins with a capital, the rest as it was."""
    return text[:1].upper() + text[1:]


def number(value: float) -> str:
    """Write a number with three decimals as ``Metric`` does, very small and large ones shorter.

    >>> number(0.8657), number(12.3), number(3e-05), number(float("nan"))
    ('0.866', '12.300', '3e-05', 'n/a')
    """
    if not math.isfinite(value):
        return "n/a"
    plain = f"{value:.3f}"
    return plain if value == 0 or 5e-4 <= abs(value) < 1e7 else f"{value:.4g}"


def percent(value: float, unit: bool = True) -> str:
    """Write a share in per cent, with the very digits of its three decimals.

    >>> percent(0.8657, unit=False), percent(1.0, unit=False)
    ('86.6', '100.0')
    """
    if not math.isfinite(value):
        return "n/a"
    return f"{Decimal(f'{value:.3f}') * 100:.1f}" + (f"{NARROW}%" if unit else "")


def figure(name: str, value: float) -> str:
    """Write the value of a metric: a share in per cent, anything else as a number."""
    return percent(value) if term(name).share else number(value)


def interval(name: str, metric: Metric) -> str:
    """Write the 95 % interval of a metric, its unit once.

    >>> interval("mae", Metric(2.0, 1.5, 2.5, 9))
    '1.500–2.500'
    """
    if not (math.isfinite(metric.low) and math.isfinite(metric.high)):
        return "n/a"
    if term(name).share:
        return f"{percent(metric.low, unit=False)}–{percent(metric.high)}"
    return f"{number(metric.low)}–{number(metric.high)}"


def duration(seconds: float) -> str:
    """Write a time as a person would.

    >>> duration(0.42), duration(23.4), duration(167), duration(7500)
    ('0.4 s', '23.4 s', '2 min 47 s', '2 h 5 min')
    """
    if not math.isfinite(seconds):
        return "n/a"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(when: str) -> str:
    """Write an ISO time to the minute; anything else stays as it is.

    >>> moment("2026-11-21T03:50:55+00:00"), moment("last week")
    ('2026-11-21 03:50 UTC', 'last week')
    """
    try:
        read = datetime.fromisoformat(when)
    except ValueError:
        return when
    return f"{read:%Y-%m-%d %H:%M} {read.tzname() or ''}".rstrip()


def weight(size: int) -> str:
    """Write the size of a file.

    >>> weight(13_316_000), weight(512)
    ('13.3 MB', '512 bytes')
    """
    if size < 1000:
        return f"{size} bytes"
    scaled, unit = (size / 1e3, "kB") if size < 1e6 else (size / 1e6, "MB")
    return f"{scaled:.1f} {unit}" if scaled < 1e4 else f"{scaled / 1e3:.1f} GB"


def quantity(value: float) -> str:
    """Write a measured quantity with about three digits.

    >>> quantity(14600.0), quantity(679.6), quantity(2.4567)
    ('14,600', '680', '2.46')
    """
    if not math.isfinite(value):
        return "n/a"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def seen(story: Story) -> str:
    """Say on what was measured: pictures the model never met, or such that helped to choose it."""
    pictures = count(story.score.n, "picture")
    if story.split == "test":
        return f"On {pictures} that the model had never seen"
    return f"On {pictures} that the model did not learn from ({story.split} split)"


def sentence(story: Story) -> str:
    """Say the headline in one sentence that needs no schooling."""
    score, name = story.score, story.better
    if not math.isfinite(score.value):
        return f"{term(name).title} could not be measured on the {story.split} split."
    bounds = f"(95{NARROW}% interval {interval(name, score)})"
    if key(name) == "accuracy":
        said = f"{seen(story)}, it named {percent(score.value)} correctly {bounds}"
        return f"{said}{_odds(score.value)}."
    order = "more" if story.sign > 0 else "less"
    reached = f"its {inside(term(name).title)} is {figure(name, score.value)} {bounds}"
    return f"{seen(story)}, {reached}; {order} is better."


def inside(title: str) -> str:
    """Return a title as it stands inside a sentence; R², F1 and AP50 keep their capitals.

    >>> inside("Mean IoU"), inside("AP50")
    ('mean IoU', 'AP50')
    """
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def _odds(accuracy: float) -> str:
    """Say a share of errors as "one in so many", which people judge better than per cents."""
    if accuracy >= 1.0:
        return ": every one of them"
    if accuracy < 0.5:
        return ""
    return f": about one picture in {round(1 / (1 - accuracy))} is wrong"


def called(name: str) -> str:
    """Return a name for use inside a sentence: not too long, and a right-to-left one isolated.

    >>> called("long sleeve")
    'long sleeve'
    """
    shown = fit(name, LETTERS)
    turned = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in shown)
    return f"\u2068{shown}\u2069" if turned else shown


def comparison(story: Story) -> str:
    """Say what simple baselines reach on the same pictures, or nothing without any."""
    if not (rivals := story.rivals):
        return ""
    told = (
        f"{called(name)} {figure(story.better, metric.value)}" for name, metric in rivals.items()
    )
    return f"For comparison, on the same pictures: {', '.join(told)}."
