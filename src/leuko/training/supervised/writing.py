"""What is said where the folder of a run cannot be written."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leuko.errors import LeukoError, OutOfResources, WriteError

__all__ = ["writing_run"]

FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def writing_run(folder: Path) -> Iterator[None]:
    """Failures to write into a run's folder: OutOfResources (disk full), else WriteError."""
    try:
        yield
    except LeukoError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise _full(folder) from error
        raise WriteError(
            f"The run {folder.name} cannot be written: {error.strerror or type(error).__name__}.",
            hint="Choose a folder of runs with --out in which you may write.",
        ) from error
    except RuntimeError as error:  # torch's own writer
        if "file write failed" not in str(error) and "writing file" not in str(error):
            raise
        raise _full(folder) from error


def _full(folder: Path) -> OutOfResources:
    return OutOfResources(
        f"The disk is full: the run {folder.name} cannot be saved.",
        hint="Free some space; the same command goes on from the last state.",
    )
