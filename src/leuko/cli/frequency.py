"""`leuko frequency`: how often each place of the brain is affected in a group."""

from __future__ import annotations

from pathlib import Path

import click

from leuko.cli.options import (
    debug_option,
    force_into_option,
    image_argument,
    out_option,
    quiet_option,
)

__all__ = ["frequency"]

EXAMPLES = """\b
Examples:
  leuko segment scans -o cohort --mni
  leuko frequency cohort -o map
  leuko frequency patients/sub-01 patients/sub-07 -o map

OUT holds frequency.nii.gz (share of cases at each place of the MNI template, 0 to 1),
frequency.png, cases.tsv and frequency.json.

Exit codes: 0 done; 2 wrong usage, or one scan twice; 3 cannot read; 4 no case landed
on the template; 6 cannot write; 7 out of memory or disk.
"""


@click.command(epilog=EXAMPLES)
@image_argument("cohort", nargs=-1, required=True, metavar="COHORT...")
@out_option("The folder for the results.")
@force_into_option
@quiet_option
@debug_option
def frequency(cohort: tuple[str, ...], out: Path, force: bool, quiet: bool) -> None:
    """Map how often each place is affected in the cases of COHORT, in MNI space.

    COHORT is the OUT of `leuko segment` on several scans, or folders of single results. Masks in
    MNI space (--mni) are read where they are there, else made from wmh.nii.gz and anatomy.nii.gz.
    Cases that do not land on the template are left out and named.
    """
    from leuko.pipelines.frequency import frequency_files

    found = frequency_files([Path(one) for one in cohort], out=out, force=force)
    for one in found.left_out:
        click.echo(f"Left out: {one.case}: {one.reason}", err=True)
    if not quiet:
        click.echo(f"Cases: {len(found.cases)}")
        click.echo(f"Highest share: {found.highest:.0%} of cases at one place")
        click.echo(f"Results: {out}")
