"""Weights: exact, checked before they are opened, and clear words where there are none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from opsin import nets
from opsin.errors import WeightsError
from opsin.nets import weights
from opsin.nets.weights import PACKAGES, package_file, resolve


@pytest.fixture(autouse=True)
def empty_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give every test caches of its own, no network, and one core: threads would wait in vain."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for variable in ("HF_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))

    def cut_off(published: object) -> Path:
        raise OSError("no network in tests")

    monkeypatch.setattr("opsin.nets._remote.fetch", cut_off)
    yield tmp_path
    torch.set_num_threads(threads)


def installed(net: str) -> Path:
    path = package_file(PACKAGES[net])
    if path is None:
        pytest.skip(f"{PACKAGES[net].distribution} is not installed")
    return path


@pytest.mark.parametrize("net", PACKAGES)
def test_packaged_weights_fill_every_tensor_of_timms_net(net: str) -> None:
    path = installed(net)
    found = resolve(net)
    assert found is not None and found.path == path and found.origin.startswith("package ")
    made = nets.build(net, outputs=1000)
    found.load(made)
    stored = list(torch.load(path, weights_only=True).values())
    own = list(made.state_dict().values())
    assert len(own) == len(stored)
    assert all(torch.equal(a, b) for a, b in zip(own, stored, strict=True))


@pytest.mark.parametrize("net", ["tf_efficientnet_lite0", "tf_efficientnet_lite1"])
def test_lite_is_prepared_as_timm_says(net: str) -> None:
    installed(net)
    found = resolve(net)
    config = timm.get_pretrained_cfg(net)
    assert found is not None and config is not None
    pre = found.preprocessing
    assert (3, *pre.size) == config.input_size
    assert (pre.mean, pre.std) == (config.mean, config.std) == ((0.5,) * 3, (0.5,) * 3)
    assert (pre.crop, pre.interpolation) == (config.crop_pct, config.interpolation)


def test_mobilenet_gives_exactly_what_torchvision_gives() -> None:
    from torchvision.models import mobilenet_v2

    path = installed("mobilenetv2_100")
    theirs = mobilenet_v2().eval()
    theirs.load_state_dict(torch.load(path, weights_only=True))
    ours = nets.build("mobilenet_v2", outputs=1000).eval()
    found = resolve("mobilenet_v2")
    assert found is not None and found.net == "mobilenetv2_100"
    found.load(ours)
    x = torch.randn(1, 3, 96, 96)
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x))


@pytest.mark.parametrize("channels", [1, 4])
def test_another_head_stays_fresh_and_grey_is_seen_as_before(channels: int) -> None:
    installed("mobilenetv2_100")
    found = resolve("mobilenetv2_100")
    assert found is not None
    colour, other = (
        nets.build("mobilenet_v2", outputs=5, channels=c).eval() for c in (3, channels)
    )
    before = nets.head(other).weight.clone()
    found.load(colour)
    found.load(other)
    assert torch.equal(nets.head(other).weight, before)
    x = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        wanted = nets.pooled(colour, x.expand(-1, 3, -1, -1))
        assert torch.allclose(nets.pooled(other, x.expand(-1, channels, -1, -1)), wanted, atol=1e-4)


def test_a_damaged_package_is_refused_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "damaged.pth"
    shutil.copyfile(installed("mobilenetv2_100"), copy)
    with copy.open("r+b") as file:
        file.seek(10_000)
        file.write(b"\x00\x01")
    monkeypatch.setattr(weights, "package_file", lambda package: copy)
    monkeypatch.setattr(torch, "load", lambda *a, **k: pytest.fail("opened unchecked"))
    found = resolve("mobilenetv2_100")
    assert found is not None
    with pytest.raises(WeightsError, match="checksum"):
        found.load(nets.build("mobilenetv2_100", outputs=2))


def test_a_package_is_found_without_running_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = PACKAGES["tf_efficientnet_lite0"]
    folder = tmp_path / package.module
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('ran')")
    (folder / package.file).write_bytes(b"")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert package_file(package) == folder / package.file


def test_a_file_of_the_callers(tmp_path: Path) -> None:
    trained = nets.build("lenet5", outputs=3, channels=1)
    for path in (tmp_path / "a.safetensors", tmp_path / "a.pth"):
        if path.suffix == ".pth":
            torch.save(trained.state_dict(), path)
        else:
            save_file(trained.state_dict(), path)
        found = resolve("lenet5", str(path))
        fresh = nets.build("lenet5", outputs=3, channels=1)
        assert found is not None
        found.load(fresh)
        for a, b in zip(fresh.parameters(), trained.parameters(), strict=True):
            assert torch.equal(a, b)


def test_files_that_are_no_weights_of_this_net(tmp_path: Path) -> None:
    net = nets.build("lenet5", outputs=3, channels=1)
    other = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(2)}, other)
    rubbish = tmp_path / "rubbish.pth"
    rubbish.write_bytes(b"not a weight file")
    code = tmp_path / "code.pth"
    torch.save({"a": print}, code)
    for path, word in ((other, "missing or differ"), (rubbish, "whole"), (code, "free of code")):
        found = resolve("lenet5", str(path))
        assert found is not None
        with pytest.raises(WeightsError, match=word):
            found.load(net)
    with pytest.raises(WeightsError, match="exists"):
        resolve("lenet5", str(tmp_path / "none.pth"))


def test_the_hugging_face_cache_is_used(tmp_path: Path) -> None:
    trained = nets.build("mobilenetv3_small_050", outputs=1000)
    config = timm.get_pretrained_cfg("mobilenetv3_small_050")
    assert config is not None and config.hf_hub_id
    folder = tmp_path / "hf" / "hub" / f"models--{config.hf_hub_id.replace('/', '--')}"
    (folder / "snapshots" / "abc").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc")
    save_file(trained.state_dict(), folder / "snapshots" / "abc" / "model.safetensors")
    found = resolve("mobilenetv3_small_050")
    fresh = nets.build("mobilenetv3_small_050", outputs=1000)
    assert found is not None and found.origin.startswith("cache")
    found.load(fresh)
    for a, b in zip(fresh.parameters(), trained.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_file_in_torchs_cache_must_match_the_checksum_in_its_name(tmp_path: Path) -> None:
    from torchvision.models import get_model_weights

    name = get_model_weights("alexnet").DEFAULT.url.rpartition("/")[2]
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"half a download")
    with pytest.raises(WeightsError, match="checksum"):
        resolve("alexnet")


def test_no_weights_anywhere_lists_what_was_tried() -> None:
    said: list[str] = []
    with pytest.raises(WeightsError) as caught:
        resolve("resnet18", tell=said.append)
    message = str(caught.value)
    assert "the caches" in message and "a download from huggingface.co/timm/resnet18" in message
    assert "--weights none" in message
    assert len(said) == 1 and said[0].startswith("Downloading")
    with pytest.raises(WeightsError, match="publish none"):
        resolve("lenet5")


def test_none_is_none_and_has_weights_asks_nobody() -> None:
    assert resolve("resnet18", "none") is None
    assert nets.has_weights("resnet18") and nets.has_weights("mobilenet_v2")
    assert not nets.has_weights("lenet5")
