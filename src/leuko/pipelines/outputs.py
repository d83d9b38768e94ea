"""OUT, the folder a run writes: built aside and put in place in one move.

A run writes into a hidden folder beside OUT. When everything is there, the two change places in
one system call, so that whoever looks, and whenever the process dies, finds either the OUT that
was there or the new one, whole. What a killed run left aside is removed by the next one.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from leuko.errors import LeukoError, OutOfResources, UsageError, WriteError
from leuko.pipelines.our_files import OUR_FILES, OUR_FOLDERS, STATISTICS, is_ours
from leuko.pipelines.outputs_in_place import move_files, put_in_place
from leuko.pipelines.outputs_staging import new_staging

__all__ = ["out_folder", "require_free_file", "write_whole", "writing"]

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def out_folder(
    out: str | os.PathLike[str],
    *,
    force: bool = False,
    inputs: tuple[Path, ...] = (),
    marker: str = STATISTICS,
) -> Iterator[Path]:
    """A folder to write into, which becomes `out` when the block ends well, and vanishes if not.

    An `out` of ours is replaced as a whole; files in it that are not ours are kept. A folder of
    something else raises WriteError (exit 6) unless it is empty or `force` says to write among
    what is there; nothing of it is ever deleted. `inputs` are refused (UsageError, exit 2) where
    the new files would overwrite them. A full disk raises OutOfResources (exit 7), everything
    else that cannot be written WriteError (exit 6). `marker` is the JSON file by which a folder of
    ours is known.

    A mount point, the working folder and a folder of something else cannot change places with
    another one: into these the finished files are moved one by one, stats.json last.
    """
    target = Path(os.path.realpath(out))
    with writing(target.name):
        _require_replaceable(target, force=force, marker=marker)
        _require_safe_inputs(target, inputs)
        missing = _first_missing(target.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        whole = (_is_free(target) or is_ours(target, marker=marker)) and _can_change_places(target)
        staging, lock = new_staging(target.parent if whole else target, target.name)
    finished = False
    try:
        yield staging
        with writing(target.name):
            staging.chmod(0o777 & ~_umask())
            if whole:
                put_in_place(staging, target)
            else:
                move_files(staging, target, marker=marker)
        finished = True
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        os.close(lock)
        if not finished and missing is not None:
            _remove_empty(target.parent, upto=missing)


def write_whole(path: Path, content: bytes) -> None:
    """Write one file so that it is there whole or not at all."""
    with writing(path.name):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            part.chmod(0o666 & ~_umask())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Turn the system's refusals to write into our errors; `name` is what was to be written."""
    try:
        yield
    except LeukoError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise OutOfResources(
                f"The disk is full (or a quota reached): {name} could not be written.",
                hint="Free some space or choose another folder with --out; nothing was changed.",
            ) from error
        reason = error.strerror or type(error).__name__
        raise WriteError(
            f"{name} cannot be written: {reason}.",
            hint="Choose a folder with --out in which you may write.",
        ) from error


def require_free_file(path: Path, *, inputs: Sequence[Path] = (), force: bool = False) -> None:
    """Refuse to write over an input (UsageError, exit 2), and over a file without `force` (6)."""
    if not path.exists():
        return
    if any(given.exists() and given.samefile(path) for given in inputs):
        raise UsageError(
            f"{path.name} is an input, which is never replaced.", hint="Choose another name."
        )
    if not force:
        raise WriteError(
            f"{path.name} is there already.", hint="Choose another name, or --force to replace it."
        )


def _is_free(target: Path) -> bool:
    return not target.exists() or (target.is_dir() and not any(target.iterdir()))


def _require_replaceable(target: Path, *, force: bool, marker: str) -> None:
    if target.exists() and not target.is_dir():
        raise WriteError(
            f"{target.name} is a file; the results need a folder of their own.",
            hint="Choose another name with --out.",
        )
    if not (_is_free(target) or is_ours(target, marker=marker) or force):
        raise WriteError(
            f"The folder {target.name} is there already and holds something else.",
            hint="Choose another folder with --out, or --force to write among what is there "
            "(nothing but files of the same names is replaced).",
        )


def _require_safe_inputs(target: Path, inputs: tuple[Path, ...]) -> None:
    for path in inputs:
        real = Path(os.path.realpath(path))
        inside = real.parent == target and real.name in OUR_FILES
        if inside or any(target / name in real.parents for name in OUR_FOLDERS):
            raise UsageError(
                f"The input {real.name} lies in the output folder and would be overwritten.",
                hint="Choose another folder with --out.",
            )


def _can_change_places(target: Path) -> bool:
    """Whether a sibling can take the place of `target`, without pulling it from under a shell."""
    if not target.is_dir():
        return True
    here = Path.cwd()
    return not (
        os.path.ismount(target)
        or not os.access(target.parent, os.W_OK)
        or target == here
        or target in here.parents
    )


def _first_missing(folder: Path) -> Path | None:
    """The topmost folder that will have to be made for `folder` to exist."""
    missing = None
    while not folder.exists():
        missing, folder = folder, folder.parent
    return missing


def _remove_empty(folder: Path, *, upto: Path) -> None:
    """Take back the empty parents that a failed run has made."""
    with suppress(OSError):
        while True:
            folder.rmdir()
            if folder == upto:
                return
            folder = folder.parent


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
