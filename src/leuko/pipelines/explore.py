"""A data set explored: measured, summed up, what is unusual, what it suggests for training."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leuko.datasets.layouts import DataSource, detect, read_classes, read_layout, source_of
from leuko.errors import ReadError, UsageError
from leuko.exploration.outliers import outliers
from leuko.exploration.outliers_said import Outlier
from leuko.exploration.overview import Overview, overview
from leuko.exploration.remarks import remarks, sorted_out
from leuko.exploration.suggest import Suggestion, suggestion
from leuko.exploration.survey import Progress, Survey, survey
from leuko.findings import Finding

if TYPE_CHECKING:
    from leuko.datasets.items import Item

__all__ = ["Exploration", "data_source", "explore", "explore_items"]


@dataclass(frozen=True, slots=True)
class Exploration:
    """A data set's cases and everything that follows from them.

    `items` are the files; `suggestion` is None where no case could be read. `outliers` are cases
    unlike the others, `remarks` what is said of all together.
    """

    name: str
    items: tuple[Item, ...]
    survey: Survey
    overview: Overview
    outliers: tuple[Outlier, ...]
    remarks: tuple[Finding, ...]
    suggestion: Suggestion | None


def data_source(data: str | os.PathLike[str] = "", **fields: str | tuple[str, ...]) -> DataSource:
    """Where a data set is: a folder or list as `data`, or its parts as fields of a DataSource.

    `data` may be a data set of any known layout, a list, or a folder of images; `images` and
    `masks` name folders. Raises UsageError (exit 2) where nothing or too much is said, ReadError
    (exit 3) where nothing is there.
    """
    given = {key: value for key, value in fields.items() if value}
    if not data:
        if "images" not in given:
            raise UsageError(
                "No data set is named.",
                hint="Give a folder or a list: leuko eda DATA, or leuko eda --images FOLDER.",
            )
        return DataSource(**{"layout": "folders", **given})  # type: ignore[arg-type]
    path = Path(data)
    if not path.exists():
        raise ReadError(f"There is no {path.name}.", hint="Check the path.")
    found = _found(path, given.pop("layout", ""))
    return DataSource(**{field: getattr(found, field) for field in found.__struct_fields__} | given)


def explore(
    data: str | os.PathLike[str] | DataSource,
    *,
    base: Path | None = None,
    name: str = "",
    names: Mapping[int, str] | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Exploration:
    """Explore a data set: a DataSource, a folder in any known layout, or a list of cases.

    `names` are those of label values, else what the data set says; `jobs` processes read.

    A file that cannot be read is a case with its reason. Raises what `read_layout` raises, and
    UsageError (exit 2) for a data set without images.
    """
    source = data if isinstance(data, DataSource) else data_source(data)
    items = read_layout(source, base=base)
    return explore_items(
        items,
        name=name or _called(source),
        names=names or read_classes(source, base=base),
        jobs=jobs,
        progress=progress,
    )


def explore_items(
    items: tuple[Item, ...],
    *,
    name: str = "data set",
    names: Mapping[int, str] | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Exploration:
    """Explore items that are known already."""
    if not items:
        raise UsageError("The data set holds no images.", hint="Check the folder.")
    found = survey(items, names=names, jobs=jobs, progress=progress)
    exceptions, shared = sorted_out(outliers(found.cases, names=found.names), cases=found.cases)
    readable = any(case.facts is not None for case in found.cases)
    return Exploration(
        name=name,
        items=tuple(items),
        survey=found,
        overview=overview(found.cases, names=found.names),
        outliers=exceptions,
        remarks=(*shared, *remarks(found.cases, names=found.names)),
        suggestion=suggestion(found.cases, names=found.names) if readable else None,
    )


def _found(path: Path, layout: str | tuple[str, ...]) -> DataSource:
    """The source at `path`; a folder in no layout is a folder of images."""
    if layout == "list" or path.is_file():
        return DataSource(layout="list", list=str(path))
    if layout == "folders":
        return DataSource(layout="folders", images=str(path))
    if layout:
        return DataSource(layout=layout, root=str(path))  # type: ignore[arg-type]
    try:
        detect(path)
    except UsageError:
        return DataSource(layout="folders", images=str(path))
    return source_of(path)


def _called(source: DataSource) -> str:
    """What the data set is called: the folder that holds it, or its list."""
    if source.list:
        return Path(source.list).stem
    path = Path(source.root or source.channels()[0]).resolve()
    return path.parent.name if not source.root and source.masks else path.name
