"""The gallery against the lecture's text, scipy and its own descriptions; reading of matrices."""

from __future__ import annotations

import json
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from opsin.errors import InputError
from opsin.ops.kernels import GALLERY, named, parse

FACTS = """
identity · edge detection [[1,0,−1],[0,0,0],[−1,0,1]], [[0,1,0],[1,−4,1],[0,1,0]],
[[−1,−1,−1],[−1,8,−1],[−1,−1,−1]] · sharpen [[0,−1,0],[−1,5,−1],[0,−1,0]] · box blur 1/9 ·
Gaussian 3×3 1/16 [1 2 1]ᵀ[1 2 1] · Gaussian 5×5 1/256 [1 4 6 4 1]ᵀ[1 4 6 4 1] · unsharp mask 5×5
−1/256 × (the same with −476 at the centre).
""".replace("\n", " ").replace("−", "-")


def test_matrices_of_the_lecture() -> None:
    told = [json.loads(found) for found in re.findall(r"\[\[.*?\]\]", FACTS)]
    names = ["edge-diagonal", "edge-laplace", "edge-outline", "sharpen"]
    assert [GALLERY[name].whole for name in names] == told
    assert all(GALLERY[name].divisor == 1 for name in names)
    assert {n for row in GALLERY["box-blur"].rows for n in row} == {Fraction(1, 9)}


def test_products_of_the_lecture() -> None:
    told = re.findall(r"Gaussian \d×\d 1/(\d+) \[([\d ]+)\]ᵀ", FACTS)
    assert len(told) == 2
    for divisor, side in told:
        line = np.array(list(map(int, side.split())))
        kernel = GALLERY[f"gaussian-{len(line)}"]
        assert kernel.whole == np.outer(line, line).tolist()
        assert kernel.divisor == int(divisor)
    found = re.search(r"(-1/\d+) × \(the same with (-\d+) at the centre", FACTS)
    assert found
    same = np.outer(line, line)
    same[2, 2] = int(found[2])
    wanted = [[n * Fraction(found[1]) for n in row] for row in same.tolist()]
    assert [list(row) for row in GALLERY["unsharp"].rows] == wanted


PICTURE = np.random.default_rng(0).normal(size=(12, 15))
SCIPY = {
    "sobel-x": lambda x: ndimage.sobel(x, axis=1),
    "sobel-y": lambda x: ndimage.sobel(x, axis=0),
    "prewitt-x": lambda x: ndimage.prewitt(x, axis=1),
    "prewitt-y": lambda x: ndimage.prewitt(x, axis=0),
    "edge-laplace": ndimage.laplace,
    "box-blur": lambda x: ndimage.uniform_filter(x, 3),
    "identity": lambda x: x,
}


@pytest.mark.parametrize("name", SCIPY)
def test_scipy_filters_alike(name: str) -> None:
    filtered = ndimage.correlate(PICTURE, np.array(GALLERY[name].values))
    assert np.allclose(filtered, SCIPY[name](PICTURE))


def test_laplacian_of_gaussian_is_the_formula_sampled() -> None:
    """Marr & Hildreth, Theory of Edge Detection (1980), turned upside down; sigma 0.6 pixels."""
    y, x = np.mgrid[-2:3, -2:3]
    squares = (x**2 + y**2) / (2 * 0.6**2)
    wanted = (1 - squares) * np.exp(-squares)
    wanted -= wanted.mean()
    ours = np.array(GALLERY["edge-log"].values)
    assert (ours * wanted).sum() / np.linalg.norm(ours) / np.linalg.norm(wanted) > 0.98


def test_what_flat_pictures_become() -> None:
    """Blurs and sharpeners keep brightness; what finds edges says 0 where there are none."""
    totals = {name: kernel.total for name, kernel in GALLERY.items()}
    finds = ("edge", "sobel", "prewitt")
    assert totals == {name: 0 if name.startswith(finds) else 1 for name in GALLERY}
    assert all(kernel.about.endswith(".") and len(kernel.about) < 50 for kernel in GALLERY.values())


def test_which_kernels_would_change_if_turned_over() -> None:
    changed = {
        name.partition("-")[0]
        for name, kernel in GALLERY.items()
        if not np.array_equal(np.rot90(kernel.values, 2), kernel.values)
    }
    assert changed == {"sobel", "prewitt", "emboss"}


# ── one's own ───────────────────────────────────────────────────────────────────────────────────

numbers = st.fractions(-100, 100, max_denominator=50)
matrices = st.integers(1, 5).flatmap(
    lambda width: st.lists(
        st.lists(numbers, min_size=width, max_size=width), min_size=1, max_size=5
    )
)


@settings(max_examples=40)
@given(
    matrices, st.sampled_from([" ", ", ", ",", "  "]), st.sampled_from(["; ", ";", "\n", " ;\n"])
)
def test_what_is_written_is_read(rows: list[list[Fraction]], comma: str, end: str) -> None:
    text = end.join(comma.join(map(str, row)) for row in rows)
    if ";" in end and "\n" in end:
        text = text.replace("\n", "")
    assert [list(row) for row in parse(text).rows] == rows


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 6)), min_size=3, max_size=3),
        min_size=1,
    )
)
def test_json_is_read_exactly(rows: list[list[float]]) -> None:
    text = json.dumps([[float(f"{n:.6f}") for n in row] for row in rows])
    if "e-" in text:  # JSON may write 1e-06; powers of ten are not taken
        return
    assert np.array_equal(parse(text).values, rows)


def test_names_are_read() -> None:
    assert parse(" sharpen ") is GALLERY["sharpen"]
    assert parse("5").rows == ((5,),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1 0 -1; 2 0; 1 0 -1", "row 2 has 2 numbers"),
        ("1 0; 2 0; 1 0 -1", "row 3 has 3 numbers"),
        ("1 0;; 1 0", "row 2 has 0 numbers"),
        ("[[1, 0], [1]]", "row 2 has 1 number;"),
        ("[[], []]", "row 1 has 0 numbers"),
        ("[]", "kernel of 0×0"),
        ("[1, 2]", "one list"),
        ("[[1, [2]]]", "row 1 has more than numbers"),
        ("[[1, null]]", "row 1 has more than numbers"),
        ("[[1, 2", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[[NaN]]", "'NaN' in row 1, column 1"),
        ("1 x; 2 3", "'x' in row 1, column 2"),
        ("1 0; 2 1e9999999999", "'1e9999999999' in row 2, column 2"),
        ("1/0", "'1/0' in row 1, column 1"),
        (" ".join("1" * 100), "1×100"),
        (";".join("1" * 100), "100×1"),
        ("", "the kernel ''"),
        ("sharpn", "Did you mean sharpen?"),
        ("blur", "Did you mean box-blur?"),
        ("sobel", "Did you mean sobel-x or sobel-y?"),
        ("zebra", "one of identity, sharpen"),
    ],
)  # fmt: skip
def test_what_is_no_kernel_is_said(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    assert says in str(caught.value)
    assert caught.value.expected


def test_unknown_name() -> None:
    with pytest.raises(InputError):
        named("")
