"""A small network written as an OpenVINO graph, so that these tests need no torch."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np

from leuko.inference import openvino_engine
from leuko.models.card import Card, OperatingPoint, card_to_json
from leuko.models.classes import CLASS_COUNT

POINT = OperatingPoint(
    threshold=0.5,
    refine_support=0.1,
    refine_level=0.5,
    refine_summit=0.5,
    refine_reach_mm=1.0,
    confine_margin_mm=2.0,
    min_lesion_mm3=3.0,
)


def weights() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(2)
    first = random.normal(0, 0.3, (16, 3, 3, 3)).astype(np.float32)
    second = random.normal(0, 0.3, (CLASS_COUNT, 16, 1, 1)).astype(np.float32)
    return first, second


def save_graph(path: Path) -> None:
    """Two convolutions with a ReLU between, then softmax: (n, 3, H, W) to (n, classes, H, W)."""
    openvino = openvino_engine._openvino()
    ops = openvino.opset13
    image = ops.parameter([-1, 3, -1, -1], np.float32, name="image")
    first, second = weights()
    plain = ([1, 1], [0, 0], [0, 0], [1, 1])
    hidden = ops.relu(ops.convolution(image, first, [1, 1], [1, 1], [1, 1], [1, 1]))
    scores = ops.convolution(hidden, second, *plain)
    model = openvino.Model([ops.softmax(scores, axis=1)], [image], "small")
    openvino.save_model(model, path, compress_to_fp16=False)


def weights_folder(folder: Path) -> Card:
    """A folder with the small graph and its card, as `leuko.training.export` writes them."""
    save_graph(folder / "small.xml")
    card = Card(
        name="small",
        version="1",
        graph="small.xml",
        files={
            name: sha256((folder / name).read_bytes()).hexdigest()
            for name in ("small.xml", "small.bin")
        },
        architecture="none",
        classes=tuple(map(str, range(CLASS_COUNT))),
        pixel_mm=0.8,
        neighbours_mm=(3.0,),
        operating_points={"vascular": POINT, "ms": POINT},
    )
    (folder / "card.json").write_bytes(card_to_json(card))
    return card


def expected(slices: np.ndarray) -> np.ndarray:
    """What the small graph computes, in numpy and f64."""
    first, second = weights()
    padded = np.pad(slices.astype(float), ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    hidden = np.maximum(0, np.einsum("nchwij,ocij->nohw", windows, first))
    scores = np.einsum("nchw,oc->nohw", hidden, second[:, :, 0, 0])
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))
