"""Kept cases: the same to the bit, made anew when anything changed or broke."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from leuko.datasets import cache
from leuko.datasets.cache import cached, key_of
from leuko.datasets.cases import load_item
from leuko.datasets.items import Item
from leuko.errors import OutOfResources, WriteError
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.preparation.case import CasePlan, PreparedCase

SHAPE = (8, 7, 6)
PLAN = CasePlan(intensity="percentile", spacing=(1.0, 1.0, 2.0))


@pytest.fixture
def item(tmp_path: Path) -> Item:
    grid = Grid(SHAPE, np.diag([-1.0, 1.5, 2.0, 1.0]))
    random = np.random.default_rng(0)
    paths = {}
    for name, kind in (("image", np.float32), ("label", np.uint8), ("region", np.uint8)):
        data = (random.random(SHAPE) * 3).astype(kind)
        paths[name] = tmp_path / f"{name}.nii.gz"
        write(Image(data, grid), paths[name])
    return Item("a", "a", (paths["image"],), paths["label"], paths["region"])


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the items that were prepared, not taken from the cache."""
    made: list[str] = []

    def counting(item: Item, *, plan: CasePlan) -> PreparedCase:
        made.append(item.name)
        return load_item(item, plan=plan)

    monkeypatch.setattr(cache, "load_item", counting)
    return made


def same(one: PreparedCase, other: PreparedCase) -> bool:
    found = True
    for field in fields(PreparedCase):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            found &= a.dtype == b.dtype and np.array_equal(a, b)
        else:
            found &= a == b
    return found


def test_a_kept_case_is_the_prepared_one_to_the_bit(item: Item, tmp_path: Path) -> None:
    made = load_item(item, plan=PLAN)
    for _ in range(2):
        assert same(made, cached(item, plan=PLAN, folder=tmp_path / "cache"))


def test_a_case_is_prepared_once(item: Item, tmp_path: Path, loads: list[str]) -> None:
    for _ in range(3):
        cached(item, plan=PLAN, folder=tmp_path / "cache")
    assert loads == ["a"]
    for _ in range(2):
        cached(item, plan=PLAN, folder=None)
    assert len(loads) == 3


def test_other_names_share_an_entry_and_other_content_does_not(item: Item, tmp_path: Path) -> None:
    renamed = tmp_path / "other.nii.gz"
    renamed.write_bytes(item.images[0].read_bytes())
    twin = Item("b", "b", (renamed,), item.label, item.region)
    assert key_of(twin, plan=PLAN) == key_of(item, plan=PLAN)
    keys = {
        key_of(item, plan=PLAN),
        key_of(item, plan=CasePlan()),
        key_of(Item("a", "a", item.images, item.label), plan=PLAN),
        key_of(Item("a", "a", item.images, item.region, item.label), plan=PLAN),
        key_of(Item("a", "a", (*item.images, renamed), item.label, item.region), plan=PLAN),
    }
    assert len(keys) == 5


def test_a_changed_mask_is_prepared_anew(item: Item, tmp_path: Path, loads: list[str]) -> None:
    assert item.label is not None
    cached(item, plan=PLAN, folder=tmp_path / "cache")
    write(Image(np.ones(SHAPE, np.uint8), Grid(SHAPE, np.diag([-1.0, 1.5, 2.0, 1.0]))), item.label)
    case = cached(item, plan=PLAN, folder=tmp_path / "cache")
    assert len(loads) == 2
    assert case.label is not None
    assert case.label.all()


@pytest.mark.parametrize(
    "harm",
    [
        lambda entry: (entry / "image.npy").unlink(),
        lambda entry: (entry / "case.json").write_text("{"),
        lambda entry: (entry / "case.json").unlink(),
        lambda entry: os.truncate(entry / "image.npy", 200),
        lambda entry: (entry / "label.npy").write_bytes(b""),
    ],
)
def test_a_broken_entry_is_made_anew(
    item: Item, tmp_path: Path, loads: list[str], harm: Callable[[Path], object]
) -> None:
    made = load_item(item, plan=PLAN)  # not the mapped one: its file is harmed
    cached(item, plan=PLAN, folder=tmp_path / "cache")
    harm(tmp_path / "cache" / key_of(item, plan=PLAN))
    for _ in range(2):
        assert same(made, cached(item, plan=PLAN, folder=tmp_path / "cache"))
    assert len(loads) == 2


def test_another_version_of_preparation_is_made_anew(
    item: Item, tmp_path: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(item, plan=PLAN, folder=tmp_path / "cache")
    monkeypatch.setattr(cache, "VERSION", cache.VERSION + 1)
    cached(item, plan=PLAN, folder=tmp_path / "cache")
    assert len(loads) == 2


def test_arrays_can_be_changed_without_changing_what_is_kept(item: Item, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cached(item, plan=PLAN, folder=folder)
    case = cached(item, plan=PLAN, folder=folder)
    case.image[:] = 7
    assert not (cached(item, plan=PLAN, folder=folder).image == 7).all()


def test_nothing_is_left_beside_the_entries(item: Item, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cached(item, plan=PLAN, folder=folder)
    assert [path.name for path in folder.iterdir()] == [key_of(item, plan=PLAN)]


@pytest.mark.parametrize(("number", "expected"), [(28, OutOfResources), (13, WriteError)])
def test_a_folder_that_cannot_be_written_is_told(
    item: Item,
    tmp_path: Path,
    number: int,
    expected: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(cache.np, "save", refuse)
    with pytest.raises(expected, match="cannot be kept"):
        cached(item, plan=PLAN, folder=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
