"""Prepared cases kept on disk: made once, then mapped into memory and shared by all processes."""

from __future__ import annotations

import errno
import hashlib
import secrets
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from leuko.datasets.cases import load_item
from leuko.datasets.items import Item
from leuko.errors import OutOfResources, ReadError, WriteError
from leuko.image.grid import Grid
from leuko.preparation.case import CasePlan, PreparedCase

__all__ = ["VERSION", "cached", "key_of"]

VERSION = 1  # of what is kept; raise it when preparation changes its results
DESCRIPTION = "case.json"
ARRAYS = ("image", "label", "region")
_FULL = (errno.ENOSPC, errno.EDQUOT)


class _GridKept(msgspec.Struct, frozen=True):
    shape: tuple[int, int, int]
    affine: tuple[tuple[float, ...], ...]
    oriented: bool
    sized: bool


class _Kept(msgspec.Struct, frozen=True):
    """What `case.json` says of an entry: the sizes of its files in bytes prove it whole."""

    version: int
    files: dict[str, int]
    spacing: tuple[float, float, float]
    native: _GridKept
    working: _GridKept
    axes: tuple[int, int, int]


def cached(item: Item, *, plan: CasePlan, folder: Path | None) -> PreparedCase:
    """The prepared case of an item, from `folder` where it is kept there; else made and kept.

    Arrays of a kept case are mapped from the disk: opening one costs next to nothing, and processes
    share its memory; what is changed in them is changed for the caller alone. An entry is known by
    the content of the item's files and by the plan, so that a changed file or plan is prepared
    anew. A broken entry is remade. Entries are put in place whole, by whichever process is first.
    Without a folder every case is made.

    Raises what `load_item` raises, WriteError (exit 6) where the folder cannot be written,
    OutOfResources (exit 7) where the disk is full.
    """
    if folder is None:
        return load_item(item, plan=plan)
    entry = folder / key_of(item, plan=plan)
    kept = _opened(entry)
    if kept is not None:
        return kept
    case = load_item(item, plan=plan)
    _keep(case, entry)
    return _opened(entry) or case


def key_of(item: Item, *, plan: CasePlan) -> str:
    """The name of an item's entry: SHA-256 of its files, the plan and the version of the cache."""
    digest = hashlib.sha256(f"{VERSION}\n".encode() + msgspec.json.encode(plan))
    for role, paths in (
        ("image", item.images),
        ("label", (item.label,) if item.label else ()),
        ("region", (item.region,) if item.region else ()),
    ):
        for path in paths:
            digest.update(f"\n{role}\n".encode())
            for file in _contents(path):
                digest.update(_sha256(file))
    return digest.hexdigest()


def _contents(path: Path) -> list[Path]:
    """The files that an image consists of: itself, its other half, or all of a folder."""
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    stem = path.name.partition(".")[0]
    halves = {".hdr", ".img", ".mhd", ".raw", ".zraw", ".nhdr", ".head", ".brik"}
    if path.suffix.lower() not in halves and not path.name.lower().endswith((".hdr.gz", ".img.gz")):
        return [path]
    beside = (file for file in path.parent.iterdir() if file.name.partition(".")[0] == stem)
    return sorted(file for file in beside if file.is_file())


def _sha256(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise ReadError(f"{path.name} cannot be read.", hint="Check the path.") from error


def _opened(entry: Path) -> PreparedCase | None:
    """The case of an entry; None where it is not there or not whole."""
    try:
        kept = msgspec.json.decode((entry / DESCRIPTION).read_bytes(), type=_Kept)
        sizes = {name: (entry / name).stat().st_size for name in kept.files}
        if kept.version != VERSION or sizes != kept.files:
            return None
        arrays: dict[str, npt.NDArray[Any] | None] = dict.fromkeys(ARRAYS)
        for name in kept.files:
            mapped = np.load(entry / name, mmap_mode="c", allow_pickle=False)
            arrays[name.removesuffix(".npy")] = np.asarray(mapped)
    except (OSError, ValueError, EOFError, msgspec.DecodeError):
        return None
    image = arrays["image"]
    if image is None:
        return None
    return PreparedCase(
        image=image,
        label=arrays["label"],
        region=arrays["region"],
        spacing=kept.spacing,
        native=_grid(kept.native),
        working=_grid(kept.working),
        axes=kept.axes,
    )


def _keep(case: PreparedCase, entry: Path) -> None:
    """Write an entry aside and put it in place; one that is there is broken and gives way."""
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        # Not tempfile: its folders are private, a cache may be shared.
        aside = entry.parent / f".part-{secrets.token_hex(8)}"
        aside.mkdir()
    except OSError as error:
        raise _failed(error) from error
    try:
        files = {}
        for name in ARRAYS:
            array = getattr(case, name)
            if array is not None:
                np.save(aside / f"{name}.npy", array, allow_pickle=False)
                files[f"{name}.npy"] = (aside / f"{name}.npy").stat().st_size
        kept = _Kept(
            version=VERSION,
            files=files,
            spacing=case.spacing,
            native=_plain(case.native),
            working=_plain(case.working),
            axes=case.axes,
        )
        (aside / DESCRIPTION).write_bytes(msgspec.json.encode(kept))
        if entry.exists() and _opened(entry) is None:
            shutil.rmtree(entry, ignore_errors=True)
        _place(aside, entry)
    except OSError as error:
        raise _failed(error) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _place(aside: Path, entry: Path) -> None:
    try:
        aside.rename(entry)
    except OSError:
        if not entry.is_dir():  # else another process was first, with the same content
            raise


def _failed(error: OSError) -> OutOfResources | WriteError:
    if error.errno in _FULL:
        return OutOfResources(
            "The disk is full: prepared cases cannot be kept.",
            hint="Free some space, choose another folder, or train without a cache.",
        )
    return WriteError(
        f"Prepared cases cannot be kept: {error.strerror or 'the system refused'}.",
        hint="Choose a folder in which you may write, or train without a cache.",
    )


def _plain(grid: Grid) -> _GridKept:
    rows = tuple(tuple(float(value) for value in row) for row in grid.affine)
    return _GridKept(grid.shape, rows, grid.oriented, grid.sized)


def _grid(kept: _GridKept) -> Grid:
    return Grid(kept.shape, np.array(kept.affine), kept.oriented, kept.sized)
