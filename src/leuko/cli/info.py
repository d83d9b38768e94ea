"""`leuko info`: what an image is."""

from __future__ import annotations

import click

from leuko.cli.options import debug_option, image_argument
from leuko.cli.options_input import any_series_option

__all__ = ["info"]

EXAMPLES = """\b
Examples:
  leuko info flair.nii.gz
  leuko info STUDY --series 5
  leuko info STUDY.zip --json
  leuko info image.dcm --tags --patient

Exit codes: 0 done; 2 several images could be meant; 3 no image there, or it cannot be read.
"""


@click.command(epilog=EXAMPLES)
@image_argument("path", metavar="PATH")
@any_series_option
@click.option("--tags", is_flag=True, help="List every element (DICOM) or field (NIfTI).")
@click.option("--patient", is_flag=True, help="Show what says who the patient is, too.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON, and nothing else.")
@debug_option
def info(path: str, series: str, tags: bool, patient: bool, as_json: bool) -> None:
    """Show what PATH holds: geometry, values, header, findings.

    PATH is an image file of any format, a DICOM file or study, a folder or an archive.
    """
    from leuko.pipelines import information

    found = information.info(path, series=series, patient=patient, tags=tags)
    if as_json:
        click.echo(information.as_json(found), nl=False)
        return
    from leuko.cli.info_tables import show

    show(found)
