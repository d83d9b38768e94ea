"""The words of a header that say who the patient is, to be found again in other texts."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from leuko.dicom.deidentify_values import cleaned_text
from leuko.errors import ReadError

__all__ = ["secrets_of", "words_of"]

# Attributes that identify, and how short a word of theirs may be to be looked for elsewhere.
_FEW = {"PatientName": 3, "PatientID": 4, "OtherPatientIDs": 4, "OtherPatientNames": 3,
        "PatientBirthName": 3, "PatientMotherBirthName": 3, "PatientBirthDate": 8,
        "AccessionNumber": 5, "ReferringPhysicianName": 4, "OperatorsName": 4,
        "PerformingPhysicianName": 4, "InstitutionName": 5, "StationName": 5}  # fmt: skip

_KEPT_BY = {"InstitutionName": "i", "StationName": "d"}


def words_of(text: str) -> tuple[str, ...]:
    """The words of a name or number, without the signs that separate them."""
    return tuple(word for word in re.split(r"[\^= ,;\\\0]+", text) if word)


def secrets_of(
    dataset: Dataset, *, letters: str
) -> tuple[re.Pattern[bytes] | None, frozenset[str]]:
    """What says who the patient is: a pattern over the bytes of the file, and words (lower case).

    The pattern leaves out short words, names of maker and model, and words that descriptions of
    images are made of: a phantom called HEAD must not cost every image its body part. `letters`
    are the options in force: what they retain is no secret.
    """
    secret: set[bytes] = set()
    names: set[str] = set()
    makers = {
        part.lower()
        for keyword in ("Manufacturer", "ManufacturerModelName")
        for word in _words_in(dataset, keyword)
        for part in (word, *re.split(rb"[^A-Za-z0-9]+", word))
    }
    for keyword, shortest in _FEW.items():
        if _KEPT_BY.get(keyword, "-") in letters:
            continue
        for word in _words_in(dataset, keyword):
            plain = word.decode("latin-1")
            names.add(plain.lower())
            known = word.lower() in makers or cleaned_text(plain)
            if len(word) >= shortest and not known:
                secret.add(word)
    if not secret:
        return None, frozenset(names)
    listed = b"|".join(re.escape(word) for word in sorted(secret, key=len, reverse=True))
    pattern = rb"(?<![A-Za-z0-9])(?:" + listed + rb")(?![A-Za-z0-9])"
    return re.compile(pattern, re.IGNORECASE), frozenset(names)


def _words_in(dataset: Dataset, keyword: str) -> list[bytes]:
    """The words of a value, as the bytes of the file."""
    if keyword not in dataset:
        return []
    try:
        value = dataset.get_item(keyword).value
    except NotImplementedError as error:  # a value representation that does not exist
        raise ReadError(
            f"A DICOM file is damaged where it says {keyword}: what it identifies is not known.",
            hint="Copy or export the file again.",
        ) from error
    if isinstance(value, bytes):
        return [part for part in re.split(rb"[\^= ,;\\\0]+", value) if part]
    if value is None or isinstance(value, Items):
        return []
    listed = [value] if isinstance(value, str) or not isinstance(value, Iterable) else value
    return [word.encode() for part in listed for word in words_of(str(part))]
