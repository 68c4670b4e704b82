"""The index lists what Python itself would find, and never tells of a file what was true of it before."""

from __future__ import annotations

import asyncio
import inspect
import os
import shutil
import threading
import time
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optagent.core.target import Target, Tree
from optagent.languages.python.source.sources import source_files
from optagent.languages.python.targets import index_cache
from optagent.languages.python.targets.index import index, read_index
from optagent.languages.python.targets.index_facts import PAYS_FROM_BYTES, Job, look_at_all
from optagent.languages.python.targets.locate import locate

FILES = {
    "src/pkg/__init__.py": "",
    "src/pkg/a.py": "class A:\n    def go(self):\n        pass\n\n\ndef alone():\n    def inner():\n        pass\n",
    "b.py": "x = 1\n\n\n@print\ndef late():\n    yield\n",
    "none.py": "x = 1\n",
    "broken.py": "def bad(:\n",
    "latin.py": "# coding: latin-1\ndef caf\xe9(): pass\n".encode("latin-1"),
    "src/build/__init__.py": "def made(): pass\n",
}
LEFT_OUT = [
    "tests/helpers.py", "test_m.py", "pkg/conftest.py", ".git/hooks/a.py", "env/pyvenv.cfg", "env/lib/a.py", ".venv/a.py",
    "build/lib/a.py", "dist/a.py", "node_modules/a.py", "__pycache__/a.py", ".tox/a.py", ".eggs/a.py",
]  # fmt: skip
NAMES = ["b.py:late", "latin.py:caf\xe9", "src/build/__init__.py:made", "src/pkg/a.py:A.go", "src/pkg/a.py:alone"]


def names(targets: tuple[Target, ...]) -> list[str]:
    return sorted(f"{target.path}:{target.qualname}" for target in targets)


@pytest.fixture
def tree(make_repo):
    return Tree(make_repo(FILES))


def test_every_function_of_the_project_is_listed_and_nothing_else(make_repo, tmp_path):
    root = make_repo({**FILES, **dict.fromkeys(LEFT_OUT, "def f(): pass\n")})
    (tmp_path / "out.py").write_text("def f(): pass\n")
    (root / "link.py").symlink_to(tmp_path / "out.py")
    (root / "folder").symlink_to(tmp_path)
    os.mkfifo(root / "pipe.py")
    assert names(index(Tree(root), None)) == NAMES


def test_the_index_tells_the_same_as_a_look_for_one_function(tree):
    for target in index(tree, None):
        assert locate(tree, f"{target.path}::{target.qualname}") == target


def test_a_place_is_found_by_line_and_by_the_name_that_code_has(tree):
    found = read_index(tree, None)
    assert found.at("b.py", 4) == found.at("b.py", 6) == found.named("b.py", "late")
    assert found.at("src/pkg/a.py", 8).qualname == "alone"
    assert found.named("src/pkg/a.py", "alone.<locals>.inner").qualname == "alone"
    assert found.named("src/pkg/a.py", "A.go").kind == "method"
    for path, line in [("b.py", 3), ("b.py", 7), ("src/pkg/a.py", 1), ("src/pkg/a.py", 5), ("no.py", 1)]:
        assert found.at(path, line) is None
    assert found.named("b.py", "go") is None


# what was learned before


def poisoned(cache: Path) -> None:
    """Makes the cache say something that no file says, so that its use shows."""
    known = index_cache.read(cache)
    wrong = {
        digest: facts._replace(functions=tuple(each._replace(qualname="from_cache") for each in facts.functions))
        for digest, facts in known.facts.items()
    }
    assert wrong
    index_cache.write(cache, replace(known, facts=wrong))


def test_what_is_known_of_a_content_is_not_found_again_wherever_it_lies(tree, tmp_path):
    index(tree, tmp_path)
    poisoned(tmp_path)
    copy = Tree(tmp_path / "copy")
    shutil.copytree(tree.root, copy.root)
    for each in (tree, copy):
        assert {target.qualname for target in index(each, tmp_path)} == {"from_cache"}


def test_a_file_that_was_not_touched_is_not_even_read(tmp_path):
    """On the standard library, whose files are old enough to be known by their looks: one is said to be another."""
    tree = Tree(Path(inspect.getfile(asyncio)).parents[1], "asyncio")
    index(tree, tmp_path)
    known = index_cache.read(tmp_path)
    look, _ = known.files["asyncio/queues.py"]
    _, other = known.files["asyncio/locks.py"]
    index_cache.write(tmp_path, replace(known, files={**known.files, "asyncio/queues.py": (look, other)}))
    found = read_index(tree, tmp_path)
    assert found.named("asyncio/queues.py", "Lock.acquire")
    assert not found.named("asyncio/queues.py", "Queue.get")


@pytest.mark.slow
@pytest.mark.parametrize("pause_s", [0.0, 2.1])
def test_an_edit_of_the_same_size_at_the_same_time_is_seen(make_repo, tmp_path, pause_s):
    """Time and size as before, the inode too: a young file is not trusted, of an old one the change time tells."""
    tree = Tree(make_repo({"a.py": "def one(): pass\n"}))
    file = tree.root / "a.py"
    time.sleep(pause_s)
    assert names(index(tree, tmp_path)) == ["a.py:one"]
    ((look, _),) = index_cache.read(tmp_path).files.values()
    assert (look == index_cache.UNSETTLED) == (pause_s == 0)
    before = file.stat()
    with open(file, "r+") as same:
        same.write("def two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    time.sleep(pause_s)  # so that the new look is trusted too
    assert (before.st_size, before.st_mtime_ns, before.st_ino) == (after.st_size, after.st_mtime_ns, after.st_ino)
    assert names(index(tree, tmp_path)) == ["a.py:two"]


def test_files_that_come_go_and_move_are_followed(tree, tmp_path):
    index(tree, tmp_path)
    (tree.root / "b.py").rename(tree.root / "c.py")
    (tree.root / "latin.py").unlink()
    (tree.root / "new.py").write_text("def new(): pass\n")
    assert names(index(tree, tmp_path)) == sorted(["c.py:late", "new.py:new", *NAMES[2:]])
    assert set(index_cache.read(tmp_path).files) == {path for path, _ in source_files(tree)}


def test_projects_of_one_repository_share_a_cache(make_repo, tmp_path):
    root = make_repo({"a/m.py": "def f(): pass\n", "tests/b/m.py": "def f(): pass\n"})
    for project, found in [
        ("a", ["a/m.py:f"]),
        ("tests/b", ["tests/b/m.py:f"]),
        (".", ["a/m.py:f"]),
        ("tests/b", ["tests/b/m.py:f"]),
    ]:
        assert names(index(Tree(root, project), tmp_path)) == found
    assert set(index_cache.read(tmp_path).files) == {"a/m.py", "tests/b/m.py"}


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1, exclude_max=True), st.sampled_from(["cut off", "one bit", "one byte more"]))
def test_a_damaged_cache_is_made_anew_without_a_word(tree, tmp_path, where, damage):
    file = tmp_path / index_cache.FILE
    file.unlink(missing_ok=True)
    index(tree, tmp_path)
    whole = file.read_bytes()
    place = int(where * len(whole))
    bit = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    file.write_bytes({"cut off": whole[:place], "one bit": bit, "one byte more": whole + b" "}[damage])
    assert not index_cache.read(tmp_path).files
    assert names(index(tree, tmp_path)) == NAMES
    assert len(index_cache.read(tmp_path).files) == len(FILES)


def test_what_another_edition_wrote_is_made_anew(tree, tmp_path):
    index(tree, tmp_path)
    poisoned(tmp_path)
    file = tmp_path / index_cache.FILE
    file.write_bytes(file.read_bytes().replace(index_cache.edition().encode(), b"0" * 32, 1))
    assert names(index(tree, tmp_path)) == NAMES


@pytest.mark.parametrize("in_the_way", [index_cache.FILE, "."])
def test_a_folder_that_refuses_costs_time_only(tree, tmp_path, in_the_way):
    cache = tmp_path / "cache"
    if in_the_way == ".":
        cache.write_text("a file\n")
    else:
        (cache / in_the_way).mkdir(parents=True)
    assert names(index(tree, cache)) == NAMES
    assert [path.name for path in cache.parent.rglob("*")] == ["cache", *([index_cache.FILE] if cache.is_dir() else [])]


def test_the_users_tree_is_left_as_it_was(tree, tmp_path):
    before = sorted(tree.root.rglob("*"))
    index(tree, tmp_path)
    assert sorted(tree.root.rglob("*")) == before


# cores


def many_files() -> list[Job]:
    library = Path(inspect.getfile(inspect)).parent
    jobs = [Job(str(file), file.stat().st_size, file.name.startswith("a")) for file in sorted(library.glob("*.py"))]
    assert sum(job.size for job in jobs) > 2 * PAYS_FROM_BYTES
    return jobs


@pytest.mark.slow
def test_several_cores_find_what_one_finds():
    jobs = many_files()
    assert look_at_all(jobs, 2) == look_at_all(jobs, 1)


def test_a_process_with_threads_does_not_fork():
    """A fork would inherit the locks that other threads hold, and Python 3.12 warns of it."""
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        before = os.times().children_user
        assert len(look_at_all(many_files(), 2)) == len(many_files())
        assert os.times().children_user == before
    finally:
        ended.set()
        thread.join()


# random modules, against the interpreter

HEAD = """\
import contextlib, functools, typing
deco = lambda f: f
generic = functools.singledispatch(len)
"""
NAME = st.sampled_from(["f", "g", "size", "__hidden", "caf\xe9"])
BODY = st.sampled_from([
    "return 1", "yield 1", "x = yield", "return lambda: (yield)", "def inner():\n    yield 1\nreturn inner",
    "class Local:\n    def go(self):\n        yield\n", "with x:\n    for y in x:\n        yield from x", "return 'yield'",
])  # fmt: skip
IN_MODULE = [
    "{name}",
    "@deco\n@deco\n{name}",
    "@typing.overload\n{stub}\n{name}",
    "@generic.register(int)\n{other}\n{name}",
]
IN_CLASS = [
    *IN_MODULE, "@staticmethod\n{name}", "@deco\n@classmethod\n{name}", "@property\n{name}\n@{bare}.setter\n{stub}",
    "@functools.cached_property\n{name}", "{name}\n{bare} = staticmethod({bare})",
]  # fmt: skip


def indented(text: str) -> str:
    return "".join(f"    {line}" for line in text.splitlines(keepends=True))


@st.composite
def function(draw: st.DrawFn, forms: list[str]) -> str:
    name, body = draw(NAME), draw(BODY)
    is_async = draw(st.booleans()) and "from" not in body
    form = draw(st.sampled_from(forms))
    if "@{bare}.setter" in form or "= staticmethod" in form or "cached_property" in form:
        is_async = False
    text = f"{'async ' * is_async}def {name}(x):\n{indented(body)}"
    return form.format(name=text, bare=name, stub=f"def {name}(x, y): ...", other="def _(x):\n    yield") + "\n"


def block(depth: int, forms: list[str]) -> st.SearchStrategy[str]:
    """Statements, some of them blocks, at one level of a module or a class; classes are numbered later."""
    parts = [function(forms)]
    if depth:
        inner = block(depth - 1, forms)
        parts += [
            st.builds("if deco:\n{}".format, inner.map(indented)),
            st.builds("try:\n{}finally:\n    pass\n".format, inner.map(indented)),
            st.builds("with contextlib.nullcontext():\n{}".format, inner.map(indented)),
            st.builds("class C#:\n{}".format, block(depth - 1, IN_CLASS).map(indented)),
        ]
    return st.lists(st.one_of(parts), min_size=1, max_size=3).map("".join)


def numbered(text: str) -> str:
    first, *rest = text.split("C#")
    return first + "".join(f"C{k}{part}" for k, part in enumerate(rest))


def code_of(module: dict[str, object], target: Target) -> tuple[str, object]:
    """The kind that the interpreter knows, and the code of the function."""
    first, *rest = target.attributes
    found: object = module[first]
    for name in rest:
        found = inspect.getattr_static(found, name)
    kinds = {
        staticmethod: "staticmethod",
        classmethod: "classmethod",
        property: "property",
        cached_property: "property",
    }
    kind = kinds.get(type(found), "method" if rest else "function")
    for inside in ("fget", "func", "__func__"):
        found = getattr(found, inside, found) if type(found) in kinds else found
    return kind, found.__code__


@settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    block(3, IN_MODULE).map(numbered), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["", "\ufeff", "\x0c"])
)
@pytest.mark.slow
def test_what_is_listed_is_what_the_interpreter_has_and_is_found_again_by_name_and_line(tmp_path, text, end, begin):
    source = (begin + HEAD + text).replace("\n", end).encode()
    (tmp_path / "m.py").write_bytes(source)
    tree = Tree(tmp_path)
    module: dict[str, object] = {"__name__": "m"}
    exec(compile(source, "m.py", "exec"), module)
    found = read_index(tree, None)
    assert found.targets or "def" not in text
    for target in found.targets:
        kind, code = code_of(module, target)
        flags = bool(code.co_flags & (0x80 | 0x200)), bool(code.co_flags & (0x20 | 0x200))
        assert (kind, *flags) == (target.kind, target.is_async, target.is_generator)
        assert code.co_qualname == target.qualname
        assert found.at("m.py", code.co_firstlineno) == found.named("m.py", code.co_qualname) == target
        for spec in (f"m.py::{target.qualname}", f"m.py:{target.line}", f"m.py:{code.co_firstlineno}"):
            assert locate(tree, spec) == target
