"""The walk-through against the lecture's printed maps; FACTS is its page, copied word for word."""

from __future__ import annotations

import json
import re
from fractions import Fraction

import numpy as np
import pytest
import torch

from opsin.errors import SizeError
from opsin.lessons.printed import grid
from opsin.lessons.x_or_o import FILTERS, HARDER, LETTERS, ballot, walk

FACTS = """
The 9×9 picture of an X, background −1, strokes +1 on both diagonals from (1,1) to (7,7) and from (1,7) to (7,1). Filter A = [[1,−1,−1],[−1,1,−1],[−1,−1,1]]. "Filtering" here = multiply, add, divide by the number of filter pixels (9), stride 1, no padding. Feature map, two decimals cut off (not rounded):
```
 0.77 -0.11  0.11  0.33  0.55 -0.11  0.33
-0.11  1.00 -0.11  0.33 -0.11  0.11 -0.11
 0.11 -0.11  1.00 -0.33  0.11 -0.11  0.55
 0.33  0.33 -0.33  0.55 -0.33  0.33  0.33
 0.55 -0.11  0.11 -0.33  1.00 -0.11  0.11
-0.11  0.11 -0.11  0.33 -0.11  1.00 -0.11
 0.33 -0.11  0.55  0.33  0.11 -0.11  0.77
```
Max pooling, window 2, stride 2, the ragged edge kept (7 → 4):
```
1.00 0.33 0.55 0.33
0.33 1.00 0.33 0.55
0.55 0.33 1.00 0.11
0.33 0.55 0.11 0.77
```
ReLU sets every negative value to zero. Filter B = [[1,−1,1],[−1,1,−1],[1,−1,1]], filter C = A mirrored left to right.
"""  # noqa: E501
MAP, POOLED = re.findall(r"```\n(.*?)\n```", FACTS, re.DOTALL)


def numbers(block: str) -> list[list[str]]:
    """Return the printed numbers of a block, as they are printed."""
    return [line.split() for line in block.splitlines()]


def pooled(block: list[list[str]]) -> list[list[str]]:
    """Return the largest printed number of each 2×2, ragged edges kept."""
    starts = range(0, len(block), 2)
    squares = [[[row[j : j + 2] for row in block[i : i + 2]] for j in starts] for i in starts]
    return [[max((n for part in s for n in part), key=float) for s in row] for row in squares]


def rectified(block: list[list[str]]) -> list[list[str]]:
    """Return printed numbers with 0.00 for each negative one."""
    return [["0.00" if n.startswith("-") else n for n in row] for row in block]


def by_hand(picture: list[list[int]], kernel: list[list[int]]) -> list[list[str]]:
    """Return the map of a filter in whole numbers and fractions, two decimals cut off."""
    side = range(7)
    sums = [
        [
            sum(kernel[u][v] * picture[i + u][j + v] for u in range(3) for v in range(3))
            for j in side
        ]
        for i in side
    ]
    hundredths = [[int(Fraction(100 * n, 9)) for n in row] for row in sums]  # int() cuts
    return [
        [f"{'-' * (n < 0)}{abs(n) // 100}.{abs(n) % 100:02}" for n in row] for row in hundredths
    ]


def test_the_x_and_the_filters_are_the_lectures() -> None:
    wanted = -np.ones((9, 9))
    for i in range(1, 8):
        wanted[i, i] = wanted[i, 8 - i] = 1
    assert np.array_equal(LETTERS["X"], wanted)
    a, b = (json.loads(found) for found in re.findall(r"\[\[.*?\]\]", FACTS.replace("−", "-")))
    assert FILTERS["A"].tolist() == a
    assert FILTERS["B"].tolist() == b
    assert FILTERS["C"].tolist() == [row[::-1] for row in a]


def test_map_and_pooled_map_of_a_to_the_printed_character() -> None:
    found = walk(LETTERS["X"])
    assert grid(found.maps[0]) == MAP
    assert grid(found.pooled[0]) == POOLED


def test_maps_of_all_filters_to_the_printed_digit() -> None:
    """C's map is the printed one mirrored, as the X is; B's is worked out in fractions."""
    printed = numbers(MAP)
    x = LETTERS["X"].astype(int).tolist()
    wanted = {
        "A": printed,
        "B": by_hand(x, FILTERS["B"].astype(int).tolist()),
        "C": [row[::-1] for row in printed],
    }
    assert by_hand(x, FILTERS["A"].astype(int).tolist()) == printed
    found = walk(LETTERS["X"])
    for index, name in enumerate(FILTERS):
        block = wanted[name]
        assert numbers(grid(found.maps[index])) == block, name
        assert numbers(grid(found.pooled[index])) == pooled(block), name
        assert numbers(grid(found.rectified[index])) == rectified(block), name
        assert numbers(grid(found.final[index])) == rectified(pooled(block)), name
    assert pooled(printed) == numbers(POOLED)


@pytest.mark.parametrize("letter", LETTERS)
def test_every_step_is_torchs(letter: str) -> None:
    found = walk(LETTERS[letter])
    x = torch.from_numpy(LETTERS[letter])[None, None]
    weight = torch.from_numpy(np.stack(list(FILTERS.values())))[:, None]
    maps = torch.nn.functional.conv2d(x, weight) / 9
    final = torch.nn.functional.max_pool2d(torch.relu(maps), 2, ceil_mode=True)
    assert np.allclose(found.maps, maps[0].numpy(), rtol=0, atol=1e-12)
    assert np.allclose(found.final, final[0].numpy(), rtol=0, atol=1e-12)
    dense = torch.nn.Linear(48, 2, bias=False, dtype=torch.float64)
    with torch.no_grad():
        dense.weight.copy_(torch.from_numpy(np.stack([w.ravel() for w in ballot().values()])))
        wanted = dense(final.flatten())
    assert np.allclose(list(found.votes.values()), wanted.numpy(), rtol=0, atol=1e-12)


def test_votes() -> None:
    assert walk(LETTERS["X"]).says == "X"
    assert walk(LETTERS["O"]).says == "O"
    for weights in ballot().values():
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1)


def test_where_it_fails_is_told() -> None:
    """Turned by 45 degrees, an X has no slanted strokes left: the net by hand takes it for an O."""
    wrong = [name for name, (letter, picture) in HARDER.items() if walk(picture).says != letter]
    assert wrong == ["X turned by 45 degrees"]
    assert {letter for letter, _ in HARDER.values()} == set(LETTERS)
    assert all(picture.shape == (9, 9) for _, picture in HARDER.values())


def test_to_dict_is_plain() -> None:
    plain = json.loads(json.dumps(walk(LETTERS["O"]).to_dict()))
    assert plain["says"] == "O"
    assert np.shape(plain["maps"]) == (3, 7, 7)


def test_another_size_is_said() -> None:
    with pytest.raises(SizeError, match=r"\(9, 9\)"):
        walk(np.zeros((8, 9)))
