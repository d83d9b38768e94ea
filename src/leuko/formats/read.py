"""Reading an image (file, folder or archive): known by its content, checked, never trusted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from leuko.errors import OutOfResources, ReadError, UnusableInput, UsageError
from leuko.findings import Finding, Policy, Severity, gate
from leuko.formats.archive import unpacked
from leuko.formats.byte_source import ByteSource
from leuko.formats.companions import sibling
from leuko.formats.detect import HEAD_BYTES, recognise
from leuko.formats.folder import choose
from leuko.formats.geometry import LABELS
from leuko.formats.registry import FORMATS, load
from leuko.image.image import Image

__all__ = ["read", "read_mask", "read_scan"]

_GIVE_AN_IMAGE = "Give an image: NIfTI, NRRD, MINC, MGH, MetaImage, DICOM, a picture ..."
_FOLDER = "The folder"
_HEADERS = (
    (".img", (".hdr", ".hdr.gz")),
    (".brik", (".HEAD", ".head")),
    (".raw", (".nhdr", ".mhd")),
    (".zraw", (".mhd",)),
)


def read(path: str | os.PathLike[str], *, series: str = "") -> Image:
    """Any image at `path`; axes are the file's, values are real and finite, lengths mm.

    `path` is a file, an archive or a folder that holds one image or a DICOM study; `series` names
    the series of the study (its key, number or UID, or a part of its description). Several
    volumes (time points, echoes) stand along a fourth axis. What was odd stands in
    `Image.findings` and refuses nothing. Raises ReadError (exit 3) where the file is no image or
    is broken, UsageError (exit 2) where several images could be meant, UnusableInput (exit 4)
    where its content has no grey values, SafetyRefusal (exit 5) where its places cannot be
    trusted, OutOfResources (exit 7) where memory does not suffice.
    """
    given = Path(path)
    if given.is_dir():
        return _read_chosen(given, name=_FOLDER, series=series)
    with ByteSource(given) as source:
        name = recognise(source.peek(HEAD_BYTES))
        if name == "tar" or (name in ("zip", "dicom") and not source.gzipped):
            return _read_container(given, name, series=series)
        if name in ("zip", "dicom"):
            raise ReadError(
                f"{source.name} is {FORMATS[name].title}, compressed once more with gzip.",
                hint="Unpack it with gunzip first.",
            )
        if series:
            raise UsageError(
                f"{source.name} is one image, not a DICOM study with several series.",
                hint="Leave out --series.",
            )
        header = None if name in ("nifti1", "nifti2") else _header_of(given, known=bool(name))
        if header is None:
            return _read_source(source, name)
    with ByteSource(header) as source:
        return _read_source(source, recognise(source.peek(HEAD_BYTES)))


def read_scan(
    path: str | os.PathLike[str], *, policy: Policy = Policy.DEFAULT, series: str = ""
) -> Image:
    """The one volume at `path`, as a scan to work on; `policy` decides which findings refuse it.

    Raises what `read` raises, and UnusableInput (exit 4) for several volumes, for pictures
    (whatever the policy: they have no size) and for findings that `policy` does not accept.
    """
    image = read(path, series=series)
    if not image.grid.sized:
        raise UnusableInput(
            f"{_name_of(image)} is a picture, not a scan: it has no size in mm and no sides.",
            hint="Give the scan itself, with its geometry (DICOM, NIfTI).",
        )
    return _accepted(image, policy=policy)


def read_mask(path: str | os.PathLike[str], *, policy: Policy = Policy.DEFAULT) -> Image:
    """The mask or label map at `path`: as `read_scan`, but it may say that it holds labels."""
    image = read(path)
    findings = tuple(finding for finding in image.findings if finding.code != LABELS)
    return _accepted(replace(image, findings=findings), policy=policy)


def _read_container(path: Path, name: str, *, series: str) -> Image:
    """The image in an archive, or of a DICOM file."""
    if name == "dicom":
        return _read_dicom(path, series=series)
    with unpacked(path) as folder:
        return _read_chosen(folder, name=path.name, series=series)


def _read_chosen(folder: Path, *, name: str, series: str) -> Image:
    chosen = choose(folder, series=series, name=name)
    if chosen == folder:
        return _read_dicom(folder, series=series, name="" if name == _FOLDER else name)
    return read(chosen, series=series)


def _read_dicom(path: Path, *, series: str, name: str = "") -> Image:
    with _memory(name or (_FOLDER if path.is_dir() else path.name)):
        image: Image = load(FORMATS["dicom"].reader)(path, series=series, name=name)
        return image


def _accepted(image: Image, *, policy: Policy) -> Image:
    if image.volumes > 1:
        raise UnusableInput(
            f"{_name_of(image)} holds {image.volumes} volumes, where one is needed.",
            hint="Choose one (time point, echo or weighting): leuko convert --volume.",
        )
    gate(image.findings, policy=policy)
    return image


def _name_of(image: Image) -> str:
    return image.source.name if image.source else "The image"


def _read_source(source: ByteSource, name: str | None) -> Image:
    if name is None:
        raise _unknown(source)
    record = FORMATS[name]
    if not record.reader:
        raise ReadError(
            f"{source.name} is {record.title}, which leuko cannot read yet.", hint=record.advice
        )
    with _memory(source.name):
        image: Image = load(record.reader)(source)
    return replace(image, findings=(*_name_findings(source), *image.findings))


@contextmanager
def _memory(name: str) -> Iterator[None]:
    try:
        yield
    except OutOfResources:
        raise
    except MemoryError as error:
        raise OutOfResources.of_memory(name) from error


def _header_of(path: Path, *, known: bool) -> Path | None:
    """The header beside a file of bare voxels (.img, .BRIK, .raw); None for any other file.

    A file `known` by its content needs none. Raises ReadError (exit 3) where it is missing.
    """
    for ending, headers in _HEADERS:
        for ends in (ending, ending + ".gz"):
            if not path.name.lower().endswith(ends):
                continue
            found = sibling(path, ends=ends, others=headers)
            if found is not None or known:
                return found
            stem = path.name[: -len(ends)]
            raise ReadError(
                f"{path.name} is the voxel half of a pair; its header, {stem}{headers[0]}, "
                "is missing.",
                hint=f"Put {stem}{headers[0]} into the same folder.",
            )
    return None


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
        hint=_GIVE_AN_IMAGE,
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
