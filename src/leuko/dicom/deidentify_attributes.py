"""The walk over the attributes of a data set, at every depth, that does what the profile says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from pydicom.datadict import dictionary_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag, Tag

from leuko.dicom.attributes import resolve, type_of
from leuko.dicom.deidentify_csa import CSA_CREATOR, CSA_ELEMENT, CSA_GROUP, bare_csa
from leuko.dicom.deidentify_elements import (
    FREE_TEXT,
    TEXT,
    bytes_of,
    is_empty,
    is_public_code,
    private_representation,
    representation,
    texts_of,
)
from leuko.dicom.deidentify_private import SAFE_PRIVATE, is_harmless
from leuko.dicom.deidentify_secrets import words_of
from leuko.dicom.deidentify_values import DUMMIES, REMOVED, cleaned_text, shifted
from leuko.dicom.profile import decide, row_of
from leuko.dicom.uids import UidMap, names_a_class

__all__ = ["Cleaner"]

_DEPTH = 24  # nested deeper than any object of the standard: hostile
_DATES = frozenset({"DA", "DT", "TM"})
_NUMBERS = re.compile(rb"[0-9eE+\-.,\\ \0]*")
_WRITTEN = frozenset({"DS", "IS"})
_STRUCTURE = frozenset({"CS", "UI", "AT"})  # what even a scrubbed item needs to be understood
_UID = re.compile(r"[0-9.]*")
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_OFFSET = re.compile(rb" *[+-][0-9]{4} *\0?")
Mode = Literal["", "bare", "tidy"]


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
        if mode == "tidy" and not is_public_code(dataset):
            for keyword in ("CodeValue", "CodeMeaning", "LongCodeValue"):
                if keyword in dataset:
                    setattr(dataset, keyword, REMOVED)
        for block in kept_blocks:
            creator = creators[block >> 16, block & 0xFF]
            dataset[Tag(block)] = DataElement(Tag(block), "LO", creator)

    # ------------------------------------------------------------ attributes of the standard

    def _public(self, ds: Dataset, tag: BaseTag, *, within: int, depth: int, mode: Mode) -> None:
        vr = representation(ds, tag)
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
        elif is_empty(ds, tag):
            ds[tag] = DataElement(tag, vr, None)
        else:
            ds[tag] = DataElement(tag, vr, DUMMIES[vr])

    def _keep(self, ds: Dataset, tag: BaseTag, vr: str, *, depth: int) -> None:
        """Unchanged; sequences are gone through all the same (the note on K in Table E.1-1a)."""
        if vr == "SQ":
            self._items(ds, tag, depth=depth, mode="")
        elif vr in TEXT - _DATES:
            self._guard(ds, tag, vr)
        elif vr == "UI":
            self._map_words(ds, tag)
        else:
            self._guard_numbers(ds, tag)

    def _tidy(self, ds: Dataset, tag: BaseTag, vr: str, option: str, *, depth: int) -> bool:
        """C: keep the meaning without what identifies; False where only removing is safe."""
        if option == "m":
            if vr in _DATES:
                values = [shifted(text, days=self.days, vr=vr) for text in texts_of(ds, tag)]
                ds[tag] = DataElement(tag, vr, values if len(values) > 1 else "".join(values))
                return True
            # The offset from UTC stays with the times.
            return vr == "SH" and _OFFSET.fullmatch(bytes_of(ds, tag)) is not None
        if option in "stg" and vr == "SQ":
            self._items(ds, tag, depth=depth, mode="tidy")
            return True
        if option == "t" and vr in TEXT - _DATES:
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
            if names_a_class(int(tag)) or "u" in self.letters:
                self._map_words(ds, tag)
            else:
                self._map_uids(ds, tag)
        elif vr in _DATES:
            self._replace(ds, tag, vr, "D", depth=depth)
        elif vr in FREE_TEXT:
            self._free_text(ds, tag, vr)
        elif vr == "UR" and dictionary_keyword(tag) != "URNCodeValue":
            del ds[tag]
        elif vr in _WRITTEN and not _NUMBERS.fullmatch(bytes_of(ds, tag)):
            ds[tag] = DataElement(tag, vr, None)
        elif mode == "bare" and vr not in _STRUCTURE and vr in TEXT | _WRITTEN:
            self._replace(ds, tag, vr, "D", depth=depth)
        elif vr in TEXT:
            self._guard(ds, tag, vr)
        else:
            self._guard_numbers(ds, tag)

    def _free_text(self, ds: Dataset, tag: BaseTag, vr: str) -> None:
        text = self._described(ds, tag) if "t" in self.letters and vr != "PN" else ""
        if text:
            ds[tag] = DataElement(tag, vr, text)
        else:
            self._replace(ds, tag, vr, "D", depth=0)

    def _described(self, ds: Dataset, tag: BaseTag) -> str:
        return cleaned_text(" ".join(texts_of(ds, tag)), without=self.names)

    def _guard(self, ds: Dataset, tag: BaseTag, vr: str) -> None:
        """Replace a text that repeats the patient's name or number."""
        listed = self.secrets is not None and self.secrets.search(bytes_of(ds, tag))
        if listed or self._names_in(ds, tag):
            ds[tag] = DataElement(tag, vr, DUMMIES.get(vr, REMOVED))

    def _names_in(self, ds: Dataset, tag: BaseTag) -> bool:
        """Whether a text has a word of the name in another script, where one sign is a name."""
        words = {word.lower() for text in texts_of(ds, tag) for word in words_of(text)}
        return any(not word.isascii() for word in words & self.names)

    def _guard_numbers(self, ds: Dataset, tag: BaseTag) -> None:
        """Remove numbers (look-up tables, profiles) whose bytes repeat the patient's name."""
        value = ds.get_item(tag).value
        if self.secrets is None or tag in _PIXELS or not isinstance(value, bytes):
            return
        if self.secrets.search(value):
            del ds[tag]

    # ------------------------------------------------------------ sequences and UIDs

    def _items(self, ds: Dataset, tag: BaseTag, *, depth: int, mode: Mode) -> None:
        sequence = ds[tag].value
        if not isinstance(sequence, Items):
            del ds[tag]
            return
        for item in sequence:
            self.clean(item, within=int(tag), depth=depth + 1, mode=mode)

    def _map_words(self, ds: Dataset, tag: BaseTag) -> None:
        """UIDs that stay, unless they are none: then they may say anything."""
        if not all(_UID.fullmatch(text) for text in texts_of(ds, tag)):
            self._map_uids(ds, tag)

    def _map_uids(self, ds: Dataset, tag: BaseTag) -> None:
        new = [self.uids.new(text) for text in texts_of(ds, tag)]
        ds[tag] = DataElement(tag, "UI", new if len(new) > 1 else "".join(new))

    # ------------------------------------------------------------ private attributes

    def _creators(self, dataset: Dataset) -> dict[tuple[int, int], str]:
        """(group, block) -> who reserved it."""
        found = {}
        for tag in dataset.keys():  # noqa: SIM118  (a data set iterates over its elements)
            if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF:
                found[(tag >> 16, tag & 0xFF)] = "".join(texts_of(dataset, tag))
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
            if header := bare_csa(bytes_of(ds, tag)):
                ds[tag] = DataElement(tag, "OB", header)
                kept.add(group << 16 | block)
            else:
                del ds[tag]
            return
        if tag & 0xFF in SAFE_PRIVATE.get((group, creator), ()) and tag & 0xFFFF > 0xFF:
            vr = ds.get_item(tag).VR
            if vr in (None, "UN"):
                vr = private_representation(tag, creator)
            if is_harmless(vr, b"" if vr == "SQ" else bytes_of(ds, tag)):
                if vr == "SQ":
                    self._items(ds, tag, depth=depth, mode="")
                else:
                    self._guard(ds, tag, vr)
                kept.add(group << 16 | block)
                return
        del ds[tag]
