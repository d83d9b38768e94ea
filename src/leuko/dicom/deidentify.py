"""A DICOM object without its patient: PS3.15 Annex E, attribute by attribute, at every depth.

Beyond the table, to be on the safe side: an attribute that no dictionary knows is removed; names,
dates and free text that the table does not list are replaced; UIDs that it does not list are
mapped; and a text that repeats the patient's name or number, wherever it stands, is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO

from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from leuko.dicom.codes import Code, coded, items
from leuko.dicom.deidentify_attributes import Cleaner
from leuko.dicom.deidentify_pixels import (
    Rectangle,
    blank,
    clear_embedded_overlays,
    require_silent_codestream,
    require_whole_pixels,
    risk_of_annotation,
    without_tail,
)
from leuko.dicom.deidentify_secrets import secrets_of, words_of
from leuko.dicom.identity import tolerant, uid_of
from leuko.dicom.profile import CLEAN_PIXELS_CODE, EDITION, OPTION_CODES, PROFILE_CODE, Options
from leuko.dicom.uids import UidMap, digest
from leuko.errors import LeukoError, ReadError, SafetyRefusal, UnusableInput

__all__ = ["Clean", "Deidentifier", "Rules"]

SHIFT_DAYS = (366, 3652)  # dates move back by one to ten years, the same for all of a patient
_DOCUMENTS = {
    "1.2.840.10008.5.1.4.1.1.88": "s",  # structured reports, key objects
    "1.2.840.10008.5.1.4.1.1.11": "g",  # presentation states
    "1.2.840.10008.5.1.4.1.1.104": "",  # encapsulated documents
    "1.2.840.10008.5.1.4.1.1.66": None,  # raw data; 66.x (registrations, SEG) are no raw data
}
_DIRECTORY = "1.2.840.10008.1.3.10"


@dataclass(frozen=True, slots=True)
class Rules:
    """What is kept and what is accepted.

    `subject` names the one patient of the input; `subjects` gives names by Patient ID; without
    either, a name is made from the secret. `blank` are rectangles to overwrite in pictures that may
    show text; `pixels_checked` says that somebody has looked and such pictures show none.
    """

    options: Options = field(default_factory=Options)
    subject: str = ""
    subjects: Mapping[str, str] = field(default_factory=dict)
    blank: tuple[Rectangle, ...] = ()
    pixels_checked: bool = False


@dataclass(frozen=True, slots=True)
class Clean:
    """A deidentified file, and what tells it from others: all of it new, nothing of the source.

    `geometry_lost`: the private attributes that said where its slices lie are gone.
    """

    content: bytes = field(repr=False)
    subject: str
    series_uid: str
    instance_uid: str
    blanked: bool = False
    geometry_lost: bool = False


class Deidentifier:
    """Deidentifies files of one run, or of several with the same secret, consistently."""

    def __init__(self, rules: Rules, *, secret: bytes, version: str) -> None:
        self.rules = rules
        self.uids = UidMap(secret)
        self.patients: dict[str, tuple[str, int]] = {}
        self._secret = secret
        self._version = version

    def file(self, content: bytes, *, name: str) -> Clean:
        """The deidentified file; `name` is only for messages.

        Raises SafetyRefusal (exit 5) for what identifies by its content, UnusableInput (exit 4)
        for an index, ReadError (exit 3) for what cannot be read to its end.
        """
        with tolerant():
            try:
                return self._file(content, name)
            except LeukoError:
                raise
            except Exception as error:  # a malformed file must not get through half cleaned
                raise ReadError(
                    f"{name} cannot be read to its end as DICOM, so that nothing vouches for it.",
                    hint="Leave the file out, or have the archive send it again.",
                ) from error

    def _file(self, content: bytes, name: str) -> Clean:
        dataset = _parsed(content, name=name)
        self._require_acceptable(dataset, name)
        require_whole_pixels(dataset, name=name)
        without_tail(dataset)
        blanked = self._clean_pixels(dataset, name)
        key = _patient_key(dataset)
        subject, days = self._patient(dataset, key, name)
        lost = "v" not in self.rules.options.letters and _is_tiled(dataset)
        secrets, names = secrets_of(dataset, letters=self.rules.options.letters)
        cleaner = Cleaner(
            letters=self.rules.options.letters,
            uids=self.uids,
            days=days,
            sop_class=str(dataset.get("SOPClassUID") or ""),
            secrets=secrets,
            names=names,
        )
        require_silent_codestream(dataset, secrets, name=name)
        cleaner.clean(dataset)
        if "PatientAge" in dataset:
            dataset.PatientAge = _capped(str(dataset.PatientAge))
        self._sign(dataset, subject=subject, blanked=blanked)
        return Clean(
            _encoded(dataset),
            subject=subject,
            series_uid=str(dataset.get("SeriesInstanceUID") or ""),
            instance_uid=str(dataset.SOPInstanceUID),
            blanked=blanked,
            geometry_lost=lost,
        )

    # ------------------------------------------------------------ what is refused

    def _require_acceptable(self, dataset: FileDataset, name: str) -> None:
        sop_class = str(dataset.get("SOPClassUID") or "")
        if str(dataset.file_meta.get("MediaStorageSOPClassUID")) == _DIRECTORY:
            raise UnusableInput(
                f"{name} is a DICOMDIR: an index that lists the patient's name.",
                hint="The files that it lists are deidentified without it.",
            )
        if not sop_class or "SOPInstanceUID" not in dataset:
            raise ReadError(f"{name} names no SOP class or instance: it is no DICOM object.")
        kept = self.rules.options.letters
        for kind, option in _DOCUMENTS.items():
            within = sop_class == kind or (option is not None and sop_class.startswith(kind + "."))
            if within and (not option or option not in kept):
                raise SafetyRefusal(
                    f"{name} is a document, a drawing or raw data: its content may identify.",
                    hint=_HINTS.get(option or "", "Leave the file out."),
                )
        if not sop_class.startswith("1.2.840.10008.5.1.4."):
            raise SafetyRefusal(
                f"{name} is of a maker's own kind of object, which nobody can vouch for.",
                hint="Leave the file out.",
            )

    def _clean_pixels(self, dataset: FileDataset, name: str) -> bool:
        """Blank what the rules say; refuse what may show text. Whether pixels were blanked."""
        clear_embedded_overlays(dataset, name=name)
        reason = risk_of_annotation(dataset)
        if not reason:
            return False
        if self.rules.blank:
            blank(dataset, self.rules.blank, name=name)
            return True
        stated = dataset.get("BurnedInAnnotation") == "YES"
        if stated or not self.rules.pixels_checked:
            raise SafetyRefusal(
                f"{name}: {reason}.",
                hint="Blank the text (--blank X,Y,WIDTH,HEIGHT)"
                + (" or leave the file out." if stated else ", or look at it and say that it shows "
                   "none (--pixels-checked)."),
            )  # fmt: skip
        dataset.BurnedInAnnotation = "NO"  # somebody looked
        return False

    # ------------------------------------------------------------ who it becomes

    def _patient(self, dataset: Dataset, key: tuple[str, ...], name: str) -> tuple[str, int]:
        """The name in place of the patient's, and the days by which all dates move."""
        known = "\0".join(key)
        if known not in self.patients:
            number = str(dataset.get("PatientID") or "").strip()
            self.patients[known] = (self._subject(number, key, name), self._days(key))
        return self.patients[known]

    def _subject(self, number: str, key: tuple[str, ...], name: str) -> str:
        if self.rules.subject:
            if self.patients:
                raise SafetyRefusal(
                    f"{name} is of another patient than the files before it; both would become "
                    f"{self.rules.subject}.",
                    hint="Give a table of names (--subjects FILE), or one patient at a time.",
                )
            return self.rules.subject
        if self.rules.subjects:
            if number not in self.rules.subjects:
                raise SafetyRefusal(
                    f"{name} is of a patient who is not in the table of subjects.",
                    hint="Add a row with the Patient ID and the name to use.",
                )
            return self.rules.subjects[number]
        return "sub-" + digest(self._secret, "patient", *key).hex()[:10]

    def _days(self, key: tuple[str, ...]) -> int:
        number = int.from_bytes(digest(self._secret, "dates", *key)[:8], "big")
        return -(SHIFT_DAYS[0] + number % (SHIFT_DAYS[1] - SHIFT_DAYS[0]))

    def _sign(self, dataset: FileDataset, *, subject: str, blanked: bool) -> None:
        """Say in the object what was done to it (PS3.15 E.1.1, CID 7050)."""
        letters = self.rules.options.letters
        dataset.PatientName = subject
        dataset.PatientID = subject
        if "PatientBirthDate" not in dataset:
            dataset.PatientBirthDate = ""
        if "PatientSex" not in dataset:
            dataset.PatientSex = ""
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = [
            f"leuko {self._version}",
            f"{EDITION} Basic Application Level Confidentiality Profile",
        ]
        done = [PROFILE_CODE, *([CLEAN_PIXELS_CODE] if blanked else [])]
        done += [OPTION_CODES[letter] for letter in letters]
        made = [coded(Code(value, "DCM", meaning)) for value, meaning in done]
        dataset.DeidentificationMethodCodeSequence = items(*made)
        state = "MODIFIED" if "m" in letters else "UNMODIFIED" if "f" in letters else "REMOVED"
        dataset.LongitudinalTemporalInformationModified = state


_HINTS = {
    "s": "Keep its codes and numbers without its texts (--clean-structured-content), or leave it.",
    "g": "Keep its display settings without its texts (--clean-graphics), or leave the file out.",
    "": "Leave the file out.",
}


def _parsed(content: bytes, *, name: str) -> FileDataset:
    """The file as a data set, its transfer syntax known even where no header names it."""
    try:
        dataset = dcmread(BytesIO(content))
    except InvalidDicomError:
        dataset = dcmread(BytesIO(content), force=True)
    if not len(dataset):
        raise ReadError(f"{name} holds no DICOM elements.")
    if not dataset.file_meta.get("TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        plain = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = plain if little else ExplicitVRBigEndian
    return dataset


def _encoded(dataset: FileDataset) -> bytes:
    """The part 10 file: a new header, an empty preamble, the data set in its own encoding."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    meta.ImplementationClassUID = UID(uid_of("implementation", "leuko"))
    meta.ImplementationVersionName = "LEUKO"
    dataset.file_meta = meta
    dataset.preamble = b"\0" * 128
    file = BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def _patient_key(dataset: Dataset) -> tuple[str, ...]:
    """What tells patients apart: number and issuer, else name and birth date, else the study."""
    number = str(dataset.get("PatientID") or "").strip()
    if number:
        return ("id", number, str(dataset.get("IssuerOfPatientID") or "").strip())
    if name := words_of(str(dataset.get("PatientName") or "")):
        return ("name", *name, str(dataset.get("PatientBirthDate") or ""))
    return ("study", str(dataset.get("StudyInstanceUID") or ""))


def _is_tiled(dataset: Dataset) -> bool:
    """Whether several slices lie in one plane, placed by private attributes alone."""
    if "MOSAIC" in (dataset.get("ImageType") or ()):
        return True
    try:
        return 0x51 in dataset.private_block(0x0065, "Image Private Header")
    except KeyError:
        return False


def _capped(age: str) -> str:
    """Ages above 89 years are few enough to identify: 090Y stands for all of them."""
    years = age.strip().upper()
    return "090Y" if years.endswith("Y") and years[:-1].isdigit() and int(years[:-1]) > 89 else age
