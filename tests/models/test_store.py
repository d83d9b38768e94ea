from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from test_card import CARD

from leuko.errors import ReadError, UsageError
from leuko.models.card import Card, card_to_json
from leuko.models.sample import sample_path, truth_path
from leuko.models.store import (
    DEFAULT,
    checkpoint_path,
    load_card,
    model_folder,
    packaged_folder,
    packaged_models,
    weights_path,
)


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


@pytest.mark.parametrize("name", packaged_models())
def test_packaged_weights_are_whole(name: str) -> None:
    folder = model_folder(name)
    card: Card = load_card(folder)
    assert weights_path(card, folder=folder).is_file()
    assert card.operating_point("vascular")
    assert card.operating_point("ms")
    most = 12_000_000 if name == DEFAULT else 24_000_000
    assert sum(path.stat().st_size for path in folder.iterdir()) < most


def test_the_default_model_is_packaged_and_named_first() -> None:
    assert packaged_models()[0] == DEFAULT
    assert model_folder(DEFAULT) == packaged_folder()
    assert load_card() == load_card(model_folder(DEFAULT))


def test_a_model_is_a_name_or_a_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert model_folder(folder) == model_folder(str(folder)) == folder
    monkeypatch.chdir(tmp_path)
    (tmp_path / DEFAULT).mkdir()
    assert model_folder(DEFAULT) == packaged_folder()
    assert model_folder(f"./{DEFAULT}") == Path(DEFAULT)


@pytest.mark.parametrize("kind", [str, Path])
def test_an_unknown_model_says_which_there_are(kind: type[str] | type[Path]) -> None:
    with pytest.raises(UsageError, match="no model 'precise'") as caught:
        model_folder(kind("/somewhere/precise"))
    assert DEFAULT in caught.value.hint
    assert "somewhere" not in caught.value.what


def test_the_packaged_sample_is_there() -> None:
    assert sample_path().is_file()
    assert truth_path().is_file()
