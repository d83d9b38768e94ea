"""Networks of four channels on their way out: both engines run them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs leuko[train]")

import torch

from leuko.inference.engines import load_engine
from leuko.models.card import Card
from leuko.networks import catalogue
from leuko.training.export import export_module

POINT = {
    "threshold": 0.5, "refine_support": 0.1, "refine_level": 0.5, "refine_summit": 0.5,
    "refine_reach_mm": 1.0, "confine_margin_mm": 2.0, "min_lesion_mm3": 3.0,
}  # fmt: skip
CARD = {
    "name": "small", "version": "0.1", "pixel_mm": 0.8, "neighbours_mm": [3.0],
    "operating_points": {"vascular": POINT, "ms": POINT},
}  # fmt: skip


def exported(folder: Path, *, channels: int, weight_of_t1: float = 0.0) -> Card:
    """The same network for 3 or 4 channels; the fourth one's weights are all `weight_of_t1`."""
    options = {"in_channels": 3, "classes": 10, "width": 8, "levels": 5}
    torch.manual_seed(3)
    narrow = catalogue.build("unet", **options)
    options["in_channels"] = channels
    network = catalogue.build("unet", **options)
    state = network.state_dict()
    for name, value in narrow.state_dict().items():
        if state[name].shape == value.shape:
            state[name] = value
        else:
            state[name] = torch.full_like(state[name], weight_of_t1)
            state[name][:, :3] = value
    network.load_state_dict(state)
    return export_module(
        network.eval(), architecture="unet", options=options, out=folder, card=dict(CARD)
    )


def seen(channels: int) -> np.ndarray:
    found = np.random.default_rng(5).uniform(0, 2, (2, 4, 64, 64)).astype(np.float32)
    return np.ascontiguousarray(found[:, :channels])


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_zero_weights_for_the_t1_change_nothing(tmp_path: Path, engine: str) -> None:
    three = exported(tmp_path / "3", channels=3)
    four = exported(tmp_path / "4", channels=4)
    assert not three.takes_t1
    assert four.takes_t1
    one = load_engine(engine, three, folder=tmp_path / "3", precision="f32")
    other = load_engine(engine, four, folder=tmp_path / "4", precision="f32")
    np.testing.assert_allclose(other(seen(4)), one(seen(3)), atol=1e-5)


def test_both_engines_see_the_same_in_four_channels(tmp_path: Path) -> None:
    card = exported(tmp_path, channels=4, weight_of_t1=0.1)
    engines = [
        load_engine(name, card, folder=tmp_path, precision="f32") for name in ("openvino", "torch")
    ]
    one, other = (engine(seen(4)).copy() for engine in engines)
    np.testing.assert_allclose(one, other, atol=1e-3)
    without = seen(4)
    without[:, 3] = 0
    assert np.abs(engines[0](without) - one).max() > 1e-3
