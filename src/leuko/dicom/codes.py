"""The codes that our DICOM objects use: DICOM's own (PS3.16 annex D), SNOMED CT, UCUM.

Code values and meanings are facts of those standards; each was looked up in the dictionary of
PS3.16 that pydicom carries (a test compares them). `99LEUKO` marks what no standard names.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

__all__ = ["PRIVATE_SCHEME", "Code", "coded", "items"]

PRIVATE_SCHEME = "99LEUKO"


@dataclass(frozen=True, slots=True)
class Code:
    """A concept: code value, coding scheme and meaning."""

    value: str
    scheme: str
    meaning: str


def coded(code: Code) -> Dataset:
    """The item of a code sequence (PS3.3 8.8)."""
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme
    item.CodeMeaning = code.meaning
    return item


def items(*datasets: Dataset) -> Items:
    """A sequence of items."""
    return Items(datasets)


def _dcm(value: str, meaning: str) -> Code:
    return Code(value, "DCM", meaning)


def _sct(value: str, meaning: str) -> Code:
    return Code(value, "SCT", meaning)


def _unit(value: str, meaning: str) -> Code:
    return Code(value, "UCUM", meaning)


def _own(value: str, meaning: str) -> Code:
    return Code(value, PRIVATE_SCHEME, meaning)


# What is segmented. CID 7150 (categories), CID 7140 (brain structures for measurements).
MORPHOLOGICALLY_ABNORMAL = _sct("49755003", "Morphologically Abnormal Structure")
ANATOMICAL_STRUCTURE = _sct("91723000", "Anatomical Structure")
BODY_SUBSTANCE = _sct("91720002", "Body Substance")
WMH = _dcm("110702", "White Matter T2 Hyperintensity")
BRAIN = _sct("12738006", "Brain")
WHITE_MATTER = _sct("68523003", "Cerebral White Matter")
CORTEX = _sct("40146001", "Cerebral cortex")
VENTRICLES = _sct("35764002", "Brain ventricle")
BRAINSTEM = _sct("119238007", "Brain Stem")
CEREBELLUM = _sct("113305005", "Cerebellum")
GREY_MATTER = _sct("389081007", "Gray Matter")
CRANIAL_CAVITY = _sct("1101003", "Cranial Cavity")
FLUID = _sct("65216001", "Cerebrospinal Fluid")
LEFT = _sct("7771000", "Left")  # CID 244
RIGHT = _sct("24028007", "Right")

# How: derivation of images and segmentation.
SEGMENTATION = _dcm("113076", "Segmentation")  # CID 7203
SOURCE_IMAGE = _dcm("121322", "Source Image for Image Processing Operation")  # CID 7202
ARTIFICIAL_INTELLIGENCE = _dcm("123110", "Artificial Intelligence")  # CID 7162

# The report (TID 1500 and the templates it includes).
MEASUREMENT_REPORT = _dcm("126000", "Imaging Measurement Report")
LANGUAGE = _dcm("121049", "Language of Content Item and Descendants")
ENGLISH = Code("en-US", "RFC5646", "English (United States)")
OBSERVER_TYPE = _dcm("121005", "Observer Type")
DEVICE = _dcm("121007", "Device")
DEVICE_UID = _dcm("121012", "Device Observer UID")
DEVICE_NAME = _dcm("121013", "Device Observer Name")
DEVICE_MAKER = _dcm("121014", "Device Observer Manufacturer")
DEVICE_MODEL = _dcm("121015", "Device Observer Model Name")
PROCEDURE_REPORTED = _dcm("121058", "Procedure reported")
BRAIN_MRI = Code("24590-2", "LN", "Brain MRI")
IMAGE_LIBRARY = _dcm("111028", "Image Library")
IMAGE_LIBRARY_GROUP = _dcm("126200", "Image Library Group")
MODALITY = _dcm("121139", "Modality")
MAGNETIC_RESONANCE = _dcm("MR", "Magnetic Resonance")
STUDY_DATE = _dcm("111060", "Study Date")
IMAGING_MEASUREMENTS = _dcm("126010", "Imaging Measurements")
MEASUREMENT_GROUP = _dcm("125007", "Measurement Group")
TRACKING_IDENTIFIER = _dcm("112039", "Tracking Identifier")
TRACKING_UID = _dcm("112040", "Tracking Unique Identifier")
FINDING = _dcm("121071", "Finding")
FINDING_SITE = _sct("363698007", "Finding Site")
LATERALITY = _sct("272741003", "Laterality")
REFERENCED_SEGMENT = _dcm("121191", "Referenced Segment")
SOURCE_SERIES = _dcm("121232", "Source series for segmentation")
METHOD = _sct("370129005", "Measurement Method")
SUM_OF_VOXELS = _dcm("126030", "Sum of segmented voxel method for volume")  # CID 7474
ALGORITHM_NAME = _dcm("111001", "Algorithm Name")
ALGORITHM_VERSION = _dcm("111003", "Algorithm Version")
ALGORITHM_PARAMETERS = _dcm("111002", "Algorithm Parameters")
COMMENT = _dcm("121106", "Comment")
VOLUME = _sct("118565006", "Volume")

# What no standard names.
LESION_COUNT = _own("lesion-count", "Number of lesions, components that touch by face or corner")
SHARE_OF_COUNT = _own("count-share", "Share of the number of lesions")
LARGEST_LESION = _own("largest-lesion", "Volume of the largest lesion")
WHITE_MATTER_SHARE = _own("wm-share", "Share of the volume of cerebral white matter")
BRAIN_SHARE = _own("brain-share", "Share of the volume of the brain")
INTRACRANIAL_SHARE = _own("icv-share", "Share of the intracranial volume")
SMALL = _own("small", "Lesions below 10 cubic millimetres")
MEDIUM = _own("medium", "Lesions of 10 to below 100 cubic millimetres")
LARGE = _own("large", "Lesions of 100 cubic millimetres and more")
SIZE_CLASS = _own("size-class", "Size class")
REGION = _own("region", "Region")
SIDE = _own("side", "Side of the mid-sagittal plane")
MIDLINE = _own("midline", "Within 1.5 mm of the mid-sagittal plane")
LEFT_SIDE = _own("left", "Left of the mid-sagittal plane")
RIGHT_SIDE = _own("right", "Right of the mid-sagittal plane")

# Units.
MILLILITRE = _unit("mL", "milliliter")
CUBIC_MILLIMETRE = _unit("mm3", "cubic millimeter")
PERCENT = _unit("%", "percent")
LESIONS = _unit("{lesions}", "lesions")
