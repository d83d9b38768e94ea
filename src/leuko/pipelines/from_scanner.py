"""From what a scanner exported to the scan that is segmented: studies, the choice of series, why.

Nothing here imports a DICOM library before there is DICOM to read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from leuko.errors import LeukoError, SafetyRefusal, UnusableInput, UsageError
from leuko.findings import Finding, Policy, Severity, gate
from leuko.formats.detect import HEAD_BYTES, recognise
from leuko.formats.read import read_scan
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.provenance import Value, file_sha256, name_of, sha_of
from leuko.progress import Journal

if TYPE_CHECKING:
    from leuko.dicom.choose import Choice
    from leuko.dicom.identity import Header
    from leuko.dicom.study import Stack, Study
    from leuko.pipelines.dicom_outputs import Origin
    from leuko.pipelines.model import Model
    from leuko.quantify.norms import Sex

__all__ = ["Taken", "Visit", "holds_dicom", "input_hashes", "likeness", "take", "visits"]

DOUBT = 0.2  # what a warning about an image takes from its likeness to a FLAIR
Score = Callable[[Image], float]
# Never DICOM, and not worth opening; DICOM itself has any name.
OTHER_SUFFIXES = (".nii", ".gz", ".json", ".tsv", ".txt", ".csv", ".html", ".pdf", ".png", ".md")


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """One study (Study Instance UID) of a path, and the folder or file that holds all its images.

    `files` are its images, None where nothing but this study lies below `root`: names only, since
    a cohort may be a thousand studies.
    """

    uid: str
    path: Path
    root: Path
    files: tuple[str, ...] | None = None

    def study(self) -> Study:
        """Its series, from the headers of its files."""
        from leuko.dicom.files import scan, scan_files

        return scan(self.root) if self.files is None else scan_files(self.files)


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A scan to work on, and where it came from.

    `t1` is the T1 of the same head, where the mask is wanted in its space or the network takes it.
    `origin` is what DICOM objects refer to, None where none are to be made; `source` says which
    series a DICOM scan is, `patient` of whom, only where that was asked for, as are `age` in years
    and `sex` for norms.
    """

    image: Image
    t1: Image | None = None
    origin: Origin | None = None
    source: dict[str, Value] | None = None
    patient: dict[str, str] | None = None
    age: float | None = None
    sex: Sex | None = None

    @property
    def name(self) -> str:
        """The file's name; of DICOM the series, since a folder may be named like a person."""
        return name_of(self.image.source)

    @property
    def sha256(self) -> str | None:
        """The hash of the input: of its file, or of all files of its series."""
        return sha_of(self.image.source)

    def noted(self) -> dict[str, object]:
        """What the journal says of the reading."""
        grid = self.image.grid
        series = {"series": self.source["series"]} if self.source else {}
        return {"shape": list(grid.shape), "spacing_mm": list(grid.spacing), **series}


def holds_dicom(path: Path) -> bool:
    """Whether the file at `path`, or any file below the folder, is DICOM by its content."""
    if not path.is_dir():
        return path.is_file() and _is_dicom(path)
    return any(_is_dicom(file) for file in _files(path))


def visits(path: Path) -> tuple[Visit, ...]:
    """The studies below `path`, each with its series; those of the first folders come first.

    Objects that are no images (reports, presentation states) make no study. Raises ReadError
    (exit 3) where `path` does not exist.
    """
    from leuko.dicom.files import files_by_study

    by_uid = files_by_study(path)
    alone = len(by_uid) == 1
    found = [
        Visit(uid, _home(files), path, None if alone else tuple(files))
        for uid, files in by_uid.items()
    ]
    return tuple(sorted(found, key=lambda visit: os.fspath(visit.path)))


def take(
    path: Path,
    visit: Visit | None,
    *,
    config: SegmentConfig,
    series: str = "",
    t1_series: str = "",
    t1: Path | None = None,
    takes_t1: bool = False,
    score: Score | None = None,
) -> Taken:
    """Read the image at `path`, or choose the FLAIR of a visit and read it.

    `series` and `t1_series` name the series to take instead of choosing, `t1` a file with the T1,
    which is read where `config.t1_space` needs it or the network `takes_t1`: that of a study only
    where `t1_series` names it; `score` says how much
    the voxels of an image look like a FLAIR's, for studies whose headers don't tell. Raises what
    `formats.read_scan` raises; SafetyRefusal (exit 5) where one study is of two patients,
    UnusableInput (exit 4) where no series is a FLAIR or the policy refuses what was found,
    UsageError (exit 2) for a series that is not there.
    """
    policy = Policy(config.policy)
    if visit is None:
        if series or t1_series:
            raise UsageError(
                f"{path.name} is no DICOM study, and has no series to name.",
                hint="Leave out --series and --t1-series.",
            )
        image = read_scan(path, policy=policy)
        image = replace(image, findings=(*image.findings, *_for_dicom_alone(config)))
        return Taken(image, _t1_of_file(t1, config=config, takes_t1=takes_t1))
    from leuko.dicom.identity import tolerant
    from leuko.dicom.image import load

    study = visit.study()
    about_patient = _one_patient(study)
    choice = _choice(study, series=series, t1_series=t1_series, score=score)
    image = load(choice.flair, name=f"DICOM series {choice.flair.key}")
    if image.volumes > 1:
        raise UnusableInput(
            f"Series {choice.flair.key} holds {image.volumes} volumes, where one is needed.",
            hint="Name another one with --series, or convert one volume: leuko convert --volume.",
        )
    # The FLAIR is enough: the network is shown a T1 that was asked for, not every T1 there is.
    asked = takes_t1 and (t1 is not None or bool(t1_series))
    beside, about_t1 = _t1_of_study(t1, choice.t1, config=config, takes_t1=asked)
    with_t1 = beside is not None and t1 is None
    findings = [*study.findings, *about_patient, *image.findings, _why(choice, with_t1=with_t1)]
    findings += [*about_t1, *_about_agent(choice.flair)]
    origin, patient, age, sex = None, None, None, None
    if config.dicom or config.patient or config.age == "dicom":
        with tolerant():
            headers = choice.flair.headers()
        patient = _about_patient(headers) if config.patient else None
        if config.age == "dicom":
            age, sex, unknown = _age_and_sex(headers)
            findings += unknown
        if config.dicom:
            origin, refused = _origin(choice.flair, headers)
            findings += refused
    gate(findings, policy=policy)
    whole = Image(image.data, image.grid, image.source, tuple(findings))
    return Taken(whole, beside, origin, _source(choice), patient, age, sex)


def _about_agent(flair: Stack) -> tuple[Finding, ...]:
    """A note where the headers say that the FLAIR was made after a contrast agent was given."""
    from leuko.dicom.evidence import has_contrast

    if not has_contrast(flair):
        return ()
    note = Finding(
        "scanner.contrast_agent",
        Severity.NOTE,
        "The FLAIR was made after a contrast agent was given.",
        "Vessels, meninges and choroid plexus may be brighter than leuko was made for: look at "
        "the mask, and compare volumes only among scans of this kind.",
    )
    return (note,)


def _for_dicom_alone(config: SegmentConfig) -> tuple[Finding, ...]:
    """A note where something was asked for that only a DICOM scan can have."""
    asked = {
        "--anatomy-seg": config.anatomy_seg,
        "--fractional-seg": config.fractional_seg,
        "--patient": config.patient,
        "--age dicom": config.age == "dicom",
    }
    idle = [option for option, given in asked.items() if given]
    if not idle:
        return ()
    note = Finding(
        "scanner.no_dicom",
        Severity.NOTE,
        f"The scan is no DICOM: {', '.join(idle)} did nothing.",
        "DICOM objects belong to a study: give the folder or archive that was exported.",
    )
    return (note,)


def _t1_of_file(file: Path | None, *, config: SegmentConfig, takes_t1: bool) -> Image | None:
    """The T1 that was given, where anything is done with it."""
    if file is None and config.t1_space:
        raise UsageError(
            "There is no T1 in whose space the mask could lie.",
            hint="Give it with --t1 FILE, or leave out --t1-space.",
        )
    if file is None or not (config.t1_space or config.fill or takes_t1):
        return None
    return read_scan(file, policy=Policy.LENIENT)


def _t1_of_study(
    file: Path | None, stack: Stack | None, *, config: SegmentConfig, takes_t1: bool
) -> tuple[Image | None, tuple[Finding, ...]]:
    """The T1 that was given, else that of the study; a finding where it cannot be had.

    Only who asks for the mask in its space must have one.
    """
    if file is not None or stack is None:
        return _t1_of_file(file, config=config, takes_t1=takes_t1), ()
    if not (config.t1_space or takes_t1):
        return None, ()
    from leuko.dicom.image import load

    try:
        return load(stack, name=f"DICOM series {stack.key}"), ()
    except LeukoError as error:
        if config.t1_space:
            raise
        from leuko.quality.t1 import unused_t1

        return None, (unused_t1(error.what, hint=error.hint),)


def likeness(image: Image, *, config: SegmentConfig, model: Model) -> float:
    """How much an image looks like the FLAIR of a head: 1, or less for every doubt, 0 for none.

    The network finds the tissues, and their brightness tells the contrast (`quality`).
    """
    from leuko.pipelines.observe import observe

    lenient = structs.replace(config, policy="lenient")
    try:
        seen = observe(image, config=lenient, model=model, journal=Journal())
    except LeukoError:
        return 0.0
    graves = [finding.severity for finding in seen.findings if finding.code.startswith("scan.")]
    if Severity.REFUSAL in graves:
        return 0.0
    return max(0.1, 1.0 - DOUBT * graves.count(Severity.WARNING))


def input_hashes(
    path: Path,
    visit: Visit | None,
    *,
    series: str = "",
    t1_series: str = "",
    t1: Path | None = None,
    takes_t1: bool = False,
    score: Score | None = None,
) -> tuple[str | None, str | None]:
    """The hashes that `take` would give FLAIR and T1, without reading pixels; None without one.

    That of the T1 only for a network that `takes_t1`.
    """
    try:
        of_t1 = file_sha256(t1) if t1 is not None and takes_t1 else None
        if visit is None:
            return (file_sha256(path) if path.is_file() else None), of_t1
        choice = _choice(visit.study(), series=series, t1_series=t1_series, score=score)
        beside = choice.t1 if takes_t1 and t1_series and t1 is None else None
        return _stack_sha256(choice.flair), of_t1 if beside is None else _stack_sha256(beside)
    except (LeukoError, OSError):
        return None, None


def _stack_sha256(stack: Stack) -> str:
    files = [bytes.fromhex(file_sha256(Path(item.path))) for item in stack.instances]
    return files[0].hex() if len(files) == 1 else sha256(b"".join(sorted(files))).hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not name.startswith(".") and not name.lower().endswith(OTHER_SUFFIXES):
                yield Path(place) / name


def _is_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return recognise(file.read(HEAD_BYTES)) == "dicom"
    except OSError:
        return False


def _home(files: Sequence[str]) -> Path:
    """The deepest folder that holds all the files; a single file is itself."""
    return Path(os.path.commonpath([os.path.realpath(path) for path in files]))


def _one_patient(study: Study) -> tuple[Finding, ...]:
    """Refuse files of two patients; where only what is written of one differs, a finding."""
    told = {item.patient: item for stack in study.stacks for item in stack.instances}
    told.pop("", None)
    if len(told) <= 1:
        return ()
    from leuko.dicom.headers import read_headers
    from leuko.dicom.identity import same_patient, tolerant

    frames = [
        frame for stack in study.stacks for frame in stack.frames if frame.instance in told.values()
    ]
    with tolerant():
        headers = read_headers(frames, slices=len(frames))
    if not same_patient(headers):
        raise SafetyRefusal(
            "Files of one study (one Study Instance UID) are of different patients.",
            hint="Find out whose they are, and give the files of one patient alone.",
        )
    return (
        Finding(
            "scanner.patient_differs",
            Severity.WARNING,
            "Series of this study write the patient's name or birth date differently, under one "
            "patient ID.",
            "Make sure that they are of one person.",
        ),
    )


def _about_patient(headers: Sequence[Header]) -> dict[str, str]:
    """Of whom and of which study the images are, for a record that is to name them."""
    from leuko.dicom.identity import about_patient

    return about_patient(headers[0])


def _age_and_sex(
    headers: Sequence[Header],
) -> tuple[float | None, Sex | None, tuple[Finding, ...]]:
    """Age in years and sex as the header says, with a note where it says no age."""
    from leuko.dicom.identity import age_and_sex

    age, sex = age_and_sex(headers[0])
    if age is not None:
        return age, sex, ()
    note = Finding(
        "norm.no_age",
        Severity.NOTE,
        "The DICOM header names no age: there is no place among norms.",
        "Give it in years: --age.",
    )
    return None, sex, (note,)


def _choice(study: Study, *, series: str, t1_series: str, score: Score | None) -> Choice:
    from leuko.dicom.choose import choose

    return choose(study, series=series, t1_series=t1_series, score=score)


def _why(choice: Choice, *, with_t1: bool) -> Finding:
    """What was taken and why, for whoever reads the result."""
    flair = next(reason for reason in choice.reasons if reason.role == "flair")
    t1 = next((reason for reason in choice.reasons if reason.role == "t1" and with_t1), None)
    others = [f"{r.key} ({r.description})" for r in choice.reasons if r not in (flair, t1)]
    also = f" Series {t1.key} ({t1.description}) was taken as the T1." if t1 else ""
    return Finding(
        "scanner.series",
        Severity.NOTE,
        f"Series {flair.key} ({flair.description}) was taken as the FLAIR: {flair.why}.{also}",
        f"Not used: {'; '.join(others)}. To take another one: --series KEY." if others else "",
    )


def _source(choice: Choice) -> dict[str, Value]:
    """The choice, for the record."""
    chosen = {reason.role: reason for reason in choice.reasons if reason.role}
    others = [reason for reason in choice.reasons if not reason.role]
    flair, t1 = chosen["flair"], chosen.get("t1")
    return {
        "series": flair.key,
        "series_description": flair.description,
        "series_why": flair.why,
        "t1_series": t1.key if t1 else None,
        "t1_series_description": t1.description if t1 else None,
        "t1_series_why": t1.why if t1 else None,
        "other_series": "; ".join(f"{r.key} ({r.description}): {r.why}" for r in others) or None,
    }


def _origin(stack: Stack, headers: Sequence[Header]) -> tuple[Origin | None, tuple[Finding, ...]]:
    """What DICOM objects refer to; a finding where none can be made."""
    from leuko.dicom.identity import require_one_study
    from leuko.dicom.references import grid_of, planes_of
    from leuko.pipelines.dicom_outputs import Origin

    try:
        require_one_study(headers)
        grid_of(planes_of(headers, frames=stack.frames))
    except SafetyRefusal as refusal:
        found = Finding(
            "scanner.no_objects",
            Severity.WARNING,
            f"No DICOM objects were made: {refusal.what}",
            refusal.hint,
        )
        return None, (found,)
    return Origin(headers, stack.frames), ()
