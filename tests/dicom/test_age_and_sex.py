"""Age and sex of a header, for those who ask for it."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from leuko.dicom.identity import age_and_sex, tolerant


def header(**values: str) -> Dataset:
    """A header with these attributes."""
    found = Dataset()
    with tolerant():
        for name, value in values.items():
            setattr(found, name, value)
    return found


@pytest.mark.parametrize(
    ("told", "years"), [("072Y", 72.0), ("018M", 1.5), ("026W", 0.498), ("010D", 0.0274)]
)
def test_ages_come_in_years_months_weeks_and_days(told: str, years: float) -> None:
    assert age_and_sex(header(PatientAge=told))[0] == pytest.approx(years, rel=1e-3)


def test_without_an_age_the_dates_of_birth_and_study_tell_it() -> None:
    found = age_and_sex(header(PatientBirthDate="19500601", StudyDate="20200601", PatientSex="F"))
    assert found[0] == pytest.approx(70, abs=0.01)
    assert found[1] == "female"


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"PatientBirthDate": "19500601"},
        {"PatientBirthDate": "20300601", "StudyDate": "20200601"},
        {"PatientAge": "999Y"},
        {"PatientBirthDate": "about 1950", "StudyDate": "20200601"},
    ],
)
def test_what_is_no_age_is_none(values: dict[str, str]) -> None:
    assert age_and_sex(header(**values))[0] is None


@pytest.mark.parametrize(("told", "sex"), [("M", "male"), ("F", "female"), ("O", None), ("", None)])
def test_sexes_that_norms_know(told: str, sex: str | None) -> None:
    assert age_and_sex(header(PatientSex=told))[1] == sex
