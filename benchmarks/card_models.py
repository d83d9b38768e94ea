"""The packaged models side by side, from their cards and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from leuko.models.card import Card
from leuko.models.store import load_card
from score_tables import markdown

__all__ = ["models_table"]

NETWORKS = {"unet": "U-Net", "resunet": "ResU-Net"}


def models_table(weights: Path) -> str:
    """A column a packaged model, the default first, and what each was trained on; Markdown.

    `weights` holds a folder each.
    """
    folders = sorted(
        (path.parent for path in weights.glob("*/card.json")),
        key=lambda folder: (folder.name != "default", folder.name),
    )
    cards = [load_card(folder) for folder in folders]
    lines: dict[str, Callable[[Card], str]] = {
        "weights": lambda card: f"{card.name} {card.version}",
        "network": _network,
        "parameters": lambda card: f"{card.parameters / 1e6:.2f} million",
        "sees": _sees,
        "averages over": _views,
        "licence": lambda card: card.licence,
    }
    rows = [(name, *(line(card) for card in cards)) for name, line in lines.items()]
    rows.insert(5, ("files", *(_files(folder, card) for folder, card in _pairs(folders, cards))))
    table = markdown(("", *(f"`{folder.name}`" for folder in folders)), rows)
    trained = [
        f"- `{folder.name}` was trained on: {card.training.partition(' MODEL_CARD.md')[0]}"
        for folder, card in _pairs(folders, cards)
    ]
    return "\n".join([table, *trained]) + "\n"


def _pairs(folders: list[Path], cards: list[Card]) -> list[tuple[Path, Card]]:
    return list(zip(folders, cards, strict=True))


def _network(card: Card) -> str:
    name = NETWORKS.get(card.architecture, card.architecture)
    return f"2.5D {name}, {card.options['levels']} levels, width {card.options['width']}"


def _sees(card: Card) -> str:
    away = " and ".join(f"{mm:g}" for mm in card.neighbours_mm)
    beside = ", the slice of a T1 where there is one" if card.takes_t1 else ""
    return f"a slice at {card.pixel_mm:g} mm, its neighbours {away} mm away{beside}"


def _views(card: Card) -> str:
    names = {"flips": "mirrored slices", "planes": "three planes"}
    used = [text for name, text in names.items() if getattr(card.views, name)]
    return ", ".join(used) or "one view"


def _files(folder: Path, card: Card) -> str:
    size = sum((folder / name).stat().st_size for name in card.files) / 1e6
    return f"{size:.1f} MB, SHA-256 of each in its `card.json`"
