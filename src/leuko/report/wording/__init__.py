"""The report's strings, apart from the code: one JSON file a language, looked up by key."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, cached_property
from importlib import resources
from types import MappingProxyType

from leuko.report.rounding import Numerals

__all__ = [
    "LANGUAGES",
    "Wording",
    "change_words",
    "cohort_words",
    "diagnosis_words",
    "english",
    "evaluation_words",
    "wording",
]

LANGUAGES = MappingProxyType({"en": "english.json", "de": "german.json"})
"""Languages of the report by the code that `--language` takes."""

TEXTS = MappingProxyType({"de": "german_texts.json"})
CHANGE = MappingProxyType({"en": "change.json", "de": "change_german.json"})
NUMBER = re.compile(r"[-−+]?[\d.,]+")


class Wording:
    """Strings of one language, and how it writes numbers.

    An unknown key raises KeyError: a missing string is our bug, never an empty place on the page.
    """

    def __init__(self, strings: dict[str, str], texts: Mapping[str, str] | None = None) -> None:
        self._strings = strings
        self._texts = texts or {}
        self.numerals = Numerals(
            strings.get("number.decimal", "."), strings.get("number.thousands", ",")
        )

    def __call__(self, key: str, /, **fields: object) -> str:
        """The string of `key` with its {fields} filled."""
        return self._strings[key].format(**fields)

    def __contains__(self, key: str) -> bool:
        return key in self._strings

    def known(self, key: str, otherwise: str) -> str:
        """The string of `key` as it stands, or `otherwise` where there is none."""
        return self._strings.get(key, otherwise)

    @property
    def viewer(self) -> Mapping[str, str]:
        """Texts of the viewer by their English, for its page; patterns have {1}, {2} ..."""
        return self._texts

    def translated(self, text: str) -> str:
        """A text that is made in English elsewhere (findings, rules), in this language.

        Itself where no translation is known.
        """
        whole = self._texts.get(text)
        if whole is not None:
            return whole
        for pattern, said in self._patterns:
            found = pattern.fullmatch(text)
            if found:
                whole = said
                for number, part in enumerate(found.groups(), start=1):
                    whole = whole.replace(f"{{{number}}}", self._part(part))
                return whole
        return text

    def _part(self, text: str) -> str:
        return self.numerals.written(text) if NUMBER.fullmatch(text) else self.translated(text)

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        return [
            (re.compile("(.+?)".join(map(re.escape, re.split(r"\{\d\}", text))), re.DOTALL), said)
            for text, said in self._texts.items()
            if "{1}" in text
        ]


def english() -> Wording:
    """The English strings (`english.json` beside this module)."""
    return wording("en")


@cache
def wording(language: str) -> Wording:
    """The report's strings in one of LANGUAGES."""
    texts = _read(TEXTS[language]) if language in TEXTS else {}
    return Wording(_read(LANGUAGES[language]), texts)


@cache
def evaluation_words() -> Wording:
    """The English strings of the pages of `leuko evaluate` and `leuko compare`."""
    return _of("evaluation.json")


@cache
def diagnosis_words() -> Wording:
    """The English strings of the page of `leuko diagnose`."""
    return _of("diagnosis.json")


@cache
def change_words(language: str = "en") -> Wording:
    """The strings of the page of `leuko longitudinal` in one of LANGUAGES, over the report's."""
    texts = _read(TEXTS[language]) if language in TEXTS else {}
    return Wording({**_read(LANGUAGES[language]), **_read(CHANGE[language])}, texts)


@cache
def cohort_words() -> Wording:
    """The English strings of the page of a cohort."""
    return _of("cohort.json")


def _of(name: str) -> Wording:
    return Wording(_read(name))


def _read(name: str) -> dict[str, str]:
    text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(text)
    return found
