"""Reading an image file: recognised by its content, checked, and never trusted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from leuko.errors import OutOfResources, ReadError
from leuko.findings import Finding, Policy, Severity, gate
from leuko.formats.byte_source import ByteSource
from leuko.formats.detect import HEAD_BYTES, recognise
from leuko.formats.registry import FORMATS, load
from leuko.image.image import Image

__all__ = ["read"]

_GIVE_NIFTI = "Give the scan as NIfTI (.nii or .nii.gz)."


def read(
    path: str | os.PathLike[str],
    *,
    policy: Policy = Policy.DEFAULT,
    expect: Literal["scan", "mask"] = "scan",
) -> Image:
    """Read the image at `path`; axes are the file's, values are real and finite, lengths mm.

    What was odd stands in `Image.findings`; `policy` decides which findings refuse the file.
    `expect='mask'` accepts what only a label map may say of itself. Raises ReadError (exit 3)
    where the file is no image or is broken, UnusableInput (exit 4) where its content cannot be
    used, OutOfResources (exit 7) where memory does not suffice.
    """
    given = Path(path)
    with ByteSource(given) as source:
        name = recognise(source.peek(HEAD_BYTES))
        header = None if name in ("nifti1", "nifti2") else _header_half(given)
        if header is None:
            return _read_source(source, name, policy=policy, expect=expect)
    with ByteSource(header) as source:
        name = recognise(source.peek(HEAD_BYTES))
        return _read_source(source, name, policy=policy, expect=expect)


def _read_source(
    source: ByteSource, name: str | None, *, policy: Policy, expect: Literal["scan", "mask"]
) -> Image:
    if name is None:
        raise _unknown(source)
    record = FORMATS[name]
    if not record.reader:
        raise ReadError(
            f"{source.name} is {record.title}, which leuko cannot read yet.", hint=record.advice
        )
    try:
        image: Image = load(record.reader)(source, expect=expect)
    except MemoryError as error:
        raise OutOfResources(
            f"{source.name} does not fit into the memory of this machine.",
            hint="Close other programs or use a machine with more memory.",
        ) from error
    findings = (*_name_findings(source), *image.findings)
    gate(findings, policy=policy)
    return Image(image.data, image.grid, image.source, findings)


def _header_half(path: Path) -> Path | None:
    """The .hdr file of a pair where `path` is its .img file; None where it is something else."""
    name = path.name.removesuffix(".gz")
    if not name.lower().endswith(".img"):
        return None
    stem = name[: -len(".img")]
    for suffix in (".hdr", ".hdr.gz", ".HDR"):
        candidate = path.with_name(stem + suffix)
        if candidate.is_file():
            return candidate
    raise ReadError(
        f"{path.name} is the voxel half of a pair; its header, {stem}.hdr, is missing.",
        hint=f"Put {stem}.hdr into the same folder.",
    )


def _unknown(source: ByteSource) -> ReadError:
    if source.file_size == 0:
        return ReadError(
            f"{source.name} is empty (0 bytes).", hint="Copy or download the file again."
        )
    if source.ends_early:
        return ReadError(
            f"{source.name} is truncated: its gzip stream stops within the header.",
            hint="Copy or download the file again.",
        )
    return ReadError(
        f"{source.name} is not an image: its content is of no format that leuko knows.",
        hint=_GIVE_NIFTI,
    )


def _name_findings(source: ByteSource) -> list[Finding]:
    named = source.name.lower().endswith(".gz")
    if named == source.gzipped:
        return []
    is_what = "gzip-compressed" if source.gzipped else "not compressed"
    return [
        Finding(
            "file.name_misleads",
            Severity.NOTE,
            f"The file is {is_what}, which its name does not say; other software may refuse it.",
        )
    ]
