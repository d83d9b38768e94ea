"""`leuko surface`: a mask as a surface for 3D programs."""

from __future__ import annotations

from pathlib import Path

import click

from leuko.cli.options import FILE, debug_option, image_argument, out_option, quiet_option

__all__ = ["surface"]

EXAMPLES = """\b
Examples:
  leuko surface out/wmh.nii.gz -o lesions.stl
  leuko surface out/anatomy.nii.gz -o anatomy.glb
  leuko surface out/anatomy.nii.gz --label 15 --label 25 -o ventricles.ply

The name of OUT decides the format: .stl and .ply hold all labels in one surface (.ply with
colours), .glb a named and coloured part for each. Vertices are RAS mm of the scanner.

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 no labels to draw; 6 cannot write,
or OUT is there already; 7 out of memory or disk.
"""


@click.command(epilog=EXAMPLES)
@image_argument("mask", metavar="MASK")
@out_option("The file to write: .stl, .ply or .glb.")
@click.option(
    "--label", "labels", type=int, multiple=True, help="Only this label; may be repeated."
)
@click.option(
    "--names",
    type=FILE,
    metavar="TABLE",
    help="Names and colours of the labels: FreeSurfer, ITK-SNAP, FSLeyes, BIDS, JSON.",
)
@click.option(
    "--smoothing",
    type=click.IntRange(0, 200),
    default=12,
    show_default=True,
    help="Rounds of smoothing; 0: along the faces of the voxels.",
)
@click.option("--force", is_flag=True, help="Replace OUT if it is there already; MASK never.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@quiet_option
@debug_option
def surface(
    mask: str,
    out: Path,
    labels: tuple[int, ...],
    names: Path | None,
    smoothing: int,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write the surface of the labels of MASK to the file OUT."""
    from leuko.cli.console import print_findings
    from leuko.pipelines.surfaces import surface_file

    written = surface_file(
        Path(mask), out, labels=labels, table=names, smoothing=smoothing, force=force
    )
    if as_json:
        from leuko.pipelines.json_texts import indented

        click.echo(indented(written), nl=False)
    elif not quiet:
        for found in written.surfaces:
            volume, area = found.volume_mm3 / 1000, found.area_mm2 / 100
            click.echo(
                f"{found.label:>5}  {found.name:<40}  {volume:10.3f} ml  {area:9.2f} cm²  "
                f"{found.triangles} triangles"
            )
        print_findings(written.findings)
        click.echo(f"Surface: {out}")
