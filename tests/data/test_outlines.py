"""Boxes of outlines against pycocotools, and streamed JSON against json."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import put

from opsin.data.formats import _elements
from opsin.data.formats._elements import elements
from opsin.data.formats._outlines import box_of, unpacked
from opsin.errors import DataError

# Written by pycocotools 2.0 (mask.encode, mask.toBbox) for drawn masks: size, counts, x y w h.
MASKS = [
    ([25, 20], "77b000000000000n9", [0, 7, 7, 7]),
    ([5, 3], ";4", [2, 1, 1, 4]),
    ([16, 19], "\\54<000d2", [10, 12, 3, 4]),
    ([18, 28], "51<01080J0S10kN0b00]O0Q10_O0C0J0b00I0F0I050`003010500", [0, 0, 27, 18]),
    ([7, 9], "61Q10^O0G", [0, 0, 9, 7]),
    ([13, 13], "61:060D0M030711OE0m00]O000d00XO", [0, 0, 13, 13]),
    (
        [300, 400],
        "\\fc1m1R7j0ZOb0@>B>D:E<F8H8H8I6J6J6J6K4K6K4M2M4L4M2N2N2N2N2O0O2O000000000001N101N2N2N2N2"
        "N3L4L3N3L5J5L5J6J6J6J7H8H8H:D;F<B>B`0^Of0VOmV`1",
        [176, 51, 59, 239],
    ),
]


@pytest.mark.parametrize(("size", "counts", "box"), MASKS)
def test_masks_have_the_boxes_that_pycocotools_gives(
    size: list[int], counts: str, box: list[int]
) -> None:
    x, y, wide, high = box
    wanted = (x, y, x + wide, y + high)
    assert box_of({"size": size, "counts": counts}) == wanted
    assert box_of({"size": size, "counts": list(unpacked(counts))}) == wanted


def test_runs_have_the_box_of_the_mask_they_stand_for() -> None:
    draws = np.random.default_rng(0)
    for _ in range(300):
        height, width = draws.integers(1, 9, 2)
        mask = draws.random((height, width)) < draws.random()
        flat = mask.T.ravel()
        edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [1 - int(flat[-1])]])))
        runs = np.diff(np.concatenate([[0], edges])).tolist()
        rows, columns = np.nonzero(mask)
        wanted = None
        if len(rows):
            wanted = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        assert box_of({"size": [height, width], "counts": runs}) == wanted


@pytest.mark.parametrize(
    "outline",
    [
        *(None, [], [[]], [1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7], "text", 5, [[1, "x"] * 3], {}),
        *({"size": [2, 2], "counts": [1, 1]}, {"size": [2, 2], "counts": [-1, 5]}),
        *({"size": [2], "counts": [4]}, {"size": [0, 0], "counts": [0]}, {"size": [2, 2]}),
        *({"size": [2, 2], "counts": "o" * 99}, {"size": [2, 2], "counts": "é"}, [[[[1]]]]),
        {"size": [2, 2], "counts": [4]},
    ],
)
def test_what_is_no_outline_has_no_box(outline: object) -> None:
    assert box_of(outline) is None


# ── JSON, element by element ────────────────────────────────────────────────────────────────────

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(
    plain=st.dictionaries(st.text(), VALUES, max_size=4),
    indent=st.sampled_from([None, 1]),
    ascii=st.booleans(),
    block=st.integers(1, 40),
)
def test_every_element_is_what_json_says(
    plain: dict[str, object],
    indent: int | None,
    ascii: bool,
    block: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    text = json.dumps(plain, indent=indent, ensure_ascii=ascii)
    path = put(tmp_path_factory.getbasetemp() / "x.json", text.encode("utf-8", "backslashreplace"))
    wanted = [
        (key, one)
        for key, value in plain.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_elements, "BLOCK", block)
        patch.setattr(_elements._Text.more, "__defaults__", (block,))
        found = list(elements(path))
    assert [(key, one) for key, one, _, _ in found] == wanted
    lines = text.split("\n")
    for _, one, line, column in found:
        begun = json.dumps(one, ensure_ascii=ascii)[:1]
        assert lines[line - 1][column - 1 : column] == begun


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1, column 1: the end of the file; expected a JSON object"),
        ("[1]", r"line 1, column 1: '\['"),
        ('{"a": [1,\n2 3]}', "line 2, column 3: 3; expected a comma or the end of the list"),
        ('{"a": [1,\n{"b": tru}]}', "line 2, column 7: Expecting value"),
        ('{"a": [1', "line 1, column 9"),
        ('{"a": "b', "Unterminated string"),
        ('{"a": 1} x', "'x' after the end"),
        ("{1: 2}", "the key '1'"),
        ('{"a" 1}', "expected a colon"),
        ('{"a": ' + "[" * 100_000, "column"),
        ('{"a": ' + "1" * 9_000 + "}", "column 7"),
        ('{"a": [' + '{"b": ' * 100_000, "column"),
    ],
)
def test_what_is_no_json_is_named_with_line_and_column(
    text: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=said):
        list(elements(put(tmp_path / "x.json", text.encode())))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="UTF-8"):
        list(elements(put(tmp_path / "x.json", b'{"a": ["\xff"]}')))
    with pytest.raises(DataError, match=r"x\.json"):
        list(elements(tmp_path / "none" / "x.json"))
    bom = put(tmp_path / "y.json", b'\xef\xbb\xbf{"a": [1]}')
    assert list(elements(bom)) == [("a", 1, 1, 8)]


def test_only_the_element_at_hand_is_in_memory(tmp_path: Path) -> None:
    row = json.dumps({"id": 7, "outline": [1.25] * 60})
    path = put(tmp_path / "long.json", ('{"a": [' + ", ".join([row] * 20_000) + "]}").encode())
    assert path.stat().st_size > 6_000_000
    longest = 0
    more = _elements._Text.more

    def watched(self: _elements._Text, *size: int) -> None:
        nonlocal longest
        more(self, *size)
        longest = max(longest, len(self.text))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_elements._Text, "more", watched)
        assert sum(1 for _ in elements(path)) == 20_000
    assert longest < 2 * _elements.BLOCK + len(row)
