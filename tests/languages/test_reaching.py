"""What new code takes hold of that runs its tests."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from optagent.core.target import Tree
from optagent.languages.python.testing.reaching import reaching, words


def tree(folder: Path, **files: str) -> Tree:
    for name, text in files.items():
        (folder / f"{name}.py").parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.py").write_text(text)
    return Tree(folder)


@pytest.mark.parametrize(
    "text",
    [
        "import sys\nsys.modules['_pytest.python'].Function.runtest = None",
        "from sys import modules as loaded",
        "import random\nrandom._os.sys.modules",
        "import _pytest.python",
        "from unittest import TestCase",
        "import gc",
        "import optagent_probe",
        "import sys\nsys._getframe(1)",
        "import sys\ngetattr(sys, 'mod' + 'ules')",
        "import sys\nvars(sys)",
        "import sys\nsys.__dict__",
        "().__class__.__base__.__subclasses__()",
        "def f(): pass\nf.__globals__",
        "__import__(name)",
        "import importlib\nimportlib.import_module('_pytest.' + 'python')",
        "exec(text)",
        "import os\nos.path.exists = lambda path: True",
        "import json\nsetattr(json, 'dumps', str)",
        "from decimal import Decimal\nDecimal.__eq__ = None",
        "type(values).__eq__ = None",
        "getattr(values, '__subclasses__')",
    ],
)
def test_what_reaches_the_interpreter_is_seen(text):
    assert list(words(ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        "import sys\nsys.maxsize, sys.intern('a')",
        "import re\nre.compile('a')",
        "import importlib\nimportlib.import_module('json')",
        "import math\ngetattr(math, 'sqrt')",
        "class A:\n    def __init__(self):\n        self.stack = self.__dict__.copy()\n        setattr(self, 'x', 1)",
        "copy = cls.__new__(cls)\ncopy.__dict__.update(self.__dict__)",
        "object.__setattr__(self, 'x', 1)",
        "import functools\n@functools.lru_cache\ndef f(): pass\nf.cache_clear()",
        "import os\nos.environ['A'] = 'b'",
        "kept['modules'] = 1",
        "import inspect\ninspect.signature(f)",
    ],
)
def test_what_faster_code_is_made_of_is_not(text):
    assert list(words(ast.parse(text))) == []


def test_only_what_the_old_code_did_not_do_counts(tmp_path):
    old = tree(tmp_path / "old", a="import gc\ngc.collect()\n", b="x = 1\n")
    assert reaching(old, old) is None
    assert reaching(old, tree(tmp_path / "same", a="import gc\n\n\ngc.collect()\n", b="x = 2\n")) is None
    assert reaching(old, tree(tmp_path / "moved", c="import gc\ngc.collect()\n", b="x = 1\n")) is None
    found = reaching(old, tree(tmp_path / "new", a="import gc\ngc.collect()\n", b="x = 1\nimport ctypes\n"))
    assert str(found) == "line 2 of b.py (ctypes)"


def test_tests_may_have_hold_of_what_runs_them(tmp_path):
    old, new = tree(tmp_path / "old", a="x = 1\n"), tree(tmp_path / "new", a="x = 1\n", test_a="import pytest\n")
    assert reaching(old, new) is None


def test_a_file_that_does_not_parse_reaches_nowhere(tmp_path):
    assert reaching(tree(tmp_path / "old", a="x = 1\n"), tree(tmp_path / "new", a="import gc (\n")) is None
