"""Every file format that leuko knows by its content, readable or not, from name to record.

Importable without numpy: readers and writers are named as `module:function` and loaded on use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any

__all__ = ["ARCHIVES", "FORMATS", "PICTURES", "THINGS", "Format", "load"]

THINGS = (
    "orientation",  # how the voxels lie in the body
    "no orientation",  # that this is not known
    "shear",  # axes that are not at right angles
    "no size",  # that the size of a pixel in mm is not known
    "volumes",  # several volumes in a file
    "seconds",  # the time between them
    "labels",  # that the values are labels
)


@dataclass(frozen=True, slots=True)
class Format:
    """What is known about a format.

    `title` completes the sentence "this is ..."; `reader` and `writer` are `module:function`, or
    empty where leuko cannot; `written` are the suffixes the writer serves, `holds` what of an image
    a file of it can say (of `THINGS`), `types` what numbers it stores; `advice` is the way out for
    the user who has such a file.
    """

    name: str
    title: str
    suffixes: tuple[str, ...] = ()
    reader: str = ""
    writer: str = ""
    written: tuple[str, ...] = ()
    advice: str = ""
    holds: frozenset[str] = frozenset()
    types: tuple[str, ...] = ()


def load(target: str) -> Any:
    """The object that `module:attribute` names."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


_CONVERT = "Convert it to NIfTI (.nii.gz) first, for example with ITK-SNAP or 3D Slicer."
_MGH = "Convert it to NIfTI first: mri_convert IN OUT.nii.gz (FreeSurfer)."
_MINC = "Convert it to NIfTI first: mnc2nii IN OUT.nii (MINC tools)."
_UNPACK = "Unpack it and give the image inside."
_PICTURE = "leuko.formats.pictures:read_picture"
_PICTURE_OUT = "leuko.formats.pictures_out:write_picture"
_SAVE_AS = "Save it as PNG (8 or 16 bits) or as TIFF; better, give the scan itself."
_NOT_IMAGE = "Give the scan itself (NIfTI, .nii or .nii.gz)."
_NIFTI_NAMES = (".nii", ".nii.gz", ".hdr", ".img")
_NIFTI = "leuko.formats.nifti:read_nifti"
_NIFTI_OUT = "leuko.formats.nifti_out:write_nifti"
_FLAT = frozenset({"no orientation", "no size", "shear"})
_ALL_TYPES = ("u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")
_SPACE = frozenset({"orientation", "shear", "volumes", "seconds"})

_ALL = (
    Format("nifti1", "a NIfTI-1 image", _NIFTI_NAMES, _NIFTI, _NIFTI_OUT,
           (".nii", ".nii.gz", ".hdr", ".img", ".hdr.gz", ".img.gz"),
           holds=_SPACE | {"no orientation", "labels"}, types=_ALL_TYPES),
    Format("nifti2", "a NIfTI-2 image", _NIFTI_NAMES, _NIFTI),
    Format("analyze", "an Analyze 7.5 image", (".hdr", ".img"),
           "leuko.formats.analyze:read_analyze", "leuko.formats.analyze_out:write_analyze",
           (".hdr", ".img"), holds=frozenset({"no orientation", "no size", "volumes"}),
           types=("u1", "i2", "i4", "f4", "f8")),
    Format("nrrd", "an NRRD image", (".nrrd", ".nhdr"),
           "leuko.formats.nrrd:read_nrrd", "leuko.formats.nrrd_out:write_nrrd",
           (".nrrd", ".nhdr", ".seg.nrrd"), holds=_SPACE | {"no orientation", "no size"},
           types=_ALL_TYPES),
    Format("metaimage", "a MetaImage", (".mha", ".mhd"),
           "leuko.formats.metaimage:read_metaimage",
           "leuko.formats.metaimage_out:write_metaimage", (".mha", ".mhd"),
           holds=_SPACE | {"no orientation", "no size"}, types=_ALL_TYPES),
    Format("afni", "an AFNI image", (".HEAD", ".BRIK"), "leuko.formats.afni:read_afni"),
    Format("mgh", "a FreeSurfer MGH image", (".mgh", ".mgz"),
           "leuko.formats.mgh:read_mgh", "leuko.formats.mgh_out:write_mgh", (".mgh", ".mgz"),
           holds=_SPACE | {"no orientation"}, types=("u1", "i2", "i4", "f4")),
    Format("minc1", "a MINC-1 (netCDF) image", (".mnc",), "leuko.formats.minc:read_minc1"),
    Format("minc2", "a MINC-2 (HDF5) image", (".mnc", ".h5"),
           "leuko.formats.minc:read_minc2", "leuko.formats.minc_out:write_minc", (".mnc",),
           holds=_SPACE, types=("u1", "i1", "i2", "u2", "i4", "u4", "f4", "f8")),
    Format("dicom", "a DICOM file", (".dcm",), "leuko.dicom.image:read_dicom"),
    Format("zip", "a zip archive", (".zip",), "leuko.formats.archive:unpacked"),
    Format("tar", "a tar archive", (".tar", ".tgz"), "leuko.formats.archive:unpacked"),
    Format("7z", "a 7z archive", (".7z",), advice=_UNPACK),
    Format("rar", "a RAR archive", (".rar",), advice=_UNPACK),
    Format("bzip2", "a bzip2-compressed file", (".bz2",), advice=_UNPACK),
    Format("xz", "an xz-compressed file", (".xz",), advice=_UNPACK),
    Format("zstd", "a Zstandard-compressed file", (".zst",), advice=_UNPACK),
    Format("png", "a PNG picture", (".png",), _PICTURE, _PICTURE_OUT, (".png",),
           holds=_FLAT, types=("u1", "u2")),
    Format("jpeg", "a JPEG picture", (".jpg", ".jpeg"), _PICTURE, _PICTURE_OUT,
           (".jpg", ".jpeg"), holds=_FLAT, types=("u1",)),
    Format("jpeg2000", "a JPEG 2000 picture", (".jp2", ".j2k"), _PICTURE),
    Format("tiff", "a TIFF picture", (".tif", ".tiff"), _PICTURE, _PICTURE_OUT,
           (".tif", ".tiff"), holds=_FLAT, types=("u1", "u2", "f4")),
    Format("gif", "a GIF picture", (".gif",), _PICTURE),
    Format("bmp", "a BMP picture", (".bmp",), _PICTURE),
    Format("webp", "a WebP picture", (".webp",), advice=_SAVE_AS),
    Format("heif", "an AVIF or HEIC picture", (".avif", ".heic"), advice=_SAVE_AS),
    Format("netpbm", "a Netpbm picture", (".pgm", ".ppm", ".pbm"), advice=_SAVE_AS),
    Format("pdf", "a PDF document", (".pdf",), advice=_NOT_IMAGE),
    Format("numpy", "a NumPy array", (".npy",), advice=_NOT_IMAGE),
    Format("matlab", "a MATLAB file", (".mat",), advice=_NOT_IMAGE),
    Format("markup", "a web page or XML text", (".html", ".xml"), advice=(
        "A download that failed often leaves one: fetch the file again. " + _NOT_IMAGE)),
    Format("git-lfs", "a Git LFS pointer, not the file it stands for", advice=(
        "Fetch the file itself with: git lfs pull.")),
)  # fmt: skip

FORMATS: Mapping[str, Format] = MappingProxyType({entry.name: entry for entry in _ALL})
PICTURES = frozenset({"png", "jpeg", "jpeg2000", "tiff", "gif", "bmp"})  # neither mm nor sides
ARCHIVES = frozenset({"zip", "tar"})  # opened by `archive.unpacked`
