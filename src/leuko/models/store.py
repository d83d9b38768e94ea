"""The models in the package, or one in a folder of the same layout; checked before use."""

from __future__ import annotations

from hashlib import sha256
from importlib import resources
from pathlib import Path

from leuko.errors import ReadError, UsageError
from leuko.models.card import Card, parse_card

__all__ = [
    "CARD",
    "DEFAULT",
    "checkpoint_path",
    "load_card",
    "model_folder",
    "packaged_folder",
    "packaged_models",
    "weights_path",
]

CARD = "card.json"
DEFAULT = "default"
AGAIN = "Install leuko again; a file of the package was lost or changed."


def packaged_folder(name: str = DEFAULT) -> Path:
    """The folder of a packaged model. leuko is installed unpacked, never run from a zip."""
    return Path(str(resources.files("leuko.models"))) / "weights" / name


def packaged_models() -> tuple[str, ...]:
    """The names of the packaged models, the default first."""
    found = {path.parent.name for path in packaged_folder().parent.glob(f"*/{CARD}")}
    return tuple(sorted(found, key=lambda name: (name != DEFAULT, name)))


def model_folder(model: Path | str) -> Path:
    """The folder of a packaged model by its name, or the folder that `model` is.

    A text that is both is a name; write ./NAME for the folder. UsageError where it is neither.
    """
    if isinstance(model, str) and model in packaged_models():
        return packaged_folder(model)
    if Path(model).is_dir():
        return Path(model)
    raise UsageError(
        f"There is no model '{Path(model).name}'.",
        hint=f"Choose from: {', '.join(packaged_models())}; or give a folder with a {CARD}.",
    )


def load_card(folder: Path | None = None) -> Card:
    """The card in `folder` (default: the packaged default model). ReadError where there is none."""
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
    _check(root, card.weights, card)
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
