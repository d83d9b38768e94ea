"""Trained weights as a folder that inference uses: graph, card, one file of numbers."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from leuko.inference import openvino_engine
from leuko.models.card import Card, card_to_json
from leuko.models.classes import Tissue
from leuko.models.store import CARD
from leuko.networks import catalogue
from leuko.training.one_file import share_numbers
from leuko.training.weights import load_weights

__all__ = ["export", "export_module", "read_final"]


class _Probabilities(nn.Module):
    """A network with the softmax inside, as engines give it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.network(x)
        return torch.softmax(logits, dim=1)


def read_final(path: Path) -> tuple[nn.Module, str, dict[str, Any]]:
    """The network in a final.pt or last.ckpt of `leuko train`, its catalogue name and options.

    The weights are the averaged ones. ReadError where the file is neither.
    """
    weights = load_weights(path)
    record = dict(torch.load(path, map_location="cpu", weights_only=True)["network"])
    name = str(record.pop("name"))
    options = dict(record.get("options", record))
    network = catalogue.build(name, **options)
    network.load_state_dict(weights)
    return network.eval(), name, options


def export(final: Path, *, out: Path, card: dict[str, Any]) -> Card:
    """Write the folder `out` for the weights in `final` (final.pt of `leuko train`).

    `card` holds the fields of `Card` that the weights do not tell: name, version,
    operating_points, views, training, licence, attribution. What slices they were trained on
    (pixel_mm, neighbours_mm) is that of the recipe in `final`, unless `card` says it.
    """
    network, name, options = read_final(final)
    shown = _shown(final)
    return export_module(network, architecture=name, options=options, out=out, card=shown | card)


def _shown(final: Path) -> dict[str, Any]:
    """What slices the weights in a final.pt were trained on; empty where no recipe is in it."""
    recipe = torch.load(final, map_location="cpu", weights_only=True).get("recipe") or {}
    data = recipe.get("data", {})
    shown = {name: data[name] for name in ("pixel_mm", "neighbours_mm") if name in data}
    # Recipes of before there were more neighbours do not tell theirs.
    return {"neighbours_mm": [3.0], **shown} if shown else shown


def export_module(
    network: nn.Module,
    *,
    architecture: str,
    options: dict[str, Any],
    out: Path,
    card: dict[str, Any],
) -> Card:
    """Write graph, checkpoint (f16), into which the graph points, and card into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    stem = str(card["name"])
    graph, checkpoint = f"{stem}.xml", f"{stem}.pt"
    example = torch.zeros(1, int(options.get("in_channels", 3)), 64, 64)
    openvino_engine.save(_Probabilities(network).eval(), out / graph, example=example)
    share_numbers(
        out / graph,
        out / checkpoint,
        network=network,
        record={"network": {"name": architecture, "options": options}},
    )
    made = msgspec.convert(
        {
            **card,
            "graph": graph,
            "checkpoint": checkpoint,
            "files": {
                file: sha256((out / file).read_bytes()).hexdigest() for file in (graph, checkpoint)
            },
            "architecture": architecture,
            "options": options,
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "classes": tuple(tissue.name.lower() for tissue in Tissue),
        },
        Card,
    )
    (out / CARD).write_bytes(card_to_json(made))
    return made
