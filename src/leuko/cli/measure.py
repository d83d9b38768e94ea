"""`leuko measure`: all numbers and the report from a mask that is there already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from leuko.cli.options import image_argument, out_options
from leuko.cli.options_input import series_option
from leuko.cli.options_mask import regions_option
from leuko.cli.options_pages import page_options, scanner_options
from leuko.cli.options_place import norm_options, template_options
from leuko.cli.options_run import job_options

__all__ = ["measure"]

EXAMPLES = """\b
Examples:
  leuko measure flair.nii.gz result/wmh_corrected.nii.gz -o measured
  leuko measure flair.nii.gz foreign_mask.nii.gz -o measured --no-report
  leuko measure dicom_study corrected.seg.dcm -o measured

OUT holds what `leuko segment` writes; wmh.nii.gz is MASK as it was counted.

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 not fit for this task;
5 IMAGE and MASK are not on one grid; 6 cannot write; 7 out of memory or disk;
8 interrupted.
"""


@click.command(epilog=EXAMPLES)
@image_argument("image", metavar="IMAGE")
@image_argument("mask", metavar="MASK")
@out_options
@series_option
@regions_option
@template_options
@job_options
@page_options
@norm_options
@scanner_options
def measure(
    image: str,
    mask: str,
    out: str,
    force: bool,
    as_json: bool,
    quiet: bool,
    weights: str | None,
    series: str,
    **parameters: Any,
) -> None:
    """Measure the lesions of MASK on the FLAIR IMAGE: a corrected mask, or a foreign one.

    Of integers every label above 0 counts, of real numbers (a probability map) 0.5 and more. Both
    must lie on one grid. IMAGE may be DICOM (a folder, a zip, a file), MASK a DICOM segmentation.
    The anatomy is found on IMAGE, as `leuko segment` does.
    """
    from leuko.cli.console import print_result, steps_on_screen
    from leuko.pipelines.config import SegmentConfig
    from leuko.pipelines.measure import measure_file

    config = SegmentConfig(**parameters)
    with steps_on_screen(quiet=quiet or as_json) as watch:
        numbers = measure_file(
            Path(image),
            Path(mask),
            out=Path(out),
            config=config,
            series=series,
            weights=weights,
            force=force,
            watch=watch,
        )
    print_result(numbers, out=Path(out), as_json=as_json, quiet=quiet)
