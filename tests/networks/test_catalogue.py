"""Every network, for slices and volumes: one contract, whatever is inside."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from leuko.errors import UsageError
from leuko.models.classes import CLASS_COUNT
from leuko.networks.catalogue import NETWORKS, build

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")

KINDS = [(name, dims) for name, record in NETWORKS.items() for dims in record.dims]
# A constant added to every key changes no softmax: that gradient is 0 but for rounding.
WITHOUT_EFFECT = ".key.bias"


def small(name: str, *, dims: int = 2, **options: Any) -> Any:
    """A network of few channels: two channels in, three classes out."""
    torch.manual_seed(0)
    wanted = {"width": 4, "levels": 3, "in_channels": 2, "classes": 3, **options}
    taken = {k: v for k, v in wanted.items() if k != "levels" or k in NETWORKS[name].options}
    return build(name, dims=dims, **taken)


def images(n: int, *size: int) -> Any:
    return torch.rand(n, 2, *size, generator=torch.Generator().manual_seed(1))


def answer_shape(name: str, batch: Any) -> tuple[int, ...]:
    spatial = () if NETWORKS[name].task == "classification" else batch.shape[2:]
    return (len(batch), 3, *spatial)


@pytest.mark.parametrize(("name", "dims"), KINDS)
def test_any_size_is_answered_in_its_own_size(name: str, dims: int) -> None:
    network = small(name, dims=dims).eval()
    for size in ((1, 2, 3), (network.stride + 1, network.stride, 5)):
        batch = images(2, *size[:dims])
        with torch.no_grad():
            heads, logits = network.heads(batch), network(batch)
        assert answer_shape(name, batch) == logits.shape
        assert {answer_shape(name, batch)} == {tuple(head.shape) for head in heads}
        torch.testing.assert_close(logits, torch.stack(heads).mean(dim=0))
        assert torch.isfinite(logits).all()


@pytest.mark.parametrize(("name", "dims"), KINDS)
def test_gradients_reach_every_parameter(name: str, dims: int) -> None:
    network = small(name, dims=dims, dropout=0.1)
    size = (2 * network.stride - 3, network.stride, network.stride - 1)
    network(images(2, *size[:dims])).square().mean().backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
        reached = parameter.grad.abs().sum() > 0 or parameter_name.endswith(WITHOUT_EFFECT)
        assert reached, parameter_name


@pytest.mark.parametrize(("name", "dims"), KINDS)
def test_one_batch_is_learned_by_heart(name: str, dims: int) -> None:
    network = small(name, dims=dims)
    batch = images(2, *(network.stride,) * dims)
    half = network.stride // 2
    if NETWORKS[name].task == "classification":
        labels = torch.tensor([0, 2])
    else:
        labels = torch.zeros(2, *batch.shape[2:], dtype=torch.int64)
        labels[0, half:], labels[1, :half] = 1, 2
        batch[:, 0] += labels
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    losses = []
    for _ in range(8):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(batch), labels)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0], losses


@pytest.mark.parametrize(("name", "dims"), KINDS)
def test_the_exported_graph_agrees_at_other_sizes_than_it_was_traced_with(
    name: str, dims: int, tmp_path: Path
) -> None:
    from leuko.inference import openvino_engine

    network = small(name, dims=dims)
    _as_after_training(network)
    stride = network.stride
    example = images(1, *(2 * stride, stride, stride)[:dims])
    openvino_engine.save(network.eval(), tmp_path / "n.xml", example=example, half=False)
    run = openvino_engine.load_graph(tmp_path / "n.xml", precision="f32", threads=1)
    batch = images(2, *(stride, 2 * stride, stride)[:dims])
    with torch.no_grad():
        expected = network(batch)
    found = torch.from_numpy(run(batch.numpy()))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())


@pytest.mark.parametrize("norm", ["instance", "group"])
@pytest.mark.parametrize("name", ["unet", "resunet++", "resnet"])
def test_other_normalisations_are_exported_too(name: str, norm: str, tmp_path: Path) -> None:
    """A resnet with 'group': OpenVINO's own group normalisation crashes there."""
    from leuko.inference import openvino_engine

    network = small(name, norm=norm).eval()
    size = 2 * network.stride
    openvino_engine.save(network, tmp_path / "n.xml", example=images(1, size, size), half=False)
    run = openvino_engine.load_graph(tmp_path / "n.xml", precision="f32", threads=1)
    batch = images(2, 2 * size, size)
    with torch.no_grad():
        expected = network(batch)
    found = torch.from_numpy(run(batch.numpy()))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * expected.abs().max().item())


@pytest.mark.parametrize(("name", "dims"), KINDS)
def test_a_seed_decides_every_weight(name: str, dims: int) -> None:
    first, second = small(name, dims=dims), small(name, dims=dims)
    torch.manual_seed(1)
    other = small(name, dims=dims, in_channels=1)
    for key, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[key]), key
    assert list(first.state_dict()) == list(other.state_dict())


CHOICES = [
    (name, {option: choice})
    for name, record in NETWORKS.items()
    for option in ("norm", "upsampling")
    if option in record.options
    for choice in record.options[option].choices[1:]
]


@pytest.mark.parametrize(("name", "options"), CHOICES)
def test_normalisation_and_upsampling_are_options(name: str, options: dict[str, str]) -> None:
    network = small(name, **options)
    batch = images(2, 9, 7)
    network(batch).square().mean().backward()
    assert answer_shape(name, batch) == network(batch).shape
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_the_deep_supervision_of_unet_plus_plus_has_a_head_a_nested_network() -> None:
    network = small("unet++", levels=4)
    heads = network.heads(images(1, 16, 16))
    assert 3 == len(heads)
    for one, other in itertools.combinations(heads, 2):
        assert not torch.equal(one, other)


@pytest.mark.parametrize("name", ["unet", "resunet", "unet++", "attention-unet"])
def test_a_shifted_image_gives_the_shifted_answer(name: str) -> None:
    """The network has no idea of absolute position: only content decides."""
    network = small(name).eval()
    image = torch.zeros(1, 2, 64, 64)
    image[..., 28:36, 28:36] = torch.rand(8, 8)
    shifted = torch.roll(image, (4, -4), (2, 3))
    with torch.no_grad():
        expected = torch.roll(network(image), (4, -4), (2, 3))
        torch.testing.assert_close(network(shifted)[..., 24:40, 24:40], expected[..., 24:40, 24:40])


def test_what_lies_beyond_an_image_is_its_edge_repeated() -> None:
    network = small("unet").eval()
    image = images(1, 6, 7)
    continued = torch.nn.functional.pad(image, (0, 1, 0, 2), mode="replicate")
    with torch.no_grad():
        torch.testing.assert_close(network(image), network(continued)[..., :6, :7])


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "vnet"},
        {"dims": 4},
        {"norm": "layer"},
        {"upsampling": "cubic"},
        {"dropout": 1.0},
        {"width": 0},
        {"width": 8.5},
        {"width": True},
        {"levels": 1},
        {"classes": 0},
        {"name": "resnet", "variant": 19},
        {"name": "mit-unet", "variant": "b6"},
    ],
)
def test_unknown_names_and_values_are_refused_with_a_hint(wrong: dict[str, Any]) -> None:
    options = {"name": "unet", "width": 4, **wrong}
    with pytest.raises(UsageError) as refused:
        build(**options)
    assert refused.value.hint


def test_an_option_that_a_network_does_not_take_is_refused_by_naming_those_it_takes() -> None:
    with pytest.raises(UsageError, match="'mit-unet' takes no option 'levels'") as refused:
        build("mit-unet", levels=4)
    assert "variant, width, norm, dropout, upsampling" in refused.value.hint


def test_without_channels_named_it_has_those_of_the_packaged_weights() -> None:
    assert (1, CLASS_COUNT, 32, 16) == build("unet", width=4)(torch.rand(1, 3, 32, 16)).shape


def test_the_catalogue_is_read_without_torch() -> None:
    code = "import sys, leuko.networks.catalogue; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _as_after_training(network: Any) -> None:
    """Means and variances of batch normalisation that are not those of a fresh network."""
    for name, value in network.named_buffers():
        if name.endswith("running_var"):
            value.uniform_(0.5, 2.0)
        if name.endswith("running_mean"):
            value.normal_(0.0, 0.3)
