"""The hidden folder that a run writes into, and what killed runs left of theirs."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from leuko.pipelines.our_files import PROGRAM

__all__ = ["new_staging", "staging_prefix"]


def staging_prefix(name: str) -> str:
    """How the names of the hidden folders beside an OUT of this name begin."""
    return f".{name}.{PROGRAM}-"


def new_staging(home: Path, name: str) -> tuple[Path, int]:
    """A new hidden folder in `home` and the lock that marks it as in use; the dead ones go."""
    guard = os.open(home, os.O_RDONLY)
    try:
        _try_lock(guard, fcntl.LOCK_EX)  # no other run may sweep between making and locking
        _sweep(home, name)
        staging = Path(tempfile.mkdtemp(prefix=staging_prefix(name), dir=home))
        lock = os.open(staging, os.O_RDONLY)
        _try_lock(lock, fcntl.LOCK_EX)
    finally:
        os.close(guard)
    return staging, lock


def _try_lock(handle: int, kind: int) -> bool:
    """Some network drives know no locks; there nothing is swept."""
    try:
        fcntl.flock(handle, kind)
    except OSError:
        return False
    return True


def _sweep(home: Path, name: str) -> None:
    """Remove the staging folders of runs that died; bring back an OUT that died half moved."""
    target = home / name
    for left in sorted(home.glob(f"{_glob_safe(staging_prefix(name))}*")):
        if not left.is_dir() or left.is_symlink() or _is_alive(left):
            continue
        if left.name.startswith(staging_prefix(name) + "old-") and not target.exists():
            left.replace(target)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(folder: Path) -> bool:
    """Whether a running process holds the folder's lock (the system frees a dead one's)."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return True
    try:
        return not _try_lock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(handle)


def _glob_safe(text: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)
