"""Faults planted in a function: which there are, that each is one small edit, and that the rest of the text stays."""

from __future__ import annotations

import ast
import difflib
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optagent.core.fault import Fault
from optagent.core.target import Target
from optagent.languages.python.faults import faults
from optagent.languages.python.source.spans import Spans

TARGET = Target("m.py", "work", "m", ".", 5)


def source_of(body: str) -> str:
    indented = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return f'"""Module."""\nLIMIT = 3\n\n\ndef work(xs, k=1):\n{indented}\n'


def planted(body: str) -> list[Fault]:
    return faults(source_of(body), TARGET)


def with_fault(source: str, fault: Fault) -> str:
    (change,) = fault.patch(source).changes
    assert change.old == source
    return change.new or ""


def lines(body: str) -> list[str]:
    """The changed line of each fault, without its indentation."""
    source = source_of(body)
    return [
        line[1:].strip()
        for one in planted(body)
        for line in difflib.ndiff(source.splitlines(), with_fault(source, one).splitlines())
        if line.startswith("+ ")
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return xs + k", ["return (xs - k)", "return None"]),
        ("k *= 2.5\nreturn", ["k += 2.5", "k *= (2.5000000000000004)"]),
        ("return 0 < k <= 9", ["return (0 <= k <= 9)", "return (0 < k < 9)"]),
        ("return k not in xs", ["return (k in xs)"]),
        ("return 'a', b'b', True, None", ["return ('a_'), b'b', True, None", "return 'a', b'b', (False), None"]),
        ("if k:\n    return\nelse:\n    k()", ["if (False):", "if (True):", "pass"]),
        ("return [x for x in xs if x]", ["return [x for x in xs if (True)]"]),
        ("return not k and xs", ["return (not k or xs)", "return (k) and xs"]),
        ("for i in range(k, 9):\n    break", ["for i in range(k, (9) - 1):", "pass"]),
        ("return xs[1:k]", ["return xs[(1) + 1:k]", "return xs[1:(k) - 1]"]),
        ("return max(xs, key=len)", ["return max(reversed(list(xs)), key=len)"]),
        ("xs.sort(key=len)", ["(xs.reverse(), xs.sort(key=len))[1]", "pass"]),
        ("xs[0] = k\ndel xs[2]\nxs.k = k", ["pass", "xs[(1)] = k", "del xs[(3)]"]),
        ("raise ValueError(k)", ["pass"]),
    ],
)
def test_each_kind_of_mistake_is_planted(body, expected):
    assert set(expected) <= set(lines(body))


@pytest.mark.parametrize(
    "body",
    [
        '"""Text of 12 lines."""\nreturn',
        "x: list[3]\n'more text'\nreturn",
        "return f'{1 + 2}'",
        "def inner(a=3, *b: 4) -> 5: pass",
        "match xs:\n    case [1, 'a']: pass",
    ],
)
def test_documentation_annotations_defaults_and_patterns_are_left_alone(body):
    assert [one.words for one in planted(body) if one.kind in ("constant", "operator")] == []


def test_a_fault_knows_its_line_and_the_lines_of_its_statement():
    (one,) = [one for one in planted("y = [\n    k,\n    7,\n]\nreturn") if one.kind == "constant"]
    assert (one.line, one.first, one.last, one.words) == (8, 6, 9, "`7` becomes `(8)`")
    assert one.is_reached({6})
    assert one.is_reached({8})
    assert not one.is_reached({5, 10})


def test_the_head_of_a_loop_is_reached_without_its_body():
    found = {one.words: one for one in planted("for x in xs[1:]:\n    k += 2\nreturn")}
    assert found["`1` becomes `(1) + 1`"].is_reached({6})
    assert not found["`2` becomes `(3)`"].is_reached({6})


def test_functions_written_inside_the_target_are_part_of_it():
    assert "return (a - 1)" in lines("def inner(a):\n    'Text.'\n    return a + 1\nreturn inner(k)")


def test_a_target_that_is_not_there_has_none():
    assert faults("x = 1\n", Target("m.py", "work", "m", ".", 1)) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_letters_of_any_width_and_form_feeds_do_not_move_an_edit(end):
    source = end.join(["# é\f\u2028", "def work(ä):", "    'é'; x = ('ß𝄞', 1 + ä)", "    return x", ""])
    news = {with_fault(source, one) for one in faults(source, Target("m.py", "work", "m", ".", 2))}
    assert source.replace("1 + ä", "(1 - ä)") in news
    assert source.replace("'ß𝄞'", "('ß𝄞_')") in news


def test_a_byte_order_mark_stays_and_other_encodings_have_no_faults():
    for source in ("\ufeffdef work(x):\n    return x + x\n", "\ufeffdef work(x): return x + x\n"):
        news = {with_fault(source, one) for one in faults(source, TARGET)}
        assert source.replace("x + x", "(x - x)") in news
    latin = b"# coding: latin-1\ndef work(x):\n    return x + '\xe9'\n".decode("utf-8", "surrogateescape")
    assert faults(latin, TARGET) == []


def test_what_cannot_be_written_again_is_left_alone():
    deep = "return " + " + ".join(["xs"] * 450)
    assert len([one for one in planted(deep) if one.kind == "operator"]) < 449
    large = planted(f"return xs + 0x{'f' * 4000}")
    assert "operator" not in {one.kind for one in large}


EXPRESSIONS = st.recursive(
    st.sampled_from(["xs", "k", "3", "'é'", "2.5", "xs[1:k]", "range(k)"]),
    lambda inner: st.builds(
        lambda left, right, form: form.format(left, right),
        inner,
        inner,
        st.sampled_from(
            ["{} + {}", "({} if {} else k)", "[{}, {}]", "({} < {})", "(not {} or {})", "{{{}: {}}}", "f({}, key={})"]
        ),
    ),
    max_leaves=6,
)


@given(st.lists(EXPRESSIONS, min_size=1, max_size=4))
def test_every_fault_of_any_function_compiles_and_changes_one_node_only(expressions):
    body = "\n".join(f"x{k} = {one}" for k, one in enumerate(expressions))
    source = source_of(body)
    for one in planted(body):
        old, new = ast.parse(source), ast.parse(with_fault(source, one))
        assert ast.dump(old) != ast.dump(new)
        function, changed = old.body[2], new.body[2]
        assert isinstance(function, ast.FunctionDef)
        assert isinstance(changed, ast.FunctionDef)
        pairs = zip(function.body, changed.body, strict=True)
        assert sum(ast.dump(a) != ast.dump(b) for a, b in pairs) == 1


@given(st.text(alphabet="aé𝄞 \t\n\r\f'\"()=#", max_size=30))
def test_a_span_is_where_the_compiler_saw_the_node(text):
    source = f"{'#' + text.replace(chr(10), ' ').replace(chr(13), ' ')}\nx = ('é', {text!r}, yy)\n"
    spans = Spans(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.expr):
            assert spans.text(node) == ast.get_source_segment(source, node)
