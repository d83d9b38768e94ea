"""The table of sizes is what measuring gives, and measuring is right where it is done by hand."""

from __future__ import annotations

from typing import Any

import pytest

from leuko.errors import UsageError
from leuko.networks.catalogue import NETWORKS
from leuko.networks.sizes import Size, default_size, describe, read_sizes

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")

KINDS = [(name, dims) for name, record in NETWORKS.items() for dims in record.dims]


def choice(row: Size) -> dict[str, Any]:
    return {} if row.variant is None else {"variant": row.variant}


@pytest.mark.parametrize(("name", "dims"), KINDS)
def test_the_table_is_what_measuring_gives(name: str, dims: int) -> None:
    """Where it is not: python -m leuko.networks.measure."""
    from leuko.networks.measure import measure

    row = default_size(name, dims=dims)
    assert measure(name, dims=dims, **choice(row)) == row


@pytest.mark.parametrize("row", read_sizes().rows, ids=lambda r: f"{r.name}-{r.dims}-{r.variant}")
def test_every_variant_has_the_parameters_of_the_table(row: Size) -> None:
    from leuko.networks.catalogue import build
    from leuko.networks.measure import CLASSES

    with torch.device("meta"):
        network = build(row.name, dims=row.dims, in_channels=1, classes=CLASSES, **choice(row))
    assert row.parameters == sum(parameter.numel() for parameter in network.parameters())


def test_the_table_has_every_network_dims_and_variant() -> None:
    from leuko.networks.measure import INPUTS

    expected = {
        (name, dims, variant)
        for name, record in NETWORKS.items()
        for dims in record.dims
        for variant in (
            record.options["variant"].choices if "variant" in record.options else (None,)
        )
    }
    assert expected == {(row.name, row.dims, row.variant) for row in read_sizes().rows}
    assert {str(dims): shape for dims, shape in INPUTS.items()} == read_sizes().inputs


def test_flops_are_two_a_multiplication_of_a_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    """One convolution of 1 to 2 channels, size 3, on 8 x 8: 8 * 8 * 2 * 9 products and sums."""
    found = measured(monkeypatch, torch.nn.Conv2d(1, 2, 3, padding=1))
    assert 2 * 8 * 8 * 2 * 9 == found.flops
    assert 2 * 9 + 2 == found.parameters


def test_memory_is_what_tensors_hold_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Image 256 B, then maps of 512, 1024 and 256 B: at most two of them, or all in training."""
    layers = [torch.nn.Conv2d(a, b, 1) for a, b in ((1, 2), (2, 4), (4, 1))]
    found = measured(monkeypatch, torch.nn.Sequential(*layers))
    assert 256 + 512 + 1024 == found.prediction_bytes
    assert 256 + 512 + 1024 + 256 == found.training_bytes


def measured(monkeypatch: pytest.MonkeyPatch, network: Any) -> Size:
    """What `measure` finds of a network that is not in the catalogue, on one channel of 8 x 8."""
    from leuko.networks import measure

    monkeypatch.setattr(measure, "INPUTS", {2: (1, 8, 8)})
    monkeypatch.setattr(measure, "build", lambda *_, **__: network.to("meta"))
    return measure.measure("ours", dims=2)


def test_a_network_is_described_without_being_built() -> None:
    found = describe("mit-unet")
    assert ("segmentation", (2, 3)) == (found.task, found.dims)
    assert ["variant", "width", "norm", "dropout", "upsampling"] == list(found.options)
    assert 12 == len(found.sizes)
    with pytest.raises(UsageError, match="no network 'vnet'"):
        describe("vnet")
