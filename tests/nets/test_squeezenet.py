"""SqueezeNet against torchvision's: the same maps and weights, and a head that can be taken off."""

from __future__ import annotations

import pytest
import torch
from torchvision import models

from opsin import nets
from opsin.nets import _remote, resolve
from opsin.nets._own import Own


@pytest.mark.parametrize("name", ["squeezenet1_0", "squeezenet1_1"])
def test_torchvisions_weights_give_torchvisions_maps(name: str, tmp_path: object) -> None:
    torch.manual_seed(0)
    theirs = models.get_model(name, weights=None).eval()
    path = f"{tmp_path}/theirs.pth"
    torch.save(theirs.state_dict(), path)
    ours = nets.build(name, outputs=1000).eval()
    weights = resolve(name, path)
    assert weights is not None
    weights.load(ours)
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        maps = theirs.features(x)
        assert isinstance(ours, Own)
        assert torch.equal(ours.forward_features(x), maps)
        assert torch.allclose(nets.pooled(ours, x), maps.mean((2, 3)), atol=1e-6)
        # Averaging before a 1×1 convolution and after it is the same, but for the ReLU between.
        wanted = theirs.classifier[1](maps).mean((2, 3))
        assert torch.allclose(ours(x), wanted, atol=1e-5)


@pytest.mark.parametrize("name", ["squeezenet1_0", "squeezenet1_1"])
def test_its_published_weights_are_torchvisions(name: str) -> None:
    published = _remote.known(name)
    assert published is not None
    assert published.address == models.get_model_weights(name).DEFAULT.url
    assert published.licence.startswith("bsd") and len(published.sha256) == 8


def test_another_head_keeps_the_body(tmp_path: object) -> None:
    theirs = models.squeezenet1_1()
    path = f"{tmp_path}/theirs.pth"
    torch.save(theirs.state_dict(), path)
    ours = nets.build("squeezenet1_1", outputs=4, channels=1)
    weights = resolve("squeezenet1_1", path)
    assert weights is not None
    weights.load(ours)
    first = theirs.features[0].weight.sum(1, keepdim=True)
    assert torch.equal(ours.state_dict()["features.0.weight"], first)
    assert nets.head(ours).out_features == 4
