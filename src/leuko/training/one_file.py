"""One file of numbers for both engines: a torch checkpoint that an OpenVINO graph points into.

A file of torch.save keeps each tensor in one piece, as it is in memory. So the constants of a
graph can lie in it: kernels that graph and checkpoint share once, the graph's others beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import torch
from torch import Tensor, nn

from leuko.networks.folding import folded, folds_of

__all__ = ["share_numbers"]

SHARED = 128  # bytes: smaller constants are not worth sharing
CLOSE = 2e-3  # relative: what rounding to 16 bits may change


def share_numbers(
    graph: Path, checkpoint: Path, *, network: nn.Module, record: dict[str, Any]
) -> None:
    """Write `checkpoint` and make `graph` (.xml) point into it; the .bin beside it goes.

    `record` is what the checkpoint says of the network. Kernels are kept in 16 bits, folded with
    the normalisations after them (`leuko.networks.folding`), with the very numbers of the graph.
    """
    folds = folds_of(network)
    state = {name: _halved(t) for name, t in folded(network.state_dict(), folds).items()}
    numbers = graph.with_suffix(".bin")
    tree = ElementTree.parse(graph)
    constants = [data for layer in tree.iter("layer") if layer.get("type") == "Const"
                 for data in layer.iter("data")]  # fmt: skip
    stored = numbers.read_bytes()
    rest = bytearray()
    for data in constants:
        content = _content(stored, data)
        if (name := _same(content, data, state)) is not None:
            state[name] = _as_tensor(content, state[name])
        else:
            rest += content
    torch.save(
        {
            **record,
            "state_dict": state,
            "folds": [fold.plain for fold in folds],
            "constants": torch.frombuffer(bytearray(rest or b"\0"), dtype=torch.uint8),
        },
        checkpoint,
    )
    written = checkpoint.read_bytes()
    for data in constants:
        data.set("offset", str(written.index(_content(stored, data))))
    tree.write(graph, encoding="utf-8", xml_declaration=True)
    numbers.unlink()


def _halved(tensor: Tensor) -> Tensor:
    """Kernels in 16 bits; vectors (of normalisations and biases) are small and stay."""
    kernel = tensor.is_floating_point() and tensor.dim() > 1
    return (tensor.half() if kernel else tensor).contiguous()


def _content(stored: bytes, data: ElementTree.Element) -> bytes:
    offset, size = int(data.get("offset", 0)), int(data.get("size", 0))
    return stored[offset : offset + size]


def _same(content: bytes, data: ElementTree.Element, state: Mapping[str, Tensor]) -> str | None:
    """The tensor that a constant of the graph is, up to rounding."""
    if len(content) < SHARED or data.get("element_type") != "f16":
        return None
    shape = [int(extent) for extent in data.get("shape", "").split(",")]
    values = torch.from_numpy(np.frombuffer(content, dtype=np.float16).copy()).reshape(shape)
    for name, tensor in state.items():
        if tensor.dtype == torch.float16 and list(tensor.shape) == shape:
            limit = CLOSE * float(values.float().abs().max())
            if float((tensor.float() - values.float()).abs().max()) <= limit:
                return name
    return None


def _as_tensor(content: bytes, like: Tensor) -> Tensor:
    values = np.frombuffer(content, dtype=np.float16).copy()
    return torch.from_numpy(values).reshape(like.shape)
