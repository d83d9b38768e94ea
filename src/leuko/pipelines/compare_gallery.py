"""The pictures of a comparison: the cases on which the methods differ most."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from leuko.pipelines.compare import Comparison
from leuko.pipelines.evaluate_gallery import error_codes, scan_of, shown_image
from leuko.pipelines.evaluate_tables import shown_value
from leuko.report.evaluation_pictures import compared_picture
from leuko.report.metric_words import BRIEF, title
from leuko.report.sections import Figure

__all__ = ["figures", "images_of"]

PICTURE_WIDTH = 1500


def figures(
    comparison: Comparison, *, scans: Mapping[str, Path] | None, worst: int
) -> tuple[tuple[Figure, ...], list[str]]:
    """The cases on which the first ranked metric differs most between the methods."""
    name = comparison.metrics[0]
    columns = [comparison.values(method, name) for method in comparison.methods]
    spreads = []
    for index, row in enumerate(zip(*columns, strict=True)):
        known = [value for value in row if not math.isnan(value)]
        spreads.append((max(known) - min(known) if known else 0.0, -index))
    chosen = [-index for _, index in sorted(spreads, reverse=True)[:worst]]
    figures, troubles = [], []
    for index in chosen:
        case = comparison.cases[index]
        figure, trouble = _figure(comparison, case, index, scans or {})
        figures.append(figure)
        if scans is not None and trouble:
            troubles.append(trouble)
    return tuple(figures), troubles


def _figure(
    comparison: Comparison, case: str, index: int, scans: Mapping[str, Path]
) -> tuple[Figure, str]:
    name, codes, on, titles, said = comparison.metrics[0], [], None, [], []
    image = images_of(comparison)[index]
    for method, item in comparison.evaluations.items():
        one, on = error_codes(item.files[image], labels=bool(item.labels), only=tuple(item.labels))
        value = shown_value(item.cases[index].values[name], name)
        codes.append(one)
        titles.append(method)
        said.append(f"{method} {value}")
    assert on is not None  # there are at least two methods
    scan, trouble = scan_of(image, scans=scans, on=on)
    picture = compared_picture(
        on if scan is None else scan,
        codes,
        titles=titles,
        bare=scan is None,
        name=case,
        width=PICTURE_WIDTH,
    )
    text = f"{BRIEF.get(name, title(name))}: {', '.join(said)}"
    if image != case:
        text += f"; shown: {image}, the image with most in error"
    return Figure(case, text, picture, wide=True), trouble


def images_of(comparison: Comparison) -> list[str]:
    """The image that shows each case."""
    found = comparison.evaluations.values()
    return [
        shown_image([item.cases[index] for item in found]) for index in range(len(comparison.cases))
    ]
