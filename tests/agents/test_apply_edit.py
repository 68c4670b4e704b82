"""SEARCH/REPLACE blocks in files: each of the three tiers, and all that is refused."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optagent.agents.apply_edit import apply_blocks
from optagent.agents.edits import Block, Complaint

SOURCE = "class C:\n    def f(self, x):\n        y = x + 1\n        return y\n\n    def g(self):\n        return 1\n"


def test_an_exact_match_is_replaced():
    block = Block("        y = x + 1\n        return y\n", "        return x + 1\n")
    assert apply_blocks(SOURCE, [block]) == SOURCE.replace(
        "        y = x + 1\n        return y", "        return x + 1"
    )


def test_trailing_blanks_on_either_side_do_not_matter_and_stay_on_lines_that_are_only_repeated():
    source = "a = 1  \nb = 2\t\nc = 3\n"
    assert apply_blocks(source, [Block("a = 1\nb = 2\n", "a = 1\nb = 4\n")]) == "a = 1  \nb = 4\nc = 3\n"
    assert apply_blocks("a\nb\n", [Block("a  \n", "c\n")]) == "c\nb\n"


def test_a_block_without_the_files_indentation_is_shifted_with_its_replacement():
    block = Block("y = x + 1\nreturn y\n", "if x:\n    return x\n\nreturn 1\n")
    expected = "        if x:\n            return x\n\n        return 1\n"
    assert apply_blocks(SOURCE, [block]) == SOURCE.replace("        y = x + 1\n        return y\n", expected)


def test_a_block_indented_too_far_is_shifted_back():
    block = Block("            y = x + 1\n", "            y = 1 + x\n")
    assert apply_blocks(SOURCE, [block]) == SOURCE.replace("x + 1", "1 + x")
    found = apply_blocks(SOURCE, [Block("            y = x + 1\n", "  y = 1 + x\n")])
    assert isinstance(found, Complaint)
    assert "too little indentation" in found.reason


def test_one_shift_must_fit_all_lines():
    found = apply_blocks(SOURCE, [Block("def f(self, x):\n      y = x + 1\n", "pass\n")])
    assert isinstance(found, Complaint)


def test_tabs_are_not_taken_for_blanks():
    assert isinstance(apply_blocks("if 1:\n\tx = 1\n", [Block("    x = 1\n    y\n", "")]), Complaint)
    assert apply_blocks("if 1:\n\tx = 1\n", [Block("x = 1\n", "x = 2\n")]) == "if 1:\n\tx = 2\n"


def test_the_strictest_tier_that_matches_decides_even_where_a_looser_one_would_match_more():
    source = "x = 1\nif x:\n    x = 1\n"
    assert apply_blocks(source, [Block("x = 1\n", "x = 2\n")]) == "x = 2\nif x:\n    x = 1\n"


def test_several_matches_are_counted_and_refused():
    found = apply_blocks("a\nb\na\nb\na\n", [Block("b\n", "c\n"), Block("a\n", "c\n")])
    assert found == Complaint(
        "Block 1 matches 2 places in the file (from lines 2, 4): repeat more of the lines around the one that is meant."
    )
    many = apply_blocks("a\n" * 5000, [Block("a\n", "c\n")])
    assert isinstance(many, Complaint)
    assert "100 or more places" in many.reason


def test_a_block_that_matches_nothing_is_shown_the_nearest_lines():
    found = apply_blocks(SOURCE, [Block("        y = x + 1\n        return  y\n", "")])
    assert isinstance(found, Complaint)
    assert "Block 1 matches no place" in found.reason
    assert "from line 3:\n        y = x + 1\n        return y\n" in found.reason
    alike = apply_blocks(SOURCE, [Block("    def f(self, y):\n", "")])
    assert isinstance(alike, Complaint)
    assert "from line 2:\n    def f(self, x):" in alike.reason
    assert apply_blocks("a\n", [Block("import sys\n", "")]).reason.endswith("as they are.")


def test_part_of_a_line_is_no_match():
    assert isinstance(apply_blocks("x = 10\n", [Block("x = 1\n", "x = 2\n")]), Complaint)


def test_blocks_are_looked_for_in_the_file_as_it_was_in_whatever_order():
    blocks = [Block("c\n", "a\n"), Block("a\n", "c\nd\n")]
    assert apply_blocks("a\nb\nc\n", blocks) == "c\nd\nb\na\n"


def test_blocks_that_overlap_are_refused():
    found = apply_blocks("a\nb\nc\n", [Block("b\nc\n", "x\n"), Block("a\nb\n", "y\n")])
    assert found == Complaint("Blocks 1 and 2 overlap in line 2: make them one block.")


@pytest.mark.parametrize("search", ["", "\n", "  \n\t\n"])
def test_an_empty_search_is_refused(search):
    assert isinstance(apply_blocks("a\n\n", [Block(search, "b\n")]), Complaint)


@pytest.mark.parametrize(
    ("source", "block", "expected"),
    [
        ("a\r\nb\r\nc\r\n", Block("b\n", "x\ny\n"), "a\r\nx\r\ny\r\nc\r\n"),
        ("a\nb\r\nc\r\n", Block("a\nb\n", "a\nx\n"), "a\nx\nc\r\n"),
        ("a\rb\r", Block("b\n", "c\n"), "a\rc\r"),
        ("a\r\nb", Block("b\n", "x\ny\n"), "a\r\nx\r\ny"),
        ("a\nb", Block("a\n", "x\n"), "x\nb"),
        ("a\nb", Block("b\n", "b\nc\n"), "a\nb\nc"),
        ("a\nb", Block("b\n", ""), "a"),
        ("a", Block("a", "b"), "b"),
        ("a\n", Block("a\n", ""), ""),
        ("\ufeffa\nb\n", Block("b\n", "c\n"), "\ufeffa\nc\n"),
        ("a\x0c\nb\x85c\n", Block("b\x85c\n", "d\n"), "a\x0c\nd\n"),
    ],
)
def test_line_ends_and_a_missing_last_one_stay(source, block, expected):
    assert apply_blocks(source, [block]) == expected


LINES = st.lists(st.sampled_from(["", "a", "  a", "b  ", "\tb", "    c = 1", "d"]), max_size=8)


@settings(max_examples=40)
@given(LINES, LINES, LINES, st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_unique_line_can_be_exchanged_and_nothing_else_changes(before, after, replace, end):
    source = "".join(line + end for line in [*before, "unique = 1", *after])
    new = "".join(line + "\n" for line in replace)
    expected = "".join(line + end for line in [*before, *replace, *after])
    assert apply_blocks(source, [Block("unique = 1\n", new)]) == expected


@settings(max_examples=40)
@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_applied_or_refused(source, search, replace):
    assert isinstance(apply_blocks(source, [Block(search, replace)]), str | Complaint)


@settings(max_examples=30)
@given(LINES.filter(any), st.sampled_from(["    ", "\t", "  "]))
def test_a_whole_file_as_search_matches_it_at_any_indentation(lines, indent):
    source = "".join(f"{indent}{line}\n" if line else "\n" for line in lines)
    bare = "".join(f"{line}\n" for line in lines)
    assert apply_blocks(source, [Block(bare, bare.replace("a", "z"))]) == source.replace("a", "z")


@pytest.mark.parametrize("source", ["a\n" * 30_000, " a\n" * 30_000, ("    " * 20 + "x = 1\n") * 2_000])
def test_repetitive_files_take_no_longer_than_others(source):
    started = time.process_time()
    assert isinstance(apply_blocks(source, [Block("a\n" * 10_000 + "b\n", "")]), Complaint)
    assert isinstance(apply_blocks(source, [Block(source[: len(source) // 2], "")]), Complaint)
    assert time.process_time() - started < 2
