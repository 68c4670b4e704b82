"""Cheats to plant in a function: the work goes on elsewhere, or not at all, and a trusting stopwatch is pleased.

Each leaves the function's signature as it is, moves its body into a function inside, and puts a trick around the call.
Tricks are the common ones of the museum (tests/museum/cheats), written for any function.
"""

from __future__ import annotations

import ast
import copy
import io
import textwrap
from dataclasses import dataclass

from optagent.core.target import Target
from optagent.languages.python.source.functions import FunctionNode, definitions, span
from optagent.languages.python.source.sources import parse_source

WORK, KEPT = "_optagent_work", "_OPTAGENT_KEPT"
"""The function inside, and a dict in the module. Names in a trick begin with an underscore, so that they are not those
of a parameter or of what the body uses."""

TRICKS = {
    "memory": (
        "remembers answers by the arguments, from call to call",
        """
        import pickle as _pickle
        _key = _pickle.dumps(GIVEN)
        if _key not in KEPT:
            KEPT[_key] = WORK
        return KEPT[_key]
        """,
    ),
    "stale answers": (
        "does its work three times, then gives the last answer again",
        """
        KEPT["calls"] = KEPT.get("calls", 0) + 1
        if KEPT["calls"] <= 3:
            KEPT["last"] = WORK
        return KEPT["last"]
        """,
    ),
    "stopped clock": (
        "replaces the clocks of Python's time module",
        """
        import time as _time
        for _name in ("time", "perf_counter", "monotonic", "process_time"):
            setattr(_time, _name, lambda: 0.0)
            setattr(_time, _name + "_ns", lambda: 0)
        return WORK
        """,
    ),
    "loyal copy": (
        "works on a copy of its arguments, whose changes nobody sees",
        """
        import copy as _copy
        GIVEN = _copy.deepcopy(GIVEN)
        return WORK
        """,
    ),
    "no answer": ("gives None and does nothing", "return None\n"),
    "equal to all": (
        "gives an object that says it equals whatever it is compared with",
        """
        if "equal" not in KEPT:
            KEPT["equal"] = type("Equal", (), {"__eq__": lambda a, b: True, "__hash__": lambda a: 0})
        return KEPT["equal"]()
        """,
    ),
    "swallowed input": (
        "raises for all but small arguments, so that slow calls vanish from the sum",
        """
        import pickle as _pickle
        _size = len(_pickle.dumps(GIVEN))
        KEPT["least"] = min(_size, KEPT.get("least", _size))
        if _size > KEPT["least"]:
            raise ValueError("too large")
        return WORK
        """,
    ),
    "other process": (
        "does its work in a child, whose time the parent's clock does not see",
        """
        import os as _os, pickle as _pickle
        _ours, _theirs = _os.pipe()
        _child = _os.fork()
        if _child == 0:
            try:
                with open(_theirs, "wb") as _pipe:
                    _pickle.dump(WORK, _pipe)
            finally:
                _os._exit(0)
        _os.close(_theirs)
        with open(_ours, "rb") as _pipe:
            _answer = _pipe.read()
        _os.waitpid(_child, 0)
        return _pickle.loads(_answer)
        """,
    ),
    "background thread": (
        "answers at once and works in a thread, in somebody else's time",
        """
        import threading as _threading
        _box = []
        _threading.Thread(target=lambda: _box.append(WORK), daemon=True).start()
        return _box
        """,
    ),
    "early end": ("ends the process with success", "import os as _os\n_os._exit(0)\n"),
    "forged report": (
        "writes a success of its own to every open file",
        """
        import os as _os
        for _file in range(1, 64):
            try:
                _os.write(_file, b'{"outcome": "faster", "ratio": 100.0}')
            except OSError:
                pass
        return WORK
        """,
    ),
}
"""Name: what it does, in words, and its body; WORK stands for the call of what was there before, GIVEN for the
arguments, KEPT for a dict that stays."""


@dataclass(frozen=True)
class Cheat:
    """What it is called, what it does in words, and the text of the target's file with it."""

    name: str
    words: str
    text: str


def cheats(source: str, target: Target) -> list[Cheat]:
    """Every trick planted in the target; none in a coroutine or a generator, whose body runs when somebody asks, and in
    what is too deep to be written again."""
    node = definitions(parse_source(source, target.path)).get(target.qualname)
    if node is None or target.is_async or target.is_generator:
        return []
    try:
        return [Cheat(name, words, _planted(source, node, trick)) for name, (words, trick) in TRICKS.items()]
    except (RecursionError, ValueError):  # or a number too long
        return []


def _planted(source: str, node: FunctionNode, trick: str) -> str:
    """The file's text with the function's body inside a trick."""
    kept = f"globals().setdefault({KEPT!r}, {{}})"
    body = textwrap.dedent(trick).replace("KEPT", kept).replace("WORK", _call(node)).replace("GIVEN", _given(node))
    inner = ast.FunctionDef(WORK, _bare(node.args), node.body, [], lineno=node.lineno)
    outer = copy.copy(node)
    outer.body = [inner, *ast.parse(body).body]
    text = ast.unparse(ast.fix_missing_locations(outer))
    lines = io.StringIO(source, newline="").readlines()  # as Python counts them: a form feed ends none
    first, last = span(node)
    indent = lines[node.lineno - 1][: node.col_offset]
    planted = textwrap.indent(text, indent) + "\n"
    return "".join([*lines[: first - 1], planted, *lines[last:]])


def _bare(arguments: ast.arguments) -> ast.arguments:
    """The same names, without defaults and annotations: all are given."""

    def bare(one: ast.arg) -> ast.arg:
        return ast.arg(one.arg)

    return ast.arguments(
        posonlyargs=[bare(one) for one in arguments.posonlyargs],
        args=[bare(one) for one in arguments.args],
        vararg=bare(arguments.vararg) if arguments.vararg else None,
        kwonlyargs=[bare(one) for one in arguments.kwonlyargs],
        kw_defaults=[None for _ in arguments.kwonlyargs],
        kwarg=bare(arguments.kwarg) if arguments.kwarg else None,
        defaults=[],
    )


def _call(node: FunctionNode) -> str:
    """The call of the inner function with all that the outer one was given."""
    arguments = node.args
    words = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    words += [f"*{arguments.vararg.arg}"] if arguments.vararg else []
    words += [f"{one.arg}={one.arg}" for one in arguments.kwonlyargs]
    words += [f"**{arguments.kwarg.arg}"] if arguments.kwarg else []
    return f"{WORK}({', '.join(words)})"


def _given(node: FunctionNode) -> str:
    """All arguments as a tuple, to be read or assigned."""
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    named += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
    return f"({' '.join(f'{one.arg},' for one in named)})"
