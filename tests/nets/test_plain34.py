"""The plain net against ResNet-34: the same net, less what its skips add."""

from __future__ import annotations

import torch
from timm.models.resnet import BasicBlock
from torch import Tensor, nn

from opsin import nets


def without_skip(block: nn.Module, x: Tensor) -> Tensor:
    """Compute a residual block of timm, but do not add what came in."""
    assert isinstance(block, BasicBlock)
    x = block.bn1(block.conv1(x)).relu()
    return block.bn2(block.conv2(x)).relu()


def test_it_is_resnet34_with_the_skips_taken_out() -> None:
    torch.manual_seed(0)
    plain = nets.build("plain34", outputs=5).eval()
    residual = nets.build("resnet34", outputs=5).eval()
    missing, unexpected = residual.load_state_dict(plain.state_dict(), strict=False)
    assert not unexpected and all("downsample" in name for name in missing)
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        y = residual.maxpool(residual.bn1(residual.conv1(x)).relu())
        for stage in (residual.layer1, residual.layer2, residual.layer3, residual.layer4):
            for block in stage:
                y = without_skip(block, y)
        wanted = residual.fc(y.mean((2, 3)))
        assert torch.allclose(plain(x), wanted, atol=1e-5)
        assert not torch.allclose(residual(x), wanted, atol=1e-2)


def test_the_signal_passes_at_the_start() -> None:
    """ResNets begin with blocks that add nothing; here nothing would come out of such a block."""
    torch.manual_seed(0)
    net = nets.build("plain34", outputs=5)
    assert nets.pooled(net.train(), torch.randn(4, 3, 64, 64)).std() > 0.1


def test_it_costs_what_the_paper_says() -> None:
    """3.6 billion multiply-adds for 224×224 (section 3.3)."""
    assert round(nets.described("plain34").madds / 1e9, 1) == 3.6
