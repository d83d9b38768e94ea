"""Reading an image file: recognised by its content, checked, and never trusted."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from leuko.errors import OutOfResources, ReadError, UnusableInput
from leuko.findings import Finding, Policy, Severity, gate
from leuko.formats.byte_source import ByteSource
from leuko.formats.detect import HEAD_BYTES, recognise
from leuko.formats.geometry import LABELS
from leuko.formats.registry import FORMATS, load
from leuko.image.image import Image

__all__ = ["read", "read_mask", "read_scan"]

_GIVE_NIFTI = "Give the scan as NIfTI (.nii or .nii.gz)."


def read(path: str | os.PathLike[str]) -> Image:
    """Any image at `path`; axes are the file's, values are real and finite, lengths mm.

    Several volumes (time points, echoes) stand along a fourth axis. What was odd stands in
    `Image.findings` and refuses nothing. Raises ReadError (exit 3) where the file is no image or
    is broken, UnusableInput (exit 4) where its content has no grey values, OutOfResources
    (exit 7) where memory does not suffice.
    """
    given = Path(path)
    with ByteSource(given) as source:
        name = recognise(source.peek(HEAD_BYTES))
        header = None if name in ("nifti1", "nifti2") else _header_half(given)
        if header is None:
            return _read_source(source, name)
    with ByteSource(header) as source:
        name = recognise(source.peek(HEAD_BYTES))
        return _read_source(source, name)


def read_scan(path: str | os.PathLike[str], *, policy: Policy = Policy.DEFAULT) -> Image:
    """The one volume at `path`, as a scan to work on; `policy` decides which findings refuse it.

    Raises what `read` raises, and UnusableInput (exit 4) for several volumes and for findings
    that `policy` does not accept.
    """
    return _accepted(read(path), policy=policy)


def read_mask(path: str | os.PathLike[str], *, policy: Policy = Policy.DEFAULT) -> Image:
    """The mask or label map at `path`: as `read_scan`, but it may say that it holds labels."""
    image = read(path)
    findings = tuple(finding for finding in image.findings if finding.code != LABELS)
    return _accepted(replace(image, findings=findings), policy=policy)


def _accepted(image: Image, *, policy: Policy) -> Image:
    if image.volumes > 1:
        name = image.source.name if image.source else "The image"
        raise UnusableInput(
            f"{name} holds {image.volumes} volumes, where one is needed.",
            hint="Choose one (time point, echo or weighting): leuko convert --volume.",
        )
    gate(image.findings, policy=policy)
    return image


def _read_source(source: ByteSource, name: str | None) -> Image:
    if name is None:
        raise _unknown(source)
    record = FORMATS[name]
    if not record.reader:
        raise ReadError(
            f"{source.name} is {record.title}, which leuko cannot read yet.", hint=record.advice
        )
    try:
        image: Image = load(record.reader)(source)
    except MemoryError as error:
        raise OutOfResources(
            f"{source.name} does not fit into the memory of this machine.",
            hint="Close other programs or use a machine with more memory.",
        ) from error
    return replace(image, findings=(*_name_findings(source), *image.findings))


_HALVES = {".img": ".hdr", ".brik": ".HEAD"}  # voxels without a header of their own


def _header_half(path: Path) -> Path | None:
    """The header of a pair where `path` is its voxel half; None where it is something else."""
    name = path.name.removesuffix(".gz")
    stem, dot, ending = name.rpartition(".")
    header = _HALVES.get(dot + ending.lower())
    if header is None:
        return None
    for suffix in (header, f"{header}.gz", header.swapcase()):
        candidate = path.with_name(stem + suffix)
        if candidate.is_file():
            return candidate
    raise ReadError(
        f"{path.name} is the voxel half of a pair; its header, {stem}{header}, is missing.",
        hint=f"Put {stem}{header} into the same folder.",
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
    named = source.name.lower().endswith((".gz", ".mgz"))
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
