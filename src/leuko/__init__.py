"""One FLAIR MRI in; a white matter hyperintensity mask, its numbers and a report out.

The names below are the public interface. They are loaded on first use (PEP 562), so that
`import leuko` costs nothing: neither numpy nor any other heavy package is imported before it is
needed. No room of the package imports from here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leuko.errors import LeukoError
    from leuko.findings import Finding, Policy, Severity
    from leuko.formats.read import read
    from leuko.formats.write import write
    from leuko.image.grid import Grid
    from leuko.image.image import Image
    from leuko.image.resample import resample
    from leuko.pipelines.compare import compare
    from leuko.pipelines.config import SegmentConfig
    from leuko.pipelines.convert import convert
    from leuko.pipelines.deidentify import deidentify
    from leuko.pipelines.diagnose import diagnose
    from leuko.pipelines.dicom_list import SeriesList, list_series
    from leuko.pipelines.evaluate import evaluate
    from leuko.pipelines.explore import explore
    from leuko.pipelines.fill import fill
    from leuko.pipelines.information import info
    from leuko.pipelines.information_content import Info
    from leuko.pipelines.longitudinal import Longitudinal, longitudinal
    from leuko.pipelines.longitudinal_files import longitudinal_files
    from leuko.pipelines.measure import measure, measure_file
    from leuko.pipelines.patches import cut_patches, join_patches
    from leuko.pipelines.predict import Predicted, predict
    from leuko.pipelines.preprocess import preprocess
    from leuko.pipelines.register import Registration, register
    from leuko.pipelines.result import Result
    from leuko.pipelines.segment import segment, segment_file
    from leuko.pipelines.segment_cohort import segment_files
    from leuko.pipelines.view import view
    from leuko.quantify.burden import Burden
    from leuko.quantify.lesions import Lesion, LesionTable

__all__ = [
    "Burden",
    "Finding",
    "Grid",
    "Image",
    "Info",
    "Lesion",
    "LesionTable",
    "LeukoError",
    "Longitudinal",
    "Policy",
    "Predicted",
    "Registration",
    "Result",
    "SegmentConfig",
    "SeriesList",
    "Severity",
    "__version__",
    "compare",
    "convert",
    "cut_patches",
    "deidentify",
    "diagnose",
    "evaluate",
    "explore",
    "fill",
    "info",
    "join_patches",
    "list_series",
    "longitudinal",
    "longitudinal_files",
    "measure",
    "measure_file",
    "predict",
    "preprocess",
    "read",
    "register",
    "resample",
    "segment",
    "segment_file",
    "segment_files",
    "view",
    "write",
]

__version__ = "0.1.0"

_HOMES = {
    "Burden": "leuko.quantify.burden",
    "Finding": "leuko.findings",
    "Grid": "leuko.image.grid",
    "Image": "leuko.image.image",
    "Info": "leuko.pipelines.information_content",
    "Lesion": "leuko.quantify.lesions",
    "LesionTable": "leuko.quantify.lesions",
    "LeukoError": "leuko.errors",
    "Longitudinal": "leuko.pipelines.longitudinal",
    "Policy": "leuko.findings",
    "Predicted": "leuko.pipelines.predict",
    "Registration": "leuko.pipelines.register",
    "Result": "leuko.pipelines.result",
    "SegmentConfig": "leuko.pipelines.config",
    "SeriesList": "leuko.pipelines.dicom_list",
    "Severity": "leuko.findings",
    "compare": "leuko.pipelines.compare",
    "convert": "leuko.pipelines.convert",
    "cut_patches": "leuko.pipelines.patches",
    "deidentify": "leuko.pipelines.deidentify",
    "diagnose": "leuko.pipelines.diagnose",
    "evaluate": "leuko.pipelines.evaluate",
    "explore": "leuko.pipelines.explore",
    "fill": "leuko.pipelines.fill",
    "info": "leuko.pipelines.information",
    "join_patches": "leuko.pipelines.patches",
    "list_series": "leuko.pipelines.dicom_list",
    "longitudinal": "leuko.pipelines.longitudinal",
    "longitudinal_files": "leuko.pipelines.longitudinal_files",
    "measure": "leuko.pipelines.measure",
    "measure_file": "leuko.pipelines.measure",
    "predict": "leuko.pipelines.predict",
    "preprocess": "leuko.pipelines.preprocess",
    "read": "leuko.formats.read",
    "register": "leuko.pipelines.register",
    "resample": "leuko.image.resample",
    "segment": "leuko.pipelines.segment",
    "segment_file": "leuko.pipelines.segment",
    "segment_files": "leuko.pipelines.segment_cohort",
    "view": "leuko.pipelines.view",
    "write": "leuko.formats.write",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'leuko' has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
