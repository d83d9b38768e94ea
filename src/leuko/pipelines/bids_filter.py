"""Which scans of a BIDS data set count, by the entities of their names, from a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from leuko.errors import ReadError, UsageError
from leuko.pipelines.bids_names import ENTITIES, BidsName, parsed
from leuko.pipelines.case import Case

__all__ = ["Filters", "filtered", "read_filters"]

LONG = MappingProxyType(
    {
        "subject": "sub",
        "session": "ses",
        "acquisition": "acq",
        "ceagent": "ce",
        "reconstruction": "rec",
        "direction": "dir",
        "inversion": "inv",
        "processing": "proc",
    }
)
IMAGES = ("flair", "t1w")
Filters = Mapping[str, Mapping[str, tuple[str | None, ...]]]
"""Of flair and t1w: the entities that a name must have, with the values that will do."""


def read_filters(path: Path) -> Filters:
    """Read `{"flair": {"acquisition": "3d", "run": ["1", null]}, "t1w": {...}}`.

    Entities by their long or short names; null: without that entity. Raises ReadError (exit 3)
    where there is no such file, UsageError (exit 2) for anything else in it.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(
            f"The filter {path.name} cannot be read.", hint="Check its path."
        ) from error
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{path.name} is no JSON: {error.msg} in line {error.lineno}.", hint="Correct it."
        ) from error
    if not isinstance(held, dict) or not all(isinstance(one, dict) for one in held.values()):
        raise _wrong(path, "is no filter")
    if unknown := sorted(set(held) - set(IMAGES)):
        raise _wrong(path, f"filters {unknown[0]}, which leuko does not read")
    return {image: _entities(wanted, path=path) for image, wanted in held.items()}


def filtered(cases: Sequence[Case], filters: Filters) -> list[Case]:
    """The cases whose FLAIR passes; a T1 that does not is left out. UsageError where none does."""
    found = [
        replace(case, t1=case.t1 if case.t1 and _passes(case.t1, filters.get("t1w", {})) else None)
        for case in cases
        if _passes(case.path, filters.get("flair", {}))
    ]
    if not found:
        raise UsageError("No FLAIR passes the filter.", hint="Check its entities and values.")
    return found


def _entities(wanted: Mapping[str, object], *, path: Path) -> dict[str, tuple[str | None, ...]]:
    found = {}
    for name, value in wanted.items():
        key = LONG.get(name, name)
        if key in ("datatype", "suffix", "extension"):
            continue
        if key not in ENTITIES:
            raise _wrong(path, f"names the entity {name}, which BIDS has not")
        values = value if isinstance(value, list) else [value]
        found[key] = tuple(None if one is None else str(one) for one in values)
    return found


def _passes(path: Path, wanted: Mapping[str, tuple[str | None, ...]]) -> bool:
    name: BidsName | None = parsed(path)
    return name is not None and all(
        name.entities.get(key) in values for key, values in wanted.items()
    )


def _wrong(path: Path, what: str) -> UsageError:
    return UsageError(f"{path.name} {what}.", hint='An example: {"flair": {"acquisition": "3d"}}.')
