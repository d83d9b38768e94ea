from __future__ import annotations

import importlib
import sys
from pathlib import Path

import graphs
import numpy as np
import pytest

from leuko.errors import MissingExtra, ReadError, UsageError
from leuko.inference.engines import ENGINES, load_engine


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_has_the_same_door(name: str) -> None:
    record = ENGINES[name]
    if record.extra is not None:
        pytest.importorskip("torch")
    module = importlib.import_module(record.module)
    assert callable(module.load)
    assert record.summary
    assert record.weights in ("graph", "checkpoint")


def test_automatic_is_openvino(tmp_path: Path) -> None:
    card = graphs.weights_folder(tmp_path)
    engine = load_engine("auto", card, folder=tmp_path, precision="f32", threads=1)
    assert ("openvino", "f32", 1) == (engine.name, engine.precision, engine.workers)
    assert (1, 10, 32, 32) == engine(np.zeros((1, 3, 32, 32), np.float32)).shape


@pytest.mark.parametrize(
    ("name", "precision"), [("tensorflow", "auto"), ("auto", "f16"), ("", "f32")]
)
def test_unknown_names_are_refused(tmp_path: Path, name: str, precision: str) -> None:
    card = graphs.weights_folder(tmp_path)
    with pytest.raises(UsageError) as caught:
        load_engine(name, card, folder=tmp_path, precision=precision)
    assert caught.value.hint


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    card = graphs.weights_folder(tmp_path)
    (tmp_path / "small.bin").write_bytes(b"other")
    with pytest.raises(ReadError, match="SHA-256"):
        load_engine("auto", card, folder=tmp_path)


def test_torch_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import msgspec

    card = graphs.weights_folder(tmp_path)
    card = msgspec.structs.replace(card, checkpoint="small.bin")
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "leuko.inference.torch_engine", raising=False)
    with pytest.raises(MissingExtra, match="torch"):
        load_engine("torch", card, folder=tmp_path)


def test_importing_the_registry_loads_no_engine() -> None:
    import subprocess

    code = (
        "import sys, leuko.inference.engines, leuko.inference.predict;"
        "print({'openvino', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "set()" == done.stdout.strip()
