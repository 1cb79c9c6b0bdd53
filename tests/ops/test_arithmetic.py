"""Size arithmetic against torch on the meta device, over drawn settings, and the lecture's figures.

FACTS below is the project's own page of facts, copied word for word; the numbers are read from it.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from opsin.errors import SizeError
from opsin.ops import arithmetic
from opsin.ops.arithmetic import Window, receptive_field

FACTS = """
Output size N = (N + 2P − F)/S + 1; with dilation D the filter spans D(F−1)+1. 7 with F=3: stride 1
→ 5, stride 2 → 3, stride 3 → 2.33: not an integer, so it must be said. 10 with F=5, P=2 → 10; 32
with F=5, P=2 → 32. "Same" padding is (F−1)/2. Parameters of a convolution: (F·F·depth + 1)·K: on
32×32×3: 5×5, K=8 → 608; then 5×5, K=16 → 3,216; then 1×1, K=32 → 544.
VGG16 by layers: conv 3→64 … 512→512 = 2,359,808 each in the last block; 25,088→4,096 = 102,764,544;
4,096→4,096 = 16,781,312; 4,096→1,000 = 4,097,000; total 138,357,544; a nine-class head in place of
the last layer = 36,873.
""".replace("\n", " ")


def whole(text: str) -> int:
    """Return the number of '4,096'."""
    return int(text.replace(",", ""))


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    """Draw (height, width)."""
    return st.tuples(st.integers(low, high), st.integers(low, high))


def asked(compute: Any) -> tuple[int, ...] | None:
    """Return the size torch gives, or None where it refuses or nothing is left."""
    try:
        size = tuple(compute().shape[-2:])
    except RuntimeError:
        return None
    return size if 0 not in size else None


def ours(compute: Any) -> tuple[int, ...] | None:
    """Return the size we give, or None where we refuse."""
    try:
        return tuple(compute())
    except SizeError:
        return None


def convolution(size: Any, kernel: Any, stride: Any, pad: Any, dil: Any) -> None:
    x, weight = torch.empty(1, 1, *size, device="meta"), torch.empty(1, 1, *kernel, device="meta")
    wanted = asked(lambda: nn.functional.conv2d(x, weight, None, stride, pad, dil))
    window = Window(kernel, stride, pad, dil)
    assert ours(lambda: arithmetic.output_size(size, window)) == wanted


def pooling(size: Any, kernel: Any, stride: Any, pad: Any, dil: Any, ceil: bool) -> None:
    pad = tuple(min(p, k // 2) for p, k in zip(pad, kernel, strict=True))  # torch allows no more
    x = torch.empty(1, 1, *size, device="meta")
    wanted = asked(lambda: nn.functional.max_pool2d(x, kernel, stride, pad, dil, ceil))
    window = Window(kernel, stride, pad, dil, ceil)
    assert ours(lambda: arithmetic.output_size(size, window)) == wanted


def transposed(size: Any, kernel: Any, stride: Any, pad: Any, dil: Any, extra: Any) -> None:
    x, weight = torch.empty(1, 1, *size, device="meta"), torch.empty(1, 1, *kernel, device="meta")
    transpose = nn.functional.conv_transpose2d
    wanted = asked(lambda: transpose(x, weight, None, stride, pad, extra, 1, dil))
    window = Window(kernel, stride, pad, dil)
    assert ours(lambda: arithmetic.transposed_size(size, window, extra)) == wanted


shared = (pairs(1, 40), pairs(1, 7), pairs(1, 5), pairs(0, 6), pairs(1, 4))
DRAWN = {
    convolution: given(*shared),
    pooling: given(*shared, st.booleans()),
    transposed: given(*shared, pairs(0, 5)),
}


@pytest.mark.parametrize("kind", DRAWN)
def test_sizes_equal_torch(kind: Any) -> None:
    settings(max_examples=150, deadline=None)(DRAWN[kind](kind))()


@pytest.mark.contracts
@pytest.mark.parametrize("kind", DRAWN)
def test_sizes_equal_torch_in_thousands_of_settings(kind: Any) -> None:
    settings(max_examples=1000, deadline=None)(DRAWN[kind](kind))()


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@settings(max_examples=100, deadline=None)
@given(pairs(1, 20), pairs(1, 7), pairs(1, 4), st.sampled_from(["same", "valid"]))
def test_words_for_padding_equal_torch(size: Any, kernel: Any, dil: Any, pad: str) -> None:
    x = torch.arange(size[0] * size[1], dtype=torch.float64).reshape(1, 1, *size)
    weight = torch.ones(1, 1, *kernel, dtype=torch.float64)
    window = Window(kernel, 1, pad, dil)  # type: ignore[arg-type]
    wanted = asked(lambda: nn.functional.conv2d(x, weight, None, 1, pad, dil))
    assert ours(lambda: arithmetic.output_size(size, window)) == wanted
    if wanted:  # and it is laid at the ends where torch lays it
        (top, bottom), (left, right) = (a.ends(n) for a, n in zip(window.axes, size, strict=True))
        padded = nn.functional.pad(x, (left, right, top, bottom))
        by_hand = nn.functional.conv2d(padded, weight, dilation=dil)
        assert torch.equal(by_hand, nn.functional.conv2d(x, weight, None, 1, pad, dil))


@settings(max_examples=100, deadline=None)
@given(pairs(1, 60), pairs(1, 7), pairs(1, 5))
def test_same_with_a_stride_is_the_rule_of_tensorflow(size: Any, kernel: Any, stride: Any) -> None:
    """ceil(n / S), as tf.nn's page on convolution says; timm has the same rule for its ports."""
    from timm.layers import pad_same

    window = Window(kernel, stride, "same")
    padded = pad_same(torch.zeros(1, 1, *size), kernel, stride).shape[-2:]
    ends = [axis.ends(n) for axis, n in zip(window.axes, size, strict=True)]
    assert tuple(n + sum(e) for n, e in zip(size, ends, strict=True)) == tuple(padded)
    steps = tuple(-(-n // s) for n, s in zip(size, stride, strict=True))
    assert arithmetic.output_size(size, window) == steps
    assert arithmetic.transposed_size(steps, window) == tuple(
        n * s for n, s in zip(steps, stride, strict=True)
    )
    assert not arithmetic.uneven(size, window)


@settings(max_examples=100, deadline=None)
@given(
    pairs(6, 20), pairs(1, 4), pairs(1, 3), pairs(0, 2), st.tuples(*[st.integers(1, 3)] * 3),
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_costs_equal_torchs_counter(
    size: Any, kernel: Any, stride: Any, pad: Any, chans: Any, bias: bool, back: bool
) -> None:
    groups, inputs, outputs = chans[0], chans[0] * chans[1], chans[0] * chans[2]
    kind = nn.ConvTranspose2d if back else nn.Conv2d
    with torch.device("meta"):
        layer = kind(inputs, outputs, kernel, stride, pad, groups=groups, bias=bias)
        x = torch.empty(5, inputs, *size)
    with FlopCounterMode(display=False) as counter:
        y = layer(x)
    window = Window(kernel, stride, pad)
    found = arithmetic.multiply_adds(size, window, inputs, outputs, groups=groups, transposed=back)
    assert found * 2 * 5 == counter.get_total_flops()
    weights = sum(p.numel() for p in layer.parameters())
    assert arithmetic.parameters(window, inputs, outputs, groups=groups, bias=bias) == weights
    memory = y.numel() * y.element_size()
    assert arithmetic.activation_bytes([tuple(y.shape[1:])], batch=5) == memory


windows = st.builds(
    Window, pairs(1, 4), pairs(1, 3), st.one_of(pairs(0, 2), st.just("same")), pairs(1, 2)
)


@settings(max_examples=50, deadline=None)
@given(st.lists(windows, min_size=1, max_size=3), pairs(24, 40), st.data())
def test_receptive_field_is_where_the_gradient_is(chain: Any, size: Any, data: Any) -> None:
    """A number sees the pixels it has a gradient to, as far as the kernel has no holes."""
    x = torch.zeros(1, 1, *size, dtype=torch.float64, requires_grad=True)
    y = x
    try:
        for window in chain:
            (top, bottom), (left, right) = (
                axis.ends(n) for axis, n in zip(window.axes, y.shape[-2:], strict=True)
            )
            padded = nn.functional.pad(y, (left, right, top, bottom))
            ones = torch.ones(1, 1, *window.kernel, dtype=torch.float64)
            y = nn.functional.conv2d(padded, ones, stride=window.stride, dilation=window.dilation)
    except RuntimeError:
        with pytest.raises(SizeError):
            receptive_field(chain, size)
        return
    place = tuple(data.draw(st.integers(0, n - 1)) for n in y.shape[-2:])
    y[0, 0][place].backward()
    seen = x.grad[0, 0].nonzero()
    field = receptive_field(chain, size)
    for axis in (0, 1):
        first = field.start[axis] + place[axis] * field.stride[axis]
        last = first + field.size[axis] - 1
        assert not len(seen) or first <= seen[:, axis].min()
        assert not len(seen) or last >= seen[:, axis].max()
        if first >= 0 and last < size[axis] and len(seen):  # the first and last touch is never cut
            assert (first, last) == (seen[:, axis].min(), seen[:, axis].max())


def test_receptive_fields_of_the_literature() -> None:
    """Araujo, Norris & Sim (2019), table of nets: field, stride and padding of two of them."""
    conv, pool = Window(3, 1, "same"), Window(2, 2)
    vgg = [conv] * 2 + [pool] + [conv] * 2 + [pool] + ([conv] * 3 + [pool]) * 3
    field = receptive_field(vgg)
    assert (field.size, field.stride, field.start) == ((212, 212), (32, 32), (-90, -90))
    alexnet = [
        Window(11, 4), Window(3, 2), Window(5, 1, 2), Window(3, 2), *[Window(3, 1, 1)] * 3,
        Window(3, 2),
    ]  # fmt: skip
    field = receptive_field(alexnet)
    assert (field.size, field.stride, field.start) == ((195, 195), (32, 32), (-64, -64))


# ── the lecture's figures ───────────────────────────────────────────────────────────────────────


def test_output_sizes_of_the_lecture() -> None:
    found = re.search(r"(\d+) with F=(\d): (stride .*?): not an integer", FACTS)
    assert found
    n, kernel = int(found[1]), int(found[2])
    told = dict(re.findall(r"stride (\d) → ([\d.]+)", found[3]))
    assert len(told) == 3
    for stride, gives in told.items():
        window = Window(kernel, int(stride))
        problems = arithmetic.uneven((n, n), window)
        if "." in gives:
            assert [p.axis for p in problems] == ["height", "width"]
            assert all(f"{gives} is not an integer" in str(p) for p in problems)
        else:
            assert not problems
            assert arithmetic.output_size((n, n), window) == (int(gives),) * 2
    padded = re.findall(r"(\d+) with F=(\d), P=(\d) → (\d+)", FACTS)
    assert len(padded) == 2
    for n, kernel, padding, gives in (map(int, row) for row in padded):
        assert arithmetic.output_size((n, n), Window(kernel, 1, padding)) == (gives, gives)
        assert (
            Window(kernel, 1, "same").axes[0].ends() == ((kernel - 1) // 2,) * 2 == (padding,) * 2
        )


def test_parameters_of_the_lecture() -> None:
    found = re.search(r"on 32×32×(\d): (.*?)\. ?VGG", FACTS)
    assert found
    depth = int(found[1])
    rows = re.findall(r"(\d)×\d, K=(\d+) → ([\d,]+\d)", found[2])
    assert len(rows) == 3
    for kernel, filters, gives in rows:
        assert arithmetic.parameters(Window(int(kernel)), depth, int(filters)) == whole(gives)
        depth = int(filters)


def test_vgg16_of_the_lecture_layer_by_layer() -> None:
    blocks = [(3, 64, 2), (64, 128, 2), (128, 256, 3), (256, 512, 3), (512, 512, 3)]
    conv, pool, dense = Window(3, 1, 1), Window(2, 2), Window(1)
    size, each = (224, 224), []
    for inputs, outputs, layers in blocks:
        for _ in range(layers):
            each.append(arithmetic.parameters(conv, inputs, outputs))
            size, inputs = arithmetic.output_size(size, conv), outputs
        size = arithmetic.output_size(size, pool)
    flat = size[0] * size[1] * 512
    told = re.findall(r"([\d,]+)→([\d,]+) = ([\d,]+\d)", FACTS)
    assert [(whole(a), whole(b)) for a, b, _ in told] == [
        (512, 512), (flat, 4096), (4096, 4096), (4096, 1000),
    ]  # fmt: skip
    assert each[-3:] == [whole(told[0][2])] * 3
    heads = [arithmetic.parameters(dense, whole(a), whole(b)) for a, b, _ in told[1:]]
    assert heads == [whole(gives) for *_, gives in told[1:]]
    total = re.search(r"total ([\d,]+);", FACTS)
    assert total and sum(each) + sum(heads) == whole(total[1])
    nine = re.search(r"nine-class head .*? = ([\d,]+)\.", FACTS)
    assert nine and arithmetic.parameters(dense, 4096, 9) == whole(nine[1])


# ── what does not fit ───────────────────────────────────────────────────────────────────────────


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 7), st.integers(0, 4), st.booleans())
def test_what_is_offered_for_an_uneven_size_is_even_and_nearest(
    n: int, kernel: int, stride: int, pad: int, ceil: bool
) -> None:
    def even(stride: int, pad: int) -> bool:
        room = n + 2 * pad - kernel
        return room >= 0 and room % stride == 0

    if n + 2 * pad < kernel:
        return
    problems = arithmetic.uneven((n, n), Window(kernel, stride, pad, ceil=ceil))
    assert bool(problems) is not even(stride, pad)
    for problem in problems:
        offered, gives = problem.stride
        assert even(offered, pad)
        assert arithmetic.output_size((n, n), Window(kernel, offered, pad))[0] == gives
        near = range(stride - abs(stride - offered) + 1, stride + abs(stride - offered))
        assert not any(even(s, pad) for s in near)
        ways = [p for p in range(pad + 2 * stride) if even(stride, p)]
        assert bool(problem.padding) is bool(ways)
        if problem.padding:
            assert abs(problem.padding[0] - pad) == min(abs(p - pad) for p in ways)
            better = Window(kernel, stride, problem.padding[0])
            assert arithmetic.output_size((n, n), better)[0] == problem.padding[1]


def test_an_absurd_stride_is_answered_at_once() -> None:
    problem = arithmetic.uneven((400, 400), Window(3, 10**12))[0]
    assert problem.stride == (397, 2)
    assert problem.padding is None


@pytest.mark.parametrize(
    ("window", "says"),
    [
        (lambda: Window(0), "kernel 0"),
        (lambda: Window(3, stride=0), "stride 0"),
        (lambda: Window(3, padding=-1), "padding -1"),
        (lambda: Window(3, padding="full"), "padding 'full'"),
        (lambda: Window(3, dilation=(1, 0)), "dilation (1, 0)"),
        (lambda: Window((3, 3, 3)), "kernel (3, 3, 3)"),
        (lambda: Window(2.5), "kernel 2.5"),
        (lambda: arithmetic.output_size((4, 9), Window(5)), "a picture of 4×9 for a window of 5×5"),
        (lambda: arithmetic.output_size((0, 9), Window(1)), "a picture of 0×9"),
        (lambda: arithmetic.transposed_size((1, 1), Window(2, 2, 3)), "a picture of 1×1"),
        (lambda: arithmetic.transposed_size((1, 1), Window(2), 1), "output_padding 1"),
        (lambda: arithmetic.parameters(Window(3), 4, 6, groups=4), "4 channels to 6 in 4 groups"),
        (lambda: arithmetic.padding_of("full"), "padding 'full'"),
        (lambda: arithmetic.padding_of("9" * 5000), "padding '99"),
        (lambda: arithmetic.padding_of(-1), "padding -1"),
        (lambda: receptive_field([Window(3, 2, "same")]), "padding 'same' with stride 2"),
    ],
)
def test_what_cannot_be_is_said(window: Any, says: str) -> None:
    with pytest.raises(SizeError) as caught:
        window()
    assert caught.value.received.startswith(says)
    assert caught.value.expected


def test_a_lone_window_larger_than_the_picture_has_no_stride_that_is_even() -> None:
    hanging = Window(3, 2, ceil=True)
    assert arithmetic.output_size((2, 2), hanging) == (1, 1)
    assert arithmetic.uneven((2, 2), hanging) == []
