"""A trained model that goes by value alone, written without torch: class k is what is nearest k."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from leuko.inference import openvino_engine
from leuko.inference.trained import CARD, GRAPH, TrainedCard, TrainedNetwork, card_to_json
from leuko.preparation.case import CasePlan

SHARPNESS = 40.0


def write_model(
    folder: Path,
    *,
    plan: CasePlan | None = None,
    classes: tuple[str, ...] = ("background", "bright"),
    channels: tuple[str, ...] = ("image",),
    **fields: Any,
) -> TrainedCard:
    """A model folder as `leuko export` writes it; it looks at the mean of the channels.

    Of neighbouring slices it looks at the middle one.
    `fields` are further fields of its card; a classifier looks at the mean of all pixels.
    """
    plan = plan or CasePlan(intensity="none", size=(32, 32))
    folder.mkdir(parents=True, exist_ok=True)
    task = fields.setdefault("task", "segmentation")
    share = np.zeros((len(channels), 2 * plan.neighbours + 1), dtype=np.float32)
    share[:, plan.neighbours] = 1 / len(channels)
    _save(folder / GRAPH, dims=plan.dims, share=share.ravel(), classes=len(classes), task=task)
    files = {p.name: sha256(p.read_bytes()).hexdigest() for p in folder.glob("network.*")}
    card = TrainedCard(
        name="levels",
        network=TrainedNetwork(name="levels", options={}, parameters=0),
        plan=plan,
        classes=classes,
        channels=channels,
        files=files,
        **fields,
    )
    (folder / CARD).write_bytes(card_to_json(card))
    return card


def change_card(folder: Path, **fields: Any) -> None:
    """Write other values into the card of a model."""
    content = msgspec.json.decode((folder / CARD).read_bytes()) | fields
    (folder / CARD).write_bytes(msgspec.json.encode(content))


def _save(path: Path, *, dims: int, share: np.ndarray, classes: int, task: str) -> None:
    openvino = openvino_engine._openvino()
    ops = openvino.opset13
    ones = [1] * dims
    levels = np.arange(classes, dtype=np.float32)
    channels = len(share)
    kernel = (SHARPNESS * np.outer(levels, share)).astype(np.float32)
    offsets = (-SHARPNESS * levels**2 / 2).astype(np.float32)
    image = ops.parameter([-1, channels, *[-1] * dims], np.float32)
    values = image
    if task == "classification":
        values = ops.reduce_mean(image, list(range(2, 2 + dims)), keep_dims=True)
    weights = ops.constant(kernel.reshape(classes, channels, *ones))
    logits = ops.convolution(values, weights, ones, [0] * dims, [0] * dims, ones)
    logits = ops.add(logits, ops.constant(offsets.reshape(1, classes, *ones)))
    answer = ops.softmax(logits, 1)
    if task == "classification":
        answer = ops.squeeze(answer, ops.constant(np.arange(2, 2 + dims)))
    openvino.save_model(openvino.Model([answer], [image], "levels"), path, compress_to_fp16=False)
