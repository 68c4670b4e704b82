"""Replies as models write them, each with what it is read as beside it (rewrite with UPDATE_GOLDEN=1)."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optagent.agents.cleaning import MOST_CHARS
from optagent.agents.reply import Block, Blocks, Complaint, Edit, WholeFunction, read_reply

REPLIES = sorted((Path(__file__).parent / "replies").glob("*.txt"))


def written(result: Edit | Complaint) -> str:
    if isinstance(result, Complaint):
        return f"complaint: {result.reason}\n"
    if isinstance(result, WholeFunction):
        return f"idea: {result.idea}\nwhole function:\n{result.code}"
    blocks = (f"search:\n{block.search}replace:\n{block.replace}" for block in result.blocks)
    return f"idea: {result.idea}\n{''.join(blocks)}"


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: reply.stem)
def test_a_reply_is_read_as_agreed(reply):
    golden = reply.with_suffix(".read")
    result = written(read_reply(reply.read_bytes().decode()))
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(result)
    assert result == golden.read_text()


def test_every_complaint_is_one_sentence_on_one_line():
    for reply in REPLIES:
        result = read_reply(reply.read_bytes().decode())
        if isinstance(result, Complaint):
            assert result.reason.endswith(".")
            assert "\n" not in result.reason


def test_a_giant_reply_is_refused_by_its_size():
    assert "at most 200,000" in read_reply("x" * (MOST_CHARS + 1)).reason


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x07", "\x85", "\u2066", "\ud800", "\x7f", "\x0b"])
def test_control_characters_and_half_characters_are_named(character):
    result = read_reply(f"```\ndef f():\n    return '{character}'\n```\n")
    assert result == Complaint(f"The reply holds the control character U+{ord(character):04X}: write it as an escape.")


HARD = {
    "nested calls": "f(" * 90_000,
    "long sums": "a" + "+a" * 90_000,
    "signs": "-" * 190_000 + "1",
    "openings": "```python\n" * 19_000,
    "ends inside a string": "```python\ndef f():\n  '''\n" + "```\n" * 25_000,
    "ever shorter fences": "\n".join("`" * k for k in range(620, 2, -1)),
    "long fences": "````a\n" * 33_000,
    "searches": "<<<<<<< SEARCH\n" * 13_000,
    "dividers": "<<<<<<< SEARCH\n" + "=======\n" * 20_000,
    "thoughts": "<think>\n" * 24_000,
    "ends of thoughts": "</think>\n" * 22_000,
    "blanks": "<<<<<<< SEARCH" + " " * 180_000 + "x y",
    "blank lines": "\n" * 90_000 + "x",
    "an idea of stars": "*" * 190_000,
    "braces": "[" * 199_000,
}


@pytest.mark.parametrize("name", HARD)
def test_no_reply_takes_long(name):
    started = time.process_time()
    for text in (HARD[name], f"```python\ndef f():\n  pass\n{HARD[name]}\n```"):
        assert isinstance(read_reply(text), Complaint | WholeFunction)
    assert time.process_time() - started < 3


IDEAS = st.from_regex(
    r"([A-Za-z0-9`'()=-][A-Za-z0-9`'()=-]{0,8}( [A-Za-z0-9*_`'()=-]{1,8}){0,5}[.!?]?)?", fullmatch=True
)
NAMES = st.sampled_from(["f", "total", "_x"])
BODIES = st.lists(
    st.sampled_from(
        ["    x = 1", "\ty = 2", "", "    '''", "```", "    ```python", "~~~", "=======", "    # Idea: no", "<think>",
         "    for k in x:", "        x = k", "    éü", "  # @@ -1 +1 @@", "    x = '''", "'''", "<<<<<<< SEARCH"]
    ),
    max_size=12,
)  # fmt: skip


@st.composite
def functions(draw: st.DrawFn) -> str:
    """Functions that parse, many of them with fences and markers in their strings."""
    name, body = draw(NAMES), draw(BODIES)
    code = "\n".join([draw(st.sampled_from(["", "import re\n\n", "_K = 1\n\n\n@cache\n"])) + f"def {name}(a, b=1):"])
    text = "\n".join([code, *body, "    return a"]) + "\n"
    try:
        compile(text, "", "exec")
    except SyntaxError:
        docstring = "\n".join(body).replace("'''", "")
        return f"{code}\n    '''\n{docstring}\n    '''\n    return a\n"
    return text


def fenced_as(code: str, mark: str, info: str, indent: str) -> str:
    lines = [f"{mark}{info}", *code.removesuffix("\n").split("\n"), mark]
    return "".join(f"{indent}{line}\n" if line else "\n" for line in lines)


PROSE = st.sampled_from(["", "Here it is:\n\n", "It is `fast` now.\n", "- a point\n- another\n", "> quoted\n"])
THOUGHTS = st.sampled_from(["", "<think>\n```python\ndef g(): pass\n</think>\n", "Hm.\n</think>\n\n"])
ENDS = st.sampled_from(["\n", "\r\n"])


@settings(max_examples=40)
@given(IDEAS, functions(), st.sampled_from(["```", "````", "~~~", "~~~~~"]), st.sampled_from(["", "python", " py", "Python"]),
       st.sampled_from(["", "  ", "\t"]), THOUGHTS, PROSE, PROSE, ENDS)  # fmt: skip
def test_a_function_in_any_fence_is_read_as_it_was(idea, code, mark, info, indent, thought, before, after, end):
    said = f"Idea: {idea}\n\n" if idea else ""
    text = thought + said + before + fenced_as(code, mark, info, indent) + after
    assert read_reply(text.replace("\n", end)) == WholeFunction(code, idea)


PARTS = st.lists(
    st.sampled_from(
        ["x = 1", "    y", "", "\t# z", "    =======", "```", "======", "a <<<<<<< SEARCH", "@@", "<p>", "  "]
    )
).map(lambda lines: "".join(f"{line}\n" for line in lines))


@settings(max_examples=40)
@given(IDEAS, st.lists(st.builds(Block, PARTS.filter(str.strip), PARTS), min_size=1, max_size=4),
       st.integers(7, 9), st.sampled_from(["", "```", "~~~python"]), PROSE, ENDS)  # fmt: skip
def test_blocks_in_any_style_are_read_as_they_were(idea, blocks, length, fence, between, end):
    text = f"Idea: {idea}\n\n" if idea else ""
    for block in blocks:
        open_, middle, close = (
            f"{sign * length}{word}\n" for sign, word in zip("<=>", (" SEARCH", "", " REPLACE"), strict=True)
        )
        whole = open_ + block.search + middle + block.replace + close
        text += between + (f"{fence}\n{whole}{fence[:3]}\n" if fence else whole)
    result = read_reply(text.replace("\n", end))
    if any(block.search.startswith("```\n") and block.search.endswith("```\n") for block in blocks):
        assert isinstance(result, Blocks | Complaint)  # fences that only wrap the parts of a block are taken away
    else:
        assert result == Blocks(tuple(blocks), idea)


SOUP = st.lists(
    st.sampled_from(
        ["```", "```python", "````", "~~~", "def f():", "  pass", "'''", "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE",
         "<think>", "</think>", "Idea: x", "{", "}", "@@ -1 +1 @@", "--- a/m.py", "class C:", "", "\t", "\ufeff", "x = 1"]
    ) | st.text(max_size=5)
).map("\n".join)  # fmt: skip


@settings(max_examples=100)
@given(SOUP | st.text())
def test_any_text_is_read_without_an_exception(text):
    assert isinstance(read_reply(text), WholeFunction | Blocks | Complaint)
