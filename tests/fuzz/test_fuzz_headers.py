"""Headers of any content, drawn by hypothesis: a sane image or a plain error, for every format."""

from __future__ import annotations

import gzip
import io
import math
import resource
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz_verdict import verdict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SECRET = "DOE^JANE"
EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MEMORY = 1_200 << 20

small = st.integers(-2, 5)
int16 = st.one_of(small, st.integers(-(2**15), 2**15 - 1))
int32 = st.one_of(small, st.sampled_from([2**31 - 1, -(2**31)]), st.integers(-(2**31), 2**31 - 1))
int64 = st.one_of(small, st.sampled_from([2**63 - 1, -(2**63), 2**33]))
real = st.one_of(st.floats(-10, 10, width=32), st.floats(width=32))
double = st.one_of(st.floats(-10, 10), st.floats())
word = st.text(st.characters(max_codepoint=255), max_size=12)
order = st.sampled_from("<>")


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    """A claim that is believed runs into this limit, not into the machine's."""
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / SECRET
    place.mkdir()
    return place


def judge(folder: Path, **files: bytes) -> None:
    """The first file is read, those behind it lie beside it."""
    paths = [folder / name.replace("__", ".") for name in files]
    for path, content in zip(paths, files.values(), strict=True):
        path.write_bytes(content)
    assert verdict(paths[0], secret=SECRET) == ""


# ---------------------------------------------------------------- binary headers


@given(
    order=order, dim=st.lists(int16, min_size=8, max_size=8), datatype=st.sampled_from(
        [2, 4, 8, 16, 64, 128, 256, 512, 768, 1, 32, 9999]), bitpix=int16,
    pixdim=st.lists(real, min_size=8, max_size=8), offset=real, scale=st.tuples(real, real),
    codes=st.tuples(int16, int16), quatern=st.lists(real, min_size=6, max_size=6),
    srow=st.lists(real, min_size=12, max_size=12), units=st.integers(0, 255),
    magic=st.sampled_from([b"n+1\0", b"ni1\0", bytes(4)]),
)  # fmt: skip
@EXAMPLES
def test_nifti_1_and_analyze(folder: Path, order: str, **fields: Any) -> None:
    header = bytearray(348)
    struct.pack_into(order + "i", header, 0, 348)
    struct.pack_into(order + "8h", header, 40, *fields["dim"])
    struct.pack_into(order + "hh", header, 70, fields["datatype"], fields["bitpix"])
    struct.pack_into(order + "8f", header, 76, *fields["pixdim"])
    struct.pack_into(order + "fff", header, 108, fields["offset"], *fields["scale"])
    header[123] = fields["units"]
    struct.pack_into(order + "hh", header, 252, *fields["codes"])
    struct.pack_into(order + "6f", header, 256, *fields["quatern"])
    struct.pack_into(order + "12f", header, 280, *fields["srow"])
    header[344:348] = fields["magic"]
    judge(folder, scan__hdr=bytes(header) + bytes(600), scan__img=bytes(900))


@given(
    order=order, dim=st.lists(int64, min_size=8, max_size=8), datatype=int16,
    pixdim=st.lists(double, min_size=8, max_size=8), offset=int64,
    place=st.lists(double, min_size=18, max_size=18), codes=st.tuples(int32, int32),
)  # fmt: skip
@EXAMPLES
def test_nifti_2(folder: Path, order: str, **fields: Any) -> None:
    header = bytearray(540)
    struct.pack_into(order + "i", header, 0, 540)
    header[4:12] = b"n+2\0\r\n\x1a\n"
    struct.pack_into(order + "hh", header, 12, fields["datatype"], 16)
    struct.pack_into(order + "8q", header, 16, *fields["dim"])
    struct.pack_into(order + "8d", header, 104, *fields["pixdim"])
    struct.pack_into(order + "q", header, 168, fields["offset"])
    struct.pack_into(order + "ii", header, 344, *fields["codes"])
    struct.pack_into(order + "18d", header, 352, *fields["place"])
    judge(folder, scan__nii__gz=gzip.compress(bytes(header) + bytes(900)))


@given(
    dims=st.lists(int32, min_size=4, max_size=4), kind=int32, good=int16,
    place=st.lists(real, min_size=15, max_size=15), version=st.sampled_from([1, 1, 1, 2]),
)  # fmt: skip
@EXAMPLES
def test_mgh(folder: Path, **fields: Any) -> None:
    header = struct.pack(">6i", fields["version"], *fields["dims"], fields["kind"])
    header += struct.pack(">ih15f", 0, fields["good"], *fields["place"])
    judge(folder, scan__mgh=header.ljust(284, b"\0") + bytes(600))


@given(
    dims=st.lists(int32, min_size=3, max_size=3), kind=st.integers(0, 7), ids=st.permutations(
        [0, 1, 2]), name=word, attributes=st.dictionaries(
        st.sampled_from(["step", "start", "direction_cosines", "units", "length"]),
        st.lists(double, min_size=1, max_size=3)),
)  # fmt: skip
@EXAMPLES
def test_minc_1(folder: Path, **fields: Any) -> None:
    def text(value: str) -> bytes:
        raw = value.encode("utf-8")
        return struct.pack(">I", len(raw)) + raw.ljust(-(-len(raw) // 4) * 4, b"\0")

    def attributes() -> bytes:
        content = struct.pack(">II", 12, len(fields["attributes"]))
        for key, values in fields["attributes"].items():
            content += text(key) + struct.pack(f">II{len(values)}d", 6, len(values), *values)
        return content if fields["attributes"] else bytes(8)

    names = ["zspace", "yspace", fields["name"] or "xspace"]
    dims = b"".join(
        text(name) + struct.pack(">i", size)
        for name, size in zip(names, fields["dims"], strict=True)
    )
    image = text("image") + struct.pack(">4I", 3, *fields["ids"]) + bytes(8)
    image += struct.pack(">III", fields["kind"], 600, 700)
    axis = text("xspace") + struct.pack(">I", 0) + attributes()
    axis += struct.pack(">III", 4, 4, 690)
    content = b"CDF\x01" + bytes(4) + struct.pack(">II", 10, 3) + dims + bytes(8)
    content += struct.pack(">II", 11, 2) + axis + image
    judge(folder, scan__mnc=content.ljust(1500, b"\1"))


@given(
    length=st.tuples(*[st.one_of(int32, double, word)] * 3), start=st.one_of(double, word),
    step=st.one_of(double, word), cosines=st.lists(double, max_size=4),
    dimorder=st.one_of(st.just("zspace,yspace,xspace"), word), valid=st.lists(double, max_size=3),
    limits=st.tuples(double, double),
)  # fmt: skip
@EXAMPLES
def test_minc_2(folder: Path, **fields: Any) -> None:
    import h5py

    file = io.BytesIO()
    with h5py.File(file, "w") as made:
        group = made.create_group("minc-2.0")
        for axis, length in zip("xyz", fields["length"], strict=True):
            attributes = group.create_dataset(f"dimensions/{axis}space", data=0).attrs
            for key in ("start", "step"):
                attributes[key] = _storable(fields[key])
            attributes["length"] = _storable(length)
            if fields["cosines"]:
                attributes["direction_cosines"] = np.array(fields["cosines"])
        image = group.create_dataset("image/0/image", data=np.ones((2, 3, 4), np.int16))
        image.attrs["dimorder"] = _storable(fields["dimorder"])
        if fields["valid"]:
            image.attrs["valid_range"] = np.array(fields["valid"])
        group.create_dataset("image/0/image-min", data=fields["limits"][0])
        group.create_dataset("image/0/image-max", data=fields["limits"][1])
    judge(folder, scan__mnc=file.getvalue())


def _storable(value: Any) -> Any:
    return np.bytes_(value.encode("latin-1")) if isinstance(value, str) else value


# ---------------------------------------------------------------- text headers


def number(values: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return st.one_of(values.map(str), word)


def vector(values: st.SearchStrategy[Any], most: int = 4) -> st.SearchStrategy[str]:
    return st.lists(number(values), max_size=most).map(" ".join)


NRRD = {
    "type": st.one_of(st.sampled_from(["short", "float", "uchar", "double", "block"]), word),
    "dimension": number(small),
    "sizes": st.one_of(st.just("2 3 4"), vector(int32)),
    "encoding": st.one_of(st.sampled_from(["raw", "gzip", "bzip2", "ascii", "hex"]), word),
    "endian": st.one_of(st.sampled_from(["little", "big"]), word),
    "space": st.one_of(st.sampled_from(["LPS", "RAS", "3D-left-handed", "MNI"]), word),
    "space dimension": number(small),
    "space directions": st.lists(
        st.one_of(st.just("none"), st.lists(double, max_size=4).map(lambda v: f"({v})"[:60])),
        max_size=4,
    ).map(" ".join),
    "space origin": st.lists(double, max_size=4).map(lambda v: "(" + ",".join(map(str, v)) + ")"),
    "spacings": vector(double),
    "kinds": st.lists(st.sampled_from(["domain", "list", "vector", "x"]), max_size=4).map(" ".join),
    "byte skip": number(int32),
    "line skip": number(int32),
    "data file": st.one_of(st.sampled_from(["voxels.raw", "../x", "LIST", "v%d 1 9 1"]), word),
    "units": word,
    "space units": word,
}
META = {
    "NDims": number(small),
    "DimSize": st.one_of(st.just("2 3 4"), vector(int32)),
    "ElementType": st.one_of(st.sampled_from(["MET_SHORT", "MET_FLOAT", "MET_UCHAR"]), word),
    "ElementSpacing": vector(double),
    "TransformMatrix": vector(double, 10),
    "Offset": vector(double),
    "ElementNumberOfChannels": number(small),
    "CompressedData": st.one_of(st.sampled_from(["True", "False"]), word),
    "CompressedDataSize": number(int32),
    "BinaryDataByteOrderMSB": st.one_of(st.sampled_from(["True", "False"]), word),
    "HeaderSize": number(int32),
    "AnatomicalOrientation": st.one_of(st.sampled_from(["RAI", "LPS", "???"]), word),
}


def some(fields: dict[str, st.SearchStrategy[str]]) -> st.SearchStrategy[dict[str, str]]:
    """Most of the fields; what is needed is often, not always, there."""
    return st.fixed_dictionaries({}, optional=fields)


@given(fields=some(NRRD), whole=st.booleans(), data=st.binary(max_size=90))
@EXAMPLES
def test_nrrd(folder: Path, fields: dict[str, str], whole: bool, data: bytes) -> None:
    base = {"type": "short", "dimension": "3", "sizes": "2 3 4", "encoding": "raw"}
    lines = (base if whole else {}) | {"endian": "little"} | fields
    text = "NRRD0005\n" + "".join(f"{key}: {value}\n" for key, value in lines.items()) + "\n"
    judge(folder, scan__nrrd=text.encode("latin-1") + data.ljust(48, b"\1"), voxels__raw=data)


@given(fields=some(META), data=st.binary(max_size=90), local=st.booleans())
@EXAMPLES
def test_metaimage(folder: Path, fields: dict[str, str], data: bytes, local: bool) -> None:
    base = {"NDims": "3", "DimSize": "2 3 4", "ElementType": "MET_SHORT"}
    lines = {"ObjectType": "Image"} | base | fields
    lines["ElementDataFile"] = "LOCAL" if local else "voxels.raw"
    text = "".join(f"{key} = {value}\n" for key, value in lines.items())
    judge(folder, scan__mha=text.encode("latin-1") + data.ljust(48, b"\1"), voxels__raw=data)


AFNI = {
    "DATASET_DIMENSIONS": st.lists(int32, max_size=5),
    "DATASET_RANK": st.lists(int32, max_size=4),
    "ORIENT_SPECIFIC": st.lists(small, max_size=4),
    "BRICK_TYPES": st.lists(small, max_size=3),
    "ORIGIN": st.lists(double, max_size=4),
    "DELTA": st.lists(double, max_size=4),
    "BRICK_FLOAT_FACS": st.lists(double, max_size=3),
    "IJK_TO_DICOM_REAL": st.lists(double, max_size=12),
}


@given(
    fields=st.fixed_dictionaries({}, optional=AFNI), claim=st.one_of(st.none(), int32), byte=order
)
@EXAMPLES
def test_afni(folder: Path, fields: dict[str, list[Any]], claim: int | None, byte: str) -> None:
    base: dict[str, list[Any]] = {
        "DATASET_DIMENSIONS": [2, 3, 4, 0, 0], "DATASET_RANK": [3, 1], "BRICK_TYPES": [1],
        "ORIENT_SPECIFIC": [0, 3, 4], "ORIGIN": [0.0, 0.0, 0.0], "DELTA": [1.0, 1.0, 1.0],
    }  # fmt: skip
    text = ""
    for name, values in (base | fields).items():
        kind = "float" if values and isinstance(values[0], float) else "integer"
        count = len(values) if claim is None else claim
        listed = " ".join(map(str, values))
        text += f"type = {kind}-attribute\nname = {name}\ncount = {count}\n {listed}\n\n"
    text += (
        "type = string-attribute\nname = BYTEORDER_STRING\ncount = 10\n"
        f"'{'LSB_FIRST' if byte == '<' else 'MSB_FIRST'}~\n\n"
    )
    judge(folder, **{"scan+orig__HEAD": text.encode(), "scan+orig__BRIK": bytes(48)})


# ---------------------------------------------------------------- DICOM, archives, pictures


DICOM = {
    0x00280010: ("US", int16), 0x00280011: ("US", int16), 0x00280008: ("IS", int32),
    0x00280002: ("US", int16), 0x00280100: ("US", int16), 0x00280101: ("US", int16),
    0x00280102: ("US", int16), 0x00280103: ("US", int16), 0x00280030: ("DS", double),
    0x00200032: ("DS", double), 0x00200037: ("DS", double), 0x00281053: ("DS", double),
    0x00281052: ("DS", double), 0x00180050: ("DS", double), 0x00180080: ("DS", double),
    0x00200013: ("IS", int32), 0x00280006: ("US", int16),
}  # fmt: skip


@given(
    elements=st.dictionaries(
        st.sampled_from(sorted(DICOM)), st.lists(double, max_size=7), max_size=8
    ),
    numbers=st.dictionaries(st.sampled_from(sorted(DICOM)), int32, max_size=8),
    texts=st.dictionaries(
        st.sampled_from([0x00080008, 0x00080060, 0x00280004, 0x00080016, 0x0008103E]), word
    ),
    syntax=st.sampled_from([1, 1, 1, 2, 99, 90, 80, 70, 50, 5]),
    pixels=st.binary(max_size=64),
)
@EXAMPLES
def test_dicom(folder: Path, **drawn: Any) -> None:
    known = {1: "1.2.840.10008.1.2.1", 2: "1.2.840.10008.1.2.2", 99: "1.2.840.10008.1.2.1.99",
             5: "1.2.840.10008.1.2.5"}  # fmt: skip
    uid = known.get(drawn["syntax"], f"1.2.840.10008.1.2.4.{drawn['syntax']}")
    fields: dict[int, tuple[str, bytes]] = {
        0x00080016: ("UI", b"1.2.840.10008.5.1.4.1.1.4"), 0x00080018: ("UI", b"1.2.3"),
        0x00080060: ("CS", b"MR"), 0x0020000E: ("UI", b"1.2.4"), 0x00280002: ("US", b"\1\0"),
        0x00280004: ("CS", b"MONOCHROME2"), 0x00280010: ("US", b"\4\0"),
        0x00280011: ("US", b"\4\0"), 0x00280100: ("US", b"\x10\0"), 0x00280101: ("US", b"\x0c\0"),
        0x00280102: ("US", b"\x0b\0"), 0x00280103: ("US", b"\0\0"), 0x00280030: ("DS", b"1\\1"),
        0x00200032: ("DS", b"0\\0\\0"), 0x00200037: ("DS", b"1\\0\\0\\0\\1\\0"),
    }  # fmt: skip
    for tag, values in drawn["elements"].items():
        fields[tag] = ("DS", "\\".join(map(str, values)).encode())
    for tag, value in drawn["numbers"].items():
        kind = DICOM[tag][0]
        fields[tag] = (kind, struct.pack("<H", value & 0xFFFF) if kind == "US" else b"%d" % value)
    for tag, value in drawn["texts"].items():
        fields[tag] = ("LO", value.encode("latin-1"))
    meta = _element(0x00020010, "UI", uid.encode())
    meta = _element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta
    content = b"".join(_element(tag, kind, raw) for tag, (kind, raw) in sorted(fields.items()))
    content += _element(0x7FE00010, "OW", drawn["pixels"].ljust(32, b"\1"))
    judge(folder, scan__dcm=bytes(128) + b"DICM" + meta + content)


def _element(tag: int, kind: str, raw: bytes) -> bytes:
    raw += b" " * (len(raw) % 2)
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, kind.encode())
    long = kind in ("OW", "OB", "UN", "SQ")
    return head + (struct.pack("<HI", 0, len(raw)) if long else struct.pack("<H", len(raw))) + raw


@given(
    names=st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=4, unique=True),
    fields=st.lists(st.tuples(st.integers(0, 45), st.integers(0, 255)), max_size=4),
    end=st.lists(st.tuples(st.integers(0, 21), st.integers(0, 255)), max_size=3),
)
@EXAMPLES
def test_zip(folder: Path, names: list[str], fields: list[Any], end: list[Any]) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), bytes(50))
    content = bytearray(file.getvalue())
    listed, last = content.index(b"PK\x01\x02"), content.rindex(b"PK\x05\x06")
    for place, value in fields:
        content[listed + place] = value
    for place, value in end:
        content[last + place] = value
    judge(folder, scan__zip=bytes(content))


PICTURES = ["PNG", "JPEG", "TIFF", "GIF", "BMP", "JPEG2000"]


@pytest.mark.parametrize("kind", PICTURES)
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
@EXAMPLES
def test_pictures(folder: Path, kind: str, changes: list[tuple[float, int]]) -> None:
    from PIL import Image as Pillow

    file = io.BytesIO()
    Pillow.fromarray((np.indices((32, 40)).sum(0) * 3).astype(np.uint8)).save(file, kind)
    content = bytearray(file.getvalue())
    for where, value in changes:
        content[math.floor(where**2 * (len(content) - 1))] = value
    judge(folder, scan=bytes(content))
