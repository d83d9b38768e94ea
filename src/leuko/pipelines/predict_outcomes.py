"""What became of the images of a prediction: the tables and the record of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from leuko.findings import Finding
from leuko.inference.trained import Trained
from leuko.pipelines.json_texts import indented
from leuko.pipelines.our_files import PROGRAM
from leuko.pipelines.provenance import program_version
from leuko.pipelines.tab_texts import tab_separated

__all__ = ["PredictedItem", "outcomes_as_json", "record_of", "scores_table", "volumes_table"]


@dataclass(frozen=True, slots=True)
class PredictedItem:
    """What became of an image: its mask and numbers, or the reason why there are none.

    `volumes` in mm3 (of pictures: pixels, `sized` is False); `scores` of a classifier. Of a run's
    own examples `subject` says whose it is, `truth` its true class; in a cross-validation `fold`
    names the fold whose model predicted it.
    """

    name: str
    subject: str = ""
    fold: str = ""
    truth: str = ""
    file: str = ""
    input_name: str = ""
    input_sha256: str | None = None
    volumes: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    sized: bool = True
    seconds: float = 0.0
    slices: int = 0
    findings: tuple[Finding, ...] = ()
    error: str = ""
    hint: str = ""
    exit_code: int = 0

    @property
    def choice(self) -> str:
        """A classifier's most likely class."""
        return max(self.scores, key=lambda name: self.scores[name], default="")


def outcomes_as_json(models: Sequence[Trained], done: Sequence[PredictedItem]) -> str:
    """The outcomes as JSON, as in predict.json but for the time."""
    return indented(record_of(models, done)).decode()


def volumes_table(done: Sequence[PredictedItem]) -> bytes:
    """A row a label of each image."""
    about = ["fold"] if any(item.fold for item in done) else []
    rows: list[Sequence[object]] = [("name", *about, "class", "mm3", "ml", "pixels")]
    for item in done:
        for name, volume in item.volumes.items():
            head = (item.name, item.fold, name) if about else (item.name, name)
            if item.sized:
                rows.append((*head, f"{volume:.3f}", f"{volume / 1000:.6f}", ""))
            else:
                rows.append((*head, "", "", f"{volume:.0f}"))
    return tab_separated(rows)


def scores_table(done: Sequence[PredictedItem]) -> bytes:
    """A row an image: what is known of it, its most likely class, the probability of each."""
    good = [item for item in done if not item.error]
    classes = list(good[0].scores) if good else []
    about = [
        column
        for column, known in (
            ("subject", any(item.truth and item.subject for item in good)),
            ("fold", any(item.fold for item in good)),
            ("truth", any(item.truth for item in good)),
        )
        if known
    ]
    rows: list[Sequence[object]] = [("name", *about, "class", *classes)]
    rows += [
        (
            item.name,
            *(getattr(item, column) for column in about),
            item.choice,
            *(f"{item.scores[name]:.6f}" for name in classes),
        )
        for item in good
    ]
    return tab_separated(rows)


def record_of(models: Sequence[Trained], done: Sequence[PredictedItem]) -> dict[str, object]:
    """What predict.json says of all, but for the time."""
    card = models[0].card
    return {
        "provenance": {
            "program": PROGRAM,
            "version": program_version(),
            "models": [
                {
                    "name": model.card.name,
                    "sha256": model.card.sha256,
                    "precision": model.precision,
                }
                for model in models
            ],
        },
        "task": card.task,
        "classes": list(card.classes),
        "values": list(card.values or range(len(card.classes))),
        "items": [msgspec.to_builtins(item) for item in done],
    }
