"""The part of a page about what went in: counts, sizes, samples, problems."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from opsin.data.sample import SPLITS
from opsin.events import Problem
from opsin.figures import count
from opsin.report.markup import bar, folded, name, paragraph, safe, table, thumbnail
from opsin.report.story import Picture, Story
from opsin.report.words import NARROW, percent

LONG = 24  # rows from which a table is folded
SHOWN = 20  # problems of a kind that are named


def data(story: Story) -> str:
    """Return the counts of every class and split, the sizes, and one picture a class."""
    if not story.counts:
        return ""
    splits = [split for split in (*SPLITS, "") if story.total(split)]
    totals = [f"{story.total(split):,} {split or 'without a split'}" for split in splits]
    whole = sum(story.total(split) for split in splits)
    none = f"; {story.without:,} of them without an object" if story.without else ""
    about = f"{count(whole, 'picture')}: {', '.join(totals)}{none}."
    if len(story.counts) > 1:
        about = f"{count(len(story.counts), 'class')}, {about}"
    parts = [paragraph(about, "lead"), paragraph(_sizes(story.sizes)) if story.sizes else ""]
    if len(story.counts) > 1:
        parts.append(_counts(story, splits, whole))
    if story.samples:
        parts.append("<h3>What it looks like</h3>")
        parts.append(gallery(story.samples, said=False))
    return "".join(parts)


def _counts(story: Story, splits: Sequence[str], whole: int) -> str:
    """Return the table of pictures of each class in each split, with a bar for the total."""
    sums = {label: sum(row.values()) for label, row in story.counts.items()}
    most = max(sums.values())
    rows = [
        [
            name(label),
            *(f"{row.get(split, 0):,}" for split in splits),
            f"{sums[label]:,}",
            percent(sums[label] / whole),
            bar(sums[label] / most, "grey"),
        ]
        for label, row in story.counts.items()
    ]
    heads = ["Class", *(safe(split.capitalize() or "No split") for split in splits)]
    told = table(
        "Pictures of each class",
        [*heads, "All", "Share", '<span class="hidden">bar</span>'],
        rows,
        numbers="t" + "n" * (len(splits) + 2) + "b",
    )
    return folded(f"Counts of all {len(rows)} classes", told) if len(rows) > LONG else told


def _sizes(sizes: Sequence[tuple[int, int]]) -> str:
    """Say how large the pictures are and how they stand.

    >>> _sizes([(400, 300), (400, 300), (100, 200)])
    'Typical picture 300 × 400 pixels (width × height); sides from 100 to 400; 67\u202f% upright.'
    """
    high, wide = median(h for h, _ in sizes), median(w for _, w in sizes)
    sides = [side for pair in sizes for side in pair]
    upright = sum(h > w for h, w in sizes) / len(sizes)
    return (
        f"Typical picture {wide:.0f} × {high:.0f} pixels (width × height); sides from "
        f"{min(sides)} to {max(sides)}; {100 * upright:.0f}{NARROW}% upright."
    )


def gallery(pictures: Sequence[Picture], *, said: bool = True) -> str:
    """Return a grid of pictures with their truth and, if asked, what was said of them."""
    ratio = median(p.image.shape[2] / p.image.shape[1] for p in pictures)  # of most pictures
    frame = f'style="--ratio:{min(max(ratio, 0.6), 1.6):.2f}"'
    return f'<ul class="gallery" {frame}>{"".join(_plate(p, said) for p in pictures)}</ul>'


def _plate(picture: Picture, said: bool) -> str:
    """Return one picture with its caption."""
    score = "" if picture.score is None else f" {100 * picture.score:.0f}{NARROW}%"
    if said:
        alt = f"said {picture.said}{score}, labelled {picture.truth}"
        text = (
            f'<span class="said">said <b>{name(picture.said)}</b>{safe(score)}</span>'
            f'<span class="truth">labelled <b>{name(picture.truth)}</b></span>'
        )
    else:
        alt, text = picture.truth, f'<span class="said"><b>{name(picture.truth)}</b></span>'
    where = ""
    if said and picture.path:
        where = f'<span class="path" title="{safe(picture.path)}">{name(picture.path)}</span>'
    image = thumbnail(picture.image, alt, 512 if picture.pair else 256)
    return f"<li><figure>{image}<figcaption>{text}{where}</figcaption></figure></li>"


def _kind(kind: str) -> str:
    """Write the kind of a problem in words.

    >>> _kind("empty-class")
    'Empty class'
    """
    return kind.replace("-", " ").replace("_", " ").capitalize()


def problems(story: Story) -> str:
    """Return what is wrong with the data, by kind, the commonest first."""
    kinds: dict[str, list[Problem]] = {}
    for problem in story.problems:
        kinds.setdefault(problem.kind, []).append(problem)
    if not kinds:
        return paragraph("No problem was found in the data.") if story.counts else ""
    parts = [paragraph(f"{count(len(story.problems), 'problem')} of {count(len(kinds), 'kind')}.")]
    for kind, found in sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0])):
        rows = [[name(p.path), safe(p.message)] for p in found[:SHOWN]]
        inside = table(f"Where: {_kind(kind).lower()}", ["Where", "What"], rows, numbers="tt")
        if len(found) > SHOWN:
            inside += paragraph(f"And {len(found) - SHOWN:,} more.", "soft")
        parts.append(folded(f"{safe(_kind(kind))} <b>{len(found):,}</b>", inside))
    return "".join(parts)
