"""A small head and a network that goes by brightness alone: the tissue with the nearest wins."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.models.card import Card, OperatingPoint, card_to_json
from leuko.models.classes import CLASS_COUNT, Tissue

Array = npt.NDArray[Any]

LEVELS = {  # brightness, brain level 1; tissues without one are never found
    Tissue.BACKGROUND: 0.0,
    Tissue.CSF: 0.27,
    Tissue.VENTRICLES: 0.42,
    Tissue.WHITE_MATTER: 1.0,
    Tissue.CORTEX: 1.29,
    Tissue.LESION: 1.9,
}
SHARPNESS = 200.0


def linear_form() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Slopes and offsets (classes,) of the logits: -(v - level)^2, less what all have in common."""
    slopes, offsets = np.zeros(CLASS_COUNT), np.full(CLASS_COUNT, -1e4)
    for tissue, level in LEVELS.items():
        slopes[tissue], offsets[tissue] = SHARPNESS * level, -SHARPNESS * level**2 / 2
    return slopes.astype(np.float32), offsets.astype(np.float32)


class BrightnessEngine:
    """The network in NumPy; counts how often it was asked."""

    name = "brightness"
    precision = "f32"
    workers = 1
    batch = 4

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, slices: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.calls += 1
        slopes, offsets = (form[:, None, None] for form in linear_form())
        logits = slopes * slices[:, 1:2] + offsets
        found = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(found / found.sum(axis=1, keepdims=True), np.float32)


def write_weights(folder: Path) -> Path:
    """The same network as a graph for OpenVINO with its card, as `leuko export` lays them out."""
    from leuko.inference.openvino_engine import _openvino  # stops openvino's telemetry first

    openvino = _openvino()
    ops = openvino.opset13
    slopes, offsets = linear_form()
    kernel = np.zeros((CLASS_COUNT, 3, 1, 1), np.float32)
    kernel[:, 1, 0, 0] = slopes
    image = ops.parameter([-1, 3, -1, -1], np.float32)
    logits = ops.convolution(image, ops.constant(kernel), [1, 1], [0, 0], [0, 0], [1, 1])
    logits = ops.add(logits, ops.constant(offsets.reshape(1, -1, 1, 1)))
    model = openvino.Model([ops.softmax(logits, 1)], [image], "brightness")
    folder.mkdir(parents=True, exist_ok=True)
    openvino.save_model(model, folder / "net.xml", compress_to_fp16=False)
    files = {p.name: sha256(p.read_bytes()).hexdigest() for p in folder.glob("net.*")}
    (folder / "card.json").write_bytes(card_to_json(make_card(files=files)))
    return folder


def make_card(**changed: Any) -> Card:
    point = OperatingPoint(
        threshold=0.5, refine_support=0.4, refine_level=0.5, refine_summit=0.5,
        refine_reach_mm=1.0, confine_margin_mm=4.0, min_lesion_mm3=3.0,
    )  # fmt: skip
    values: dict[str, Any] = {
        "name": "brightness", "version": "1", "graph": "net.xml",
        "files": {"net.xml": "0" * 64, "net.bin": "1" * 64}, "architecture": "none",
        "classes": tuple(tissue.name for tissue in Tissue), "pixel_mm": 1.6, "neighbours_mm": [3.0],
        "operating_points": {"vascular": point, "ms": point},
    }  # fmt: skip
    return Card(**(values | changed))


def make_head(shape: tuple[int, int, int] = (60, 72, 44), *, lesions: bool = True) -> Array:
    """A FLAIR of sorts, canonical axes, not mirror symmetric: int16."""
    axes = [np.linspace(-1.25, 1.25, length) for length in shape]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    radius = np.sqrt((x / 0.85) ** 2 + y**2 + (z / 0.9) ** 2)
    head = np.zeros(shape)
    for limit, level in ((1.1, 300.0), (1.0, 130.0), (0.88, 620.0), (0.78, 480.0)):
        head[radius < limit] = level
    head[((x / 0.25) ** 2 + (y / 0.4) ** 2 + (z / 0.3) ** 2) < 1] = 200.0
    if lesions:
        for centre, size in (
            ((-0.4, 0.2, 0.1), 0.12), ((0.42, 0.1, 0.15), 0.1), ((0.35, -0.35, 0.3), 0.09),
            ((-0.35, -0.4, -0.1), 0.06),
        ):  # fmt: skip
            cx, cy, cz = centre
            head[((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2) < size**2] = 900.0
    noise = np.random.default_rng(7).normal(0, 6, shape)
    return np.asarray(np.clip(np.rint(head + noise), 0, None), np.int16)
