"""Sixteen bits a weight where they do, thirty-two where they change the answer."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from leuko.inference.trained import TrainedNetwork  # noqa: E402
from leuko.training.supervised import export  # noqa: E402


class OnePartInTenThousand(nn.Module):
    """Probabilities that hang on a digit which 16 bits do not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((2, 1, 1, 1), 1.0))
        self.weight.data[1] += 1e-4

    def forward(self, x):
        scaled = x * self.weight.reshape(1, 2, 1, 1)
        return torch.softmax(1e5 * (scaled - x), dim=1)


RECORD = TrainedNetwork(name="unet", options={"in_channels": 1}, parameters=2, stride=8, least=8)


def test_a_network_that_16_bits_would_change_is_written_with_32(tmp_path):
    module = OnePartInTenThousand().eval()
    with torch.no_grad():
        difference = export._write_graphs(module, RECORD, folder=tmp_path, dims=2, onnx=False)
    assert difference < 1e-2
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["network.bin", "network.xml"]
