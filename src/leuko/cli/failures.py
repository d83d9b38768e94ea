"""What the user sees when a command fails, and the exit code."""

from __future__ import annotations

import errno
import os
import platform
import sys
import tempfile
import traceback
from pathlib import Path

import click

from leuko.errors import Interrupted, LeukoError, OutOfResources, UsageError

__all__ = ["explain", "show_version", "version"]

OUR_BUG = LeukoError.exit_code
STOPPED = Interrupted.exit_code
NO_MEMORY = ("bad_alloc", "can't alloc", "out of memory", "could not create a memory")


def version() -> str:
    """The version of leuko that runs."""
    return str(getattr(sys.modules["leuko"], "__version__", "unknown"))


def show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the version and end, where `--version` was given."""
    if wanted and not ctx.resilient_parsing:
        click.echo(f"leuko {version()}")
        ctx.exit()


def explain(error: BaseException, *, command: str, debug: bool) -> int:
    """Print one message for `error` on stderr and return the exit code that belongs to it."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else OUR_BUG if error.code else 0
    if debug:
        traceback.print_exception(error)
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.UsageError):
        error.show()
        return UsageError.exit_code
    if isinstance(error, click.ClickException):
        _say("Error", error.format_message())
        return UsageError.exit_code
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        error = Interrupted(
            "by the user.",
            hint="Nothing is left half written; the same call starts again, or goes on.",
        )
    if _is_out_of_memory(error):
        error = OutOfResources(
            "There is not enough memory for this scan.",
            hint="Close other programs, or run on a machine with more memory; about 1 GB is needed "
            "for a scan of 1 mm.",
        )
    if isinstance(error, LeukoError) and error.exit_code != OUR_BUG:
        _say("Stopped" if error.exit_code == STOPPED else "Error", error.what)
        if error.hint:
            _say("Hint", error.hint)
        return error.exit_code
    return _our_bug(error, command=command)


def _say(label: str, text: str) -> None:
    colour = {"Error": "red", "Hint": "cyan"}.get(label, "yellow")
    click.secho(f"{label}: ", fg=colour, bold=True, nl=False, err=True)
    click.echo(text, err=True)


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, LeukoError):
        return False
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    # Native libraries hand a failed allocation on as a RuntimeError.
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(sign in said for sign in NO_MEMORY)


def _our_bug(error: BaseException, *, command: str) -> int:
    _say("Error", f"Something went wrong inside leuko ({type(error).__name__}). This is our bug.")
    about = f"leuko {version()}, Python {platform.python_version()}, {platform.platform()}"
    trace = "".join(traceback.format_exception(error))
    try:
        handle, name = tempfile.mkstemp(prefix="leuko-bug-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{about}\ncommand: {command}\n\n{trace}")
    except OSError as failure:
        reason = errno.errorcode.get(failure.errno or 0, "unknown reason")
        _say(
            "Hint", f"Please report it with: {about}, command {command} (no details kept: {reason})"
        )
        return OUR_BUG
    _say(
        "Hint",
        f"Please report it with the file {Path(name)} after a look that it holds nothing private. "
        "The outputs are as they were before this run.",
    )
    return OUR_BUG
