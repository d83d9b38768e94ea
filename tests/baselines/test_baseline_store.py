"""The file of a baseline: the same masks after loading, and nothing in it that could run."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from blobs import scene_of

from leuko.baselines.model import Baseline, fit_trained, ready, untuned
from leuko.baselines.registry import METHODS
from leuko.baselines.sample import draw_sample
from leuko.baselines.store import pack, unpack
from leuko.errors import ReadError


def tree() -> Baseline:
    pytest.importorskip("sklearn")
    samples = [draw_sample(*scene_of(n), name=f"s{n}", subject=f"s{n}") for n in range(2)]
    return fit_trained(METHODS["tree"], samples, channels=1, region="foreground")


def test_a_loaded_baseline_gives_the_same_mask() -> None:
    kept = tree()
    loaded = unpack(pack(kept), name="tree.npz")
    scene, _ = scene_of(5)
    assert (ready(kept)(scene) == ready(loaded)(scene)).all()
    assert pack(kept) == pack(loaded)


def test_an_untrained_baseline_is_kept_with_its_parameters() -> None:
    kept = untuned(METHODS["threshold"], channels=2, region="brain")
    loaded = unpack(pack(kept), name="t.npz")
    assert (loaded.method, loaded.parameters, loaded.channels, loaded.region) == (
        "threshold",
        kept.parameters,
        2,
        "brain",
    )
    assert np.isnan(loaded.training_dice)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 and then nothing"])
def test_another_file_is_no_baseline(content: bytes) -> None:
    with pytest.raises(ReadError, match=r"x\.npz is no baseline"):
        unpack(content, name="x.npz")


def test_a_file_with_a_pickle_in_it_is_refused_without_running_it() -> None:
    out = io.BytesIO()
    np.savez(out, header=np.array([{"method": "tree"}], dtype=object))
    with pytest.raises(ReadError, match="is no baseline"):
        unpack(out.getvalue(), name="x.npz")


@pytest.mark.parametrize(
    "damage",
    [
        {"parameters": {"cutt": 0.5}},
        {"lesion": np.zeros(3, bool)},
        {"features": np.full((2, 11), np.nan, np.float32), "lesion": np.array([True, False])},
    ],
)
def test_a_damaged_baseline_is_refused(damage: dict[str, object]) -> None:
    content = pack(replace(tree(), **damage))  # type: ignore[arg-type]
    with pytest.raises(ReadError, match="does not know, or it is damaged"):
        unpack(content, name="x.npz")
