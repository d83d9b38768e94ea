from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs leuko[train]")

import torch

from leuko.compute import has_fast_bf16
from leuko.errors import ReadError, UsageError
from leuko.inference import torch_engine
from leuko.networks import catalogue

OPTIONS = {"in_channels": 3, "classes": 10, "width": 4, "levels": 3}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = catalogue.build("unet", **OPTIONS)
    path = tmp_path / "small.pt"
    torch.save(
        {
            "network": {"name": "unet", "options": OPTIONS},
            "state_dict": {
                k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()
            },
        },
        path,
    )
    return path


def test_it_gives_probabilities(checkpoint: Path) -> None:
    engine = torch_engine.load(checkpoint, precision="f32", threads=1)
    shown = np.random.default_rng(0).random((3, 3, 32, 48), dtype=np.float32)
    found = engine(shown)
    assert (3, 10, 32, 48) == found.shape
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)
    alone = np.concatenate([engine(shown[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(found, alone, atol=1e-5)
    assert engine.name.startswith("torch (")


@pytest.mark.skipif(not has_fast_bf16(), reason="this processor has no fast bf16")
def test_bf16_agrees_with_f32(checkpoint: Path) -> None:
    shown = np.random.default_rng(0).random((1, 3, 32, 48), dtype=np.float32)
    full = torch_engine.load(checkpoint, precision="f32", threads=1)(shown)
    half = torch_engine.load(checkpoint, precision="bf16", threads=1)(shown)
    assert 0 < np.abs(full - half).max() < 0.05


@pytest.mark.skipif(torch.cuda.is_available(), reason="asks the graphics card instead")
def test_bf16_is_refused_where_it_would_be_slow(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_engine, "has_fast_bf16", lambda: False)
    assert "f32" == torch_engine.load(checkpoint, threads=1).precision
    with pytest.raises(UsageError, match="bf16"):
        torch_engine.load(checkpoint, precision="bf16")


def test_what_is_no_checkpoint_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(ReadError, match=r"x\.pt"):
        torch_engine.load(tmp_path / "x.pt")
