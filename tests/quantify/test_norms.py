"""A place among norms says no more than what was published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from leuko.errors import UsageError
from leuko.pipelines.norm_table import read_norms
from leuko.quantify.norms import DE_KORT, NormBand, NormPlace, NormTable, place_among_norms

TABLE = NormTable(
    source="Somebody 2030, table 1",
    people=100,
    from_age=60,
    to_age=80,
    space="native",
    bands=(
        NormBand(60, 70, None, ((5, 0.1), (50, 2.0), (95, 8.0))),
        NormBand(75, 80, "male", ((5, 0.5), (50, 4.0), (95, 20.0))),
        NormBand(75, 80, "female", ((5, 0.7), (50, 6.0), (95, 25.0))),
    ),
)


def spread(place: NormPlace) -> tuple[float | None, float | None]:
    """The range of percentiles."""
    return place.low, place.high


@pytest.mark.parametrize(
    ("volume", "expected"),
    [(0.0, (0, 5)), (0.1, (0, 5)), (1.0, (5, 50)), (2.0, (5, 50)), (5.0, (50, 95)), (9, (95, 100))],
)
def test_a_volume_lies_between_the_percentiles_of_its_band(
    volume: float, expected: tuple[float, float]
) -> None:
    assert spread(place_among_norms(volume, age=65, table=TABLE)) == expected


def test_without_sex_the_range_holds_for_both() -> None:
    assert spread(place_among_norms(5.0, age=77, sex="male", table=TABLE)) == (50, 95)
    assert spread(place_among_norms(5.0, age=77, sex="female", table=TABLE)) == (5, 50)
    assert spread(place_among_norms(5.0, age=77, table=TABLE)) == (5, 95)


def test_between_two_bands_volumes_lie_between_theirs_where_they_rise_with_age() -> None:
    """At 72: at most the 50th where below that of younger, at least where above older people's."""
    assert spread(place_among_norms(1.5, age=72, table=TABLE)) == (5, 50)
    assert spread(place_among_norms(30.0, age=72, table=TABLE)) == (95, 100)
    assert spread(place_among_norms(3.0, age=72, sex="male", table=TABLE)) == (5, 95)
    flat = replace(TABLE, rises=False)
    told = place_among_norms(1.5, age=72, table=TABLE)
    assert any("younger and" in warning for warning in told.warnings)
    exact = place_among_norms(1.5, age=65, table=TABLE)
    assert not any("younger and" in warning for warning in exact.warnings)
    found = place_among_norms(1.5, age=72, table=flat)
    assert spread(found) == (None, None)
    assert "age of 72" in found.why_not


@pytest.mark.parametrize("age", [17, 98, 120])
def test_outside_the_ages_of_the_source_there_is_no_place(age: float) -> None:
    found = place_among_norms(3.0, age=age)
    assert spread(found) == (None, None)
    assert "aged 18 to 97" in found.why_not


def test_the_built_in_norms_are_the_medians_that_are_public() -> None:
    """De Kort et al. 2025: .25 ml below 45; above 85, 7.3 ml (men) and 12.8 ml (women)."""
    assert spread(place_among_norms(0.2, age=30)) == (0, 50)
    assert spread(place_among_norms(1.0, age=30)) == (50, 100)
    assert spread(place_among_norms(10.0, age=90, sex="male")) == (50, 100)
    assert spread(place_among_norms(10.0, age=90, sex="female")) == (0, 50)
    assert spread(place_among_norms(10.0, age=90)) == (None, None)
    assert spread(place_among_norms(0.2, age=70)) == (0, 50)
    assert spread(place_among_norms(40.0, age=70)) == (50, 100)
    assert place_among_norms(5.0, age=70).why_not
    assert DE_KORT.people == 14876


def test_volumes_are_compared_in_the_space_of_the_norms_and_else_a_warning_says_so() -> None:
    native = place_among_norms(0.2, age=30)
    assert native.space == "native"
    assert any("MNI" in warning for warning in native.warnings)
    laid = place_among_norms(0.2, age=30, mni_volume_ml=0.3)
    assert (laid.space, laid.volume_ml, laid.low) == ("MNI", 0.3, 50)
    assert not any("MNI" in warning for warning in laid.warnings)
    assert place_among_norms(1.0, age=65, mni_volume_ml=9.0, table=TABLE).volume_ml == 1.0


def test_there_are_no_norms_for_ms_lesions() -> None:
    found = place_among_norms(0.2, age=30, vascular=False)
    assert spread(found) == (None, None)
    assert "MS" in found.why_not


@given(some.floats(0, 100), some.floats(0, 100), some.floats(10, 110), some.booleans())
def test_a_larger_volume_never_has_a_lower_place(
    one: float, other: float, age: float, built_in: bool
) -> None:
    table = DE_KORT if built_in else TABLE
    small, large = sorted((one, other))
    for sex in (None, "male", "female"):
        low = place_among_norms(small, age=age, sex=sex, table=table)
        high = place_among_norms(large, age=age, sex=sex, table=table)
        if low.low is not None and high.low is not None:
            assert low.high is not None
            assert high.high is not None
            assert low.low <= high.low
            assert low.high <= high.high
            assert low.low <= low.high


TEXT = """# source: Somebody 2030, table 1
# space: native
# people: 100
# rises: yes
from_age\tto_age\tsex\tp5\tp50\tp95
60\t70\t\t0.1\t2.0\t8.0
75\t80\tmale\t0.5\t4.0\t20.0
75\t80\tfemale\t0.7\t6.0\t25.0
"""


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_a_table_of_norms_can_be_brought_along(tmp_path: Path, delimiter: str) -> None:
    file = tmp_path / "norms.tsv"
    lines = TEXT.splitlines()
    file.write_text("\n".join([*lines[:4], *(x.replace("\t", delimiter) for x in lines[4:])]))
    assert read_norms(file) == TABLE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# source: Somebody 2030, table 1\n", ""),
        ("# space: native\n", ""),
        ("\t0.1\t2.0\t8.0", "\t0.1\t9.0\t8.0"),
        ("\t0.1\t2.0\t8.0", "\tmuch\t2.0\t8.0"),
        ("60\t70", "70\t60"),
        ("\tmale\t", "\tlarge\t"),
        ("from_age", "years"),
    ],
)
def test_what_is_no_table_of_norms_is_refused(tmp_path: Path, old: str, new: str) -> None:
    file = tmp_path / "norms.tsv"
    assert old in TEXT
    file.write_text(TEXT.replace(old, new))
    with pytest.raises(UsageError, match=r"norms\.tsv") as refused:
        read_norms(file)
    assert str(tmp_path) not in str(refused.value)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"norms\.tsv"):
        read_norms(tmp_path / "norms.tsv")
