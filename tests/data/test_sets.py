"""Named sets from local copies, from a server of our own, and without any network."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
from pictures import encoded, put, scene

from opsin.data import samples, sets
from opsin.data.dataset import Dataset
from opsin.data.sets import _fetch, cifar10, mnist
from opsin.errors import DataError
from opsin.results import Label, Value


def batch(labels: list[int], seed: int) -> bytes:
    """Write a batch by hand, by the description on the CIFAR page."""
    draws = np.random.default_rng(seed)
    return b"".join(bytes([k]) + draws.integers(0, 256, 3072, np.uint8).tobytes() for k in labels)


def truths(data: Dataset) -> list[str]:
    return [s.truth.name for s in data.samples if isinstance(s.truth, Label)]


@pytest.mark.parametrize("form", ["files", "inside", "archive", "the archive itself"])
def test_cifar10_from_its_binary_version(form: str, tmp_path: Path) -> None:
    batches = {"data_batch_1.bin": batch([0, 9], 1), "test_batch.bin": batch([3], 2)}
    root = tmp_path
    if form in ("files", "inside"):
        for name, body in batches.items():
            put(tmp_path / ("" if form == "files" else cifar10.INSIDE) / name, body)
    else:
        with tarfile.open(tmp_path / cifar10.ARCHIVE, "w:gz") as tar:
            for name, body in batches.items():
                member = tarfile.TarInfo(f"{cifar10.INSIDE}/{name}")
                member.size = len(body)
                tar.addfile(member, io.BytesIO(body))
        root = tmp_path / cifar10.ARCHIVE if "itself" in form else tmp_path
    data = Dataset.read("cifar10", root=root)
    assert truths(data) == ["airplane", "truck", "cat"]
    assert [s.split for s in data.samples] == ["train", "train", "test"]
    red_first = np.frombuffer(batches["data_batch_1.bin"], np.uint8)[1 : 1 + 1024].reshape(32, 32)
    assert np.array_equal(np.asarray(data.samples[0].image)[0], red_first)


@pytest.mark.parametrize("body", [b"", b"1234", b"\x0a" + bytes(3072)])
def test_damaged_cifar10_is_refused(body: bytes, tmp_path: Path) -> None:
    put(tmp_path / "test_batch.bin", body)
    with pytest.raises(DataError, match=r"test_batch\.bin"):
        Dataset.read("cifar10", root=tmp_path)
    (tmp_path / "test_batch.bin").unlink()
    put(tmp_path / cifar10.ARCHIVE, b"\x1f\x8b torn")
    with pytest.raises(DataError, match="damaged"):
        Dataset.read("cifar10", root=tmp_path)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_sets_come_from_class_folders_too(name: str, tmp_path: Path) -> None:
    for part in ("train", "test"):
        put(tmp_path / part / "0/1.png", encoded(scene(0, 28, 28)))
    data = Dataset.read(name, root=tmp_path)
    assert data.name == name and data.counts() == {"0": {"train": 1, "test": 1}}


@pytest.mark.parametrize("name", sets.names())
def test_a_root_without_the_set_says_what_it_should_hold(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"holds no {name}.*--root"):
        Dataset.read(name, root=tmp_path)


@pytest.mark.parametrize("name", sets.names())
def test_without_a_network_the_error_says_what_to_do(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(DataError, match=rf"expected a network.*files of {name} .* --root FOLDER"):
        Dataset.read(name)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_download_is_kept_only_with_the_right_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    server = put(tmp_path / "server/file.bin", b"content").parent.as_uri() + "/"
    right = f"sha256:{hashlib.sha256(b'content').hexdigest()}"
    with pytest.raises(DataError, match="official 00"):
        _fetch.fetch("some", server, {"file.bin": "md5:00"})
    assert not list((tmp_path / "cache/opsin/some").iterdir())
    folder = _fetch.fetch("some", server, {"file.bin": right})
    assert (folder / "file.bin").read_bytes() == b"content"
    put(tmp_path / "server/file.bin", b"changed since")
    assert _fetch.fetch("some", server, {"file.bin": right}) == folder


def test_mnist_from_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    checksums = {}
    for part, n in (("train", 4), ("t10k", 2)):
        bodies = {
            "images-idx3": struct.pack(">4I", 0x803, n, 28, 28) + bytes(784 * n),
            "labels-idx1": struct.pack(">2I", 0x801, n) + bytes(range(n)),
        }
        for kind, body in bodies.items():
            name, packed = f"{part}-{kind}-ubyte.gz", gzip.compress(body)
            put(tmp_path / "server" / name, packed)
            checksums[name] = f"md5:{hashlib.md5(packed, usedforsecurity=False).hexdigest()}"
    monkeypatch.setattr(mnist, "BASE", (tmp_path / "server").as_uri() + "/")
    monkeypatch.setattr(mnist, "CHECKSUMS", checksums)
    data = Dataset.read("mnist")
    assert truths(data) == list("012301") and len(data.split("test")) == 2


@pytest.mark.parametrize(
    ("name", "folder"), [("mnist", "mnist"), ("fashion_mnist", "fashion-mnist")]
)
def test_the_real_sets_have_their_official_counts(name: str, folder: str) -> None:
    if "OPSIN_DATA" not in os.environ:
        pytest.skip("OPSIN_DATA names no folder of real data")
    data = Dataset.read(name, root=Path(os.environ["OPSIN_DATA"]) / folder)
    assert len(data.split("train")) == 60_000 and len(data.split("test")) == 10_000
    assert len(data.classes) == 10


# ── what ships with the package ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", samples.names())
def test_samples_are_the_same_each_time(name: str) -> None:
    one, two = Dataset.read(f"samples:{name}"), Dataset.read(f"samples:{name}")
    assert one.name == name and len(one) >= 500
    for a, b in zip(one.samples, two.samples, strict=True):
        assert a.truth == b.truth and a.split == b.split
        assert np.array_equal(np.asarray(a.image), np.asarray(b.image))


def test_digits_are_scikit_learns() -> None:
    from sklearn.datasets import load_digits

    data, wanted = Dataset.read("samples:digits"), load_digits()
    assert truths(data) == [str(k) for k in wanted.target]
    pixels = np.stack([np.asarray(s.image) for s in data.samples])
    assert np.abs(pixels * (16 / 255) - wanted.images).max() < 0.04


def test_discs_cover_what_they_say() -> None:
    for sample in Dataset.read("samples:discs").samples[:40]:
        assert isinstance(sample.truth, Value)
        grey = np.asarray(sample.image).astype(float).mean(axis=0)
        edge = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
        middle = np.abs(grey - edge) > np.abs(grey - edge).max() / 2
        assert abs(100 * middle.mean() - sample.truth.value) < 2


def test_unknown_samples_are_listed() -> None:
    with pytest.raises(DataError, match="digits, discs, scattered, shapes"):
        Dataset.read("samples:nothing")
