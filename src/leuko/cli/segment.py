"""`leuko segment`: FLAIR in; mask, numbers and report out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leuko.cli.cycles import no_collection
from leuko.cli.options import image_argument, out_options
from leuko.cli.options_input import series_option, t1_options, t1_series_option
from leuko.cli.options_mask import mask_options
from leuko.cli.options_pages import fractional_option, page_options, scanner_options
from leuko.cli.options_place import norm_options, template_options
from leuko.cli.options_run import cohort_options, job_options

if TYPE_CHECKING:
    from leuko.pipelines.cases import Case

__all__ = ["segment"]

EXAMPLES = """\b
Examples:
  leuko segment flair.nii.gz -o result
  leuko segment flair.nii.gz -o result --definition ms --probability
  leuko segment flair.nii.gz -o result --no-report --json > numbers.json
  leuko segment flair.nii.gz -o result --t1 t1.nii.gz
  leuko segment dicom_study -o result
  leuko segment export.zip -o result --series "t2 flair" --anatomy-seg
  leuko segment scan1.nii.gz scan2.nii.gz -o results
  leuko segment folder_of_scans -o results --jobs 4
  leuko segment scans.tsv -o results --scheduler tcp://node1:8786

OUT holds wmh.nii.gz, lesions.nii.gz, anatomy.nii.gz, lesions.tsv, stats.json,
report.html, report.pdf and preview.png; of a DICOM scan also wmh.seg.dcm,
report.sr.dcm and report.pdf.dcm, which belong to its study. Several scans, a
folder of them, a BIDS data set, a list (.txt, .tsv, .csv) or DICOM of several
studies get a folder each, a table (OUT/cohort.tsv) and a page of all of them
(OUT/cohort.html); called again, finished scans are kept.

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 not fit for this task;
5 refused for safety; 6 cannot write; 7 out of memory or disk; 8 interrupted.
Of several scans the highest code counts; the others are finished all the same.
"""


@click.command(epilog=EXAMPLES)
@image_argument("inputs", nargs=-1, required=True, metavar="FLAIR...")
@out_options
@series_option
@t1_series_option
@t1_options
@mask_options
@template_options
@job_options
@page_options
@norm_options
@scanner_options
@fractional_option
@cohort_options
@click.pass_context
def segment(
    context: click.Context,
    /,
    inputs: tuple[str, ...],
    out: str,
    force: bool,
    as_json: bool,
    quiet: bool,
    weights: str | None,
    series: str,
    t1_series: str,
    t1: Path | None,
    t1_space: bool | None,
    jobs: int,
    scheduler: str,
    bids: bool,
    **parameters: Any,
) -> None:
    """Find white matter hyperintensities in FLAIR scans.

    FLAIR is an image file (NIfTI, NRRD, MINC, MGH ...), or what a scanner exported: DICOM of one
    study as a folder, a zip or a file, in which the FLAIR is found. Or several of these, a folder
    of scans, a BIDS data set, or a list of scans. Everything stays on this machine (or on the
    cluster that you name).
    """
    from leuko.pipelines.cases import find_cases, is_alone, opened
    from leuko.pipelines.config import SegmentConfig

    paths = [Path(given) for given in inputs]
    in_t1 = t1 is not None if t1_space is None else t1_space
    job: dict[str, Any] = {
        "out": Path(out),
        "config": SegmentConfig(**parameters, t1_space=in_t1),
        "series": series,
        "t1_series": t1_series,
        "weights": weights,
        "force": force,
    }
    with opened(paths) as inside:
        cases = find_cases(inside)
        if bids:
            shared = {"jobs": jobs, "scheduler": scheduler}
            context.exit(_as_bids(cases, {**job, **shared}, t1=t1, quiet=quiet))
        elif is_alone(paths, cases):
            # To the end of the command: the first search after it would be for nothing as well.
            context.find_root().with_resource(no_collection())
            _one(cases[0], {**job, "t1": t1}, as_json=as_json, quiet=quiet)
        elif t1 is not None:
            raise click.UsageError("--t1 goes with one scan; here are several.")
        else:
            if not (as_json or quiet):
                _say_what_is_left_out(inside, cases)
            shared = {"jobs": jobs, "scheduler": scheduler}
            context.exit(_many(cases, job | shared, as_json=as_json, quiet=quiet))


def _one(case: Case, job: dict[str, Any], *, as_json: bool, quiet: bool) -> None:
    from leuko.cli.console import print_result, steps_on_screen
    from leuko.pipelines.segment import segment_case

    with steps_on_screen(quiet=quiet or as_json) as watch:
        numbers = segment_case(case, watch=watch, **job)
    print_result(numbers, out=job["out"], as_json=as_json, quiet=quiet)


def _many(cases: Sequence[Case], job: dict[str, Any], *, as_json: bool, quiet: bool) -> int:
    from leuko.cli.console import cases_on_screen, print_outcomes
    from leuko.pipelines.cohort import cohort_exit_code
    from leuko.pipelines.segment_cohort import segment_cohort

    job = {**job, "jobs": _processes(job["jobs"])}
    with cases_on_screen(len(cases), quiet=quiet or as_json) as watch:
        outcomes = segment_cohort(cases, watch=watch, **job)
    print_outcomes(outcomes, out=job["out"], as_json=as_json, quiet=quiet)
    return cohort_exit_code(outcomes)


def _as_bids(cases: Sequence[Case], job: dict[str, Any], *, t1: Path | None, quiet: bool) -> int:
    from dataclasses import replace

    from leuko.cli.console import cases_on_screen, print_cases
    from leuko.pipelines.bids import bids_participants, root_of
    from leuko.pipelines.cohort import cohort_exit_code

    if t1 is not None and len(cases) != 1:
        raise click.UsageError("--t1 goes with one scan; here are several.")
    given = [replace(cases[0], t1=t1.absolute())] if t1 is not None else cases
    with cases_on_screen(len(given), quiet=quiet) as watch:
        outcomes = bids_participants(
            given,
            root=root_of(given),
            out=job["out"],
            config=job["config"],
            weights=job["weights"],
            jobs=_processes(job["jobs"]),
            scheduler=job["scheduler"],
            watch=watch,
        )
    print_cases(outcomes, quiet=quiet)
    return cohort_exit_code(outcomes)


def _processes(jobs: int) -> int:
    """How many processes: 0 asks for as many as fit."""
    from leuko.pipelines.cohort_processes import processes_that_fit

    return jobs or processes_that_fit()


def _say_what_is_left_out(paths: Sequence[Path], cases: Sequence[Case]) -> None:
    from leuko.pipelines.cases import left_out

    if others := left_out(paths, cases):
        click.echo(
            f"Scans: {len(cases)}. Other images in these folders, left out: {others} (where files "
            "are named FLAIR only these count; name a file itself to include it).",
            err=True,
        )
