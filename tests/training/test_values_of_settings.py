"""What --set and --sweep make of a value's text."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from leuko.training.supervised.variants import parse_settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1e-3", 0.001), ("true", True), ("{255: lesion}", {255: "lesion"}), ("resunet", "resunet")],
)
def test_a_value_with_the_letter_e_is_a_number_only_where_it_is_one(text, expected):
    assert {"field": [expected]} == parse_settings([f"field={text}"], option="--set")
