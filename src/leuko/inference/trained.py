"""A trained model as a folder: what it is (model.json), and its network ready to run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from leuko.errors import ReadError
from leuko.inference.windows import Run
from leuko.preparation.case import CasePlan

__all__ = [
    "CARD",
    "GRAPH",
    "Trained",
    "TrainedCard",
    "TrainedNetwork",
    "card_to_json",
    "fitted",
    "load_trained",
    "read_card",
]

FloatArray = npt.NDArray[np.float32]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
CARD, GRAPH = "model.json", "network.xml"
FORMAT = 1  # of model.json; a newer leuko may count further
AGAIN = "Export the model again: leuko export RUN -o MODEL."


class TrainedNetwork(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The architecture: a name of `leuko.networks.catalogue`, what it was built with, its sizes."""

    name: str
    options: dict[str, bool | int | float | str | None]
    parameters: Annotated[int, Meta(ge=0)]
    """How many numbers were trained."""

    stride: Annotated[int, Meta(ge=1)] = 1
    """The graph takes sizes that are multiples of it."""

    least: Annotated[int, Meta(ge=1)] = 1
    """The smallest size that it takes."""


class TrainedCard(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What model.json says: enough to prepare an image and to read what the network answers."""

    format: int = FORMAT
    name: str
    task: Literal["segmentation", "classification"]
    network: TrainedNetwork
    plan: CasePlan
    classes: Annotated[tuple[str, ...], Meta(min_length=2)]
    """What the network's outputs mean, in order; of a segmentation the first is the background."""

    values: tuple[int, ...] = ()
    """The label of each class in the masks it learnt from; empty where they count 0, 1, 2 ..."""

    channels: Annotated[tuple[str, ...], Meta(min_length=1)]
    """The images of one example, in order."""

    region: bool = False
    """Whether it was trained within a mask, and needs one for every image."""

    files: dict[str, Sha256]
    """File name beside the card -> SHA-256 of its bytes."""

    prior: str = "loss"  # data: the weights of a balanced loss are taken back
    scores: dict[str, float] = {}
    """Of these weights, on the validation items of the training."""

    step: int = 0
    """After how many steps of training."""

    disagreement: float = 0.0
    """Largest difference in probability between the graph and the network that was trained."""

    version: str = ""
    """Of the leuko that wrote it."""

    def __post_init__(self) -> None:
        if self.values and len(self.values) != len(self.classes):
            raise ValueError(f"{len(self.values)} values for {len(self.classes)} classes")

    @property
    def labels(self) -> dict[int, str]:
        """The labels of the masks that it makes, with their names; without the background."""
        numbers = self.values or tuple(range(len(self.classes)))
        return dict(zip(numbers[1:], self.classes[1:], strict=True))

    @property
    def sha256(self) -> str:
        """SHA-256 of the graph's weights."""
        return self.files[GRAPH.replace(".xml", ".bin")]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A trained model: its card, and its network as a function on prepared windows.

    `run` takes (n, channels, *size) of any size and gives probabilities (n, classes, *size), of a
    classifier (n, classes).
    """

    card: TrainedCard
    run: Run
    precision: str = "f32"


def load_trained(
    folder: str | os.PathLike[str], *, precision: str = "auto", threads: int | None = None
) -> Trained:
    """The model in a folder that `leuko export` wrote; its files are checked against its card.

    `precision`: 'auto', 'f32' or 'bf16'; `threads`: at most so many processors. Nothing in the
    folder is executed, and torch is not needed. ReadError (exit 3) where a file is missing or not
    the card's, or where the model is from a newer leuko; UsageError for an impossible precision.
    """
    from leuko.inference.openvino_engine import load_graph

    place = Path(folder)
    card = read_card(place)
    for name in (GRAPH, GRAPH.replace(".xml", ".bin")):
        _check(place, name, card)
    graph = load_graph(place / GRAPH, precision=precision, threads=threads)
    network = card.network
    spatial = card.task == "segmentation"

    def run(batch: FloatArray) -> FloatArray:
        return fitted(graph, batch, stride=network.stride, least=network.least, spatial=spatial)

    return Trained(card, run, graph.precision)


def read_card(folder: Path) -> TrainedCard:
    """The card in a folder; ReadError where there is none, or none that this leuko understands."""
    try:
        content = (folder / CARD).read_bytes()
    except OSError as error:
        raise ReadError(
            f"{folder.name} is no trained model: it holds no {CARD} ({error.strerror}).",
            hint=_instead(folder),
        ) from error
    try:
        written = msgspec.json.decode(content, type=dict[str, Any]).get("format", 0)
        if isinstance(written, int) and written > FORMAT:
            raise ReadError(
                f"{folder.name} was written by a newer leuko (format {written}; this one reads "
                f"{FORMAT}).",
                hint="Update leuko: pip install --upgrade leuko.",
            )
        return msgspec.json.decode(content, type=TrainedCard)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReadError(f"{CARD} is no card of a model: {error}.", hint=AGAIN) from error


def card_to_json(card: TrainedCard) -> bytes:
    """The card as the file that lies beside the network."""
    return msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n"


def fitted(
    run: Run, batch: FloatArray, *, stride: int, least: int, spatial: bool = True
) -> FloatArray:
    """What `run` gives for a batch (n, C, *size) of any size, where it takes multiples of `stride`.

    Each axis is continued at its end by repeating the edge, as the network does in training, and
    the answer is cut to `size` where it is `spatial`.
    """
    size = batch.shape[2:]
    more = [max(least, -(-n // stride) * stride) - n for n in size]
    if not any(more):
        return run(batch)
    wider = np.pad(batch, [(0, 0), (0, 0), *((0, n) for n in more)], mode="edge")
    found = run(wider)
    return found[(slice(None), slice(None), *(slice(n) for n in size))] if spatial else found


def _check(folder: Path, name: str, card: TrainedCard) -> None:
    """ReadError unless the file is there with the bytes that the card promises."""
    expected = card.files.get(name)
    if expected is None:
        raise ReadError(f"{CARD} of {folder.name} does not list {name}.", hint=AGAIN)
    try:
        found = sha256((folder / name).read_bytes()).hexdigest()
    except OSError as error:
        raise ReadError(
            f"The model {card.name} is incomplete: {name} cannot be read ({error.strerror}).",
            hint="Copy the whole folder that leuko export wrote.",
        ) from error
    if found != expected:
        raise ReadError(
            f"{name} has SHA-256 {found[:12]}..., {CARD} says {expected[:12]}...: it was changed.",
            hint=AGAIN,
        )


def _instead(folder: Path) -> str:
    """What to do where a folder is no model."""
    held: Sequence[tuple[str, str]] = (
        ("recipe.json", f"It is a training run; first: leuko export {folder.name} -o MODEL."),
        ("card.json", "It holds weights for WMH: leuko segment --model."),
    )
    for name, hint in held:
        if (folder / name).exists():
            return hint
    return "Give the folder that leuko export wrote."
