"""The command line, one module a command, each loaded when it is called."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from types import FrameType, MappingProxyType

import click

from leuko.cli import failures

__all__ = ["main", "program"]

# Name -> (module that holds a click command of that name, the line in `leuko --help`).
COMMANDS = MappingProxyType(
    {
        "segment": ("leuko.cli.segment", "Segment FLAIR scans: mask, numbers and report."),
        "measure": ("leuko.cli.measure", "All numbers and the report from a mask that you have."),
        "longitudinal": ("leuko.cli.longitudinal", "What changed between visits of one person."),
        "bids": ("leuko.cli.bids", "The main job as a BIDS-App: derivatives of a data set."),
        "demo": ("leuko.cli.demo", "Segment the packaged sample and compare with its truth."),
        "frequency": ("leuko.cli.frequency", "Where a group has its lesions: a map in MNI space."),
        "register": ("leuko.cli.register", "Bring one scan into the space of another."),
        "preprocess": ("leuko.cli.preprocess", "Correct, resample, normalise and crop images."),
        "fill": ("leuko.cli.fill", "Lesions filled with the like of normal white matter."),
        "surface": ("leuko.cli.surface", "A mask as a surface for 3D programs: STL, PLY, GLB."),
        "evaluate": ("leuko.cli.evaluate", "Compare masks with reference masks."),
        "compare": ("leuko.cli.compare", "Several methods or models on the same scans."),
        "diagnose": ("leuko.cli.diagnose", "Scores of a test against the truth: ROC, Bayes."),
        "patches": ("leuko.cli.patches", "An image in pieces of one size, and whole again."),
        "eda": ("leuko.cli.eda", "Explore a data set: grids, values, labels, what is unusual."),
        "convert": ("leuko.cli.convert", "Any image to any format; what is lost is said."),
        "view": ("leuko.cli.view", "Look at an image: an offline page, or pictures of slices."),
        "info": ("leuko.cli.info", "What an image is: geometry, values, header, findings."),
        "deidentify": (
            "leuko.cli.deidentify",
            "Images without their patients, by DICOM's profile.",
        ),
        "dicom": ("leuko.cli.dicom", "What a DICOM study holds, and which series is the FLAIR."),
        "baseline": ("leuko.cli.baseline", "Segment without deep learning, to compare with."),
        "networks": ("leuko.cli.networks", "The networks there are, and what each costs."),
        "train": ("leuko.cli.train", "Train a network from a recipe."),
        "finetune": ("leuko.cli.finetune", "Adapt trained weights to your own scans."),
        "export": ("leuko.cli.export", "A training run as a model that needs no torch."),
        "predict": ("leuko.cli.predict", "Run a trained model on images: masks and volumes."),
    }
)


class Commands(click.Group):
    """A group whose commands are imported on use, so that help comes at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Every command, in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Import the command of that name; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; `leuko ... | head`: that nobody reads on is no failure of ours."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter complains at its end
            return 0

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands from their short texts, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


EPILOG = """\b
Examples:
  leuko segment flair.nii.gz -o result
  leuko segment folder_of_scans -o results
  leuko measure flair.nii.gz corrected_mask.nii.gz -o result

\b
Exit codes:
  0 done                          5 refused for safety (grids differ)
  2 wrong usage                   6 cannot write the output
  3 cannot read the input         7 out of memory or disk
  4 input not fit for this task   8 interrupted; run again to resume
  9 an optional part is missing   70 a bug of ours

Research use only. Not a medical device."""


@click.group(
    cls=Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=failures.show_version,
    help="Show the version and end.",
)
def program() -> None:
    """One FLAIR MRI in; a white matter hyperintensity mask, its numbers and a report out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; every failure ends in one clear message."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)  # at its end the process need not look for cycles among all it made
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)
    try:
        result = program.main(given, prog_name="leuko", standalone_mode=False)
    except BaseException as error:  # the last line of defence: nobody else sees a traceback
        return failures.explain(error, command=given[0] if given else "", debug="--debug" in given)
    return result if isinstance(result, int) else 0


def _stop(_signum: int, _frame: FrameType | None) -> None:
    """A polite request to end is treated like Ctrl-C: clean up, exit 8."""
    raise KeyboardInterrupt
