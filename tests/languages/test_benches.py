"""Existing benchmarks give inputs: asv's suites and pyperf's scripts are called once, and break no test session."""

from __future__ import annotations

import json

import pytest
from rungs import make_sandbox, open_to_all

from optagent.core.target import Tree
from optagent.languages.python import toolbox_folder
from optagent.languages.python.environment import interpreter
from optagent.languages.python.environment.home import PythonHome
from optagent.languages.python.targets.locate import locate
from optagent.languages.python.testing import discover
from optagent.languages.python.testing.pytest_run import Wish, run_tests

pytestmark = pytest.mark.slow

FILES = {
    "boxes.py": "def weigh(values, factor=1):\n    return [value * factor for value in values]\n",
    "tests/test_boxes.py": "from boxes import weigh\n\n\ndef test_weigh():\n    assert weigh([1]) == [1]\n",
    "asv.conf.json": '{\n    // where they are\n    "benchmark_dir": "speed"\n}\n',
    "speed/__init__.py": "",
    "speed/common.py": "FACTOR = 7\n",
    "speed/weighing.py": """
from boxes import weigh

from .common import FACTOR


class Weighing:
    params = [[10, 20], ["a", "b"]]

    def setup(self, size, name):
        self.values = list(range(size))

    def time_weigh(self, size, name):
        weigh(self.values, FACTOR)

    def track_size(self, size, name):
        return 1 / 0


def time_plain():
    weigh([5], 5)
""",
    "speed/broken.py": "import nobody_has_this\n",
    "benchmarks/script.py": """
import pyperf

from boxes import weigh

runner = pyperf.Runner()
runner.argparser.add_argument("--size", type=int, default=3)
size = runner.parse_args().size
runner.bench_func("weigh", weigh, list(range(size)), 11)
runner.timeit("statement", "weigh([8], 8)", "from boxes import weigh")
""",
    "benchmarks/other.py": "raise SystemExit('never run')\n",
}


@pytest.fixture
def survey(make_repo, ours):
    root = make_repo({f"src/{name}": text for name, text in FILES.items()})
    open_to_all(root)
    tree, box = Tree(root / "src"), make_sandbox("default")
    home = PythonHome(box, interpreter.probe(ours, "test", box), toolbox_folder.install(root / "toolbox"))
    target = locate(tree, "weigh")

    def run(**wish):
        return run_tests(home, tree, Wish(targets=(target,), **wish))

    run.trees = [tree]
    return run


def test_they_are_found_by_what_stands_in_the_tree(make_repo):
    found = discover.benchmarks(Tree(make_repo(FILES)))
    assert dict(found.suites) == {f"speed/{name}.py": "." for name in ("broken", "common", "weighing")}
    assert found.scripts == ("benchmarks/script.py",)


def test_their_calls_are_kept_beside_those_of_the_tests_and_what_cannot_be_loaded_is_none(survey):
    report = survey(keep=True)
    assert not report.broken
    assert [one.outcome for one in report.tests] == ["passed"], "they are no tests"
    (captured,) = report.captured
    assert captured.calls == 1 + 4 + 1 + 2
    held = {one.data for one in captured.inputs}
    assert len(held) == 6, "equal arguments of two parameters are one input"


def test_one_that_ends_the_process_costs_its_arguments_only(survey, make_repo):
    (tree,) = survey.trees
    (tree.root / "speed" / "weighing.py").write_text("import os\n\n\ndef time_end():\n    os._exit(0)\n")
    report = survey(keep=True)
    assert [one.outcome for one in report.tests] == ["passed"]
    assert report.captured[0].calls == 1


def test_a_configuration_that_is_none_means_the_usual_folder(make_repo):
    files = {"asv.conf.json": json.dumps([1]), "benchmarks/a.py": "def time_x():\n    pass\n"}
    assert discover.benchmarks(Tree(make_repo(files))).suites == (("benchmarks/a.py", "."),)
    outside = {**files, "asv.conf.json": '{"benchmark_dir": "../.."}'}
    assert discover.benchmarks(Tree(make_repo(outside))).suites == ()
    tests = {"asv.conf.json": '{"benchmark_dir": "tests"}', "tests/test_a.py": "import pyperf\n"}
    assert discover.benchmarks(Tree(make_repo(tests))) == discover.Benchmarks()
