"""What is read from the numbers: sizes, distances, rules side by side, scales, norms."""

from __future__ import annotations

from leuko.quantify.lesions import LesionTable
from leuko.report.evaluation_values import Chart, Section
from leuko.report.histograms import size_histogram
from leuko.report.wording import Wording

__all__ = ["readings"]


def readings(table: LesionTable, *, words: Wording) -> tuple[Section, ...]:
    """A section for everything that was measured; what was not is left out."""
    charts = []
    if table:
        drawing = size_histogram([lesion.volume_mm3 for lesion in table], words=words)
        charts.append(
            Chart(words("histogram.sizes.title"), drawing, words("histogram.sizes.explained"))
        )
    if not charts:
        return ()
    return (Section("histograms", words("section.histograms"), charts=tuple(charts)),)
