from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs leuko[train]")

import torch

from leuko.errors import ReadError
from leuko.inference.engines import load_engine
from leuko.models.store import load_card, weights_path
from leuko.networks import catalogue
from leuko.networks.folding import folds_of
from leuko.training.export import export
from leuko.training.weights import load_weights

OPTIONS = {"in_channels": 3, "classes": 10, "width": 8, "levels": 5}
POINT = {
    "threshold": 0.5,
    "refine_support": 0.1,
    "refine_level": 0.5,
    "refine_summit": 0.5,
    "refine_reach_mm": 1.0,
    "confine_margin_mm": 2.0,
    "min_lesion_mm3": 3.0,
}
CARD = {
    "name": "small",
    "version": "0.1",
    "pixel_mm": 0.8,
    "neighbours_mm": [3.0],
    "operating_points": {"vascular": POINT, "ms": POINT},
}


@pytest.fixture(scope="module", params=["unet", "resunet"])
def final(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    network = catalogue.build(request.param, **OPTIONS)
    for name, value in network.named_buffers():  # as after training, not fresh
        if name.endswith("running_var"):
            value.uniform_(0.5, 2.0)
        if name.endswith("running_mean"):
            value.normal_(0.0, 0.3)
    path = tmp_path_factory.mktemp("run") / "final.pt"
    torch.save(
        {
            "network": {"name": request.param, "options": OPTIONS},
            "state_dict": network.state_dict(),
            "step": 1,
        },
        path,
    )
    return path


@pytest.fixture(scope="module")
def exported(final: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    made = export(final, out=folder, card=CARD)
    assert load_card(folder) == made
    return folder


def test_the_slices_are_those_of_the_recipe_unless_the_card_says_others(tmp_path: Path) -> None:
    options = {**OPTIONS, "in_channels": 6, "width": 2}
    network = catalogue.build("unet", **options)
    content = {
        "network": {"name": "unet", "options": options},
        "state_dict": network.state_dict(),
        "recipe": {"data": {"pixel_mm": 0.9, "neighbours_mm": [1.0, 3.0]}},
    }
    torch.save(content, tmp_path / "final.pt")
    told = {key: value for key, value in CARD.items() if key not in ("pixel_mm", "neighbours_mm")}
    made = export(tmp_path / "final.pt", out=tmp_path / "out", card=told)
    assert (made.pixel_mm, made.neighbours_mm) == (0.9, (1.0, 3.0))
    finer = export(tmp_path / "final.pt", out=tmp_path / "finer", card={**told, "pixel_mm": 0.5})
    assert finer.pixel_mm == 0.5


def test_both_engines_compute_what_was_trained(final: Path, exported: Path) -> None:
    card = load_card(exported)
    saved = torch.load(final, weights_only=True)
    network = catalogue.build(saved["network"]["name"], **OPTIONS)
    network.load_state_dict(saved["state_dict"])
    network.eval()
    shown = np.random.default_rng(0).random((2, 3, 48, 64), dtype=np.float32)
    with torch.no_grad():
        expected = torch.softmax(network(torch.from_numpy(shown)), dim=1).numpy()
    for name in ("openvino", "torch"):
        engine = load_engine(name, card, folder=exported, precision="f32", threads=1)
        np.testing.assert_allclose(engine(shown), expected, atol=5e-3)


def test_the_folder_is_complete_and_small(exported: Path) -> None:
    card = load_card(exported)
    assert {"small.xml", "small.pt", "card.json"} == {path.name for path in exported.iterdir()}
    assert weights_path(card, folder=exported).name == "small.xml"
    assert card.sha256 == card.files["small.pt"]
    assert (exported / "small.pt").stat().st_size < 2.2 * card.parameters + 100_000
    assert 8 == card.width
    assert 10 == len(card.classes)


def test_the_one_file_gives_back_what_was_trained(final: Path, exported: Path) -> None:
    """Folding the normalisations in is undone: the weights can be trained further."""
    saved = torch.load(final, weights_only=True)
    network = catalogue.build(saved["network"]["name"], **OPTIONS)
    assert folds_of(network)
    stored = load_weights(exported / "small.pt")
    assert stored.keys() == saved["state_dict"].keys()
    for name, tensor in saved["state_dict"].items():
        limit = 2e-3 * float(tensor.abs().max()) if tensor.dim() > 1 else 0.0
        torch.testing.assert_close(stored[name].to(tensor.dtype), tensor, atol=limit, rtol=0)


def test_both_engines_read_the_same_numbers(exported: Path) -> None:
    card = load_card(exported)
    shown = np.random.default_rng(1).random((1, 3, 48, 64), dtype=np.float32)
    first, second = (
        load_engine(name, card, folder=exported, precision="f32", threads=1)(shown).copy()
        for name in ("openvino", "torch")
    )
    np.testing.assert_allclose(first, second, atol=1e-3)
    # A kernel changed in the file changes what either computes.
    checkpoint = exported / "small.pt"
    content = bytearray(checkpoint.read_bytes())
    kernel = torch.load(checkpoint, weights_only=True)["state_dict"]["head.weight"]
    at = content.index(kernel.numpy().tobytes())
    content[at : at + 16] = np.full(8, 4, np.float16).tobytes()  # the first class
    card = msgspec.structs.replace(
        card, files={**card.files, "small.pt": sha256(content).hexdigest()}
    )
    original = checkpoint.read_bytes()
    try:
        checkpoint.write_bytes(content)
        for name in ("openvino", "torch"):
            found = load_engine(name, card, folder=exported, precision="f32", threads=1)(shown)
            assert np.abs(found - first).max() > 0.05
    finally:
        checkpoint.write_bytes(original)


def test_the_graph_says_nothing_about_the_machine(exported: Path) -> None:
    graph = (exported / "small.xml").read_text(encoding="utf-8")
    assert str(Path.home()) not in graph
    assert str(exported) not in graph
    assert "site-packages" not in graph


def test_what_is_no_run_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "final.pt").write_bytes(b"nothing")
    with pytest.raises(ReadError):
        export(tmp_path / "final.pt", out=tmp_path / "out", card=CARD)
