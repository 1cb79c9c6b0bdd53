"""A plan is arithmetic: rows, cells and ids before anything is trained."""

from __future__ import annotations

import pytest

from opsin.errors import InputError, RecipeError
from opsin.study import job
from opsin.study.cost import Cost
from opsin.study.plan import Plan, row_id
from opsin.training.choice import check_words


def plan(**changes: object) -> Plan:
    usual = {"name": "t", "data": "samples:digits", "base": {"epochs": 1}, "seeds": (0, 1)}
    return Plan(**(usual | changes))  # type: ignore[arg-type]


def test_cells_are_the_product_and_those_by_hand() -> None:
    made = plan(
        grid={"net": ("lenet5", "hog"), "augment": ("none", "light", "digits")},
        picked=({"net": "network3", "dropout": 0.5},),
    )
    cells = list(made.cells())
    assert made.settings == len(cells) == 7 and len(made) == len(list(made.rows())) == 14
    assert all(list(cell) == ["net", "augment", "dropout"] for cell in cells)
    assert cells[0] == {"net": "lenet5", "augment": "none", "dropout": 0.0}
    assert cells[-1] == {"net": "network3", "augment": "auto", "dropout": 0.5}
    assert made.fields == {
        "net": ["lenet5", "hog", "network3"],
        "augment": ["none", "light", "digits", "auto"],
        "dropout": [0.0, 0.5],
    }


def test_a_plan_without_a_grid_is_one_setting_with_seeds() -> None:
    assert [row.seed for row in plan().rows()] == [0, 1]
    assert plan().settings == 1 and plan().fields == {}


def test_a_cell_by_hand_may_get_the_first_seeds_only() -> None:
    picked = ({"net": "hog", "seeds": 2}, {"net": "lenet5"}, {"net": "network3", "seeds": 9})
    made = Plan("t", "samples:digits", picked=picked, seeds=(4, 5, 6))
    rows = [(row.cell["net"], row.seed) for row in made.rows()]
    assert rows == [
        ("hog", 4), ("lenet5", 4), ("network3", 4), ("hog", 5), ("lenet5", 5), ("network3", 5),
        ("lenet5", 6), ("network3", 6),
    ]  # fmt: skip
    assert len(made) == len(rows) and made.settings == 3
    assert made.varied == ("net",) and list(made.fields) == ["net"]
    again = Plan.from_dict(made.to_dict())
    assert [row.id for row in again.rows()] == [row.id for row in made.rows()]


def test_all_cells_come_with_the_first_seed_before_the_second() -> None:
    rows = list(plan(grid={"net": ("lenet5", "network3")}).rows())
    assert [(row.seed, row.cell["net"]) for row in rows] == [
        (0, "lenet5"), (0, "network3"), (1, "lenet5"), (1, "network3")
    ]  # fmt: skip


def test_rows_share_one_split_and_differ_in_their_seed() -> None:
    rows = list(plan().rows())
    assert [row.recipe.split for row in rows] == [0, 0]
    assert [row.recipe.seed for row in rows] == [0, 1]
    assert next(plan(base={"split": 7}).rows()).recipe.split == 7


def test_an_id_stands_for_recipe_and_data() -> None:
    rows = list(plan(grid={"net": ("lenet5", "network3")}).rows())
    assert len({row.id for row in rows}) == 4
    assert [row.id for row in rows] == [row_id(row.recipe, "samples:digits") for row in rows]
    assert row_id(rows[0].recipe, "mnist") != rows[0].id
    assert len(rows[0].id) == 12 and int(rows[0].id, 16)


def test_a_plan_comes_back_from_plain_data() -> None:
    made = plan(grid={"net": ("lenet5",)}, picked=({"net": "hog"},), root="/data")
    again = Plan.from_dict(made.to_dict())
    assert again.to_dict() == made.to_dict()
    assert [row.id for row in again.rows()] == [row.id for row in made.rows()]


def test_a_million_rows_are_counted_without_being_made() -> None:
    values = tuple(range(1, 101))
    large = plan(grid={"epochs": values, "batch": values, "size": values}, seeds=tuple(range(10)))
    assert len(large) == 10_000_000


def test_settings_that_contradict_each_other_name_the_cell() -> None:
    with pytest.raises(RecipeError, match=r"in the cell net=hog: policy='scratch' for hog"):
        job.checked(plan(base={"policy": "scratch"}, grid={"net": ("lenet5", "hog")}))
    with pytest.raises(RecipeError, match="in the settings: minutes=1 and epochs=1"):
        job.checked(plan(base={"epochs": 1, "minutes": 1}))
    with pytest.raises(RecipeError, match="the same"):
        job.checked(plan(picked=({"net": "auto"}, {"net": "auto"})))


def test_minutes_make_a_table_that_cannot_be_repeated() -> None:
    assert plan(base={"minutes": 1}).timed
    assert plan(base={}, grid={"minutes": (1, 2)}).timed
    assert not plan().timed
    cost = Cost(4, 3, 10, 60.0, 1_000_000, 2, "this machine", 1, 2, {}, True)
    assert "cannot be repeated exactly" in cost.lines()[-1]
    assert "4 rows (2 settings × seeds), 1 of them done" in cost.lines()[0]
    assert cost.scaled(plan(seeds=tuple(range(30)))).seconds == pytest.approx(600)


@pytest.mark.parametrize("preset", ["laptop", "full"])
def test_the_built_in_study_is_sound(preset: str) -> None:
    made = job.asked("digits-augmentation", preset, None, None)
    for row in job.checked(made):
        check_words(row.recipe)
    assert made.built_in == "digits-augmentation"


def test_an_unknown_study_or_preset_is_named() -> None:
    with pytest.raises(InputError, match="Did you mean digits_augmentation"):
        job.asked("digit-augmentation", None, None, None)
    with pytest.raises(InputError, match="laptop, full"):
        job.asked("digits-augmentation", "huge", None, None)


@pytest.mark.parametrize("way", [{"workers": 0}, {"retries": -1}])
def test_a_way_to_work_has_bounds(way: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"expected [01] to"):
        job.Way(**way)
