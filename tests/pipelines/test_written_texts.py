"""JSON and tables are written in one way."""

from __future__ import annotations

import json

from msgspec import Struct

from leuko.pipelines.json_texts import indented, schema_of
from leuko.pipelines.tab_texts import tab_separated


class Found(Struct, frozen=True, forbid_unknown_fields=True):
    """What was found."""

    name: str
    volume_ml: float | None


def test_json_is_indented_and_ends_its_last_line() -> None:
    assert indented({"name": "ä"}).decode() == '{\n  "name": "ä"\n}\n'


def test_a_number_that_is_not_finite_is_null() -> None:
    assert json.loads(indented(Found("a", float("nan"))))["volume_ml"] is None


def test_a_schema_names_its_draft_and_the_record() -> None:
    schema = json.loads(schema_of(Found))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$defs"]["Found"]["additionalProperties"] is False


def test_a_value_with_a_tab_stays_one_value() -> None:
    assert tab_separated([("a", 1.5), ("b\tc", None)]) == b'a\t1.5\n"b\tc"\t\n'
