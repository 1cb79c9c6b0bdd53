"""`opsin nets` as a person and a program meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opsin import cli, verbs
from opsin.events import Event, Finished
from opsin.lessons.net_tables import Described, Listed, memory, short
from opsin.model import Model
from opsin.nets import _speeds, described
from opsin.nets._grouped import lines
from opsin.nets._lineage import ORIGINS
from opsin.nets._speeds import Speed
from opsin.runtimes import _speed

LINE = "conv 5x5x8, pool 2, conv 5x5x16, dense 10"


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "opsin" / "speed.json"


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.run(["nets", *words])
    return code, *capsys.readouterr()


def test_the_table_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    code, text, _ = ask(capsys)
    assert code == 0
    for name in ORIGINS:
        assert name in text
    assert "* inception_v4: the lecture says 55 M parameters, it has 42,679,816" in text
    code, printed, _ = ask(capsys, "--json")
    rows = {row["name"]: row for row in json.loads(printed)["nets"]}
    told = rows["resnet50"]
    assert (told["year"], told["layers"], told["receptive_field"]) == (2015, 50, [427, 427])
    assert told["paper"]["arxiv"] == "1512.03385" and told["images_per_second"] is None


@pytest.mark.parametrize("width", [80, 100, 120, 240])
def test_tables_give_way_where_the_terminal_is_narrow(width: int) -> None:
    listed = Listed([described_row(name) for name in ORIGINS]).table(width)
    layers = Described(described("resnet50"), 1).table(width)
    for rows in (listed, layers):
        wide = [max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]]
        assert sum(wide) + 2 * (len(wide) - 1) <= width
    assert {"net", "year", "paper", "parameters", "multiply-adds", "sees"} <= set(listed[0])
    assert ("input" in listed[0]) == (width > 100)
    assert len(listed[0]) == 10 or width < 240


def described_row(name: str) -> dict[str, object]:
    from opsin.nets._catalogue import row

    return row(name)


def test_a_net_layer_by_layer(capsys: pytest.CaptureFixture[str]) -> None:
    code, text, _ = ask(capsys, "vgg16", "--input", "224x224x3", "--classes", "9")
    assert code == 0
    assert "102,764,544" in text and "36,873" in text and "134,297,417 parameters" in text
    code, printed, _ = ask(capsys, "vgg16", "--input", "224x224x3", "--classes", "9", "--json")
    told = json.loads(printed)
    assert told["input"] == [224, 224, 3] and told["parameters"] == 134_297_417
    assert sum(layer["parameters"] for layer in told["layers"]) == told["parameters"]
    assert sum(layer["madds"] for layer in told["layers"]) == told["madds"]
    assert told["weight_bytes"] == 4 * told["parameters"]
    assert told["batch_activation_bytes"] == 32 * told["activation_bytes"]
    assert told["layers"][1]["output"] == [224, 224, 64]


def test_a_net_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, text, _ = ask(capsys, "--spec", LINE, "--input", "32x32x3")
    assert code == 0 and "608" in text and "3,216" in text
    code, same, _ = ask(capsys, LINE, "--input", "32x32x3")
    assert code == 0 and same == text


@pytest.mark.parametrize("name", ["resnet152", "densenet121", "inception_v4", "lenet5", LINE])
def test_lines_of_long_nets_are_few_and_add_up(name: str) -> None:
    net = described(name)
    found = lines(net)
    assert len(found) <= 30
    assert sum(line.parameters for line in found) == net.parameters
    assert sum(line.madds for line in found) == net.madds
    assert found[-1].state.shape == net.rows[-1].shape


def test_blocks_are_told_as_papers_tell_them() -> None:
    told = {line.called: line.what for line in lines(described("resnet50"))}
    assert told["layer1.0"] == "1×1 64 → 3×3 64 → 1×1 256 | 1×1 256"
    assert told["layer3.1 – 5"] == "1×1 256 → 3×3 256 → 1×1 1024 | skip"
    told = {line.called: line.what for line in lines(described("googlenet"))}
    # Szegedy et al. 2014, table 1; torchvision's 5×5 is a 3×3.
    assert told["inception3a"] == ("1×1 64 | 1×1 96 → 3×3 128 | 1×1 16 → 3×3 32 | max 3×3 → 1×1 32")
    gated = [line.what for line in lines(described("seresnet50")) if line.name.startswith("layer")]
    assert all(what.endswith("· gate") for what in gated)
    dense = {line.name: line.what for line in lines(described("densenet121"))}
    assert dense["features.denseblock2"] == "(1×1 128 → 3×3 32) ×12, joined"


def test_a_trained_model_is_described_as_it_is(
    capsys: pytest.CaptureFixture[str], trained: Path
) -> None:
    code, printed, _ = ask(capsys, str(trained), "--json")
    told = json.loads(printed)
    model = Model.load(trained)
    assert code == 0
    assert told["name"] == "lenet5"
    assert told["input"] == [*model.preprocessing.size, model.preprocessing.channels]
    assert told["parameters"] == sum(p.numel() for p in model.net.parameters())


WRONG = {
    "unknown net": (["vgg61"], "vgg16"),
    "impossible size": (["alexnet", "--input", "40x40x3"], "1×1×256 at layer features.12"),
    "an error in the line": (["--spec", "conv 3x3x4, pol 2"], "column 13"),
    "no line": (["--spec", ""], "column 1"),
    "malformed input": (["vgg16", "--input", "224x224x3x1"], "height x width x channels"),
    "no pixels": (["vgg16", "--input", "0x4"], "height x width x channels"),
    "huge input": (["vgg16", "--input", "999999x4"], "65536"),
    "no classes": (["vgg16", "--classes", "0"], "1 to 1,000,000"),
    "classes of no head": (["--spec", "conv 3x3x4", "--classes", "3"], "End it with: dense 3"),
    "no batch": (["vgg16", "--batch", "0"], "1 to"),
    "two nets": (["vgg16", "--spec", LINE], "one of the two"),
    "input for none": (["--input", "3x3"], "input without a net"),
    "maps of none": (["--maps", "a.jpg", "--out", "b.png"], "maps without a net"),
    "maps nowhere": (["vgg16", "--maps", "a.jpg"], "both"),
    "a layer of nothing": (["vgg16", "--layer", "c1"], "both"),
    "maps of a line": (["--spec", LINE, "--maps", "a.jpg", "--out", "b.png"], "a trained net"),
    "a drawing of another kind": (["lenet5", "--draw", "a.png"], ".svg"),
    "a drawing nowhere": (["lenet5", "--draw", "/proc/nowhere/a.svg"], "written"),
    "no model": (["/nowhere.safetensors"], "model file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_said_and_ends_with_2(capsys: pytest.CaptureFixture[str], name: str) -> None:
    words, said = WRONG[name]
    code, out, err = ask(capsys, *words)
    assert code == 2, err
    assert said in err
    assert not out
    assert "Traceback" not in err


def test_speed_is_measured_on_request_and_remembered(
    monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    monkeypatch.setattr(_speed, "SECONDS", 0.01)
    told: list[Event] = []
    found = verbs.nets("lenet5", speed=True, watch=told.append)
    assert isinstance(found, Described)
    rate = found.about["images_per_second"]
    assert rate > 0
    assert any("images/s here" in line for line in found.notes())
    assert any(isinstance(event, Finished) for event in told)
    listed = verbs.nets()
    assert isinstance(listed, Listed)
    row = next(row for row in listed.rows if row["name"] == "lenet5")
    assert row["images_per_second"] == rate
    assert _speeds.here() in json.loads(own_cache.read_text())


def test_a_speed_of_another_machine_or_a_torn_file_counts_for_nothing(
    monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    _speeds.remember("vgg16", Speed(12.5, "torch"))
    assert _speeds.read() == {"vgg16": Speed(12.5, "torch")}
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert _speeds.read() == {}
    _speeds.remember("vgg16", Speed(7.0, "torch"))
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert _speeds.read() == {"vgg16": Speed(12.5, "torch")}
    own_cache.write_text(own_cache.read_text()[:40])
    assert _speeds.read() == {}
    _speeds.remember("vgg16", Speed(1.0, "torch"))
    assert _speeds.read() == {"vgg16": Speed(1.0, "torch")}


def test_numbers_in_three_digits() -> None:
    told = [short(n) for n in (0, 7, 999, 1000, 999_499, 999_500, 1_234_567, 37.7e9)]
    assert told == ["0", "7", "999", "1.00 k", "999 k", "1.00 M", "1.23 M", "37.7 G"]
    assert memory(12) == "12 bytes" and memory(3_340_000_000) == "3.34 GB"
