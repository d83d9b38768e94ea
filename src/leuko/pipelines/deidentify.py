"""The same files without their patients: DICOM by the basic profile, NIfTI headers."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from leuko.errors import LeukoError, ReadError, SafetyRefusal, UsageError, WriteError
from leuko.formats.archive import is_archive, unpacked
from leuko.formats.byte_source import ByteSource
from leuko.formats.detect import HEAD_BYTES, recognise
from leuko.formats.nifti_strip import stripped
from leuko.formats.registry import FORMATS
from leuko.pipelines.deidentify_keys import SECRET_BYTES, mapping_place, write_mapping
from leuko.pipelines.outputs import out_folder, writing
from leuko.pipelines.provenance import program_version

if TYPE_CHECKING:
    from leuko.dicom.deidentify import Deidentifier

__all__ = ["Deidentification", "LeftOut", "as_json", "deidentify"]

SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
LEAST_SECRET = 16
RUBBISH = {"__MACOSX", "Thumbs.db", ".DS_Store", "desktop.ini"}
Why = Literal["refused", "unreadable", "no image"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that was not written: its name (no folder), why, and what can be done."""

    file: str
    why: Why
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Deidentification:
    """What a run did: files written, under which names, and every file that it left out."""

    files: int
    subjects: tuple[str, ...]
    series: int
    left_out: tuple[LeftOut, ...]
    duplicates: int
    blanked: int
    geometry_lost: int
    edition: str
    options: tuple[str, ...]

    @property
    def refused(self) -> tuple[LeftOut, ...]:
        """The images and documents that identify by what they show or say."""
        return tuple(item for item in self.left_out if item.why == "refused")


def _silent(_: int) -> None:
    """Nobody watches."""


def deidentify(
    path: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str],
    subject: str = "",
    subjects: Mapping[str, str] | None = None,
    secret: bytes = b"",
    mapping: str | os.PathLike[str] = "",
    blank: Sequence[tuple[int, int, int, int]] = (),
    pixels_checked: bool = False,
    retain_safe_private: bool = False,
    retain_uids: bool = False,
    retain_device: bool = False,
    retain_institution: bool = False,
    retain_patient_characteristics: bool = False,
    retain_dates: Literal["", "full", "modified"] = "",
    clean_descriptors: bool = False,
    clean_structured_content: bool = False,
    clean_graphics: bool = False,
    watch: Callable[[int], None] = _silent,
) -> Deidentification:
    """Write the DICOM and NIfTI files at `path` into the new folder `out` without their patients.

    `path` is a file, a folder or an archive. The options are those of PS3.15 E.3, by their names;
    `secret` makes new names and UIDs the same in every run that uses it (random where empty),
    `blank` are rectangles (x, y, width, height) for pictures that may show text; `watch` is told
    how many files were written so far. A file is written
    whole or not at all, and what could not be cleaned is in `left_out`. Raises UsageError (exit 2;
    also for an `out` within `path`, which the next run would take for patients' images),
    SafetyRefusal (exit 5) or ReadError (exit 3) where nothing could be written, and WriteError
    (exit 6) where `out` holds something already.
    """
    from leuko.dicom.deidentify import Deidentifier, Rules
    from leuko.dicom.deidentify_pixels import Rectangle
    from leuko.dicom.profile import EDITION, OPTION_CODES, Options

    options = Options(
        retain_safe_private=retain_safe_private,
        retain_uids=retain_uids,
        retain_device=retain_device,
        retain_institution=retain_institution,
        retain_patient_characteristics=retain_patient_characteristics,
        retain_dates=retain_dates,
        clean_descriptors=clean_descriptors,
        clean_structured_content=clean_structured_content,
        clean_graphics=clean_graphics,
    )
    _require_sound(subject, subjects, secret)
    _require_apart(Path(path), Path(out))
    rules = Rules(
        options=options,
        subject=subject,
        subjects=dict(subjects or {}),
        blank=tuple(Rectangle(*box) for box in blank),
        pixels_checked=pixels_checked,
    )
    cleaner = Deidentifier(
        rules, secret=secret or secrets.token_bytes(SECRET_BYTES), version=program_version()
    )
    kept_mapping = mapping_place(mapping, out)
    with unpacked(path) as given, out_folder(out, inputs=(Path(path),)) as folder:
        done = _Run(cleaner, folder, subject)
        for file in _files(given):
            done.take(file)
            watch(done.files)
        if not done.files:
            raise done.nothing()
        if kept_mapping:
            write_mapping(kept_mapping, cleaner, done.names)
    return Deidentification(
        files=done.files,
        subjects=tuple(done.series),
        series=sum(len(numbers) for numbers in done.series.values()),
        left_out=tuple(done.left_out),
        duplicates=done.duplicates,
        blanked=done.blanked,
        geometry_lost=done.geometry_lost,
        edition=EDITION,
        options=tuple(OPTION_CODES[letter][1] for letter in options.letters),
    )


class _Run:
    """The folder being written: who is in it, and what was left out.

    Files are named by numbers in the order in which they come: a name or an old number of the
    source says nothing any more.
    """

    def __init__(self, cleaner: Deidentifier, folder: Path, subject: str) -> None:
        self.cleaner = cleaner
        self.folder = folder
        self.subject = subject
        self.files = self.duplicates = self.blanked = self.geometry_lost = 0
        self.names: list[tuple[str, str]] = []
        self.left_out: list[LeftOut] = []
        self.series: dict[str, dict[str, int]] = {}
        self._counts: dict[tuple[str, int], int] = {}
        self._known: dict[str, bytes] = {}

    def take(self, file: Path) -> None:
        """Deidentify one file into the folder, or note why not."""
        try:
            kind = _kind_of(file)
            if kind == "dicom":
                self._dicom(file)
            elif kind.startswith("nifti"):
                self._nifti(file)
            else:
                self._leave(file, "no image", _what_it_is(kind))
        except SafetyRefusal as error:
            self._leave(file, "refused", error.what, error.hint)
        except LeukoError as error:
            if error.exit_code not in (3, 4):
                raise
            self._leave(file, "unreadable" if error.exit_code == 3 else "no image",
                        error.what, error.hint)  # fmt: skip

    def _dicom(self, file: Path) -> None:
        from hashlib import sha256

        clean = self.cleaner.file(_content(file), name=file.name)
        digest = sha256(clean.content).digest()
        if self._known.get(clean.instance_uid) == digest:
            self.duplicates += 1
            return
        self._known[clean.instance_uid] = digest
        numbers = self.series.setdefault(clean.subject, {})
        number = numbers.setdefault(clean.series_uid, len(numbers) + 1)
        count = self._counts[clean.subject, number] = 1 + self._counts.get(
            (clean.subject, number), 0
        )
        self.blanked += clean.blanked
        self.geometry_lost += clean.geometry_lost
        place = Path(clean.subject) / f"{number:03d}" / f"{count:05d}.dcm"
        self._write(file, place, clean.content)

    def _nifti(self, file: Path) -> None:
        content = stripped(file)
        name = self.subject or "images"
        numbers = self.series.setdefault(name, {})
        number = numbers.setdefault(f"file {len(numbers) + 1}", len(numbers) + 1)
        ending = ".nii.gz" if content[:2] == b"\x1f\x8b" else ".nii"
        self._write(file, Path(name) / f"{number:03d}{ending}", content)

    def _write(self, file: Path, place: Path, content: bytes) -> None:
        with writing(place.name):
            (self.folder / place).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / place).write_bytes(content)
        self.files += 1
        self.names.append((file.name, place.as_posix()))

    def _leave(self, file: Path, why: Why, reason: str, hint: str = "") -> None:
        self.left_out.append(LeftOut(file.name, why, reason, hint))

    def nothing(self) -> LeukoError:
        """The error for an input of which no file could be written."""
        for why, kind in (("refused", SafetyRefusal), ("unreadable", ReadError)):
            for item in self.left_out:
                if item.why == why:
                    return kind(item.reason, hint=item.hint)
        return ReadError(
            "There is no DICOM or NIfTI file in what was given.",
            hint="Give a file, a folder or an archive of DICOM or NIfTI images.",
        )


def as_json(done: Deidentification) -> str:
    """A run as JSON: the fields of `Deidentification`."""
    return json.dumps(asdict(done), indent=2) + "\n"


# ---------------------------------------------------------------- what comes in


def _files(given: Path) -> Iterator[Path]:
    """Every file below a folder and in archives there, in a fixed order, without rubbish."""
    if not given.is_dir():
        yield given
        return
    for file in sorted(given.rglob("*")):
        parts = set(file.relative_to(given).parts)
        if not file.is_file() or parts & RUBBISH or file.name.startswith("._"):
            continue
        if is_archive(file):
            with unpacked(file) as inside:
                yield from _files(inside)
        else:
            yield file


def _kind_of(file: Path) -> str:
    with ByteSource(file) as source:
        return recognise(source.peek(HEAD_BYTES)) or ""


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ReadError(f"{file.name} cannot be read: {error.strerror}.") from error


def _what_it_is(kind: str) -> str:
    title = FORMATS[kind].title if kind else "no image that leuko knows"
    return f"It is {title}; only DICOM and NIfTI files are deidentified."


def _require_apart(path: Path, out: Path) -> None:
    """Refuse an OUT within the study, and one that holds something: files of two runs would mix."""
    source, target = Path(os.path.realpath(path)), Path(os.path.realpath(out))
    if target.is_relative_to(source):
        raise UsageError(
            f"The folder {target.name} would lie within what is deidentified.",
            hint="Choose a folder elsewhere with --out.",
        )
    if target.is_dir() and any(target.iterdir()):
        raise WriteError(
            f"The folder {target.name} is there already and holds something.",
            hint="Choose a new folder with --out.",
        )


def _require_sound(subject: str, subjects: Mapping[str, str] | None, secret: bytes) -> None:
    for name in (subject, *(subjects or {}).values()):
        if name and not SUBJECT.fullmatch(name):
            raise UsageError(
                "A subject's name has letters, digits, - and _ only, at most 63 of them.",
                hint="For example sub-001.",
            )
    if subject and subjects:
        raise UsageError("Give one subject or a table of subjects, not both.")
    if secret and len(secret) < LEAST_SECRET:
        raise UsageError(
            f"The secret has {len(secret)} bytes; fewer than {LEAST_SECRET} can be guessed.",
            hint="Give the name of a file that is not there yet: a good secret is written to it.",
        )
