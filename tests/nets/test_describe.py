"""The describer against torch, against published receptive fields, and against gradients."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from watched import Watch

from opsin import nets
from opsin.errors import SizeError
from opsin.nets._build import on_meta, quiet
from opsin.nets._describe import Description, describe
from opsin.nets._record import record
from opsin.nets._spec import parse
from opsin.nets._spec_net import layers

# The project's page of facts, word for word.
FACTS = """
VGG16 by layers: conv 3→64 … 512→512 = 2,359,808 each in the last block; 25,088→4,096 = 102,764,544;
4,096→4,096 = 16,781,312; 4,096→1,000 = 4,097,000; total 138,357,544; a nine-class head in place of
the last layer = 36,873.
""".replace("\n", " ")


def bare(name: str, outputs: int = 1000, channels: int = 3) -> nn.Module:
    """Build a net without memory."""
    with torch.device("meta"), quiet():
        return nets.build(name, outputs=outputs, channels=channels).eval()


def described(net: nn.Module, size: tuple[int, int], channels: int = 3) -> Description:
    return describe(record(net, channels, size))


def of_facts(pattern: str) -> int:
    found = re.search(pattern + r" = ([0-9,]+)", FACTS)
    assert found
    return int(found[1].strip(",").replace(",", ""))


def test_vgg16_layer_by_layer_is_what_the_facts_say() -> None:
    drawn = record(bare("vgg16"), 3, (224, 224))
    found = [row.parameters for row in describe(drawn).rows if row.parameters]
    assert found[10:13] == [of_facts("512→512")] * 3
    dense = ["25,088→4,096", "4,096→4,096", "4,096→1,000"]
    assert found[13:] == [of_facts(each) for each in dense]
    total = re.search(r"total ([0-9,]+);", FACTS)
    assert total and sum(found) == int(total[1].replace(",", ""))
    nine = describe(drawn, classes=9)
    assert nine.rows[-1].parameters == of_facts("nine-class head in place of the last layer")
    assert nine.rows[-1].shape == (9,)


# One of each way of building: branches, skips, gates, shuffles, other axes, TensorFlow's padding.
FAMILIES = {
    "alexnet": (224, 224),
    "googlenet": (96, 128),
    "inception_v3": (299, 299),
    "densenet121": (64, 64),
    "seresnet50": (97, 64),
    "mobilenetv3_small_100": (64, 64),
    "shufflenet_v2_x1_0": (64, 64),
    "tf_efficientnet_lite0": (77, 64),
    "tf_efficientnetv2_b0": (64, 64),
    "regnety_004": (64, 64),
    "convnext_atto": (64, 64),
    "nf_resnet26": (64, 64),
    "eca_resnet33ts": (64, 64),
    "swin_tiny_patch4_window7_224": (224, 224),
    "vit_tiny_patch16_224": (224, 224),
}


SLOW = {"swin_tiny_patch4_window7_224", "vit_tiny_patch16_224", "regnety_004", "eca_resnet33ts"}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.contracts] * (n in SLOW)) for n in FAMILIES]
)
def test_counts_are_those_of_torch(name: str) -> None:
    size = FAMILIES[name]
    net = bare(name)
    found = described(net, size)
    assert found.parameters == sum(p.numel() for p in net.parameters())
    assert found.rows[-1].shape == (1000,)
    with FlopCounterMode(display=False) as counter:
        on_meta(net, 3, size)
    assert found.madds == counter.get_total_flops() // 2


@pytest.mark.parametrize("name", ["googlenet", "tf_efficientnet_lite0"])
def test_the_shape_of_every_layer_is_torchs(name: str) -> None:
    net = bare(name)
    told: dict[str, tuple[int, ...]] = {}

    def note(path: str) -> None:
        def hook(_: nn.Module, __: object, output: Tensor) -> None:
            told[path] = tuple(output.shape[1:])

        net.get_submodule(path).register_forward_hook(hook)

    kinds = (nn.Conv2d, nn.Linear, nn.MaxPool2d)
    paths = [path for path, module in net.named_modules() if isinstance(module, kinds)]
    for path in paths:
        note(path)
    on_meta(net, 3, (224, 224))
    rows = {row.layer.name: row.shape for row in described(net, (224, 224)).rows}
    assert {path: rows[path] for path in told} == told
    assert len(told) > 20


def test_another_size_and_other_channels_need_no_other_blueprint() -> None:
    drawn = record(bare("resnet18"), 3, (224, 224))
    other = bare("resnet18", outputs=7, channels=1)
    wanted = described(other, (97, 160), 1)
    found = describe(drawn, (97, 160), channels=1, classes=7)
    assert [row.shape for row in found.rows] == [row.shape for row in wanted.rows]
    assert (found.parameters, found.madds) == (wanted.parameters, wanted.madds)


def test_nothing_is_allocated() -> None:
    """553 MB of weights would be."""
    with Watch() as watch:
        assert described(bare("vgg16"), (224, 224)).parameters == 138_357_544
    assert watch.largest < 1000


# Araujo, Norris & Sim, Computing Receptive Fields of Convolutional Neural Networks (Distill, 2019)
# and the table of their library: the field and its stride at the layer named here.
PUBLISHED = {
    "alexnet": {"features.0": (11, 4), "features.5": (67, 16), "features.12": (195, 32)},
    "vgg11": {"features.20": (150, 32)},
    "vgg16": {"features.9": (16, 4), "features.23": (100, 16), "features.30": (212, 32)},
    "mobilenetv1_100": {"": (315, 32)},
    "inception_v2": {"": (699, 32)},
    "inception_v3": {"": (1311, 32)},
    "inception_v4": {"": (2071, 32)},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_receptive_fields_are_the_published_ones(name: str) -> None:
    size = (299, 299) if name.startswith("inception") else (224, 224)
    found = described(bare(name), size)
    rows = {row.layer.name: row.field for row in found.rows} | {"": found.field}
    for layer, (wide, stride) in PUBLISHED[name].items():
        field = rows[layer]
        assert field and (field.size, field.stride) == ((wide, wide), (stride, stride)), layer


@pytest.mark.contracts
@pytest.mark.parametrize(
    ("name", "ours", "published"),
    [("resnet50", 427, 483), ("resnet101", 971, 1027), ("resnet152", 1451, 1507)],
)
def test_residual_nets_differ_from_the_published_ones_by_where_they_stride(
    name: str, ours: int, published: int
) -> None:
    """TF-Slim, which was measured, halves maps in the last block of a stage, not in the first."""
    net = bare(name)
    assert _wide(net) == ours
    stages = [net.get_submodule(f"layer{i}") for i in (1, 2, 3, 4)]
    for stage in stages:
        first, last = stage[0], stage[-1]  # type: ignore[index]
        first.conv2.stride = (1, 1)
        if first.downsample is not None:
            first.downsample[0].stride = (1, 1)
        if stage is not stages[-1]:
            last.conv2.stride = (2, 2)
            last.downsample = nn.MaxPool2d(1, 2)
    assert _wide(net) == published


def _wide(net: nn.Module) -> int:
    field = described(net, (224, 224)).field
    assert field
    return field.size[0]


class Tangled(nn.Module):
    """Has what makes receptive fields hard: branches of unlike reach, a skip, a gate, no symmetry.

    The gate sees the whole picture; what it sees is detached, as the field leaves it out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.wide = nn.Conv2d(4, 4, (1, 7), padding=(0, 3))
        self.tall = nn.Conv2d(4, 4, (5, 1), padding=(2, 0))
        self.apart = nn.Conv2d(4, 8, 3, padding=3, dilation=3)
        self.gate = nn.Conv2d(8, 8, 1)
        self.down = nn.Conv2d(8, 4, 2, stride=2)
        self.skip = nn.Conv2d(4, 4, 1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.pad(self.stem(x), (0, 4, 3, 1))
        y = torch.cat([self.wide(x), self.tall(x)], 1)
        y = y * torch.sigmoid(self.gate(y.mean((2, 3), keepdim=True).detach()))
        y = self.down(y + self.apart(x))
        return nn.functional.avg_pool2d(y + self.skip(x), 3, 1)


def agree(net: nn.Module, found: Description) -> None:
    """Hold the field to the pixels that one number in the middle depends on.

    All weights are positive, so that nothing cancels.
    """
    net = net.double().eval()
    for parameter in net.parameters():
        nn.init.uniform_(parameter, 0.5, 1.0)
        parameter.data /= parameter[0].numel()
    x = torch.rand(1, 1, *found.size, dtype=torch.float64, requires_grad=True)
    out = net(x)
    middle = [out.shape[2] // 2, out.shape[3] // 2]
    out[0, :, middle[0], middle[1]].sum().backward()
    assert x.grad is not None
    hit = x.grad[0, 0] != 0
    field = found.field
    assert field
    for axis in (0, 1):
        seen = hit.any(1 - axis).nonzero().flatten()
        first = field.start[axis] + middle[axis] * field.stride[axis]
        assert int(seen[0]) == first
        assert int(seen[-1]) + 1 == first + field.size[axis]


def test_the_field_is_where_gradients_reach() -> None:
    agree(Tangled(), described(Tangled(), (64, 72), 1))


@pytest.mark.parametrize(
    "line",
    [
        "conv 3x3x2, pool 2 average, conv 5x3x2 stride 2x1, conv 3x3x1 dilation 2",
        "conv 7x7x2 stride 2 pad 3, pool 3 stride 2 pad 1 average, depthwise 3x3 pad same",
        "conv 4x4x2 pad 1 stride 3, conv 1x1x3, conv 2x2x1 pad same",
        "depthwise 5 pad same stride 2, bn, pool 2x1 average stride 1 pad 1x0, conv 3x3x2 pad 2",
    ],
)
def test_the_field_of_a_described_net_is_where_gradients_reach(line: str) -> None:
    found = describe(parse(line), (61, 64), channels=1)
    agree(layers(found), found)


@pytest.mark.contracts
@pytest.mark.parametrize(("name", "side"), [("resnet18", 608), ("shufflenet_v2_x0_5", 704)])
def test_the_field_of_a_famous_net_is_where_gradients_reach(name: str, side: int) -> None:
    net = nets.build(name, outputs=2, channels=1)
    for module in net.modules():  # of a maximum only the largest has a gradient
        for path, pool in module.named_children():
            if isinstance(pool, nn.MaxPool2d):
                setattr(module, path, nn.AvgPool2d(pool.kernel_size, pool.stride, pool.padding))
    trunk, _ = nets.cut(net, nets.levels(net)[-1].name)
    agree(trunk, described(net, (side, side), 1))


def test_a_size_too_small_names_the_layer_and_what_fits() -> None:
    drawn = record(bare("alexnet"), 3, (224, 224))
    with pytest.raises(SizeError, match=r"1×1×256 at layer features.12 .*at least 63×63"):
        describe(drawn, (40, 40))
    with pytest.raises(SizeError, match="40×40 pixels"):
        record(bare("alexnet"), 3, (40, 40))


def test_a_size_that_does_not_come_out_even_is_said() -> None:
    found = described(nn.Sequential(nn.Conv2d(3, 4, 3, stride=3)), (7, 7))
    assert "2.33 is not an integer" in found.rows[-1].remarks[0]


def test_parameters_nothing_asks_for_are_said() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3))
    net.register_parameter("spare", nn.Parameter(torch.zeros(5)))
    found = described(net, (8, 8))
    assert (found.parameters, found.unused) == (112 + 5, 5)


def test_memory_of_activations_counts_what_stays() -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten())
    found = described(net, (16, 16))
    assert found.activations(2) == 2 * 4 * (3 + 8 + 8) * 16 * 16
