"""`leuko bids`: the main job as a BIDS-App."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from leuko.cli.failures import show_version
from leuko.cli.options import debug_option, quiet_option
from leuko.cli.options_mask import mask_options
from leuko.cli.options_place import norm_options, template_options
from leuko.cli.options_run import job_options

__all__ = ["bids"]

EXAMPLES = """\b
Examples:
  leuko bids study study/derivatives/leuko participant
  leuko bids study study/derivatives/leuko participant --participant-label 01 02
  leuko bids study study/derivatives/leuko participant --n-cpus 8
  leuko bids study study/derivatives/leuko participant --mni
  leuko bids study study/derivatives/leuko group

participant writes, for every FLAIR of BIDS, derivatives into OUT/sub-*/[ses-*/]anat:
mask, probabilities, lesions and anatomy with their tables and sidecars, report and
stats.json. Called again, finished scans are kept. group writes a table of all scans,
OUT/phenotype/wmh.tsv, and a page, OUT/cohort.html.

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 not fit for this task;
5 refused for safety; 6 cannot write; 7 out of memory or disk; 8 interrupted.
Of several scans the highest code counts; the others are finished all the same.
"""
LABELS = ("--participant-label", "--session-label")


class BidsApp(click.Command):
    """A command that takes its options as BIDS-Apps do: `--participant_label 01 02`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Understand underscores, and several labels behind one option after the level."""
        return super().parse_args(ctx, _spread(args))


def _spread(args: Sequence[str]) -> list[str]:
    """Every label with its option; before the level an option has one label."""
    found: list[str] = []
    option, levelled = "", False
    for arg in args:
        if arg.startswith("--"):
            name, equals, value = arg.partition("=")
            name = name.replace("_", "-")
            option = name if name in LABELS and not equals else ""
            found.append(f"{name}{equals}{value}")
        elif option and found[-1] != option and levelled:
            found += [option, arg]
        else:
            option = option if levelled or found[-1:] == [option] else ""
            found.append(arg)
        levelled = levelled or arg in ("participant", "group")
    return found


@click.command(cls=BidsApp, epilog=EXAMPLES)
@click.argument("root", metavar="BIDS", type=click.Path(readable=False, path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(readable=False, path_type=Path))
@click.argument("level", type=click.Choice(["participant", "group"]))
@click.option(
    "--participant-label",
    "subjects",
    multiple=True,
    metavar="LABEL...",
    help="Only these participants, with or without sub-.  [default: all]",
)
@click.option(
    "--session-label",
    "sessions",
    multiple=True,
    metavar="LABEL...",
    help="Only these sessions, with or without ses-.  [default: all]",
)
@click.option(
    "--bids-filter-file",
    "filters",
    type=click.Path(readable=False, path_type=Path),
    metavar="JSON",
    help='Which FLAIR, and which T1, by entities: {"flair": {"acquisition": "3d"}}.',
)
@click.option(
    "--n-cpus",
    "jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Work on N scans at a time, each with about 1 GB of memory.",
)
@click.option(
    "--scheduler",
    default="",
    metavar="ADDRESS",
    help="Share the scans among the workers of a Dask cluster. Needs the extra leuko[cluster].",
)
@click.option(
    "--skip-bids-validation",
    is_flag=True,
    expose_value=False,
    help="Taken as other apps take it: BIDS is not validated here.",
)
@mask_options
@template_options
@job_options
@norm_options
@quiet_option
@debug_option
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=show_version,
    help="Show the version and end.",
)
@click.pass_context
def bids(
    context: click.Context,
    /,
    root: Path,
    out: Path,
    level: str,
    subjects: tuple[str, ...],
    sessions: tuple[str, ...],
    filters: Path | None,
    jobs: int,
    scheduler: str,
    weights: str | None,
    quiet: bool,
    **parameters: Any,
) -> None:
    """Segment the FLAIRs of the data set BIDS into BIDS derivatives in OUT.

    LEVEL is participant (segment scans) or group (a table and a page from what is there).
    """
    from leuko.pipelines.bids_filter import filtered, read_filters
    from leuko.pipelines.cases import named
    from leuko.pipelines.cases_bids import cases_of_bids
    from leuko.pipelines.cohort import cohort_exit_code

    found = cases_of_bids(
        root.absolute(),
        subjects=[label.removeprefix("sub-") for label in subjects],
        sessions=[label.removeprefix("ses-") for label in sessions],
    )
    if filters is not None:
        found = filtered(found, read_filters(filters))
    cases = named(found)
    if level == "group":
        from leuko.pipelines.bids_group import bids_group

        outcomes = bids_group(cases, root=root, out=out)
    else:
        from leuko.cli.console import cases_on_screen
        from leuko.pipelines.bids import bids_participants
        from leuko.pipelines.config import SegmentConfig

        with cases_on_screen(len(cases), quiet=quiet) as watch:
            outcomes = bids_participants(
                cases,
                root=root,
                out=out,
                config=SegmentConfig(**parameters),
                weights=weights,
                jobs=jobs,
                scheduler=scheduler,
                watch=watch,
            )
    from leuko.cli.console import print_cases

    print_cases(outcomes, quiet=quiet)
    if level == "group" and not quiet:
        click.echo(f"Page: {out / 'cohort.html'}")
    context.exit(0 if level == "group" else cohort_exit_code(outcomes))
