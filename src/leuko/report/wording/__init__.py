"""The report's strings, apart from the code: one JSON file a language, looked up by key."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

__all__ = ["Wording", "diagnosis_words", "english", "evaluation_words"]


class Wording:
    """Strings of one language.

    An unknown key raises KeyError: a missing string is our bug, never an empty place on the page.
    """

    def __init__(self, strings: dict[str, str]) -> None:
        self._strings = strings

    def __call__(self, key: str, /, **fields: object) -> str:
        """The string of `key` with its {fields} filled."""
        return self._strings[key].format(**fields)

    def __contains__(self, key: str) -> bool:
        return key in self._strings


@cache
def english() -> Wording:
    """The English strings (`english.json` beside this module)."""
    return _of("english.json")


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
