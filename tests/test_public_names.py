"""What `import leuko` offers."""

from __future__ import annotations

import pytest

import leuko


def test_the_public_names_are_these() -> None:
    assert [
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
    ] == leuko.__all__


@pytest.mark.parametrize("name", leuko.__all__)
def test_every_public_name_can_be_loaded_and_is_listed(name: str) -> None:
    assert getattr(leuko, name) is not None
    assert name in dir(leuko)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sement'"):
        _ = leuko.sement
