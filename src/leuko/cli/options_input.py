"""Options that say which images a command reads: a series of a study, a T1 beside the scan."""

from __future__ import annotations

import click

from leuko.cli.options import FILE, together

__all__ = ["any_series_option", "series_option", "t1_options", "t1_series_option"]

series_option = click.option(
    "--series",
    default="",
    metavar="KEY",
    help="The FLAIR among the series of a DICOM study: its key (leuko dicom list), its number, "
    "or a part of its description.  [default: it is found]",
)

t1_options = together(
    click.option(
        "--t1",
        type=FILE,
        metavar="T1",
        help="The T1 of the same head, in any grid: the network looks at it, too, and the mask is "
        "written in its space as well.",
    ),
    click.option(
        "--t1-space/--no-t1-space",
        default=None,
        help="Write the mask on the T1's grid, wmh_in_t1.nii.gz.  [default: where --t1 is given]",
    ),
)

t1_series_option = click.option(
    "--t1-series",
    default="",
    metavar="KEY",
    help="The T1 among them.  [default: it is found]",
)

any_series_option = click.option(
    "--series",
    default="",
    metavar="KEY",
    help="The series of a DICOM study: its key (leuko dicom list), its number, or a part of its "
    "description.",
)
