"""`leuko segment`: FLAIR in; mask, numbers and report out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from leuko.cli.options import image_argument, job_options, mask_options, out_options

__all__ = ["segment"]

EXAMPLES = """\b
Examples:
  leuko segment flair.nii.gz -o result
  leuko segment flair.nii.gz -o result --definition ms --probability
  leuko segment flair.nii.gz -o result --no-report --json > numbers.json
  leuko segment scan1.nii.gz scan2.nii.gz -o results
  leuko segment folder_of_scans -o results

\b
OUT holds wmh.nii.gz, lesions.nii.gz, anatomy.nii.gz, lesions.tsv, stats.json,
report.html, report.pdf and preview.png. Several scans, or a folder, get a folder
each and a table, OUT/cohort.tsv; called again, finished scans are kept.

\b
Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 not fit for this task;
5 refused for safety; 6 cannot write; 7 out of memory or disk; 8 interrupted.
Of several scans the highest code counts; the others are finished all the same.
"""


@click.command(epilog=EXAMPLES)
@image_argument("inputs", nargs=-1, required=True, metavar="FLAIR...")
@out_options
@mask_options
@job_options
@click.pass_context
def segment(
    context: click.Context,
    /,
    inputs: tuple[str, ...],
    out: str,
    force: bool,
    as_json: bool,
    quiet: bool,
    weights: Path | None,
    **parameters: Any,
) -> None:
    """Find white matter hyperintensities in FLAIR scans.

    FLAIR is a NIfTI file (.nii, .nii.gz), several of them, or a folder of them. Everything stays on
    this machine.
    """
    from leuko.pipelines.config import SegmentConfig

    paths = [Path(given) for given in inputs]
    job: dict[str, Any] = {
        "out": Path(out),
        "config": SegmentConfig(**parameters),
        "weights": weights,
        "force": force,
    }
    if len(paths) == 1 and not paths[0].is_dir():
        _one(paths[0], job, as_json=as_json, quiet=quiet)
    else:
        context.exit(_many(paths, job, as_json=as_json, quiet=quiet))


def _one(path: Path, job: dict[str, Any], *, as_json: bool, quiet: bool) -> None:
    from leuko.cli.console import print_result, steps_on_screen
    from leuko.pipelines.segment import segment_file

    with steps_on_screen(quiet=quiet or as_json) as watch:
        numbers = segment_file(path, watch=watch, **job)
    print_result(numbers, out=job["out"], as_json=as_json, quiet=quiet)


def _many(paths: list[Path], job: dict[str, Any], *, as_json: bool, quiet: bool) -> int:
    from leuko.cli.console import cases_on_screen, print_outcomes
    from leuko.pipelines.cohort import cohort_exit_code, find_cases, left_out
    from leuko.pipelines.segment import segment_cohort

    cases = find_cases(paths)
    if not (as_json or quiet) and (others := left_out(paths, cases)):
        click.echo(
            f"Scans: {len(cases)}. Other images in these folders, left out: {others} (where files "
            "are named FLAIR only these count; name a file itself to include it).",
            err=True,
        )
    with cases_on_screen(len(cases), quiet=quiet or as_json) as watch:
        outcomes = segment_cohort(cases, watch=watch, **job)
    print_outcomes(outcomes, out=job["out"], as_json=as_json, quiet=quiet)
    return cohort_exit_code(outcomes)
