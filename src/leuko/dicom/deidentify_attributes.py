"""The walk over the attributes of a data set, at every depth, that does what the profile says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from pydicom.datadict import dictionary_keyword, dictionary_VR, private_dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag, Tag

from leuko.dicom.attributes import resolve, type_of
from leuko.dicom.deidentify_csa import CSA_CREATOR, CSA_ELEMENT, CSA_GROUP, bare_csa
from leuko.dicom.deidentify_private import SAFE_PRIVATE, is_harmless
from leuko.dicom.deidentify_values import DUMMIES, REMOVED, cleaned_text, shifted
from leuko.dicom.profile import decide, row_of
from leuko.dicom.uids import UidMap, names_a_class

__all__ = ["Cleaner", "secrets_of", "words_of"]

_DEPTH = 24  # nested deeper than any object of the standard: hostile
_FREE_TEXT = frozenset({"PN", "LT", "ST", "UT"})
_DATES = frozenset({"DA", "DT", "TM"})
_TEXT = frozenset(
    {"AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"}
)
_NUMBERS = re.compile(rb"[0-9eE+\-.,\\ \0]*")
_WRITTEN = frozenset({"DS", "IS"})
_STRUCTURE = frozenset({"CS", "UI", "AT"})  # what even a scrubbed item needs to be understood
_STANDARD_SCHEMES = frozenset(
    {
        "DCM",
        "SCT",
        "SRT",
        "SNM3",
        "SNO",
        "LN",
        "UCUM",
        "RADLEX",
        "FMA",
        "NCIT",
        "UMLS",
        "MDC",
        "ICD10",
        "I10",
        "I10P",
        "I9",
        "I9C",
        "ICDO3",
    }
)
_FEW = {"PatientName": 3, "PatientID": 4, "OtherPatientIDs": 4, "OtherPatientNames": 3,
        "PatientBirthName": 3, "PatientMotherBirthName": 3, "PatientBirthDate": 8,
        "AccessionNumber": 5, "ReferringPhysicianName": 4, "OperatorsName": 4,
        "PerformingPhysicianName": 4, "InstitutionName": 5, "StationName": 5}  # fmt: skip

_KEPT_BY = {"InstitutionName": "i", "StationName": "d"}
_OFFSET = re.compile(rb" *[+-][0-9]{4} *\0?")
_OWN_SCHEMES = frozenset({"99LEUKO"})
Mode = Literal["", "bare", "tidy"]


def words_of(text: str) -> tuple[str, ...]:
    """The words of a name or number, without the signs that separate them."""
    return tuple(word for word in re.split(r"[\^= ,;\\\0]+", text) if word)


def secrets_of(
    dataset: Dataset, *, letters: str
) -> tuple[re.Pattern[bytes] | None, frozenset[str]]:
    """What says who the patient is: a pattern over the bytes of the file, and words (lower case).

    The pattern leaves out short words, names of maker and model, and words that descriptions of images
    are made of: a phantom called HEAD must not cost every image its body part.
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
    value = dataset.get_item(keyword).value
    if isinstance(value, bytes):
        return [part for part in re.split(rb"[\^= ,;\\\0]+", value) if part]
    if value is None or isinstance(value, Items):
        return []
    listed = [value] if isinstance(value, str) or not isinstance(value, Iterable) else value
    return [word.encode() for part in listed for word in words_of(str(part))]


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Applies the profile to data sets in place.

    `letters` are the options in force, `days` how far dates move where they are to be modified,
    `secrets` what no text may repeat, `names` the words (lower case) that no description keeps.
    """

    letters: str
    uids: UidMap
    days: int
    sop_class: str
    secrets: re.Pattern[bytes] | None = field(default=None, repr=False)
    names: frozenset[str] = field(default=frozenset(), repr=False)

    def clean(self, dataset: Dataset, *, within: int = 0, depth: int = 0, mode: Mode = "") -> None:
        """Do to every attribute what the profile says. `within`: the sequence around.

        `mode`: "bare" where what is left must say nothing at all (the items of a dummy sequence),
        "tidy" where codes of no public scheme may not speak (the items of a cleaned sequence).
        """
        if depth > _DEPTH:
            raise ValueError("nested too deep")
        creators = self._creators(dataset) if "v" in self.letters else {}
        kept_blocks: set[int] = set()
        for tag in list(dataset.keys()):
            group = tag >> 16
            if group & 1:
                self._private(dataset, tag, creators, kept_blocks, depth)
            elif group in (0x0000, 0x0002) or group & 0xFF00 in (0x5000, 0x6000):
                del dataset[tag]  # commands; curves and overlays as a whole
            else:
                self._public(dataset, tag, within=within, depth=depth, mode=mode)
        if mode == "tidy" and not _is_public_code(dataset):
            for keyword in ("CodeValue", "CodeMeaning", "LongCodeValue"):
                if keyword in dataset:
                    setattr(dataset, keyword, REMOVED)
        for block in kept_blocks:
            creator = creators[block >> 16, block & 0xFF]
            dataset[Tag(block)] = DataElement(Tag(block), "LO", creator)

    # ------------------------------------------------------------ attributes of the standard

    def _public(self, ds: Dataset, tag: BaseTag, *, within: int, depth: int, mode: Mode) -> None:
        vr = _representation(ds, tag)
        if vr is None:
            del ds[tag]  # nobody knows what it is
            return
        row = row_of(int(tag))
        if row is None:
            self._unlisted(ds, tag, vr, depth=depth, mode=mode)
            return
        made, option = decide(row, self.letters)
        if made == "K":
            self._keep(ds, tag, vr, depth=depth)
            return
        if made == "C" and self._tidy(ds, tag, vr, option, depth=depth):
            return
        needed = type_of(int(tag), sop_class=self.sop_class, sequence=within)
        self._replace(ds, tag, vr, resolve(row.action, needed=needed), depth=depth)

    def _replace(self, ds: Dataset, tag: BaseTag, vr: str, action: str, *, depth: int) -> None:
        """X, Z, D or U."""
        if action == "X":
            del ds[tag]
        elif action == "Z":
            ds[tag] = DataElement(tag, vr, Items() if vr == "SQ" else None)
        elif vr == "SQ":
            self._items(ds, tag, depth=depth, mode="bare" if action == "D" else "")
        elif vr == "UI":
            self._map_uids(ds, tag)
        elif action == "U":
            del ds[tag]  # no UID, although it should be one
        elif _is_empty(ds, tag):
            ds[tag] = DataElement(tag, vr, None)
        else:
            ds[tag] = DataElement(tag, vr, DUMMIES[vr])

    def _keep(self, ds: Dataset, tag: BaseTag, vr: str, *, depth: int) -> None:
        """Unchanged; sequences are gone through all the same (the note on K in Table E.1-1a)."""
        if vr == "SQ":
            self._items(ds, tag, depth=depth, mode="")
        elif vr in _TEXT - _DATES:
            self._guard(ds, tag, vr)

    def _tidy(self, ds: Dataset, tag: BaseTag, vr: str, option: str, *, depth: int) -> bool:
        """C: keep the meaning without what identifies; False where only removing is safe."""
        if option == "m":
            if vr in _DATES:
                values = [shifted(text, days=self.days, vr=vr) for text in _texts(ds, tag)]
                ds[tag] = DataElement(tag, vr, values if len(values) > 1 else "".join(values))
                return True
            # The offset from UTC stays with the times.
            return vr == "SH" and _OFFSET.fullmatch(_bytes(ds, tag)) is not None
        if option in "stg" and vr == "SQ":
            self._items(ds, tag, depth=depth, mode="tidy")
            return True
        if option == "t" and vr in _TEXT - _DATES:
            text = self._described(ds, tag)
            if text:
                ds[tag] = DataElement(tag, vr, text[:16] if vr in ("SH", "AE", "CS") else text[:64])
                return True
        return False

    # ------------------------------------------------------------ what the table does not list

    def _unlisted(self, ds: Dataset, tag: BaseTag, vr: str, *, depth: int, mode: Mode) -> None:
        if vr == "SQ":
            self._items(ds, tag, depth=depth, mode=mode)
        elif vr == "UI":
            if not names_a_class(int(tag)) and "u" not in self.letters:
                self._map_uids(ds, tag)
        elif vr in _DATES:
            self._replace(ds, tag, vr, "D", depth=depth)
        elif vr in _FREE_TEXT:
            self._free_text(ds, tag, vr)
        elif vr == "UR" and dictionary_keyword(tag) != "URNCodeValue":
            del ds[tag]
        elif vr in _WRITTEN and not _NUMBERS.fullmatch(_bytes(ds, tag)):
            ds[tag] = DataElement(tag, vr, None)
        elif mode == "bare" and vr not in _STRUCTURE and vr in _TEXT | _WRITTEN:
            self._replace(ds, tag, vr, "D", depth=depth)
        elif vr in _TEXT:
            self._guard(ds, tag, vr)

    def _free_text(self, ds: Dataset, tag: BaseTag, vr: str) -> None:
        text = self._described(ds, tag) if "t" in self.letters and vr != "PN" else ""
        if text:
            ds[tag] = DataElement(tag, vr, text)
        else:
            self._replace(ds, tag, vr, "D", depth=0)

    def _described(self, ds: Dataset, tag: BaseTag) -> str:
        return cleaned_text(" ".join(_texts(ds, tag)), without=self.names)

    def _guard(self, ds: Dataset, tag: BaseTag, vr: str) -> None:
        """Replace a text that repeats the patient's name or number."""
        if self.secrets is not None and self.secrets.search(_bytes(ds, tag)):
            ds[tag] = DataElement(tag, vr, DUMMIES.get(vr, REMOVED))

    # ------------------------------------------------------------ sequences and UIDs

    def _items(self, ds: Dataset, tag: BaseTag, *, depth: int, mode: Mode) -> None:
        sequence = ds[tag].value
        if not isinstance(sequence, Items):
            del ds[tag]
            return
        for item in sequence:
            self.clean(item, within=int(tag), depth=depth + 1, mode=mode)

    def _map_uids(self, ds: Dataset, tag: BaseTag) -> None:
        new = [self.uids.new(text) for text in _texts(ds, tag)]
        ds[tag] = DataElement(tag, "UI", new if len(new) > 1 else "".join(new))

    # ------------------------------------------------------------ private attributes

    def _creators(self, dataset: Dataset) -> dict[tuple[int, int], str]:
        """(group, block) -> who reserved it."""
        found = {}
        for tag in dataset.keys():  # noqa: SIM118  (a data set iterates over its elements)
            if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF:
                found[(tag >> 16, tag & 0xFF)] = "".join(_texts(dataset, tag))
        return found

    def _private(
        self,
        ds: Dataset,
        tag: BaseTag,
        creators: dict[tuple[int, int], str],
        kept: set[int],
        depth: int,
    ) -> None:
        group, block = tag >> 16, tag >> 8 & 0xFF
        creator = creators.get((group, block), "")
        if (group, creator, tag & 0xFF) == (CSA_GROUP, CSA_CREATOR, CSA_ELEMENT):
            if header := bare_csa(_bytes(ds, tag)):
                ds[tag] = DataElement(tag, "OB", header)
                kept.add(group << 16 | block)
            else:
                del ds[tag]
            return
        if tag & 0xFF in SAFE_PRIVATE.get((group, creator), ()) and tag & 0xFFFF > 0xFF:
            vr = ds.get_item(tag).VR
            if vr in (None, "UN"):
                vr = _private_vr(tag, creator)
            if is_harmless(vr, b"" if vr == "SQ" else _bytes(ds, tag)):
                if vr == "SQ":
                    self._items(ds, tag, depth=depth, mode="")
                else:
                    self._guard(ds, tag, vr)
                kept.add(group << 16 | block)
                return
        del ds[tag]


def _representation(ds: Dataset, tag: BaseTag) -> str | None:
    """What kind of value this is: the dictionary's word, checked against the file's own.

    None where the dictionary does not know the attribute, or the file gives text for what must be
    something else. A choice such as `US or SS` is the file's.
    """
    said = ds.get_item(tag).VR
    try:
        known = dictionary_VR(tag)
    except KeyError:
        return said if row_of(int(tag)) is not None else None
    if " or " in known:
        known = said if said in known.split(" or ") else known.split(" or ")[0]
    if said in (None, "UN") or said == known:
        return known
    if (said in _TEXT or said == "SQ") and known not in _TEXT:
        return None
    return known if known in _FREE_TEXT or said not in _TEXT else said


def _private_vr(tag: BaseTag, creator: str) -> str:
    try:
        return private_dictionary_VR(tag, creator)
    except KeyError:
        return "UN"


def _bytes(ds: Dataset, tag: BaseTag) -> bytes:
    """The value as the file has it; of one that was decoded, its text."""
    value = ds.get_item(tag).value
    if isinstance(value, bytes):
        return value
    return "\\".join(_texts(ds, tag)).encode()


def _texts(ds: Dataset, tag: BaseTag) -> list[str]:
    """The parts of a value as text, padding removed; bytes are taken one a letter."""
    item = ds.get_item(tag)
    value: object = item.value
    if isinstance(value, bytes):
        return [part.strip(" \0") for part in value.decode("latin-1").split("\\")]
    if value is None:
        return [""]
    several = [value] if isinstance(value, str) or not isinstance(value, Iterable) else value
    return [str(part).strip(" \0") for part in several]


def _is_empty(ds: Dataset, tag: BaseTag) -> bool:
    item = ds.get_item(tag)
    return item.value in (None, b"", "", []) or item.value == []


def _is_public_code(item: Dataset) -> bool:
    """Whether an item is a code of a scheme that is public, and not a site's own."""
    scheme = str(item.get("CodingSchemeDesignator") or "")
    return scheme in _STANDARD_SCHEMES or scheme in _OWN_SCHEMES
