"""Deidentification of real files of seven vendors, and of what must not get through."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.sequence import Sequence

from leuko.dicom.csa import parse_csa
from leuko.dicom.deidentify import Deidentifier, Rules
from leuko.dicom.deidentify_csa import bare_csa
from leuko.dicom.deidentify_pixels import Rectangle
from leuko.dicom.deidentify_values import cleaned_text, shifted
from leuko.dicom.profile import Options
from leuko.errors import ReadError, SafetyRefusal, UnusableInput

SECRET = b"k" * 32
PLANTED = (b"ZEBULON", b"QUIXOTE", b"QX7781234", b"19330411", b"OBSCURE HOSPITAL", b"DRHOLLOWAY")
VALIDATED = (
    "canon_classic_dwi_2vol", "ge_3d_sag_t1", "hitachi_anat", "philips_classic_epi",
    "philips_enhanced_fmri", "siemens_2d_sag_t1_hfs", "siemens_xa10_enhanced_4d",
    "toshiba_classic_dwi_1vol", "uih_3d_sag_t1",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _odd_values_of_real_files() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pydicom")
        yield


def members(zipped: Path) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(zipped) as archive:
        names = sorted(n for n in archive.namelist() if not n.endswith(("/", ".json", ".gz")))
        return [(Path(name).name, archive.read(name)) for name in names]


def cleaner(rules: Rules | None = None, **options: Any) -> Deidentifier:
    return Deidentifier(rules or Rules(Options(**options)), secret=SECRET, version="0")


def encoded(ds: Dataset) -> bytes:
    file = BytesIO()
    dcmwrite(file, ds, enforce_file_format=True)
    return file.getvalue()


def with_identity(content: bytes) -> bytes:
    """The file with a person's data in many places: public, nested, private, unknown."""
    ds = dcmread(BytesIO(content))
    ds.preamble = b"ZEBULON " * 16
    ds.PatientName = "Quixote^Zebulon"
    ds.PatientID = "QX7781234"
    ds.PatientBirthDate = "19330411"
    ds.InstitutionName = "Mount Obscure Hospital"
    ds.ReferringPhysicianName = "DrHolloway"
    ds.StudyDescription = "Brain of Zebulon"
    ds.ImageComments = "QX7781234 Zebulon Quixote 19330411"
    ds.SoftwareVersions = "made for Zebulon"
    ds.PatientPosition = "QX7781234"
    ds.RetrieveURL = "http://obscure hospital/QX7781234"
    inner = Dataset()
    inner.PatientID = "QX7781234"
    inner.PersonName = "DrHolloway"
    inner.ContentDescription = "Zebulon"
    inner.add_new(0x00110010, "LO", "ZEBULON")
    inner.add_new(0x00111001, "LO", "Quixote")
    outer = Dataset()
    outer.ContributingEquipmentSequence = Sequence([inner])
    ds.ContributingEquipmentSequence = Sequence([outer])
    ds.add_new(0x00090010, "LO", "MOUNT OBSCURE HOSPITAL")
    ds.add_new(0x00091010, "UN", b"Quixote^Zebulon ")
    ds.add_new(0x00280002 + 0xFE, "LO", "Quixote")  # (0028,0100) as text
    ds.add_new(0x0028FF00, "UN", b"Zebulon ")  # nobody knows this one
    return encoded(ds)


def series(shared_data: Path) -> list[Path]:
    folder = shared_data / "dicom" / "conversion"
    return [zipped for zipped in sorted(folder.glob("*/in.zip")) if "rgb" not in zipped.parent.name]


def test_identity_leaves_the_files_of_every_vendor(shared_data: Path) -> None:
    """Planted identity and the file's own is gone from the bytes; pixels are the same bytes."""
    for zipped in series(shared_data):
        name, content = members(zipped)[0]
        source = dcmread(BytesIO(content))
        bits = source.BitsAllocated
        planted = dcmread(BytesIO(with_identity(content)))
        planted.add_new(0x00280100, "US", bits)
        done = cleaner().file(encoded(planted), name=name)
        result = dcmread(BytesIO(done.content))
        header = done.content.replace(bytes(result.PixelData), b"")
        for word in PLANTED:
            assert word not in header.upper(), (zipped.parent.name, word)
        for uid in (source.SOPInstanceUID, source.StudyInstanceUID, source.SeriesInstanceUID):
            assert uid.encode() not in header, zipped.parent.name
        assert not [tag for tag in result.keys() if tag >> 16 & 1], zipped.parent.name  # noqa: SIM118
        assert result.PixelData == source.PixelData, zipped.parent.name
        assert result.file_meta.TransferSyntaxUID == source.file_meta.TransferSyntaxUID
        assert result.Rows == source.Rows
        if "ImageOrientationPatient" in source and "ImagePositionPatient" in source:
            assert result.ImageOrientationPatient == source.ImageOrientationPatient
            assert result.ImagePositionPatient == source.ImagePositionPatient


def test_text_in_the_place_of_a_number_goes() -> None:
    ds = dcmread(BytesIO(simple()))
    ds.add_new(0x00280030, "LO", "Quixote")  # Pixel Spacing
    assert b"Quixote" not in cleaner().file(encoded(ds), name="a.dcm").content


def simple(**values: Any) -> bytes:
    """A small MR image."""
    ds = Dataset()
    ds.file_meta = dcmread(BytesIO(_MINIMAL)).file_meta
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    ds.SOPInstanceUID = "1.2.3.4"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3.5", "1.2.3.6"
    ds.FrameOfReferenceUID = "1.2.3.7"
    ds.Modality, ds.PatientID, ds.PatientName = "MR", "P1", "Doe^John"
    ds.Rows, ds.Columns, ds.SamplesPerPixel = 4, 4, 1
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.PixelData = np.arange(16, dtype="<u2").tobytes()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return encoded(ds)


def _minimal() -> bytes:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", "1.2.3.4"
    file = BytesIO()
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dcmwrite(file, ds, enforce_file_format=True)
    return file.getvalue()


_MINIMAL = _minimal()


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (dicom3tools)")
@pytest.mark.parametrize("case", VALIDATED)
def test_an_independent_validator_finds_no_new_error(
    case: str, shared_data: Path, tmp_path: Path
) -> None:
    name, content = members(shared_data / "dicom" / "conversion" / case / "in.zip")[0]
    done = cleaner().file(content, name=name)

    def errors(what: bytes) -> Counter[str]:
        file = tmp_path / "a.dcm"
        file.write_bytes(what)
        run = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False)
        lines = (run.stdout + run.stderr).splitlines()
        return Counter(line.split(" - ")[1] for line in lines if line.startswith("Error - "))

    new = errors(done.content) - errors(content)
    assert not new


def test_uids_are_one_to_one_over_the_files_of_a_study(shared_data: Path) -> None:
    """Series, study and frame of reference stay together, references find their images."""
    folder = shared_data / "dicom" / "seg"
    archives = sorted(folder.rglob("*.zip")) or sorted(folder.rglob("*"))
    contents = [
        content
        for item in archives
        if item.is_file()
        for _, content in (
            members(item) if item.suffix == ".zip" else [(item.name, item.read_bytes())]
        )
        if content[128:132] == b"DICM"
    ]
    run = cleaner()
    before = [dcmread(BytesIO(content)) for content in contents]
    after = [dcmread(BytesIO(run.file(content, name="x").content)) for content in contents]
    pairs = {(b.SeriesInstanceUID, a.SeriesInstanceUID) for b, a in zip(before, after, strict=True)}
    assert len({old for old, _ in pairs}) == len({new for _, new in pairs}) == len(pairs)
    known = {b.SOPInstanceUID: a.SOPInstanceUID for b, a in zip(before, after, strict=True)}
    segs = [(b, a) for b, a in zip(before, after, strict=True) if b.Modality == "SEG"]
    assert segs
    for old, new in segs:
        was = [
            i.ReferencedSOPInstanceUID
            for i in old.ReferencedSeriesSequence[0].ReferencedInstanceSequence
        ]
        now = [
            i.ReferencedSOPInstanceUID
            for i in new.ReferencedSeriesSequence[0].ReferencedInstanceSequence
        ]
        assert [known[uid] for uid in was if uid in known] == [
            new_uid for uid, new_uid in zip(was, now, strict=True) if uid in known
        ]
        assert set(was) & set(known)
        frame_old = old.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0]
        frame_new = new.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0]
        uid = frame_old.SourceImageSequence[0].ReferencedSOPInstanceUID
        assert known[uid] == frame_new.SourceImageSequence[0].ReferencedSOPInstanceUID
        assert new.PixelData == old.PixelData


def test_the_same_secret_gives_the_same_names_and_another_does_not() -> None:
    content = simple()
    one, two = (cleaner().file(content, name="a") for _ in range(2))
    other = Deidentifier(Rules(), secret=b"z" * 32, version="0").file(content, name="a")
    assert one == two
    assert one.subject != other.subject
    assert one.instance_uid != other.instance_uid


def test_dates_move_together_and_keep_their_distances() -> None:
    run = cleaner(retain_dates="modified")
    first = simple(
        StudyDate="20200101", AcquisitionDateTime="20200102101112.5+0100", StudyTime="1011"
    )
    second = simple(StudyDate="20210101", SOPInstanceUID="1.2.3.9")
    one, two = (dcmread(BytesIO(run.file(c, name="a").content)) for c in (first, second))
    from datetime import date

    days = [date.fromisoformat(str(ds.StudyDate)) for ds in (one, two)]
    assert 366 == (days[1] - days[0]).days
    assert 366 <= (date(2020, 1, 1) - days[0]).days <= 3652
    assert str(one.AcquisitionDateTime).endswith("101112.5+0100")
    assert "1011" == one.StudyTime
    assert "MODIFIED" == one.LongitudinalTemporalInformationModified


def test_two_patients_do_not_become_one() -> None:
    run = cleaner(Rules(subject="sub-01"))
    run.file(simple(), name="a.dcm")
    with pytest.raises(SafetyRefusal, match="another patient"):
        run.file(simple(PatientID="P2"), name="b.dcm")
    table = cleaner(Rules(subjects={"P1": "s1"}))
    assert "s1" == table.file(simple(), name="a.dcm").subject
    with pytest.raises(SafetyRefusal, match="not in the table"):
        table.file(simple(PatientID="P2"), name="b.dcm")


def test_burned_in_text_is_refused_and_can_be_blanked(shared_data: Path) -> None:
    (name, content), *_ = members(shared_data / "dicom" / "failing" / "burned_in_annotation.zip")
    with pytest.raises(SafetyRefusal, match="burned in"):
        cleaner().file(content, name=name)
    with pytest.raises(SafetyRefusal, match="burned in"):
        cleaner(Rules(pixels_checked=True)).file(content, name=name)
    source = dcmread(BytesIO(content))
    done = cleaner(Rules(blank=(Rectangle(2, 3, 50, 10),))).file(content, name=name)
    result = dcmread(BytesIO(done.content))
    before, after = source.pixel_array.copy(), result.pixel_array
    assert not after[3:13, 2:52].any()
    before[3:13, 2:52] = 0
    assert np.array_equal(before, after)
    assert "NO" == result.BurnedInAnnotation
    codes = [item.CodeValue for item in result.DeidentificationMethodCodeSequence]
    assert "113101" in codes
    with pytest.raises(SafetyRefusal, match="does not lie in the picture"):
        cleaner(Rules(blank=(Rectangle(99999, 0, 5, 5),))).file(content, name=name)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("planar", [0, 1])
def test_colour_of_unknown_kind_needs_a_look_and_is_blanked_black(
    photometric: str, planar: int
) -> None:
    rng = np.random.default_rng(1)
    content = simple(
        SamplesPerPixel=3, PlanarConfiguration=planar, PhotometricInterpretation=photometric,
        BitsAllocated=8, BitsStored=8, HighBit=7, Rows=4, Columns=6, NumberOfFrames=2,
        PixelData=rng.integers(1, 255, 2 * 4 * 6 * 3, dtype=np.uint8).tobytes(),
    )  # fmt: skip
    with pytest.raises(SafetyRefusal, match="colour"):
        cleaner().file(content, name="a.dcm")
    assert cleaner(Rules(pixels_checked=True)).file(content, name="a.dcm")
    done = cleaner(Rules(blank=(Rectangle(1, 2, 3, 1),))).file(content, name="a.dcm")
    raw = np.frombuffer(dcmread(BytesIO(done.content)).PixelData, np.uint8)
    shape = (2, 3, 4, 6) if planar else (2, 4, 6, 3)
    pixels = raw.reshape(shape).transpose(0, 2, 3, 1) if planar else raw.reshape(shape)
    black = (0, 0, 0) if photometric == "RGB" else (0, 128, 128)
    assert (pixels[:, 2, 1:4] == black).all()
    assert not (pixels[:, 1] == black).all()


def test_an_overlay_in_unused_bits_of_the_pixels_is_cleared() -> None:
    values = np.arange(16, dtype="<u2") | np.uint16(1 << 15)
    content = simple(PixelData=values.tobytes())
    ds = dcmread(BytesIO(content))
    ds.add_new(0x60000100, "US", 16)
    ds.add_new(0x60000102, "US", 15)
    result = dcmread(BytesIO(cleaner().file(encoded(ds), name="a").content))
    assert np.arange(16, dtype="<u2").tobytes() == result.PixelData
    assert not [tag for tag in result.keys() if tag >> 24 == 0x60]  # noqa: SIM118


def test_what_follows_the_last_pixel_goes() -> None:
    values = np.arange(16, dtype="<u2").tobytes()
    result = cleaner().file(simple(PixelData=values + b"Quixote!"), name="a").content
    assert values == dcmread(BytesIO(result)).PixelData
    assert b"Quixote" not in result


def test_what_follows_a_compressed_picture_is_found(shared_data: Path) -> None:
    zipped = shared_data / "dicom" / "conversion" / "generic_t1_compressed_j2k" / "in.zip"
    name, content = members(zipped)[0]
    ds = dcmread(BytesIO(content))
    ds.PatientName = "Quixote"
    frame = next(generate_frames(ds.PixelData, number_of_frames=1))
    ds.PixelData = encapsulate([frame + b" Quixote "])
    with pytest.raises(SafetyRefusal, match="in its compressed pixels"):
        cleaner().file(encoded(ds), name=name)


def test_a_name_of_one_sign_goes() -> None:
    name = "王^小东"
    content = simple(SpecificCharacterSet="GB18030", PatientName=name, SoftwareVersions="王 v1")
    assert "王".encode("gb18030") not in cleaner().file(content, name="a").content


def test_a_name_written_as_numbers_or_as_a_uid_goes() -> None:
    """Look-up tables, profiles, counts and UIDs hold any bytes."""
    ds = dcmread(BytesIO(simple(PatientName="Quixote^Zebulon")))
    ds.add_new(0x00281201, "OW", b"Quixote ")  # a palette
    ds.add_new(0x00282000, "OB", b"Zebulon ")  # a colour profile
    ds.add_new(0x00283006, "OW", b"Quixote ")
    ds.add_new(0x00081150, "UI", "1.2.Zebulon")
    ds.add_new(0x0020000E, "UI", "1.2.Quixote")
    choices: tuple[dict[str, Any], ...] = ({}, {"retain_uids": True})
    for options in choices:
        result = cleaner(**options).file(encoded(ds), name="a").content
        assert not re.search(rb"quixote|zebulon", result, re.IGNORECASE), options


@pytest.mark.parametrize(
    ("group", "creator", "element"),
    [(0x2001, "Philips Imaging DD 001", 0x03), (0x0065, "Image Private Header", 0x51),
     (0x0019, "SIEMENS MR HEADER", 0x29), (0x0025, "GEMS_SERS_01", 0x07)],
)  # fmt: skip
def test_a_word_in_the_place_of_a_safe_private_number_goes(
    group: int, creator: str, element: int
) -> None:
    ds = dcmread(BytesIO(simple()))
    ds.private_block(group, creator, create=True).add_new(element, "UN", b"Bob1")
    result = cleaner(retain_safe_private=True).file(encoded(ds), name="a").content
    assert b"Bob1" not in result


def test_documents_do_not_get_through(shared_data: Path) -> None:
    refused = []
    for name, content in members(shared_data / "dicom" / "failing" / "not_an_image.zip"):
        try:
            cleaner().file(content, name=name)
        except SafetyRefusal:
            refused.append(name)
    assert 3 == len(refused)  # two reports and a presentation state


def test_a_report_keeps_codes_and_numbers_without_its_texts(shared_data: Path) -> None:
    found = dict(members(shared_data / "dicom" / "failing" / "not_an_image.zip"))
    name = next(name for name in found if "structured_report" in name)
    ds = dcmread(BytesIO(found[name]))
    item = Dataset()
    item.ValueType, item.RelationshipType = "TEXT", "CONTAINS"
    item.TextValue = "Mr. Quixote complains of headache"
    person = Dataset()
    person.ValueType, person.RelationshipType, person.PersonName = "PNAME", "CONTAINS", "DrHolloway"
    ds.ContentSequence = Sequence([*ds.ContentSequence, item, person])
    done = cleaner(clean_structured_content=True).file(encoded(ds), name=name)
    result = dcmread(BytesIO(done.content))
    assert b"Quixote" not in done.content
    assert b"DrHolloway" not in done.content
    assert len(result.ContentSequence) == len(ds.ContentSequence)
    assert result.ConceptNameCodeSequence[0].CodeValue == ds.ConceptNameCodeSequence[0].CodeValue


def test_what_cannot_be_read_to_its_end_is_not_copied(shared_data: Path) -> None:
    found = dict(members(shared_data / "dicom" / "failing" / "damaged_or_odd.zip"))
    truncated = next(name for name in found if "truncated" in name)
    with pytest.raises(ReadError, match="truncated"):
        cleaner().file(found[truncated], name=truncated)
    with pytest.raises(ReadError):
        cleaner().file(b"no dicom at all, but a text with Zebulon in it" * 9, name="x")
    content = simple()
    for cut in range(150, len(content) - 40, 37):
        with pytest.raises((ReadError, SafetyRefusal, UnusableInput)):
            cleaner().file(content[:cut], name="cut.dcm")


def test_a_directory_of_files_is_an_index_not_an_image(shared_data: Path) -> None:
    index = next((shared_data / "dicom" / "dicomdir").rglob("DICOMDIR"), None)
    if index is None:
        pytest.skip("no DICOMDIR outside of archives")
    with pytest.raises(UnusableInput, match="index"):
        cleaner().file(index.read_bytes(), name="DICOMDIR")


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 192", "Žižka^Přemysl"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
)
def test_names_in_any_character_set_go(charset: str | list[str], name: str) -> None:
    """Also where a text repeats them; what is retained stays readable."""
    content = simple(SpecificCharacterSet=charset, PatientName=name, SoftwareVersions=name)
    source = dcmread(BytesIO(content))
    raw = source.get_item("PatientName").value
    done = cleaner(retain_institution=True).file(content, name="a")
    for part in raw.replace(b"=", b"^").split(b"^"):
        assert part.strip() not in done.content or len(part) < 3
    assert str(dcmread(BytesIO(done.content)).PatientName).startswith("sub-")


def test_safe_private_attributes_stay_and_nothing_else(shared_data: Path) -> None:
    """Philips' scale slopes and diffusion stay, with their creator; other private ones go."""
    zipped = shared_data / "dicom" / "conversion" / "philips_classic_epi" / "in.zip"
    name, content = members(zipped)[0]
    source = dcmread(BytesIO(content))
    planted = dcmread(BytesIO(content))
    block = planted.private_block(0x2001, "Philips Imaging DD 001")
    block.add_new(0x63, "CS", "QUIXOTE")  # not listed
    done = cleaner(retain_safe_private=True).file(encoded(planted), name=name)
    result = dcmread(BytesIO(done.content))
    assert b"QUIXOTE" not in done.content
    kept = result.private_block(0x2005, "Philips MR Imaging DD 001")
    was = source.private_block(0x2005, "Philips MR Imaging DD 001")
    assert kept[0x0E].value == was[0x0E].value
    creators = {str(e.value) for e in result if e.tag.is_private_creator}
    assert creators <= {"Philips Imaging DD 001", "Philips MR Imaging DD 001"}


def test_a_mosaic_keeps_its_geometry_and_no_text(shared_data: Path) -> None:
    """Of Siemens' CSA header only names with numbers stay, written anew."""
    zipped = shared_data / "dicom" / "conversion" / "siemens_mosaic_sag" / "in.zip"
    name, content = members(zipped)[0]
    ds = dcmread(BytesIO(content))
    block = ds.private_block(0x0029, "SIEMENS CSA HEADER")
    raw = bytes(block[0x10].value)
    numbers = parse_csa(raw, wanted=frozenset({"SliceNormalVector", "MosaicRefAcqTimes"}))
    planted = raw.replace(b"T:HEA;HEP", b"QUIXOTE\0\0") + b"QUIXOTE"
    assert planted.count(b"QUIXOTE") >= 2
    block[0x10].value = planted + bytes(len(planted) % 2)
    lost = cleaner().file(encoded(ds), name=name)
    assert lost.geometry_lost
    done = cleaner(retain_safe_private=True).file(encoded(ds), name=name)
    assert not done.geometry_lost
    assert b"QUIXOTE" not in done.content
    kept = dcmread(BytesIO(done.content)).private_block(0x0029, "SIEMENS CSA HEADER")[0x10].value
    new = parse_csa(kept, wanted=frozenset(numbers))
    assert {key: [v for v in values if v] for key, values in numbers.items()} == {
        key: [v for v in values if v] for key, values in new.items()
    }


def test_a_csa_header_of_texts_leaves_nothing() -> None:
    assert b"" == bare_csa(b"SV10 and then nothing")
    assert b"" == bare_csa(b"")
    name = b"SliceNormalVector".ljust(64, b"\0") + struct.pack("<i4siii", 3, b"FD", 4, 1, 77)
    item = struct.pack("<4i", 8, 8, 77, 8) + b"QUIXOTE\0"
    assert b"" == bare_csa(b"SV10\4\3\2\1" + struct.pack("<II", 1, 77) + name + item)


def test_a_comment_inside_compressed_pixels_is_found(shared_data: Path) -> None:
    zipped = shared_data / "dicom" / "conversion" / "generic_t1_compressed_j2k" / "in.zip"
    name, content = members(zipped)[0]
    ds = dcmread(BytesIO(content))
    ds.PatientName = "Quixote"
    frame = next(generate_frames(ds.PixelData, number_of_frames=1))
    comment = b"\xff\x64" + struct.pack(">HH", 4 + 7, 1) + b"Quixote"
    at = frame.index(b"\xff\x52")  # the coding style follows the size in every codestream
    ds.PixelData = encapsulate([frame[:at] + comment + frame[at:]])
    with pytest.raises(SafetyRefusal, match="in its compressed pixels"):
        cleaner().file(encoded(ds), name=name)


def test_ages_above_89_become_one() -> None:
    for age, expected in (("041Y", "041Y"), ("089Y", "089Y"), ("090Y", "090Y"), ("097Y", "090Y")):
        done = cleaner(retain_patient_characteristics=True).file(simple(PatientAge=age), name="a")
        assert expected == dcmread(BytesIO(done.content)).PatientAge
    assert "PatientAge" not in dcmread(
        BytesIO(cleaner().file(simple(PatientAge="041Y"), name="a").content)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t2_tirm_tra_dark-fluid", "t2 tirm tra dark fluid"),
        ("FLAIR Mr. Long 12.03.1956", "FLAIR"),
        ("Prof. Smith / St. Mary's Hospital", ""),
        ("sag 3D FLAIR 1mm TE120 b1000 p2", "sag 3D FLAIR 1mm TE120 b1000 p2"),
        ("12 345", ""),
        ("patient 19560312", ""),
    ],
)
def test_of_a_description_only_terms_of_imaging_stay(text: str, expected: str) -> None:
    assert expected == cleaned_text(text, without={"long"})


@pytest.mark.parametrize(
    ("value", "vr", "expected"),
    [
        ("20200301", "DA", "20200229"),
        ("2020.03.01", "DA", "20200229"),
        ("20200301121314.5", "DT", "20200229121314.5"),
        ("202003", "DT", "202002"),
        ("2020", "DT", "2019"),
        ("121314", "TM", "121314"),
        ("20201350", "DA", "19000101"),
        ("tomorrow", "DA", "19000101"),
    ],
)
def test_a_date_moves_whatever_its_form(value: str, vr: str, expected: str) -> None:
    assert expected == shifted(value, days=-1, vr=vr)


# ---------------------------------------------------------------- any data set at all

IDENTIFYING = [
    0x00080050, 0x00080080, 0x00080081, 0x00080090, 0x00080092, 0x00081010, 0x00081030, 0x0008103E,
    0x00081050, 0x00081070, 0x00084000, 0x00100010, 0x00100020, 0x00101001, 0x00101040, 0x001021B0,
    0x00104000, 0x00181030, 0x00204000, 0x00321030, 0x00380010, 0x00400006, 0x00400275, 0x0040A123,
    0x0040A160, 0x00700084, 0x40000010, 0x00091001, 0x50001001, 0x60004000, 0x0028FF01, 0x00620006,
]  # fmt: skip
NESTS = [0x00081140, 0x00400275, 0x0018A001, 0x52009229, 0x00081199, 0x00400555, 0x0040A730]


@st.composite
def data_sets(draw: st.DrawFn, depth: int = 0) -> Dataset:
    """A data set with the secret in identifying places, perhaps deep inside."""
    from pydicom.datadict import dictionary_VR

    ds = Dataset()
    for tag in draw(st.lists(st.sampled_from(IDENTIFYING), max_size=6, unique=True)):
        try:
            vr = dictionary_VR(tag)
        except KeyError:
            vr = "LO"
        if vr != "SQ":
            ds.add_new(tag, vr, draw(st.sampled_from(["LEAKME", "a LEAKME b", "LEAKME"])))
    if depth < 3:
        for tag in draw(st.lists(st.sampled_from(NESTS), max_size=2, unique=True)):
            ds.add_new(tag, "SQ", Sequence([draw(data_sets(depth=depth + 1))]))
    return ds


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data_sets(), st.sampled_from([*"udifmtsgv", "", "udpifts", "udpimtsgv"]))
def test_no_secret_leaves_a_random_data_set(inner: Dataset, letters: str) -> None:
    """Whatever the nesting and the options: only what an option names by tag may keep its value."""
    names = {
        "u": "retain_uids", "d": "retain_device", "i": "retain_institution",
        "p": "retain_patient_characteristics", "t": "clean_descriptors",
        "s": "clean_structured_content", "g": "clean_graphics", "v": "retain_safe_private",
    }  # fmt: skip
    options: dict[str, Any] = {names[letter]: True for letter in letters if letter in names}
    if "m" in letters or "f" in letters:
        options["retain_dates"] = "modified" if "m" in letters else "full"
    ds = dcmread(BytesIO(simple()))
    kept = {0x00080080, 0x00080081} if "i" in letters else set()
    kept |= {0x00081010} if "d" in letters else set()
    _without(inner, kept)
    ds.update(inner)
    ds.PatientID = "P1"
    content = cleaner(**options).file(encoded(ds), name="a").content
    assert b"LEAKME" not in content


def _without(ds: Dataset, tags: set[int]) -> None:
    for tag in list(ds.keys()):
        if tag in tags:
            del ds[tag]
        elif ds[tag].VR == "SQ":
            for item in ds[tag].value:
                _without(item, tags)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(128, 6000), st.binary(min_size=1, max_size=4)), max_size=20))
def test_damaged_files_are_refused_or_cleaned(damage: list[tuple[int, bytes]]) -> None:
    """Bytes changed anywhere in the header: our own errors, nothing else."""
    content = bytearray(with_identity(simple()))
    for place, new in damage:
        start = min(place, len(content) - 5)
        content[start : start + len(new)] = new
    try:
        done = cleaner(clean_descriptors=True, retain_safe_private=True).file(
            bytes(content), name="a"
        )
    except (ReadError, SafetyRefusal, UnusableInput):
        return
    dcmread(BytesIO(done.content))


def test_a_phantom_named_after_the_scanner_costs_no_technique() -> None:
    """Names that are also positions, parts of the body or models don't make these go."""
    content = simple(
        PatientName="HFS^Prisma^Head", PatientPosition="HFS", BodyPartExamined="HEAD",
        Manufacturer="SIEMENS", ManufacturerModelName="Prisma_fit",
    )  # fmt: skip
    result = dcmread(BytesIO(cleaner().file(content, name="a").content))
    assert ("HFS", "HEAD") == (result.PatientPosition, result.BodyPartExamined)
    assert "Prisma_fit" == result.ManufacturerModelName
