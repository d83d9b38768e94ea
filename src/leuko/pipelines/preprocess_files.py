"""Preprocessing of files: an image, a study, or every image of a folder, each into its folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct

from leuko.datasets.files import Example, examples_in
from leuko.errors import LeukoError, ReadError
from leuko.findings import Finding
from leuko.formats.read import read
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.outputs import out_folder, write_whole, writing
from leuko.pipelines.preprocess import (
    Preprocessed,
    landmarks_before,
    learns_scale,
    preprocess_image,
)
from leuko.pipelines.preprocess_state import Session
from leuko.pipelines.provenance import Provenance, name_of, now, program_version, sha_of
from leuko.preparation.histogram import learn_scale
from leuko.preparation.steps import Step, check_steps
from leuko.progress import Watcher, silent

__all__ = ["IMAGE", "RECORD", "SCALE", "Outcome", "preprocess_files"]

RECORD, SCALE, TABLE = "preprocess.json", "standard_scale.json", "preprocess.tsv"
IMAGE, BRAIN, MASK, FIELD = (
    "preprocessed.nii.gz",
    "brain.nii.gz",
    "mask.nii.gz",
    "bias_field.nii.gz",
)


class GridRecord(Struct, frozen=True):
    """A grid in the record."""

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    orientation: str | None
    affine: list[list[float]]
    volumes: int


class StepRecord(Struct, frozen=True):
    """A step in the record: what was asked, and what came of it."""

    step: str
    seconds: float
    parameters: dict[str, object]
    effects: dict[str, object]


class Record(Struct, frozen=True):
    """preprocess.json: enough to do it again, and to undo a linear normalisation."""

    provenance: Provenance
    input: GridRecord
    output: GridRecord
    steps: list[StepRecord]
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case: its record, or the error that stopped it."""

    case: Example
    record: Record | None = None
    error: LeukoError | None = None


def preprocess_files(
    source: Path,
    *,
    out: Path,
    steps: Sequence[Step],
    mask: Path | None = None,
    series: str = "",
    force: bool = False,
    watch: Watcher = silent,
    each: Callable[[Outcome], None] = lambda outcome: None,  # noqa: ARG005
) -> tuple[Outcome, ...]:
    """Preprocess a file or study into the folder `out`, or a folder of images into folders in it.

    Each folder holds preprocessed.nii.gz and preprocess.json, and brain.nii.gz, bias_field.nii.gz
    and mask.nii.gz where there are such. It is there whole or not at all. Of many images one that
    fails does not stop the rest: its outcome holds the error, and `out`/preprocess.tsv the reason.
    Histogram matching without a reference learns the scale from all images first
    (standard_scale.json). Raises what a single image raises.
    """
    checked = check_steps(tuple(steps))
    session = Session()
    if not source.exists():
        raise ReadError(
            f"There is no file or folder {source.name}.", hint="Check the path and its spelling."
        )
    cases = examples_in(source, masks=mask, without=[out]) if source.is_dir() else ()
    if not cases:
        single = Example(source.name, source, mask)
        record = _one(single, out, checked, session, series=series, force=force, watch=watch)
        return (Outcome(single, record),)
    if learns_scale(checked):
        with writing(out.name):
            out.mkdir(parents=True, exist_ok=True)
        session.learnt = learn_scale(
            [landmarks_before(read(case.image), checked, session=session) for case in cases]
        )
        write_whole(out / SCALE, msgspec.json.format(msgspec.json.encode(session.learnt)) + b"\n")
    outcomes = []
    for case in cases:
        try:
            record = _one(case, out / case.name, checked, session, force=force, watch=watch)
            outcome = Outcome(case, record)
        except LeukoError as error:
            outcome = Outcome(case, error=error)
        outcomes.append(outcome)
        each(outcome)
    with writing(out.name):
        out.mkdir(parents=True, exist_ok=True)
    write_whole(out / TABLE, _table(outcomes))
    return tuple(outcomes)


def _one(
    case: Example,
    out: Path,
    steps: tuple[Step, ...],
    session: Session,
    *,
    series: str = "",
    force: bool,
    watch: Watcher,
) -> Record:
    began = now()
    inputs = (case.image,) if case.mask is None else (case.image, case.mask)
    with out_folder(out, force=force, inputs=inputs, marker=RECORD) as folder:
        image = read(case.image, series=series)
        mask = None if case.mask is None else read(case.mask)
        done = preprocess_image(image, steps, mask=mask, session=session, watch=watch)
        record = _record(image, mask, done, steps, session, began)
        with writing(out.name):
            write(done.image, folder / IMAGE)
            for content, name in ((done.brain, BRAIN), (done.mask, MASK)):
                if content is not None:
                    write(content, folder / name, labels=content.data.dtype.kind != "f")
            if done.bias_field is not None:
                write(done.bias_field, folder / FIELD)
            encoded = msgspec.json.format(msgspec.json.encode(record), indent=1)
            (folder / RECORD).write_bytes(encoded + b"\n")
    return record


def _record(
    image: Image,
    mask: Image | None,
    done: Preprocessed,
    steps: tuple[Step, ...],
    session: Session,
    began: str,
) -> Record:
    card = session.model.card if session.model is not None and done.brain is not None else None
    return Record(
        provenance=Provenance(
            version=program_version(),
            weights_name=card.name if card else None,
            weights_version=card.version if card else None,
            weights_sha256=card.sha256 if card else None,
            engine=session.network().engine.name if card else None,
            precision=session.network().engine.precision if card else None,
            input_name=name_of(image.source),
            input_sha256=sha_of(image.source),
            mask_name=name_of(mask.source) if mask else None,
            mask_sha256=sha_of(mask.source) if mask else None,
            time=began,
            parameters={},
        ),
        input=_grid_record(image.grid, image.volumes),
        output=_grid_record(done.image.grid, done.image.volumes),
        steps=[
            StepRecord(
                finished.name, round(finished.seconds, 3), _parameters(step), dict(finished.details)
            )
            for step, finished in zip(steps, done.steps, strict=True)
        ],
        findings=list(done.findings),
    )


def _parameters(step: Step) -> dict[str, object]:
    found = {name: getattr(step, name) for name in step.__struct_fields__}
    if isinstance(found.get("reference"), str):  # names of files, never folders
        found["reference"] = Path(found["reference"]).name
    return found


def _grid_record(grid: Grid, volumes: int) -> GridRecord:
    return GridRecord(
        shape=grid.shape,
        spacing_mm=grid.spacing,
        orientation=grid.orientation.code if grid.oriented else None,
        affine=grid.affine.tolist(),
        volumes=volumes,
    )


def _table(outcomes: Sequence[Outcome]) -> bytes:
    rows = ["case\tstatus\treason"]
    for outcome in outcomes:
        status = "done" if outcome.error is None else "failed"
        reason = "" if outcome.error is None else " ".join(outcome.error.what.split())
        rows.append(f"{outcome.case.name}\t{status}\t{reason}")
    return ("\n".join(rows) + "\n").encode()
