from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from test_card import CARD

from leuko.errors import ReadError
from leuko.models.card import Card, card_to_json
from leuko.models.sample import sample_path, truth_path
from leuko.models.store import checkpoint_path, load_card, packaged_folder, weights_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    import msgspec

    contents = {"w.xml": b"<net/>", "w.bin": b"\x00\x01", "w.pt": b"pt"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    card = msgspec.structs.replace(
        CARD,
        checkpoint="w.pt",
        files={name: sha256(content).hexdigest() for name, content in contents.items()},
    )
    (tmp_path / "card.json").write_bytes(card_to_json(card))
    return tmp_path


def test_whole_weights_are_found(folder: Path) -> None:
    card = load_card(folder)
    assert folder / "w.xml" == weights_path(card, folder=folder)
    assert folder / "w.pt" == checkpoint_path(card, folder=folder)


@pytest.mark.parametrize("name", ["w.xml", "w.bin"])
def test_changed_weights_are_refused(folder: Path, name: str) -> None:
    card = load_card(folder)
    (folder / name).write_bytes(b"changed")
    with pytest.raises(ReadError, match=f"{name} has SHA-256") as caught:
        weights_path(card, folder=folder)
    assert "Install leuko again" in caught.value.hint
    assert str(folder) not in caught.value.what


@pytest.mark.parametrize("name", ["w.xml", "w.bin"])
def test_missing_weights_are_named(folder: Path, name: str) -> None:
    card = load_card(folder)
    (folder / name).unlink()
    with pytest.raises(ReadError, match=name):
        weights_path(card, folder=folder)


def test_a_folder_without_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"card\.json"):
        load_card(tmp_path)


def test_a_card_without_checkpoint_says_what_to_do(folder: Path) -> None:
    with pytest.raises(ReadError) as caught:
        checkpoint_path(CARD, folder=folder)
    assert "openvino" in caught.value.hint


def test_the_packaged_weights_are_whole() -> None:
    if not packaged_folder().is_dir():
        pytest.skip("no weights in the package yet")
    card: Card = load_card()
    assert weights_path(card).is_file()
    assert card.operating_point("vascular")
    assert card.operating_point("ms")
    assert sum(path.stat().st_size for path in packaged_folder().iterdir()) < 8_000_000


def test_the_packaged_sample_is_there() -> None:
    assert sample_path().is_file()
    assert truth_path().is_file()
