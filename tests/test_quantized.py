"""A model in whole numbers of 8 bits: close to what it was, used as before, and said to be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import opsin
from opsin import cli, runtimes
from opsin.errors import DataError, ModelError
from opsin.runtimes import _int8, find

pytestmark = pytest.mark.skipif(
    not find("openvino").available("cpu"), reason="OpenVINO is not made for this processor"
)


@pytest.fixture(scope="module")
def eight(trained: Path, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file of the model of ``trained`` in 8 bits."""
    out = tmp_path_factory.mktemp("eight") / "eight.safetensors"
    assert cli.run(["quantize", str(trained), str(photos), "--out", str(out)]) == 0
    return out


def test_it_runs_in_8_bits_and_says_nearly_the_same(
    eight: Path, trained: Path, photos: Path
) -> None:
    before, after = opsin.Model.load(trained), opsin.Model.load(eight)
    assert after.runtime.precision == "int8"
    assert before.runtime.precision != "int8"
    for one, other in zip(before.predict(photos), after.predict(photos), strict=True):
        assert one.result.scores == pytest.approx(other.result.scores, abs=0.1)
    assert after.evaluate(photos).metrics["accuracy"].value == pytest.approx(
        before.evaluate(photos).metrics["accuracy"].value, abs=0.05
    )


def test_its_answers_do_not_depend_on_company(eight: Path, photos: Path) -> None:
    model = opsin.Model.load(eight)
    files = sorted(photos.glob("*/*.png"))[:20]
    together = [said.result for said in model.predict(files)]
    assert together == [model.predict(file)[0].result for file in files]


def test_what_is_told_is_what_was_measured(
    trained: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "eight.safetensors"
    words = ["quantize", str(trained), str(photos), "--out", str(out), "--json"]
    assert cli.run(words) == 0
    said = json.loads(capsys.readouterr().out)
    for when, file in (("before", trained), ("after", out)):
        measured = opsin.Model.load(file).evaluate(photos).metrics["accuracy"]
        assert said[when]["score"]["value"] == measured.value
        assert said[when]["score"]["n"] == measured.n == 120
    gap = said["after"]["score"]["value"] - said["before"]["score"]["value"]
    assert said["lead"]["value"] == pytest.approx(gap)
    assert said["pictures_of_ranges"] == 64  # of 120, evenly chosen


def test_made_again_it_is_set_beside_what_it_was_first(eight: Path, photos: Path) -> None:
    again = opsin.verbs.quantize(eight, photos, out=eight.with_name("again.safetensors"))
    first, second = again.names
    assert "int8" in second
    assert "int8" not in first


def test_ranges_hold_what_convolutions_read(trained: Path) -> None:
    model = opsin.Model.load(trained)
    draws = np.random.default_rng(0)
    shape = (16, model.preprocessing.channels, *model.preprocessing.size)
    pixels = draws.integers(0, 256, shape, dtype=np.uint8)
    spans = runtimes.ranges(model.net, model.preprocessing, pixels)
    mean, std = (np.array(each) for each in (model.preprocessing.mean, model.preprocessing.std))
    low, high = ((end / 255 - mean) / std for end in (pixels.min(), pixels.max()))
    assert spans[0] == pytest.approx((low.min(), high.max()), rel=0.02)  # the first reads pictures
    assert all(first <= last for first, last in spans)


def test_ranges_of_another_net_are_refused_and_never_used(trained: Path) -> None:
    model = opsin.Model.load(trained)
    graph = find("openvino")._graph(model.net, model.preprocessing)  # type: ignore[attr-defined]
    for wrong in ([[0.0, 1.0]], [[0.0, 1.0]] * 9, [[1.0, 0.0], [0.0, 1.0]], [[0.0], [1.0]]):
        with pytest.raises(ModelError, match="ranges for a net of"):
            _int8.put_in(graph, wrong)
        damaged = replace(model, about={**model.about, "int8": {"ranges": wrong}})
        assert damaged.runtime.precision != "int8"  # it falls back to what always runs
    for fact in ("ranges", 8, None, {}, {"ranges": "many"}, {"ranges": [["a", "b"]] * len(wrong)}):
        foreign = replace(model, about={**model.about, "int8": fact})
        assert foreign.runtime.precision != "int8"


def test_wrong_calls(
    trained: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, told in {
        (trained, photos): "no out",
        (trained, photos, "--out", trained / "model.safetensors"): "made from",
        (trained, photos, "--out", tmp_path): "which is a folder",
        (trained, tmp_path / "none", "--out", tmp_path / "x"): "none",
        (tmp_path / "none", photos, "--out", tmp_path / "x"): "none",
    }.items():
        assert cli.run(["quantize", *map(str, words)]) == 2
        assert told in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
    few = opsin.Dataset.read(photos)
    with pytest.raises(DataError, match="3 pictures to take ranges from"):
        opsin.verbs.quantize(trained, few.keep(few.samples[:3]), out=tmp_path / "x")
    with pytest.raises(DataError, match="truths of kind"):
        opsin.verbs.quantize(trained, "samples:scattered", out=tmp_path / "x")


def test_a_net_without_convolutions_is_named(photos: Path, tmp_path: Path) -> None:
    recipe = opsin.Recipe(net="dense 10", epochs=1, policy="scratch", size=16)
    model = opsin.train(photos, recipe, out=tmp_path / "run")
    with pytest.raises(ModelError, match="which does not convolve"):
        opsin.verbs.quantize(model, photos, out=tmp_path / "x")
