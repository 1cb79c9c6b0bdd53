"""What is wrong with a plan that a person wrote is said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsin.errors import RecipeError
from opsin.study import written


def page(folder: Path, text: str) -> Path:
    path = folder / "nets.toml"
    path.write_text(text, encoding="utf-8")
    return path


WHOLE = """
data = "photos"
root = "samples:digits"
seeds = [3, 5]

[recipe]
epochs = 2

[grid]
net = ["lenet5", "network3"]
"augment" = ["none", "rotate 15"]

[[cells]]
net = "hog"
policy = "auto"
"""


def test_a_whole_plan_is_read(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    plan = written.read(page(tmp_path, WHOLE))
    assert plan.name == "nets" and plan.seeds == (3, 5)
    assert plan.data == str(tmp_path / "photos")  # paths start from the file's folder
    assert plan.root == "samples:digits"  # what is no path there stays what it is
    assert plan.grid == {"net": ("lenet5", "network3"), "augment": ("none", "rotate 15")}
    assert plan.picked == ({"net": "hog", "policy": "auto"},)
    assert len(plan) == 10
    assert written.read(page(tmp_path, WHOLE), tmp_path).root == str(tmp_path)


WRONG = {
    'data = "d"\nseeds = 0': "line 2: seeds = 0; expected a number from 1",
    'data = "d"\nseeds = [1, 1]': "line 2: the seed 1 twice",
    'data = "d"\nseeds = [1.5]': "line 2: the seed 1.5; expected a whole number",
    'data = "d"\nseeds = [-1]': "line 2: seed=-1; expected 0 to",
    'data = "d"\nseeds = true': "line 2: seeds = True",
    'data = ""': "line 1: data = ''",
    "seeds = 2": "without data",
    'data = "d"\n[grid]\nagument = ["none"]': r"line 3: the setting 'agument'.* mean augment",
    'data = "d"\n\n[grid]\naugment = ["none", "rotat 15"]': "line 4: 'rotat' at character 1",
    'data = "d"\n[grid]\nnet = "lenet5"': r"line 3: net = 'lenet5'; expected a list.*net = \['lene",
    'data = "d"\n[grid]\nnet = []': "line 3: net = .*expected a list of values",
    'data = "d"\n[grid]\nnet = ["lenet5", "lenet5"]': "line 3: net = 'lenet5' twice",
    'data = "d"\n[grid]\nnet = ["lenet6"]': "line 3: the net 'lenet6'",
    'data = "d"\n[grid]\nrate = [0.1, 1000]': "line 3: rate=1000; expected 1e-08 to 100",
    'data = "d"\n[grid]\nschedule = ["cosin"]': "line 3: schedule='cosin'; expected one of cosine",
    'data = "d"\n[grid]\nseed = [1]': "line 3: the setting 'seed'; expected another: seeds are",
    'data = "d"\n[grid]\nsplit = [1]': "line 3: the setting 'split'",
    'data = "d"\n[grid]\npolicy = ["scrach"]': "line 3: the policy 'scrach'.*Did you mean scratch",
    'data = "d"\n[recipe]\nepochs = 1.5': "line 3: epochs=1.5; expected a whole number",
    'data = "d"\n[recipe]\nepochs = "ten"': "line 3: epochs='ten'; expected a number",
    'data = "d"\nrecipe = 3': "line 2: 3; expected a table",
    'data = "d"\ngrid.net = ["lenet6"]': "line 2: the net 'lenet6'",
    'data = "d"\n[grids]\nnet = ["lenet5"]': "line 2: 'grids'.*Did you mean grid",
    'data = "d"\n[grid\n': "at line 2, column 6",
    'data = "d"\n[cells]\nnet = "lenet5"': "line 2: .*each under",
    'data = "d"\n[[cells]]\nnett = "lenet5"': "line 3: the setting 'nett'",
    'data = "d"\n[grid]\nnet = ["lenet5"]\n[[cells]]\nnet = "lenet5"': "cell 1 .*there already",
    'data = "d"\n[[cells]]\nnet = "hog"\n[[cells]]\nnet = "hog"': "cell 2 .*there already",
    'data = "d"\n[[cells]]': "cell 1 without a setting",
    'data = "d"\n[[cells]]\nseeds = 2': "cell 1 without a setting",
    'data = "d"\nseeds = 3\n[[cells]]\nnet = "hog"\nseeds = 4': "line 5: seeds = 4 .*1 to 3",
    'data = "d"\n[[cells]]\nnet = "hog"\nseeds = true': "line 4: seeds = True .*1 to 5",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_an_error_names_the_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(RecipeError, match=WRONG[text]):
        written.read(page(tmp_path, text))


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"absent\.toml"):
        written.read(tmp_path / "absent.toml")
    (tmp_path / "noise.toml").write_bytes(bytes(range(256)))
    with pytest.raises(RecipeError, match=r"noise\.toml"):
        written.read(tmp_path / "noise.toml")
