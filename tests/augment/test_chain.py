"""Lines of text: what is read, what is refused and where, and that draws depend on the seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsin.augment import POLICIES, Chain, parse
from opsin.augment._operation import Operation, find, name_of, names
from opsin.errors import RecipeError

SIZE = (28, 24)


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    """Draw any operation with any numbers it allows."""
    from dataclasses import fields

    kind = find(draw(st.sampled_from(names())))
    numbers = sorted(
        draw(st.floats(spec.metadata["least"], spec.metadata["most"])) for spec in fields(kind)
    )
    return kind(*numbers)


chains = st.lists(operations(), max_size=6).map(lambda steps: Chain(tuple(steps)))


@given(chains)
def test_text_of_a_chain_reads_back_as_the_chain(chain: Chain) -> None:
    assert parse(str(chain)) == chain


@pytest.mark.parametrize("policy", POLICIES)
def test_policies_are_lines(policy: str) -> None:
    assert parse(policy) == parse(POLICIES[policy]) == parse(str(parse(policy)))


def test_a_policy_can_be_extended() -> None:
    assert str(parse("digits, cutout .2")).endswith("shear 10, cutout 0.2")


def test_the_named_policies_keep_their_promises() -> None:
    assert str(parse("none")) == "none" == str(parse(""))
    assert "flip" in str(parse("light"))
    assert "flip" not in str(parse("digits"))


def test_numbers_are_written_as_people_write_them() -> None:
    line = "flip, rotate 15, translate 0.1, scale 0.8 1.2, shear 10, color 0.2, cutout 0.2"
    assert str(parse(line)) == line
    assert str(parse(" flip 0.5,rotate  15.00 ,scale 8e-1 1.2")) == "flip, rotate 15, scale 0.8 1.2"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("flip, rotatee 15", "'rotatee' at character 7"),
        ("flip, rotatee 15", "Did you mean 'rotate'?"),
        ("strongg", "Did you mean 'strong'?"),
        ("rotate 400", "0 to 180 degrees"),
        ("rotate nan", "0 to 180 degrees"),
        ("flip, translate 2", "at character 7"),
        ("translate 10%", "'translate SHARE' in numbers"),
        ("rotate", "'rotate DEGREES' (degrees 0 to 180 degrees)"),
        ("crop 3", "'crop' (no numbers)"),
        ("scale 0.8", "'scale LEAST MOST'"),
        ("flip, scale 1.2 0.8", "Write 'scale 0.8 1.2'"),
        ("light 3", "'light' without numbers"),
        ("flip,, rotate 3", "nothing at character 6"),
        ("flip,", "nothing at character 6"),
        ("auto", "chosen from the pictures"),
    ],
)
def test_errors_say_where_what_and_what_instead(line: str, said: str) -> None:
    with pytest.raises(RecipeError) as error:
        parse(line)
    assert said in str(error.value)


def test_every_operation_is_found_by_its_file() -> None:
    assert {"flip", "rotate", "translate", "scale", "shear", "crop", "color", "cutout"} <= {
        *names()
    }
    assert all(name_of(find(name)) == name for name in names())


@given(chains, st.lists(st.integers(0, 2**40), max_size=5).map(tuple))
def test_the_same_seed_draws_the_same(chain: Chain, seed: tuple[int, ...]) -> None:
    first, again = (chain.draw(5, SIZE, (20, 20), seed) for _ in range(2))
    assert np.array_equal(first.geometry, again.geometry)
    assert np.array_equal(first.holes, again.holes)
    assert (first.colour is None) == (again.colour is None)
    assert first.colour is None or np.array_equal(first.colour, again.colour)


def test_another_seed_draws_another_thing() -> None:
    seeds = [(0,), (1,), (0, 0), (0, 1), (1, 0), (0, 0, 0)]
    draws = [parse("rotate 30").draw(8, SIZE, SIZE, seed).geometry for seed in seeds]
    assert len({draw.tobytes() for draw in draws}) == len(seeds)


def test_a_longer_chain_repeats_the_draws_of_a_shorter_one() -> None:
    short = parse("rotate 30").draw(8, SIZE, SIZE, (3,))
    long = parse("rotate 30, color 0.3, cutout 0.3").draw(8, SIZE, SIZE, (3,))
    assert np.array_equal(short.geometry, long.geometry)


def test_operations_act_in_the_order_written() -> None:
    """Shift by (a, b), then mirror x: the total shift is (-a, b)."""
    shift = parse("translate 0.3").draw(64, SIZE, SIZE, (0,)).geometry
    both = parse("translate 0.3, flip 1").draw(64, SIZE, SIZE, (0,)).geometry
    assert np.array_equal(both[:, 0, 2], -shift[:, 0, 2])
    assert np.array_equal(both[:, 1, 2], shift[:, 1, 2])
