"""What a report says: sentences, rounding, what is not known, what is never told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from leuko.findings import Finding, Severity
from leuko.quantify.burden import SizeShare
from leuko.report import rounding
from leuko.report.summary import care, place, summary
from leuko.report.wording import english


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (0.0004, "< 0.01"),
        (0.005, "0.01"),
        (7.35, "7.35"),
        (9.994, "9.99"),
        (9.996, "10.0"),
        (49.77, "49.8"),
        (1180.04, "1,180.0"),
    ],
)
def test_millilitres_have_two_decimals_below_ten(value: float, text: str) -> None:
    assert text == rounding.millilitres(value)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0.0"), (0.01, "< 0.1"), (40.65, "40.6"), (100.0, "100.0")]
)
def test_percents_have_one_decimal(value: float, text: str) -> None:
    assert text == rounding.percent(value)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1, "1"), (5.166, "5.2"), (99.96, "100"), (1081.2, "1,081")]
)
def test_cubic_millimetres_are_whole_unless_small(value: float, text: str) -> None:
    assert text == rounding.volume(value)


def test_no_minus_zero() -> None:
    assert rounding.millimetres(-0.01) == "0.0"
    assert rounding.millimetres(-12.34) == "−12.3"


def _tutorial(case: Any) -> Any:
    """The published example: 7.35 ml in 123 lesions."""
    return replace(
        case.rest["burden"],
        volume_ml=7.35,
        volume_mm3=7350.0,
        volume_voxels=7350,
        lesion_count=123,
        small=SizeShare(50, 50 / 123, 0.25),
        medium=SizeShare(63, 63 / 123, 2.1),
        large=SizeShare(10, 10 / 123, 5.0),
        left_ml=7.35 * 0.525,
        right_ml=7.35 * 0.475,
        white_matter_percent=0.94,
        largest_lesion_mm3=1081.0,
        region_ml=(("periventricular", 5.0), ("deep", 2.35)),
    )


def test_the_sentence_says_what_a_radiologist_would(some_case: Any) -> None:
    table = (replace(some_case.rest["table"][0], region="periventricular"),)
    first, regions = summary(table, burden=_tutorial(some_case), words=english())
    assert first == (
        "White matter hyperintensities: 7.3 ml in 123 lesions (50 small, 63 medium, 10 large), "
        "0.9 % of white matter, slightly more on the left; "
        "the largest, periventricular left, 1.1 ml."
    )
    assert regions == "By region: periventricular 5.0 ml, deep 2.4 ml."


def test_size_classes_have_counts_and_shares(some_case: Any) -> None:
    rows = some_case.document(burden=_tutorial(some_case)).sizes
    assert [row.count_text for row in rows] == ["50 (40.7 %)", "63 (51.2 %)", "10 (8.1 %)"]


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        (1.0, 1.0, "equal on both sides"),
        (1.1, 1.0, "slightly more on the left"),
        (1.0, 1.6, "more on the right"),
        (1.0, 3.0, "mostly on the right"),
        (2.0, 0.0, "only on the left"),
        (0.0, 0.0, "in the midline"),
    ],
)
def test_sides_are_compared_in_words(some_case: Any, left: float, right: float, words: str) -> None:
    burden = replace(_tutorial(some_case), left_ml=left, right_ml=right)
    assert f", {words};" in summary(some_case.rest["table"], burden=burden, words=english())[0]


def test_left_and_right_are_shares_of_the_whole_volume_everywhere(some_case: Any) -> None:
    burden = replace(_tutorial(some_case), left_ml=4.0, right_ml=3.0, midline_ml=0.35)
    page = some_case.document(burden=burden)
    tile = next(item for item in page.headline if item.name == "sides")
    assert tile.value == "54.4 / 40.8"
    assert [bar.text for bar in page.sides] == [
        "3.00 ml (40.8 %)",
        "0.35 ml (4.8 %)",
        "4.00 ml (54.4 %)",
    ]


def test_beside_a_mass_interval_and_scales_are_said_not_to_hold(some_case: Any) -> None:
    mass = Finding("scan.mass", Severity.WARNING, "A bright mass.")
    assert "do not hold here" in some_case.document(findings=(mass,)).care[1]


def test_no_lesion_has_its_own_sentence(empty_page: Any) -> None:
    page = empty_page
    assert page.summary[0] == "No white matter hyperintensities were found."
    assert "can be missed" in page.summary[1]
    volume, count = page.headline[:2]
    assert (volume.value, count.value) == ("0.00", "0")
    assert page.lesions == ()
    assert page.profile.peak is None


def test_one_lesion_is_not_called_the_largest(make_case: Any, left_box: Any) -> None:
    (first, *_) = make_case(left_box).document().summary
    assert "in one lesion, 0.3 % of white matter, deep left." in first
    assert "largest" not in first


@pytest.mark.parametrize(("confidence", "told"), [(0.25, True), (0.35, False)])
def test_uncertain_lesions_are_counted_in_the_summary(
    some_case: Any, confidence: float, told: bool
) -> None:
    table = tuple(replace(lesion, confidence=confidence) for lesion in some_case.rest["table"])
    summary = some_case.document(table=table).summary
    assert told == any("3 lesions are doubtful (confidence below 0.3)" in line for line in summary)


def test_warnings_belong_to_the_summary_and_notes_do_not(some_case: Any, warning: Finding) -> None:
    note = Finding("scan.note", Severity.NOTE, "Nothing much.")
    refusal = Finding("scan.t1", Severity.REFUSAL, "This is no FLAIR.")
    page = some_case.document(findings=(note, warning, warning, refusal))
    assert page.care == ("The top of the brain is cut.", "This is no FLAIR.")
    assert [item.severity for item in page.notices] == ["refusal", "warning", "note"]
    assert care((note,)) == ()


def test_what_cannot_be_measured_is_said_and_never_a_number(make_case: Any, left_box: Any) -> None:
    page = make_case(left_box, anatomy=False).document()
    shown = {item.name: item for group in page.groups for item in group.measures}
    for name in ("white_matter", "brain", "icv"):
        assert shown[f"group.shares.{name}"].value == "not measured"
        assert shown[f"group.shares.{name}"].unit == ""
    assert page.sides == ()
    assert page.sides_note == "Not measured: the anatomy of this head is not known."
    assert "%" not in page.summary[0]


def test_without_orientation_no_side_is_claimed(make_case: Any, left_box: Any) -> None:
    page = make_case(left_box, oriented=False).document()
    said = " ".join(
        [
            *page.summary,
            page.sides_note,
            page.profile.axis_label,
            page.profile.peak_text,
            *(row.side + row.centre for row in page.lesions),
            *(f"{item.value} {item.note}" for item in page.headline),
        ]
    )
    for word in ("left", "right", "inferior", "superior", " S ", " I "):
        assert word not in said
    assert "which side is which" in page.sides_note
    assert "sides are not marked" in page.pictures[0].caption


@pytest.mark.parametrize(
    ("axis", "position", "text"),
    [
        (0, 12.0, "R 12.0 mm"),
        (0, -12.0, "L 12.0 mm"),
        (1, 3.25, "A 3.2 mm"),
        (1, -3.0, "P 3.0 mm"),
        (2, 42.0, "S 42.0 mm"),
        (2, -0.5, "I 0.5 mm"),
    ],
)
def test_positions_are_written_as_viewers_do(axis: int, position: float, text: str) -> None:
    assert text == place(axis, position, english())


def test_the_document_tells_no_folder(some_case: Any) -> None:
    page = some_case.document(
        provenance={
            "version": "1",
            "input_name": "/home/jane.doe/mri/flair.nii.gz",
            "mask_name": "C:\\Users\\jane\\mask.nii",
            "cache": "/var/tmp/jane",
            "parameters": {"threshold": 0.5, "unset": None},
        }
    )
    said = " ".join(f"{item.label} {item.value}" for item in page.provenance)
    for folder in ("home", "doe", "mri", "Users", "var", "tmp"):
        assert folder not in said
    assert "mask.nii" in said
    assert "Threshold 0.5" in said
    assert "unset" not in said.lower()


def test_times_come_from_the_provenance_alone(some_case: Any) -> None:
    assert some_case.document().created == "2026-11-21 03:12 UTC"
    assert some_case.document(provenance={}).created == ""


@pytest.mark.parametrize(
    ("definition", "said", "references"),
    [
        ("vascular", "presumed, not shown", 5),
        ("ms", "are left out", 5),
        (None, "The mask was given", 3),
    ],
)
def test_the_definition_is_explained(
    some_case: Any, definition: str | None, said: str, references: int
) -> None:
    page = some_case.document(definition=definition)
    assert said in page.methods[0].text
    assert references == len(page.references)
    cited = " ".join(item.text for item in page.methods)
    for item in page.references:
        assert (
            f"[{item.number}]" in cited or f"{item.number}]" in cited or f"[{item.number}," in cited
        )


def test_equal_input_gives_an_equal_document(some_case: Any) -> None:
    assert some_case.document() == some_case.document()


def test_a_missing_string_is_an_error() -> None:
    with pytest.raises(KeyError):
        english()("no such key")
