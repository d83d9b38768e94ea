"""Every code of a finding has a row in docs/quality.md, and every row has its finding."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "leuko"
CODE = re.compile(r"[a-z]+[0-9]?\.[a-z0-9_]{2,}")
FILES = re.compile(
    r".*\.(css|db|gz|h5|html|ini|js|json|pdf|png|pt|svg|tfm|tsv|txt|yaml)|leuko\..*|7\.2f"
)


def _words() -> set[str]:
    """Keys of the strings of pages, which look like codes."""
    found: set[str] = set()
    for file in (SOURCES / "report" / "wording").glob("*.json"):
        found |= set(json.loads(file.read_text(encoding="utf-8")))
    return found


def _literal(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and CODE.fullmatch(text) and not FILES.fullmatch(text):
            yield text


def _composed(tree: ast.AST) -> Iterator[str]:
    """'convert.*' for Finding(f"convert.{code}", ...)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding" and node.args:
            first = node.args[0]
            if isinstance(first, ast.JoinedStr) and isinstance(first.values[0], ast.Constant):
                yield f"{first.values[0].value!s}*"


def _codes() -> dict[str, str]:
    """Code -> a module that holds it: what looks like one where findings are made."""
    words = _words()
    found: dict[str, str] = {}
    for file in SOURCES.rglob("*.py"):
        if file.is_relative_to(SOURCES / "report") or file.is_relative_to(SOURCES / "cli"):
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        imported = {
            name.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "leuko.findings"
            for name in node.names
        }
        if not imported & {"Finding", "Severity"}:
            continue
        for text in (*_literal(tree), *_composed(tree)):
            found.setdefault(text, file.name)
    return {code: file for code, file in found.items() if code not in words}


def _rows() -> list[str]:
    page = (ROOT / "docs" / "quality.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `([a-z0-9]+\.(?:[a-z0-9_]+|\*))` \|", page, re.MULTILINE)


def test_every_finding_has_a_row() -> None:
    rows = set(_rows())
    assert {code: file for code, file in _codes().items() if code not in rows} == {}


def test_every_row_is_of_a_finding_and_there_once() -> None:
    rows, codes = _rows(), _codes()
    assert [code for code in rows if rows.count(code) > 1] == []
    assert [code for code in rows if code not in codes] == []
