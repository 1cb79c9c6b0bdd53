"""A net in a line: what is read, what is refused and where, and that it is the net torch runs."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from opsin import nets
from opsin.errors import RecipeError, SizeError
from opsin.nets._describe import describe
from opsin.nets._record import record
from opsin.nets._spec import is_spec, parse
from opsin.nets._spec_net import build_line, layers

# The project's page of facts, word for word.
FACTS = "on 32×32×3: 5×5, K=8 → 608; then 5×5, K=16 → 3,216; then 1×1, K=32 → 544."


def test_the_facts_on_parameters() -> None:
    wanted = [int(n.replace(",", "")) for n in re.findall(r"→ ([0-9,]+)[;.]", FACTS)]
    found = describe(parse("conv 5x5x8, conv 5x5x16, conv 1x1x32"), (32, 32))
    assert [row.parameters for row in found.rows if row.parameters] == wanted


def test_a_line_as_people_write_it() -> None:
    found = describe(parse("conv 5x5x8, pool 2, conv 5x5x16, dense 10"), (32, 32))
    assert [(row.layer.name, row.state.hwc) for row in found.rows] == [
        ("picture", [32, 32, 3]),
        ("conv1", [28, 28, 8]),
        ("relu1", [28, 28, 8]),
        ("pool1", [14, 14, 8]),
        ("conv2", [10, 10, 16]),
        ("relu2", [10, 10, 16]),
        ("flatten1", [1600]),
        ("dense1", [10]),
    ]


def test_relu_comes_where_nothing_else_is_said() -> None:
    def told(line: str) -> list[str]:
        return [layer.name for layer in parse(line).layers[1:]]

    assert told("conv 3x3x4, bn, dense 2") == ["conv1", "bn1", "relu1", "flatten1", "dense1"]
    assert told("conv 3x3x4, tanh, conv 1x1x4") == ["conv1", "tanh1", "conv2"]
    assert told("conv 3x3x4 linear, conv 1x1x4") == ["conv1", "conv2"]
    assert told("conv 3x3x4, bn, sigmoid, dense 2")[:3] == ["conv1", "bn1", "sigmoid1"]
    assert told("conv 3x3x4, bn, dropout .5, global, dense 2")[1:4] == ["bn1", "relu1", "dropout1"]


def test_a_bias_is_left_out_before_bn() -> None:
    bare, biased = parse("conv 3x3x4, bn, conv 3x3x4").layers[1::3]
    assert (bare.bias, biased.bias) == (False, True)


WRONG = {
    "convv 3x3x4": (1, "convv", "Did you mean conv"),
    "conv 3x3": (6, "3x3", "as in 5x5x8"),
    "conv": (5, "", "after conv"),
    "conv 3x3x4 stride": (18, "", "a value after stride"),
    "conv 3x3x4, pool 2 strid 2": (20, "strid", "Did you mean stride"),
    "conv 3x3x4 groups 3": (19, "3", "divides the 4 filters"),
    "conv 3x3x4,, dense 3": (12, "", "between two commas"),
    "dense 10, conv 3x3x4": (11, "conv", "put it before"),
    "conv 3x3x4, dropout 1.5": (21, "1.5", "0 to 1"),
    "conv 0x3x4": (6, "0x3x4", "1 to 1000000"),
    "conv 3x3x4 pad 1 pad 1": (18, "pad", "once"),
    "conv 3x3x4 pad -1": (16, "-1", "same, valid"),
    "pool 2 pad 2": (12, "2", "half of the window"),
    "dense 1e9": (7, "1e9", "as in dense 10"),
    "bn 3": (4, "3", "a comma"),
    "": (1, "", "between two commas"),
    "conv 3x3x4; dense 3": (6, "3x3x4;", "as in 5x5x8"),
    "conv 3x3x4 stride 99999999": (19, "99999999", "the stride"),
}


@pytest.mark.parametrize("line", WRONG)
def test_an_error_points_at_the_word(line: str) -> None:
    column, word, said = WRONG[line]
    with pytest.raises(RecipeError, match=re.escape(said)) as raised:
        parse(line)
    told = str(raised.value)
    assert f"column {column} " in told
    *_, shown, mark = told.split("\n")
    at = mark.index("^")
    assert shown[at : at + len(word)] == word
    assert mark.count("^") == max(1, len(word))
    assert at == column - 1 + 2


def test_an_impossible_size_says_which_layer_what_came_in_and_what_would_fit() -> None:
    drawn = parse("conv 3x3x8, pool 3, conv 11x11x4, pool 2, dense 3")
    with pytest.raises(SizeError) as raised:
        describe(drawn, (32, 32))
    told = str(raised.value)
    assert "10×10×8 at layer conv2 (conv 11×11, 4)" in told
    assert "at least 11×11" in told
    assert "at least 38×38 go through" in told
    assert describe(drawn, (38, 38)).rows[-1].shape == (3,)


def words() -> st.SearchStrategy[str]:
    side = st.integers(1, 5)
    ends = st.sampled_from(["", " pad 1", " pad same", " stride 2", " stride 2 pad same"])
    conv = st.builds("conv {0}x{1}x{2}{3}".format, side, side, st.integers(1, 6), ends)
    deep = st.builds("depthwise {0}{1}".format, side, ends)
    far = st.builds("conv 3x3x4 dilation {0}".format, st.integers(1, 3))
    pool = st.builds(
        "pool {0}{1}".format,
        st.integers(2, 4),
        st.sampled_from(["", " stride 1", " average", " ceil", " stride 2 pad same average"]),
    )
    return st.lists(st.one_of(conv, deep, far, pool, st.sampled_from(["bn", "tanh"])), max_size=5)


@settings(max_examples=60, deadline=None)
@given(words(), st.tuples(st.integers(9, 40), st.integers(9, 40)))
def test_what_is_said_of_a_line_is_what_torch_does(parts: list[str], size: tuple[int, int]) -> None:
    line = ", ".join([*parts, "dense 7"])
    try:
        found = describe(parse(line), size, channels=2)
    except SizeError:
        return
    with torch.device("meta"):
        net = layers(found)
    again = describe(record(net, 2, size))
    counted = [(row.shape, row.parameters, row.madds) for row in found.rows]
    assert counted == [(row.shape, row.parameters, row.madds) for row in again.rows]
    assert found.field == again.field
    assert found.parameters == sum(p.numel() for p in net.parameters())


LINE = "conv 5x5x8 pad same, bn, pool 2, depthwise 3, conv 1x1x16, global, dropout 0.2, dense 10"


def test_a_line_is_a_net_under_the_contract() -> None:
    net = nets.build(LINE, outputs=3, channels=1, size=(12, 12))
    x = torch.randn(2, 1, 12, 12)
    assert net(x).shape == (2, 3)
    assert nets.head(net).in_features == nets.num_features(net) == 16
    assert torch.equal(nets.head(net.eval())(nets.pooled(net, x)), net(x))
    net.train()(x).square().sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())
    lower, upper = nets.cut(net.eval(), nets.stages(net)[1])
    assert torch.equal(upper(lower(x)), net(x))
    nets.set_head(net, nn.Linear(16, 5))
    assert net(x).shape == (2, 5)
    assert nets.parameters(LINE) == describe(parse(LINE)).parameters
    assert not nets.has_weights(LINE)


def test_dropout_of_the_recipe_acts_before_the_head() -> None:
    net = nets.build("conv 3x3x4, dense 2", outputs=2, channels=1, size=(8, 8), dropout=0.5)
    x = torch.randn(1, 1, 8, 8)
    assert not torch.equal(net.train()(x), net(x))


def test_a_net_to_train_ends_in_dense_and_fits_memory() -> None:
    with pytest.raises(RecipeError, match="End it with: dense 4"):
        build_line("conv 3x3x8, global", outputs=4, channels=3, size=(32, 32), dropout=0.0)
    with pytest.raises(RecipeError, match="pool before it"):
        nets.build("conv 3x3x512, dense 9000, dense 2", outputs=2, size=(224, 224))
    with pytest.raises(SizeError, match="conv1"):
        nets.build("conv 9x9x8, dense 2", outputs=2, size=(8, 8))
    with pytest.raises(RecipeError, match="without a size"):
        nets.build("conv 9x9x8, dense 2", outputs=2)


def test_names_are_no_lines() -> None:
    assert not any(is_spec(name) for name in ("vgg16", "tf_efficientnet_lite0", "resnet50.a1_in1k"))
    assert is_spec("conv 3x3x8") and is_spec("bn,relu")
