"""How large the networks are and what they cost, from a table: nothing here loads torch."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

from leuko.networks.catalogue import NETWORKS, architecture
from leuko.networks.options import Value

__all__ = ["Choice", "Description", "Size", "Sizes", "default_size", "describe", "read_sizes"]

TABLE = "sizes.json"


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """One network, its other options at their defaults, on one image without a batch."""

    name: str
    dims: int
    variant: int | str | None = None
    parameters: int
    flops: int
    """Floating-point operations of a forward pass: two a multiply-accumulate of convolutions,
    linear layers and products of attention; nothing else is counted."""
    prediction_bytes: int
    """The most that tensors hold at a time in a forward pass in float32, weights left out."""
    training_bytes: int
    """The same in a forward pass that keeps what the backward pass needs."""


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """The table, and what was measured on."""

    inputs: dict[str, tuple[int, ...]]
    """dims -> channels and spatial size of the image."""
    classes: int
    rows: tuple[Size, ...]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """An option of a network."""

    default: Value
    allowed: str
    meaning: str


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What can be known of a network without building it."""

    name: str
    task: str
    summary: str
    dims: tuple[int, ...]
    options: dict[str, Choice]
    sizes: tuple[Size, ...]


@cache
def read_sizes() -> Sizes:
    """The packaged table; `python -m leuko.networks.measure` writes it."""
    return msgspec.json.decode(files("leuko.networks").joinpath(TABLE).read_bytes(), type=Sizes)


def describe(name: str) -> Description:
    """A network's task, options and sizes; UsageError where there is none of that name."""
    record = architecture(name)
    return Description(
        name=name,
        task=record.task,
        summary=record.summary,
        dims=record.dims,
        options={
            key: Choice(default=option.default, allowed=option.allowed, meaning=option.meaning)
            for key, option in record.options.items()
        },
        sizes=tuple(row for row in read_sizes().rows if row.name == name),
    )


def default_size(name: str, *, dims: int) -> Size:
    """The row of a network whose variant is the default one."""
    option = NETWORKS[name].options.get("variant")
    wanted = None if option is None else option.default
    rows = [row for row in read_sizes().rows if (row.name, row.dims) == (name, dims)]
    return next(row for row in rows if row.variant == wanted)
