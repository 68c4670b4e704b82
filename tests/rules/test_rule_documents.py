"""The examples in each rule's own words are what the rule does."""

from __future__ import annotations

import importlib
import re
from types import SimpleNamespace
from typing import Any

import pytest
from equivalence import assert_same, of_rule, site

from optagent.rules.registry import ALL

INPUTS: dict[str, list[tuple[Any, ...]]] = {
    "membership-set": [([], []), (["A"], []), (["a", "B", "a"], ["a"]), (["a"], [1]), ([[]], ["a"]), ([1], ["a"])],
    "join-pieces": [([],), (["a"],), (["a", "a", "é"],), ([1],), (["a", None],)],
    "hoist-invariant": [([],), ([2.0],), ([2.0, 1.0, 2.0],), ([0.0],), (["a"],), ([1, "a"],)],
    "join-index": [
        ([], []),
        ([{"text": "x", "customer": 1}], [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]),
        ([{"text": "x", "customer": 2}] * 2, [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]),
        ([{"text": 3, "customer": 2}], [{"id": 2, "name": "b"}]),
    ],
    "argmin-heap": [([], 3), ([3, 1, 2, 5, 5], 3), ([1], 0), ([1, 1, 1, 1], 2), ([-1, 2], 1), (["a"], 2)],
    "deque-queue": [({}, 0), ({0: [1, 2], 2: [1, 3], 3: [0]}, 0), ({0: None}, 0)],
    "extend-copy": [({}, []), ({"a": "x y", "b": ""}, ["a", "b", "a"]), ({"a": "x"}, ["b"]), ({"a": 1}, ["a"])],
    "early-exit": [([], 1), (["a"], 1), (["abc", "a", "abcd"], 2), (["a", "abc"], 2)],
    "prefix-table": [([],), ([5],), ([1, 2, 3, 4],), ([1, -2, 0],)],
    "attribute-pieces": [
        (SimpleNamespace(text="a"), ["x", "y"]),
        (SimpleNamespace(text="a"), []),
        (SimpleNamespace(), ["x"]),
        (SimpleNamespace(text=b"a"), ["x", "y"]),
        (SimpleNamespace(text=""), [1, None]),
    ],
}
SLUGS = [rule.slug for rule in ALL]
HEADINGS = ["What", "Why it is slow", "Preconditions", "Example", "Use instead", "Counter-example"]


def document(slug: str) -> str:
    rule = next(rule for rule in ALL if rule.slug == slug)
    return importlib.import_module(type(rule).__module__).__doc__ or ""


def blocks(slug: str) -> list[str]:
    return re.findall(r"::\n\n((?:    .*\n|\n)+)", document(slug))


def name_in(block: str) -> str:
    home = re.search(r"class (\w+)", block)
    found = re.search(r"def (\w+)", block)
    assert found
    return f"{home[1]}.{found[1]}" if home else found[1]


@pytest.mark.parametrize("slug", SLUGS)
def test_every_rule_is_told_under_the_same_headings(slug: str) -> None:
    assert re.findall(r"(?m)^(.+)\n-+$", document(slug)) == HEADINGS


@pytest.mark.parametrize("slug", SLUGS)
def test_the_example_becomes_what_the_document_says(slug: str) -> None:
    example, instead, _ = blocks(slug)
    at = site(example, name_in(example))
    [proposal] = of_rule(slug, at)
    assert proposal.source.strip() == site(instead).source.strip()
    unhashable = [args for args in INPUTS[slug] if args[0] == [[]]]
    assert_same(at, [proposal], [args for args in INPUTS[slug] if args not in unhashable])


@pytest.mark.parametrize("slug", SLUGS)
def test_the_counter_example_is_left_alone(slug: str) -> None:
    *_, counter = blocks(slug)
    assert of_rule(slug, site(counter, name_in(counter))) == []
