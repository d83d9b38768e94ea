"""Options that most commands have, and how several options become one decorator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = [
    "FILE",
    "debug_option",
    "force_into_option",
    "image_argument",
    "out_option",
    "out_options",
    "quiet_option",
    "together",
]

Command = TypeVar("Command", bound=Callable[..., Any])
FILE = click.Path(readable=False, path_type=Path)
"""A file or folder; whether it can be read or written is judged when that is done."""


def together(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """One decorator from several, listed in the help in the order given."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def image_argument(name: str, **settings: Any) -> Callable[[Command], Command]:
    """A positional file; whether it can be read is judged when it is read (exit 3)."""
    return click.argument(name, type=click.Path(readable=False, path_type=str), **settings)


def out_option(said: str, *, metavar: str = "OUT") -> Callable[[Command], Command]:
    """The file or folder to write, which has to be named."""
    return click.option("-o", "--out", required=True, type=FILE, metavar=metavar, help=said)


force_into_option = click.option(
    "--force",
    is_flag=True,
    help="Write into OUT even if it holds something else; nothing else there is touched.",
)

quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")

debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    help="Show our own traceback when something goes wrong.",
)

out_options = together(
    click.option(
        "-o",
        "--out",
        type=click.Path(readable=False, path_type=str),
        required=True,
        metavar="OUT",
        help="The folder for the results.",
    ),
    force_into_option,
    click.option("--json", "as_json", is_flag=True, help="Print stats.json, and nothing else."),
    quiet_option,
    debug_option,
)
