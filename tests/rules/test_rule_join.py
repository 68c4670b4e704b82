"""Joining pieces: where it is proposed, where it is not, and that it stays the same."""

from __future__ import annotations

import pytest
from equivalence import assert_same, of_rule, site

SLUG = "join-pieces"
TEXTS = [([],), (["a"],), (["a", "b", "a"],), (["é", "", "x"],), ([1],), (["a", None],), (None,), (["ab", "c"] * 20,)]
BYTES = [([],), ([b"a"],), ([b"a", b"b", b"a"],), ([1],), ([b"a", "b"],), ([bytearray(b"q"), b"r"],), (["a"],)]

MUST = {
    "plain": """
        def fn(xs):
            out = ""
            for x in xs:
                out += x
            return out
    """,
    "bytes": """
        def fn(xs):
            out = b""
            for x in xs:
                out += x
            return out
    """,
    "bytes, long form, a start that is not empty": """
        def fn(xs):
            out = b"head"
            for x in xs:
                out = out + b"," + x
            return out
    """,
    "str() and one-line suites": """
        def fn(xs):
            out = str()
            for x in xs: out += x
            return out
    """,
    "bytes()": """
        def fn(xs):
            out = bytes()
            for x in xs:
                out += x
            return out
    """,
    "long form in parentheses": """
        def fn(xs):
            out = ''
            for x in xs:
                out = (out + x) + "-" + (x + "!")
            return out
    """,
    "an annotation and a comment": """
        def fn(xs):
            out: str = ""
            # one piece each
            for x in xs:
                out += x  # here
            return out
    """,
    "nested loops": """
        def fn(xs):
            out = ""
            for x in xs:
                for c in x:
                    out += c
                    out += "."
                out += "\\n"
            return out
    """,
    "a row started anew in the outer loop": """
        def fn(xs):
            rows = []
            for x in xs:
                row = ""
                for c in x:
                    row += c + "."
                rows.append(row)
            return rows
    """,
    "two accumulators": """
        def fn(xs):
            a = ""
            b = b""
            for x in xs:
                a += x
                b += bytes(str(x), 'utf8')
            return a, b
    """,
    "chained start": """
        def fn(xs):
            a = b = ""
            for x in xs:
                a += x
                b += x[::-1]
            return a + b
    """,
    "break, continue and else": """
        def fn(xs):
            out = ""
            for x in xs:
                if x == "":
                    continue
                if x == "b":
                    break
                out += x
            else:
                out += "end"
            return out
    """,
    "return in the loop and in its else": """
        def fn(xs):
            out = "<"
            for x in xs:
                if x == "b":
                    return out + ">", len(out)
                out += x
            else:
                return out
    """,
    "a while loop": """
        def fn(xs):
            out, k = "", 0
            text = ""
            while k < len(xs):
                text += xs[k]; k += 1
            return text, out
    """,
    "two loops after one another": """
        def fn(xs):
            out = ""
            for x in xs:
                out += x
            for x in xs:
                out += x * 2
            return out
    """,
    "grown before and after": """
        def fn(xs):
            out = "a"
            out += "b"
            for x in xs:
                out += x
            out += "z"
            return out.upper()
    """,
    "a branch that starts otherwise": """
        def fn(xs):
            out = ""
            if xs:
                out = "some: "
            for x in xs:
                out += x
            return out
    """,
    "pieces of all kinds": """
        def fn(xs):
            out = ""
            for k, x in enumerate(xs):
                out += x if k else "first"
                out += f"{k}" "lit"
                out += "%s" % x
                out += (y := x)
                out += ("a"
                        "b")
                out += y[0:1] * 3
            return out
    """,
    "a tuple as a piece still fails": """
        def fn(xs):
            out = ""
            for x in xs:
                out += x,
            return out
    """,
    "a handler in the loop for something else": """
        def fn(xs):
            out = ""
            for x in xs:
                try:
                    out += str(int(x))
                except ValueError:
                    out += "?"
            return out
    """,
    "a try around everything": """
        def fn(xs):
            try:
                out = ""
                for x in xs:
                    out += x
                return out
            except TypeError:
                return None
    """,
    "a file that is open": """
        import io
        def open(xs):
            return io.StringIO("".join(xs))
        def fn(xs):
            out = ""
            with open(xs) as f:
                for line in f:
                    out += line.strip()
            return out
    """,
    "match": """
        def fn(xs):
            out = ""
            for x in xs:
                match x:
                    case "a":
                        out += "A"
                    case str(y):
                        out += y
                    case _:
                        raise KeyError(x)
            return out
    """,
}


@pytest.mark.parametrize("text", MUST.values(), ids=MUST)
def test_proposed_and_the_same(text: str) -> None:
    at = site(text)
    found = of_rule(SLUG, at)
    assert found
    assert all("join(" in proposal.source and proposal.source != at.source for proposal in found)
    assert_same(at, found, [*TEXTS, *BYTES])


HANDS_OFF = {
    "numbers": "def fn(xs):\n    out = 0\n    for x in xs:\n        out += x\n    return out\n",
    "a list": "def fn(xs):\n    out = []\n    for x in xs:\n        out += x\n    return out\n",
    "a bytearray": "def fn(xs):\n    out = bytearray()\n    for x in xs:\n        out += x\n    return out\n",
    "no start": "def fn(xs, out):\n    for x in xs:\n        out += x\n    return out\n",
    "a start in a branch": """
        def fn(xs):
            if xs:
                out = ''
            for x in xs:
                out += x
            return out
    """,
    "another start": """
        def fn(xs):
            out = ''
            if xs:
                out = xs[0]
            for x in xs:
                out += x
            return out
    """,
    "mixed starts": """
        def fn(xs):
            out = ''
            if xs:
                out = b''
            for x in xs:
                out += x
            return out
    """,
    "in front": "def fn(xs):\n    out = ''\n    for x in xs:\n        out = x + out\n    return out\n",
    "twice itself": "def fn(xs):\n    out = ''\n    for x in xs:\n        out = out + x + out\n    return out\n",
    "multiplied": "def fn(xs):\n    out = 'a'\n    for x in xs:\n        out *= 2\n    return out\n",
    "read in a condition": """
        def fn(xs):
            out = ''
            for x in xs:
                if out:
                    out += ','
                out += x
            return out
    """,
    "read by the while": "def fn(xs):\n    out = ''\n    while len(out) < 9:\n        out += 'x'\n    return out\n",
    "handed to a call": """
        def fn(xs):
            out = ''
            for x in xs:
                out += x
                print(out)
            return out
    """,
    "its own piece": "def fn(xs):\n    out = 'a'\n    for x in xs:\n        out += out[0]\n    return out\n",
    "yielded": "def fn(xs):\n    out = ''\n    for x in xs:\n        out += x\n        yield out\n",
    "a yield of something else": """
        def fn(xs):
            out = ''
            for x in xs:
                out += x
                yield x
            yield out
    """,
    "read by a comprehension": """
        def fn(xs):
            out = ''
            for x in xs:
                out += x
                [out for _ in x]
    """,
    "read by a lambda": """
        def fn(xs):
            out = ''
            see = lambda: out
            for x in xs:
                out += x + see()
            return out
    """,
    "an else that leads past the join": """
        def fn(xs):
            out = ''
            for x in xs:
                for y in x:
                    pass
                else:
                    out = out + x
                    continue
                print(out)
            return out
    """,
    "nonlocal": """
        def fn(xs):
            out = ''
            def g():
                nonlocal out
                out = ''
            for x in xs:
                out += x
                g()
            return out
    """,
    "global": "def fn(xs):\n    global out\n    out = ''\n    for x in xs:\n        out += x\n    return out\n",
    "an attribute": "def fn(self, xs):\n    self.out = ''\n    for x in xs:\n        self.out += x\n",
    "read in the else": """
        def fn(xs):
            out = ''
            for x in xs:
                out += x
            else:
                print(out)
            return out
    """,
    "caught inside": """
        def fn(xs):
            out = ''
            for x in xs:
                try:
                    out += x
                except TypeError:
                    pass
            return out
    """,
    "caught inside by all": """
        def fn(xs):
            out = ''
            for x in xs:
                try:
                    out += x
                except Exception:
                    pass
            return out
    """,
    "caught inside, bare": """
        def fn(xs):
            out = ''
            for x in xs:
                try:
                    out += x
                except:
                    pass
            return out
    """,
    "caught around and read": """
        def fn(xs):
            out = ''
            try:
                for x in xs:
                    out += x
            except TypeError:
                return out
            return out
    """,
    "another error around and read": """
        def fn(xs):
            out = ''
            try:
                for x in xs:
                    out += str(int(x))
            except ValueError:
                pass
            return out
    """,
    "read in a finally": """
        def fn(xs):
            out = ''
            try:
                for x in xs:
                    out += x
            finally:
                print(out)
    """,
    "a suppress around": """
        import contextlib
        def fn(xs):
            out = ''
            with contextlib.suppress(TypeError):
                for x in xs:
                    out += x
            return out
    """,
    "a suppress inside": """
        import contextlib
        def fn(xs):
            out = ''
            for x in xs:
                with contextlib.suppress(TypeError):
                    out += x
            return out
    """,
    "reset in the loop": """
        def fn(xs):
            out = ''
            for x in xs:
                if x == '':
                    out = ''
                out += x
            return out
    """,
    "a loop variable": "def fn(xs):\n    out = ''\n    for out in xs:\n        out += 'x'\n    return out\n",
    "deleted": "def fn(xs):\n    out = ''\n    for x in xs:\n        out += x\n    del out\n",
    "a buffer": """
        def fn(f):
            out = b''
            buf = bytearray(4)
            while f.readinto(buf):
                out += buf
            return out
    """,
    "a view of a buffer": """
        def fn(f):
            out = b''
            buf = bytearray(4)
            view = memoryview(buf)
            while n := f.readinto(buf):
                out += view[:n]
            return out
    """,
    "its locals are looked at": "def fn(xs):\n    out = ''\n    for x in xs:\n        out += x\n    return locals()\n",
    "in an f-string that is returned": """
        def fn(xs):
            out = ''
            for x in xs:
                out += x
                if x:
                    return f'{out}'
            return out
    """,
    "a comment that would be lost": """
        def fn(xs):
            out = ''
            for x in xs:
                out = (out +  # why
                    x)
            return out
    """,
    "no loop": "def fn(x):\n    out = ''\n    out += x\n    return out\n",
    "in a nested function": """
        def fn(xs):
            def g():
                out = ''
                for x in xs:
                    out += x
                return out
            return g()
    """,
    "str is something else": """
        str = list
        def fn(xs):
            out = str()
            for x in xs:
                out += x
            return out
    """,
}


@pytest.mark.parametrize("text", HANDS_OFF.values(), ids=HANDS_OFF)
def test_hands_off(text: str) -> None:
    assert [proposal.source for proposal in of_rule(SLUG, site(text))] == []


def test_a_wrong_piece_still_raises_the_same_error() -> None:
    at = site(MUST["plain"])
    [proposal] = of_rule(SLUG, at)
    assert_same(at, [proposal], [(["a", 1, "b"],), ([b"a"],)])


def test_the_empty_literal_becomes_the_list() -> None:
    [proposal] = of_rule(SLUG, site(MUST["plain"]))
    assert (
        'out_pieces = []\n    for x in xs:\n        out_pieces.append(x)\n    out = "".join(out_pieces)\n'
        in proposal.source
    )
    assert 'out = ""\n' not in proposal.source


def test_a_start_with_something_in_it_is_the_first_piece() -> None:
    [proposal] = of_rule(SLUG, site(MUST["bytes, long form, a start that is not empty"]))
    assert "out_pieces = [out]" in proposal.source
    assert 'out_pieces.extend((b",", x))' in proposal.source


def test_the_row_is_joined_where_it_is_whole() -> None:
    at = site(MUST["a row started anew in the outer loop"])
    [proposal] = of_rule(SLUG, at)
    assert '        row = "".join(row_pieces)\n        rows.append(row)\n' in proposal.source


def test_a_loop_that_only_a_return_leaves_has_no_join_behind_it() -> None:
    at = site(
        "def fn(xs):\n    out = ''\n    while True:\n        if not xs:\n            return out\n        out += xs.pop()\n"
    )
    [proposal] = of_rule(SLUG, at)
    assert proposal.source.count("join") == 1
    assert_same(at, [proposal], [([],), (["a"],), (["a", "b", "a"],), ([1],)])


def test_loops_in_the_else_of_a_loop_share_its_list() -> None:
    text = """
        def fn(xs):
            out = ""
            for x in xs:
                out += x
            else:
                for x in xs:
                    out += x + "."
            return out
    """
    at = site(text)
    [proposal] = of_rule(SLUG, at)
    assert_same(at, [proposal], TEXTS)


def test_a_start_from_a_constant_or_a_call_known_to_give_bytes() -> None:
    text = """
        HEAD = b"head"
        def fn(xs):
            out = HEAD
            for x in xs:
                out += x
            return out
    """
    at = site(text)
    [proposal] = of_rule(SLUG, at)
    assert "out_pieces = [out]" in proposal.source
    assert_same(at, [proposal], BYTES)


def test_a_constant_that_a_function_rebinds_is_no_constant() -> None:
    text = "HEAD = b''\ndef other():\n    global HEAD\n    HEAD = 3\ndef fn(xs):\n    out = HEAD\n    for x in xs:\n        out += x\n    return out\n"
    assert of_rule(SLUG, site(text)) == []
