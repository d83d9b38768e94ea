"""Measure what networks cost, without computing; run as a module it writes sizes.json.

On torch's device "meta" tensors have shapes and no values, so the largest takes a second.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from leuko.networks.catalogue import NETWORKS, build
from leuko.networks.options import Value
from leuko.networks.sizes import TABLE, Size, Sizes

__all__ = ["INPUTS", "measure", "measure_all"]

CLASSES = 2
INPUTS: Mapping[int, tuple[int, ...]] = MappingProxyType({2: (1, 256, 256), 3: (1, 96, 96, 96)})


class Alive(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Bytes of the tensors that are made while it is active: now, and at most (`peak`)."""

    def __init__(self, *ours: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        # Weights and buffers exist before; writing into them makes nothing.
        self._known = {tensor.untyped_storage()._cdata for tensor in ours}

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation and count what it made."""
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._freed, key, size)

    def _freed(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def measure(name: str, *, dims: int, **options: Value) -> Size:
    """What a network costs on one image of `INPUTS[dims]`, two classes."""
    channels, *spatial = INPUTS[dims]
    with torch.device("meta"):
        network = build(name, dims=dims, in_channels=channels, classes=CLASSES, **options)
        image = torch.empty(1, channels, *spatial)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network.eval()(image)
    variant = options.get("variant")
    return Size(
        name=name,
        dims=dims,
        variant=None if variant is None else variant if isinstance(variant, str) else int(variant),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        flops=counter.get_total_flops(),
        prediction_bytes=_peak(network.eval(), image, training=False),
        training_bytes=_peak(network.train(), image, training=True),
    )


def _peak(network: nn.Module, image: Tensor, *, training: bool) -> int:
    """The most bytes that tensors of a forward pass hold at a time, the image among them."""
    alive = Alive(image, *network.parameters(), *network.buffers())
    with torch.set_grad_enabled(training), alive:
        network(image)
    return alive.peak + image.untyped_storage().nbytes()


def measure_all() -> Sizes:
    """The whole table: each network, each number of dims, each variant."""
    return Sizes(
        inputs={str(dims): shape for dims, shape in INPUTS.items()},
        classes=CLASSES,
        rows=tuple(_rows()),
    )


def _rows() -> Iterator[Size]:
    for name, record in NETWORKS.items():
        for dims in record.dims:
            if "variant" not in record.options:
                yield measure(name, dims=dims)
                continue
            for variant in record.options["variant"].choices:
                yield measure(name, dims=dims, variant=variant)


if __name__ == "__main__":
    table = msgspec.json.format(msgspec.json.encode(measure_all()), indent=1)
    Path(__file__).with_name(TABLE).write_bytes(table + b"\n")
