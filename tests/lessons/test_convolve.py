"""`opsin convolve` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from opsin import cli, verbs
from opsin.errors import InputError
from opsin.ops.kernels import GALLERY


def read(path: Path) -> Image.Image:
    """Return a picture, its file closed again."""
    with Image.open(path) as image:
        image.load()
        return image


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Write a picture (20, 30) that gets brighter to the right."""
    path = tmp_path / "photo.png"
    Image.fromarray(np.tile(np.arange(0, 240, 8, dtype=np.uint8), (20, 1))).save(path)
    return path


def ask(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    """Run a command line; return the exit code and what it printed."""
    code = cli.run([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_name_and_a_matrix(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "edges.png"
    code, printed, _ = ask(capsys, "convolve", photo, "--kernel", "sobel-x", "--out", out)
    assert code == 0
    assert "20×30 becomes 18×28" in printed
    assert "comes out even" in printed
    assert printed.splitlines()[-1] == str(out)
    named = out.read_bytes()
    code, printed, _ = ask(
        capsys, "convolve", photo, "--kernel", "-1 0 1; -2 0 2; -1 0 1", "--out", out, "--json"
    )
    assert code == 0
    assert out.read_bytes() == named
    told = json.loads(printed)
    assert told["kernel"]["matrix"] == GALLERY["sobel-x"].values
    assert (told["low"], told["high"]) == (64, 64)  # 4 × (16 per two pixels)
    assert (told["before"], told["after"], told["uneven"]) == ([20, 30], [18, 28], [])


def test_stride_padding_dilation(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "small.png"
    words = ["--stride", "3", "--padding", "2", "--dilation", "2", "--out", out]
    code, printed, _ = ask(capsys, "convolve", photo, "--kernel", "box-blur", *words)
    assert code == 0
    assert "20×30 becomes 7×10" in printed  # (20 + 4 - 5)/3 + 1 = 7.33, (30 + 4 - 5)/3 + 1 = 10.67
    assert "7.33 is not an integer" in printed
    assert read(out).size == (10, 7)
    code, _, _ = ask(
        capsys, "convolve", photo, "--kernel", "box-blur", "--padding", "same", "--out", out
    )
    assert read(out).size == (30, 20)


def test_gallery(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "kernels.png"
    code, printed, _ = ask(capsys, "convolve", "--gallery", photo, "--out", out, "--json")
    assert code == 0
    assert json.loads(printed)["kernels"] == list(GALLERY)
    code, printed, _ = ask(capsys, "convolve", "--gallery", photo, "--out", out)
    assert printed.startswith(f"{len(GALLERY)} kernels")
    assert out.exists()


WRONG = {
    "no out": (["PHOTO", "--kernel", "sharpen"], "no out"),
    "no kernel": (["PHOTO", "--out", "OUT"], "no kernel"),
    "both": (["PHOTO", "--gallery", "--kernel", "sharpen", "--out", "OUT"], "beside gallery"),
    "no rectangle": (["PHOTO", "--kernel", "1 0; 1", "--out", "OUT"], "row 2 has 1 number"),
    "unknown name": (["PHOTO", "--kernel", "sharpn", "--out", "OUT"], "Did you mean sharpen?"),
    "too small": (["TINY", "--kernel", "sharpen", "--out", "OUT"], "a picture of 2×2 for a window"),
    "no picture": (["JUNK", "--kernel", "sharpen", "--out", "OUT"], "junk.png"),
    "nothing there": (["/nowhere.png", "--kernel", "sharpen", "--out", "OUT"], "/nowhere.png"),
    "padding": (["PHOTO", "--kernel", "sharpen", "--padding", "full", "--out", "OUT"], "'full'"),
    "stride": (["PHOTO", "--kernel", "sharpen", "--stride", "0", "--out", "OUT"], "stride 0"),
    "no number": (["PHOTO", "--kernel", "sharpen", "--stride", "x", "--out", "OUT"], "'x'"),
    "no place": (["PHOTO", "--kernel", "sharpen", "--out", "JUNK/a.png"], "Choose another --out"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_and_ends_with_2(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path, name: str
) -> None:
    tiny, junk, out = tmp_path / "tiny.png", tmp_path / "junk.png", tmp_path / "out.png"
    Image.new("L", (2, 2)).save(tiny)
    junk.write_bytes(b"junk")
    places = {"PHOTO": photo, "TINY": tiny, "OUT": out, "JUNK/a.png": junk / "a.png", "JUNK": junk}
    words, says = WRONG[name]
    before = sorted(tmp_path.rglob("*"))
    code, printed, err = ask(capsys, "convolve", *(places.get(word, word) for word in words))
    assert code == 2
    assert not printed
    assert says in err
    assert "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before


def test_as_a_function(photo: Path, tmp_path: Path) -> None:
    found = verbs.convolve(photo, kernel="sharpen", padding=1, out=tmp_path / "sharp.png")
    assert found.to_dict()["after"] == [20, 30]
    with pytest.raises(InputError):
        verbs.convolve(photo, kernel="sharpen", padding=-1, out=tmp_path / "sharp.png")
