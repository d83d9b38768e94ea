"""`leuko fill`: lesions filled with what normal white matter looks like."""

from __future__ import annotations

from pathlib import Path

import click

from leuko.cli.options import FILE, debug_option, image_argument, out_option, quiet_option

__all__ = ["fill"]

EXAMPLES = """\b
Examples:
  leuko fill flair.nii.gz out/wmh.nii.gz --anatomy out/anatomy.nii.gz -o flair_filled.nii.gz
  leuko fill t1.nii.gz out/wmh_in_t1.nii.gz -o t1_filled.nii.gz
  leuko segment flair.nii.gz --t1 t1.nii.gz --fill -o out

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 too little white matter to fill from;
5 IMAGE and MASK are not on one grid; 6 cannot write, or OUT is there already; 7 out of
memory or disk.
"""


@click.command(epilog=EXAMPLES)
@image_argument("image", metavar="IMAGE")
@image_argument("mask", metavar="MASK")
@out_option("The image file to write.")
@click.option(
    "--anatomy",
    type=FILE,
    metavar="LABELS",
    help="anatomy.nii.gz as leuko segment wrote it, on the same grid: says what is white matter.  "
    "[default: what prevails around the lesions]",
)
@click.option("--force", is_flag=True, help="Replace OUT if it is there already; an input never.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@quiet_option
@debug_option
def fill(
    image: str,
    mask: str,
    out: Path,
    anatomy: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Fill the lesions of MASK in IMAGE, of any contrast, with the like of normal white matter.

    For programs that measure brain tissue on scans with lesions. Only voxels of MASK change; grid
    and type of IMAGE stay. Of integers every label above 0 counts, of real numbers 0.5 and more.
    """
    from leuko.cli.console import print_findings
    from leuko.pipelines.fill import fill_file

    done = fill_file(Path(image), Path(mask), out=out, anatomy=anatomy, force=force)
    if as_json:
        from leuko.pipelines.json_texts import indented

        click.echo(indented(done.numbers()), nl=False)
    elif not quiet:
        if done.voxels:
            click.echo(
                f"Filled {done.volume_ml:.2f} ml ({done.voxels} voxels): mean {done.before:.4g} "
                f"before, {done.after:.4g} after; normal white matter {done.level:.4g}, "
                f"noise {done.noise:.2g}"
            )
        else:
            click.echo("The mask is empty: nothing was changed.")
        print_findings(done.findings)
        click.echo(f"Image: {out}")
