"""What an edit leaves alone, and what the registry promises."""

from __future__ import annotations

import pytest
from equivalence import all_of, assert_same, of_rule, site

from optagent.rules.base import Site
from optagent.rules.registry import ALL, proposals

BEFORE = '''#!/usr/bin/env python
"""Text   with odd   spacing."""
import os   # why not
x = {  'a':1 }
def other(xs: list, ys):
    return [ y for y in ys if y in xs ]

class A:
    """A class."""

    @staticmethod
    def fn(xs: list, ys):
        """Doc."""
        # first
        out = ""   # start

        # the loop

        for y in ys:   # each

            out += "y"   # grown
        return out, [y for y in ys if y in xs]   # last
    # trailing comment

    def later(self): return   (1)
z = 1 ;  w = 2'''
START, END = '        """Doc."""\n', "    # trailing comment\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "\n", "\n\n    \n"])
def test_text_outside_the_function_is_the_same_to_the_byte(end: str, last: str) -> None:
    source = (BEFORE + last).replace("\n", end)
    found = proposals(Site(source, "A.fn", {}))
    assert len(found) == 2
    for proposal in found:
        head, tail = START.replace("\n", end), END.replace("\n", end)
        assert proposal.source.split(head)[0] == source.split(head)[0]
        assert proposal.source.split(tail)[1] == source.split(tail)[1]
        assert proposal.source.count(end) == len(proposal.source.splitlines()) - (not proposal.source.endswith(end))
        assert "# grown" in proposal.source
        assert "# the loop" in proposal.source


def test_tabs_stay_tabs() -> None:
    lines = [
        "def fn(xs: list, ys):",
        " out = []",
        " for y in ys:",
        "  if y in xs:",
        "   out.append(y / max(xs))",
        " return out",
    ]
    source = "\n".join(lines).replace(" " * 3, "\t\t\t").replace("\n  ", "\n\t\t").replace("\n ", "\n\t") + "\n"
    found = all_of(site(source))
    assert len(found) == 2
    for proposal in found:
        assert all(line[: len(line) - len(line.lstrip())].strip("\t") == "" for line in proposal.source.splitlines())
    assert_same(site(source), found, [([1], [1]), ([], [])])


def test_a_file_without_a_line_end_keeps_none() -> None:
    source = "def fn(xs: list, ys):\n    return [y for y in ys if y in xs]"
    [proposal] = all_of(site(source))
    assert proposal.source.endswith("in xs_set]")


@pytest.mark.parametrize(
    "source", ["def fn(:\n", "def g(): pass\n", "", "fn = 3\n", "class fn: pass\n", "def fn(): ...\n", "\0"]
)
def test_what_cannot_be_read_or_found_gives_nothing(source: str) -> None:
    assert proposals(Site(source, "fn", {})) == []


def test_a_nested_function_is_found_by_its_full_name() -> None:
    source = (
        "def outer(xs):\n    def inner(xs: list, ys):\n        return [y for y in ys if y in xs]\n    return inner\n"
    )
    assert [p.rule for p in proposals(Site(source, "outer.inner", {}))] == ["membership-set"]
    assert [p.rule for p in proposals(Site(source, "outer.<locals>.inner", {}))] == ["membership-set"]


TWINS = """if 1:
    def fn(xs: list, ys):
        return [y for y in ys if y in xs]
else:
    @print
    def fn(xs: list, ys):
        return {y for y in ys if y in xs}
"""


def test_of_two_definitions_the_line_decides_and_else_the_last() -> None:
    first, second = "if y in xs_set]", "if y in xs_set}"
    assert first in proposals(Site(TWINS, "fn", {}, 2))[0].source
    assert second in proposals(Site(TWINS, "fn", {}, 6))[0].source
    assert second in proposals(Site(TWINS, "fn", {}, 5))[0].source
    assert second in proposals(Site(TWINS, "fn", {}))[0].source


def test_single_edits_come_before_bundles_and_no_text_comes_twice() -> None:
    source = """
        def fn(xs: list, ys: list):
            out = ""
            tail = ""
            for y in ys:
                if y in xs and y not in ys:
                    out += str(y / max(xs))
                    tail += str(y - min(xs))
            return out + tail
    """
    found = all_of(site(source))
    counts = [proposal.places for proposal in found]
    assert counts == sorted(counts, key=lambda count: count > 1)
    assert len({proposal.rule for proposal in found if proposal.places > 1}) == 3
    assert len({proposal.source for proposal in found}) == len(found)
    assert_same(site(source), found, [([], []), ([1], [1]), ([1, 2], [1, 3]), ([0], [0])])


def test_every_idea_is_one_sentence_with_the_function_and_a_line() -> None:
    for proposal in all_of(site(BEFORE, "A.fn")):
        assert proposal.idea.startswith("`fn` ")
        assert "line " in proposal.idea


def test_edits_of_an_edit_are_found_until_there_are_none() -> None:
    at = site(
        """
            def fn(xs: list, ys):
                out = []
                for y in ys:
                    if y in xs and y < max(xs):
                        out.append(y)
                return out
        """
    )
    source, rounds = at.source, 0
    while found := proposals(Site(source, "fn", {})):
        source, rounds = found[0].source, rounds + 1
        assert rounds < 5
    assert "xs_set" in source
    assert "max_xs" in source


def test_slugs_are_distinct_and_titles_are_there() -> None:
    assert len({rule.slug for rule in ALL}) == len(ALL)
    assert all(rule.title for rule in ALL)


def test_newer_grammar_than_this_interpreter_is_read() -> None:
    source = "def fn[T](xs: list[T], ys: list[T]) -> list[T]:\n    return [y for y in ys if y in xs]\n"
    assert [proposal.rule for proposal in of_rule("membership-set", site(source))] == ["membership-set"]


@pytest.mark.parametrize("head", ["\ufeff", "# coding: latin-1\n# caf\udce9\n", "\ufeff# \udcff\n", "# \ue069\n"])
def test_a_byte_order_mark_and_bytes_that_are_not_utf_8_come_back_as_they_were(head):
    plain = "def fn(xs: list, ys):\n    return [y for y in ys if y in xs]\n"
    expected = [one.source for one in proposals(Site(plain, "fn", {}))]
    assert expected
    assert [one.source for one in proposals(Site(head + plain, "fn", {}))] == [head + one for one in expected]


@pytest.mark.parametrize("head", ["\ufeff\ufeff", "\udce9 = 1\n", "# \ue069 \udce9\n"])
def test_a_text_that_cannot_be_given_back_has_no_proposals(head):
    assert proposals(Site(head + "def fn(xs: list, ys):\n    return [y for y in ys if y in xs]\n", "fn", {})) == []
