"""Deidentification against the table of the standard: every row, at every depth, every option.

The oracle reads the table itself and looks at bytes and elements of the output; it shares no code
with what is tested.
"""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
from io import BytesIO
from typing import Any

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.datadict import dictionary_description, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian

from leuko.dicom.attributes import resolve, type_of
from leuko.dicom.deidentify import Deidentifier, Rules
from leuko.dicom.profile import OPTION_CODES, Options, is_identifying

MR, ENHANCED_MR, CT = (
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.4.1",
    "1.2.840.10008.5.1.4.1.1.2",
)
SEG = "1.2.840.10008.5.1.4.1.1.66.4"
PLANTED = {
    **dict.fromkeys(("LO", "SH", "LT", "ST", "UT", "UC", "AE", "PN", "CS"), "XSECRETX"),
    "UR": "urn:XSECRETX",
    "DA": "19870605",
    "TM": "131415",
    "DT": "19870605131415",
    "AS": "041Y",
    "DS": "42.5",
    "IS": "4242",
    "UI": "1.2.3.4.5.67890",
    **dict.fromkeys(("OB", "OW", "UN"), b"XSECRETX"),
    **dict.fromkeys(("US", "UL", "SL", "SS"), 4242),
    **dict.fromkeys(("FD", "FL"), 42.5),
}
# Attributes that pydicom's dictionary does not have yet (2026 edition).
NEW = {
    "00081301": "SQ", "00081302": "SQ", "00081303": "SQ", "00081304": "SQ", "00100011": "SQ",
    "00100012": "LT", "00100013": "UT", "00100014": "SQ", "00100015": "SQ", "00100016": "UT",
    "00100041": "SQ", "00100042": "UT", "00100043": "SQ", "00100044": "SQ", "00100045": "UT",
    "00100046": "SQ", "00100047": "UR", "00102162": "UC", "0040a034": "DT", "0040a035": "DT",
    "0040b034": "DT", "0040b036": "DT", "0040b03b": "LO", "0040b03f": "LO", "0040e012": "UR",
    "3004007f": "LO",
}  # fmt: skip
OPTIONS = {
    "u": {"retain_uids": True},
    "d": {"retain_device": True},
    "i": {"retain_institution": True},
    "p": {"retain_patient_characteristics": True},
    "f": {"retain_dates": "full"},
    "m": {"retain_dates": "modified"},
    "t": {"clean_descriptors": True},
    "s": {"clean_structured_content": True},
    "g": {"clean_graphics": True},
    "v": {"retain_safe_private": True},
}
REFERENCES = {"00081140", "00082112"}  # X/Z/U*: their UIDs are replaced, codes stay
OWN = {"00080018", "0020000d", "0020000e"}  # UIDs without which there is no object
PATIENT_ITSELF = {"00100010", "00100020"}  # become the subject's name


def rows() -> list[tuple[str, str, dict[str, str], str]]:
    """The table, parsed here and not by what is tested."""
    text = files("leuko.dicom").joinpath("profile.txt").read_text(encoding="utf-8")
    found = []
    for line in text.splitlines():
        if not line.startswith("#"):
            tag, action, options, name = line.split("\t")
            made = {o[0]: o[1] for o in options.split() if o != "-"}
            found.append((tag, action, made, name))
    return found


ROWS = rows()
PLAIN = [row for row in ROWS if len(row[0]) == 8 and "x" not in row[0] and row[0][:4] > "0004"]


def vr_of(tag: str) -> str:
    return NEW.get(tag) or dictionary_VR(int(tag, 16)).split(" or ")[0]


def planted(tag: str) -> DataElement:
    vr = vr_of(tag)
    if vr != "SQ":
        return DataElement(Tag(int(tag, 16)), vr, PLANTED[vr])
    item = Dataset()
    item.PatientComments = "XSECRETX"
    item.ReferencedSOPInstanceUID = PLANTED["UI"]
    if tag not in REFERENCES:
        item.CodeMeaning = "XSECRETX"
    return DataElement(Tag(int(tag, 16)), "SQ", Sequence([item]))


def base(sop_class: str = MR) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    ds = FileDataset("", Dataset(), file_meta=meta)
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = "1.2.3.4"
    ds.StudyInstanceUID = "1.2.3.5"
    ds.SeriesInstanceUID = "1.2.3.6"
    ds.PatientID = "P1"
    ds.Modality = "MR"
    ds.PixelData = b"\0\0"
    return ds


def cleaned(ds: FileDataset, **options: Any) -> tuple[Dataset, bytes]:
    file = BytesIO()
    dcmwrite(file, ds, enforce_file_format=True)
    cleaner = Deidentifier(Rules(Options(**options)), secret=b"s" * 32, version="0")
    content = cleaner.file(file.getvalue(), name="a.dcm").content
    return dcmread(BytesIO(content)), content


def nested(ds: Dataset, inner: Dataset, depth: int) -> None:
    """Put `inner` into a sequence that the table does not name, `depth` levels down."""
    if depth == 1:
        ds.ContributingEquipmentSequence = Sequence([inner])
    else:
        middle = Dataset()
        middle.ContributingEquipmentSequence = Sequence([inner])
        ds.SharedFunctionalGroupsSequence = Sequence([middle])


def item_at(ds: Dataset, depth: int) -> Dataset:
    if depth == 0:
        return ds
    if depth == 1:
        return ds.ContributingEquipmentSequence[0]
    return ds.SharedFunctionalGroupsSequence[0].ContributingEquipmentSequence[0]


def judge(action: str, tag: str, before: DataElement, after: DataElement | None) -> bool:
    """Whether what became of an element is what one letter of its action demands."""
    if action == "X":
        return after is None
    if after is None:
        return False
    empty = after.value in (None, "", b"") or (after.VR == "SQ" and not len(after.value))
    if action == "Z":
        return empty
    if action == "D":
        if after.VR == "SQ":
            return len(after.value) == len(before.value) and "XSECRETX" not in str(after)
        return not empty and after.value != before.value
    if action.startswith("U"):
        uids = [after.value] if after.VR == "UI" else [after.value[0].ReferencedSOPInstanceUID]
        return all(uid.startswith("2.25.") and uid.is_valid for uid in uids)
    raise AssertionError(action)


def test_the_table_is_whole() -> None:
    """657 rows of the 2026d edition, each tag once; how often each action stands in it."""
    assert 657 == len(ROWS) == len({row[0] for row in ROWS})
    letters = {"X": 417, "D": 93, "U": 55, "Z": 42}
    compounds = {"X/D": 23, "X/Z": 11, "X/Z/D": 8, "Z/D": 6, "X/Z/U*": 2}
    assert letters | compounds == Counter(row[1] for row in ROWS)
    options = Counter(letter + made for row in ROWS for letter, made in row[2].items())
    assert options["fK"] == options["mC"]
    assert 1 == options["vC"]


def test_names_and_tags_agree_with_the_dictionary_of_attributes() -> None:
    for tag, _, _, name in PLAIN:
        if tag not in NEW:
            known = dictionary_description(int(tag, 16)).replace(
                "\N{RIGHT SINGLE QUOTATION MARK}", "'"
            )
            squeezed = known.lower().replace(" ", "")
            assert name.lower().replace(" ", "").startswith(squeezed), tag


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_every_row_comes_out_as_its_action_demands(depth: int) -> None:
    """All rows in one object each, at the top and one and two sequences down."""
    wrong = []
    for tag, action, _, name in PLAIN:
        if tag in OWN or (depth == 0 and tag in PATIENT_ITSELF):
            continue
        ds, inner = base(), Dataset()
        element = planted(tag)
        (ds if depth == 0 else inner)[element.tag] = element
        if depth:
            nested(ds, inner, depth)
        before = planted(tag)
        result, content = cleaned(ds)
        item = item_at(result, depth)
        after = item.get(element.tag)
        if not any(judge(letter, tag, before, after) for letter in action.split("/")):
            wrong.append((tag, action, name, str(after)))
        if b"SECRET" in content:
            wrong.append((tag, action, name, "the text is still in the file"))
    assert not wrong


def test_compounds_follow_the_type_of_the_attribute() -> None:
    """Judged by the types that highdicom has from PS3.3, in the classes a scanner makes."""
    standard = files("highdicom") / "_standard"
    classes = json.loads((standard / "sop_class_iod_map.json").read_text())
    modules = json.loads((standard / "iod_module_map.json").read_text())
    attributes = json.loads((standard / "module_attribute_map.json").read_text())
    from pydicom.datadict import keyword_for_tag

    compounds = {keyword_for_tag(int(row[0], 16)): row for row in PLAIN if "/" in row[1]}
    strength = {"1": 1, "1C": 1, "2": 2, "2C": 2, "3": 3}
    for sop_class in (MR, ENHANCED_MR, CT, SEG):
        needed: dict[str, int] = {}
        for module in modules[classes[sop_class]]:
            for attribute in attributes[module["key"]]:
                if not attribute["path"] and attribute["keyword"] in compounds:
                    kind = strength.get(attribute["type"], 3)
                    needed[attribute["keyword"]] = min(needed.get(attribute["keyword"], 3), kind)
        for keyword, (tag, action, _, _) in compounds.items():
            letters = action.replace("*", "").split("/")
            kind = needed.get(keyword, 3)
            expected = {1: {"D", "U"}, 2: {"Z", "D", "U"}, 3: {"X", "Z"}}[kind]
            found = resolve(action, needed=type_of(int(tag, 16), sop_class=sop_class))
            assert found in letters, keyword
            assert found in expected or not expected & set(letters), (keyword, sop_class, found)


def test_an_unknown_kind_of_object_stays_valid() -> None:
    """Where the type is not known, a dummy takes the place of the value."""
    assert 0 == type_of(0x00080023, sop_class="1.2.840.10008.5.1.4.1.1.9999")
    assert "D" == resolve("X/Z/D", needed=0)
    assert "U" == resolve("X/Z/U*", needed=0)
    assert "Z" == resolve("X/Z", needed=0)


@pytest.mark.parametrize("letter", [letter for letter in OPTIONS if letter != "v"])
def test_every_option_does_what_its_column_says(letter: str) -> None:
    """K keeps the value (of sequences the items, cleaned); C keeps no text that identifies."""
    wrong = []
    for tag, action, options, name in PLAIN:
        made = options.get(letter)
        if made is None or tag in PATIENT_ITSELF | OWN:
            continue
        ds = base()
        element = planted(tag)
        ds[element.tag] = element
        result, content = cleaned(ds, **OPTIONS[letter])
        after = result.get(element.tag)
        expected = planted(tag)
        kept = after is not None and (
            len(after.value) == 1 if after.VR == "SQ" else after.value == expected.value
        )
        if made == "K" and not kept:
            wrong.append((tag, name, "should be kept", str(after)))
        if made == "C" and b"SECRET" in content:
            wrong.append((tag, name, "should be clean", str(after)))
        if made == "C" and after is None and "X" not in action:
            wrong.append((tag, name, "should be there", ""))
        dated = after is not None and after.VR in ("DA", "DT")
        if letter == "m" and dated and after.value == expected.value:
            wrong.append((tag, name, "should have moved", str(after)))
    assert not wrong


def test_the_methods_are_named_by_their_codes() -> None:
    every = {key: value for option in OPTIONS.values() for key, value in option.items()}
    result, _ = cleaned(base(), **every)
    codes = [item.CodeValue for item in result.DeidentificationMethodCodeSequence]
    assert "113100" == codes[0]
    assert {code for key, (code, _) in OPTION_CODES.items() if key != "f"} == set(codes[1:])
    assert "YES" == result.PatientIdentityRemoved
    assert "MODIFIED" == result.LongitudinalTemporalInformationModified
    assert "REMOVED" == cleaned(base())[0].LongitudinalTemporalInformationModified


def test_curves_overlays_groups_of_commands_and_private_attributes_go() -> None:
    ds = base()
    ds.add_new(0x50020005, "US", 2)
    ds.add_new(0x50023000, "OW", b"XSECRETX")
    ds.add_new(0x60020010, "US", 2)
    ds.add_new(0x60023000, "OW", b"XSECRETX")
    ds.add_new(0x60024000, "LT", "XSECRETX")
    ds.add_new(0x00090010, "LO", "XSECRETX")
    ds.add_new(0x00091001, "LO", "XSECRETX")
    result, content = cleaned(ds)
    assert b"XSECRETX" not in content
    assert not [tag for tag in result.keys() if tag >> 16 & 1 or tag >> 24 in (0x50, 0x60)]  # noqa: SIM118


def test_the_header_and_the_preamble_are_new() -> None:
    ds = base()
    ds.preamble = b"XSECRETX" * 16
    ds.file_meta.SourceApplicationEntityTitle = "XSECRETX"
    ds.file_meta.add_new(0x00020100, "UI", "1.2.3")
    ds.file_meta.add_new(0x00020102, "OB", b"XSECRETX")
    result, content = cleaned(ds)
    assert b"XSECRETX" not in content
    assert bytes(128) == content[:128]
    assert result.SOPInstanceUID == result.file_meta.MediaStorageSOPInstanceUID != "1.2.3.4"


def test_patient_and_technique_are_told_apart() -> None:
    """What `leuko info` masks."""
    assert is_identifying(0x00100010)
    assert is_identifying(0x00091001)
    assert not is_identifying(0x00180050)
