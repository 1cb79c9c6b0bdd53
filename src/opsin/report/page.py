"""The whole page: its order, its frame, and how it comes to lie on disk."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from opsin.files import write_text
from opsin.report import data, rivals, run, scores
from opsin.report.markup import name, safe
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
    style = resources.files("opsin.report").joinpath("style.css").read_text("utf-8")
    told = [(key, title, make(story)) for key, title, make in SECTIONS]
    told = [section for section in told if section[2]]
    links = "".join(f'<li><a href="#{key}">{title}</a></li>' for key, title, _ in told)
    body = "".join(
        f'<section id="{key}"><h2>{title}</h2><div class="content">{inside}</div></section>'
        for key, title, inside in told
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>'
        f"<title>{safe(story.title)} · Opsin report</title><style>{style}</style></head><body>"
        f'<header><p class="brand"><span><b>Opsin</b> report</span>'
        f"<span>{safe(moment(story.when))}</span></p>"
        f"<h1>{name(story.title)}</h1>{scores.headline(story)}"
        f'<nav aria-label="Contents"><ol>{links}</ol></nav></header><main>{body}</main>'
        f"<footer><p>Made by Opsin. All numbers were measured in this run.</p></footer>"
        "</body></html>\n"
    )


def write(story: Story, path: str | Path) -> Path:
    """Write the report to ``path``, beside it first and then renamed, so that it is never torn."""
    write_text(Path(path), page(story))
    return Path(path)
