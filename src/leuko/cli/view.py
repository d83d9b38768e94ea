"""`leuko view`: look at an image in the browser, offline, or as pictures."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from leuko.cli.options import debug_option, image_argument, quiet_option
from leuko.cli.options_input import any_series_option

__all__ = ["view"]

EXAMPLES = """\b
Examples:
  leuko view flair.nii.gz
  leuko view flair.nii.gz --overlay result/wmh.nii.gz:lesions:red -o look.html
  leuko view ct.nii.gz --window bone --png bone.png
  leuko view flair.nii.gz --montage 12 --png slices.png
  leuko view flair.nii.gz --axis sagittal --slice 12.5mm --png one.png
  leuko view dicom_folder --series FLAIR --gif slices.gif

Windows: brain, subdural, stroke, bone, lung, abdomen, liver ... (CT, in HU);
auto, full, p1,p99 (percentiles); 40,80 (centre,width).

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 not fit for this task;
5 an overlay lies in another space; 6 cannot write, or the file is there already;
7 out of memory or disk.
"""


@click.command(epilog=EXAMPLES)
@image_argument("image", metavar="IMAGE")
@click.option(
    "--overlay",
    "overlays",
    multiple=True,
    metavar="FILE[:NAME[:COLOUR]]",
    help="A mask, label map or probability map over the image; may be given several times.",
)
@click.option(
    "--labels",
    type=click.Path(readable=False, path_type=Path, dir_okay=False),
    metavar="TABLE",
    help="Names and colours of the overlays' labels: FreeSurfer, ITK-SNAP, FSLeyes, BIDS, JSON.",
)
@click.option(
    "-o",
    "--out",
    "page",
    type=click.Path(readable=False, path_type=Path, dir_okay=False),
    metavar="PAGE.html",
    help="The page.  [default: IMAGE_view.html here, unless --png or --gif is given]",
)
@click.option(
    "--png",
    type=click.Path(readable=False, path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a picture: three planes, or what --axis, --slice, --montage say.",
)
@click.option(
    "--gif",
    type=click.Path(readable=False, path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write an animation through the slices, or through the volumes.",
)
@click.option(
    "--montage",
    type=click.IntRange(1, 400),
    default=None,
    metavar="N",
    help="N slices on one picture (with --png).",
)
@click.option(
    "--axis",
    type=click.Choice(["axial", "coronal", "sagittal"]),
    help="The plane of pictures.  [default: three planes; that of the slices]",
)
@click.option(
    "--slice",
    "at",
    default="",
    metavar="K|MM",
    help="One slice: its index in the file (23), or its place (12.5mm, RAS).",
)
@click.option("--volume", type=click.IntRange(0), default=0, show_default=True,
              help="The volume of a 4D image that pictures show, from 0.")  # fmt: skip
@click.option("--window", default="", metavar="WINDOW", help="Black and white: see below.")
@click.option(
    "--neurological",
    is_flag=True,
    help="The patient's left on the left.  [default: radiological, left on the right]",
)
@click.option("--fill", is_flag=True, help="Fill overlays in pictures, instead of outlining them.")
@any_series_option
@click.option(
    "--open/--no-open",
    "show",
    default=None,
    help="Open the page in the browser.  [default: where there is a screen and no --out]",
)
@click.option(
    "--force",
    is_flag=True,
    help="Replace files that are there already; IMAGE and overlays never.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@quiet_option
@debug_option
def view(
    image: str,
    overlays: tuple[str, ...],
    labels: Path | None,
    page: Path | None,
    png: Path | None,
    gif: Path | None,
    montage: int | None,
    axis: str | None,
    at: str,
    volume: int,
    window: str,
    neurological: bool,
    fill: bool,
    series: str,
    show: bool | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Look at IMAGE: any file or DICOM folder that leuko reads.

    The page is one HTML file that works offline: planes, 3D, windows, overlays, and drawing on a
    mask that `leuko measure` then accepts. Pictures need no browser.
    """
    from leuko.cli.console import print_findings
    from leuko.findings import as_warnings
    from leuko.pipelines.view import Still, view_file

    if (montage or axis or at) and png is None and gif is None:
        raise click.UsageError("--montage, --axis and --slice are for pictures: give --png FILE.")
    if montage and at:
        raise click.UsageError("--montage shows many slices, --slice one: give one of them.")
    seen = view_file(
        Path(image),
        overlays=overlays,
        labels=labels,
        series=series,
        page=page,
        png=png,
        gif=gif,
        still=Still(axis=axis, at=at, montage=montage or 0, volume=volume, fill=fill),  # type: ignore[arg-type]
        window=window,
        neurological=neurological,
        force=force,
    )
    if not (quiet or as_json):
        # Nothing is refused here: what would refuse a scan to segment is a warning.
        print_findings(as_warnings(seen.findings))
    if seen.page is not None and (show or (show is None and page is None and _has_screen())):
        import webbrowser

        webbrowser.open(seen.page.resolve().as_uri())
    written = {
        "page": str(seen.page) if seen.page else None,
        "pictures": [*map(str, seen.pictures)],
    }
    if as_json:
        click.echo(json.dumps(written))
    elif not quiet:
        for path in (*((seen.page,) if seen.page else ()), *seen.pictures):
            click.echo(f"Written: {path}")


def _has_screen() -> bool:
    """Whether somebody sits at this machine: a terminal, and a desktop to open a browser on."""
    desktop = sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    return desktop and sys.stdout.isatty()
