"""WMH weights adapted to somebody's own FLAIRs with masks: the recipe, the training, the folder.

Lesions are learned from the masks. Of every other voxel a mask only says that it is no lesion;
there the anatomy is kept that the weights gave before. How far it moves all the same must be
measured.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from leuko.compute import thread_count
from leuko.errors import MissingExtra, ReadError, UsageError, WriteError
from leuko.formats.read import read_mask, read_scan
from leuko.image.grid import require_same_grid
from leuko.models.card import Card, Definition
from leuko.models.store import CARD, checkpoint_path, load_card
from leuko.training.recipe import (
    Case,
    Data,
    Loss,
    Network,
    Optimisation,
    Recipe,
    Validation,
    to_plain,
)

__all__ = [
    "MODEL",
    "Start",
    "finetune",
    "finetune_recipe",
    "require_training",
    "require_usable",
    "start_of",
]

MODEL = "model"  # folder of the new weights in the run's
RATE = 2e-4  # a third of that of the packaged weights' second stage
STEPS, MINUTES = 1500, 20.0
ENDLESS = 1_000_000  # steps, where minutes decide
T1_SHARE = 0.5  # of the slices that have a T1, for weights that see one
REAL_SHARE = 0.5  # where heads are generated beside real scans


@dataclass(frozen=True, slots=True)
class Start:
    """The weights that finetuning starts from: their folder and card."""

    folder: Path | None  # None: the packaged weights
    card: Card

    @property
    def title(self) -> str:
        """The weights by name and version."""
        return f"{self.card.name} {self.card.version}"


def start_of(place: Path | None = None) -> Start:
    """The weights in a folder with a card, or in the run of an earlier finetuning.

    None: the packaged weights. ReadError (exit 3) where there are none.
    """
    folder = place / MODEL if place is not None and (place / MODEL).is_dir() else place
    if folder is not None and not (folder / CARD).is_file():
        raise ReadError(
            f"{folder.name} holds no weights for WMH: there is no {CARD} in it.",
            hint="Give a run or a model folder of leuko finetune. Weights of a task of your own "
            "go on with a recipe: leuko finetune RECIPE --from RUN.",
        )
    return Start(folder, load_card(folder))


def require_usable(cases: Sequence[Case]) -> None:
    """Read every scan and mask, so that nothing is found out after twenty minutes.

    Raises what reading raises, GridMismatch (exit 5) where a mask lies on another grid than its
    scan, UsageError (exit 2) for masks with several labels and where no mask marks anything.
    """
    marked = 0
    for case in cases:
        scan = read_scan(case.flair)
        for file in (case.lesions, case.caps):
            if file is None:
                continue
            name = Path(file).name
            mask = read_mask(file)
            require_same_grid(scan.grid, mask.grid, what="The scan", other_what=f"its mask {name}")
            values = np.unique(mask.data[mask.data != 0])
            if len(values) > 1 or not np.isfinite(values).all():
                shown = ", ".join(f"{value:g}" for value in values[:4])
                raise UsageError(
                    f"The mask {name} holds several values beside 0: {shown}.",
                    hint="Give masks of one thing. Of a label map, write the label of lesions "
                    "alone into a mask; caps and rims apart go into another folder (--caps).",
                )
            marked += len(values)
    if not marked:
        raise UsageError("Every mask is empty.", hint="Give scans with lesions and their masks.")


def finetune_recipe(
    cases: Sequence[Case],
    *,
    name: str,
    start: Start,
    steps: int | None = None,
    minutes: float | None = None,
    lr: float = RATE,
    batch: int = 8,
    labelmaps: Sequence[str] = (),
    seed: int = 1,
) -> Recipe:
    """The recipe that adapts the weights `start` to `cases`: low rate, real scans.

    Without `steps` and `minutes` it ends after 1500 steps or 20 minutes, whichever is first.
    With `labelmaps` (paths or patterns) half of the slices are generated heads, which goes on
    teaching the anatomy. UsageError where the values are impossible.
    """
    card = start.card
    together = any(case.caps is None and case.definition == "vascular" for case in cases)
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        raise UsageError(
            f"The name '{name}' cannot be that of a folder.", hint="Use letters, digits and . _ -"
        )
    if steps is None and minutes is None:
        steps, minutes = STEPS, MINUTES
    weights = str(checkpoint_path(card, folder=start.folder).resolve())
    content: dict[str, Any] = {
        "name": name,
        "seed": seed,
        "network": Network(name=card.architecture, **dict(card.options)),  # type: ignore[arg-type]
        "data": Data(
            labelmaps=tuple(labelmaps),
            cases=tuple(cases),
            real_share=REAL_SHARE if labelmaps else 1.0,
            pixel_mm=card.pixel_mm,
            buffer=400,
            warm=64,
            reuse=2,
            workers=1 if thread_count() > 1 else 0,
            t1_share=T1_SHARE if card.takes_t1 else None,
            neighbours_mm=card.neighbours_mm,
        ),
        "optimisation": Optimisation(
            steps=ENDLESS if steps is None else steps,
            minutes=minutes,
            batch=batch,
            lr=lr,
            warmup_steps=50,
            ema_decay=0.995,
        ),
        "loss": Loss(options={"apart": False} if together else {}),
        "validation": Validation(slices=0),
        "init_from": weights,
        "keep_from": weights,
    }
    try:
        return msgspec.convert(msgspec.to_builtins(content), Recipe)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"This cannot be trained: {error}.", hint="leuko finetune --help has examples."
        ) from None


def finetune(
    recipe: Recipe,
    *,
    start: Start,
    out: Path = Path("runs"),
    definition: Definition = "vascular",
    fresh: bool = False,
    tell: Callable[[str], None] = lambda line: None,  # noqa: ARG005
) -> Path:
    """Train as `finetune_recipe` says and write out/NAME/model, which `leuko segment` takes.

    A run that was stopped goes on. WriteError (exit 6) where the run is finished: its weights are
    replaced only if `fresh`; UsageError (exit 2) where the run was begun on other scans;
    MissingExtra (exit 9) where torch is missing.
    """
    require_free(recipe, out=out, fresh=fresh)
    require_training()
    from leuko.training.export import export
    from leuko.training.run import train

    folder = out / recipe.name / MODEL
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    outcome = train(recipe, out=out, fresh=fresh, tell=tell)
    aside = folder.with_name(MODEL + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    export(
        outcome.weights,
        out=aside,
        card=card_fields(recipe, start=start, definition=definition, steps=outcome.step),
    )
    aside.replace(folder)
    return folder


def require_training() -> None:
    """MissingExtra (exit 9) where torch, or what else training takes, is not installed."""
    try:
        import leuko.training.export
        import leuko.training.run  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "leuko":
            raise
        raise MissingExtra.needed("Finetuning", extra="train", modules=[error.name]) from None


def require_free(recipe: Recipe, *, out: Path, fresh: bool = False) -> None:
    """Refuse a run that is finished, or that was begun on other scans, unless it starts over."""
    run = out / recipe.name
    if fresh:
        return
    if (run / MODEL).exists():
        raise WriteError(
            f"The run {recipe.name} is finished: it holds {MODEL} already.",
            hint="Give another --name, or --fresh to start over.",
        )
    if not (run / "last.ckpt").is_file():
        return
    try:
        begun = msgspec.json.decode((run / "recipe.json").read_bytes())["data"]
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise ReadError(
            f"The run {recipe.name} cannot be continued: its recipe.json cannot be read.",
            hint="Give another --name, or --fresh to start over.",
        ) from error
    if begun != to_plain(recipe)["data"]:
        # What it has learned from must not be held out now.
        raise UsageError(
            f"The run {recipe.name} was begun on other scans or settings.",
            hint="Give what it was begun with, another --name, or --fresh to start over.",
        )


def card_fields(
    recipe: Recipe, *, start: Start, definition: Definition, steps: int
) -> dict[str, Any]:
    """The new card: that of the weights it began with, with a name and an origin of its own."""
    card = start.card
    scans = len(recipe.data.cases)
    apart = all(case.caps is not None for case in recipe.data.cases)
    masks = "masks of lesions, and of caps and rims apart" if apart else f"masks ({definition})"
    beside = ", beside generated heads" if recipe.data.labelmaps else ""
    return {
        "name": recipe.name,
        "version": "1",
        "pixel_mm": card.pixel_mm,
        "neighbours_mm": list(card.neighbours_mm),
        "operating_points": msgspec.to_builtins(card.operating_points),
        "views": msgspec.to_builtins(card.views),
        "training": (
            f"Finetuned from {start.title} (SHA-256 {card.sha256[:12]}) on {scans} "
            f"scan{'s' if scans > 1 else ''} of the user with {masks}{beside}, {steps} steps; "
            f"the operating point is that of {start.title}. {start.title}: {card.training}"
        ),
        "licence": f"{card.licence} for {start.title}; the scans of the finetuning are the user's.",
        "attribution": card.attribution,
    }
