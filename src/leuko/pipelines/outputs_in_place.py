"""A finished folder takes the place of an older one; what is not ours there is kept."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from leuko.errors import WriteError
from leuko.pipelines.our_files import (
    OUR_FILES,
    OUR_FOLDERS,
    is_ours,
    is_own_folder,
    named_by_user,
)
from leuko.pipelines.outputs_staging import staging_prefix

__all__ = ["move_files", "put_in_place"]

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # linux/fs.h


def put_in_place(staging: Path, target: Path) -> None:
    """Make `staging` the `target`; the old target, if any, ends up under staging's name."""
    if not target.exists():
        staging.rename(target)
        return
    _keep_foreign(target, staging)
    if _exchange(staging, target):
        return
    # Without the exchange call two moves are needed; _sweep undoes the first if we die between.
    aside = Path(tempfile.mkdtemp(prefix=staging_prefix(target.name) + "old-", dir=target.parent))
    target.replace(aside)
    staging.replace(target)
    shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step where the system can (Linux: renameat2)."""
    call = _exchange_call()
    return call is not None and call(os.fsencode(one), os.fsencode(other)) == 0


def _exchange_call() -> Callable[[bytes, bytes], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
    return lambda one, other: int(renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE))


def _keep_foreign(old: Path, new: Path) -> None:
    """Bring what is not ours along; hard links cost nothing and leave the old one whole."""
    own = (OUR_FILES | named_by_user(old)) - OUR_FOLDERS
    for entry in old.iterdir():
        ours = entry.name in own or is_own_folder(entry)
        if ours or entry.name.startswith(staging_prefix(old.name)):
            continue
        if entry.is_symlink() or not entry.is_dir():
            _link(entry, new / entry.name)
        else:
            shutil.copytree(entry, new / entry.name, symlinks=True, copy_function=_link)


def _link(source: str | Path, destination: str | Path) -> None:
    try:
        os.link(source, destination, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, destination, follow_symlinks=False)


def move_files(staging: Path, target: Path, *, marker: str) -> None:
    """Move file by file, the marker last, and take away what an earlier run of ours left."""
    names = sorted(entry.name for entry in staging.iterdir() if entry.name != marker)
    for name in set(names) & OUR_FOLDERS:
        _require_own_folder(target / name)
    ours = OUR_FILES | named_by_user(target)
    stale = ours - set(names) if is_ours(target, marker=marker) else {marker}
    (target / marker).unlink(missing_ok=True)
    for name in [*names, marker]:
        if (staging / name).exists():
            _move(staging / name, target / name)
    for name in stale - {marker} - OUR_FOLDERS:
        (target / name).unlink(missing_ok=True)
    for name in stale & OUR_FOLDERS:
        if is_own_folder(target / name):
            shutil.rmtree(target / name, ignore_errors=True)


def _require_own_folder(folder: Path) -> None:
    if folder.exists() and not is_own_folder(folder):
        raise WriteError(
            f"The output folder holds a folder {folder.name} that is not of ours.",
            hint="Choose another folder with --out.",
        )


def _move(source: Path, destination: Path) -> None:
    if source.is_dir():
        shutil.rmtree(destination, ignore_errors=True)
        shutil.move(source, destination)
        return
    try:
        source.replace(destination)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copy2(source, destination)
