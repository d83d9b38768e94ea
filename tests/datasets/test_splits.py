"""Splits: subjects stay whole, proportions hold, and only the seed and the names decide."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.datasets.items import Item
from leuko.datasets.splits import (
    PARTS,
    Split,
    by_subject,
    explicit,
    k_fold,
    leave_one_site_out,
    read_split,
    require_whole_subjects,
)
from leuko.errors import ReadError, SafetyRefusal, UsageError


def slices(subject: str, count: int, *, site: str = "", category: str = "") -> list[Item]:
    return [
        Item(f"{subject}_{n}", subject, (Path(f"{subject}_{n}.png"),), None, None, site, category)
        for n in range(count)
    ]


def people(count: int, *, each: int = 2, sites: int = 1, categories: int = 1) -> list[Item]:
    return [
        item
        for n in range(count)
        for item in slices(f"p{n}", each, site=f"s{n % sites}", category=f"c{n // 2 % categories}")
    ]


def subjects(items: list[Item], names: tuple[str, ...]) -> set[str]:
    known = {item.name: item.subject for item in items}
    return {known[name] for name in names}


data_sets = st.builds(
    people,
    st.integers(3, 25),
    each=st.integers(1, 4),
    sites=st.integers(1, 3),
    categories=st.integers(1, 2),
)
seeds = st.integers(0, 2**31)


@given(data_sets, seeds, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_a_split_is_whole_divides_no_one_and_ignores_the_order_of_files(items, seed, random):  # type: ignore[no-untyped-def]
    split = by_subject(items, valid=0.2, test=0.2, seed=seed)
    names = [name for part in PARTS for name in getattr(split, part)]
    assert sorted(names) == sorted(item.name for item in items)
    parts = [subjects(items, getattr(split, part)) for part in PARTS]
    assert sum(map(len, parts)) == len(set.union(*parts))
    assert all(parts)
    shuffled = random.sample(items, len(items))
    assert by_subject(shuffled, valid=0.2, test=0.2, seed=seed) == split


@given(data_sets, seeds, st.data())
@settings(max_examples=60, deadline=None)
def test_every_subject_is_tested_in_just_one_fold(items, seed, data):  # type: ignore[no-untyped-def]
    count = len({item.subject for item in items})
    folds = data.draw(st.integers(2, count))
    valid = 0.2 if count - -(-count // folds) > 1 else 0
    splits = [k_fold(items, folds=folds, fold=n, valid=valid, seed=seed) for n in range(folds)]
    tested = [subjects(items, split.test) for split in splits]
    assert Counter(name for split in splits for name in split.test) == Counter(
        item.name for item in items
    )
    assert max(map(len, tested)) - min(map(len, tested)) <= 1
    for site in {item.site for item in items}:
        of_site = {item.subject for item in items if item.site == site and item.category == "c0"}
        shares = [len(part & of_site) for part in tested]
        assert max(shares) - min(shares) <= 1


def test_another_seed_is_another_split() -> None:
    items = people(20)
    splits = {by_subject(items, valid=0.2, test=0.2, seed=seed) for seed in range(8)}
    assert len(splits) == 8


def test_the_split_of_a_seed_stays_what_it_was() -> None:
    """Results are reported by seed: a change here changes what they were computed on."""
    split = by_subject(people(6, each=1), valid=1, test=2, seed=7)
    assert split == Split(("p1_0", "p2_0", "p5_0"), ("p0_0",), ("p3_0", "p4_0"))


def test_shares_and_numbers_are_of_subjects() -> None:
    items = [*slices("a", 50), *people(9, each=1)]
    shares = by_subject(items, valid=0.1, test=0.3, seed=1)
    assert len(subjects(items, shares.test)) == 3
    numbers = by_subject(items, valid=2, test=4, seed=1)
    assert [len(subjects(items, getattr(numbers, part))) for part in PARTS] == [4, 2, 4]
    nothing = by_subject(items, valid=0, test=0, seed=1)
    assert (len(nothing.train), nothing.valid, nothing.test) == (59, (), ())


def test_sites_and_categories_keep_their_proportions() -> None:
    items = [
        item
        for n in range(30)
        for item in slices(f"p{n}", 1, site="big" if n < 20 else "small", category=f"c{n % 2}")
    ]
    split = by_subject(items, valid=0.2, test=0.2, seed=3)
    for part, size in (("valid", 6), ("test", 6)):
        names = set(getattr(split, part))
        kinds = Counter((item.site, item.category) for item in items if item.name in names)
        assert sum(kinds.values()) == size
        assert kinds["big", "c0"] + kinds["big", "c1"] == 4
        assert set(kinds.values()) <= {1, 2}


def test_a_site_is_left_out_whole() -> None:
    items = people(9, sites=3)
    split = leave_one_site_out(items, site="s1", valid=0.2, seed=1)
    assert set(split.test) == {item.name for item in items if item.site == "s1"}
    assert len(subjects(items, split.valid)) == 1


@pytest.mark.parametrize("site", ["", "s9"])
def test_a_site_that_is_not_there_is_refused_with_those_that_are(site: str) -> None:
    with pytest.raises(UsageError, match="the sites are: s0, s1"):
        leave_one_site_out(people(4, sites=2), site=site, valid=0, seed=1)


def test_a_subject_of_two_sites_is_refused() -> None:
    items = [*people(4, sites=2), *slices("p1", 1, site="s0")[:1]]
    items[-1] = Item("p1_other", "p1", (Path("x"),), site="s0")
    with pytest.raises(SafetyRefusal, match="divides 1 subject"):
        leave_one_site_out(items, site="s1", valid=0, seed=1)


@pytest.mark.parametrize(
    ("count", "valid", "test"), [(1, 0, 0.2), (2, 0.5, 0.5), (5, 3, 2), (4, 0, 4)]
)
def test_too_few_subjects_are_said(count: int, valid: float, test: float) -> None:
    with pytest.raises(UsageError, match=rf"Too few subjects \({count}\)"):
        by_subject(people(count), valid=valid, test=test, seed=1)


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_that_cannot_be_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="neither a share nor a number"):
        by_subject(people(5), valid=0, test=share, seed=1)


@pytest.mark.parametrize(("folds", "fold"), [(1, 0), (6, 0), (3, 3), (3, -1)])
def test_folds_that_cannot_be_are_refused(folds: int, fold: int) -> None:
    with pytest.raises(UsageError, match="fold"):
        k_fold(people(5), folds=folds, fold=fold, valid=0, seed=1)


def test_a_split_that_divides_a_subject_is_refused_with_the_count() -> None:
    items = people(3)
    split = Split(train=("p0_0", "p1_0", "p2_0"), test=("p0_1", "p1_1"))
    with pytest.raises(SafetyRefusal, match=r"divides 2 subjects \(p0, p1\)") as refusal:
        require_whole_subjects(items, split)
    assert "training and in test" in refusal.value.what
    assert refusal.value.exit_code == 5
    with pytest.raises(SafetyRefusal, match="divides 1 subject"):
        explicit(items, test=["p0_1"])


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (Split(train=("p0_0", "p0_0")), "in the split twice"),
        (Split(train=("p9_0",)), "not in the data"),
        (Split(train=(), test=("p0_0",)), "nothing for training"),
    ],
)
def test_a_split_that_does_not_fit_the_data_is_refused(split: Split, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        require_whole_subjects(people(2), split)


def test_lists_name_items_or_subjects() -> None:
    items = people(3)
    assert explicit(items, valid=["p1"], test=["p2_0", "p2_1"]) == Split(
        ("p0_0", "p0_1"), ("p1_0", "p1_1"), ("p2_0", "p2_1")
    )
    with pytest.raises(UsageError, match="The list for test names p7"):
        explicit(items, test=["p7"])


def test_a_split_is_read_from_json_or_a_table(tmp_path: Path) -> None:
    items = people(3)
    expected = Split(("p0_0", "p0_1"), ("p1_0", "p1_1"), ("p2_0", "p2_1"))
    lists = {"train": ["p0"], "valid": ["p1"], "test": ["p2"]}
    (tmp_path / "split.json").write_text(json.dumps(lists))
    assert read_split(tmp_path / "split.json", items) == expected
    (tmp_path / "split.tsv").write_text("name\tsplit\np0\ttrain\np1\tvalid\np2\ttest\n")
    assert read_split(tmp_path / "split.tsv", items) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [("s.json", "{"), ("s.json", '{"training": []}'), ("s.json", "[1]"), ("s.tsv", "a\tb\n1\t2\n"),
     ("s.csv", "name,split\np0,holdout\n")],
)  # fmt: skip
def test_a_file_that_is_no_split_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match="holds no split"):
        read_split(tmp_path / name, people(3))
    with pytest.raises(ReadError, match="cannot be read"):
        read_split(tmp_path / "none.json", people(3))
