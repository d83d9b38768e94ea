"""`leuko register`: one scan into the space of another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leuko.cli.options import debug_option, force_into_option, image_argument, quiet_option

if TYPE_CHECKING:
    from leuko.pipelines.register import Registration

__all__ = ["register"]

METHODS = ("translation", "rigid", "affine", "bspline", "demons", "sift", "orb")
EXAMPLES = """\b
Examples:
  leuko register flair.nii.gz t1.nii.gz -o registered
  leuko register visit1.nii.gz visit2.nii.gz -o registered --mask mask2.nii.gz
  leuko register template.nii.gz scan.nii.gz -o registered --method bspline
  leuko register flair.nii.gz map.nii.gz -o moved --transform transform.json
  leuko register t1.nii.gz flair.nii.gz -o back --inverse --transform t.json
  leuko register slice1.png slice2.png -o registered --method sift

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 not usable, or the registration failed (its
files are written all the same); 5 grids differ; 6 cannot write; 9 an optional part is missing.
"""
FILE = click.Path(readable=False, path_type=Path)


@click.command(epilog=EXAMPLES)
@image_argument("fixed")
@image_argument("moving")
@click.option(
    "-o",
    "--out",
    type=click.Path(readable=False, path_type=str),
    required=True,
    metavar="OUT",
    help="The folder for the results.",
)
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="rigid",
    show_default=True,
    help="What MOVING may do: shift, turn, stretch, bend. sift and orb are for 2D pictures.",
)
@click.option(
    "--metric",
    type=click.Choice(["nmi", "mi", "ncc", "mse"]),
    default="nmi",
    show_default=True,
    help="nmi, mi: any two contrasts; ncc: the same contrast; mse: the same brightness, too.",
)
@click.option(
    "--optimiser",
    type=click.Choice(["lbfgs", "gradient", "powell"]),
    default="lbfgs",
    show_default=True,
    help="How the metric is made least.",
)
@click.option(
    "--interpolation",
    type=click.Choice(["linear", "nearest", "cubic"]),
    default="linear",
    show_default=True,
    help="How values between voxels are found for moved.nii.gz.",
)
@click.option(
    "--features",
    type=click.Choice(["similarity", "affine", "homography"]),
    default="similarity",
    show_default=True,
    help="The map that sift and orb look for.",
)
@click.option(
    "--mask", type=FILE, metavar="MASK", help="A mask of MOVING to bring along: nearest label."
)
@click.option("--fixed-mask", type=FILE, metavar="MASK", help="Look only here in FIXED.")
@click.option("--moving-mask", type=FILE, metavar="MASK", help="Look only here in MOVING.")
@click.option(
    "--start", type=FILE, metavar="FILE", help="Begin from this linear transform: no search."
)
@click.option(
    "--transform", type=FILE, metavar="FILE", help="Register nothing: apply this transform."
)
@click.option("--inverse", is_flag=True, help="Apply the inverse of --transform.")
@click.option(
    "--fixed-series",
    default="",
    metavar="KEY",
    help="The series of a DICOM study FIXED, as --series of other commands takes it.",
)
@click.option(
    "--moving-series", default="", metavar="KEY", help="The series of a DICOM study MOVING."
)
@click.option("--lenient", is_flag=True, help="A failed registration ends with exit code 0, too.")
@force_into_option
@click.option("--json", "as_json", is_flag=True, help="Print register.json, and nothing else.")
@quiet_option
@debug_option
def register(
    fixed: str,
    moving: str,
    out: str,
    method: str,
    metric: str,
    optimiser: str,
    interpolation: str,
    features: str,
    mask: Path | None,
    fixed_mask: Path | None,
    moving_mask: Path | None,
    start: Path | None,
    transform: Path | None,
    inverse: bool,
    fixed_series: str,
    moving_series: str,
    lenient: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Bring the scan MOVING onto the voxels of the scan FIXED.

    Writes moved.nii.gz, transform.json (and .tfm or .h5 for other programs), checkerboard.png
    (before, after, edges), curve.svg and register.json into OUT, and checks whether it went well.
    """
    from leuko.cli.console import print_findings, steps_on_screen
    from leuko.findings import Policy, gate
    from leuko.pipelines.register_files import register_files
    from leuko.pipelines.register_record import REGISTER_JSON
    from leuko.registration.register import Settings

    settings = Settings(method, metric, optimiser, features)  # type: ignore[arg-type]
    with steps_on_screen(quiet=quiet or as_json) as watch:
        done = register_files(
            fixed,
            moving,
            out=out,
            settings=settings,
            interpolation=interpolation,  # type: ignore[arg-type]
            mask=mask,
            fixed_mask=fixed_mask,
            moving_mask=moving_mask,
            start=start,
            transform=transform,
            inverse=inverse,
            series=(fixed_series, moving_series),
            policy=Policy.LENIENT if lenient else Policy.DEFAULT,
            force=force,
            watch=watch,
        )
    if as_json:
        click.echo((Path(out) / REGISTER_JSON).read_text(encoding="utf-8"), nl=False)
    elif not quiet:
        for line in _said(done):
            click.echo(line)
        print_findings(f for f in done.findings if f.code != "registration.failed" or lenient)
        click.echo(f"Results: {out}")
    failed = [f for f in done.findings if f.code == "registration.failed"]
    gate(failed, policy=Policy.LENIENT if lenient else Policy.DEFAULT)


def _said(done: Registration) -> list[str]:
    """How it went, in a few lines."""
    from leuko.registration.transforms import Affine

    lines = []
    unit = "mm" if done.moved.grid.sized else "pixels"
    if isinstance(done.transform, Affine):
        shift = ", ".join(f"{value:.1f}" for value in _centre_shift(done))
        angle = done.transform.angle_degrees
        lines.append(f"Turned by {angle:.1f} degrees, middle shifted by {shift} {unit} (x, y, z)")
    quality = done.quality
    if quality is None:
        return lines
    if quality.agreement is not None:
        lines.append(
            f"Structures found where they should be: {quality.agreement:.0%} of "
            f"{quality.blocks} places (by chance: {quality.chance:.0%})"
        )
    if quality.inconsistency_mm is not None:
        lines.append(f"There and back again ends {quality.inconsistency_mm:.2f} {unit} away")
    lines.append(f"Of the fixed head in MOVING's field of view: {quality.overlap:.0%}")
    return lines


def _centre_shift(done: Registration) -> tuple[float, ...]:
    grid = done.moved.grid
    middle = grid.to_world([(n - 1) / 2 for n in grid.shape])
    moved = done.transform.apply_to_points(middle)
    return tuple(float(value) for value in moved - middle)
