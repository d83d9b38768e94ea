"""OUT, the folder a run writes: built aside and put in place in one move.

A run writes into a hidden folder beside OUT. When everything is there, the two change places in
one system call, so that whoever looks, and whenever the process dies, finds either the OUT that
was there or the new one, whole. What a killed run left aside is removed by the next one.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from leuko.errors import LeukoError, OutOfResources, UsageError, WriteError

__all__ = [
    "BETWEEN",
    "OUR_FILES",
    "PROGRAM",
    "STATISTICS",
    "is_ours",
    "out_folder",
    "require_free_file",
    "write_whole",
    "writing",
]

PROGRAM = "leuko"
STATISTICS = "stats.json"
BETWEEN = "between"
OUR_FOLDERS = frozenset({"baseline", "followup", BETWEEN})
"""The visits of a comparison, each a result of ours; `between` holds those in the middle."""
OUR_FILES = OUR_FOLDERS | frozenset(
    {
        "agreement.json",
        "anatomy.nii.gz",
        "anatomy.seg.dcm",
        "bias_field.nii.gz",
        "baseline_to_followup.json",
        "baseline_to_followup.tfm",
        "brain.nii.gz",
        "cases.tsv",
        "change.nii.gz",
        "checkerboard.png",
        "for_patient.html",
        "curve.svg",
        "frequency.json",
        "frequency.nii.gz",
        "frequency.png",
        "flair_filled.nii.gz",
        "halfway_to_baseline.json",
        "halfway_to_baseline.tfm",
        "halfway_to_followup.json",
        "halfway_to_followup.tfm",
        "lesions.nii.gz",
        "lesions.tsv",
        "mask.nii.gz",
        "moved.nii.gz",
        "moved_mask.nii.gz",
        "mni_to_scan.displacement.nii.gz",
        "mni_to_scan.h5",
        "mni_to_scan.json",
        "preprocess.json",
        "preprocessed.nii.gz",
        "preview.png",
        "probability.nii.gz",
        "probability.seg.dcm",
        "regions.nii.gz",
        "regions.tsv",
        "register.json",
        "report.html",
        "report.pdf",
        "report.pdf.dcm",
        "report.sr.dcm",
        "sample_flair.nii.gz",
        "sample_truth.nii.gz",
        STATISTICS,
        "t1_filled.nii.gz",
        "transform.displacement.nii.gz",
        "transform.h5",
        "transform.json",
        "transform.tfm",
        "wmh.glb",
        "wmh.nii.gz",
        "wmh.seg.dcm",
        "wmh.stl",
        "wmh_in_t1.nii.gz",
        "wmh_space-MNI152NLin2009aSym.nii.gz",
    }
)
"""Every name that a run may write into OUT; anything else there is the user's and stays."""

ATLAS_FILES = (".tsv", ".nii.gz")
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # linux/fs.h


def is_ours(folder: Path, *, marker: str = STATISTICS) -> bool:
    """Whether `folder` was written by this program: its stats.json (or `marker`) says so."""
    try:
        content = json.loads((folder / marker).read_bytes())
        return bool(content["provenance"]["program"] == PROGRAM)
    except (OSError, ValueError, KeyError, TypeError):
        return False


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
        staging, lock = _new_staging(target.parent if whole else target, target.name)
    finished = False
    try:
        yield staging
        with writing(target.name):
            staging.chmod(0o777 & ~_umask())
            if whole:
                _put_in_place(staging, target)
            else:
                _move_files(staging, target, marker=marker)
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


# ---------------------------------------------------------------- what may be replaced


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


# ---------------------------------------------------------------- putting it in place


def _put_in_place(staging: Path, target: Path) -> None:
    """Make `staging` the `target`; the old target, if any, ends up under staging's name."""
    if not target.exists():
        staging.rename(target)
        return
    _keep_foreign(target, staging)
    if _exchange(staging, target):
        return
    # Without the exchange call two moves are needed; _sweep undoes the first if we die between.
    aside = Path(tempfile.mkdtemp(prefix=_prefix(target.name) + "old-", dir=target.parent))
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
    own = (OUR_FILES | _named_by_user(old)) - OUR_FOLDERS
    for entry in old.iterdir():
        ours = entry.name in own or _is_own_folder(entry)
        if ours or entry.name.startswith(_prefix(old.name)):
            continue
        if entry.is_symlink() or not entry.is_dir():
            _link(entry, new / entry.name)
        else:
            shutil.copytree(entry, new / entry.name, symlinks=True, copy_function=_link)


def _named_by_user(folder: Path) -> frozenset[str]:
    """Files of ours whose names depend on the input: an atlas's, as stats.json names it."""
    try:
        atlases = json.loads((folder / STATISTICS).read_bytes())["atlases"] or {}
        return frozenset(f"atlas_{name}{suffix}" for name in atlases for suffix in ATLAS_FILES)
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def _link(source: str | Path, destination: str | Path) -> None:
    try:
        os.link(source, destination, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, destination, follow_symlinks=False)


def _move_files(staging: Path, target: Path, *, marker: str) -> None:
    """Move file by file, the marker last, and take away what an earlier run of ours left."""
    names = sorted(entry.name for entry in staging.iterdir() if entry.name != marker)
    for name in set(names) & OUR_FOLDERS:
        _require_own_folder(target / name)
    ours = OUR_FILES | _named_by_user(target)
    stale = ours - set(names) if is_ours(target, marker=marker) else {marker}
    (target / marker).unlink(missing_ok=True)
    for name in [*names, marker]:
        if (staging / name).exists():
            _move(staging / name, target / name)
    for name in stale - {marker} - OUR_FOLDERS:
        (target / name).unlink(missing_ok=True)
    for name in stale & OUR_FOLDERS:
        if _is_own_folder(target / name):
            shutil.rmtree(target / name, ignore_errors=True)


def _is_own_folder(folder: Path) -> bool:
    """Whether it is the folder of a visit that we wrote, or that of all between."""
    if folder.name not in OUR_FOLDERS or folder.is_symlink() or not folder.is_dir():
        return False
    held = [folder]
    if folder.name == BETWEEN:  # visits, and what changed from one to the other
        held = [one for one in folder.glob("visit[0-9]*") if "_to_" not in one.name]
    return bool(held) and all(is_ours(one) for one in held)


def _require_own_folder(folder: Path) -> None:
    if folder.exists() and not _is_own_folder(folder):
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


# ---------------------------------------------------------------- what killed runs left


def _prefix(name: str) -> str:
    return f".{name}.{PROGRAM}-"


def _new_staging(home: Path, name: str) -> tuple[Path, int]:
    """A new hidden folder in `home` and the lock that marks it as in use; the dead ones go."""
    guard = os.open(home, os.O_RDONLY)
    try:
        _try_lock(guard, fcntl.LOCK_EX)  # no other run may sweep between making and locking
        _sweep(home, name)
        staging = Path(tempfile.mkdtemp(prefix=_prefix(name), dir=home))
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
    for left in sorted(home.glob(f"{_glob_safe(_prefix(name))}*")):
        if not left.is_dir() or left.is_symlink() or _is_alive(left):
            continue
        if left.name.startswith(_prefix(name) + "old-") and not target.exists():
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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
