"""A whole data set: every item measured once, one in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from leuko.errors import LeukoError, OutOfResources
from leuko.exploration.densities import Densities, densities_of
from leuko.exploration.facts import Case
from leuko.exploration.measure import measure
from leuko.formats.read import read
from leuko.image.image import Image

if TYPE_CHECKING:
    from leuko.datasets.items import Item

__all__ = ["Survey", "examine", "survey"]

Progress = Callable[[Case], None]


@dataclass(frozen=True, slots=True)
class Survey:
    """The cases in the order of the items, and the pooled histograms of the readable ones.

    `names` are those of label values, where files or the layout know any.
    """

    cases: tuple[Case, ...]
    densities: tuple[Densities, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)


def survey(
    items: Iterable[Item],
    *,
    names: Mapping[int, str] | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Survey:
    """Measure every item; one that cannot be read is a case with its problem, and no stop.

    `jobs` is how many processes read at the same time; the result does not depend on it.
    `progress` is called with each case when it is done, in order.
    """
    cases: list[Case] = []
    pooled: dict[str, Densities] = {}
    for case, found in _examined(list(items), jobs):
        cases.append(case)
        for part in found:
            pooled[part.key] = pooled[part.key].plus(part) if part.key in pooled else part
        if progress is not None:
            progress(case)
    return Survey(tuple(cases), tuple(pooled[key] for key in sorted(pooled)), dict(names or {}))


def examine(item: Item) -> tuple[Case, tuple[Densities, ...]]:
    """One item as a case, and its histograms inside and outside of the foreground."""
    known = partial(
        Case, name=item.name, subject=item.subject, site=item.site, category=item.category
    )
    try:
        images = [read(path) for path in item.images]
        label = None if item.label is None else read(item.label)
        files = [_file(path, image) for path, image in zip(item.images, images, strict=True)]
        if item.label is not None and label is not None:
            files.append(_file(item.label, label))
        facts = measure(images, label=label, names=files)
        return known(facts=facts), densities_of(images, label=label, facts=facts)
    except LeukoError as error:
        return known(problem=error.what, hint=error.hint), ()
    except MemoryError:
        full = OutOfResources.of_memory(item.images[0].name)
        return known(problem=full.what, hint=full.hint), ()


def _file(path: Path, image: Image) -> str:
    """A file by its name; of a folder (a DICOM series) what was read from it."""
    if path.is_dir() and image.source is not None:
        return image.source.name
    return path.name


def _examined(items: Sequence[Item], jobs: int) -> Iterable[tuple[Case, tuple[Densities, ...]]]:
    if jobs <= 1 or len(items) < 2:
        yield from map(examine, items)
        return
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        waiting = iter(items)
        running = [pool.submit(examine, item) for item in islice(waiting, 2 * jobs)]
        while running:
            yield running.pop(0).result()
            running.extend(pool.submit(examine, item) for item in islice(waiting, 1))
