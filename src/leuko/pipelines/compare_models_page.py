"""Models side by side as files: JSON, a table, or a page with speed, volumes and pictures."""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from leuko.formats.read import read
from leuko.image.image import Image
from leuko.pipelines.compare_files import comparison_json
from leuko.pipelines.compare_models import ModelComparison
from leuko.pipelines.compare_page import comparison_values
from leuko.pipelines.evaluate_files import number, require_score_file
from leuko.pipelines.evaluate_masks import as_labels
from leuko.pipelines.outputs import write_whole
from leuko.pipelines.provenance import now, program_version
from leuko.report.document import Measure
from leuko.report.evaluation_html import score_page
from leuko.report.evaluation_pictures import COLOURS, codes_of, compared_picture
from leuko.report.evaluation_values import ScorePage
from leuko.report.provenance import time_of
from leuko.report.sections import Cell, Column, Definition, Figure, Section, Table
from leuko.report.wording import english, evaluation_words

__all__ = ["models_json", "models_page", "models_tsv", "write_models"]


def write_models(found: ModelComparison, path: str | os.PathLike[str], *, worst: int = 4) -> None:
    """Write `.json`, `.tsv` or `.html`, by the name's ending; whole or not at all."""
    require_score_file(path)
    writers = {".json": models_json, ".tsv": models_tsv}
    suffix = Path(path).suffix.lower()
    text = writers[suffix](found) if suffix in writers else models_page(found, worst=worst)
    write_whole(Path(path), text.encode())


def models_json(found: ModelComparison) -> str:
    """Speed, volumes and likeness by model and case; with a reference the scores, too."""
    content: dict[str, object] = {
        "models": {
            run.name: {
                "frames_per_second": number(run.frames_per_second),
                "seconds": dict(run.seconds),
                "slices": dict(run.slices),
                "volume_ml": {case: number(value) for case, value in run.volumes_ml.items()},
            }
            for run in found.runs
        },
        "dice_between": [
            {
                "first": pair.first,
                "second": pair.second,
                "mean": number(_mean(list(pair.dice.values()))),
                "cases": {case: number(value) for case, value in pair.dice.items()},
            }
            for pair in found.likeness
        ],
    }
    if found.scores is not None:
        content |= json.loads(comparison_json(found.scores))
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def models_tsv(found: ModelComparison) -> str:
    """A row a case and model: slices, seconds, frames a second, volume."""
    rows = [["case", "model", "slices", "seconds", "frames_per_second", "volume_ml"]]
    for case in found.images:
        for run in found.runs:
            seconds, slices, volume = run.seconds[case], run.slices[case], run.volumes_ml[case]
            shown = "n/a" if math.isnan(volume) else f"{volume:.6g}"
            rows.append([case, run.name, str(slices), f"{seconds:.4g}", f"{slices / seconds:.4g}",
                         shown])  # fmt: skip
    return "".join("\t".join(row) + "\n" for row in rows)


def models_page(found: ModelComparison, *, worst: int = 4) -> str:
    """The page: with a reference that of `leuko compare` and the speed, else the masks alone."""
    speed = _speed(found)
    if found.scores is not None:
        page = comparison_values(found.scores, scans=_scans(found), worst=worst)
        sections = (*page.sections[:2], speed, *page.sections[2:])
        return score_page(replace(page, sections=sections, headline=_headline(found)))
    count = len(found.images)
    words = evaluation_words()
    return score_page(
        ScorePage(
            title=words("title.models"),
            subject=f"{len(found.runs)} models, {count} image{'s' if count > 1 else ''}",
            created=time_of(now()),
            version=program_version(),
            lead=_lead(found),
            more="Without a reference this says how alike the masks are, not which is right.",
            care=(),
            headline=_headline(found),
            sections=(speed, *_alike(found), _pictures(found, worst), _definitions()),
            research_use=english()("research_use"),
        )
    )


def _lead(found: ModelComparison) -> str:
    *names, last = (run.name for run in found.runs)
    where = f"on {len(found.images)} images" if len(found.images) > 1 else "on one image"
    text = f"{', '.join(names)} and {last} {where}"
    means = [_mean(list(pair.dice.values())) for pair in found.likeness]
    known = [value for value in means if not math.isnan(value)]
    if not known:
        return f"{text}."
    low, high = min(known), max(known)
    between = f"{low:.2f}" if len(known) == 1 else f"{low:.2f} to {high:.2f}"
    return f"{text}: Dice between their masks {between}."


def _scans(found: ModelComparison) -> dict[str, Path]:
    """The images by the names of the scored cases (one case may be called otherwise)."""
    scored = found.scores.cases if found.scores else ()
    if len(found.images) == 1 and len(scored) == 1:
        return {scored[0]: next(iter(found.images.values()))}
    return dict(found.images)


def _headline(found: ModelComparison) -> tuple[Measure, ...]:
    return tuple(
        Measure(run.name, run.name, f"{run.frames_per_second:.3g}", "frames/s")
        for run in found.runs[:6]
    )


def _speed(found: ModelComparison) -> Section:
    columns = (Column("Model", number=False), Column("Frames per second"), Column("Slices"),
               Column("Seconds an image"), Column("Volume (ml), mean"))  # fmt: skip
    rows = []
    for run in sorted(found.runs, key=lambda run: -run.frames_per_second):
        volume = _mean(list(run.volumes_ml.values()))
        seconds = _mean(list(run.seconds.values()))
        slices = sum(run.slices.values())
        rows.append(
            (
                Cell(run.name),
                Cell(f"{run.frames_per_second:.3g}", run.frames_per_second, strong=True),
                Cell(str(slices), slices),
                Cell(f"{seconds:.3g}", seconds),
                Cell("n/a" if math.isnan(volume) else f"{volume:.3g}", volume),
            )
        )
    table = Table(columns, tuple(rows), sortable=True)
    return Section("speed", "Speed", note=evaluation_words()("speed"), tables=(table,))


def _alike(found: ModelComparison) -> tuple[Section, ...]:
    columns = (Column("Pair", number=False), Column("Mean Dice"), Column("Lowest"),
               Column("Lowest in", number=False))  # fmt: skip
    rows = []
    for pair in found.likeness:
        known = {case: value for case, value in pair.dice.items() if not math.isnan(value)}
        lowest = min(known, key=lambda case: known[case], default="")
        mean = _mean(list(known.values()))
        rows.append((Cell(f"{pair.first} and {pair.second}"), Cell(f"{mean:.3f}", mean),
                     Cell(f"{known[lowest]:.3f}" if lowest else "n/a"), Cell(lowest)))  # fmt: skip
    note = "Dice between the masks of two models."
    return (Section("alike", "How alike the masks are", note=note,
                    tables=(Table(columns, tuple(rows)),)),)  # fmt: skip


def _pictures(found: ModelComparison, worst: int) -> Section:
    """The cases on which the models are least alike, each against the first model."""
    lowest = {
        case: min((pair.dice[case] for pair in found.likeness), default=math.nan)
        for case in found.images
    }
    chosen = sorted(lowest, key=lambda case: (math.isnan(lowest[case]), lowest[case]))[:worst]
    first = found.runs[0].name
    figures = []
    for case in chosen:
        masks = [_labels(read(run.masks[case]), labels=found.labels) for run in found.runs]
        codes = [codes_of(masks[0], mask) for mask in masks]
        volumes = (
            f"{run.name} {run.volumes_ml[case]:.3g} ml"
            for run in found.runs
            if not math.isnan(run.volumes_ml[case])
        )
        picture = compared_picture(
            read(found.images[case]).volume(0),
            codes,
            titles=[run.name for run in found.runs],
            bare=False,
            name=case,
            width=1500,
            chosen="the slice on which they differ most",
        )
        figures.append(Figure(case, ", ".join(volumes), picture, wide=True))
    legend: tuple[tuple[str, str], ...] = (
        (f"as {first}", COLOURS[1]),
        (f"not in {first}", COLOURS[2]),
        (f"in {first} only", COLOURS[3]),
    )
    if found.labels:
        legend = (*legend, (f"another label than in {first}", COLOURS[4]))
    return Section("worst", "Where the models differ most", figures=tuple(figures), legend=legend)


def _labels(image: Image, *, labels: bool) -> np.ndarray:
    """The mask as whole numbers; without `labels` as 0 and 1."""
    values = np.asarray(as_labels(image).data, np.int32)
    return values if labels else (values > 0).astype(np.int32)


def _definitions() -> Section:
    words = evaluation_words()
    return Section(
        "definitions",
        "What the numbers mean",
        definitions=(
            Definition("Frames per second, seconds", words("speed")),
            Definition("Dice", words("metric.dice")),
        ),
    )


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
