"""stats.json: the promised keys, a schema that is true, zeros and nulls where they belong."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from importlib import resources
from typing import Any

import numpy as np
import pytest

from leuko.errors import ReadError
from leuko.findings import Finding, Severity
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.lesions_table import lesions_tsv
from leuko.pipelines.provenance import Provenance, plain_values
from leuko.pipelines.result import Result
from leuko.pipelines.statistics import decode, encode, schema, statistics
from leuko.pipelines.statistics_definitions import DEFINITIONS
from leuko.progress import Step
from leuko.quantify.burden import Burden, SizeShare, SliceBurden
from leuko.quantify.lesions import Lesion, Side, SizeClass

PROMISED = {
    "volume_ml", "volume_mm3", "volume_voxels", "lesion_count", "size_classes", "left_ml",
    "right_ml", "midline_ml", "white_matter_percent", "brain_percent", "icv_percent",
    "most_affected_slice", "largest_lesion_mm3", "findings", "provenance",
}  # fmt: skip

LESION = Lesion(
    label=1, volume_mm3=1081.0, voxels=1081, centre_mm=(-20.25, 3.0, -0.0001),
    size_class=SizeClass.LARGE, side=Side.LEFT, region="deep", distance_to_ventricles_mm=None,
    mean_z=3.14159, confidence=0.875,
)  # fmt: skip


def burden(**changed: Any) -> Burden:
    slices = (SliceBurden(116, 42.0, 423, 0.423),)
    values: dict[str, Any] = {
        "volume_ml": 7.35, "volume_mm3": 7350.0, "volume_voxels": 7350, "lesion_count": 123,
        "lesion_count_6_connected": 140, "small": SizeShare(50, 50 / 123, 0.2),
        "medium": SizeShare(63, 63 / 123, 2.1), "large": SizeShare(10, 10 / 123, 5.05),
        "left_ml": 3.8, "right_ml": 3.5, "midline_ml": 0.05, "white_matter_percent": 1.5,
        "brain_percent": 0.6, "icv_percent": None, "white_matter_ml": 490.0, "brain_ml": 1150.0,
        "ventricles_ml": 25.0, "icv_ml": None, "most_affected_slice": slices[0], "slice_axis": 2,
        "slices": slices, "largest_lesion_mm3": 1081.0, "region_ml": (("deep", 7.35),),
    }  # fmt: skip
    return Burden(**(values | changed))


def result(**changed: Any) -> Result:
    grid = Grid.from_spacing((2, 2, 2), (1.0, 1.0, 1.0))
    image = Image(np.zeros((2, 2, 2), np.uint8), grid)
    values: dict[str, Any] = {
        "mask": image, "lesions": image, "anatomy": image, "probability": None,
        "table": (LESION,), "burden": burden(),
        "findings": (Finding("scan.noisy", Severity.WARNING, "Noisy.", "Look."),),
        "steps": (Step("threshold", 0.123456, {"threshold": 0.5, "voxels": np.int64(3)}),),
        "provenance": Provenance(
            version="1", input_name="a.nii.gz", input_sha256="0" * 64, time="2026-01-01T00:00:00Z",
            parameters={"threshold": 0.5},
        ),
    }  # fmt: skip
    return Result(**(values | changed))


def test_the_promised_keys_are_there() -> None:
    content = json.loads(encode(statistics(result())))
    assert set(content) >= PROMISED
    for name in ("small", "medium", "large"):
        assert set(content["size_classes"][name]) == {"count", "share", "volume_ml"}
    assert content["findings"][0] == {
        "code": "scan.noisy", "severity": "warning", "what": "Noisy.", "hint": "Look."
    }  # fmt: skip
    assert content["provenance"]["program"] == "leuko"
    assert content["steps"][0] == {
        "name": "threshold", "seconds": 0.1235, "parameters": {"threshold": 0.5, "voxels": 3}
    }  # fmt: skip


def test_every_number_has_a_unit_and_a_definition() -> None:
    content = json.loads(encode(statistics(result())))
    described = {"findings", "provenance", "definitions"}
    assert set(content) - described == set(DEFINITIONS)
    assert content["definitions"].keys() == DEFINITIONS.keys()


def test_no_lesion_is_zero_and_unknown_is_null() -> None:
    none = SizeShare(0, 0.0, 0.0)
    empty = burden(
        volume_ml=0.0, volume_mm3=0.0, volume_voxels=0, lesion_count=0, left_ml=0.0, right_ml=0.0,
        small=none, medium=none, large=none, most_affected_slice=None, largest_lesion_mm3=0.0,
    )  # fmt: skip
    content = json.loads(encode(statistics(result(burden=empty, table=()))))
    for key in ("volume_ml", "volume_mm3", "volume_voxels", "lesion_count", "largest_lesion_mm3"):
        assert content[key] == 0
    assert content["size_classes"]["small"] == {"count": 0, "share": 0, "volume_ml": 0}
    assert content["left_ml"] == 0
    assert content["icv_percent"] is None
    assert "NaN" not in encode(statistics(result(burden=empty))).decode()


def test_nan_never_reaches_the_file() -> None:
    content = json.loads(encode(statistics(result(burden=burden(brain_percent=math.nan)))))
    assert content["brain_percent"] is None


def test_what_is_written_can_be_read_back() -> None:
    written = statistics(result())
    assert decode(encode(written)) == written
    with pytest.raises(ReadError):
        decode(b'{"volume_ml": "a lot"}')


def test_the_packaged_schema_is_the_current_one() -> None:
    """After a change of stats.json: write leuko.pipelines.statistics.schema() into the file."""
    packaged = resources.files("leuko.pipelines").joinpath("stats.schema.json")
    assert packaged.read_bytes() == schema()


def test_stats_json_follows_the_packaged_schema() -> None:
    packaged = resources.files("leuko.pipelines").joinpath("stats.schema.json")
    rules = json.loads(packaged.read_text())
    content = json.loads(encode(statistics(result())))
    assert list(violations(content, rules, rules)) == []
    assert list(violations(content | {"volume_ml": "much"}, rules, rules))
    assert list(violations(content | {"surprise": 1}, rules, rules))
    del content["volume_ml"]
    assert list(violations(content, rules, rules))


def test_a_lesion_table_says_everything_and_marks_what_is_unknown() -> None:
    lines = lesions_tsv((LESION, replace(LESION, label=2, mean_z=None))).decode().splitlines()
    assert lines[0].split("\t") == [
        "label", "volume_mm3", "voxels", "size_class", "x_mm", "y_mm", "z_mm", "region", "side",
        "distance_to_ventricles_mm", "mean_z", "confidence", "ms_region",
        "distance_to_cortex_mm", "confluency", "mean_probability", "peak_probability",
    ]  # fmt: skip
    assert lines[1].split("\t") == [
        "1", "1081", "1081", "large", "-20.25", "3", "0", "deep", "left", "n/a", "3.142", "0.875",
        "n/a", "n/a", "n/a", "n/a", "n/a",
    ]  # fmt: skip
    assert lines[2].split("\t")[10] == "n/a"
    assert len(lesions_tsv(()).decode().splitlines()) == 1


def test_recorded_values_are_plain() -> None:
    values = {"a": np.float32(0.5), "b": (1, 2), "c": np.array([1.0]), "d": {"x": 1}, "e": None}
    assert plain_values(values) == {"a": 0.5, "b": [1.0, 2.0], "c": [1.0], "d": {"x": 1.0},
                                    "e": None}  # fmt: skip
    with pytest.raises(TypeError):
        plain_values({"a": object()})


def violations(value: Any, rule: dict[str, Any], root: dict[str, Any], at: str = "$") -> Any:
    """What in `value` breaks a JSON schema: the keywords that ours uses, no others."""
    known = {
        "$schema", "$ref", "$defs", "title", "description", "type", "properties", "required",
        "additionalProperties", "anyOf", "enum", "items", "pattern", "default",
    }  # fmt: skip
    assert set(rule) <= known, f"teach this test the keywords {set(rule) - known}"
    if "$ref" in rule:
        name = rule["$ref"].removeprefix("#/$defs/")
        yield from violations(value, root["$defs"][name], root, at)
    if "anyOf" in rule and all(list(violations(value, r, root, at)) for r in rule["anyOf"]):
        yield f"{at}: fits none of {rule['anyOf']}"
    if "enum" in rule and value not in rule["enum"]:
        yield f"{at}: {value!r} is not in {rule['enum']}"
    if "pattern" in rule and isinstance(value, str) and not re.search(rule["pattern"], value):
        yield f"{at}: {value!r} does not match"
    if "type" in rule and not _is(value, rule["type"]):
        yield f"{at}: {value!r} is no {rule['type']}"
    elif isinstance(value, dict):
        fields = rule.get("properties", {})
        yield from (f"{at}: {name} is missing" for name in rule.get("required", ())
                    if name not in value)  # fmt: skip
        for name, item in value.items():
            others = rule.get("additionalProperties", True)
            if name in fields:
                yield from violations(item, fields[name], root, f"{at}.{name}")
            elif isinstance(others, dict):
                yield from violations(item, others, root, f"{at}.{name}")
            elif not others:
                yield f"{at}: {name} is unknown"
    elif isinstance(value, list) and "items" in rule:
        for index, item in enumerate(value):
            yield from violations(item, rule["items"], root, f"{at}[{index}]")


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    types = {"object": dict, "array": list, "string": str, "integer": int, "null": type(None),
             "number": (int, float), "boolean": bool}  # fmt: skip
    return isinstance(value, types[kind])
