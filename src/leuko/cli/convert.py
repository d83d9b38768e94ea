"""`leuko convert`: any image to any format; what is lost is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leuko.cli.options import FILE, debug_option, image_argument, quiet_option
from leuko.cli.options_input import any_series_option

if TYPE_CHECKING:
    from leuko.pipelines.convert import Converted

__all__ = ["convert"]

EXAMPLES = """\b
Examples:
  leuko convert scan.nrrd scan.nii.gz
  leuko convert dicom_folder scans            # one file for each stack
  leuko convert dicom_folder flair.nii.gz --series 3
  leuko convert bold.nii.gz first.mgz --volume 0
  leuko convert folder_of_scans converted --to nrrd
  leuko convert mask.nii.gz mask.seg.nrrd --labels wmh

The suffix of OUT is the format: .nii .nii.gz .hdr/.img (NIfTI), .nrrd .nhdr .seg.nrrd,
.mha .mhd, .mgh .mgz, .mnc, .png .jpg .tif; Analyze 7.5 with --to analyze.

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 no image that can be used;
5 refused for safety; 6 cannot write, or OUT is there already; 7 out of memory or disk.
"""


@click.command(epilog=EXAMPLES)
@image_argument("source", metavar="IN")
@image_argument("target", metavar="OUT")
@click.option(
    "--to",
    default="",
    metavar="FORMAT",
    help="Format for a folder of images, as a suffix (nii.gz, nrrd, mgz ...) or a name.",
)
@any_series_option
@click.option(
    "--volume", type=click.IntRange(min=0), metavar="K", help="Write volume K only, counted from 0."
)
@click.option(
    "--dtype",
    default="",
    metavar="TYPE",
    help="Store values as this type (uint8, int16, float32 ...); by default what holds them.",
)
@click.option(
    "--reorient",
    default="",
    metavar="CODE",
    help="Permute and flip axes, to RAS or LPS for example; every voxel keeps its place.",
)
@click.option(
    "--like",
    type=FILE,
    metavar="IMAGE",
    help="Put the values onto the grid of IMAGE; resampled where voxels do not meet.",
)
@click.option(
    "--labels",
    default="",
    metavar="TABLE",
    help="Names of labels: a table (FSLeyes, FreeSurfer, ITK-SNAP, BIDS, JSON), wmh or anatomy.",
)
@click.option(
    "--tables", is_flag=True, help="Write tables for FSLeyes, freeview, ITK-SNAP, BIDS beside OUT."
)
@click.option(
    "--nifti-version",
    type=click.Choice(["1", "2"]),
    default=None,
    help="NIfTI-1 or NIfTI-2.  [default: 2 only where 1 does not suffice]",
)
@click.option("--force", is_flag=True, help="Replace OUT if it is there already; IN never.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@quiet_option
@debug_option
def convert(
    source: str,
    target: str,
    to: str,
    series: str,
    volume: int | None,
    dtype: str,
    reorient: str,
    like: Path | None,
    labels: str,
    tables: bool,
    nifti_version: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Convert IN (an image, a DICOM study, a folder, a zip) to OUT, a file or a folder.

    Voxels keep their place in the world. What OUT's format cannot hold is said.
    """
    from leuko.pipelines.convert import Conversion
    from leuko.pipelines.convert import convert as convert_file

    how = Conversion(
        volume=volume,
        dtype=dtype,
        reorient=reorient,
        like=like,
        labels=labels,
        tables=tables,
        version=int(nifti_version or 0),
    )
    done = convert_file(
        Path(source),
        Path(target),
        to=to,
        series=series,
        force=force,
        how=how,
        told=_ignore if quiet or as_json else _print,
    )
    failed = [item for item in done if item.error]
    if as_json:
        click.echo(json.dumps([_as_json(item) for item in done], indent=2, ensure_ascii=False))
    elif not quiet:
        _print_notes(done)
    if quiet or as_json:
        for item in failed:
            click.echo(f"{item.source}: {item.error} {item.hint}".rstrip(), err=True)
    return max((item.exit_code for item in failed), default=0)


def _ignore(_: Converted) -> None: ...


def _print(item: Converted) -> None:
    """A line for each image, and at once what should worry; notes come at the end."""
    from leuko.cli.console import print_findings
    from leuko.findings import Severity, as_warnings

    if item.error:
        click.echo(f"{item.source}: {item.error} {item.hint}".rstrip(), err=True)
        return
    shape = " x ".join(map(str, item.shape))
    spacing = (
        "pixel size unknown"
        if item.spacing_mm is None
        else f"{' x '.join(f'{s:g}' for s in item.spacing_mm)} mm"
    )
    lies = item.orientation or "orientation unknown"
    click.echo(f"{', '.join(item.files)}: {shape}, {spacing}, {lies}")
    # Nothing is refused here: what would refuse a scan to segment is a warning.
    worrying = [f for f in item.findings if f.severity is not Severity.NOTE]
    print_findings(as_warnings(worrying))


def _print_notes(done: tuple[Converted, ...]) -> None:
    """Notes about one image; of many only what is true of all."""
    from leuko.cli.console import print_findings
    from leuko.findings import Severity

    notes = [f for item in done for f in item.findings if f.severity is Severity.NOTE]
    if len(done) > 1:
        notes = [f for f in notes if f.code == "convert.header_left"]
    print_findings(dict.fromkeys(notes))


def _as_json(item: Converted) -> dict[str, object]:
    return {
        "source": item.source,
        "key": item.key,
        "files": list(item.files),
        "format": item.format,
        "shape": list(item.shape),
        "spacing_mm": None if item.spacing_mm is None else list(item.spacing_mm),
        "orientation": item.orientation,
        "findings": [
            {"code": f.code, "severity": f.severity.value, "what": f.what, "hint": f.hint}
            for f in item.findings
        ],
        "error": item.error,
        "hint": item.hint,
    }
