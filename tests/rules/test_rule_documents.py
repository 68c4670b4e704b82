"""The examples in each rule's own words are what the rule does."""

from __future__ import annotations

import importlib
import re

import pytest
from equivalence import assert_same, of_rule, site

MODULES = {
    "membership-set": "optagent.rules.membership_set",
    "join-pieces": "optagent.rules.join_pieces",
    "hoist-invariant": "optagent.rules.hoist_invariant",
}
INPUTS = {
    "membership-set": [([], []), (["A"], []), (["a", "B", "a"], ["a"]), (["a"], [1]), ([[]], ["a"]), ([1], ["a"])],
    "join-pieces": [([],), (["a"],), (["a", "a", "é"],), ([1],), (["a", None],)],
    "hoist-invariant": [([],), ([2.0],), ([2.0, 1.0, 2.0],), ([0.0],), (["a"],), ([1, "a"],)],
}
HEADINGS = ["What", "Why it is slow", "Preconditions", "Example", "Use instead", "Counter-example"]


def document(slug: str) -> str:
    return importlib.import_module(MODULES[slug]).__doc__ or ""


def blocks(slug: str) -> list[str]:
    return re.findall(r"::\n\n((?:    .*\n|\n)+)", document(slug))


def name_in(block: str) -> str:
    found = re.search(r"def (\w+)", block)
    assert found
    return found[1]


@pytest.mark.parametrize("slug", MODULES)
def test_every_rule_is_told_under_the_same_headings(slug: str) -> None:
    assert re.findall(r"(?m)^(.+)\n-+$", document(slug)) == HEADINGS


@pytest.mark.parametrize("slug", MODULES)
def test_the_example_becomes_what_the_document_says(slug: str) -> None:
    example, instead, _ = blocks(slug)
    at = site(example, name_in(example))
    [proposal] = of_rule(slug, at)
    assert proposal.source.strip() == site(instead).source.strip()
    unhashable = [args for args in INPUTS[slug] if [] in args[0]]
    assert_same(at, [proposal], [args for args in INPUTS[slug] if args not in unhashable])


@pytest.mark.parametrize("slug", MODULES)
def test_the_counter_example_is_left_alone(slug: str) -> None:
    *_, counter = blocks(slug)
    assert of_rule(slug, site(counter, name_in(counter))) == []
