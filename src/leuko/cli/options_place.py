"""Options of where lesions lie: on the template and its atlases, and among people of an age."""

from __future__ import annotations

from typing import Any

import click

from leuko.cli.options import together

__all__ = ["norm_options", "template_options"]

template_options = together(
    click.option(
        "--lobes/--no-lobes",
        default=False,
        show_default=True,
        help="Lay the head on the MNI template: volume and count by lobe. --mni and --atlas do so, "
        "too.",
    ),
    click.option(
        "--mni/--no-mni",
        default=False,
        show_default=True,
        help="Write the mask in MNI space, and the transform.",
    ),
    click.option(
        "--atlas",
        "atlases",
        multiple=True,
        type=click.Path(readable=False, path_type=str),
        metavar="FILE",
        help="An atlas in MNI space: volume, count and affected share of each region. Again for "
        "more.",
    ),
    click.option(
        "--atlas-labels",
        "atlas_labels",
        multiple=True,
        type=click.Path(readable=False, path_type=str),
        metavar="FILE",
        help="The names of its regions (XML of FSL, tsv, csv, json, txt); of several atlases in "
        "the same order.",
    ),
    click.option(
        "--atlas-map/--no-atlas-map",
        "atlas_maps",
        default=False,
        show_default=True,
        help="Write each atlas on the scan's grid, too.",
    ),
)


class Age(click.ParamType):  # type: ignore[type-arg]
    """Years, or the word dicom."""

    name = "age"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | str:
        """A number from 0 to 130, or dicom."""
        if value == "dicom":
            return "dicom"
        return click.FloatRange(0, 130).convert(value, param, ctx)


norm_options = together(
    click.option(
        "--age",
        type=Age(),
        metavar="YEARS|dicom",
        help="Give the place of the volume among people of this age, as far as it is published; "
        "dicom: take age and sex from the DICOM header.",
    ),
    click.option(
        "--sex",
        type=click.Choice(["male", "female"]),
        help="For that place.  [default: the range that holds for both]",
    ),
    click.option(
        "--norms",
        type=click.Path(readable=False, path_type=str),
        metavar="TABLE",
        help="Published percentiles by age to take it from (docs/scales.md).  [default: the "
        "medians of de Kort 2025]",
    ),
)
