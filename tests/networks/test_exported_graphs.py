"""An exported network of any rank is run on batches of any length, and says what it cannot take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leuko.errors import UsageError
from leuko.inference import openvino_engine

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A layer for volumes of two channels, as a file, and itself."""
    torch.manual_seed(0)
    layer = torch.nn.Conv3d(2, 3, 3, padding=1).eval()
    path = tmp_path_factory.mktemp("graph") / "layer.xml"
    openvino_engine.save(layer, path, example=torch.zeros(1, 2, 4, 4, 4), half=False)
    return path, layer


def volumes(n: int, *size: int) -> np.ndarray:
    return np.random.default_rng(0).random((n, 2, *size), dtype=np.float32)


def test_batches_and_sizes_may_change_from_call_to_call(graph: tuple[Path, Any]) -> None:
    path, layer = graph
    run = openvino_engine.load_graph(path, precision="f32", threads=2)
    for batch in (volumes(5, 4, 6, 8), volumes(1, 3, 3, 3), volumes(2, 4, 6, 8)):
        expected = layer(torch.from_numpy(batch)).detach().numpy()
        found = run(batch)
        assert np.float32 == found.dtype
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_threads_and_company_change_no_bit(graph: tuple[Path, Any]) -> None:
    batch = volumes(5, 6, 6, 6)
    alone = openvino_engine.load_graph(graph[0], threads=1)
    expected = np.concatenate([alone(batch[i : i + 1]) for i in range(5)])
    found = openvino_engine.load_graph(graph[0], threads=3)(batch)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", [(1, 3, 4, 4, 4), (1, 2, 4, 4), (0, 2, 4, 4, 4)])
def test_what_the_graph_does_not_take_is_refused_and_does_no_harm(
    graph: tuple[Path, Any], shape: tuple[int, ...]
) -> None:
    run = openvino_engine.load_graph(graph[0], precision="f32", threads=1)
    with pytest.raises(UsageError) as refused:
        run(np.zeros(shape, dtype=np.float32))
    assert refused.value.hint
    assert (1, 3, 4, 4, 4) == run(volumes(1, 4, 4, 4)).shape
