"""Bytecode that is made once for all workers: read where there is none, never believed of another text."""

from __future__ import annotations

import pickle
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from pythons import home_of

from optagent.core.canonical import read
from optagent.core.patch import Change, Patch
from optagent.core.scope import Scope
from optagent.core.target import Tree
from optagent.languages.contestant import Misconduct
from optagent.languages.python import bytecode
from optagent.languages.python.bytecode import compile_toolbox, with_bytecode
from optagent.languages.python.project import PythonProject
from optagent.languages.python.targets.locate import locate

pytestmark = pytest.mark.slow

FILES = {
    "pkg/__init__.py": "",
    "pkg/helper.py": "VALUE = 'old'\n",
    "pkg/work.py": "from pkg.helper import VALUE\n\ndef work(x):\n    return VALUE\n",
}


@pytest.fixture(params=["bwrap", "none"])
def rung(request):
    return request.param


@pytest.fixture
def make(tmp_path, ours):
    def make(rung: str = "default", scope: Scope = Scope.FUNCTION, **changed: str) -> PythonProject:
        files = {**FILES, **{f"pkg/{name}.py": text for name, text in changed.items()}}
        home, tree = home_of(tmp_path, files, ours, rung)
        return PythonProject(home, locate(tree, "pkg/work.py::work"), scope=scope, base=tree)

    return make


def told(project: PythonProject, tree: Tree) -> object:
    """What the target returns when called with 1."""
    with project.contestant(tree, 1, 20) as one:
        project.load(one, tree, 1)
        one.keep([pickle.dumps(((1,), {}), 5)])
        return read(one.call([0])[0])[2]


def compiled_by(project: PythonProject, tree: Tree) -> set[str]:
    """Names of the files of ours and of the tree that a worker had to compile; served ones have none beside them."""
    with project.contestant(tree, 1, 20) as one:
        project.load(one, tree, 1)
        return {Path(path).name for path in one.sources() if "optagent" in path or path.startswith(str(tree.root))}


def stored(project: PythonProject) -> set[str]:
    assert project.bytecode is not None
    return {path.name.split(".")[0] for path in project.bytecode.rglob("*.pyc") if "/pkg/" in str(path)}


def other_tree(project: PythonProject, name: str, text: str) -> Tree:
    assert project.base is not None
    root = project.base.root.parent / "candidate"
    shutil.copytree(project.base.root, root)
    (root / name).write_text(text)
    return Tree(root)


def test_a_worker_compiles_nothing_of_ours_once_the_toolbox_is_compiled(make, rung):
    project = make(rung)
    assert "optagent_codec.py" in compiled_by(project, project.base)
    compile_toolbox(project.home)
    assert compiled_by(project, project.base) == {"__init__.py", "helper.py", "work.py"}


def test_what_the_reference_imports_is_kept_but_not_what_a_candidate_may_change(make, rung):
    project = make(rung)
    known = with_bytecode(project, project.home.toolbox.parent)
    assert stored(known) == {"__init__", "helper"}
    assert told(known, project.base) == "old"


def test_bytecode_that_was_not_finished_is_made_anew(make):
    project = make()
    for half in (project.home.toolbox / "__pycache__.making", project.home.toolbox.parent / "bytecode-x.making"):
        half.mkdir()
        (half / "optagent_codec.pyc").write_bytes(b"half")
    compile_toolbox(project.home)
    known = with_bytecode(project, project.home.toolbox.parent)
    assert with_bytecode(project, project.home.toolbox.parent) == known
    assert not list(project.home.toolbox.glob("*.making"))
    assert told(known, project.base) == "old"


def test_a_path_that_leads_out_of_the_folder_is_not_written(tmp_path):
    bytecode._write(tmp_path / "kept", {"/../out.pyc": b"x", "/a/../../../out.pyc": b"x", "/b/__pycache__/c.pyc": b"y"})
    assert sorted(one.relative_to(tmp_path).as_posix() for one in tmp_path.rglob("*.pyc")) == [
        "kept/b/__pycache__/c.pyc"
    ]


def test_where_a_candidate_may_change_any_file_none_of_the_tree_is_kept(make):
    project = make(scope=Scope.PACKAGE)
    assert stored(with_bytecode(project, project.home.toolbox.parent)) == set()


def test_the_kept_bytecode_is_what_a_worker_runs(make, ours, rung):
    """Seen by planting other code under the mark of the right text."""
    project = make(rung)
    known = with_bytecode(project, project.home.toolbox.parent)
    (file,) = known.bytecode.rglob("helper.*.pyc")
    script = "import marshal, sys; sys.stdout.buffer.write(marshal.dumps(compile(\"VALUE = 'planted'\", 'x', 'exec')))"
    planted = subprocess.run([ours, "-c", script], capture_output=True, check=True).stdout
    head = file.read_bytes()[:16]
    assert struct.unpack("<I", head[4:8]) == (0b11,)  # bound to the text, and checked
    file.write_bytes(head + planted)
    assert told(known, project.base) == "planted"


def test_bytecode_of_another_text_is_not_believed(make, rung):
    project = make(rung)
    known = with_bytecode(project, project.home.toolbox.parent)
    assert told(known, other_tree(known, "pkg/helper.py", "VALUE = 'new'\n")) == "new"


def test_a_contestant_cannot_write_to_what_others_will_read(make):
    write = (
        "import os\n\ndef work(x):\n    found = []\n"
        "    for folder, _, names in os.walk('/optagent'):\n"
        "        for name in (*names, 'new'):\n"
        "            try: open(os.path.join(folder, name), 'ab'); found.append(name)\n"
        "            except OSError: pass\n"
        "    return f\"{len(found)} {os.path.isdir('/optagent/bytecode/optagent')}\"\n"
    )
    project = make("bwrap", work=write, __init__="import pkg.helper\n")
    compile_toolbox(project.home)
    known = with_bytecode(project, project.home.toolbox.parent)
    assert told(known, project.base) == "0 True"


def test_the_target_sees_the_arguments_of_a_program_as_before(make, rung):
    project = make(rung, work="import sys\n\ndef work(x):\n    return len(sys.argv)\n")
    known = with_bytecode(project, project.home.toolbox.parent)
    assert told(known, project.base) == told(project, project.base) == 1


def test_a_target_that_does_not_import_is_left_to_others_to_complain_about(make):
    project = make(helper="raise ValueError('no')\n")
    known = with_bytecode(project, project.home.toolbox.parent)
    assert stored(known) == set()
    with pytest.raises(Misconduct, match="no"):
        told(known, project.base)


@pytest.mark.parametrize("scope", Scope)
def test_candidates_of_narrow_scopes_change_the_targets_file_only(make, scope):
    """What `with_bytecode` takes for granted when it keeps the other files of the tree."""
    project = replace(make(scope=scope), scope=scope)
    assert project.base is not None
    source = (project.base.root / "pkg/helper.py").read_text()
    patch = Patch((Change("pkg/helper.py", source, source + "\n_MORE = 1\n"),))
    assert (project.scope_fault(patch) is None) == (scope is Scope.PACKAGE)
