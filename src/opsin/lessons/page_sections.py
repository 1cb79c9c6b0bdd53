"""The six sections of the page: what is said in words round the figures.

Numbers in sentences are computed like all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opsin.lessons import page_calculator, page_figures, page_kernels, page_vote
from opsin.lessons.page_table import table
from opsin.lessons.page_tree import tree
from opsin.ops.arithmetic import Window, parameters
from opsin.report.markup import paragraph, safe

SHOWN = "sobel-x"  # the kernel that is shown large before one is chosen


def _prose(*paragraphs: str) -> str:
    return f'<div class="prose">{"".join(map(paragraph, paragraphs))}</div>'


def _question(question: str, answer: str) -> str:
    return (
        f'<details class="question"><summary>{safe(question)}</summary>'
        f"{paragraph(answer)}</details>"
    )


def window(steps: dict[str, Any]) -> str:
    """Return a filter that slides over the X and the O."""
    return (
        _prose(
            "A filter is a tiny picture of what is looked for: here, a piece of a stroke. It is "
            "laid on the picture, each of its nine numbers is multiplied with the pixel under it, "
            "and the products are added up. Divided by nine that gives 1.00 where all nine agree.",
            "Then the window moves on by one pixel. What it finds at every place is a new picture, "
            "the map: it says where there is such a stroke, and how much of one.",
        )
        + page_figures.filtering(steps)
        + _question(
            "Filter A finds four places of exactly 1.00 on the X. Why is the crossing, where the "
            "same stroke goes through, only 0.55?",
            "There two pixels of the other stroke are in the way. Seven pixels agree and two do "
            "not: 7 − 2 = 5, and 5 ÷ 9 = 0.55. Filter B, which is a crossing, finds 1.00 there.",
        )
        + '<p class="aside">Mathematics calls this a cross-correlation; its convolution turns the '
        "filter over first. Nets call it a convolution all the same: they learn their filters, so "
        "it makes no difference to them. Nor do they divide by nine.</p>"
    )


def pooling(steps: dict[str, Any]) -> str:
    """Return ReLU and max pooling, step by step."""
    maps, kept = page_vote.unmoved()
    return (
        _prose(
            "Two small rules stand between filters. ReLU sets every negative number to zero. "
            "Pooling keeps the largest number of each small window, so that it matters less where "
            "exactly a stroke was.",
            "Either may come first: the largest number stays the largest.",
        )
        + page_figures.rectifying(steps)
        + page_figures.pooling(steps)
        + _question(
            "Move the X one pixel to the right, and every number of its maps moves along. What "
            "does pooling change?",
            f"Of the 147 numbers of the three maps {maps} stay what they are, of the 48 numbers "
            f"after pooling {kept}: what moves within its window of 2×2 is still the largest "
            "there. That is all the tolerance one pooling gives; deep nets pool, or take larger "
            "steps, many times.",
        )
    )


def vote(walks: dict[str, Any]) -> str:
    """Return the walk to a vote, and where it fails."""
    right, half = page_vote.drawn_by_hand(), page_vote.DRAWN // 2
    shares = {letter: f"{count / half:.0%}".replace("%", " %") for letter, count in right.items()}
    return (
        _prose(
            "Three filters leave 48 numbers. Each votes for the letter in whose own picture it is "
            "larger, by as much as it is larger there, and the letter with the higher sum wins. "
            "Nothing was learned: a person made up the filters, and one picture of each letter "
            "gave the votes.",
        )
        + page_figures.walking(walks)
        + f'<div class="prose"><p><b>Where it fails.</b> The X turned by 45 degrees is taken for '
        "an O: no filter looks for level and upright strokes. And on letters as hands draw them, "
        "of any size, turn and pen, it is right for "
        f"{right['X']} of {half} X ({shares['X']}) and {right['O']} of {half} O ({shares['O']}): "
        "what it does not know it mostly calls an O. A net that learns its filters and votes from "
        "examples gets more than 99 of 100 right: "
        "<code>opsin train samples:x-or-o --net lenet5 --policy scratch</code>.</p></div>"
        + _question(
            "Which filter would you add so that the turned X is seen?",
            "One of an upright stroke, one of a level stroke, or a plus, which is filter B turned "
            "by 45 degrees. For every other turn another one is needed, which is why filters are "
            "learned.",
        )
    )


def arithmetic() -> str:
    """Return the calculator, and the two rules it follows."""
    small, large = 3 * parameters(Window(3), 64, 64), parameters(Window(7), 64, 64)
    return (
        _prose(
            "A window of F pixels goes in steps of S over n pixels with P more at each end. It "
            "fits N times; with dilation D it spans D(F − 1) + 1 pixels instead of F. A filter "
            "has a weight for each of its pixels and channels, and one more, the bias.",
        )
        + '<div class="formulas"><p><i>N</i> = (<i>n</i> + 2<i>P</i> − <i>F</i>) ÷ <i>S</i> + 1'
        "<span>size</span></p><p>(<i>F</i> · <i>F</i> · depth + 1) · <i>K</i>"
        "<span>parameters of <i>K</i> filters</span></p></div>"
        + page_calculator.calculator()
        + _question(
            "Why do nets since VGG stack small filters instead of using large ones?",
            "Three layers of 3×3 see 7×7 pixels, as one layer of 7×7 does. With 64 channels they "
            f"have {small:,} parameters and the large one {large:,}; and between the three there "
            "is room for two more ReLUs.",
        )
    )


def kernels() -> str:
    """Return the gallery of kernels on a drawn scene."""
    return (
        _prose(
            "The same sliding window, now with numbers of any size on a picture in grey: each new "
            "pixel is a weighted sum of its neighbours. Long before nets learned such matrices, "
            "people wrote them down.",
            "Where the numbers of a matrix add up to zero, middle grey stands for zero, lighter "
            "for more and darker for less.",
        )
        + '<figure class="closely needs-script"><img class="before" alt=""/><div class="how">'
        '<b class="name"></b><table class="matrix"></table><span class="does"></span></div>'
        '<img class="after" alt=""/><figcaption>Figure 5. A scene before and after. Choose a '
        f"kernel below.</figcaption></figure>{page_kernels.plate(SHOWN)}"
        + _question(
            "Which of these leave an evenly lit wall as it is, and which make it vanish?",
            "Add up the numbers of a matrix. Where they add up to 1, an even surface stays as it "
            "is; where they add up to 0, nothing is left of it but its edges.",
        )
    )


def family(rows: Sequence[Any]) -> str:
    """Return the family tree of ``rows`` of the table of nets, and the table."""
    first = parameters(Window(1), 25_088, 4_096)
    whole = next(row["parameters"] for row in rows if row["name"] == "vgg16")
    return (
        _prose(
            "Forty years of nets, and who learned what from whom. Each dot is a net, as large as "
            "it has parameters; a line is descent, a dashed one a second parent. Every one of "
            "these can be built and trained here under the name in the table.",
            "All counts are taken from the nets themselves. Where the lecture behind this page "
            "gives another figure, the table says so.",
        )
        + f'<figure class="tall"><div class="wide" role="region" tabindex="0" '
        f'aria-label="Family tree">{tree(rows)}</div><figcaption>Figure 6. The family tree. Point '
        "at a net to see where it comes from and what came of it; click on it to find it in the "
        "table.</figcaption></figure>"
        + table(rows)
        + _question(
            "VGG-16 has 138 million parameters, ResNet-152 less than half as many with nine times "
            "the layers. Where are VGG’s?",
            f"In one place: its first dense layer takes all 25,088 numbers of the last map to "
            f"4,096 and has {first:,} of the {whole:,}, which is {first / whole:.0%}. GoogLeNet "
            "and ResNet take the mean of each map first, and do without such a layer.",
        )
    )
