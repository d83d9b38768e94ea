"""The report's strings, apart from the code: one JSON file a language, looked up by key."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from types import MappingProxyType

from leuko.report.rounding import Numerals

__all__ = [
    "LANGUAGES",
    "Wording",
    "diagnosis_words",
    "english",
    "evaluation_words",
    "wording",
]

LANGUAGES = MappingProxyType({"en": "english.json", "de": "german.json"})
"""Languages of the report by the code that `--language` takes."""


class Wording:
    """Strings of one language, and how it writes numbers.

    An unknown key raises KeyError: a missing string is our bug, never an empty place on the page.
    """

    def __init__(self, strings: dict[str, str]) -> None:
        self._strings = strings
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


def english() -> Wording:
    """The English strings (`english.json` beside this module)."""
    return wording("en")


@cache
def wording(language: str) -> Wording:
    """The report's strings in one of LANGUAGES."""
    return _of(LANGUAGES[language])


@cache
def evaluation_words() -> Wording:
    """The English strings of the pages of `leuko evaluate` and `leuko compare`."""
    return _of("evaluation.json")


@cache
def diagnosis_words() -> Wording:
    """The English strings of the page of `leuko diagnose`."""
    return _of("diagnosis.json")


def _of(name: str) -> Wording:
    text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
    return Wording(json.loads(text))
