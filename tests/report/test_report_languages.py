"""The report in German: the same strings, numbers with a comma, no English left."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from importlib import resources
from typing import Any

import pytest

from leuko.findings import Finding, Severity
from leuko.report.document import Document
from leuko.report.html import html
from leuko.report.patient import patient_page
from leuko.report.wording import LANGUAGES, Wording, english, wording

FIELDS = re.compile(r"\{(\w+)\}")
SAID = """
the and of with is are lesion lesions slice slices scan by to from below which where or no yes
volume brain left right deep large small medium white matter probability
"""
ENGLISH = frozenset(SAID.split())


def _read(name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(
        resources.files("leuko.report.wording").joinpath(name).read_text(encoding="utf-8")
    )
    return found


@pytest.fixture(scope="module")
def german_page(some_case: Any) -> Document:
    document: Document = some_case.document(language="de")
    return document


class Words(HTMLParser):
    """The words that a reader sees; references and what is marked as English are left out."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._silent: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        silent = self._silent or tag in ("style", "script", "ol") or known.get("lang") == "en"
        if silent and tag not in ("meta", "img", "br"):
            self._silent.append(tag)
        for name in ("alt", "title", "aria-label"):
            if not self._silent:
                self.handle_data(known.get(name) or "")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            prose = re.sub(r"\w+\.(tsv|json|gz|nii)\b", "", data)
            self.seen += re.findall(r"[A-Za-zÄÖÜäöüß]+", prose)


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_every_language_has_the_same_strings_and_places_in_them(language: str) -> None:
    ours, theirs = _read("english.json"), _read(LANGUAGES[language])
    assert list(ours) == list(theirs)
    for key, text in ours.items():
        assert sorted(FIELDS.findall(text)) == sorted(FIELDS.findall(theirs[key])), key
        assert theirs[key], key


def test_translated_texts_keep_their_places() -> None:
    for text, said in _read("german_texts.json").items():
        assert sorted(set(FIELDS.findall(text))) == sorted(set(FIELDS.findall(said))), text


def test_numbers_are_written_with_a_comma(german_page: Document) -> None:
    numerals = wording("de").numerals
    assert numerals.millilitres(1234.56) == "1\u00a0234,6"
    assert numerals.percent(0.01) == "< 0,1"
    assert numerals.millimetres(-12.34) == "−12,3"
    assert numerals.count(12345) == "12\u00a0345"
    said = " ".join([*german_page.summary, *(item.value for item in german_page.headline)])
    assert re.search(r"\d,\d", said)
    assert not re.search(r"\d\.\d", said)
    assert german_page.lesions[0].centre.count(";") == 2


def test_no_english_remains_on_a_german_page(german_page: Document) -> None:
    text = html(german_page)
    assert '<html lang="de">' in text
    left = {word for word in Words(text).seen if word.lower() in ENGLISH}
    assert left == set()


def test_no_english_remains_on_a_german_page_without_lesions(empty_case: Any) -> None:
    seen = Words(html(empty_case.document(language="de"))).seen
    assert {word for word in seen if word.lower() in ENGLISH} == set()
    assert "gefunden" in seen


def test_known_findings_are_translated_with_their_numbers() -> None:
    words = wording("de")
    text = "The scan is noisy: 12 % of the level of white matter."
    assert words.translated(text) == "Die Aufnahme rauscht: 12 % des Niveaus der weißen Substanz."
    assert "3,5-mal" in words.translated(
        "This is no FLAIR: the ventricles are 3.5 times as bright as white matter, as on a "
        "T2-weighted scan."
    )
    assert english().translated(text) == text


def test_an_unknown_finding_stays_in_english_and_says_so(some_case: Any) -> None:
    unknown = Finding("x.y", Severity.WARNING, "Something new was seen.")
    page = some_case.document(language="de", findings=(unknown,))
    assert page.notices[0].language == "en"
    assert '<div lang="en"><p>Something new was seen.</p>' in html(page)
    assert some_case.document(findings=(unknown,)).notices[0].language == ""


def test_every_text_of_the_gate_has_its_german() -> None:
    """Texts that are whole in the code of `quality`; those with numbers are patterns."""
    words: Wording = wording("de")
    package = resources.files("leuko.quality")
    sources = [file.read_text("utf-8") for file in package.iterdir() if file.name.endswith(".py")]
    said = re.findall(r'^ +"([A-Z][^"{}]{30,}\.)",?$', "\n".join(sources), re.MULTILINE)
    assert len(said) > 15
    assert [text for text in said if words.translated(text) == text] == []


def test_the_patients_page_is_calm_and_whole(some_case: Any, empty_case: Any) -> None:
    for language, said in (("en", "no diagnosis"), ("de", "keine Diagnose")):
        for case in (some_case, empty_case):
            page = case.document(language=language)
            text = patient_page(page, burden=case.rest["burden"], definition="vascular")
            assert said in text
            assert "<script" not in text
            assert text.count("<img ") == 1
            assert page.research_use not in page.summary[0]
            for word in ("severe", "abnormal", "Fazekas", "Demenz", "dementia", "krankhaft"):
                assert word not in text
    text = patient_page(empty_case.document(), burden=empty_case.rest["burden"], definition=None)
    assert "No such spots were marked" in text


@pytest.mark.parametrize(
    ("code", "severity", "told"),
    [
        ("scan.motion", Severity.WARNING, True),
        ("result.specks", Severity.WARNING, True),
        ("t1.not_used", Severity.WARNING, True),
        ("scan.interpolated", Severity.NOTE, False),
        ("atlas.names", Severity.WARNING, False),
        ("nifti.no_place", Severity.WARNING, False),
    ],
)
def test_only_what_concerns_the_pictures_makes_the_patient_doubt(
    some_case: Any, code: str, severity: Severity, told: bool
) -> None:
    page = some_case.document(findings=(Finding(code, severity, "Something."),))
    text = patient_page(page, burden=some_case.rest["burden"], definition="vascular")
    assert told == ("noticed something about the pictures" in text)


def test_the_patients_page_in_german_holds_no_english(some_case: Any) -> None:
    page = some_case.document(language="de")
    text = patient_page(page, burden=some_case.rest["burden"], definition="vascular")
    seen = Words(text).seen
    assert {word for word in seen if word.lower() in ENGLISH} == set()
