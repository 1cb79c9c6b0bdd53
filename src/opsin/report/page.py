"""The whole page: its order, its frame, and how it comes to lie on disk."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from opsin.files import write_text
from opsin.report import data, rivals, run, scores
from opsin.report.markup import name as called
from opsin.report.markup import safe
from opsin.report.story import Story
from opsin.report.words import moment

# What a browser may load: nothing but what stands in the page.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

SECTIONS = (
    ("limits", "Limits", run.limits),
    ("rivals", "Against classical pipelines", rivals.rivals),
    ("metrics", "All metrics", scores.metrics),
    ("classes", "Every class", scores.classes),
    ("confusion", "Confusions", scores.confusion),
    ("mistakes", "Worst mistakes", scores.mistakes),
    ("suspects", "Likely label errors", scores.suspects),
    ("figures", "Figures", scores.figures),
    ("data", "Data", data.data),
    ("problems", "Problems in the data", data.problems),
    ("curves", "Learning", scores.curves),
    ("timeline", "The run", run.timeline),
    ("product", "Speed and file", run.product),
    ("recipe", "Recipe", run.recipe),
    ("reproduce", "How to repeat it", run.reproduce),
)


def page(story: Story) -> str:
    """Return the report as one HTML file that needs nothing else."""
    told = [(key, title, make(story)) for key, title, make in SECTIONS]
    return framed(
        story.title,
        scores.headline(story),
        told,
        kind="report",
        when=story.when,
        foot="Made by Opsin. All numbers were measured in this run.",
    )


def framed(
    title: str,
    head: str,
    sections: Sequence[tuple[str, str, str]],
    *,
    kind: str,
    when: str,
    foot: str,
) -> str:
    """Return a whole page; ``head`` and the insides of (key, title, inside) are markup already.

    A section without an inside is left out.
    """
    style = resources.files("opsin.report").joinpath("style.css").read_text("utf-8")
    told = [section for section in sections if section[2]]
    links = "".join(f'<li><a href="#{key}">{name}</a></li>' for key, name, _ in told)
    body = "".join(
        f'<section id="{key}"><h2>{name}</h2><div class="content">{inside}</div></section>'
        for key, name, inside in told
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>'
        f"<title>{safe(title)} · Opsin {kind}</title><style>{style}</style></head><body>"
        f'<header><p class="brand"><span><b>Opsin</b> {kind}</span>'
        f"<span>{safe(moment(when))}</span></p>"
        f"<h1>{called(title)}</h1>{head}"
        f'<nav aria-label="Contents"><ol>{links}</ol></nav></header><main>{body}</main>'
        f"<footer><p>{safe(foot)}</p></footer>"
        "</body></html>\n"
    )


def write(story: Story, path: str | Path) -> Path:
    """Write the report to ``path``, beside it first and then renamed, so that it is never torn."""
    write_text(Path(path), page(story))
    return Path(path)
