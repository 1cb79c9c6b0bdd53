"""Pictures decoded once: the same pixels as one by one, kept, and refused with a clear error."""

import errno
import os
import time
from pathlib import Path

import numpy as np
import pytest
from pictures import drained, encoded, put, scene

from opsin.data.cache import fill
from opsin.data.decode import prepare
from opsin.data.preprocess import Preprocessing
from opsin.data.sample import Sample
from opsin.errors import DataError
from opsin.events import Advanced, Finished, Started

PRE = Preprocessing((56, 48))
GREY = Preprocessing((28, 28), crop=1.0, mean=(0.5,), std=(0.5,))


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    """Give 40 pictures: files, bytes and arrays, one file damaged and one missing."""
    made = []
    for index in range(38):
        content = encoded(scene(index), ("JPEG", "PNG", "WEBP")[index % 3])
        kept = put(tmp_path / f"in/{index}.jpg", content) if index % 2 else content
        made.append(Sample(kept, name=str(index)))
    made.append(Sample(put(tmp_path / "in/torn.jpg", encoded(scene(1), "JPEG")[:700]), name="torn"))
    return [*made, Sample(tmp_path / "none.jpg", name="none")]


def test_fill_is_prepare_for_every_sample(samples: list[Sample]) -> None:
    pixels, told = drained(fill(samples, PRE, workers=3))
    assert pixels.images.shape == (40, 3, *PRE.working)
    for index in pixels.keep:
        assert np.array_equal(pixels.images[index], prepare(samples[index].image, PRE))
    assert pixels.keep.tolist() == list(range(38))
    assert [(p.kind, p.path) for p in pixels.problems] == [
        ("truncated", "torn"),
        ("missing", "none"),
    ]
    assert pixels.sizes[0].tolist() == [96, 128]
    assert isinstance(told[0], Started) and told[0].total == 40 and isinstance(told[-1], Finished)
    assert sum(event.by for event in told if isinstance(event, Advanced)) == 40


def test_copies_are_recognised() -> None:
    content, other = encoded(scene(0), "JPEG", quality=90), encoded(scene(0), "JPEG", quality=50)
    stranger = encoded(scene(1), "JPEG")
    pixels, _ = drained(fill([Sample(b) for b in (content, content, other, stranger)], PRE))
    assert pixels.digests[0] == pixels.digests[1] != pixels.digests[2]
    assert pixels.hashes[0] == pixels.hashes[1] == pixels.hashes[2] != pixels.hashes[3]


def test_a_second_call_takes_what_was_kept(samples: list[Sample], tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    first, _ = drained(fill(samples, PRE, folder=folder))
    names = sorted(path.name for path in folder.iterdir())
    second, told = drained(fill(samples, PRE, folder=folder))
    assert isinstance(told[-1], Finished) and told[-1].text == "kept from an earlier run"
    assert np.array_equal(first.images, second.images) and first.problems == second.problems
    assert first.digests == second.digests and np.array_equal(first.hashes, second.hashes)
    assert sorted(path.name for path in folder.iterdir()) == names and len(names) == 2


def test_a_changed_file_or_rule_or_a_torn_cache_is_decoded_anew(
    samples: list[Sample], tmp_path: Path
) -> None:
    folder = tmp_path / "cache"
    drained(fill(samples, PRE, folder=folder))
    drained(fill(samples, Preprocessing((56, 48), fit="pad"), folder=folder))
    assert len(list(folder.glob("*.raw"))) == 2
    put(tmp_path / "in/1.jpg", encoded(scene(99)))
    changed, _ = drained(fill(samples, PRE, folder=folder))
    assert np.array_equal(changed.images[1], prepare(encoded(scene(99)), PRE))
    wanted = changed.images.copy()
    for raw in folder.glob("*.raw"):
        raw.unlink()  # cutting a file that is mapped would end this process
        raw.write_bytes(b"torn")
    again, told = drained(fill(samples, PRE, folder=folder))
    assert np.array_equal(again.images, wanted)
    assert isinstance(told[-1], Finished) and told[-1].text == "2 could not be read"


def test_names_that_are_no_utf_8_are_kept_and_told(tmp_path: Path) -> None:
    strange = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    try:
        good, torn = (put(Path(strange + end), encoded(scene(0))) for end in ("", "2"))
    except OSError:
        pytest.skip("this disk only has names in UTF-8")
    torn.write_bytes(b"text")
    samples = [Sample(good), Sample(torn), Sample(Path(strange + "3"))]
    pixels, _ = drained(fill(samples, PRE, folder=tmp_path / "cache"))
    again, _ = drained(fill(samples, PRE, folder=tmp_path / "cache"))
    assert pixels.problems == again.problems and pixels.keep.tolist() == [0]
    for problem in pixels.problems:
        assert problem.path.endswith(("caf\\xe9.png2", "caf\\xe9.png3"))
        problem.message.encode()


def test_a_full_disk_is_one_clear_error(
    samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    for folder in (None, tmp_path / "cache"):
        with pytest.raises(DataError, match=r"No space left on device.*Free some disk space"):
            drained(fill(samples, PRE, folder=folder))
    assert not list((tmp_path / "cache").iterdir())


def test_closing_early_leaves_nothing_behind(samples: list[Sample], tmp_path: Path) -> None:
    events = fill(samples, PRE, folder=tmp_path / "cache")
    next(events), next(events)
    events.close()
    assert not list((tmp_path / "cache").iterdir())


def test_seventy_thousand_arrays_pass_at_once() -> None:
    digits = np.random.default_rng(0).integers(0, 256, (70_000, 28, 28), np.uint8)
    samples = [Sample(digit) for digit in digits]
    start = time.process_time()
    pixels, _ = drained(fill(samples, GREY))
    assert time.process_time() - start < 2  # half a second on two idle cores
    assert np.array_equal(pixels.images[:, 0], digits)
    assert len(set(pixels.digests)) == len(np.unique(pixels.hashes)) == 70_000


def test_arrays_take_the_same_way_whatever_the_size() -> None:
    digits = np.random.default_rng(0).integers(0, 256, (3, 40, 28), np.uint8)
    pixels, _ = drained(fill([Sample(digit) for digit in digits], GREY))
    assert np.array_equal(pixels.images[1], prepare(digits[1], GREY))


def test_no_samples_are_no_pixels() -> None:
    pixels, _ = drained(fill([], PRE))
    assert pixels.images.shape == (0, 3, *PRE.working) and not len(pixels.keep)
