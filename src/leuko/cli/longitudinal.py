"""`leuko longitudinal`: what changed between visits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leuko.cli.options import FILE, image_argument, out_options
from leuko.cli.options_input import series_option
from leuko.cli.options_pages import language_option, scanner_options
from leuko.cli.options_run import job_options

if TYPE_CHECKING:
    from leuko.pipelines.longitudinal_statistics import ChangeStatistics

__all__ = ["longitudinal"]

EXAMPLES = """\b
Examples:
  leuko longitudinal 2021_flair.nii.gz 2023_flair.nii.gz -o change
  leuko longitudinal v1.nii.gz v2.nii.gz v3.nii.gz -o change --definition ms
  leuko longitudinal a.nii.gz b.nii.gz -o change --dates 2021-03-01,2023-04-15
  leuko longitudinal study_2021 study_2023.zip -o change

OUT holds change.nii.gz on the last visit's grid (1 stable, 2 new, 3 enlarging,
4 shrinking, 5 disappeared), lesions.tsv (a row for each lesion over both
visits), stats.json, report.html, report.pdf, preview.png, the transforms, and
each visit's own results in baseline/, followup/ and between/.

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 a visit is not fit for this
task; 5 refused: two heads, two patients; 6 cannot write; 7 out of memory or
disk; 8 interrupted.
"""


@click.command(epilog=EXAMPLES)
@image_argument("visits", nargs=-1, required=True, metavar="BASELINE FOLLOWUP...")
@out_options
@click.option(
    "--dates",
    default="",
    metavar="DAY,DAY...",
    help="Days of the visits, YYYY-MM-DD, for change a year.  [default: DICOM's study dates]",
)
@click.option(
    "--definition",
    type=click.Choice(["vascular", "ms"]),
    default="vascular",
    show_default=True,
    help="What counts: lesions with periventricular caps and rims, or lesions alone.",
)
@series_option
@click.option(
    "--t1",
    type=FILE,
    multiple=True,
    metavar="T1",
    help="The T1 of a visit, for a network that looks at it; once for each visit, in order.",
)
@job_options
@language_option
@scanner_options
def longitudinal(
    visits: tuple[str, ...],
    out: str,
    force: bool,
    as_json: bool,
    quiet: bool,
    dates: str,
    series: str,
    t1: tuple[Path, ...],
    weights: str | None,
    **parameters: Any,
) -> None:
    """What changed between FLAIRs of one person, from the first visit to the last.

    Each visit is segmented, two at a time are laid over each other half-way, and every lesion is
    called new, enlarging, stable, shrinking or disappeared where the change is beyond what repeated
    scans differ by. A visit is an image file, or DICOM of one study (a folder, a zip).
    """
    from leuko.cli.console import print_findings, steps_on_screen
    from leuko.pipelines.config import SegmentConfig
    from leuko.pipelines.longitudinal_files import longitudinal_files
    from leuko.pipelines.longitudinal_statistics import encode_change

    if len(visits) < 2:
        raise click.UsageError("give two visits or more: BASELINE FOLLOWUP...")
    with steps_on_screen(quiet=quiet or as_json) as watch:
        numbers = longitudinal_files(
            [Path(visit) for visit in visits],
            out=Path(out),
            config=SegmentConfig(**parameters),
            days=[_day(text) for text in dates.split(",")] if dates else (),
            series=series,
            t1=t1,
            weights=weights,
            force=force,
            watch=watch,
        )
    if as_json:
        click.echo(encode_change(numbers), nl=False)
    elif not quiet:
        for line in _said(numbers):
            click.echo(line)
        print_findings(numbers.findings)
        report = Path(out) / "report.html"
        click.echo(f"Report: {report}" if report.exists() else f"Results: {out}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise click.UsageError(f"{text!r} is no day: write --dates 2021-03-01,...") from error


def _said(numbers: ChangeStatistics) -> Iterator[str]:
    """What changed, in a few lines."""
    n, counts = numbers, numbers.counts
    yield "Lesions        " + ", ".join(
        f"{getattr(counts, name)} {name}" for name in counts.__struct_fields__
    )
    yield (
        f"Lesion change  {n.lesion_change_ml:+.2f} ml: growth {n.growth_ml:.2f} less regression "
        f"{n.regression_ml:.2f}; {_verdict(n.change_is_significant, n.smallest_lesion_change_ml)}"
    )
    yield (
        f"Net change     {n.net_change_ml:+.2f} ml: masks of {n.baseline_ml:.2f} and "
        f"{n.followup_ml:.2f} ml; {_verdict(n.net_change_is_significant, n.smallest_net_change_ml)}"
    )
    if n.lesion_change_ml_per_year is not None and n.net_change_ml_per_year is not None:
        yield (
            f"A year         {n.lesion_change_ml_per_year:+.2f} ml lesion change, "
            f"{n.net_change_ml_per_year:+.2f} ml net change, over {n.years:.1f} years"
        )


def _verdict(significant: bool, limit_ml: float) -> str:
    side = "beyond" if significant else "within"
    return f"{side} what repeated scans differ by ({limit_ml:.2f} ml)"
