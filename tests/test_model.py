"""The model file: exact, self-contained, and refused in a sentence where it is damaged."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import opsin
from opsin.engine import checkpoint
from opsin.errors import ModelError


def test_loaded_model_says_the_same(trained: Path, photos: Path) -> None:
    model = opsin.Model.load(trained / "model.safetensors")
    again = opsin.Model.load(model.save(trained / "copy.safetensors"))
    (trained / "copy.safetensors").unlink()
    said = [p.to_dict() for p in model.predict(photos)]
    assert said == [p.to_dict() for p in again.predict(photos)]
    assert len(said) == 120
    assert all(abs(sum(s["scores"].values()) - 1) < 1e-6 for s in said)


def test_predict_takes_paths_arrays_and_bytes(trained: Path, photos: Path) -> None:
    model = opsin.Model.load(trained)
    path = next(photos.glob("*/*.png"))
    from opsin.data.decode import decode

    kinds = [path, str(path), path.read_bytes(), np.ascontiguousarray(decode(path))]
    said = {p.result.rows()[0]["score"] for each in kinds for p in model.predict(each) if p.result}
    assert len(said) == 1
    assert len(model.predict(kinds)) == 4


def test_results_do_not_depend_on_what_else_is_asked(trained: Path, photos: Path) -> None:
    model = opsin.Model.load(trained)
    files = sorted(photos.glob("*/*.png"))
    together = {p.path: p.to_dict() for p in model.predict(files)}
    for file in files[::17]:
        assert model.predict(file)[0].to_dict() == together[str(file)]


@pytest.mark.parametrize("tta", [1, 3])
def test_blocks_that_cannot_be_read_are_answered_in_their_place(
    trained: Path, photos: Path, tta: int
) -> None:
    model = opsin.Model.load(trained)
    files = sorted(photos.glob("*/*.png"))
    bad = max(64, model.runtime.together)
    asked = [b"no picture"] * bad + [files[0]] + [b""] * 2 * bad + [files[1]] + [b"GIF"] * bad
    said = model.predict(asked, tta=tta)
    assert len(said) == len(asked)
    good = [place for place, each in enumerate(said) if each.result is not None]
    assert good == [bad, 3 * bad + 1]
    assert [said[place].path for place in good] == [str(file) for file in files[:2]]
    assert all(each.error for place, each in enumerate(said) if place not in good)
    assert [each.error for each in model.predict([b""], tta=tta)] == [said[bad + 1].error]


def test_header_says_where_the_model_comes_from(trained: Path) -> None:
    header = checkpoint.read_header(trained / "model.safetensors")
    about = header["about"]
    assert header["net"] == "lenet5"
    assert header["preprocessing"]["exif"] == "applied"
    assert about["split"]["held_out"] == "test"
    assert set(about["versions"]) >= {"opsin", "torch", "python"}
    assert len(about["data"]["fingerprint"]) == 64
    low, value, high = (about["metrics"]["accuracy"][k] for k in ("low", "value", "high"))
    assert low <= value <= high
    assert header["recipe"]["seed"] == 1


def damaged(path: Path, name: str) -> bytes:
    """Return the bytes of a model file, damaged in one way."""
    whole = path.read_bytes()
    length = struct.unpack("<Q", whole[:8])[0]
    header = json.loads(whole[8 : 8 + length])
    ours = json.loads(header["__metadata__"]["opsin"])
    if name == "truncated":
        return whole[:-100]
    if name == "flipped header":
        return whole[:40] + b"\x00\xff" + whole[42:]
    if name == "huge header":
        return struct.pack("<Q", 1 << 60) + whole[8:]
    if name == "text":
        return b"this is no model\n" * 50
    if name == "foreign":
        header["__metadata__"] = {"format": "pt"}
    elif name == "unknown net":
        ours["net"] = "os.system"
    elif name == "other net":
        ours["net"] = "resnet18"
    elif name == "unknown task":
        ours["task"] = "../../etc"
    elif name == "future":
        ours["format"] = 999
    elif name == "classes":
        ours["classes"] = ours["classes"] * 1000
    elif name == "no classes":
        del ours["classes"]
    elif name == "huge size":
        ours["preprocessing"]["size"] = [10**9, 10**9]
    elif name == "wrong type":
        ours["preprocessing"] = "none"
    if name != "foreign":
        header["__metadata__"]["opsin"] = json.dumps(ours)
    packed = json.dumps(header).encode()
    packed += b" " * (-len(packed) % 8)
    return struct.pack("<Q", len(packed)) + packed + whole[8 + length :]


@pytest.mark.parametrize(
    "name",
    [
        "truncated", "flipped header", "huge header", "text", "foreign", "unknown net",
        "other net", "unknown task", "future", "classes", "no classes", "huge size", "wrong type",
    ],
)  # fmt: skip
def test_damaged_files_are_refused_at_once(trained: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(damaged(trained / "model.safetensors", name))
    began = time.monotonic()
    with pytest.raises(opsin.OpsinError) as caught:
        opsin.Model.load(path)
    assert caught.value.exit_code == 2
    assert time.monotonic() - began < 10  # a bound against hanging, not a measurement


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.safetensors"):
        opsin.Model.load(tmp_path / "nothing.safetensors")


def test_a_notebook_shows_a_card(trained: Path) -> None:
    model = opsin.Model.load(trained)
    assert "lenet5" in model._repr_html_()
    assert "lenet5" in repr(model)


def test_loading_a_model_takes_no_random_numbers(trained: Path) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    opsin.Model.load(trained)
    assert torch.equal(before, torch.random.get_rng_state())
