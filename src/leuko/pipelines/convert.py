"""Conversion between image formats: the world stays, and what is lost is said."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from leuko.errors import LeukoError, ReadError, UsageError, WriteError
from leuko.findings import Finding
from leuko.formats.archive import unpacked
from leuko.formats.byte_source import ByteSource
from leuko.formats.detect import HEAD_BYTES, recognise
from leuko.formats.folder import survey
from leuko.formats.geometry import LABELS
from leuko.formats.labels import TABLES, LabelTable, label_table, read_labels
from leuko.formats.labels_segments import layers_apart, segment_labels
from leuko.formats.losses import losses
from leuko.formats.read import read
from leuko.formats.registry import FORMATS
from leuko.formats.write import files_of, format_to_write, write, write_text
from leuko.image.image import Image
from leuko.pipelines.convert_image import Conversion, changed, header_left
from leuko.pipelines.convert_names import safe_name, stem

if TYPE_CHECKING:
    from leuko.dicom.study import Stack

__all__ = ["Conversion", "Converted", "convert"]

DEFAULT_SUFFIX = ".nii.gz"
KEY = "{key}"  # in OUT: where the key of a DICOM stack or the name of a file goes
Progress = Callable[["Converted"], None]


@dataclass(frozen=True, slots=True)
class Converted:
    """One image that was written, or was not (`error` says why, `hint` what to do)."""

    source: str
    key: str = ""
    files: tuple[str, ...] = ()
    format: str = ""
    shape: tuple[int, ...] = ()
    spacing_mm: tuple[float, float, float] | None = None
    orientation: str | None = None
    findings: tuple[Finding, ...] = ()
    error: str = ""
    hint: str = ""
    exit_code: int = 0


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    to: str = "",
    series: str = "",
    force: bool = False,
    how: Conversion | None = None,
    told: Progress = lambda converted: None,  # noqa: ARG005
) -> tuple[Converted, ...]:
    """Convert an image, a DICOM study or a folder of images; voxels keep their place in the world.

    `target` names the file to write; its suffix is the format. Where `source` holds several
    images, `target` is a folder, or a pattern with {key}: each is written under its name (of a
    DICOM stack: its key) in the format `to` (a suffix or a format's name, by default .nii.gz);
    those that fail are reported in the result and stop nothing. `series` picks one DICOM stack.
    Raises what reading and writing raise, UsageError (exit 2) where `target` would replace the
    input, WriteError (exit 6) where it is there already and `force` is not set.
    """
    given, wanted = Path(source), Path(target)
    asked = how or Conversion()
    many = wanted.is_dir() or not wanted.suffix or os.fspath(target).endswith(os.sep)
    job = _Job(given, wanted, many, to, force, asked, _table(asked), told)
    if not given.exists():
        raise ReadError(f"There is no file {given.name}.", hint="Check the path and its spelling.")
    with _opened(given) as (place, dicom):
        if dicom:
            return job.study(place, series=series)
        if series:
            raise UsageError(
                f"{given.name} is no DICOM study, so that there is no series to choose.",
                hint="Leave out --series.",
            )
        if place.is_dir():
            return job.folder(place)
        return (job.one(read(place), job.single(place)),)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Path, bool]]:
    """The file or folder to read (an archive unpacked), and whether it is DICOM."""
    with unpacked(path) as place:
        if not place.is_dir():
            with ByteSource(place) as source:
                yield place, recognise(source.peek(HEAD_BYTES)) == "dicom"
            return
        found = survey(place)
        if found.dicom and found.volumes:
            raise UsageError(
                f"{path.name} holds a DICOM study and images of other formats.",
                hint="Give the folder of the study, or the files, apart.",
            )
        # Pictures beside a study are those of the viewer that the hospital put on the disc.
        images = [] if found.dicom else [*found.volumes, *found.pictures]
        yield (images[0] if len(images) == 1 else place), bool(found.dicom)


def _table(asked: Conversion) -> LabelTable:
    if not asked.labels:
        return LabelTable()
    from leuko.pipelines.label_names import OWN_LABELS  # loaded on use

    if asked.labels in OWN_LABELS and not Path(asked.labels).exists():
        return OWN_LABELS[asked.labels]()
    return read_labels(Path(asked.labels))


@dataclass(frozen=True, slots=True)
class _Job:
    """One call of `convert`: where from, where to, and how."""

    source: Path
    target: Path
    many: bool  # OUT is a folder
    to: str
    force: bool
    how: Conversion
    table: LabelTable
    told: Progress

    def single(self, place: Path) -> Path:
        """The file to write for a single image."""
        if self.many or KEY in self.target.name:
            return self._named(stem(place.name))
        if self.to and not self.target.name.lower().endswith(self._suffix()):
            raise UsageError(
                f"{self.target.name} does not end in {self._suffix()}.",
                hint="Leave out --to: the name of OUT says the format.",
            )
        return self.target

    def study(self, place: Path, *, series: str) -> tuple[Converted, ...]:
        """Every usable stack of a DICOM study, or the one that `series` names."""
        from leuko.dicom.files import scan
        from leuko.dicom.image import load, read_dicom

        if series:
            image = read_dicom(place, series=series)
            return (self.one(image, self.single(Path(series))),)
        study = scan(place)
        stacks = study.usable
        if not self.many and KEY not in self.target.name:
            if len(stacks) > 1:
                keys = ", ".join(stack.key for stack in stacks)
                raise UsageError(
                    f"{self.source.name} holds {len(stacks)} images ({keys}), OUT names one.",
                    hint="Choose one with --series, or give a folder or a name with {key} as OUT.",
                )
            image = read_dicom(place)
            return (self.one(image, self.target, names=_segments(image, place)),)

        def write_stack(stack: Stack) -> Converted:
            return self.one(load(stack), self._named(stack.key), key=stack.key)

        done = [self._tried(partial(write_stack, stack), stack.key) for stack in stacks]
        for stack in study.stacks:
            if stack.usable:
                left = Converted(
                    stack.key, stack.key, error=stack.usable, hint=stack.hint, exit_code=4
                )
                self.told(left)
                done.append(left)
        if not done:
            image = read_dicom(place)
            target = self._named(stem(image.source.name if image.source else "image"))
            return (self.one(image, target, names=_segments(image, place)),)
        return tuple(done)

    def folder(self, place: Path) -> tuple[Converted, ...]:
        """Every image of a folder, into a folder."""
        found = survey(place)
        paths = [*found.volumes, *found.pictures]
        if not paths:
            read(place)  # says what is there instead
        if not self.many and KEY not in self.target.name:
            raise UsageError(
                f"{self.source.name} holds {len(paths)} images, OUT names one file.",
                hint="Give a folder as OUT, and the format with --to, for example --to nii.gz.",
            )
        names = {path: "_".join(path.relative_to(place).parts) for path in sorted(paths)}
        stems = Counter(stem(name) for name in names.values())

        def write_file(path: Path, name: str) -> Converted:
            alone = stems[stem(name)] == 1  # a.nii and a.nrrd would both become a.mgz
            return self.one(read(path), self._named(stem(name) if alone else name))

        return tuple(
            self._tried(partial(write_file, path, name), name) for path, name in names.items()
        )

    def one(
        self, image: Image, target: Path, *, key: str = "", names: LabelTable | None = None
    ) -> Converted:
        """Write one image to one file (or pair), with its tables; `names` are the image's own."""
        record = format_to_write(target.name, format=self._format())
        written = [target.with_name(name) for name in files_of(target.name)]
        self._require_free(written)
        table = self.table or names or segment_labels(image, layer=self.how.volume)
        ready, findings = changed(image, self.how, labels=bool(table))
        if self.many:
            target.parent.mkdir(parents=True, exist_ok=True)
        is_labels = bool(table) or any(f.code == LABELS for f in image.findings)
        apart = layers_apart(image, layer=self.how.volume)
        lost = (*losses(ready, record), *apart, *header_left(image))
        write(
            ready,
            target,
            labels=is_labels,
            names=table,
            exact=bool(self.how.dtype),
            format=record.name,
            version=self.how.version,
        )
        tables = self._companions(target, table)
        grid = ready.grid
        done = Converted(
            source=image.source.name if image.source else self.source.name,
            key=key,
            files=tuple(path.name for path in (*written, *tables)),
            format=record.name,
            shape=tuple(ready.data.shape),
            spacing_mm=grid.spacing if grid.sized else None,
            orientation=grid.orientation.code if grid.oriented else None,
            findings=(*image.findings, *findings, *lost),
        )
        self.told(done)
        return done

    def _companions(self, target: Path, table: LabelTable) -> list[Path]:
        """Tables of the label names, where the format has no place for them or all are wanted."""
        if not table:
            return []
        inside = target.name.lower().endswith(".seg.nrrd")
        suffixes = list(TABLES) if self.how.tables else [] if inside else [".tsv"]
        paths = [target.with_name(stem(target.name) + suffix) for suffix in suffixes]
        self._require_free(paths)
        for path, suffix in zip(paths, suffixes, strict=True):
            write_text(TABLES[suffix](table), path)
        return paths

    def _tried(self, work: Callable[[], Converted], name: str) -> Converted:
        """The result of one of many; a failure is a result, and stops no other."""
        try:
            return work()
        except LeukoError as error:
            done = Converted(
                name, error=error.what, hint=error.hint, exit_code=type(error).exit_code
            )
            self.told(done)
            return done

    def _require_free(self, paths: list[Path]) -> None:
        for path in paths:
            if self._is_input(path):
                raise UsageError(
                    f"{path.name} is the input itself, which is never replaced.",
                    hint="Choose another name or folder for OUT.",
                )
            if path.exists() and not self.force:
                raise WriteError(
                    f"{path.name} is there already.",
                    hint="Choose another name, or --force to replace it.",
                )

    def _is_input(self, path: Path) -> bool:
        if not path.exists():
            return False
        ends = [".gz", ""] if self.source.name.lower().endswith(".gz") else [""]
        halves = [
            self.source.with_name(n) for end in ends for n in files_of(self.source.name + end)
        ]
        real = Path(os.path.realpath(path))
        if self.source.is_dir():
            return real.is_relative_to(Path(os.path.realpath(self.source)))
        return any(half.exists() and half.samefile(path) for half in halves)

    def _named(self, key: str) -> Path:
        """The file for one of several images."""
        if KEY in self.target.name:
            return self.target.with_name(self.target.name.replace(KEY, safe_name(key)))
        return self.target / f"{safe_name(key)}{self._suffix()}"

    def _suffix(self) -> str:
        if self.to in FORMATS and FORMATS[self.to].written:
            return FORMATS[self.to].written[-1 if self.to == "nifti1" else 0]
        suffix = f".{self.to.lower().lstrip('.')}" if self.to else DEFAULT_SUFFIX
        format_to_write(f"image{suffix}")
        return suffix

    def _format(self) -> str:
        return self.to if self.to in FORMATS and FORMATS[self.to].writer else ""


def _segments(image: Image, place: Path) -> LabelTable:
    """The names that a DICOM segmentation gives its segments."""
    if image.source is None or image.source.format != "dicom-seg":
        return LabelTable()
    from leuko.dicom.seg_reader import segment_names

    paths = [place] if place.is_file() else sorted(place.rglob(image.source.name))
    return label_table(segment_names(paths[0])) if paths else LabelTable()
