"""Every network: images in, logits of the same size out, gradients everywhere."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest

from leuko.errors import UsageError
from leuko.models.classes import CLASS_COUNT
from leuko.networks.catalogue import NETWORKS, build

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")

OPTIONS = list(itertools.product(NETWORKS, ("batch", "instance", "group"), ("transposed",)))
OPTIONS += [(name, "batch", up) for name in NETWORKS for up in ("bilinear", "nearest")]


@pytest.mark.parametrize(("name", "norm", "upsampling"), OPTIONS)
def test_logits_have_the_size_of_the_image_and_gradients_reach_every_weight(
    name: str, norm: str, upsampling: str
) -> None:
    torch.manual_seed(0)
    network = build(name, width=4, levels=3, norm=norm, upsampling=upsampling, dropout=0.1)
    logits = network(torch.rand(2, 3, 16, 24))
    assert logits.shape == (2, CLASS_COUNT, 16, 24)
    assert torch.isfinite(logits).all()
    logits.square().mean().backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", NETWORKS)
def test_channels_and_classes_are_options(name: str) -> None:
    network = build(name, in_channels=1, classes=2, width=4, levels=2)
    assert network(torch.rand(1, 1, 8, 8)).shape == (1, 2, 8, 8)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_shifted_image_gives_the_shifted_answer(name: str) -> None:
    """The network has no idea of absolute position: only content decides."""
    torch.manual_seed(1)
    network = build(name, width=4, levels=3).eval()
    image = torch.zeros(1, 3, 64, 64)
    image[..., 28:36, 28:36] = torch.rand(8, 8)
    shifted = torch.roll(image, (4, -4), (2, 3))
    with torch.no_grad():
        expected = torch.roll(network(image), (4, -4), (2, 3))
        torch.testing.assert_close(network(shifted)[..., 24:40, 24:40], expected[..., 24:40, 24:40])


@pytest.mark.parametrize(
    "wrong",
    [{"name": "vnet"}, {"norm": "layer"}, {"upsampling": "cubic"}, {"dropout": 1.0}, {"width": 0}],
)
def test_unknown_names_and_options_are_refused_with_a_hint(wrong: dict[str, object]) -> None:
    options: dict[str, object] = {"name": "unet", "width": 4, "levels": 2, **wrong}
    with pytest.raises(UsageError) as refused:
        build(**options)  # type: ignore[arg-type]
    assert refused.value.hint


def test_the_catalogue_is_read_without_torch() -> None:
    code = "import sys, leuko.networks.catalogue; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
