"""Lines of text: what is read, what is refused and where, and that draws depend on the seed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsin.augment import POLICIES, Chain, Copies, Draw, parse
from opsin.augment._operation import Operation, find, name_of, names
from opsin.errors import DataError, RecipeError

# Machines are shared: a slow one is no failure.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

SIZE = (28, 24)


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    """Draw any operation with any numbers it allows."""
    from dataclasses import fields

    kind = find(draw(st.sampled_from(names())))
    limits = [(spec.metadata["least"], spec.metadata["most"]) for spec in fields(kind)]
    numbers = [draw(st.floats(least, most)) for least, most in limits]
    ordered = len({*limits}) < len(limits)  # a range: the smaller number first
    return kind(*(sorted(numbers) if ordered else numbers))


copies = st.none() | st.builds(Copies, st.integers(1, 1000), st.booleans())
chains = st.builds(Chain, st.lists(operations(), max_size=6).map(tuple), copies)


@patient
@given(chains)
def test_text_of_a_chain_reads_back_as_the_chain(chain: Chain) -> None:
    assert parse(str(chain)) == chain


@pytest.mark.parametrize("policy", POLICIES)
def test_policies_are_lines(policy: str) -> None:
    assert parse(policy) == parse(POLICIES[policy]) == parse(str(parse(policy)))


def test_a_policy_can_be_extended() -> None:
    assert str(parse("digits, cutout .2")).endswith("shear 10, cutout 0.2")


def test_the_twelve_sets_of_the_study_have_their_names() -> None:
    twelve = (
        "original centred elastic translation rotation elastic-centred rotation-centred "
        "translation-elastic translation-rotation rotation-elastic rotation-elastic-centred "
        "elastic-elastic"
    )
    assert {*twelve.split()} <= {*POLICIES}
    verbs = {"centred": "centre", "translation": "translate", "rotation": "rotate"}
    for name in twelve.split()[1:]:
        words = [verbs.get(word, word) for word in name.split("-")]
        assert [name_of(step) for step in parse(name).operations] == words


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
        ("rotation-elastik", "Did you mean 'rotation-elastic'?"),
        ("rotate 3, copies 0", "'copies 0' at character 11"),
        ("rotate 3, copies", "1 to 100000 versions of each picture"),
        ("rotate 3, copies 5 plane", "'copies N plain'"),
        ("rotate 3, copies 2.5", "'copies N plain'"),
        ("copies 5, flip", "'flip' at character 11"),
        ("elastic 34 0.2", "1 to 100 pixels"),
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


def numbers_of(draw: Draw) -> list[np.ndarray]:
    """Return all numbers a draw holds."""
    found = [draw.geometry, draw.holes, *(numbers for _, numbers in draw.pixels)]
    found += [] if draw.colour is None else [draw.colour]
    return found if draw.bend is None else [*found, draw.bend.amounts]


def same(one: Draw, other: Draw) -> bool:
    """Say whether two draws hold the same numbers."""
    pairs = zip(numbers_of(one), numbers_of(other), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


BATCH = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (5, 3, *SIZE), dtype=np.uint8))
seeds = st.lists(st.integers(0, 2**40), max_size=5).map(tuple)


@patient
@given(chains, seeds)
def test_the_same_seed_draws_the_same(chain: Chain, seed: tuple[int, ...]) -> None:
    first, again = (chain.draw_for(BATCH, (20, 20), seed) for _ in range(2))
    assert same(first, again)


@patient
@given(chains, seeds)
def test_what_is_drawn_for_a_picture_does_not_depend_on_its_batch(
    chain: Chain, seed: tuple[int, ...]
) -> None:
    whole = chain.draw_for(BATCH, (20, 20), seed, [7, 3, 9, 0, 4])
    some = chain.draw_for(BATCH[[3, 1]], (20, 20), seed, [0, 3])
    assert same(whole[[3, 1]], some)
    assert same(whole[1:3], whole[np.array([False, True, True, False, False])])


def test_a_chain_that_looks_wants_pictures() -> None:
    with pytest.raises(DataError, match="draw_for"):
        parse("rotate 3, centre").draw(2, SIZE, SIZE, (0,))


def test_copies_come_round_and_are_all_different() -> None:
    chain = parse("rotation-elastic, copies 3")
    drawn = [chain.draw_epoch(BATCH, SIZE, 0, epoch, range(5)) for epoch in range(6)]
    assert [same(drawn[0], each) for each in drawn] == [True, False, False, True, False, False]
    assert same(drawn[1], drawn[4]) and not same(drawn[1], drawn[2])
    turns = np.stack([each.geometry[:, 0, 0] for each in drawn[:3]])
    assert len(np.unique(turns)) == 15  # every picture has its own


def test_the_first_copy_may_be_the_picture_itself() -> None:
    chain = parse("rotate 15, copies 2 plain")
    first, second, third = (chain.draw_epoch(BATCH, SIZE, 0, epoch, range(5)) for epoch in range(3))
    assert (first.geometry == np.eye(3)).all() and same(first, third)
    assert not same(first, second)


def test_without_copies_every_epoch_is_new() -> None:
    chain = parse("rotate 15")
    drawn = [chain.draw_epoch(BATCH, SIZE, 0, epoch, range(5)).geometry for epoch in range(50)]
    assert len({each.tobytes() for each in drawn}) == 50


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
