"""Text in attributes: where it is joined, where it is not, and that nobody sees the difference."""

from __future__ import annotations

import textwrap
from types import SimpleNamespace

import pytest
from equivalence import assert_same, of_rule, site
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLUG = "attribute-pieces"


class Odd:
    """Cannot be made a text, in the middle of a loop."""

    def __repr__(self) -> str:
        raise ValueError("odd")


PAGES = [
    *(
        SimpleNamespace(text="a", n=0, rows=["x"]),
        SimpleNamespace(text=b"a", n=0, rows=[]),
        SimpleNamespace(n=1, rows=["y"]),
    ),
    *(SimpleNamespace(text=["a"], n=2, rows=["x", "y"]), SimpleNamespace(text="", n=9, rows="ab")),
]
ROWS = [[], ["x"], ["x", "", "é", "y"], [1, None, "a"]]


def states(source: str, rows: list[object]) -> list[tuple[str, str]]:
    """How each page ends up, exceptions included, also where a piece cannot be made."""
    found = []
    for page in (
        SimpleNamespace(text="a", n=0, rows=["x"]),
        SimpleNamespace(n=1, rows=[]),
        SimpleNamespace(text=3, n=1),
    ):
        space: dict[str, object] = {}
        exec(source, space)
        try:
            result = repr(space["Page"].fill(page, rows))  # type: ignore[attr-defined]
        except Exception as error:
            result = repr(type(error))
        found.append((result, repr(page)))
    return found


MUST = {
    "an f-string": """
        for row in rows:
            self.text += f"<{row}>"
    """,
    "several, and conditions": """
        for row in rows:
            if row:
                self.text += "("
                self.text += str(row) + ")"
            else:
                self.text += "-"
        return self.text
    """,
    "an inner loop, a list of its own, names of its own": """
        seen = []
        for row in rows:
            name = str(row).upper()
            for other in self.rows:
                self.text += name + other
                seen.append(name)
            n = len(seen)
            if n > 3:
                break
        return seen
    """,
    "a while loop": """
        k = 0
        while k < len(rows):
            self.text += "%s;" % rows[k]
            k += 1
    """,
    "formats and joins": """
        for row in rows:
            self.text += "{}".format(row)
            self.text += ", ".join(self.rows)
        self.text += "end"
    """,
    "another object": """
        page = self
        for row in rows:
            page.text += "x" + str(row)
        return page.text
    """,
}


def page(body: str, more: str = "") -> str:
    inner = textwrap.indent(textwrap.dedent(body).strip("\n"), " " * 8)
    return f"class Page:\n    def fill(self, rows: list):\n{inner}\n{more}"


@pytest.mark.parametrize("body", MUST.values(), ids=MUST.keys())
def test_proposed_and_the_same(body: str) -> None:
    at = site(page(body), "Page.fill")
    found = of_rule(SLUG, at)
    assert found
    assert_same(at, found, [(one, rows) for one in PAGES for rows in ROWS])
    for proposal in found:
        for rows in ([1, Odd(), 2], ["a", "b", Odd()]):
            assert states(at.source, rows) == states(proposal.source, rows)


def grown(line: str, piece: str = "'x'", head: str = "for row in rows:") -> str:
    return f"{head}\n    self.text += {piece}\n" + textwrap.indent(line, "    ")


HANDS_OFF = {
    "a method of the object": page(grown("self.flush()")),
    "a method that is called like one of a dict": page(grown("n = self.get(row)")),
    "the object is passed on": page(grown("n = len(self)")),
    "a function that nobody knows": page(grown("look(row)")),
    "the text is read": page(grown("n = len(self.text)")),
    "the text is set": page(grown("self.text = ''")),
    "another object's text is read": page(grown("n = row.text")),
    "the object is rebound": page(grown("self = row")),
    "it yields": page(grown("yield row")),
    "a piece of unknown kind": page(grown("pass", "row")),
    "a number": page(grown("pass", "1")),
    "a property": page(grown("pass"), "    @property\n    def text(self): return 1\n"),
    "a hook": page(grown("pass"), "    def __setattr__(self, name, value): pass\n"),
    "another attribute is set": page(grown("self.n = 1")),
    "an entry is stored": page(grown("rows[0] = 1")),
    "somebody else's list grows": page(grown("rows.append(row)")),
    "a context manager": page(grown("with row: pass")),
    "a handler": page(grown("try:\n    n = 1\nexcept ValueError:\n    n = 2")),
    "an iterator": page(grown("pass", head="for row in iter(rows):")),
    "a return in the middle": page(grown("return 1")),
    "not in a loop": page("self.text += 'x'"),
    "text of a part": page("for row in rows:\n    self.page.text += 'x'"),
    "the object as text": page(grown("pass", "f'{self}'")),
    "a walrus": page(grown("pass", "'a' + (n := row)")),
}


@pytest.mark.parametrize("text", HANDS_OFF.values(), ids=HANDS_OFF.keys())
def test_hands_off(text: str) -> None:
    assert of_rule(SLUG, site(text, "Page.fill")) == []


LINES = [
    *("self.text += str(row)", "self.text += 'a'", "if row: self.text += f'{row}'", "n += 1", "x = self.n", "continue"),
    *("for c in self.rows: self.text += c + '-'", "break", "seen.append(row)", "x = len(self.text)", "self.n += 1"),
    *(
        "if n > 1:\n    self.text += ','\nelse:\n    n = 5",
        "x = row + 1",
        "while n < 3:\n    self.text += 'w'\n    n += 1",
    ),
]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=4))
def test_random_loops_stay_the_same(lines: list[str]) -> None:
    body = (
        "seen = []\nn = x = 0\nfor row in rows:\n" + textwrap.indent("\n".join(lines), "    ") + "\nreturn seen, n, x"
    )
    at = site(page(body), "Page.fill")
    for proposal in of_rule(SLUG, at):
        for rows in ([], [1, 2], ["a", Odd(), 3]):
            assert states(at.source, rows) == states(proposal.source, rows)
