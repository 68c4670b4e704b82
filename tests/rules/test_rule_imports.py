"""Where the import that a rewrite needs goes."""

from __future__ import annotations

import ast

import pytest

from optagent.core.patch import Change, Patch
from optagent.core.target import Target
from optagent.languages.python.scope import check
from optagent.rules.base import Site
from optagent.rules.code.imports import member_import, module_import, with_imports
from optagent.rules.code.scene import read_scene
from optagent.rules.registry import proposals

FUNCTION = "def f(xs):\n    return xs\n"
LINES = "import heapq\nfrom collections import deque\n"
CASES = {
    "an empty top": ("", f"{LINES}\n\n"),
    "a docstring": ('"""Doc."""\n\n\n', f'"""Doc."""\n\n{LINES}\n\n'),
    "a future": (
        '"""Doc."""\n\nfrom __future__ import annotations\n\nx = 1\n',
        f'"""Doc."""\n\nfrom __future__ import annotations\n\n{LINES}\nx = 1\n',
    ),
    "comments that must stay first": (
        "#!/usr/bin/python\n# coding: utf-8\n",
        f"#!/usr/bin/python\n# coding: utf-8\n{LINES}\n\n",
    ),
    "a comment on the function": ("# License\n\n# f\n", f"# License\n\n{LINES}\n\n# f\n"),
    "imports in their order": (
        "import abc\nimport zlib  # why\nfrom typing import Any\n\n\n",
        "import abc\nimport heapq\nimport zlib  # why\nfrom collections import deque\nfrom typing import Any\n\n\n",
    ),
    "one line of several": (
        "import os; import sys\nfrom . import x\n",
        "import heapq\nimport os; import sys\nfrom collections import deque\nfrom . import x\n",
    ),
    "both there": (
        "import heapq as hq\nfrom collections import (\n    deque,\n)\n",
        "import heapq as hq\nfrom collections import (\n    deque,\n)\n",
    ),
    "a module that is there": ("import collections.abc\nimport heapq\n", "import collections.abc\nimport heapq\n"),
    "names that are taken": (
        "heapq = 1\n_deque = deque = 2\n",
        "import heapq as _heapq\nfrom collections import deque as _deque_2\n\n\nheapq = 1\n_deque = deque = 2\n",
    ),
    "an import that may fail": (
        "try:\n    import heapq\nexcept ImportError:\n    heapq = None\n",
        "import heapq as _heapq\nfrom collections import deque\n\n\n"
        "try:\n    import heapq\nexcept ImportError:\n    heapq = None\n",
    ),
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("top", "expected"), CASES.values(), ids=CASES.keys())
def test_an_import_goes_to_the_others(top: str, expected: str, end: str) -> None:
    source = (top + FUNCTION).replace("\n", end)
    scene = read_scene(source, "f", 0)
    assert scene is not None
    lines = [*module_import(scene, "heapq").lines, *member_import(scene, "collections", "deque").lines]
    text = with_imports(scene, source, lines)
    ast.parse(text)
    assert text == (expected + FUNCTION).replace("\n", end)


def test_a_name_hidden_by_the_function_is_not_used() -> None:
    scene = read_scene("from collections import deque\n\n\ndef f(deque):\n    return deque\n", "f", 0)
    assert scene is not None
    assert member_import(scene, "collections", "deque").word == "_deque"


TOPS = [
    "",
    '"""Doc."""\n',
    "from __future__ import annotations\n",
    "import os\n",
    "heapq = deque = 1\n",
    "import heapq as deque\n",
]


@pytest.mark.parametrize("top", TOPS)
def test_edits_with_imports_stay_in_the_narrowest_scope(top: str) -> None:
    body = """
def f(xs):
    queue = list(xs)
    loads = [0] * 3
    while queue:
        best = loads.index(min(loads))
        loads[best] += queue.pop(0)
    return loads
"""
    source = top + body
    target = Target(
        path="m.py", qualname="f", module="m", import_root=".", line=source.count("\n", 0, source.index("def f")) + 1
    )
    found = proposals(Site(source, "f", {}))
    assert {one.rule for one in found} == {"argmin-heap", "deque-queue"}
    for one in found:
        assert check.fault(target, Patch((Change("m.py", source, one.source),))) is None
