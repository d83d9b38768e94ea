"""The weights in the package, or in a folder of the same layout; checked before use."""

from __future__ import annotations

from hashlib import sha256
from importlib import resources
from pathlib import Path

from leuko.errors import ReadError
from leuko.models.card import Card, parse_card

__all__ = ["CARD", "checkpoint_path", "load_card", "packaged_folder", "weights_path"]

CARD = "card.json"
AGAIN = "Install leuko again; a file of the package was lost or changed."


def packaged_folder() -> Path:
    """The folder of the packaged weights. leuko is installed unpacked, never run from a zip."""
    return Path(str(resources.files("leuko.models"))) / "weights"


def load_card(folder: Path | None = None) -> Card:
    """The card in `folder` (default: the packaged weights). ReadError where there is none."""
    path = (packaged_folder() if folder is None else folder) / CARD
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReadError(
            f"There are no weights here: {CARD} cannot be read ({error.strerror}).",
            hint=AGAIN if folder is None else "Give a folder that leuko export wrote.",
        ) from error
    return parse_card(content)


def weights_path(card: Card, *, folder: Path | None = None) -> Path:
    """The OpenVINO graph (.xml, weights beside it), after checking both against the card.

    ReadError where a file is missing or its SHA-256 is not the card's.
    """
    root = packaged_folder() if folder is None else folder
    _check(root, card.graph, card)
    _check(root, card.graph.removesuffix(".xml") + ".bin", card)
    return root / card.graph


def checkpoint_path(card: Card, *, folder: Path | None = None) -> Path:
    """The weights for the torch engine, checked likewise; ReadError where the card has none."""
    if card.checkpoint is None:
        raise ReadError(
            f"The weights {card.name} come without a checkpoint for torch.",
            hint="Use --engine openvino.",
        )
    root = packaged_folder() if folder is None else folder
    _check(root, card.checkpoint, card)
    return root / card.checkpoint


def _check(root: Path, name: str, card: Card) -> None:
    """ReadError unless the file is there with the bytes that the card promises."""
    expected = card.files.get(name)
    if expected is None:
        raise ReadError(f"{name} is not on the card of the weights {card.name}.", hint=AGAIN)
    try:
        found = sha256((root / name).read_bytes()).hexdigest()
    except OSError as error:
        raise ReadError(
            f"The weights {card.name} are incomplete: {name} cannot be read ({error.strerror}).",
            hint=AGAIN,
        ) from error
    if found != expected:
        raise ReadError(
            f"{name} has SHA-256 {found[:12]}..., the card of the weights {card.name} says "
            f"{expected[:12]}....",
            hint=AGAIN,
        )
