"""Every error leuko raises on purpose, with the exit code the command line returns for it.

LeukoError                    70  (base; raised bare only for our own bugs)
├── UsageError                 2  the call itself is wrong
├── ReadError                  3  a file cannot be read as an image
├── UnusableInput              4  readable, but not usable for this task
├── SafetyRefusal              5  geometry or identity does not allow it
│   └── GridMismatch           5  two images do not lie on one grid
├── WriteError                 6  an output cannot be written
├── OutOfResources             7  memory or disk ran out
├── Interrupted                8  stopped by the user; can be resumed
└── MissingExtra               9  an optional dependency is not installed
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

__all__ = [
    "GridMismatch",
    "Interrupted",
    "LeukoError",
    "MissingExtra",
    "OutOfResources",
    "ReadError",
    "SafetyRefusal",
    "UnusableInput",
    "UsageError",
    "WriteError",
    "printable",
]


def printable(text: str) -> str:
    """`text` with a question mark for whatever could command a terminal; files may hold it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


class LeukoError(Exception):
    """What went wrong (`what`) and what to do about it (`hint`)."""

    exit_code: ClassVar[int] = 70

    def __init__(self, what: str, *, hint: str = "") -> None:
        what, hint = printable(what), printable(hint)
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions with keyword-only arguments do not pickle by default; cohorts run in processes.
        return (_rebuild, (type(self), self.what, self.hint))


def _rebuild(kind: type[LeukoError], what: str, hint: str) -> LeukoError:
    return kind(what, hint=hint)


class UsageError(LeukoError, ValueError):
    """The call or its options are wrong."""

    exit_code = 2


class ReadError(LeukoError, OSError):
    """A file cannot be read as an image."""

    exit_code = 3


class UnusableInput(LeukoError, ValueError):
    """The input can be read but is not usable for this task."""

    exit_code = 4


class SafetyRefusal(LeukoError, ValueError):
    """Refused because the result could be wrong in space or in identity."""

    exit_code = 5


class GridMismatch(SafetyRefusal):
    """Two images do not lie on one grid."""


class WriteError(LeukoError, OSError):
    """An output cannot be written."""

    exit_code = 6


class OutOfResources(LeukoError, MemoryError):
    """Memory or disk ran out."""

    exit_code = 7

    @classmethod
    def of_memory(cls, what: str) -> OutOfResources:
        """Say that `what` (a file, a series) does not fit into memory."""
        return cls(
            f"{what} does not fit into the memory of this machine.",
            hint="Close other programs or use a machine with more memory.",
        )


class Interrupted(LeukoError):
    """The user stopped the run; what is complete stays, the rest can be resumed."""

    exit_code = 8


class MissingExtra(LeukoError, ImportError):
    """A feature needs an optional dependency that is not installed."""

    exit_code = 9

    @classmethod
    def needed(cls, feature: str, *, extra: str, modules: Sequence[str]) -> MissingExtra:
        """Name the feature, the missing modules and the extra that brings them."""
        return cls(
            f"{feature} needs {', '.join(modules)}, which is not installed.",
            hint=f"Install it with: pip install 'leuko[{extra}]'",
        )
