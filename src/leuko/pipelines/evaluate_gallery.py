"""The worst cases in pictures: where prediction and reference differ, on the scan if given."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from leuko.errors import LeukoError
from leuko.evaluation.pair import pair_images
from leuko.evaluation.registry import METRICS
from leuko.formats.read import read
from leuko.image.grid import require_same_grid
from leuko.image.image import Image
from leuko.pipelines.evaluate_masks import as_mask, read_pair
from leuko.pipelines.evaluate_results import CaseScores, Evaluation
from leuko.pipelines.pairing import PathPair, partners
from leuko.report.evaluation_pictures import Codes, codes_of, compared_picture
from leuko.report.metric_words import BRIEF, unit
from leuko.report.sections import Figure

__all__ = [
    "SHOWN",
    "error_codes",
    "gallery",
    "scan_of",
    "scores_text",
    "shown_image",
    "worst_first",
]

SHOWN = ("dice", "h95", "hd95_surface", "avd", "lesion_recall", "lesion_f1", "assd")


def gallery(
    evaluation: Evaluation, *, images: Path | None, worst: int
) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
    """Pictures of the `worst` cases, the worst first, and what could not be shown as wished."""
    chosen = worst_first(evaluation.cases)[:worst]
    names = {case.case: shown_image([case]) for case in chosen}
    scans = partners(names.values(), images=images) if images else {}
    figures, troubles = [], []
    for case in chosen:
        name = names[case.case]
        pair = evaluation.files[name]
        codes, grid_image = error_codes(
            pair, labels=bool(evaluation.labels), only=tuple(evaluation.labels)
        )
        scan, trouble = scan_of(name, scans=scans, on=grid_image)
        if images is not None and trouble:
            troubles.append(trouble)
        picture = compared_picture(
            grid_image if scan is None else scan, [codes], bare=scan is None, name=name
        )
        said = scores_text(case)
        if case.pieces:
            said += f"; shown: {name}, of {len(case.pieces)} images that with most in error"
        figures.append(Figure(case.case, said, picture))
    return tuple(figures), tuple(troubles)


def shown_image(cases: Sequence[CaseScores]) -> str:
    """The image that shows a case (of one method or several): that with most voxels in error."""
    images = cases[0].pieces
    if not images:
        return cases[0].case
    return max(images, key=lambda name: sum(case.pieces[name] for case in cases))


def worst_first(cases: Iterable[CaseScores]) -> list[CaseScores]:
    """By Dice, or else by the first metric that has a direction; cases without a value last."""
    listed = list(cases)
    known = listed[0].values if listed else {}
    names = [name for name in ("dice", *known) if name in known]
    by = next((name for name in names if METRICS[name].better in ("higher", "lower")), None)
    if by is None:
        return listed
    sign = 1 if METRICS[by].better == "higher" else -1

    def badness(case: CaseScores) -> tuple[bool, float, str]:
        value = case.values[by]
        return math.isnan(value), 0.0 if math.isnan(value) else sign * value, case.case

    return sorted(listed, key=badness)


def error_codes(pair: PathPair, *, labels: bool, only: Collection[int] = ()) -> tuple[Codes, Image]:
    """Agreement and errors voxel by voxel (see `evaluation_pictures.codes_of`), and their grid."""
    reference, prediction = read_pair(pair.reference, pair.prediction, labels=labels, only=only)
    if labels:
        truth, found_labels = (np.asarray(i.data, np.int32) for i in (reference, prediction))
        return codes_of(truth, found_labels), reference
    found = pair_images(as_mask(reference), as_mask(prediction))
    codes = np.zeros(reference.grid.shape, np.uint8)
    box = tuple(
        slice(first, first + length)
        for first, length in zip(found.origin, found.reference.shape, strict=True)
    )
    codes[box] = codes_of(found.reference.view(np.uint8), found.prediction.view(np.uint8))
    return codes, reference


def scan_of(case: str, *, scans: Mapping[str, Path], on: Image) -> tuple[Image | None, str]:
    """The scan of a case if it lies on the grid of `on`; else None, and why."""
    if case not in scans:
        return None, f"{case}: no image of this name, so the masks are shown alone."
    try:
        scan = read(scans[case]).volume(0)
        require_same_grid(on.grid, scan.grid, what="the reference", other_what="the image")
    except LeukoError as error:
        return None, f"{case}: the image is not shown. {error.what}"
    return scan, ""


def scores_text(case: CaseScores) -> str:
    """The scores that are written above a picture."""
    parts = []
    for name in SHOWN:
        if name in case.values and not (name == "hd95_surface" and "h95" in case.values):
            value = case.values[name]
            known = "n/a" if math.isnan(value) else f"{value:.3g}"
            parts.append(f"{BRIEF[name]} {known} {unit(name, sized=case.sized)}".strip())
    return ", ".join(parts[:6])
